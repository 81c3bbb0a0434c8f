#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "route.h"
#include "tap.h"

#define REQUESTS	"/devicecontrol/newDeviceRequests"
#define LIFE	"/devcred/credentials"
#define CREDENTIALS	"/devicecontrol/deviceCredentials"
#define POLICY	"/tenant/options/device-registration/security-token.policy"

static const struct {
	const char	*method;
	const char	*path;
	const char	*name;		/* the operation; or NULL and: */
	const char	*allow;		/* of a 405; NULL: 404 */
	const char	*id;
} routes[] = {
	{ "POST", REQUESTS, "newdevice_create", NULL, NULL },
	{ "POST", REQUESTS "/", "newdevice_create", NULL, NULL },
	{ "POST", REQUESTS "?x", "newdevice_create", NULL, NULL },
	{ "GET", REQUESTS, "newdevice_list", NULL, NULL },
	{ "HEAD", REQUESTS "/", "newdevice_list", NULL, NULL },
	{ "GET", REQUESTS "/a", "newdevice_get", NULL, "a" },
	{ "HEAD", REQUESTS "/a", "newdevice_get", NULL, "a" },
	{ "GET", REQUESTS "/%C3%A9%20", "newdevice_get", NULL, "\xc3\xa9 " },
	{ "GET", REQUESTS "/{id}", "newdevice_get", NULL, "{id}" },
	{ "PUT", REQUESTS "/a", "newdevice_update", NULL, "a" },
	{ "DELETE", REQUESTS "/a", "newdevice_delete", NULL, "a" },
	{ "POST", REQUESTS "/acceptAll", "newdevice_accept_all", NULL, NULL },
	{ "POST", REQUESTS "/%61cceptAll", "newdevice_accept_all", NULL, NULL },
	{ "GET", REQUESTS "/limit", "newdevice_limit", NULL, NULL },
	{ "PUT", REQUESTS "/limit", "newdevice_update", NULL, "limit" },
	{ "DELETE", REQUESTS "/acceptAll", "newdevice_delete", NULL,
	  "acceptAll" },
	{ "GET", REQUESTS "/Limit", "newdevice_get", NULL, "Limit" },
	{ "POST", "/devicecontrol/bulkNewDeviceRequests", "bulk_create", NULL,
	  NULL },
	{ "GET", "/devicecontrol/bulkNewDeviceRequests", NULL, "POST", NULL },
	{ "GET", LIFE, "credential_list", NULL, NULL },
	{ "GET", LIFE "/a", "credential_get", NULL, "a" },
	{ "PUT", LIFE "/a", "credential_update", NULL, "a" },
	{ "DELETE", LIFE "/a", "credential_revoke", NULL, "a" },
	{ "POST", LIFE "/a/rotate", "credential_rotate", NULL, "a" },
	{ "POST", LIFE "/a/reopen", "credential_reopen", NULL, "a" },
	{ "POST", LIFE "/a/decommission", "credential_decommission", NULL,
	  "a" },
	{ "GET", LIFE "/a/rotate", NULL, "POST", NULL },
	{ "POST", LIFE "/a/rotate/", NULL, NULL, NULL },
	{ "POST", LIFE, NULL, "GET, HEAD", NULL },
	{ "PUT", POLICY, "tenant_option_set", NULL, NULL },
	{ "GET", "/devcred/newDeviceRequests", "newdevice_review", NULL, NULL },
	{ "GET", "/devcred/audit", "event_list", NULL, NULL },
	{ "POST", "/devcred/audit", NULL, "GET, HEAD", NULL },
	{ "GET", "/devcred/statistics", "event_count", NULL, NULL },
	{ "GET", "/devcred/newDeviceRequests/a/claims", "newdevice_claims",
	  NULL, "a" },
	{ "POST", CREDENTIALS, "credential_issue", NULL, NULL },
	{ "POST", CREDENTIALS "/", "credential_issue", NULL, NULL },
	{ "GET", "/tenant/currentTenant", "tenant_current", NULL, NULL },
	{ "GET", POLICY, "tenant_option", NULL, NULL },
	{ "GET", "/user/currentUser", "user_current", NULL, NULL },
	{ "POST", "/s", "smartrest", NULL, NULL },
	{ "GET", "/s", NULL, "POST", NULL },
	{ "POST", "/s/a", NULL, NULL, NULL },
	{ "GET", "/devcred/health", "health", NULL, NULL },
	{ "GET", "/devcred/ready", "ready", NULL, NULL },
	{ "GET", "/devcred/metrics", "metrics", NULL, NULL },
	{ "POST", "/devcred/metrics", NULL, "GET, HEAD", NULL },
	{ "GET", "/devcred/verify", "verify", NULL, NULL },
	{ "HEAD", "/devcred/verify", "verify", NULL, NULL },
	{ "POST", "/devcred/verify", NULL, "GET, HEAD", NULL },
	{ "POST", "/devcred/verify/emqx", "verify_emqx", NULL, NULL },
	{ "POST", "/devcred/verify/rabbitmq", "verify_rabbitmq", NULL, NULL },
	{ "POST", "/devcred/verify/mosquitto", "verify_mosquitto", NULL, NULL },
	{ "GET", "/devcred/verify/emqx", NULL, "POST", NULL },
	{ "POST", "/devcred/verify/other", NULL, NULL, NULL },
	{ "PUT", REQUESTS, NULL, "POST, GET, HEAD", NULL },
	{ "DELETE", REQUESTS, NULL, "POST, GET, HEAD", NULL },
	{ "OPTIONS", REQUESTS, NULL, "POST, GET, HEAD", NULL },
	{ "get", REQUESTS, NULL, "POST, GET, HEAD", NULL },
	{ "", REQUESTS, NULL, "POST, GET, HEAD", NULL },
	{ "GETX", REQUESTS, NULL, "POST, GET, HEAD", NULL },
	{ "POST", REQUESTS "/a", NULL, "GET, HEAD, PUT, DELETE", NULL },
	{ "POST", REQUESTS "/limit", NULL, "GET, HEAD, PUT, DELETE", NULL },
	{ "PATCH", REQUESTS "/acceptAll", NULL,
	  "POST, GET, HEAD, PUT, DELETE", NULL },
	{ "GET", CREDENTIALS, NULL, "POST", NULL },
	{ "HEAD", CREDENTIALS, NULL, "POST", NULL },
	{ "POST", "/tenant/currentTenant", NULL, "GET, HEAD", NULL },
	{ "DELETE", POLICY, NULL, "GET, HEAD, PUT", NULL },
	{ "DELETE", "/user/currentUser", NULL, "GET, HEAD", NULL },
	{ "GET", "/", NULL, NULL, NULL },
	{ "GET", "/devicecontrol", NULL, NULL, NULL },
	{ "GET", "/devicecontrol/", NULL, NULL, NULL },
	{ "GET", REQUESTS "/a/", NULL, NULL, NULL },
	{ "GET", REQUESTS "/a/b", NULL, NULL, NULL },
	{ "GET", REQUESTS "x", NULL, NULL, NULL },
	{ "GET", "/x" REQUESTS, NULL, NULL, NULL },
	{ "GET", "/devicecontrol/newDeviceRequest", NULL, NULL, NULL },
	{ "GET", "/devicecontrol/newdevicerequests", NULL, NULL, NULL },
	{ "GET", "/devicecontrol%20/newDeviceRequests", NULL, NULL, NULL },
	{ "GET", CREDENTIALS "/a", NULL, NULL, NULL },
	{ "GET", "/tenant", NULL, NULL, NULL },
	{ "GET", "/tenant/options/device-registration", NULL, NULL, NULL },
	{ "GET", POLICY "/x", NULL, NULL, NULL },
	{ "GET", POLICY "x", NULL, NULL, NULL },
	{ "GET", "/1/2/3/4/5/6", NULL, NULL, NULL },
	{ "GET", "/1/2/3/4/5/6/7", NULL, NULL, NULL },
	{ "GET", REQUESTS "/3/4/5/6/7/8", NULL, NULL, NULL },
};

