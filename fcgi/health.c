/*
 * health: what those ask who look after the service: is it alive, can it
 * work.  They have no login; who may ask, an address says.
 */
#include <stdio.h>

#include "addr.h"
#include "health.h"
#include "route.h"

bool
health_lets(struct exchange *x, const char *from)
{
	/* behind a proxy that nobody told us of, everybody is near */
	if (!x->rq.hidden && addr_listed(from, x->rq.source))
		return true;
	reply_fault(&x->reply, FAULT_NOT_FOUND, "There is no such resource.");
	return false;
}

/* 503, which says why: whoever may ask may know. */
static void
say_down(struct exchange *x, const char *why)
{
	reply_fault(&x->reply, FAULT_UNAVAILABLE, "%s", why);
	reply_retry(&x->reply);
}

static void
say_up(struct exchange *x)
{
	buf_puts(reply_start(&x->reply, 200, MEDIA_JSON),
	    "{\"status\":\"UP\"}");
	reply_header(&x->reply, "Cache-Control", "no-store");
}

static enum need
health_parse(struct exchange *x)
{
	if (health_lets(x, x->cx->conf->health_from))
		say_up(x);
	return NEED_NOTHING;
}

const struct operation health = {
	"health", "GET", "/devcred/health", { ROLE_NONE, ROLE_NONE },
	MEDIA_NONE, MEDIA_JSON, health_parse, NULL, NULL, NULL, NULL
};

static enum need
ready_parse(struct exchange *x)
{
	if (!health_lets(x, x->cx->conf->ready_from))
		return NEED_NOTHING;
	store_call_init(&x->call, STORE_SEAL_KEYS);
	return exchange_call(x);
}

/*
 * That there is an answer proves database and schema: a connection to another
 * schema is none.  Columns of seal_keys: key, windows.
 */
static enum need
ready_render(struct exchange *x, const struct db_rows *rows, int row)
{
	char why[160];
	const char *key;
	int i;

	(void)row;
	for (i = 0; i < rows->n; i++) {
		key = db_text(rows, i, 0);
		if (x->cx->keyring != NULL &&
		    keyring_find(x->cx->keyring, key) != NULL)
			continue;
		snprintf(why, sizeof(why), "Key %s is not in key_file; %s "
		    "delivery windows need it.", key, db_text(rows, i, 1));
		say_down(x, why);
		return NEED_NOTHING;
	}
	say_up(x);
	return NEED_NOTHING;
}

static void
ready_unanswered(struct exchange *x)
{
	say_down(x, "The database cannot be asked, or its schema is too old; "
	    "the log says which.");
}

const struct operation ready = {
	"ready", "GET", "/devcred/ready", { ROLE_NONE, ROLE_NONE },
	MEDIA_NONE, MEDIA_JSON, ready_parse, ready_render, NULL, NULL,
	ready_unanswered
};
