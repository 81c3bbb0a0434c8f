/*
 * worker_drive: takes exchanges from need to need.
 */
#include <string.h>

#include "clock.h"
#include "metrics.h"
#include "route.h"
#include "serve.h"
#include "worker_state.h"

static void
end(struct worker *w, struct exchange *x)
{
	exchange_free(x);
	w->serving--;
}

/* Give an exchange what it needs next. */
static void
drive(struct worker *w, struct exchange *x, enum need need)
{
	struct conn *c = x->owner;

	x->need = need;
	switch (need) {
	case NEED_CALL:
		lane_add(&w->lane[store_statement(x->call.id)->lane], x);
		return;
	case NEED_TURN:
		return;
	case NEED_HASH:
		if (verifier_add(&w->verifiers, x))
			return;
		serve_give_up(x);
		break;
	case NEED_STREAM:
		if (upload_start(&w->uploads, c, x) == 0) {
			end(w, x);	/* the other process has its own */
			return;
		}
		serve_give_up(x);
		break;
	case NEED_NOTHING:
		break;
	}
	conn_reply(c, serve_reply(x));
	end(w, x);
}

/* Nobody waits for x any more; it has come to where it can be let go. */
static bool
let_go(struct worker *w, struct exchange *x)
{
	if (x->owner != NULL)
		return false;
	auth_forget(x, VERDICT_NONE);
	end(w, x);
	return true;
}

/* Those whose login was decided by another go on. */
static void
wake(struct worker *w)
{
	struct exchange *x;
	enum verdict verdict;

	while ((x = auth_next(w->cx.auth, &verdict)) != NULL)
		if (!let_go(w, x))
			drive(w, x, serve_turn(x, verdict));
}

void
worker_called(void *arg, struct exchange *x, enum db_status status,
    const struct db_rows *rows, int row)
{
	struct worker *w = arg;

	/* as many as it was to do: there are more */
	if (x->call.id == STORE_HOUSEKEEP && row != -1 &&
	    db_num(rows, row, 0) >= CHORE_MAX)
		loop_timer(w->loop, &w->chores, clock_ms() + CHORE_FIRST);
	if (!let_go(w, x))
		drive(w, x, serve_rows(x, status, rows, row));
	wake(w);
}

void
worker_hashed(void *arg, struct exchange *x, bool known, bool match)
{
	struct worker *w = arg;

	if (!let_go(w, x))
		drive(w, x, known ? serve_hashed(x, match) : serve_give_up(x));
	wake(w);
}

void
worker_requested(void *arg, struct conn *c, char *const *envp, const char *body,
    size_t len)
{
	struct worker *w = arg;
	struct exchange *x;
	struct reply rep;

	if ((x = exchange_new(&w->cx)) == NULL) {
		reply_init(&rep);
		reply_unavailable(&rep);
		metrics_request(0, rep.status, -1);
		conn_reply(c, &rep);
		reply_free(&rep);
		return;
	}
	w->serving++;
	x->owner = c;
	memcpy(x->request, conn_request(c), sizeof(x->request));
	conn_set_exchange(c, x);
	drive(w, x, conn_authorizes(c) ? serve_authorize(x, envp) :
	    serve_begin(x, envp, body, len));
}

bool
worker_streams(void *arg, const struct buf *params)
{
	struct worker *w = arg;
	size_t len;
	const char *uri = record_param(params, "REQUEST_URI", &len);

	return uri != NULL && route_streams(w->cx.conf, uri, len);
}

/*
 * The connection will be answered, or closed, without its exchange.  That one
 * is let go when what it waits for has come; the request it points to is gone
 * by then and not looked at.
 */
void
worker_given_up(void *arg, struct conn *c)
{
	struct worker *w = arg;
	struct exchange *x = conn_exchange(c);

	metrics_abandoned();
	conn_set_exchange(c, NULL);
	x->owner = NULL;
	if (x->need == NEED_TURN)
		let_go(w, x);
	wake(w);
}

void
worker_chore(struct worker *w)
{
	struct exchange *x;

	if ((x = exchange_new(&w->cx)) == NULL)
		return;
	w->serving++;
	/* nobody owns it: it is let go when the database has answered */
	store_call_init(&x->call, STORE_HOUSEKEEP);
	store_add_num(&x->call, CHORE_MAX);
	lane_add(&w->lane[store_statement(STORE_HOUSEKEEP)->lane], x);
}
