#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "repr.h"
#include "text.h"

/* A \uXXXX escape at p ("uXXXX…"), or -1. */
static long
escape_code(const char *p, const char *end)
{
	char digits[5];

	if (end - p < 5 || *p != 'u')
		return -1;
	memcpy(digits, p + 1, 4);
	digits[4] = '\0';
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return -1;
	return strtol(digits, NULL, 16);
}

/*
 * Look through one string from its opening quote; returns its closing quote,
 * or NULL with *why.  json-c would turn a lone surrogate into U+FFFD, take
 * control characters, and cut strings short at a NUL for those who do not
 * look.
 */
static const char *
check_string(const char *p, const char *end, const char **why)
{
	long code;

	for (p++; p < end && *p != '"'; p++) {
		if ((unsigned char)*p < ' ') {
			*why = "a string holds a control character";
			return NULL;
		}
		if (*p != '\\')
			continue;
		if (++p == end)
			break;
		if ((code = escape_code(p, end)) == -1)
			continue;
		if (code == 0) {
			*why = "a string holds NUL";
			return NULL;
		}
		p += 4;
		if (code < 0xd800 || code > 0xdfff)
			continue;
		if (code < 0xdc00 && end - p > 2 && p[1] == '\\') {
			code = escape_code(p + 2, end);
			if (code >= 0xdc00 && code <= 0xdfff) {
				p += 6;
				continue;
			}
		}
		*why = "a string holds half a surrogate pair";
		return NULL;
	}
	if (p == end) {
		*why = "a string does not end";
		return NULL;
	}
	return p;
}

static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* The end of the number at p, or NULL: json-c takes "00.5" and "5." too. */
static const char *
check_number(const char *p, const char *end, const char **why)
{
	const char *digits;
	bool ok;

	if (*p == '-')
		p++;
	digits = p;
	p = skip_digits(p, end);
	ok = p > digits && (*digits != '0' || p == digits + 1);
	if (p < end && *p == '.') {
		digits = ++p;
		p = skip_digits(p, end);
		ok = ok && p > digits;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		digits = p;
		p = skip_digits(p, end);
		ok = ok && p > digits;
	}
	if (ok)
		return p;
	*why = "a number that JSON does not have";
	return NULL;
}

/* Whether the comma at p, after something, stands before '}'. */
static bool
is_trailing(const char *p, const char *end, char before)
{
	if (*p != ',' || strchr("{[:,", before) != NULL)
		return false;
	for (p++; p < end && strchr(" \t\r\n", *p) != NULL; p++)
		continue;
	return p < end && *p == '}';
}

/*
 * Copy the text, leaving out a comma before '}'.  After this json-c can be
 * as strict as it is able to.
 */
static int
tidy(struct buf *out, const char *text, size_t len, const char **why)
{
	const char *end = text + len;
	const char *next;
	const char *p;
	char before = ',';	/* the last that is not white space */

	for (p = text; p < end; p = next) {
		next = p + 1;
		if (is_trailing(p, end, before))
			continue;
		if (*p == '"' && (next = check_string(p, end, why)) != NULL)
			next++;
		else if (*p == '-' || (*p >= '0' && *p <= '9'))
			next = check_number(p, end, why);
		if (next == NULL)
			return -1;
		/* json-c takes both for more than JSON does */
		if (*p == '\'' || *p == '/') {
			*why = "a character that JSON does not have";
			return -1;
		}
		buf_add(out, p, (size_t)(next - p));
		if (strchr(" \t\r\n", *p) == NULL)
			before = *p;
	}
	return buf_ok(out) ? 0 : -1;
}

/* Whether json-c kept every number below obj as it was written. */
static bool
numbers_kept(struct json_object *obj)
{
	size_t i;

	switch (json_object_get_type(obj)) {
	case json_type_double:
		return isfinite(json_object_get_double(obj));
	case json_type_int:
		/* out of range comes out as the end of the range */
		return json_object_get_int64(obj) != INT64_MIN &&
		    json_object_get_uint64(obj) != UINT64_MAX;
	case json_type_array:
		for (i = 0; i < json_object_array_length(obj); i++)
			if (!numbers_kept(json_object_array_get_idx(obj, i)))
				return false;
		return true;
	case json_type_object: {
		json_object_object_foreach(obj, key, val) {
			(void)key;
			if (!numbers_kept(val))
				return false;
		}
		return true;
	}
	default:
		return true;
	}
}

