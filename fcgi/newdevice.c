/*
 * newdevice: new device requests, as the reference describes them.
 */
#include <string.h>

#include "body.h"
#include "repr.h"
#include "route.h"
#include "text.h"

#define LOCATION_MAX	8000	/* bytes */

/* Fill the reply with a request; without an Accept header, with no body. */
static void
reply_newdevice(struct exchange *x, int status, const struct newdevice *nd,
    bool always_body)
{
	if (!always_body && x->rq.accept == NULL) {
		reply_start(&x->reply, status, MEDIA_NONE);
		return;
	}
	repr_newdevice(reply_start(&x->reply, status, MEDIA_NEWDEVICE), nd,
	    NULL, buf_text(&x->rq.base));
}

static enum need
reply_absent(struct exchange *x)
{
	reply_fault(&x->reply, FAULT_NOT_FOUND,
	    "Could not find newDeviceRequest by ID %s", x->rq.id);
	return NEED_NOTHING;
}

/* Start a call with who asks: tenant; for the records also who, whence. */
static void
call_init(struct exchange *x, enum store_id id, bool recorded)
{
	store_call_init(&x->call, id);
	store_add(&x->call, x->login.tenant);
	if (!recorded)
		return;
	store_add(&x->call, x->login.actor);
	store_add(&x->call, x->rq.source[0] != '\0' ? x->rq.source : NULL);
}

/* POST /devicecontrol/newDeviceRequests ---------------------------------- */

static enum need
create_parse(struct exchange *x)
{
	struct repr *obj;
	const char *tenant;
	const char *group;
	const char *type;
	const char *props;

	if ((obj = body_parse(x)) == NULL)
		return NEED_NOTHING;
	if (body_id(x, obj) == -1) {
		repr_free(obj);
		return NEED_NOTHING;
	}
	/* body_parse() has looked at their types */
	repr_string(obj, "tenantId", &tenant);
	repr_string(obj, "groupId", &group);
	repr_string(obj, "type", &type);
	repr_object(obj, "customProperties", &props);
	call_init(x, STORE_NEWDEVICE_CREATE, true);
	store_add(&x->call, x->id);
	store_add(&x->call, tenant);
	store_add(&x->call, group);
	store_add(&x->call, type);
	store_add(&x->call, props);
	repr_free(obj);
	return exchange_call(x);
}

static enum need
create_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct newdevice nd;
	struct buf location;

	if (row == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	store_newdevice(rows, row, &nd);
	switch (store_outcome(rows, row, 0)) {
	case OUTCOME_OK:
		break;
	case OUTCOME_EXISTS:
		reply_fault(&x->reply, FAULT_NOT_UNIQUE,
		    "NewDeviceRequest for id = %s already exists.", nd.id);
		return NEED_NOTHING;
	case OUTCOME_NO_TENANT:
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "Tenant %s does not exist.", nd.tenant);
		return NEED_NOTHING;
	case OUTCOME_LIMIT_REACHED:
		reply_fault(&x->reply, FAULT_UNPROCESSABLE,
		    "Tenant %s has as many new device requests as it may have.",
		    nd.tenant);
		return NEED_NOTHING;
	default:
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	reply_newdevice(x, 201, &nd, false);
	buf_init(&location, 0);
	buf_printf(&location, "%s/devicecontrol/newDeviceRequests/",
	    buf_text(&x->rq.base));
	percent_encode(&location, nd.id);
	/* Apache answers 500 to a longer line; self in the body has it all */
	if (location.len <= LOCATION_MAX)
		reply_header(&x->reply, "Location", buf_text(&location));
	buf_free(&location);
	return NEED_NOTHING;
}

const struct operation newdevice_create = {
	"newdevice_create", "POST", "/devicecontrol/newDeviceRequests",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NEWDEVICE, MEDIA_NEWDEVICE, create_parse, create_render,
	NULL, NULL, NULL
};

/* GET /devicecontrol/newDeviceRequests/{id} ------------------------------ */

static enum need
get_parse(struct exchange *x)
{
	call_init(x, STORE_NEWDEVICE_GET, false);
	store_add(&x->call, x->rq.id);
	return exchange_call(x);
}

