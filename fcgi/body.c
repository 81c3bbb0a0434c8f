#include <string.h>

#include "body.h"
#include "text.h"

static const struct {
	const char	*name;
	bool		 object;	/* else a string */
} fields[] = {
	{ "id", false },
	{ "status", false },
	{ "self", false },
	{ "tenantId", false },
	{ "groupId", false },
	{ "type", false },
	{ "owner", false },
	{ "creationTime", false },
	{ "securityToken", false },
	{ "customProperties", true },
};

struct repr *
body_parse(struct exchange *x)
{
	struct repr *obj;
	const char *value;
	enum repr_found found;
	size_t i;

	if ((obj = repr_parse(x->rq.body, x->rq.body_len, &value)) == NULL) {
		reply_fault(&x->reply, FAULT_NOT_JSON,
		    "The body is not a JSON object: %s.", value);
		return NULL;
	}
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		found = fields[i].object ?
		    repr_object(obj, fields[i].name, &value) :
		    repr_string(obj, fields[i].name, &value);
		if (found != REPR_WRONG)
			continue;
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "Field %s must be %s.", fields[i].name,
		    fields[i].object ? "an object" : "a string");
		repr_free(obj);
		return NULL;
	}
	return obj;
}

int
body_id(struct exchange *x, const struct repr *obj)
{
	const char *id;

	if (repr_string(obj, "id", &id) == REPR_FOUND)
		return body_take_id(x, id);
	reply_fault(&x->reply, FAULT_VALIDATION,
	    "Following mandatory fields should be included: id");
	return -1;
}

int
body_take_id(struct exchange *x, const char *id)
{
	struct buf why;
	int rc = -1;

	buf_init(&why, 0);
	if (device_id_check(id, &why))
		rc = str_copy(x->id, sizeof(x->id), id, strlen(id));
	else
		reply_fault(&x->reply, FAULT_VALIDATION, "%s", buf_text(&why));
	buf_free(&why);
	return rc;
}

int
body_token(struct exchange *x, const struct repr *obj, const char *id,
    const char **token)
{
	if (repr_string(obj, "securityToken", token) != REPR_FOUND ||
	    (*token)[0] == '\0') {
		*token = NULL;
		return 0;
	}
	return secret_token_digest(id, *token, x->token);
}
