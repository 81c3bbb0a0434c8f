/*
 * Whole requests on their way to an answer: of an administrator whose password
 * is right, with a database that goes away when the operation asks it.
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/fixture.h"
#include "fuzz.h"
#include "log.h"
#include "route.h"
#include "text.h"

#define STEPS	8	/* more than any request takes */

static const struct context *cx;
static struct db_rows login;

static void
prepare(void)
{
	/* all roles but that of a device, which no person can have */
	static const char *const known[] = { "t1", "ROLE_DEVICE_CONTROL_ADMIN "
		"ROLE_DEVICE_CONTROL_READ ROLE_DEVICE_BOOTSTRAP "
		"ROLE_USER_MANAGEMENT_ADMIN", "$y$hash", NULL, NULL, NULL,
		NULL, NULL, NULL, NULL, "t1", "0", "t" };

	if (cx != NULL)
		return;
	log_setup("fuzz", LOG_LEVEL_ERROR);
	rows_of(&login, 1, COUNT(known), known);
	cx = fuzz_context("require_tls = off\nlogin_cache = 0\n"
	    "health_from = 0.0.0.0/0 ::/0\nready_from = 0.0.0.0/0 ::/0\n");
}

/* What an operation asks the database is whole, and text. */
static void
try_call(const struct exchange *x)
{
	const char *value;
	int i;

	if (x->call.id == STORE_CREDENTIAL_LOOK) {
		HOLDS(device_id_valid(x->id, strlen(x->id), NULL));
		return;
	}
	HOLDS(store_call_ok(&x->call));
	for (i = 0; i < x->call.nvalues; i++) {
		value = call_value(x, i);
		HOLDS(value == NULL ||
		    utf8_valid(value, strlen(value), NULL));
	}
}

/* Provide what is needed; what is needed then. */
static enum need
provide(struct exchange *x, enum need need)
{
	static const struct db_rows none;

	switch (need) {
	case NEED_CALL:
		if (x->stage == STAGE_LOGIN)
			return serve_rows(x, DB_OK, &login, 0);
		try_call(x);
		return serve_rows(x, x->rq.body_len % 2 == 0 ?
		    DB_UNAVAILABLE : DB_REFUSED, &none, -1);
	case NEED_HASH:
		return serve_hashed(x, true);
	default:
		HOLDS(need == NEED_STREAM && x->op->stream != NULL);
		return serve_give_up(x);
	}
}

/* An answer of CGI: lines of a head, an empty one, and as much as it says. */
static void
try_answer(const struct buf *out)
{
	const char *line = buf_text(out);
	const char *end = line + out->len;
	long announced = 0;
	size_t len;

	HOLDS(buf_ok(out) && strncmp(line, "Status: ", 8) == 0);
	for (; (len = strcspn(line, "\r\n")) > 0; line += len + 2) {
		HOLDS(strncmp(line + len, "\r\n", 2) == 0);
		HOLDS(memchr(line, ':', len) != NULL);
		if (strncmp(line, "Content-Length: ", 16) == 0)
			announced = strtol(line + 16, NULL, 10);
	}
	HOLDS(strncmp(line, "\r\n", 2) == 0);
	HOLDS(end - (line + 2) == announced);
	HOLDS(utf8_valid(buf_text(out), out->len, NULL));
}

static void
try_serve(const struct fuzz_request *in, bool authorizer)
{
	struct exchange *x = exchange_new(cx);
	const struct reply *rep;
	enum need need;
	struct buf out;
	int steps;

	HOLDS(x != NULL);
	request_id(x->request, in->env);
	need = authorizer ? serve_authorize(x, in->env) :
	    serve_begin(x, in->env, in->body, in->len);
	for (steps = 0; need != NEED_NOTHING; steps++) {
		HOLDS(steps < STEPS && x->reply.status == 0);
		need = provide(x, need);
	}
	rep = serve_reply(x);
	HOLDS(rep->status >= 200 && rep->status < 600);
	if (rep->media == MEDIA_ERROR)
		fuzz_fault(rep);
	buf_init(&out, 0);
	reply_write(rep, x->request, &out);
	try_answer(&out);
	buf_free(&out);
	exchange_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_request in;

	prepare();
	fuzz_request_read(&in, data, size);
	try_serve(&in, false);
	try_serve(&in, true);
	fuzz_request_free(&in);
	return 0;
}
