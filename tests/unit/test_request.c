/* What request.h makes of the other variables. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "tap.h"

#define PLAIN	"REQUEST_METHOD=GET\nREQUEST_URI=/a\n"
#define POST	"REQUEST_METHOD=POST\nREQUEST_URI=/a\n"

static const struct {
	const char	*name;
	const char	*vars;
	const char	*body;
	const char	*method;	/* NULL: 400 */
} methods[] = {
	{ "a plain request", PLAIN, NULL, "GET" },
	{ "no method", "REQUEST_URI=/a", NULL, "" },
	{ "no path", "REQUEST_METHOD=GET", NULL, NULL },
	{ "no variables", "", NULL, NULL },
	{ "a POST that stands for PUT", POST "HTTP_X_HTTP_METHOD=PUT", NULL,
	  "PUT" },
	{ "in lower case", POST "HTTP_X_HTTP_METHOD=delete", NULL, "DELETE" },
	{ "a POST that stands for itself", POST "HTTP_X_HTTP_METHOD=POST", NULL,
	  "POST" },
	{ "a POST that stands for GET", POST "HTTP_X_HTTP_METHOD=GET", NULL,
	  NULL },
	{ "a POST that stands for two", POST "HTTP_X_HTTP_METHOD=PUT, PUT",
	  NULL, NULL },
	{ "a GET that stands for DELETE", PLAIN "HTTP_X_HTTP_METHOD=DELETE",
	  NULL, "GET" },
	{ "a method in lower case", "REQUEST_METHOD=get\nREQUEST_URI=/a", NULL,
	  "get" },
	{ "two paths", PLAIN "REQUEST_URI=/b", NULL, NULL },
	{ "the same path twice", PLAIN "REQUEST_URI=/a", NULL, "GET" },
	{ "two logins", PLAIN "HTTP_AUTHORIZATION=Basic a\n"
	  "HTTP_AUTHORIZATION=Basic b", NULL, NULL },
	{ "two types", PLAIN "CONTENT_TYPE=a/b\nCONTENT_TYPE=c/d", NULL, NULL },
	{ "two lengths", POST "CONTENT_LENGTH=1\nCONTENT_LENGTH=2", "x", NULL },
	{ "a variable without '='", PLAIN "REQUEST_URI", NULL, "GET" },
	{ "a variable without a name", PLAIN "=/b", NULL, "GET" },
	{ "the beginning of a name", PLAIN "REQUEST_UR=/b", NULL, "GET" },
	{ "a name and more", PLAIN "REQUEST_URIS=/b", NULL, "GET" },
	{ "a body as long as announced", POST "CONTENT_LENGTH=2", "{}",
	  "POST" },
	{ "a body of no announced length", POST, "{}", "POST" },
	{ "an empty length", POST "CONTENT_LENGTH=", "{}", "POST" },
	{ "a body that was cut short", POST "CONTENT_LENGTH=3", "{}", NULL },
	{ "a body that is longer", POST "CONTENT_LENGTH=1", "{}", NULL },
	{ "a length that is no number", POST "CONTENT_LENGTH=2x", "{}", NULL },
	{ "a negative length", POST "CONTENT_LENGTH=-2", "{}", NULL },
	{ "a length that wraps around",
	  POST "CONTENT_LENGTH=18446744073709551618", "{}", NULL },
	{ "two lengths in one", POST "CONTENT_LENGTH=2, 2", "{}", NULL },
};

static void
test_methods(void)
{
	struct asked a;
	size_t i;

	for (i = 0; i < COUNT(methods); i++) {
		ask(&a, "", methods[i].vars, methods[i].body);
		IS_INT(a.rc, methods[i].method == NULL ? -1 : 0, "%s",
		    methods[i].name);
		if (methods[i].method == NULL)
			IS_INT(a.x->reply.status, 400, "is a bad request");
		else
			IS_STR(a.x->rq.method, methods[i].method,
			    "and its method");
		asked_free(&a);
	}
}

#define PROXY	"trusted_proxy = 10.0.0.1 10.0.0.2,::1\n"
#define FROM	PLAIN "REMOTE_ADDR="
#define FOR	"\nHTTP_X_FORWARDED_FOR="
#define PROTO	"\nHTTP_X_FORWARDED_PROTO="