static enum need
get_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct newdevice nd;

	if (row == -1)
		return reply_absent(x);
	store_newdevice(rows, row, &nd);
	reply_newdevice(x, 200, &nd, true);
	return NEED_NOTHING;
}

const struct operation newdevice_get = {
	"newdevice_get", "GET", "/devicecontrol/newDeviceRequests/{id}",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_NEWDEVICE, get_parse, get_render,
	NULL, NULL, NULL
};

/* PUT /devicecontrol/newDeviceRequests/{id} ------------------------------ */

static enum need
update_parse(struct exchange *x)
{
	struct repr *obj;
	const char *status;
	const char *type;
	const char *token;
	int rc;

	if ((obj = body_parse(x)) == NULL)
		return NEED_NOTHING;
	repr_string(obj, "type", &type);
	repr_string(obj, "status", &status);
	x->wanted = status != NULL ? request_status_of(status) :
	    REQUEST_STATUS_NONE;
	if (x->wanted == REQUEST_STATUS_NONE) {
		if (status == NULL)
			reply_fault(&x->reply, FAULT_VALIDATION, "Following "
			    "mandatory fields should be included: status");
		else
			reply_fault(&x->reply, FAULT_VALIDATION,
			    "There is no status %s.", status);
		repr_free(obj);
		return NEED_NOTHING;
	}
	rc = body_token(x, obj, x->rq.id, &token);
	call_init(x, STORE_NEWDEVICE_UPDATE, true);
	store_add(&x->call, x->rq.id);
	store_add(&x->call, status);
	store_add(&x->call, type);
	store_add_digest(&x->call, token != NULL ? x->token : NULL);
	store_add_num(&x->call, x->cx->conf->token_attempts);
	repr_free(obj);
	if (rc == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	return exchange_call(x);
}

/* A request that is not in the state that its new status needs. */
static void
wrong_state(struct buf *why, enum request_status wanted,
    const struct newdevice *nd)
{
	if (wanted == PENDING_ACCEPTANCE &&
	    strcmp(nd->status, request_status_name(BLOCKED)) == 0)
		buf_printf(why,
		    "No device has asked for device id %s yet: from BLOCKED "
		    "it goes to WAITING_FOR_CONNECTION.", nd->id);
	else
		buf_printf(why,
		    "NewDeviceRequest for device id %s is in state %s, not %s.",
		    nd->id, nd->status, request_status_name(
		    wanted == ACCEPTED ? PENDING_ACCEPTANCE : BLOCKED));
}

/* Why a request did not get the status wanted; -1 for reasons of our own. */
static int
refusal(struct buf *why, enum outcome outcome, enum request_status wanted,
    const struct newdevice *nd)
{
	switch (outcome) {
	case OUTCOME_WRONG_STATE:
		wrong_state(why, wanted, nd);
		return 0;
	case OUTCOME_LIMIT_REACHED:
		buf_puts(why, "You have reached devices limit. No more "
		    "devices can be registered.");
		return 0;
	case OUTCOME_DECOMMISSIONED:
		buf_printf(why, "Device %s was decommissioned: it is accepted "
		    "one by one only.", nd->id);
		return 0;
	case OUTCOME_TOKEN_MISMATCH:
	case OUTCOME_TOKEN_BLOCKED:
		buf_printf(why, "Provided security key does not match key "
		    "stored for device %s.", nd->id);
		if (outcome == OUTCOME_TOKEN_BLOCKED)
			buf_puts(why, " Reached maximum number of failed "
			    "attempts while trying to register this device. "
			    "Request is now BLOCKED.");
		return 0;
	default:
		return -1;
	}
}

static enum need
update_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct newdevice nd;
	enum outcome outcome;
	struct buf why;

	if (row == -1)
		return reply_absent(x);
	store_newdevice(rows, row, &nd);
	outcome = store_outcome(rows, row, 0);
	buf_init(&why, 0);
	if (outcome == OUTCOME_OK)
		reply_newdevice(x, 200, &nd, false);
	else if (refusal(&why, outcome, x->wanted, &nd) == 0)
		reply_fault(&x->reply, FAULT_UNPROCESSABLE, "%s",
		    buf_text(&why));
	else
		reply_unavailable(&x->reply);
	buf_free(&why);
	return NEED_NOTHING;
}