static struct json_object *
parse_strict(const struct buf *text, const char **why)
{
	struct json_tokener *tok;
	struct json_object *obj;
	enum json_tokener_error err;

	if ((tok = json_tokener_new_ex(REPR_DEPTH)) == NULL) {
		*why = "out of memory";
		return NULL;
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	/* the NUL at the end tells json-c that nothing more comes */
	obj = json_tokener_parse_ex(tok, buf_text(text), (int)text->len + 1);
	err = json_tokener_get_error(tok);
	/* where strings were put together: secrets are strings */
	explicit_bzero(tok->pb->buf, (size_t)tok->pb->size);
	json_tokener_free(tok);
	if (err != json_tokener_success) {
		*why = err == json_tokener_continue ? "it ends too early" :
		    json_tokener_error_desc(err);
		json_object_put(obj);
		return NULL;
	}
	return obj;
}

struct repr *
repr_parse(const char *text, size_t len, const char **why)
{
	struct json_object *obj = NULL;
	struct buf clean;

	buf_init(&clean, 0);
	*why = "out of memory";
	if (memchr(text, '\0', len) != NULL) {
		*why = "it holds NUL";
		goto out;
	}
	if (!utf8_valid(text, len, NULL)) {
		*why = "it is not UTF-8";
		goto out;
	}
	if (len == 0) {
		*why = "it is empty";
		goto out;
	}
	if (tidy(&clean, text, len, why) == -1 ||
	    (obj = parse_strict(&clean, why)) == NULL)
		goto out;
	if (!json_object_is_type(obj, json_type_object))
		*why = "it is not an object";
	else if (!numbers_kept(obj))
		*why = "a number is out of range";
	else
		goto out;
	json_object_put(obj);
	obj = NULL;
out:
	buf_free(&clean);
	return (struct repr *)obj;
}

/* json-c frees without wiping, and gives its strings out as constant. */
static void
wipe_strings(struct json_object *obj)
{
	size_t i;

	switch (json_object_get_type(obj)) {
	case json_type_string:
		explicit_bzero((void *)(uintptr_t)json_object_get_string(obj),
		    (size_t)json_object_get_string_len(obj));
		return;
	case json_type_array:
		for (i = 0; i < json_object_array_length(obj); i++)
			wipe_strings(json_object_array_get_idx(obj, i));
		return;
	case json_type_object: {
		json_object_object_foreach(obj, key, val) {
			(void)key;
			wipe_strings(val);
		}
		return;
	}
	default:
		return;
	}
}

void
repr_free(struct repr *obj)
{
	wipe_strings((struct json_object *)obj);
	json_object_put((struct json_object *)obj);
}

/* json-c reads without changing, but does not say so in its types. */
static struct json_object *
field_of(const struct repr *obj, const char *field)
{
	struct json_object *val;

	if (!json_object_object_get_ex((const struct json_object *)obj, field,
	    &val))
		return NULL;
	return val;
}

bool
repr_has(const struct repr *obj, const char *field)
{
	return json_object_object_get_ex((const struct json_object *)obj,
	    field, NULL);
}

enum repr_found
repr_string(const struct repr *obj, const char *field, const char **value)
{
	struct json_object *val = field_of(obj, field);

	*value = NULL;
	if (val == NULL)
		return REPR_ABSENT;
	if (!json_object_is_type(val, json_type_string))
		return REPR_WRONG;
	*value = json_object_get_string(val);
	return REPR_FOUND;
}

enum repr_found
repr_object(const struct repr *obj, const char *field, const char **value)
{
	struct json_object *val = field_of(obj, field);

	*value = NULL;
	if (val == NULL)
		return REPR_ABSENT;
	if (!json_object_is_type(val, json_type_object))
		return REPR_WRONG;
	*value = json_object_to_json_string_ext(val, JSON_C_TO_STRING_PLAIN);
	return REPR_FOUND;
}
