/*
 * life: what administrators do with credentials that were issued.  The
 * reference has nothing of the kind, so all of it is under /devcred.
 */
#include <string.h>

#include "body.h"
#include "page.h"
#include "repr.h"
#include "route.h"

static bool
is_status(const char *word)
{
	return strcmp(word, "ACTIVE") == 0 || strcmp(word, "DISABLED") == 0 ||
	    strcmp(word, "EXPIRED") == 0;
}

static const struct page_kind kind = { "/devcred/credentials", "credentials",
	is_status };

/*
 * Start a call about the device in the path: who asks, from where, for which
 * tenant (users of the management tenant may have to say).
 */
static int
call_init(struct exchange *x, enum store_id id, bool changes)
{
	struct buf tenant;
	int rc = 0;

	store_call_init(&x->call, id);
	store_add(&x->call, x->login.tenant);
	if (changes) {
		store_add(&x->call, x->login.actor);
		store_add(&x->call,
		    x->rq.source[0] != '\0' ? x->rq.source : NULL);
	}
	buf_init(&tenant, 0);
	if (request_query(&x->rq, "tenant", &tenant) == QUERY_BAD) {
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "Parameter tenant has a value it cannot have.");
		rc = -1;
	}
	store_add(&x->call, tenant.len > 0 ? buf_text(&tenant) : NULL);
	store_add(&x->call, x->rq.id);
	buf_free(&tenant);
	return rc;
}

/* The credential as it now is; password if it has just been made. */
static void
reply_credential(struct exchange *x, const struct db_rows *rows,
    const char *password)
{
	struct credential c;

	store_credential(rows, 0, 0, &c);
	repr_issued(reply_start(&x->reply, 200, MEDIA_JSON), &c, password,
	    buf_text(&x->rq.base));
}

/* Whether there is one; else the reply is filled. */
static bool
is_there(struct exchange *x, int row)
{
	if (row == -1)
		reply_fault(&x->reply, FAULT_NOT_FOUND,
		    "There is no credential of device %s.", x->rq.id);
	return row != -1;
}

static enum need
told_render(struct exchange *x, const struct db_rows *rows, int row)
{
	if (is_there(x, row))
		reply_credential(x, rows, NULL);
	return NEED_NOTHING;
}

static enum need
gone_render(struct exchange *x, const struct db_rows *rows, int row)
{
	(void)rows;
	if (is_there(x, row))
		reply_start(&x->reply, 204, MEDIA_NONE);
	return NEED_NOTHING;
}

#define REGISTRATION	16	/* column of credential_list */

/* GET /devcred/credentials ------------------------------------------------ */

static enum need
list_parse(struct exchange *x)
{
	struct page page;
	int rc = page_read(&page, &x->rq, &kind, &x->reply);

	store_call_init(&x->call, STORE_CREDENTIAL_LIST);
	store_add(&x->call, x->login.tenant);
	page_call(&page, &kind, x->login.tenant, true, &x->call);
	page_free(&page);
	return rc == 0 ? exchange_call(x) : NEED_NOTHING;
}

static enum need
list_render(struct exchange *x, const struct db_rows *rows, int row)
{
	const char *base = buf_text(&x->rq.base);
	struct credential c;
	struct page page;
	struct buf *out;
	long n;
	int i;

	/* list_parse() has found nothing wrong with it */
	if (row == -1 ||
	    page_read(&page, &x->rq, &kind, &x->reply) == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	/* an empty page is one row without a credential */
	n = db_text(rows, 0, 1) == NULL ? 0 : rows->n;
	out = reply_start(&x->reply, 200, MEDIA_JSON);
	page_begin(&page, out, base, &kind, rows, n, REGISTRATION);
	for (i = 0; i < n && i < page.size; i++) {
		if (i > 0)
			buf_putc(out, ',');
		store_credential(rows, i, 1, &c);
		repr_issued(out, &c, NULL, base);
	}
	page_end(&page, &kind, x->login.tenant, out, rows);
	page_free(&page);
	return NEED_NOTHING;
}

const struct operation credential_list = {
	"credential_list", "GET", "/devcred/credentials",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, list_parse, list_render, NULL, NULL, NULL
};

/* GET, PUT, DELETE /devcred/credentials/{id} ------------------------------ */

static enum need
get_parse(struct exchange *x)
{
	return call_init(x, STORE_CREDENTIAL_GET, false) == 0 ?
	    exchange_call(x) : NEED_NOTHING;
}

const struct operation credential_get = {
	"credential_get", "GET", "/devcred/credentials/{id}",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, get_parse, told_render, NULL, NULL, NULL
};

/* Whether it is a time of ISO 8601 with date, time and zone. */
static bool
is_time(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	static const char zone[] = "+dd:dd";
	size_t i;

	for (i = 0; form[i] != '\0'; i++, s++)
		if (form[i] == 'd' ? *s < '0' || *s > '9' : *s != form[i])
			return false;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if (strcmp(s, "Z") == 0)
		return true;
	for (i = 0; zone[i] != '\0'; i++, s++)
		if (zone[i] == 'd' ? *s < '0' || *s > '9' :
		    *s != zone[i] && !(i == 0 && *s == '-'))
			return false;
	return *s == '\0';
}

static enum need
update_parse(struct exchange *x)
{
	struct repr *obj;
	const char *status;
	const char *expires;
	enum need need = NEED_NOTHING;

	if ((obj = body_parse(x)) == NULL)
		return NEED_NOTHING;
	repr_string(obj, "status", &status);
	if (repr_has(obj, "expires") == (status != NULL))
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "One of these fields should be included: status, expires");
	else if (status == NULL) {
		if (repr_string(obj, "expires", &expires) == REPR_WRONG ||
		    (expires != NULL && !is_time(expires)))
			reply_fault(&x->reply, FAULT_VALIDATION, "Field "
			    "expires must be null or a time such as "
			    "2027-01-01T00:00:00Z.");
		else if (call_init(x, STORE_CREDENTIAL_EXPIRE, true) == 0) {
			store_add(&x->call, expires);
			need = exchange_call(x);
		}
	} else if (strcmp(status, "ACTIVE") != 0 &&
	    strcmp(status, "DISABLED") != 0)
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "The status can be set to ACTIVE or DISABLED.");
	else if (call_init(x, STORE_CREDENTIAL_DISABLE, true) == 0) {
		store_add(&x->call, strcmp(status, "DISABLED") == 0 ? "t" :
		    "f");
		need = exchange_call(x);
	}
	repr_free(obj);
	return need;
}

