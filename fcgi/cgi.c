#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgi.h"
#include "clock.h"
#include "keys.h"
#include "log.h"
#include "route.h"
#include "serve.h"
#include "text.h"

#define LINGER_TIME	2000	/* ms */

/*
 * How many bytes of body to read: as announced.  What was coded for the
 * transfer, chunked that is and whatever else, comes without a length, and ends
 * with the input; so does one with a length that is none.
 */
static size_t
body_length(void)
{
	const char *length = getenv("CONTENT_LENGTH");
	const char *coding = getenv("HTTP_TRANSFER_ENCODING");
	long n = 0;

	if (length == NULL || length[0] == '\0')
		return coding != NULL && coding[0] != '\0' ? SIZE_MAX : 0;
	if (parse_num(length, 0, LONG_MAX, &n) == -1)
		return SIZE_MAX;
	return (size_t)n;
}

/*
 * Read the body, of which no more is kept than shows that it is too large;
 * all the same it is read, as servers give up on a program that does not.
 * False if it did not come in time.
 */
static bool
read_body(struct buf *body, size_t want, int64_t deadline)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char chunk[8192];
	int64_t left;
	size_t room;
	ssize_t n;

	while (want > 0) {
		if ((left = deadline - clock_ms()) <= 0)
			return false;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (n == 0 || (n == -1 && errno != EINTR))
			break;
		if (n <= 0)
			continue;
		room = BODY_MAX + 1 - body->len;
		buf_add(body, chunk, (size_t)n < room ? (size_t)n : room);
		want -= (size_t)n < want ? (size_t)n : want;
	}
	return true;
}

static int
write_reply(const struct reply *rep, const char *request)
{
	struct buf out;
	const char *p;
	ssize_t n;
	int rc = 1;

	buf_init(&out, 0);
	reply_write(rep, request, &out);
	if (buf_ok(&out)) {
		p = buf_text(&out);
		rc = 0;
		while (rc == 0 && p < out.data + out.len) {
			n = write(STDOUT_FILENO, p,
			    (size_t)(out.data + out.len - p));
			if (n > 0)
				p += n;
			else if (n == -1 && errno != EINTR)
				rc = 1;
		}
	}
	buf_free(&out);
	return rc;
}

/* Run the call of x on its own: a group of one, if it is to be grouped. */
static enum need
run_call(struct exchange *x, struct db *db, int64_t deadline)
{
	const struct store_claim *claim = &x->call.claim;
	struct store_call group;
	struct db_rows rows;
	enum db_status status;
	enum need need;

	if (store_statement(x->call.id)->group_max > 0) {
		store_group(&group, x->call.id, &claim, 1);
		store_begin(&group, db, deadline);
		store_call_free(&group);
	} else {
		store_begin(&x->call, db, deadline);
	}
	status = db_wait(db, &rows);
	need = serve_rows(x, status, &rows, rows.n > 0 ? 0 : -1);
	db_rows_free(&rows);
	return need;
}

static void
run(struct exchange *x, struct db *db, enum need need, int64_t deadline)
{
	for (;;) {
		switch (need) {
		case NEED_CALL:
			need = run_call(x, db, deadline);
			break;
		case NEED_HASH:
			need = serve_hashed(x, secret_slow_is(
			    x->login_try.password, x->login_try.hash));
			break;
		case NEED_STREAM:	/* by who has the body */
		case NEED_TURN:		/* there is nobody else */
		case NEED_NOTHING:
			x->need = need;
			return;
		}
	}
}

/* A request whose body is taken as it comes. */
static void
run_stream(struct exchange *x, struct db *db)
{
	extern char **environ;
	const struct conf *conf = x->cx->conf;
	struct stream body;
	struct buf chunk;

	buf_init(&chunk, 0);
	stream_cgi(&body, STDIN_FILENO, body_length(), &chunk,
	    conf->body_timeout);
	run(x, db, serve_begin(x, environ, NULL, 0),
	    clock_ms() + conf->db_timeout);
	if (x->need == NEED_STREAM)
		x->op->stream(x, &body, db);
	stream_drop(&body);
	buf_free(&chunk);
}

/* Any other: first its body, then the rest. */
static void
run_whole(struct exchange *x, struct db *db, struct buf *body)
{
	extern char **environ;
	const struct conf *conf = x->cx->conf;

	if (!read_body(body, body_length(), clock_ms() + conf->body_timeout))
		reply_fault(&x->reply, FAULT_TIMEOUT,
		    "The request did not arrive in time.");
	else
		run(x, db, serve_begin(x, environ, buf_text(body), body->len),
		    clock_ms() + conf->db_timeout);
}

/* Who is cut off while it sends takes no answer: read on for a moment. */
static void
linger(void)
{
	struct stream body;
	struct buf chunk;

	close(STDOUT_FILENO);
	buf_init(&chunk, 0);
	stream_cgi(&body, STDIN_FILENO, SIZE_MAX, &chunk, LINGER_TIME);
	stream_drop(&body);
	buf_free(&chunk);
}

int
cgi_run(const struct conf *conf)
{
	struct context cx = { .conf = conf };
	extern char **environ;
	const char *uri = getenv("REQUEST_URI");
	struct exchange *x = NULL;
	struct db *db = NULL;
	struct buf body;
	int rc;

	signal(SIGPIPE, SIG_IGN);
	log_setup("devcred-cgi", (enum log_level)conf->log_level);
	buf_init(&body, 0);
	if (keys_load(conf, &cx.keyring) == -1 ||
	    (cx.auth = auth_new(conf)) == NULL ||
	    (db = db_new(conf->app_database, false, STORE_SCHEMA)) == NULL ||
	    (x = exchange_new(&cx)) == NULL) {
		rc = cgi_sorry();
		goto out;
	}
	request_id(x->request, environ);
	if (uri != NULL && route_streams(conf, uri, strlen(uri)))
		run_stream(x, db);
	else
		run_whole(x, db, &body);
	rc = write_reply(serve_reply(x), x->request);
	if (x->reply.status == 408)
		linger();
out:
	exchange_free(x);
	db_free(db);
	auth_free(cx.auth);
	keyring_free(cx.keyring);
	buf_free(&body);
	return rc;
}

int
cgi_sorry(void)
{
	extern char **environ;
	char request[REQUEST_ID_SIZE];
	struct reply rep;
	int rc;

	request_id(request, environ);
	reply_init(&rep);
	reply_unavailable(&rep);
	rc = write_reply(&rep, request);
	reply_free(&rep);
	return rc;
}
