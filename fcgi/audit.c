/*
 * audit: what was decided, for administrators who look at the page.  The
 * reference has nothing of the kind, so all of it is under /devcred.
 */
#include <limits.h>

#include "repr.h"
#include "route.h"
#include "text.h"

#define EVENTS_DEFAULT	20
#define EVENTS_MAX	1000	/* more become this */
#define DAYS_DEFAULT	30
#define DAYS_MAX	366

/* A number of the query, or what it is without; -1 with the reply filled. */
static int
query_num(struct exchange *x, const char *name, long max, long *num)
{
	struct buf value;
	enum query_found found;
	int rc = 0;

	buf_init(&value, 0);
	found = request_query(&x->rq, name, &value);
	if (found == QUERY_BAD || (found == QUERY_FOUND &&
	    parse_num(buf_text(&value), 1, max, num) == -1)) {
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "Parameter %s has a value it cannot have.", name);
		rc = -1;
	}
	buf_free(&value);
	return rc;
}

/* GET /devcred/audit ------------------------------------------------------ */

static int
read_size(struct exchange *x, long *size)
{
	*size = EVENTS_DEFAULT;
	if (query_num(x, "pageSize", LONG_MAX, size) == -1)
		return -1;
	if (*size > EVENTS_MAX)
		*size = EVENTS_MAX;
	return 0;
}

static enum need
list_parse(struct exchange *x)
{
	struct buf id;
	enum need need = NEED_NOTHING;
	long before = LONG_MAX;
	long size;

	buf_init(&id, 0);
	if (request_query(&x->rq, "id", &id) == QUERY_BAD)
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "Parameter id has a value it cannot have.");
	else if (read_size(x, &size) == 0 &&
	    query_num(x, "before", LONG_MAX, &before) == 0) {
		store_call_init(&x->call, STORE_EVENT_LIST);
		store_add(&x->call, x->login.tenant);
		store_add(&x->call, id.len > 0 ? buf_text(&id) : NULL);
		store_add_num(&x->call, before);
		/* one more than asked for tells whether there are more */
		store_add_num(&x->call, size + 1);
		need = exchange_call(x);
	}
	buf_free(&id);
	return need;
}

/* A link to the events before the last one told. */
static void
add_next(struct exchange *x, struct buf *out, long size, long before)
{
	struct buf id;

	buf_init(&id, 0);
	buf_printf(out, ",\"next\":\"%s/devcred/audit?pageSize=%ld&before=%ld",
	    buf_text(&x->rq.base), size, before);
	if (request_query(&x->rq, "id", &id) == QUERY_FOUND && id.len > 0) {
		buf_puts(out, "&id=");
		percent_encode(out, buf_text(&id));
	}
	buf_putc(out, '"');
	buf_free(&id);
}

static enum need
list_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct event event;
	struct buf *out;
	long size;
	int i;

	(void)row;
	/* list_parse() has found nothing wrong with it */
	if (read_size(x, &size) == -1)
		return NEED_NOTHING;
	out = reply_start(&x->reply, 200, MEDIA_JSON);
	buf_puts(out, "{\"events\":[");
	for (i = 0; i < rows->n && i < size; i++) {
		store_event(rows, i, &event);
		repr_event(out, i > 0, &event);
	}
	buf_putc(out, ']');
	if (rows->n > size)
		add_next(x, out, size, event.seq);
	buf_putc(out, '}');
	return NEED_NOTHING;
}

const struct operation event_list = {
	"event_list", "GET", "/devcred/audit",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, list_parse, list_render, NULL, NULL, NULL
};

/* GET /devcred/statistics ------------------------------------------------- */

static enum need
count_parse(struct exchange *x)
{
	long days = DAYS_DEFAULT;

	if (query_num(x, "days", DAYS_MAX, &days) == -1)
		return NEED_NOTHING;
	store_call_init(&x->call, STORE_EVENT_COUNT);
	store_add(&x->call, x->login.tenant);
	store_add_num(&x->call, days);
	return exchange_call(x);
}

static enum need
count_render(struct exchange *x, const struct db_rows *rows, int row)
{
	static const char *const name[] = { "registered", "claimed",
		"accepted", "issued", "refused", "waiting", "pending" };
	const int n = sizeof(name) / sizeof(name[0]);
	struct buf *out = reply_start(&x->reply, 200, MEDIA_JSON);
	int col;
	int i;

	(void)row;
	buf_puts(out, "{\"days\":[");
	for (i = 0; i < rows->n; i++) {
		buf_printf(out, "%s{\"day\":\"%s\"", i > 0 ? "," : "",
		    db_text(rows, i, 0));
		for (col = 1; col <= n; col++)
			buf_printf(out, ",\"%s\":%ld", name[col - 1],
			    db_num(rows, i, col));
		buf_putc(out, '}');
	}
	buf_puts(out, "]}");
	return NEED_NOTHING;
}

const struct operation event_count = {
	"event_count", "GET", "/devcred/statistics",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, count_parse, count_render, NULL, NULL, NULL
};
