/*
 * newdevice_list: a page of new device requests.
 */
#include "page.h"
#include "repr.h"
#include "route.h"

#define SEQ	13	/* column of newdevice_list */

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

	if (rc == 0) {
		store_call_init(&x->call, STORE_NEWDEVICE_LIST);
		store_add(&x->call, x->login.tenant);
		page_call(&page, kind_of(x), x->login.tenant, &x->call);
	}
	page_free(&page);
	if (rc == -1)
		return NEED_NOTHING;
	return exchange_call(x);
}

static enum need
list_render(struct exchange *x, const struct db_rows *rows, int row)
{
	const struct page_kind *kind = kind_of(x);
	const char *base = buf_text(&x->rq.base);
	struct newdevice_review seen;
	struct newdevice nd;
	struct page page;
	struct buf *out;
	long n;
	int i;

	/* list_parse() has found nothing wrong with it */
	if (row == -1 ||
	    page_read(&page, &x->rq, kind, &x->reply) == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	/* an empty page is one row without a request */
	n = db_text(rows, 0, 1) == NULL ? 0 : rows->n;
	out = reply_start(&x->reply, 200,
	    kind == &review ? MEDIA_JSON : MEDIA_NEWDEVICE_LIST);
	page_begin(&page, out, base, kind, rows, n, SEQ);
	for (i = 0; i < n && i < page.size; i++) {
		if (i > 0)
			buf_putc(out, ',');
		store_newdevice(rows, i, &nd);
		if (kind == &review)
			store_review(rows, i, &seen);
		repr_newdevice(out, &nd, kind == &review ? &seen : NULL, base);
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