const struct operation credential_update = {
	"credential_update", "PUT", "/devcred/credentials/{id}",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_JSON, MEDIA_JSON, update_parse, told_render, NULL, NULL, NULL
};

static enum need
revoke_parse(struct exchange *x)
{
	return call_init(x, STORE_CREDENTIAL_REVOKE, true) == 0 ?
	    exchange_call(x) : NEED_NOTHING;
}

const struct operation credential_revoke = {
	"credential_revoke", "DELETE", "/devcred/credentials/{id}",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_NONE, revoke_parse, gone_render, NULL, NULL, NULL
};

/* POST /devcred/credentials/{id}/... --------------------------------------- */

static enum need
rotate_parse(struct exchange *x)
{
	struct secret_password *pw = &x->issuing.password;
	char *crypt_hash = x->issuing.crypt_hash;
	long cost = x->cx->conf->crypt_cost;

	if (call_init(x, STORE_CREDENTIAL_ROTATE, true) == -1)
		return NEED_NOTHING;
	if (secret_password_make(pw) == -1 || (cost > 0 &&
	    secret_crypt_hash(cost, pw->text, crypt_hash) == -1)) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	store_add_salt(&x->call, pw->salt);
	store_add_digest(&x->call, pw->hash);
	store_add_num(&x->call, x->cx->conf->rotation_overlap);
	store_add(&x->call, cost > 0 ? crypt_hash : NULL);
	return exchange_call(x);
}

static enum need
rotate_render(struct exchange *x, const struct db_rows *rows, int row)
{
	if (is_there(x, row)) {
		reply_credential(x, rows, x->issuing.password.text);
		reply_header(&x->reply, "Cache-Control", "no-store");
	}
	return NEED_NOTHING;
}

const struct operation credential_rotate = {
	"credential_rotate", "POST",
	"/devcred/credentials/{id}/rotate",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, rotate_parse, rotate_render, NULL, NULL, NULL
};

static enum need
reopen_parse(struct exchange *x)
{
	if (call_init(x, STORE_CREDENTIAL_REOPEN, true) == -1)
		return NEED_NOTHING;
	store_add_num(&x->call, x->cx->conf->delivery_window);
	return exchange_call(x);
}

static enum need
reopen_render(struct exchange *x, const struct db_rows *rows, int row)
{
	if (!is_there(x, row))
		return NEED_NOTHING;
	if (store_outcome(rows, 0, 0) == OUTCOME_OK)
		reply_credential(x, rows, NULL);
	else
		reply_fault(&x->reply, FAULT_UNPROCESSABLE, "Device %s did "
		    "not get its password by asking, or is disabled: there "
		    "is nothing to deliver again.", x->rq.id);
	return NEED_NOTHING;
}

const struct operation credential_reopen = {
	"credential_reopen", "POST",
	"/devcred/credentials/{id}/reopen",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, reopen_parse, reopen_render, NULL, NULL, NULL
};

static enum need
decommission_parse(struct exchange *x)
{
	return call_init(x, STORE_CREDENTIAL_DECOMMISSION, true) == 0 ?
	    exchange_call(x) : NEED_NOTHING;
}

const struct operation credential_decommission = {
	"credential_decommission", "POST",
	"/devcred/credentials/{id}/decommission",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_NONE, decommission_parse, gone_render, NULL, NULL,
	NULL
};

/* GET /devcred/newDeviceRequests/{id}/claims ------------------------------- */

static enum need
claims_parse(struct exchange *x)
{
	store_call_init(&x->call, STORE_NEWDEVICE_CLAIMS);
	store_add(&x->call, x->login.tenant);
	store_add(&x->call, x->rq.id);
	return exchange_call(x);
}

/* Columns of newdevice_claims: claimed, source, agent, has_token, actor. */
static enum need
claims_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct buf *out = reply_start(&x->reply, 200, MEDIA_JSON);
	int i;

	(void)row;
	buf_puts(out, "{\"claims\":[");
	for (i = 0; i < rows->n; i++)
		repr_claim(out, i > 0, db_text(rows, i, 0),
		    db_text(rows, i, 1), db_text(rows, i, 2),
		    db_true(rows, i, 3), db_text(rows, i, 4));
	buf_puts(out, "]}");
	return NEED_NOTHING;
}

const struct operation newdevice_claims = {
	"newdevice_claims", "GET", "/devcred/newDeviceRequests/{id}/claims",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, claims_parse, claims_render, NULL, NULL, NULL
};
