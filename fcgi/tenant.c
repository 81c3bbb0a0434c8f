/*
 * tenant: what a client may know of where and who it is.
 */
#include <string.h>

#include "body.h"
#include "repr.h"
#include "route.h"
#include "text.h"

static enum need
tenant_parse(struct exchange *x)
{
	store_call_init(&x->call, STORE_TENANT_GET);
	store_add(&x->call, x->login.tenant);
	return exchange_call(x);
}

/* Columns of tenant_get: domain_name, token_policy. */
static enum need
current_render(struct exchange *x, const struct db_rows *rows, int row)
{
	const char *domain;
	const char *host;
	struct buf *out;

	if (row == -1) {	/* logged in a moment ago, and gone since */
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	/* a tenant without a host name of its own is where it was asked for */
	host = strstr(buf_text(&x->rq.base), "://") + 3;
	domain = db_text(rows, row, 0);
	out = reply_start(&x->reply, 200, MEDIA_JSON);
	buf_puts(out, "{\"name\":");
	json_quote(out, x->login.tenant);
	buf_puts(out, ",\"domainName\":");
	json_quote(out, domain != NULL ? domain : host);
	buf_putc(out, '}');
	return NEED_NOTHING;
}

const struct operation tenant_current = {
	"tenant_current", "GET", "/tenant/currentTenant",
	{ ROLE_ANY, ROLE_ANY }, MEDIA_NONE, MEDIA_JSON,
	tenant_parse, current_render,
	NULL, NULL, NULL
};

static enum need
option_render(struct exchange *x, const struct db_rows *rows, int row)
{
	struct buf *out;

	if (row == -1) {
		reply_unavailable(&x->reply);
		return NEED_NOTHING;
	}
	out = reply_start(&x->reply, 200, MEDIA_JSON);
	buf_printf(out, "{\"category\":\"device-registration\",\"key\":"
	    "\"security-token.policy\",\"value\":\"%s\"}",
	    db_text(rows, row, 1));
	return NEED_NOTHING;
}

const struct operation tenant_option = {
	"tenant_option", "GET",
	"/tenant/options/device-registration/security-token.policy",
	{ ROLE_ANY, ROLE_ANY }, MEDIA_NONE, MEDIA_JSON,
	tenant_parse, option_render,
	NULL, NULL, NULL
};

/* Administrators set it for their tenant. */
static enum need
option_set_parse(struct exchange *x)
{
	static const char *const policies[] = { "IGNORED", "OPTIONAL",
		"REQUIRED" };
	enum need need = NEED_NOTHING;
	struct repr *obj;
	const char *value;
	size_t i;

	if ((obj = body_parse(x)) == NULL)
		return NEED_NOTHING;
	if (repr_string(obj, "value", &value) != REPR_FOUND)
		value = "";
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		if (strcmp(value, policies[i]) == 0)
			break;
	if (i == sizeof(policies) / sizeof(policies[0])) {
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "The value must be IGNORED, OPTIONAL or REQUIRED.");
	} else {
		store_call_init(&x->call, STORE_TENANT_OPTION_SET);
		store_add(&x->call, x->login.tenant);
		store_add(&x->call, x->login.actor);
		store_add(&x->call,
		    x->rq.source[0] != '\0' ? x->rq.source : NULL);
		store_add(&x->call, policies[i]);
		need = exchange_call(x);
	}
	repr_free(obj);
	return need;
}

const struct operation tenant_option_set = {
	"tenant_option_set", "PUT",
	"/tenant/options/device-registration/security-token.policy",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_JSON, MEDIA_JSON, option_set_parse, option_render,
	NULL, NULL, NULL
};

/* Answers from the login alone. */
static enum need
user_parse(struct exchange *x)
{
	const char *name = strchr(x->login.actor, '/') + 1;
	struct buf *out = reply_start(&x->reply, 200, MEDIA_JSON);
	unsigned int bit;
	bool first = true;

	buf_puts(out, "{\"id\":");
	json_quote(out, name);
	buf_puts(out, ",\"userName\":");
	json_quote(out, name);
	buf_printf(out, ",\"self\":\"%s/user/currentUser\"",
	    buf_text(&x->rq.base));
	buf_puts(out, ",\"tenantId\":");
	json_quote(out, x->login.tenant);
	buf_puts(out, ",\"effectiveRoles\":[");
	for (bit = 1; bit <= ROLE_DEVICE; bit <<= 1) {
		if ((x->login.roles & bit) == 0)
			continue;
		buf_printf(out, "%s{\"id\":\"%s\",\"name\":\"%s\"}",
		    first ? "" : ",", role_name(bit), role_name(bit));
		first = false;
	}
	buf_puts(out, "]}");
	return NEED_NOTHING;
}

const struct operation user_current = {
	"user_current", "GET", "/user/currentUser",
	{ ROLE_ANY, ROLE_ANY }, MEDIA_NONE, MEDIA_JSON, user_parse, NULL,
	NULL, NULL, NULL
};
