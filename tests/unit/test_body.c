#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "fixture.h"
#include "tap.h"
#include "text.h"

#define POST	"REQUEST_METHOD=POST\nREQUEST_URI=/a\n"

static const struct {
	const char	*name;
	const char	*body;
	int		 status;	/* of the reply; 0: an id */
	const char	*told;		/* in it; or the id */
} bodies[] = {
	{ "an id", "{\"id\":\"a\"}", 0, "a" },
	{ "an id and fields of ours",
	  "{\"id\":\"a\",\"type\":\"t\",\"groupId\":\"g\",\"self\":\"s\","
	  "\"customProperties\":{\"x\":1}}", 0, "a" },
	{ "an id and fields that are not ours", "{\"x\":[1],\"id\":\"a\"}", 0,
	  "a" },
	{ "an id and fields of null",
	  "{\"id\":\"a\",\"type\":null,\"customProperties\":null}", 0, "a" },
	{ "nothing", "", 400, "The body is not a JSON object: " },
	{ "an array", "[]", 400, "not a JSON object" },
	{ "no id", "{}", 422, "mandatory fields should be included: id" },
	{ "an id of null", "{\"id\":null}", 422, "mandatory" },
	{ "an id that is a number", "{\"id\":1}", 422,
	  "Field id must be a string." },
	{ "an empty id", "{\"id\":\"\"}", 422, "1 to 1000 characters" },
	{ "an id with a slash", "{\"id\":\"a/b\"}", 422,
	  "'a/b' contains '/' character" },
	{ "an id with two bad characters", "{\"id\":\"a$b:\"}", 422,
	  "contains '$' character" },
	{ "an id with a bad character of three bytes",
	  "{\"id\":\"a\\u2003\\u00e9\"}", 422,
	  "contains '\xe2\x80\x83' character" },
	{ "a type that is an object", "{\"id\":\"a\",\"type\":{}}", 422,
	  "Field type must be a string." },
	{ "a token that is a number", "{\"id\":\"a\",\"securityToken\":1}",
	  422, "Field securityToken must be a string." },
	{ "properties that are text", "{\"id\":\"a\","
	  "\"customProperties\":\"x\"}", 422,
	  "Field customProperties must be an object." },
	{ "properties that are an array", "{\"id\":\"a\","
	  "\"customProperties\":[]}", 422, "must be an object." },
};

static void
test_bodies(void)
{
	struct asked a;
	struct repr *obj;
	size_t i;

	for (i = 0; i < COUNT(bodies); i++) {
		ask(&a, "", POST, bodies[i].body);
		obj = body_parse(a.x);
		if (obj != NULL && body_id(a.x, obj) == 0) {
			IS_INT(0, bodies[i].status, "%s", bodies[i].name);
			IS_STR(a.x->id, bodies[i].told, "and its id");
		} else {
			IS_INT(a.x->reply.status, bodies[i].status, "%s",
			    bodies[i].name);
			HAS(buf_text(&a.x->reply.body), bodies[i].told,
			    "and what is told");
		}
		repr_free(obj);
		asked_free(&a);
	}
}

/* What is told of a long id is UTF-8, wherever it is cut. */
/* The short way takes nothing that the long one does not take as the same. */
static const struct {
	const char	*body;
	const char	*id;	/* NULL: for the long way */
} alone[] = {
	{ "{\"id\":\"a\"}", "a" }, { " {\t\"id\" :\r\n\"a\" } ", "a" },
	{ "{\"id\":\"\xc3\xa4\"}", "\xc3\xa4" },
	{ "", NULL }, { "{", NULL }, { "{\"id\"", NULL },
	{ "{\"id\":\"a", NULL }, { "{\"id\":\"a\"", NULL },
	{ "{\"id\":\"a\"}}", NULL }, { "{\"id\":\"a\"}x", NULL },
	{ "{\"id\":\"a\",}", NULL }, { "{\"id\":\"\"}", NULL },
	{ "{\"id\":\"a\\u0062\"}", NULL }, { "{\"id\":\"a b\"}", NULL },
	{ "{\"id\":\"a\tb\"}", NULL }, { "{\"id\":\"\xff\"}", NULL },
	{ "{\"id\":\"..\"}", NULL }, { "{'id':\"a\"}", NULL },
	{ "{\"id\":\"a\",\"securityToken\":\"t\"}", NULL },
	{ "{\"ID\":\"a\"}", NULL }, { "[\"id\",\"a\"]", NULL },
};

static void
test_alone(void)
{
	struct asked a;
	size_t i;

	for (i = 0; i < COUNT(alone); i++) {
		ask(&a, "", POST, alone[i].body);
		IS_INT(body_id_alone(a.x), alone[i].id != NULL,
		    "\"%s\" is an id alone, or not", alone[i].body);
		if (alone[i].id != NULL)
			IS_STR(a.x->id, alone[i].id, "and this one");
		asked_free(&a);
	}
}

static void
test_long_id(void)
{
	char *text = repeated("\xe2\x82\xac", 2000);
	struct asked a;
	struct repr *obj;
	struct buf body;
	size_t shift;

	buf_init(&body, 0);
	for (shift = 0; shift < 3; shift++) {
		buf_reset(&body);
		buf_printf(&body, "{\"id\":\"%.*s%s/\"}", (int)shift, "ab",
		    text);
		ask(&a, "", POST, buf_text(&body));
		obj = body_parse(a.x);
		OK(obj != NULL && body_id(a.x, obj) == -1,
		    "an id of %zu bytes with a slash is refused", 6001 + shift);
		OK(utf8_valid(buf_text(&a.x->reply.body), a.x->reply.body.len,
		    NULL), "and the answer is UTF-8");
		repr_free(obj);
		asked_free(&a);
	}
	buf_free(&body);
	free(text);
}

static const struct {
	const char	*name;
	const char	*body;
	const char	*token;		/* NULL: none */
} tokens[] = {
	{ "no token", "{}", NULL },
	{ "a token of null", "{\"securityToken\":null}", NULL },
	{ "an empty token", "{\"securityToken\":\"\"}", NULL },
	{ "a token", "{\"securityToken\":\"t\"}", "t" },
};

static void
test_tokens(void)
{
	unsigned char want[DIGEST_SIZE];
	const char *token;
	struct asked a;
	struct repr *obj;
	size_t i;

	for (i = 0; i < COUNT(tokens); i++) {
		ask(&a, "", POST, tokens[i].body);
		obj = body_parse(a.x);
		if (!OK(obj != NULL, "%s", tokens[i].name))
			continue;
		IS_INT(body_token(a.x, obj, "id", &token), 0, "can be taken");
		IS_STR(token, tokens[i].token, "as it is");
		if (tokens[i].token != NULL) {
			OK(secret_token_digest("id", "t", want) == 0,
			    "with its digest");
			IS_MEM(a.x->token, DIGEST_SIZE, want, DIGEST_SIZE,
			    "under the id of the device");
		}
		repr_free(obj);
		asked_free(&a);
	}
}

int
main(void)
{
	test_bodies();
	test_alone();
	test_long_id();
	test_tokens();
	return tap_done();
}
