/*
 * newdevice_list: a page of new device requests.
 *
 * Most want a page and nothing else, which newdevice_page makes in a third of
 * the time; totals, and what one looks at before accepting, newdevice_list has.
 */
#include "page.h"
#include "repr.h"
#include "route.h"

#define PAGE_SEQ	9	/* column of newdevice_page */
#define LIST_SEQ	13	/* of newdevice_list, which tells more */
#define ENTRY_SIZE	384	/* bytes; most are smaller */

static bool
is_status(const char *word)
{
	return request_status_of(word) != REQUEST_STATUS_NONE;
}

static const struct page_kind list = { "/devicecontrol/newDeviceRequests",
	"newDeviceRequests", is_status };
static const struct page_kind review = { "/devcred/newDeviceRequests",
	"newDeviceRequests", is_status };

static const struct page_kind *
kind_of(const struct exchange *x)
{
	return x->op == &newdevice_review ? &review : &list;
}

static enum need
list_parse(struct exchange *x)
{
	struct page page;
	int rc = page_read(&page, &x->rq, kind_of(x), &x->reply);
	bool whole = kind_of(x) == &review || page_counts(&page);

	if (rc == 0) {
		store_call_init(&x->call, whole ? STORE_NEWDEVICE_LIST :
		    STORE_NEWDEVICE_PAGE);
		store_add(&x->call, x->login.tenant);
		page_call(&page, kind_of(x), x->login.tenant, whole, &x->call);
	}
	page_free(&page);
	if (rc == -1)
		return NEED_NOTHING;
	return exchange_call(x);
}

/* Write one of a page. */
static void
list_entry(const struct exchange *x, struct buf *out,
    const struct db_rows *rows, int row)
{
	const char *base = buf_text(&x->rq.base);
	struct newdevice_review seen;
	struct newdevice nd;
	char created[ISO_TIME_SIZE];

	if (x->call.id == STORE_NEWDEVICE_PAGE)
		store_newdevice_page(rows, row, &nd, created);
	else
		store_newdevice(rows, row, &nd);
	if (kind_of(x) == &review)
		store_review(rows, row, &seen);
	repr_newdevice(out, &nd, kind_of(x) == &review ? &seen : NULL, base);
}

static enum need
list_render(struct exchange *x, const struct db_rows *rows, int row)
{
	const struct page_kind *kind = kind_of(x);
	bool whole = x->call.id == STORE_NEWDEVICE_LIST;
	struct page page;
	struct buf *out;
	long n;
	int i;

	/* list_parse() has found nothing wrong with it */
	if ((row == -1 && whole) ||
	    page_read(&page, &x->rq, kind, &x->reply) == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	/* with a total, an empty page is one row without a request */
	n = whole && db_text(rows, 0, 1) == NULL ? 0 : rows->n;
	out = reply_start(&x->reply, 200,
	    kind == &review ? MEDIA_JSON : MEDIA_NEWDEVICE_LIST);
	(void)buf_room(out, (size_t)n * ENTRY_SIZE);
	page_begin(&page, out, buf_text(&x->rq.base), kind, rows, n,
	    whole ? LIST_SEQ : PAGE_SEQ);
	for (i = 0; i < n && i < page.size; i++) {
		if (i > 0)
			buf_putc(out, ',');
		list_entry(x, out, rows, i);
	}
	page_end(&page, kind, x->login.tenant, out, rows);
	page_free(&page);
	return NEED_NOTHING;
}

const struct operation newdevice_list = {
	"newdevice_list", "GET", "/devicecontrol/newDeviceRequests",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_NEWDEVICE_LIST, list_parse, list_render,
	NULL, NULL, NULL
};

/* The same with what one looks at before accepting. */
const struct operation newdevice_review = {
	"newdevice_review", "GET", "/devcred/newDeviceRequests",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, list_parse, list_render, NULL, NULL, NULL
};