static const struct {
	const char	*name;
	const char	*vars;
	const char	*source;
	bool		 secure;
} sources[] = {
	{ "a client", FROM "192.0.2.1", "192.0.2.1", false },
	{ "a client over TLS", FROM "192.0.2.1\nHTTPS=on", "192.0.2.1", true },
	{ "a client over TLS, said otherwise",
	  FROM "192.0.2.1\nREQUEST_SCHEME=https", "192.0.2.1", true },
	{ "HTTPS that is off", FROM "192.0.2.1\nHTTPS=off", "192.0.2.1",
	  false },
	{ "a client here", FROM "127.0.0.1", "127.0.0.1", true },
	{ "a client without an address", PLAIN, "", false },
	{ "a client of a socket", FROM "unix:", "", false },
	{ "an address that is none", FROM "1.2.3.4.5", "", false },
	{ "a stranger who names another", FROM "192.0.2.1" FOR "192.0.2.9",
	  "192.0.2.1", false },
	{ "a stranger who claims to be here", FROM "192.0.2.1" FOR "127.0.0.1",
	  "192.0.2.1", false },
	{ "a stranger who claims TLS", FROM "192.0.2.1" PROTO "https",
	  "192.0.2.1", false },
	{ "a stranger who is part of a proxy", FROM "10.0.0.11" PROTO "https",
	  "10.0.0.11", false },
	{ "nobody who claims TLS", PLAIN "HTTP_X_FORWARDED_PROTO=https", "",
	  false },
	{ "a proxy", FROM "10.0.0.1" FOR "192.0.2.9", "192.0.2.9", false },
	{ "a proxy behind a comma", FROM "10.0.0.2" FOR "192.0.2.9",
	  "192.0.2.9", false },
	{ "a proxy over TLS", FROM "10.0.0.1" FOR "192.0.2.9" PROTO "https",
	  "192.0.2.9", true },
	{ "a proxy whose client was not",
	  FROM "10.0.0.1" FOR "192.0.2.9" PROTO "http\nHTTPS=on",
	  "192.0.2.9", false },
	{ "a proxy that names two schemes",
	  FROM "10.0.0.1" FOR "192.0.2.9" PROTO "https, http", "192.0.2.9",
	  false },
	{ "two proxies", FROM "10.0.0.1" FOR "192.0.2.9, 10.0.0.2",
	  "192.0.2.9", false },
	{ "what the client wrote before", FROM "10.0.0.1"
	  FOR "127.0.0.1, 192.0.2.9", "192.0.2.9", false },
	{ "garbage that the client wrote before",
	  FROM "10.0.0.1" FOR "x, ,, 192.0.2.9", "192.0.2.9", false },
	{ "garbage from the proxy", FROM "10.0.0.1" FOR "192.0.2.9, x",
	  "10.0.0.1", false },
	{ "nothing but proxies", FROM "10.0.0.1" FOR "10.0.0.2 ,10.0.0.1",
	  "10.0.0.2", false },
	{ "nothing but commas", FROM "10.0.0.1" FOR " ,, ", "10.0.0.1", false },
	{ "an address too long for any",
	  FROM "10.0.0.1" FOR "1111:2222:3333:4444:5555:6666:7777:8888:9999:"
	  "aaaa:bbbb", "10.0.0.1", false },
};

static void
test_sources(void)
{
	struct asked a;
	size_t i;

	for (i = 0; i < COUNT(sources); i++) {
		ask(&a, PROXY, sources[i].vars, NULL);
		IS_INT(a.rc, 0, "%s", sources[i].name);
		IS_STR(a.x->rq.source, sources[i].source, "comes from there");
		IS_INT(a.x->rq.secure, sources[i].secure, "safely or not");
		asked_free(&a);
	}
	/* a list that ends in a comma does not list what has no address */
	ask(&a, "trusted_proxy = 10.0.0.1,\n",
	    PLAIN "HTTP_X_FORWARDED_PROTO=https" FOR "127.0.0.1", NULL);
	OK(!a.x->rq.secure && a.x->rq.source[0] == '\0',
	    "who has no address is not trusted");
	asked_free(&a);
}

