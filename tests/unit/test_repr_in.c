/* JSON that comes in. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "repr.h"
#include "tap.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char	*name;
	const char	*text;
	size_t		 len;
	bool		 good;
} texts[] = {
	{ "an empty object", BYTES("{}"), true },
	{ "white space everywhere", BYTES(" \t\r\n{ \"a\" : 1 }\n\n"), true },
	{ "the reference's comma", BYTES("{\"id\":\"1\",\n}"), true },
	{ "a comma with spaces", BYTES("{\"a\":1 , \t\r\n }"), true },
	{ "a comma in an inner object", BYTES("{\"a\":{\"b\":1,},}"), true },
	{ "a comma in a string", BYTES("{\"a\":\",}\"}"), true },
	{ "every escape",
	  BYTES("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}"), true },
	{ "a pair of surrogates", BYTES("{\"a\":\"\\uD83D\\ude00\"}"), true },
	{ "every type",
	  BYTES("{\"a\":[1,-0.5e+3,true,false,null,\"\",{}]}"), true },
	{ "the largest and least numbers", BYTES("{\"a\":[9223372036854775807,"
	  "-9223372036854775807,18446744073709551614]}"), true },
	{ "nothing", BYTES(""), false },
	{ "white space alone", BYTES(" \n"), false },
	{ "an array", BYTES("[]"), false },
	{ "a string", BYTES("\"a\""), false },
	{ "a number", BYTES("1"), false },
	{ "null", BYTES("null"), false },
	{ "two commas", BYTES("{\"a\":1,,}"), false },
	{ "nothing but a comma", BYTES("{,}"), false },
	{ "a comma before all", BYTES("{,\"a\":1}"), false },
	{ "a comma in an array", BYTES("{\"a\":[1,]}"), false },
	{ "a comma after all", BYTES("{},"), false },
	{ "garbage behind", BYTES("{}x"), false },
	{ "another object behind", BYTES("{}{}"), false },
	{ "a brace too many", BYTES("{}}"), false },
	{ "NUL behind", BYTES("{}\0"), false },
	{ "NUL before", BYTES("\0{}"), false },
	{ "NUL in a string", BYTES("{\"a\":\"x\0y\"}"), false },
	{ "an escaped NUL", BYTES("{\"a\":\"x\\u0000y\"}"), false },
	{ "an escaped NUL in a name", BYTES("{\"a\\u0000\":1}"), false },
	{ "an object that does not end", BYTES("{\"a\":1"), false },
	{ "a string that does not end", BYTES("{\"a\":\"x"), false },
	{ "a string that ends in a backslash", BYTES("{\"a\":\"x\\"), false },
	{ "an escape that does not end", BYTES("{\"a\":\"\\u00"), false },
	{ "a value that is not there", BYTES("{\"a\":}"), false },
	{ "a name without a value", BYTES("{\"a\"}"), false },
	{ "a name without quotes", BYTES("{a:1}"), false },
	{ "single quotes", BYTES("{'a':1}"), false },
	{ "a comment", BYTES("{/* x */}"), false },
	{ "a comment to the end of the line", BYTES("{}// x"), false },
	{ "a byte order mark", BYTES("\xef\xbb\xbf{}"), false },
	{ "bytes that are no UTF-8", BYTES("{\"a\":\"\xff\"}"), false },
	{ "an overlong character", BYTES("{\"a\":\"\xc0\xaf\"}"), false },
	{ "a surrogate as bytes", BYTES("{\"a\":\"\xed\xa0\x80\"}"), false },
	{ "a control character in a string", BYTES("{\"a\":\"x\ny\"}"), false },
	{ "a control character as white space", BYTES("{\f}"), false },
	{ "a high surrogate alone", BYTES("{\"a\":\"\\ud83d\"}"), false },
	{ "a low surrogate alone", BYTES("{\"a\":\"\\ude00\"}"), false },
	{ "two high surrogates", BYTES("{\"a\":\"\\ud83d\\ud83d\"}"), false },
	{ "a high surrogate and a letter", BYTES("{\"a\":\"\\ud83dx\"}"),
	  false },
	{ "a high surrogate and half an escape",
	  BYTES("{\"a\":\"\\ud83d\\u\"}"), false },
	{ "a high surrogate at the end", BYTES("{\"a\":\"\\ud83d\\"), false },
	{ "an unknown escape", BYTES("{\"a\":\"\\x41\"}"), false },
	{ "an escape with a letter", BYTES("{\"a\":\"\\u00g0\"}"), false },
	{ "an escape with a sign", BYTES("{\"a\":\"\\u+041\"}"), false },
	{ "a number too large", BYTES("{\"a\":18446744073709551616}"), false },
	{ "a number too small", BYTES("{\"a\":-9223372036854775809}"), false },
	{ "a number too large, deep inside",
	  BYTES("{\"a\":[{\"b\":[99999999999999999999]}]}"), false },
	{ "an exponent too large", BYTES("{\"a\":1e400}"), false },
	{ "NaN", BYTES("{\"a\":NaN}"), false },
	{ "infinity", BYTES("{\"a\":-Infinity}"), false },
	{ "a zero before a number", BYTES("{\"a\":01}"), false },
	{ "a zero before a fraction", BYTES("{\"a\":00.5}"), false },
	{ "a sign alone", BYTES("{\"a\":-}"), false },
	{ "a plus sign", BYTES("{\"a\":+1}"), false },
	{ "a point without digits before", BYTES("{\"a\":.5}"), false },
	{ "a point without digits behind", BYTES("{\"a\":5.}"), false },
	{ "an exponent without digits", BYTES("{\"a\":1e}"), false },
	{ "two exponents", BYTES("{\"a\":1e1e1}"), false },
	{ "a hexadecimal number", BYTES("{\"a\":0x10}"), false },
	{ "true in capitals", BYTES("{\"a\":TRUE}"), false },
	{ "half of true", BYTES("{\"a\":tru}"), false },
};

