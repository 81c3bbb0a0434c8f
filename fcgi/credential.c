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
#include "log.h"
#include "metrics.h"
#include "pace.h"
#include "route.h"
#include "text.h"

#define LOOKS_MAX	3	/* of one poll */
#define OTHER_TOKEN	"is not the one of the first request"
#define SEALED_SIZE	(PASSWORD_CHARS + SEAL_EXTRA)

/* Who asks: what of that can be seen, in one digest. */
static int
claimant_digest(struct exchange *x, const unsigned char *token)
{
	unsigned char digest[DIGEST_SIZE];
	struct buf text;
	int rc = -1;

	buf_init(&text, 0);
	buf_puts(&text, x->login.actor);
	buf_putc(&text, '\n');
	buf_puts(&text, x->rq.source);
	buf_putc(&text, '\n');
	buf_puts(&text, x->rq.agent);
	buf_putc(&text, '\n');
	if (token != NULL)
		buf_add(&text, token, DIGEST_SIZE);
	if (buf_ok(&text) &&
	    secret_digest(buf_text(&text), text.len, digest) == 0) {
		memcpy(x->issuing.claimant, digest, CLAIMANT_SIZE);
		rc = 0;
	}
	buf_free(&text);
	return rc;
}

enum need
credential_claim(struct exchange *x, const unsigned char *token)
{
	const struct conf *conf = x->cx->conf;
	struct store_claim *claim = &x->call.claim;

	if (claimant_digest(x, token) == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	store_call_init(&x->call, STORE_CREDENTIAL_LOOK);
	claim->id = x->id;
	claim->scope = x->login.tenant;
	claim->actor = x->login.actor;
	claim->source = x->rq.source[0] != '\0' ? x->rq.source : NULL;
	claim->agent = x->rq.agent[0] != '\0' ? x->rq.agent : NULL;
	claim->token = token;
	claim->claimant = x->issuing.claimant;
	claim->request = x->request;
	claim->window = conf->delivery_window;
	claim->limit = conf->delivery_limit;
	claim->source_must_match = conf->delivery_source == SOURCE_ENFORCE;
	claim->keys = keyring_ids(x->cx->keyring);
	return NEED_CALL;
}

static enum need
issue_parse(struct exchange *x)
{
	struct repr *obj;
	const char *token;
	int rc;

	if (body_id_alone(x))
		return credential_claim(x, NULL);
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
	reply_retry_after(&x->reply, pace_wait(x->cx->pace, x->cx->conf));
	return NEED_NOTHING;
}

/* "Not yet", in the words that clients look for. */
static enum need
refuse(struct exchange *x, const char *status)
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
reply_not_yet(struct exchange *x, const char *status)
{
	metrics_poll(status == NULL ? POLL_NOT_FOUND :
	    request_status_of(status) == BLOCKED ? POLL_BLOCKED :
	    POLL_PENDING);
	return refuse(x, status);
}

static enum need
reply_other_token(struct exchange *x, const char *what)
{
	metrics_poll(POLL_TOKEN_MISMATCH);
	if (!x->cx->conf->poll_detail)
		return refuse(x, NULL);
	reply_fault(&x->reply, FAULT_NOT_FOUND,
	    "Credentials for device id %s are not available. The security "
	    "token %s.", x->id, what);
	return add_retry_after(x);
}

/* Seal the password that may be issued, if it is to be delivered again. */
static int
seal(struct exchange *x)
{
	struct issuing *is = &x->issuing;
	struct store_claim *claim = &x->call.claim;
	struct keyring *ring = x->cx->keyring;
	const char *key;

	claim->seal_key = NULL;
	if (ring == NULL || x->cx->conf->delivery_window == 0)
		return 0;
	key = keyring_current(ring);
	buf_reset(&is->sealed);
	if (str_copy(is->seal_key, sizeof(is->seal_key), key, strlen(key)) ==
	    -1 || keyring_seal(ring, is->tenant, x->id, is->generation,
	    is->password.text, &is->sealed) == -1)
		return -1;
	claim->seal_key = is->seal_key;
	claim->sealed = &is->sealed;
	return 0;
}

/* A password, should it come to issuing one: for this tenant and generation. */
static int
make_password(struct exchange *x, const char *tenant, long generation)
{
	struct issuing *is = &x->issuing;
	struct store_claim *claim = &x->call.claim;
	long cost = x->cx->conf->crypt_cost;

	is->generation = generation;
	if (str_copy(is->tenant, sizeof(is->tenant), tenant, strlen(tenant)) ==
	    -1 || secret_password_make(&is->password) == -1 ||
	    seal(x) == -1 || (cost > 0 && secret_crypt_hash(cost,
	    is->password.text, is->crypt_hash) == -1))
		return -1;
	claim->tenant = is->tenant;
	claim->generation = generation;
	claim->salt = is->password.salt;
	claim->hash = is->password.hash;
	claim->crypt_hash = cost > 0 ? is->crypt_hash : NULL;
	return 0;
}

/* The look could not settle it: ask the function that decides. */
static enum need
go_on(struct exchange *x, const char *tenant, long generation)
{
	if (tenant != NULL && make_password(x, tenant, generation) == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	x->call.id = STORE_CREDENTIAL_ISSUE;
	return NEED_CALL;
}

/* Columns of credential_look: n, status, settled, tenant, generation. */
static enum need
look_render(struct exchange *x, const struct db_rows *rows, int row)
{
	const char *status;

	if (row == -1)
		return reply_not_yet(x, NULL);
	if (!db_true(rows, row, 2))
		return go_on(x, db_text(rows, row, 3), db_num(rows, row, 4));
	status = db_text(rows, row, 1);
	return status != NULL &&
	    strcmp(status, request_status_name(ACCEPTED)) == 0 ?
	    reply_other_token(x, OTHER_TOKEN ", or too many wrong ones were "
	    "given for it to be looked at now") : reply_not_yet(x, status);
}

/* Columns of credential_issue. */
enum { ISSUE_OUTCOME = 1, ISSUE_STATUS, ISSUE_TENANT, ISSUE_PROPERTIES,
	ISSUE_GENERATION, ISSUE_SEAL_KEY, ISSUE_SEALED, ISSUE_OTHER_SOURCE };

/* Bring back a password that was issued before; -1 if it cannot be. */
static int
unseal(struct exchange *x, const struct db_rows *rows, int row)
{
	unsigned char sealed[SEALED_SIZE];
	const char *key = db_text(rows, row, ISSUE_SEAL_KEY);

	if (x->cx->conf->delivery_source == SOURCE_LOG &&
	    db_true(rows, row, ISSUE_OTHER_SOURCE))
		log_event(LOG_LEVEL_WARNING, "delivered_elsewhere", "device",
		    x->id, "source", x->rq.source, "request", x->request,
		    NULL);
	if (x->cx->keyring != NULL &&
	    db_bytes(rows, row, ISSUE_SEALED, sealed, sizeof(sealed)) == 0 &&
	    keyring_unseal(x->cx->keyring, key, db_text(rows, row,
	    ISSUE_TENANT), x->id, db_num(rows, row, ISSUE_GENERATION), sealed,
	    sizeof(sealed), x->issuing.password.text,
	    sizeof(x->issuing.password.text)) == 0)
		return 0;
	log_event(LOG_LEVEL_ERROR, "seal_not_opened", "key", key, "request",
	    x->request, NULL);
	return -1;
}

static enum need
hand_over(struct exchange *x, const struct db_rows *rows, int row,
    credential_writer *write, enum metrics_poll poll)
{
	write(x, db_text(rows, row, ISSUE_TENANT),
	    db_text(rows, row, ISSUE_PROPERTIES));
	reply_header(&x->reply, "Cache-Control", "no-store");
	metrics_poll(poll);
	return NEED_NOTHING;
}

/* It is not what the look said any more: look again, but not for ever. */
static enum need
look_again(struct exchange *x)
{
	if (++x->issuing.looks < LOOKS_MAX)
		return credential_claim(x, x->call.claim.token);
	reply_unavailable(&x->reply);
	return NEED_NOTHING;
}

enum need
credential_render(struct exchange *x, const struct db_rows *rows, int row,
    credential_writer *write)
{
	const char *status;

	if (x->call.id == STORE_CREDENTIAL_LOOK)
		return look_render(x, rows, row);
	if (row == -1)
		return reply_not_yet(x, NULL);
	switch (store_outcome(rows, row, ISSUE_OUTCOME)) {
	case OUTCOME_OK:
		return hand_over(x, rows, row, write, POLL_ISSUED);
	case OUTCOME_REDELIVERED:
		if (unseal(x, rows, row) == 0)
			return hand_over(x, rows, row, write,
			    POLL_REDELIVERED);
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	case OUTCOME_ABSENT:
		return reply_not_yet(x, NULL);
	case OUTCOME_TOKEN_MISMATCH:
		return reply_other_token(x, OTHER_TOKEN);
	case OUTCOME_WRONG_STATE:
		status = db_text(rows, row, ISSUE_STATUS);
		return strcmp(status, request_status_name(ACCEPTED)) == 0 ?
		    look_again(x) : reply_not_yet(x, status);
	default:
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
}

static void
write_json(struct exchange *x, const char *tenant, const char *properties)
{
	repr_credentials(reply_start(&x->reply, 201, MEDIA_CREDENTIALS), x->id,
	    tenant, x->issuing.password.text, properties,
	    buf_text(&x->rq.base));
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
	NULL, NULL, NULL
};
