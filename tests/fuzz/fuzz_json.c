/* JSON of bodies, beside a reader of RFC 8259 that knows nothing else. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "repr.h"
#include "text.h"

/* A text being read: NULL where it is no JSON any more. */
struct json {
	const char	*p;
	const char	*end;
	int		 level;		/* values inside values */
	int		 deepest;
	bool		 huge;		/* it has numbers of many digits */
};

static bool
next_is(struct json *j, const char *chars)
{
	return j->p != NULL && j->p < j->end && *j->p != '\0' &&
	    strchr(chars, *j->p) != NULL;
}

static void
space(struct json *j)
{
	while (next_is(j, " \t\r\n"))
		j->p++;
}

/* Take one of these characters, which has to be there. */
static void
take(struct json *j, const char *chars)
{
	if (next_is(j, chars))
		j->p++;
	else
		j->p = NULL;
}

static void
string(struct json *j)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	int i;

	take(j, "\"");
	while (j->p != NULL && j->p < j->end && *j->p != '"') {
		if ((unsigned char)*j->p < 0x20) {
			j->p = NULL;
		} else if (*j->p++ == '\\') {
			if (!next_is(j, "u")) {
				take(j, "\"\\/bfnrt");
				continue;
			}
			j->p++;
			for (i = 0; i < 4; i++)
				take(j, hex);
		}
	}
	take(j, "\"");
}

static void
digits(struct json *j)
{
	take(j, "0123456789");
	while (next_is(j, "0123456789"))
		j->p++;
}

static void
number(struct json *j)
{
	const char *start = j->p;

	if (next_is(j, "-"))
		j->p++;
	if (next_is(j, "0"))
		j->p++;
	else
		digits(j);
	if (next_is(j, ".")) {
		j->p++;
		digits(j);
	}
	if (next_is(j, "eE")) {
		j->huge = true;
		j->p++;
		if (next_is(j, "+-"))
			j->p++;
		digits(j);
	}
	if (j->p != NULL && j->p - start > 15)
		j->huge = true;
}

static void value(struct json *j);

/* Members or elements, between brackets. */
static void
container(struct json *j, bool object)
{
	const char *close = object ? "}" : "]";

	j->p++;
	space(j);
	while (j->p != NULL && !next_is(j, close)) {
		if (object) {
			string(j);
			space(j);
			take(j, ":");
		}
		value(j);
		if (next_is(j, close))
			break;
		take(j, ",");
		space(j);
		/* forgiven in objects only */
		if (!object && next_is(j, close))
			j->p = NULL;
	}
	take(j, close);
}

static void
value(struct json *j)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t len;
	size_t i;

	if (++j->level > j->deepest)
		j->deepest = j->level;
	space(j);
	if (next_is(j, "{["))
		container(j, *j->p == '{');
	else if (next_is(j, "\""))
		string(j);
	else if (next_is(j, "-0123456789"))
		number(j);
	else {
		for (i = 0; i < 3; i++) {
			len = strlen(words[i]);
			if (j->p != NULL && (size_t)(j->end - j->p) >= len &&
			    memcmp(j->p, words[i], len) == 0)
				break;
		}
		j->p = i < 3 ? j->p + len : NULL;
	}
	space(j);
	j->level--;
}

/* An object's text is an object again, and its text the same. */
static void
try_object(const char *text)
{
	const char *again;
	struct repr *obj;
	struct buf body;

	buf_init(&body, 0);
	buf_printf(&body, "{\"customProperties\":%s}", text);
	obj = repr_parse(buf_text(&body), body.len, &again);
	HOLDS(obj != NULL);
	HOLDS(repr_object(obj, "customProperties", &again) == REPR_FOUND);
	HOLDS(strcmp(again, text) == 0);
	repr_free(obj);
	buf_free(&body);
}

static void
try_fields(const struct repr *obj)
{
	static const char *const fields[] = { "id", "securityToken",
		"customProperties", "type" };
	enum repr_found found;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		found = repr_string(obj, fields[i], &text);
		HOLDS((found == REPR_FOUND) == (text != NULL));
		HOLDS(repr_has(obj, fields[i]) || found == REPR_ABSENT);
		if (text != NULL)
			HOLDS(utf8_valid(text, strlen(text), NULL));
		found = repr_object(obj, fields[i], &text);
		HOLDS((found == REPR_FOUND) == (text != NULL));
		if (text != NULL)
			try_object(text);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct json j = { text, text + size, 0, 0, false };
	const char *why = NULL;
	struct repr *obj;
	bool valid;

	obj = repr_parse(text, size, &why);
	space(&j);
	valid = utf8_valid(text, size, NULL) && next_is(&j, "{");
	value(&j);
	valid = valid && j.p == j.end && j.deepest <= REPR_DEPTH;
	if (obj != NULL) {
		HOLDS(valid);
		try_fields(obj);
		repr_free(obj);
	} else {
		HOLDS(why != NULL);
		/* surrogates and NUL are refused in either form */
		HOLDS(!valid || j.huge || memmem(text, size, "\\u", 2) != NULL);
	}
	return 0;
}
