/* Queries of lists, and the links to their pages. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fixture.h"
#include "fuzz.h"
#include "page.h"
#include "repr.h"
#include "total.h"

#define BASE	"https://host:8443/iot"
#define PATH	"/devicecontrol/newDeviceRequests"
#define NROWS	3

enum { COL_TOTAL, COL_KEY, COLS };

static bool
is_status(const char *word)
{
	return request_status_of(word) != REQUEST_STATUS_NONE;
}

static const struct page_kind kind = { PATH, "newDeviceRequests", is_status };

static int
read_page(struct page *page, const char *query, struct reply *rep)
{
	struct request rq;

	memset(&rq, 0, sizeof(rq));
	rq.query = query;
	return page_read(page, &rq, &kind, rep);
}

/* A link leads to the page that it says. */
static void
try_link(const char *link, const struct page *page, struct page *there)
{
	static const char start[] = BASE PATH "?";
	struct reply rep;

	HOLDS(strncmp(link, start, sizeof(start) - 1) == 0);
	HOLDS(strpbrk(link, " \"\\<>#") == NULL);
	reply_init(&rep);
	HOLDS(read_page(there, link + sizeof(start) - 1, &rep) == 0);
	HOLDS(there->size == page->size);
	HOLDS(there->total_pages == page->total_pages);
	HOLDS(there->total_elements == page->total_elements);
	HOLDS(strcmp(buf_text(&there->status), buf_text(&page->status)) == 0);
	HOLDS(strcmp(buf_text(&there->prefix), buf_text(&page->prefix)) == 0);
	reply_free(&rep);
}

static void
try_links(const struct page *page, const struct repr *list, long n)
{
	struct page there;
	const char *link;

	HOLDS(repr_string(list, "self", &link) == REPR_FOUND);
	try_link(link, page, &there);
	HOLDS(there.current == page->current);
	HOLDS(there.after == page->after);
	HOLDS(there.before == page->before);
	page_free(&there);
	HOLDS((repr_string(list, "prev", &link) == REPR_FOUND) ==
	    (page->current > 1));
	if (link != NULL) {
		try_link(link, page, &there);
		HOLDS(there.current == page->current - 1);
		page_free(&there);
	}
	HOLDS((repr_string(list, "next", &link) == REPR_FOUND) ==
	    (n > page->size || (n > 0 && page->after != 0)));
	if (link != NULL) {
		try_link(link, page, &there);
		HOLDS(there.current == page->current + 1 ||
		    there.current == LONG_MAX / 2000);
		page_free(&there);
	}
}

/* The list as it is answered, with nothing in it. */
static void
try_list(const struct page *page, const struct db_rows *rows, long n)
{
	const char *text;
	struct repr *list;
	struct buf out;

	buf_init(&out, 0);
	page_begin(page, &out, BASE, &kind, rows, n, COL_KEY);
	page_end(page, &kind, "t1", &out, rows);
	list = repr_parse(buf_text(&out), out.len, &text);
	HOLDS(list != NULL);
	HOLDS(repr_object(list, "statistics", &text) == REPR_FOUND);
	HOLDS((strstr(text, "totalPages") != NULL) == page->total_pages);
	try_links(page, list, n);
	repr_free(list);
	buf_free(&out);
}

static void
try_call(const struct page *page, enum store_id id)
{
	struct store_call call;

	store_call_init(&call, id);
	store_add(&call, "t1");
	page_call(page, &kind, "t1", id == STORE_NEWDEVICE_LIST, &call);
	HOLDS(store_call_ok(&call));
	store_call_free(&call);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const cells[NROWS * COLS] = { "7", "93", "7", "92",
		"7", "91" };
	static struct db_rows rows;
	char *query = fuzz_text(data, size);
	struct page page;
	struct reply rep;

	if (rows.result == NULL)
		rows_of(&rows, NROWS, COLS, cells);
	reply_init(&rep);
	if (read_page(&page, query, &rep) == 0) {
		HOLDS(page.current >= 1 && page.size >= 1);
		HOLDS(page.size <= 2000 && page.before >= 0 && page.after >= 0);
		HOLDS(page.status.len == 0 ||
		    is_status(buf_text(&page.status)));
		try_call(&page, STORE_NEWDEVICE_LIST);
		try_call(&page, STORE_NEWDEVICE_PAGE);
		try_list(&page, &rows, NROWS < page.size ? NROWS :
		    page.size + 1 < NROWS ? page.size + 1 : NROWS);
	} else {
		fuzz_fault(&rep);
		HOLDS(rep.status == 422);
	}
	page_free(&page);
	reply_free(&rep);
	free(query);
	return 0;
}