static void
test_route(size_t i)
{
	struct asked a;
	struct buf vars;
	char allow[80];
	int rc;

	buf_init(&vars, 0);
	buf_printf(&vars, "REQUEST_METHOD=%s\nREQUEST_URI=%s",
	    routes[i].method, routes[i].path);
	ask(&a, "", buf_text(&vars), NULL);
	rc = a.rc == 0 ? route_find(a.x) : -2;
	IS_INT(rc, routes[i].name != NULL ? 0 : -1, "\"%s\" %s",
	    routes[i].method, routes[i].path);
	if (routes[i].name != NULL && rc == 0) {
		IS_STR(a.x->op->name, routes[i].name, "is the operation");
		IS_STR(a.x->rq.id, routes[i].id, "and the id");
	} else if (routes[i].allow != NULL) {
		IS_INT(a.x->reply.status, 405, "is not allowed");
		snprintf(allow, sizeof(allow), "Allow: %s\r\n",
		    routes[i].allow);
		IS_STR(buf_text(&a.x->reply.head), allow, "but others are");
	} else {
		IS_INT(a.x->reply.status, 404, "is nothing");
	}
	asked_free(&a);
	buf_free(&vars);
}

static const struct {
	const char	*prefix;
	const char	*uri;
	bool		 streams;
} uris[] = {
	{ "", "/devicecontrol/bulkNewDeviceRequests", true },
	{ "", "/devicecontrol/bulkNewDeviceRequests/", true },
	{ "", "/devicecontrol/bulkNewDeviceRequests?a=/b", true },
	{ "", "/devicecontrol/bulkNewDeviceRequestsx", false },
	{ "", "/devicecontrol/bulkNewDeviceRequest", false },
	{ "", REQUESTS, false },
	{ "", "/", false },
	{ "", "", false },
	{ "/iot", "/iot/devicecontrol/bulkNewDeviceRequests", true },
	{ "/iot", "/iot", false },
};