static void
test_texts(void)
{
	struct repr *obj;
	const char *why;
	size_t i;
	char *s;

	for (i = 0; i < COUNT(texts); i++) {
		s = exact(texts[i].text, texts[i].len);
		obj = repr_parse(s, texts[i].len, &why);
		free(s);
		IS_INT(obj != NULL, texts[i].good, "JSON: %s", texts[i].name);
		if (obj == NULL)
			OK(why != NULL && why[0] != '\0', "and says why");
		repr_free(obj);
	}
}

/* The beginnings of a good text: none is good, none is read too far. */
static void
test_cut(void)
{
	static const char whole[] = "{\"a\":\"\\ud83d\\ude00\xc3\xa9\","
	    "\"b\":[1,{\"c\":null},-1.5e3],\n\"d\":\"\\\\\\\"\",}";
	struct repr *obj;
	const char *why;
	size_t good = 0;
	size_t n;
	char *s;

	for (n = 0; n < sizeof(whole) - 1; n++) {
		s = exact(whole, n);
		if ((obj = repr_parse(s, n, &why)) != NULL)
			good++;
		repr_free(obj);
		free(s);
	}
	IS_INT((long long)good, 0, "no beginning of an object is one");
	obj = repr_parse(whole, n, &why);
	OK(obj != NULL, "the whole is");
	repr_free(obj);
}

static bool
nested(size_t depth, const char *inner)
{
	char *open = repeated("[", depth - 1);
	char *close = repeated("]", depth - 1);
	struct repr *obj;
	struct buf text;
	const char *why;

	buf_init(&text, 0);
	buf_printf(&text, "{\"a\":%s%s%s}", open, inner, close);
	obj = repr_parse(buf_text(&text), text.len, &why);
	repr_free(obj);
	buf_free(&text);
	free(open);
	free(close);
	return obj != NULL;
}

static void
test_size(void)
{
	char *text = repeated("x", 65536);
	struct repr *obj;
	const char *why;
	const char *value;

	OK(nested(REPR_DEPTH - 1, "1"), "a value may lie %d deep", REPR_DEPTH);
	OK(!nested(REPR_DEPTH, "1"), "but not one deeper");
	OK(!nested(65000, ""), "nor 65000 deep");
	memcpy(text, "{\"id\":\"", 7);
	memcpy(text + 65534, "\"}", 2);
	obj = repr_parse(text, 65536, &why);
	OK(obj != NULL, "an object may have 64 KiB");
	if (obj != NULL) {
		OK(repr_string(obj, "id", &value) == REPR_FOUND &&
		    strlen(value) == 65527, "and its string is whole");
		repr_free(obj);
	}
	free(text);
}

static const struct {
	const char	*field;
	enum repr_found	 string;
	const char	*value;
	enum repr_found	 object;
	const char	*json;
} fields[] = {
	{ "text", REPR_FOUND, "a\"\xc3\xa9\xf0\x9f\x98\x80/", REPR_WRONG,
	  NULL },
	{ "empty", REPR_FOUND, "", REPR_WRONG, NULL },
	{ "null", REPR_ABSENT, NULL, REPR_ABSENT, NULL },
	{ "none", REPR_ABSENT, NULL, REPR_ABSENT, NULL },
	{ "number", REPR_WRONG, NULL, REPR_WRONG, NULL },
	{ "array", REPR_WRONG, NULL, REPR_WRONG, NULL },
	{ "bool", REPR_WRONG, NULL, REPR_WRONG, NULL },
	{ "object", REPR_WRONG, NULL, REPR_FOUND,
	  "{\"b\":[1.50,12345678901234567,-0.0,1e-400,\"x\"],\"c\":{}}" },
	{ "void", REPR_WRONG, NULL, REPR_FOUND, "{}" },
	{ "twice", REPR_FOUND, "last", REPR_WRONG, NULL },
	{ "inner", REPR_ABSENT, NULL, REPR_ABSENT, NULL },
	{ "", REPR_ABSENT, NULL, REPR_ABSENT, NULL },
};

static void
test_fields(void)
{
	static const char text[] =
	    "{\"text\":\"a\\\"\\u00e9\\ud83d\\ude00\\/\","
	    "\"empty\":\"\",\"null\":null,\"number\":1,\"array\":[\"x\"],"
	    "\"bool\":true,\"object\":{ \"b\": [1.50, 12345678901234567, -0.0, "
	    "1e-400, \"x\"], \"c\": {\n}, },\"void\":{},"
	    "\"twice\":\"first\",\"twice\":\"last\",\"o\":{\"inner\":1}}";
	struct repr *obj;
	const char *value;
	size_t i;

	if (!OK((obj = repr_parse(BYTES(text), &value)) != NULL,
	    "an object with fields"))
		return;
	for (i = 0; i < COUNT(fields); i++) {
		IS_INT(repr_string(obj, fields[i].field, &value),
		    fields[i].string, "field \"%s\" is a string or not",
		    fields[i].field);
		IS_STR(value, fields[i].value, "which is");
		IS_INT(repr_object(obj, fields[i].field, &value),
		    fields[i].object, "or an object or not");
		IS_STR(value, fields[i].json, "which is");
	}
	repr_free(obj);
}

int
main(void)
{
	test_texts();
	test_cut();
	test_size();
	test_fields();
	repr_free(NULL);
	return tap_done();
}
