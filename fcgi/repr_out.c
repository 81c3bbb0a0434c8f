#include <string.h>

#include "repr.h"
#include "text.h"

#define INFO	"https://cumulocity.com/guides/reference-guide/#error_reporting"

/* ,"name":"value"; nothing if value is NULL. */
static void
add_field(struct buf *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (out->len > 0 && out->data[out->len - 1] != '{')
		buf_putc(out, ',');
	buf_putc(out, '"');
	buf_puts(out, name);
	buf_puts(out, "\":");
	json_quote(out, value);
}

void
repr_error(struct buf *out, const char *error, const char *message)
{
	buf_putc(out, '{');
	add_field(out, "error", error);
	add_field(out, "message", message);
	add_field(out, "info", INFO);
	buf_putc(out, '}');
}

/* ,"self":"base/devicecontrol/what/id" */
static void
add_self(struct buf *out, const char *base, const char *what, const char *id)
{
	buf_puts(out, ",\"self\":\"");
	buf_puts(out, base);	/* made of characters that need no quoting */
	buf_puts(out, "/devicecontrol/");
	buf_puts(out, what);
	buf_putc(out, '/');
	percent_encode(out, id);
	buf_putc(out, '"');
}

void
repr_newdevice(struct buf *out, const struct newdevice *nd,
    const struct newdevice_review *review, const char *base)
{
	buf_putc(out, '{');
	add_field(out, "id", nd->id);
	add_field(out, "status", nd->status);
	add_self(out, base, "newDeviceRequests", nd->id);
	add_field(out, "tenantId", nd->tenant);
	add_field(out, "owner", nd->owner);
	add_field(out, "creationTime", nd->created);
	add_field(out, "groupId", nd->group_id);
	add_field(out, "type", nd->type);
	buf_puts(out, ",\"customProperties\":");
	buf_puts(out, nd->custom_properties);	/* PostgreSQL's own JSON */
	if (review != NULL) {
		add_field(out, "lastSeen", review->last_seen);
		add_field(out, "source", review->claimed_from);
		buf_printf(out, ",\"claimants\":%ld,\"hasToken\":%s",
		    review->claimants, review->has_token ? "true" : "false");
	}
	buf_putc(out, '}');
}

void
repr_credentials(struct buf *out, const char *id, const char *tenant,
    const char *password, const char *custom_properties, const char *base)
{
	struct buf user;

	buf_init(&user, 0);
	buf_puts(&user, "device_");
	buf_puts(&user, id);
	buf_putc(out, '{');
	add_field(out, "id", id);
	add_field(out, "tenantId", tenant);
	add_field(out, "username", buf_text(&user));
	add_field(out, "password", password);
	add_self(out, base, "deviceCredentials", id);
	if (custom_properties != NULL && strcmp(custom_properties, "{}") != 0) {
		buf_puts(out, ",\"customProperties\":");
		buf_puts(out, custom_properties);
	}
	buf_putc(out, '}');
	if (!buf_ok(&user))
		out->broken = true;
	buf_free(&user);
}

void
repr_issued(struct buf *out, const struct credential *c, const char *password,
    const char *base)
{
	buf_putc(out, '{');
	add_field(out, "id", c->id);
	add_field(out, "tenantId", c->tenant);
	add_field(out, "username", c->username);
	add_field(out, "password", password);
	add_field(out, "status", c->status);
	buf_printf(out, ",\"generation\":%ld", c->generation);
	add_field(out, "issued", c->issued);
	add_field(out, "issuedTo", c->issued_to);
	add_field(out, "firstUsed", c->first_used);
	add_field(out, "expires", c->expires);
	add_field(out, "delivery", c->delivery);
	buf_printf(out, ",\"deliveries\":%ld,\"failures\":%ld", c->deliveries,
	    c->failures);
	add_field(out, "acceptedBy", c->accepted_by);
	if (c->custom_properties != NULL) {
		buf_puts(out, ",\"customProperties\":");
		buf_puts(out, c->custom_properties);
	}
	buf_printf(out, ",\"self\":\"%s/devcred/credentials/", base);
	percent_encode(out, c->id);
	buf_puts(out, "\"}");
}

void
repr_claim(struct buf *out, bool another, const char *claimed,
    const char *source, const char *agent, bool has_token, const char *actor)
{
	buf_puts(out, another ? ",{" : "{");
	add_field(out, "claimed", claimed);
	add_field(out, "source", source);
	add_field(out, "agent", agent);
	buf_printf(out, ",\"hasToken\":%s", has_token ? "true" : "false");
	add_field(out, "actor", actor);
	buf_putc(out, '}');
}

void
repr_event(struct buf *out, bool another, const struct event *event)
{
	buf_printf(out, "%s{\"seq\":%ld", another ? "," : "", event->seq);
	add_field(out, "time", event->at);
	add_field(out, "tenantId", event->tenant);
	add_field(out, "id", event->id);
	add_field(out, "operation", event->operation);
	add_field(out, "outcome", event->outcome);
	add_field(out, "actor", event->actor);
	add_field(out, "source", event->source);
	add_field(out, "statusBefore", event->before);
	add_field(out, "statusAfter", event->after);
	add_field(out, "requestId", event->request);
	buf_putc(out, '}');
}