const struct operation newdevice_update = {
	"newdevice_update", "PUT", "/devicecontrol/newDeviceRequests/{id}",
	/* the reference asks for READ here; see doc/classic.md */
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NEWDEVICE, MEDIA_NEWDEVICE, update_parse, update_render,
	NULL, NULL, NULL
};

/* POST /devicecontrol/newDeviceRequests/acceptAll ------------------------ */

static enum need
accept_all_parse(struct exchange *x)
{
	call_init(x, STORE_NEWDEVICE_ACCEPT_ALL, true);
	return exchange_call(x);
}

static enum need
accept_all_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct buf *out = reply_start(&x->reply, 200, MEDIA_JSON);
	struct newdevice nd;
	enum outcome outcome;
	struct buf why;
	int i;

	(void)row;
	buf_init(&why, 0);
	buf_putc(out, '[');
	for (i = 0; i < rows->n; i++) {
		store_newdevice(rows, i, &nd);
		outcome = store_outcome(rows, i, 0);
		buf_puts(out, i > 0 ? ",{\"id\":" : "{\"id\":");
		json_quote(out, nd.id);
		buf_printf(out, ",\"successful\":%s",
		    outcome == OUTCOME_OK ? "true" : "false");
		buf_reset(&why);
		if (outcome != OUTCOME_OK &&
		    refusal(&why, outcome, ACCEPTED, &nd) == 0) {
			buf_puts(out, ",\"error\":");
			repr_error(out, reply_fault_name(FAULT_UNPROCESSABLE),
			    buf_text(&why));
		}
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
	buf_free(&why);
	return NEED_NOTHING;
}

const struct operation newdevice_accept_all = {
	"newdevice_accept_all", "POST",
	"/devicecontrol/newDeviceRequests/acceptAll",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, accept_all_parse, accept_all_render,
	NULL, NULL, NULL
};

/* GET /devicecontrol/newDeviceRequests/limit ----------------------------- */

static enum need
limit_parse(struct exchange *x)
{
	call_init(x, STORE_NEWDEVICE_LIMIT, false);
	return exchange_call(x);
}

/* Columns of newdevice_limit: device_limit, device_count. */
static enum need
limit_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct buf *out;

	if (row == -1) {	/* logged in a moment ago, and gone since */
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	out = reply_start(&x->reply, 200, MEDIA_JSON);
	if (db_text(rows, row, 0) != NULL &&
	    db_num(rows, row, 1) >= db_num(rows, row, 0))
		buf_printf(out, "{\"isReached\":true,\"limit\":%ld,"
		    "\"deviceCount\":%ld}", db_num(rows, row, 0),
		    db_num(rows, row, 1));
	else
		buf_puts(out, "{\"isReached\":false}");
	return NEED_NOTHING;
}

const struct operation newdevice_limit = {
	"newdevice_limit", "GET", "/devicecontrol/newDeviceRequests/limit",
	{ ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_READ | ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_JSON, limit_parse, limit_render,
	NULL, NULL, NULL
};

/* DELETE /devicecontrol/newDeviceRequests/{id} --------------------------- */

static enum need
delete_parse(struct exchange *x)
{
	call_init(x, STORE_NEWDEVICE_DELETE, true);
	store_add(&x->call, x->rq.id);
	return exchange_call(x);
}

static enum need
delete_render(struct exchange *x, const struct db_rows *rows, int row)
{
	(void)rows;
	if (row == -1)
		return reply_absent(x);
	reply_start(&x->reply,
	    x->cx->conf->api_profile == PROFILE_CURRENT ? 204 : 200,
	    MEDIA_NONE);
	return NEED_NOTHING;
}

const struct operation newdevice_delete = {
	"newdevice_delete", "DELETE", "/devicecontrol/newDeviceRequests/{id}",
	{ ROLE_DEVICE_CONTROL_ADMIN,
	  ROLE_DEVICE_CONTROL_ADMIN | ROLE_USER_MANAGEMENT_ADMIN },
	MEDIA_NONE, MEDIA_NONE, delete_parse, delete_render,
	NULL, NULL, NULL
};
