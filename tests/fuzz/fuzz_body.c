/* Bodies, as the operations that take one read them. */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "fuzz.h"
#include "route.h"
#include "text.h"

static const struct context *
context(void)
{
	static const struct context *cx;

	if (cx == NULL)
		cx = fuzz_context("");
	return cx;
}

/* The short way to an id finds what the long one does. */
static void
try_id(const char *body, size_t len)
{
	struct exchange *x = fuzz_exchange(context(), body, len);
	struct exchange *y = fuzz_exchange(context(), body, len);
	const char *token;
	struct repr *obj;

	if (body_id_alone(x)) {
		HOLDS(device_id_valid(x->id, strlen(x->id), NULL));
		obj = body_parse(y);
		HOLDS(obj != NULL && body_id(y, obj) == 0);
		HOLDS(strcmp(x->id, y->id) == 0);
		HOLDS(body_token(y, obj, y->id, &token) == 0 && token == NULL);
		HOLDS(!repr_has(obj, "customProperties"));
		repr_free(obj);
	}
	HOLDS(x->reply.status == 0);
	exchange_free(x);
	exchange_free(y);
}

/* Values of a call are text that the database takes as such. */
static void
try_call(const struct store_call *call)
{
	const char *text = buf_text(&call->text);
	const char *value;
	int i;

	HOLDS(store_call_ok(call));
	for (i = 0; i < call->nvalues; i++) {
		if (call->value[i] == SIZE_MAX)
			continue;
		HOLDS(call->value[i] < call->text.len);
		value = text + call->value[i];
		HOLDS(utf8_valid(value, strlen(value), NULL));
	}
}

static void
try_operation(const struct operation *op, const char *body, size_t len)
{
	struct exchange *x = fuzz_exchange(context(), body, len);

	x->op = op;
	x->rq.id = "dev 1";
	switch (op->parse(x)) {
	case NEED_CALL:
		HOLDS(x->reply.status == 0);
		if (x->call.id == STORE_CREDENTIAL_LOOK)
			HOLDS(device_id_valid(x->id, strlen(x->id), NULL));
		else
			try_call(&x->call);
		break;
	case NEED_NOTHING:
		fuzz_fault(&x->reply);
		HOLDS(x->reply.status < 500);
		break;
	default:
		fuzz_broken("a need", __FILE__, __LINE__);
	}
	exchange_free(x);
}

static void
try_login(const char *type, const char *body, size_t len)
{
	struct exchange *x = fuzz_exchange(context(), body, len);

	x->op = &verify_emqx;
	x->rq.content_type = type;
	if (body_login(x) == -1) {
		fuzz_fault(&x->reply);
		HOLDS(x->reply.status == 400);
	} else {
		HOLDS(x->reply.status == 0 && x->login_try.for_client);
		HOLDS(x->rq.authorization == NULL ||
		    strncmp(x->rq.authorization, "Basic ", 6) == 0);
	}
	exchange_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct operation *const takes[] = { &newdevice_create,
		&newdevice_update, &credential_issue, &credential_update,
		&tenant_option_set };
	const char *body = (const char *)data;
	size_t i;

	try_id(body, size);
	for (i = 0; i < sizeof(takes) / sizeof(takes[0]); i++)
		try_operation(takes[i], body, size);
	try_login(NULL, body, size);
	try_login("application/x-www-form-urlencoded", body, size);
	try_login("application/json", body, size);
	return 0;
}