static const struct {
	const char	*name;
	const char	*conf;
	const char	*vars;
	const char	*base;		/* NULL: 400 */
} bases[] = {
	{ "a host", "", "HTTP_HOST=h.example", "http://h.example" },
	{ "a host with a port", "", "HTTP_HOST=h:81\nSERVER_PORT=82",
	  "http://h:81" },
	{ "a host over TLS", "", "HTTP_HOST=h\nHTTPS=on", "https://h" },
	{ "the port that nginx drops", "", "HTTP_HOST=h\nSERVER_PORT=8080",
	  "http://h:8080" },
	{ "the usual port", "", "HTTP_HOST=h\nSERVER_PORT=80", "http://h" },
	{ "the usual port of TLS", "", "HTTP_HOST=h\nSERVER_PORT=443\nHTTPS=on",
	  "https://h" },
	{ "a port that is none", "", "HTTP_HOST=h\nSERVER_PORT=8x",
	  "http://h" },
	{ "an address of version 6", "", "HTTP_HOST=[::1]\nSERVER_PORT=81",
	  "http://[::1]:81" },
	{ "and its port", "", "HTTP_HOST=[::1]:82\nSERVER_PORT=81",
	  "http://[::1]:82" },
	{ "no host but a name", "", "SERVER_NAME=n", "http://n" },
	{ "neither", "", "", "http://localhost" },
	{ "a base of our own", "base_url = https://b.example/\n",
	  "HTTP_HOST=h", "https://b.example" },
	{ "a base of the virtual host", "base_url = https://b.example\n",
	  "DEVCRED_BASE_URL=https://v.example//", "https://v.example" },
	{ "a host with a quote", "", "HTTP_HOST=h\"", NULL },
	{ "a host with a slash", "", "HTTP_HOST=h/x", NULL },
	{ "a host with a login", "", "HTTP_HOST=u@h", NULL },
	{ "two hosts", "", "HTTP_HOST=h, i", NULL },
	{ "a host with a return", "", "HTTP_HOST=h\r", NULL },
	{ "a host beyond ASCII", "", "HTTP_HOST=h\xc3\xa9", NULL },
	{ "a host with a code", "", "HTTP_HOST=h%41", NULL },
};

static void
test_bases(void)
{
	struct asked a;
	struct buf vars;
	size_t i;

	buf_init(&vars, 0);
	for (i = 0; i < COUNT(bases); i++) {
		buf_reset(&vars);
		buf_printf(&vars, PLAIN "%s", bases[i].vars);
		ask(&a, bases[i].conf, buf_text(&vars), NULL);
		IS_INT(a.rc, bases[i].base == NULL ? -1 : 0,
		    "links to %s", bases[i].name);
		if (bases[i].base != NULL)
			IS_STR(buf_text(&a.x->rq.base), bases[i].base,
			    "begin so");
		asked_free(&a);
	}
	buf_free(&vars);
}

static void
test_rest(void)
{
	char *big = repeated("x", BODY_MAX + 1);
	struct asked a;

	ask(&a, "default_tenant = t1\n", PLAIN "HTTP_ACCEPT=a/b\n"
	    "CONTENT_TYPE=c/d\nHTTP_AUTHORIZATION=Basic x", "body");
	IS_STR(a.x->rq.accept, "a/b", "Accept is passed on");
	IS_STR(a.x->rq.content_type, "c/d", "so is Content-Type");
	IS_STR(a.x->rq.authorization, "Basic x", "so is Authorization");
	IS_MEM(a.x->rq.body, a.x->rq.body_len, "body", 4, "so is the body");
	IS_STR(a.x->rq.default_tenant, "t1", "the tenant is the setting's");
	asked_free(&a);
	ask(&a, "default_tenant = t1\n", PLAIN "DEVCRED_DEFAULT_TENANT=t2\n"
	    "HTTP_ACCEPT=\nHTTP_AUTHORIZATION=", NULL);
	IS_STR(a.x->rq.default_tenant, "t2", "unless the host has its own");
	IS_STR(a.x->rq.accept, NULL, "an empty Accept is none");
	IS_STR(a.x->rq.authorization, NULL, "nor is an empty login one");
	asked_free(&a);
	ask(&a, "", POST "CONTENT_LENGTH=1000000", big);
	IS_INT(a.rc, 0, "a body past the bound need not be whole");
	asked_free(&a);
	free(big);
}

int
main(void)
{
	test_methods();
	test_sources();
	test_bases();
	test_rest();
	return tap_done();
}
