#include <limits.h>
#include <string.h>

#include "page.h"
#include "total.h"
#include "text.h"

#define PAGE_DEFAULT	5
#define PAGE_MAX	2000	/* larger ones become this */
#define NUMBER_MAX	(LONG_MAX / PAGE_MAX)

/* A number of the query, at least 1; -1 if it is none. */
static int
query_num(const struct request *rq, const char *name, long *num)
{
	struct buf value;
	int rc = 0;

	buf_init(&value, 0);
	switch (request_query(rq, name, &value)) {
	case QUERY_FOUND:
		rc = parse_num(buf_text(&value), 1, NUMBER_MAX, num);
		break;
	case QUERY_ABSENT:
		break;
	case QUERY_BAD:
		rc = -1;
		break;
	}
	buf_free(&value);
	return rc;
}

static int
query_bool(const struct request *rq, const char *name, bool *on)
{
	struct buf value;
	enum query_found found;
	int rc = 0;

	buf_init(&value, 0);
	*on = false;
	found = request_query(rq, name, &value);
	if (found == QUERY_FOUND && strcmp(buf_text(&value), "true") == 0)
		*on = true;
	else if (found == QUERY_BAD || (found == QUERY_FOUND &&
	    strcmp(buf_text(&value), "false") != 0))
		rc = -1;
	buf_free(&value);
	return rc;
}

void
page_free(struct page *page)
{
	buf_free(&page->status);
	buf_free(&page->prefix);
}

/* Returns the name of a parameter that is wrong, or NULL. */
static const char *
read_query(const struct request *rq, struct page *page,
    const struct page_kind *kind)
{
	memset(page, 0, sizeof(*page));
	page->current = 1;
	page->size = PAGE_DEFAULT;
	if (query_num(rq, "currentPage", &page->current) == -1)
		return "currentPage";
	if (query_num(rq, "pageSize", &page->size) == -1)
		return "pageSize";
	if (query_num(rq, "before", &page->before) == -1)
		return "before";
	if (query_num(rq, "after", &page->after) == -1)
		return "after";
	if (page->size > PAGE_MAX)
		page->size = PAGE_MAX;
	if (query_bool(rq, "withTotalPages", &page->total_pages) == -1)
		return "withTotalPages";
	if (query_bool(rq, "withTotalElements", &page->total_elements) == -1)
		return "withTotalElements";
	if (request_query(rq, "q", &page->prefix) == QUERY_BAD)
		return "q";
	if (request_query(rq, "status", &page->status) == QUERY_BAD ||
	    (page->status.len > 0 &&
	    !kind->is_status(buf_text(&page->status))))
		return "status";
	return NULL;
}

int
page_read(struct page *page, const struct request *rq,
    const struct page_kind *kind, struct reply *rep)
{
	const char *wrong = read_query(rq, page, kind);

	if (wrong == NULL)
		return 0;
	reply_fault(rep, FAULT_VALIDATION,
	    "Parameter %s has a value it cannot have.", wrong);
	return -1;
}

static void
add_num(struct store_call *call, long num)
{
	if (num != 0)
		store_add_num(call, num);
	else
		store_add(call, NULL);
}

bool
page_counts(const struct page *page)
{
	return page->total_pages || page->total_elements;
}

void
page_call(const struct page *page, const struct page_kind *kind,
    const char *scope, bool counted, struct store_call *call)
{
	bool count = page_counts(page);
	bool keyed = page->before != 0 || page->after != 0;

	store_add(call, page->status.len > 0 ? buf_text(&page->status) : NULL);
	store_add(call, page->prefix.len > 0 ? buf_text(&page->prefix) : NULL);
	/* one more than asked for tells whether there is a next page */
	store_add_num(call, page->size + (page->after == 0));
	store_add_num(call, keyed ? 0 : (page->current - 1) * page->size);
	if (counted)
		store_add(call, count ? "t" : "f");
	add_num(call, page->before);
	add_num(call, page->after);
	if (counted)
		add_num(call, count ? total_find(kind->path, scope, page) : 0);
}

/*
 * "name":"link to a page", with the parameters of the request, and where to go
 * on from, 0 for nowhere.
 */
static void
add_link(struct buf *out, const char *base, const struct page_kind *kind,
    const char *name, const struct page *page, long current, long before,
    long after)
{
	buf_printf(out, "\"%s\":\"%s%s?pageSize=%ld&currentPage=%ld", name,
	    base, kind->path, page->size, current);
	if (before != 0)
		buf_printf(out, "&before=%ld", before);
	if (after != 0)
		buf_printf(out, "&after=%ld", after);
	if (page->total_pages)
		buf_puts(out, "&withTotalPages=true");
	if (page->total_elements)
		buf_puts(out, "&withTotalElements=true");
	if (page->status.len > 0)
		buf_printf(out, "&status=%s", buf_text(&page->status));
	if (page->prefix.len > 0) {
		buf_puts(out, "&q=");
		percent_encode(out, buf_text(&page->prefix));
	}
	buf_puts(out, "\",");
}

void
page_begin(const struct page *page, struct buf *out, const char *base,
    const struct page_kind *kind, const struct db_rows *rows, long n, int key)
{
	int last = (int)(n < page->size ? n : page->size) - 1;

	buf_putc(out, '{');
	add_link(out, base, kind, "self", page, page->current, page->before,
	    page->after);
	/* the first page is where new entries appear */
	if (page->current > 1)
		add_link(out, base, kind, "prev", page, page->current - 1, 0,
		    n > 0 && page->current > 2 ?
		    db_num(rows, 0, key) : 0);
	if (n > page->size || (n > 0 && page->after != 0))
		add_link(out, base, kind, "next", page, page->current +
		    (page->current < NUMBER_MAX), db_num(rows, last, key), 0);
	buf_printf(out, "\"%s\":[", kind->name);
}

void
page_end(const struct page *page, const struct page_kind *kind,
    const char *scope, struct buf *out, const struct db_rows *rows)
{
	long total = 0;

	if (page_counts(page)) {
		total = db_num(rows, 0, 0);
		total_keep(kind->path, scope, page, total);
	}
	buf_printf(out, "],\"statistics\":{\"currentPage\":%ld,"
	    "\"pageSize\":%ld", page->current, page->size);
	if (page->total_pages)
		buf_printf(out, ",\"totalPages\":%ld",
		    (total + page->size - 1) / page->size);
	if (page->total_elements)
		buf_printf(out, ",\"totalElements\":%ld", total);
	buf_puts(out, "}}");
}
