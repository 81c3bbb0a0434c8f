/*
 * serve: the way of every request, from need to need.
 */
#ifndef DEVCRED_SERVE_H
#define DEVCRED_SERVE_H

#include "exchange.h"

/*
 * Make an exchange for the request in envp and body (see request_parse());
 * both must outlive it.  NULL if there is no memory.
 */
struct exchange *exchange_new(const struct context *cx) MUST_CHECK;

/* Wipe and free; NULL is allowed. */
void	 exchange_free(struct exchange *x);

/* Begin: what is needed first. */
enum need serve_begin(struct exchange *x, char *const *envp, const char *body,
	    size_t len);

/*
 * Begin for a web server that asks whether it may let somebody in (the role
 * of an authorizer): whatever is asked for, the login alone is looked at.
 */
enum need serve_authorize(struct exchange *x, char *const *envp);

/*
 * Go on with the rows of x->call.  row: that of x in a grouped call, or -1.
 */
enum need serve_rows(struct exchange *x, enum db_status status,
	    const struct db_rows *rows, int row);

/* Go on with the verdict on the slow hash. */
enum need serve_hashed(struct exchange *x, bool match);

/* The reply, once nothing is needed any more. */
const struct reply *serve_reply(struct exchange *x);

/*
 * Go on with the verdict on the login that was waited for; VERDICT_NONE: it
 * has to be tried.
 */
enum need serve_turn(struct exchange *x, enum verdict verdict);

/* Give up: fills the reply with 503. */
enum need serve_give_up(struct exchange *x);

#endif