static void
test_streams(void)
{
	struct conf conf;
	char prefix[8];
	size_t i;

	memset(&conf, 0, sizeof(conf));
	conf.path_prefix = prefix;
	for (i = 0; i < COUNT(uris); i++) {
		snprintf(prefix, sizeof(prefix), "%s", uris[i].prefix);
		IS_INT(route_streams(&conf, uris[i].uri,
		    strlen(uris[i].uri)), uris[i].streams,
		    "whether the body of \"%s\" streams", uris[i].uri);
	}
}

/* What holds for the table as a whole. */
static void
test_table(void)
{
	const struct operation *op;
	bool found;
	size_t i;
	size_t k;

	for (i = 0; (op = operations[i]) != NULL; i++) {
		OK(op->parse != NULL && (op->render != NULL ||
		    op->stream != NULL || op == &user_current ||
		    op == &health || strncmp(op->name, "verify", 6) == 0),
		    "%s has its halves", op->name);
		OK(op->path[0] == '/' && op->path[strlen(op->path) - 1] != '/',
		    "%s: a path begins with a slash and ends with none",
		    op->name);
		found = false;
		for (k = 0; k < COUNT(routes); k++)
			found = found || (routes[k].name != NULL &&
			    strcmp(routes[k].name, op->name) == 0);
		OK(found, "%s is looked for above", op->name);
		IS_INT(route_number(op), (int)i + 1, "%s: its number",
		    op->name);
		for (k = 0; k < i; k++)
			if (strcmp(op->path, operations[k]->path) == 0)
				OK(strcmp(op->method, operations[k]->method),
				    "%s is not shadowed by %s", op->name,
				    operations[k]->name);
	}
}

int
main(void)
{
	size_t i;

	for (i = 0; i < COUNT(routes); i++)
		test_route(i);
	test_table();
	test_streams();
	return tap_done();
}
