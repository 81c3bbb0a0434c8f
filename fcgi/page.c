/*
 * page: GET /devicecontrol/newDeviceRequests, a page of requests at a time.
 */
#include <limits.h>
#include <string.h>

#include "repr.h"
#include "route.h"
#include "text.h"

#define PAGE_DEFAULT	5
#define PAGE_MAX	2000	/* larger ones become this */

/* The query of a list. */
struct page {
	long		 current;
	long		 size;
	bool		 total_pages;
	bool		 total_elements;
	struct buf	 status;	/* empty: all */
	struct buf	 prefix;	/* of the id */
};

/* A number of the query, at least 1; -1 if it is none. */
static int
query_num(const struct request *rq, const char *name, long *num)
{
	struct buf value;
	int rc = 0;

	buf_init(&value, 0);
	switch (request_query(rq, name, &value)) {
	case QUERY_FOUND:
		rc = parse_num(buf_text(&value), 1, LONG_MAX / PAGE_MAX, num);
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

static void
page_free(struct page *page)
{
	buf_free(&page->status);
	buf_free(&page->prefix);
}

/* Read the query; returns the name of a parameter that is wrong, or NULL. */
static const char *
page_parse(const struct request *rq, struct page *page)
{
	memset(page, 0, sizeof(*page));
	page->current = 1;
	page->size = PAGE_DEFAULT;
	if (query_num(rq, "currentPage", &page->current) == -1)
		return "currentPage";
	if (query_num(rq, "pageSize", &page->size) == -1)
		return "pageSize";
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
	    request_status_of(buf_text(&page->status)) == REQUEST_STATUS_NONE))
		return "status";
	return NULL;
}

static enum need
list_parse(struct exchange *x)
{
	struct page page;
	const char *wrong;

	if ((wrong = page_parse(&x->rq, &page)) != NULL) {
		page_free(&page);
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "Parameter %s has a value it cannot have.", wrong);
		return NEED_NOTHING;
	}
	store_call_init(&x->call, STORE_NEWDEVICE_LIST);
	store_add(&x->call, x->login.tenant);
	store_add(&x->call,
	    page.status.len > 0 ? buf_text(&page.status) : NULL);
	store_add(&x->call,
	    page.prefix.len > 0 ? buf_text(&page.prefix) : NULL);
	/* one more than asked for tells whether there is a next page */
	store_add_num(&x->call, page.size + 1);
	store_add_num(&x->call, (page.current - 1) * page.size);
	store_add(&x->call,
	    page.total_pages || page.total_elements ? "t" : "f");
	page_free(&page);
	if (store_call_ok(&x->call))
		return NEED_CALL;
	reply_unavailable(&x->reply);
	return NEED_NOTHING;
}

/* "name":"link to a page", with the parameters of the request. */
static void
add_link(struct buf *out, const struct exchange *x, const char *name,
    const struct page *page, long current)
{
	buf_printf(out, "\"%s\":\"%s/devicecontrol/newDeviceRequests?"
	    "pageSize=%ld&currentPage=%ld", name, buf_text(&x->rq.base),
	    page->size, current);
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

static enum need
list_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct newdevice nd;
	struct page page;
	struct buf *out;
	long total;
	long n;
	int i;

	/* list_parse() has found nothing wrong with it */
	if (row == -1 || page_parse(&x->rq, &page) != NULL) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	/* an empty page is one row without a request */
	n = db_text(rows, 0, 1) == NULL ? 0 : rows->n;
	total = db_num(rows, 0, 0);
	out = reply_start(&x->reply, 200, MEDIA_NEWDEVICE_LIST);
	buf_putc(out, '{');
	add_link(out, x, "self", &page, page.current);
	if (page.current > 1)
		add_link(out, x, "prev", &page, page.current - 1);
	if (n > page.size)
		add_link(out, x, "next", &page, page.current + 1);
	buf_puts(out, "\"newDeviceRequests\":[");
	for (i = 0; i < n && i < page.size; i++) {
		if (i > 0)
			buf_putc(out, ',');
		store_newdevice(rows, i, &nd);
		repr_newdevice(out, &nd, buf_text(&x->rq.base));
	}
	buf_printf(out, "],\"statistics\":{\"currentPage\":%ld,"
	    "\"pageSize\":%ld", page.current, page.size);
	if (page.total_pages)
		buf_printf(out, ",\"totalPages\":%ld",
		    (total + page.size - 1) / page.size);
	if (page.total_elements)
		buf_printf(out, ",\"totalElements\":%ld", total);
	buf_puts(out, "}}");
	page_free(&page);
	return NEED_NOTHING;
}

const struct operation newdevice_list = {
	"newdevice_list", "GET", "/devicecontrol/newDeviceRequests",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_NEWDEVICE_LIST, list_parse, list_render,
	NULL, NULL
};
