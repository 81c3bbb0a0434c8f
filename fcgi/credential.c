/*
 * credential: what devices poll for.
 *
 * Most polls change nothing: a look answers them, many with one statement.
 * Those that do (the first one, and the one after acceptance) go on to the
 * function that decides, records and issues.
 */
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "credential.h"
#include "route.h"

enum need
credential_claim(struct exchange *x, const unsigned char *token)
{
	struct store_claim *claim = &x->call.claim;

	store_call_init(&x->call, STORE_CREDENTIAL_LOOK);
	claim->id = x->id;
	claim->scope = x->login.tenant;
	claim->actor = x->login.actor;
	claim->source = x->rq.source[0] != '\0' ? x->rq.source : NULL;
	claim->token = token;
	return NEED_CALL;
}

static enum need
issue_parse(struct exchange *x)
{
	struct repr *obj;
	const char *token;
	int rc;

	if ((obj = body_parse(x)) == NULL)
		return NEED_NOTHING;
	if (body_id(x, obj) == -1) {
		repr_free(obj);
		return NEED_NOTHING;
	}
	rc = body_token(x, obj, x->id, &token);
	repr_free(obj);
	if (rc == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	return credential_claim(x, token != NULL ? x->token : NULL);
}

static enum need
add_retry_after(struct exchange *x)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%ld", x->cx->conf->retry_after);
	reply_header(&x->reply, "Retry-After", seconds);
	return NEED_NOTHING;
}

/* "Not yet", in the words that clients look for. */
static enum need
reply_not_yet(struct exchange *x, const char *status)
{
	if (!x->cx->conf->poll_detail)
		reply_fault(&x->reply, FAULT_NOT_FOUND,
		    "There is no newDeviceRequest for device id %s, or it is "
		    "still PENDING_ACCEPTANCE.", x->id);
	else if (status == NULL)
		reply_fault(&x->reply, FAULT_NOT_FOUND,
		    "There is no newDeviceRequest for device id %s.", x->id);
	else
		reply_fault(&x->reply, FAULT_NOT_FOUND,
		    "Credentials for device id %s are not available. Device "
		    "is in state %s, (not ACCEPTED).", x->id, status);
	return add_retry_after(x);
}

static enum need
reply_other_token(struct exchange *x)
{
	if (!x->cx->conf->poll_detail)
		return reply_not_yet(x, NULL);
	reply_fault(&x->reply, FAULT_NOT_FOUND,
	    "Credentials for device id %s are not available. The security "
	    "token is not the one of the first request.", x->id);
	return add_retry_after(x);
}

/* The look could not settle it: ask the function that decides. */
static enum need
go_on(struct exchange *x)
{
	struct store_claim *claim = &x->call.claim;

	if (secret_password_make(&x->password) == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	x->call.id = STORE_CREDENTIAL_ISSUE;
	claim->salt = x->password.salt;
	claim->hash = x->password.hash;
	return NEED_CALL;
}

/* Columns of credential_look: n, status, settled. */
static enum need
look_render(struct exchange *x, const struct db_rows *rows, int row)
{
	const char *status;

	if (row == -1)
		return reply_not_yet(x, NULL);
	if (!db_true(rows, row, 2))
		return go_on(x);
	status = db_text(rows, row, 1);
	return strcmp(status, request_status_name(ACCEPTED)) == 0 ?
	    reply_other_token(x) : reply_not_yet(x, status);
}

/* Columns of credential_issue: n, outcome, status, tenant, properties. */
enum need
credential_render(struct exchange *x, const struct db_rows *rows, int row,
    credential_writer *write)
{
	if (x->call.id == STORE_CREDENTIAL_LOOK)
		return look_render(x, rows, row);
	if (row == -1)
		return reply_not_yet(x, NULL);
	switch (store_outcome(rows, row, 1)) {
	case OUTCOME_OK:
		write(x, db_text(rows, row, 3), db_text(rows, row, 4));
		reply_header(&x->reply, "Cache-Control", "no-store");
		return NEED_NOTHING;
	case OUTCOME_ABSENT:
		return reply_not_yet(x, NULL);
	case OUTCOME_TOKEN_MISMATCH:
		return reply_other_token(x);
	case OUTCOME_WRONG_STATE:
		return reply_not_yet(x, db_text(rows, row, 2));
	default:
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
}

static void
write_json(struct exchange *x, const char *tenant, const char *properties)
{
	repr_credentials(reply_start(&x->reply, 201, MEDIA_CREDENTIALS), x->id,
	    tenant, x->password.text, properties, buf_text(&x->rq.base));
}

static enum need
issue_render(struct exchange *x, const struct db_rows *rows, int row)
{
	return credential_render(x, rows, row, write_json);
}

const struct operation credential_issue = {
	"credential_issue", "POST", "/devicecontrol/deviceCredentials",
	{ ROLE_DEVICE_BOOTSTRAP, ROLE_DEVICE_BOOTSTRAP },
	MEDIA_CREDENTIALS, MEDIA_CREDENTIALS, issue_parse, issue_render,
	NULL, NULL
};
