#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "route.h"
#include "serve.h"

#define BAD_CREDENTIALS	"Invalid credentials! : Bad credentials"

static enum need serve_login(struct exchange *x, enum verdict verdict);
static enum need serve_operation(struct exchange *x);

/* Look for the login, in the header or where it was found instead. */
static enum need
begin_login(struct exchange *x)
{
	if (x->rq.authorization != NULL && x->cx->conf->require_tls &&
	    !x->rq.secure) {
		reply_fault(&x->reply, FAULT_FORBIDDEN,
		    "Logins are taken over TLS only.");
		return NEED_NOTHING;
	}
	x->stage = STAGE_LOGIN;
	return serve_turn(x, VERDICT_NONE);
}

/* Whether the body is of the type that the operation takes. */
static bool
body_fits(struct exchange *x)
{
	if (x->op->takes == MEDIA_NONE ||
	    media_is(x->rq.content_type, x->op->takes))
		return true;
	reply_fault(&x->reply, FAULT_MEDIA_TYPE,
	    "The body must be %s.", media_name(x->op->takes));
	return false;
}

/*
 * request -> route -> auth -> operation: each lets the request pass or has
 * filled the reply.
 */
enum need
serve_begin(struct exchange *x, char *const *envp, const char *body,
    size_t len)
{
	if (request_parse(&x->rq, envp, body, len, x->cx->conf,
	    &x->reply) == -1)
		return NEED_NOTHING;
	if (route_find(x) == -1)
		return NEED_NOTHING;
	if (len > BODY_MAX) {	/* no operation has it all in memory */
		reply_fault(&x->reply, FAULT_TOO_LARGE,
		    "The body is larger than %zu bytes.", BODY_MAX);
		return NEED_NOTHING;
	}
	if (x->op->roles[0] == ROLE_NONE)
		return serve_operation(x);
	if (x->op->takes == MEDIA_FORM &&
	    (!body_fits(x) || body_login(x) == -1))
		return NEED_NOTHING;
	return begin_login(x);
}

enum need
serve_authorize(struct exchange *x, char *const *envp)
{
	x->authorizer = true;
	x->op = &verify;
	if (request_parse_login(&x->rq, envp, x->cx->conf, &x->reply) == -1)
		return NEED_NOTHING;
	return begin_login(x);
}

/* Who asks is known: may they, and do we speak the same language? */
static enum need
serve_operation(struct exchange *x)
{
	const struct operation *op = x->op;
	unsigned int roles = op->roles[x->cx->conf->api_profile];

	x->stage = STAGE_OPERATION;
	if (roles != ROLE_ANY && roles != ROLE_NONE &&
	    (x->login.roles & roles) == 0) {
		reply_fault(&x->reply, FAULT_FORBIDDEN, "Access is denied.");
		return NEED_NOTHING;
	}
	if (!body_fits(x))
		return NEED_NOTHING;
	if (!media_accepted(x->rq.accept, op->gives)) {
		reply_fault(&x->reply, FAULT_NOT_ACCEPTABLE,
		    "The answer is %s.", media_name(op->gives));
		return NEED_NOTHING;
	}
	return op->parse(x);
}

/*
 * Too many logins failed for this one to be looked at.  Who asks on behalf of
 * somebody else is told no: nginx knows no other answer to auth_request.
 */
static void
refuse_to_look(struct exchange *x)
{
	if (x->op->roles[x->cx->conf->api_profile] == ROLE_DEVICE)
		reply_fault(&x->reply, FAULT_UNAUTHORIZED, BAD_CREDENTIALS);
	else
		reply_fault(&x->reply, FAULT_TOO_MANY,
		    "Too many logins have failed; try again later.");
	reply_retry_after(&x->reply, x->login_try.wait);
}

static enum need
serve_login(struct exchange *x, enum verdict verdict)
{
	buf_free(&x->login_try.text);
	switch (verdict) {
	case VERDICT_YES:
		return serve_operation(x);
	case VERDICT_NO:
		reply_fault(&x->reply, FAULT_UNAUTHORIZED, BAD_CREDENTIALS);
		break;
	case VERDICT_WAIT:
		refuse_to_look(x);
		break;
	case VERDICT_ABSENT:
		reply_fault(&x->reply, FAULT_UNAUTHORIZED,
		    "A login is needed: Basic, tenant/user and password.");
		break;
	case VERDICT_MALFORMED:
		reply_fault(&x->reply, FAULT_BAD_REQUEST,
		    "The Authorization header is not one Basic login.");
		break;
	default:
		reply_unavailable(&x->reply);
		break;
	}
	return NEED_NOTHING;
}

