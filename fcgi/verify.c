/*
 * verify: whether the login of a device is good, for web servers and brokers
 * that have it in their hands.
 *
 * The way every login takes is the check; what is left to say is the answer,
 * in the words of the one who asks.  Where the login is in the body, a refusal
 * is an answer like any other, so it is translated; where the service cannot
 * tell, it says so with HTTP's status, and never with a no.
 */
#include <string.h>

#include "route.h"
#include "text.h"

/* The device of a login that may pass. */
static const char *
device_of(const struct exchange *x)
{
	return x->login.actor + strlen(x->login.tenant) + strlen("/device_");
}

/* What an authorizer says (FastCGI Specification 1.0, 6.3). */
static void
tell_authorizer(struct exchange *x)
{
	reply_start(&x->reply, 200, MEDIA_NONE);
	reply_header(&x->reply, "Variable-REMOTE_USER", x->login.actor);
	reply_header(&x->reply, "Variable-DEVCRED_TENANT", x->login.tenant);
	reply_header(&x->reply, "Variable-DEVCRED_DEVICE", device_of(x));
}

/* Headers are ASCII for most who read them, so the id is encoded there. */
static void
tell_proxy(struct exchange *x)
{
	struct buf *head = &x->reply.head;

	reply_start(&x->reply, 204, MEDIA_NONE);
	reply_header(&x->reply, "X-Devcred-Tenant", x->login.tenant);
	buf_puts(head, "X-Devcred-Device: ");
	percent_encode(head, device_of(x));
	buf_printf(head, "\r\nX-Devcred-User: %s/device_", x->login.tenant);
	percent_encode(head, device_of(x));
	buf_puts(head, "\r\n");
}

static enum need
verify_parse(struct exchange *x)
{
	if (x->authorizer)
		tell_authorizer(x);
	else
		tell_proxy(x);
	return NEED_NOTHING;
}

static void
keep_nowhere(struct exchange *x)
{
	reply_header(&x->reply, "Cache-Control", "no-store");
}

const struct operation verify = {
	"verify", "GET", "/devcred/verify",
	{ ROLE_DEVICE, ROLE_DEVICE }, MEDIA_NONE, MEDIA_NONE,
	verify_parse, NULL, keep_nowhere, NULL, NULL
};

enum answer { ANSWER_ALLOW, ANSWER_DENY, ANSWER_UNKNOWN };

static enum answer
answer_of(const struct exchange *x)
{
	switch (x->reply.status) {
	case 204:
		return ANSWER_ALLOW;
	case 401:
		return ANSWER_DENY;
	case 403:	/* no device; before that: for want of TLS */
		return x->stage == STAGE_OPERATION ? ANSWER_DENY :
		    ANSWER_UNKNOWN;
	default:
		return ANSWER_UNKNOWN;
	}
}

static void
answer(struct exchange *x, int status, enum media media, const char *text)
{
	buf_puts(reply_start(&x->reply, status, media), text);
}

static void
emqx_translate(struct exchange *x)
{
	enum answer is = answer_of(x);

	if (is != ANSWER_UNKNOWN)
		answer(x, 200, MEDIA_JSON, is == ANSWER_ALLOW ?
		    "{\"result\":\"allow\"}" : "{\"result\":\"deny\"}");
	keep_nowhere(x);
}

static void
rabbitmq_translate(struct exchange *x)
{
	enum answer is = answer_of(x);

	if (is != ANSWER_UNKNOWN)
		answer(x, 200, MEDIA_TEXT, is == ANSWER_ALLOW ?
		    "allow" : "deny");
	keep_nowhere(x);
}

static void
mosquitto_translate(struct exchange *x)
{
	enum answer is = answer_of(x);

	if (is == ANSWER_ALLOW)
		answer(x, 200, MEDIA_TEXT, "ok");
	else if (is == ANSWER_DENY && x->reply.status != 401)
		reply_fault(&x->reply, FAULT_UNAUTHORIZED,
		    "This is not the login of a device.");
	keep_nowhere(x);
}

const struct operation verify_emqx = {
	"verify_emqx", "POST", "/devcred/verify/emqx",
	{ ROLE_DEVICE, ROLE_DEVICE }, MEDIA_FORM, MEDIA_NONE,
	verify_parse, NULL, emqx_translate, NULL, NULL
};

const struct operation verify_rabbitmq = {
	"verify_rabbitmq", "POST", "/devcred/verify/rabbitmq",
	{ ROLE_DEVICE, ROLE_DEVICE }, MEDIA_FORM, MEDIA_NONE,
	verify_parse, NULL, rabbitmq_translate, NULL, NULL
};

const struct operation verify_mosquitto = {
	"verify_mosquitto", "POST", "/devcred/verify/mosquitto",
	{ ROLE_DEVICE, ROLE_DEVICE }, MEDIA_FORM, MEDIA_NONE,
	verify_parse, NULL, mosquitto_translate, NULL, NULL
};
