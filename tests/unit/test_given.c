/* Logins that are not in the header: in a body, or taken apart. */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "fixture.h"
#include "serve.h"
#include "tap.h"

#define POST	"REQUEST_METHOD=POST\nREQUEST_URI=/a\n"
#define FORM	POST "CONTENT_TYPE=application/x-www-form-urlencoded"
#define JSON	POST "CONTENT_TYPE=application/json; charset=utf-8"

static const struct {
	const char	*name;
	const char	*vars;
	const char	*body;
	int		 status;	/* of a refusal, or 0 */
	const char	*header;	/* that it stands for; NULL: none */
} bodies[] = {
	{ "a form", FORM, "username=t%2Fu&password=p", 0, "Basic dC91OnA=" },
	{ "a form of no type", POST, "username=u&password=p", 0,
	  "Basic dTpw" },
	{ "a form with more", FORM, "x=1&password=p&username=u&y", 0,
	  "Basic dTpw" },
	{ "a form with a field twice", FORM,
	  "username=u&username=v&password=p", 0, "Basic dTpw" },
	{ "a password with all", FORM, "username=u&password=a+b%26c%3D%25",
	  0, "Basic dTphIGImYz0l" },
	{ "an empty password", FORM, "username=u&password=", 0, "Basic dTo=" },
	{ "no password", FORM, "username=u", 0, "Basic dTo=" },
	{ "no user", FORM, "password=p", 0, NULL },
	{ "a user with a colon", FORM, "username=u%3Av&password=p", 0, NULL },
	{ "an empty form", FORM, "", 0, NULL },
	{ "a code that is none", FORM, "username=%4&password=p", 400, NULL },
	{ "NUL in a code", FORM, "username=u&password=%00", 400, NULL },
	{ "no UTF-8", FORM, "username=u&password=%ff", 400, NULL },
	{ "JSON", JSON, "{\"username\":\"t/u\",\"password\":\"p\"}", 0,
	  "Basic dC91OnA=" },
	{ "JSON with more", JSON, "{\"clientid\":\"c\",\"password\":\"p\","
	  "\"username\":\"u\",\"x\":{\"username\":\"v\"}}", 0, "Basic dTpw" },
	{ "JSON with null", JSON, "{\"username\":null,\"password\":\"p\"}", 0,
	  NULL },
	{ "JSON with a number", JSON, "{\"username\":\"u\",\"password\":1}", 0,
	  "Basic dTo=" },
	{ "JSON without anything", JSON, "{}", 0, NULL },
	{ "JSON with NUL", JSON, "{\"username\":\"u\\u0000\"}", 400, NULL },
	{ "a list", JSON, "[]", 400, NULL },
	{ "no JSON", JSON, "username=u&password=p", 400, NULL },
};

static void
test_bodies(void)
{
	struct asked a;
	size_t i;

	for (i = 0; i < COUNT(bodies); i++) {
		ask(&a, "", bodies[i].vars, bodies[i].body);
		a.x->rq.authorization = "Basic eDp4";
		IS_INT(body_login(a.x), bodies[i].status == 0 ? 0 : -1, "%s",
		    bodies[i].name);
		IS_INT(a.x->reply.status, bodies[i].status, "is taken or not");
		if (bodies[i].status == 0)
			IS_STR(a.x->rq.authorization, bodies[i].header,
			    "and no header counts beside it");
		asked_free(&a);
	}
}

/* As an authorizer is asked. */
static const struct {
	const char	*name;
	const char	*vars;
	int		 status;	/* of a refusal, or 0 */
	const char	*header;
} asked[] = {
	{ "a header", "HTTP_AUTHORIZATION=Basic x", 0, "Basic x" },
	{ "a login taken apart", "REMOTE_USER=t/u\nREMOTE_PASSWD=p", 0,
	  "Basic dC91OnA=" },
	{ "both", "HTTP_AUTHORIZATION=Basic x\nREMOTE_USER=t/u\n"
	  "REMOTE_PASSWD=p", 0, "Basic dC91OnA=" },
	{ "a user alone", "REMOTE_USER=t/u", 0, NULL },
	{ "a password alone", "REMOTE_PASSWD=p", 0, NULL },
	{ "a user with a colon", "REMOTE_USER=u:v\nREMOTE_PASSWD=p", 0, NULL },
	{ "nothing", "", 0, NULL },
	{ "a path that is none, a host that is none, a body that is elsewhere",
	  "REQUEST_METHOD=POST\nREQUEST_URI=/..//%\nHTTP_HOST=a b\n"
	  "CONTENT_LENGTH=9\nHTTP_X_HTTP_METHOD=X\nHTTP_AUTHORIZATION=Basic x",
	  0, "Basic x" },
	{ "two headers", "HTTP_AUTHORIZATION=Basic x\nHTTP_AUTHORIZATION=y",
	  400, NULL },
	{ "two passwords", "REMOTE_USER=u\nREMOTE_PASSWD=p\nREMOTE_PASSWD=q",
	  400, NULL },
};

static void
test_asked(void)
{
	struct request rq;
	struct reply rep;
	struct conf conf;
	char **env;
	size_t i;

	conf_of(&conf, "");
	for (i = 0; i < COUNT(asked); i++) {
		env = env_of(asked[i].vars);
		reply_init(&rep);
		IS_INT(request_parse_login(&rq, env, &conf, &rep),
		    asked[i].status == 0 ? 0 : -1, "asked with %s",
		    asked[i].name);
		IS_INT(rep.status, asked[i].status, "it is understood or not");
		if (asked[i].status == 0)
			IS_STR(rq.authorization, asked[i].header,
			    "as this login");
		reply_free(&rep);
		request_free(&rq);
		env_free(env);
	}
	conf_free(&conf);
}

/* A responder's request is not asked so, whatever its variables say. */
static void
test_responder(void)
{
	struct asked a;

	ask(&a, "", POST "REMOTE_USER=u\nREMOTE_PASSWD=p\n"
	    "FCGI_ROLE=AUTHORIZER", "");
	IS_STR(a.x->rq.authorization, NULL,
	    "REMOTE_PASSWD is no login of a responder's request");
	OK(!a.x->authorizer, "nor makes a variable an authorizer of it");
	asked_free(&a);
}

int
main(void)
{
	test_bodies();
	test_asked();
	test_responder();
	return tap_done();
}