enum need
serve_rows(struct exchange *x, enum db_status status,
    const struct db_rows *rows, int row)
{
	enum verdict verdict;

	store_call_free(&x->call);
	if (x->stage == STAGE_LOGIN) {
		verdict = auth_rows(x, status, rows);
		if (verdict == VERDICT_RECORD)
			return NEED_CALL;
		return verdict == VERDICT_NONE ? NEED_HASH :
		    serve_login(x, verdict);
	}
	if (status == DB_REFUSED) {
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "A field holds what cannot be stored.");
		return NEED_NOTHING;
	}
	if (status != DB_OK) {
		if (x->op->unanswered != NULL)
			x->op->unanswered(x);
		else
			reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	return x->op->render(x, rows, row);
}

enum need
serve_hashed(struct exchange *x, bool match)
{
	enum verdict verdict = auth_hashed(x, match);

	return verdict == VERDICT_RECORD ? NEED_CALL : serve_login(x, verdict);
}

enum need
serve_turn(struct exchange *x, enum verdict verdict)
{
	bool wait;

	if (verdict == VERDICT_NONE) {
		verdict = auth_begin(x, &wait);
		if (wait)
			return NEED_TURN;
		if (verdict == VERDICT_NONE)
			return NEED_CALL;
	}
	return serve_login(x, verdict);
}

enum need
serve_give_up(struct exchange *x)
{
	auth_forget(x, VERDICT_LATER);
	reply_unavailable(&x->reply);
	return NEED_NOTHING;
}

/* How it ended; the web server has a line for each: this is for debugging. */
static void
log_answer(const struct exchange *x)
{
	enum log_level level = x->reply.status >= 500 ? log_seldom() :
	    LOG_LEVEL_DEBUG;
	char status[16];

	if (!log_wants(level))
		return;
	snprintf(status, sizeof(status), "%d", x->reply.status);
	log_event(level, "answered", "operation",
	    x->op != NULL ? x->op->name : NULL, "login",
	    x->login.actor[0] != '\0' ? x->login.actor : NULL, "status",
	    status, "request", x->request, NULL);
}

const struct reply *
serve_reply(struct exchange *x)
{
	if (x->op != NULL && x->op->translate != NULL)
		x->op->translate(x);
	metrics_request(route_number(x->op), x->reply.status,
	    clock_us() - x->started);
	log_answer(x);
	return &x->reply;
}

struct exchange *
exchange_new(const struct context *cx)
{
	struct exchange *x;

	/* not calloc(): most of it is room for names that are rarely long */
	if ((x = malloc(sizeof(*x))) == NULL)
		return NULL;
	x->cx = cx;
	x->started = clock_us();
	x->op = NULL;
	x->stage = STAGE_LOGIN;
	x->authorizer = false;
	x->login.tenant[0] = '\0';
	x->login.actor[0] = '\0';
	x->login.roles = 0;
	memset(&x->login_try, 0, offsetof(struct login_try, found));
	x->login_try.exists = false;
	memset(&x->rq, 0, sizeof(x->rq));
	x->request[0] = '\0';
	store_call_init(&x->call, STORE_MAX);
	reply_init(&x->reply);
	x->id[0] = '\0';
	memset(&x->issuing, 0, sizeof(x->issuing));
	buf_init(&x->issuing.sealed, 0);
	x->owner = NULL;
	x->need = NEED_NOTHING;
	x->tries = 0;
	x->slot = -1;
	x->alone = false;
	return x;
}

void
exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	request_free(&x->rq);
	buf_free(&x->login_try.text);
	store_call_free(&x->call);
	reply_free(&x->reply);
	secret_wipe(&x->issuing.password, sizeof(x->issuing.password));
	buf_free(&x->issuing.sealed);
	secret_wipe(x->login_try.hash, sizeof(x->login_try.hash));
	free(x);
}
