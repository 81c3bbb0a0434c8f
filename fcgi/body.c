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

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' ||
	    *p == '\n'))
		p++;
	return p;
}

/* The word at p, with white space before it; NULL if it is not there. */
static const char *
skip_word(const char *p, const char *end, const char *word)
{
	size_t len = strlen(word);

	if (p == NULL)
		return NULL;
	p = skip_space(p, end);
	return (size_t)(end - p) >= len && memcmp(p, word, len) == 0 ?
	    p + len : NULL;
}

bool
body_id_alone(struct exchange *x)
{
	const char *end = x->rq.body + x->rq.body_len;
	const char *p = skip_word(x->rq.body, end, "{");
	const char *id;

	p = skip_word(p, end, "\"id\"");
	p = skip_word(p, end, ":");
	if ((id = skip_word(p, end, "\"")) == NULL)
		return false;
	/* no device id has what JSON would have to escape */
	for (p = id; p < end && *p != '"' && *p != '\\'; p++)
		continue;
	if (!device_id_valid(id, (size_t)(p - id), NULL) ||
	    str_copy(x->id, sizeof(x->id), id, (size_t)(p - id)) == -1)
		return false;
	p = skip_word(p, end, "\"");
	p = skip_word(p, end, "}");
	return p != NULL && skip_space(p, end) == end;
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

/* The fields of a form; one that is not there is empty. */
static int
read_form(struct exchange *x, struct buf *user, struct buf *password)
{
	struct buf form;
	int rc = -1;

	buf_init(&form, 0);
	buf_add(&form, x->rq.body, x->rq.body_len);
	if (!buf_ok(&form))
		reply_unavailable(&x->reply);
	else if (strlen(buf_text(&form)) != form.len ||
	    request_form(buf_text(&form), "username", user) == QUERY_BAD ||
	    request_form(buf_text(&form), "password", password) == QUERY_BAD)
		reply_fault(&x->reply, FAULT_BAD_REQUEST,
		    "The body is not a form.");
	else
		rc = 0;
	buf_free(&form);
	return rc;
}

/* The same of JSON; what is no string is as good as not there. */
static int
read_json(struct exchange *x, struct buf *user, struct buf *password)
{
	struct repr *obj;
	const char *value;

	if ((obj = repr_parse(x->rq.body, x->rq.body_len, &value)) == NULL) {
		reply_fault(&x->reply, FAULT_NOT_JSON,
		    "The body is not a JSON object: %s.", value);
		return -1;
	}
	if (repr_string(obj, "username", &value) == REPR_FOUND)
		buf_puts(user, value);
	if (repr_string(obj, "password", &value) == REPR_FOUND)
		buf_puts(password, value);
	repr_free(obj);
	return 0;
}

int
body_login(struct exchange *x)
{
	const char *type = x->rq.content_type;
	struct buf user;
	struct buf password;
	int rc;

	x->login_try.for_client = true;
	buf_init(&user, 0);
	buf_init(&password, 0);
	rc = type != NULL && media_is(type, MEDIA_JSON) ?
	    read_json(x, &user, &password) : read_form(x, &user, &password);
	if (rc == 0 && (!buf_ok(&user) || !buf_ok(&password) ||
	    request_login(&x->rq, buf_text(&user),
	    buf_text(&password)) == -1)) {
		reply_unavailable(&x->reply);
		rc = -1;
	}
	buf_free(&user);
	buf_free(&password);
	return rc;
}
