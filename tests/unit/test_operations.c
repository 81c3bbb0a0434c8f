/* The pure halves of the operations: what they ask, what they answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "repr.h"
#include "route.h"
#include "tap.h"
#include "text.h"

#define AT(m, path)	"HTTP_HOST=h\nREMOTE_ADDR=192.0.2.1\n" \
	"REQUEST_METHOD=" m "\nREQUEST_URI=" path
#define NEW	"/devicecontrol/newDeviceRequests"
#define POLL	"/devicecontrol/deviceCredentials"

/* Route a request and log it in as t/u; what its first half needs. */
static enum need
parse(struct asked *a, const char *conf, const char *vars, const char *body)
{
	ask(a, conf, vars, body);
	memcpy(a->x->login.tenant, "t", 2);
	memcpy(a->x->login.actor, "t/u", 4);
	memcpy(a->x->request, "r-1", 4);
	a->x->login.roles = ROLE_DEVICE_BOOTSTRAP | ROLE_DEVICE;
	if (a->rc == -1 || route_find(a->x) == -1)
		return NEED_NOTHING;
	return a->x->op->parse(a->x);
}

static enum need
render(struct asked *a, const char *const *row, int ncols)
{
	struct db_rows rows;
	enum need need;

	rows_of(&rows, row != NULL ? 1 : 0, ncols, row);
	need = a->x->op->render(a->x, &rows, row != NULL ? 0 : -1);
	db_rows_free(&rows);
	return need;
}

/* A body is JSON, whatever it is made of. */
static void
is_json(const struct reply *rep)
{
	struct repr *obj;
	const char *why = "";

	obj = repr_parse(buf_text(&rep->body), rep->body.len, &why);
	IS_STR(obj != NULL ? "" : why, "", "and is JSON");
	repr_free(obj);
}

static const struct {
	const char	*name;
	const char	*vars;
	const char	*body;
	enum store_id	 call;
	int		 status;	/* of a refusal; 0: a call */
	const char	*value[9];	/* NULL: null; "*": whatever */
} asks[] = {
	{ "a new request", AT("POST", NEW), "{\"id\":\"a\"}",
	  STORE_NEWDEVICE_CREATE, 0,
	  { "t", "t/u", "192.0.2.1", "a", NULL, NULL, NULL, NULL,
	    "r-1" } },
	{ "a new request with all", AT("POST", NEW), "{\"id\":\"a\","
	  "\"tenantId\":\"x\",\"groupId\":\"g\",\"type\":\"y\","
	  "\"customProperties\":{\"k\": [1]}}", STORE_NEWDEVICE_CREATE, 0,
	  { "t", "t/u", "192.0.2.1", "a", "x", "g", "y", "{\"k\":[1]}",
	    "r-1" } },
	{ "a new request without an id", AT("POST", NEW), "{}", STORE_MAX, 422,
	  { NULL } },
	{ "a request", AT("GET", NEW "/a%27b"), NULL, STORE_NEWDEVICE_GET, 0,
	  { "t", "a'b" } },
	{ "an acceptance", AT("PUT", NEW "/a"), "{\"status\":\"ACCEPTED\"}",
	  STORE_NEWDEVICE_UPDATE, 0,
	  { "t", "t/u", "192.0.2.1", "a", "ACCEPTED", NULL, NULL, "5",
	    "r-1" } },
	{ "an acceptance with a token", AT("PUT", NEW "/a"),
	  "{\"status\":\"ACCEPTED\",\"securityToken\":\"s\",\"type\":\"y\"}",
	  STORE_NEWDEVICE_UPDATE, 0,
	  { "t", "t/u", "192.0.2.1", "a", "ACCEPTED", "y", "*", "5", "r-1" } },
	{ "an update without a status", AT("PUT", NEW "/a"), "{}", STORE_MAX,
	  422, { NULL } },
	{ "an update to no status", AT("PUT", NEW "/a"),
	  "{\"status\":\"DONE\"}", STORE_MAX, 422, { NULL } },
	{ "an update with no JSON", AT("PUT", NEW "/a"), "x", STORE_MAX, 400,
	  { NULL } },
	{ "a deletion", AT("DELETE", NEW "/a"), NULL, STORE_NEWDEVICE_DELETE, 0,
	  { "t", "t/u", "192.0.2.1", "a", "r-1" } },
	{ "all of them", AT("POST", NEW "/acceptAll"), NULL,
	  STORE_NEWDEVICE_ACCEPT_ALL, 0,
	  { "t", "t/u", "192.0.2.1", "r-1" } },
	{ "the limit", AT("GET", NEW "/limit"), NULL, STORE_NEWDEVICE_LIMIT, 0,
	  { "t" } },
	{ "the tenant", AT("GET", "/tenant/currentTenant"), NULL,
	  STORE_TENANT_GET, 0, { "t" } },
	{ "a poll without an id", AT("POST", POLL), "{}", STORE_MAX, 422,
	  { NULL } },
	{ "a poll with a bad id", AT("POST", POLL), "{\"id\":\"a/b\"}",
	  STORE_MAX, 422, { NULL } },
};

static void
test_asks(void)
{
	struct asked a;
	enum need need;
	size_t i;
	int k;

	for (i = 0; i < COUNT(asks); i++) {
		need = parse(&a, "", asks[i].vars, asks[i].body);
		IS_INT(need, asks[i].status == 0 ? NEED_CALL : NEED_NOTHING,
		    "%s", asks[i].name);
		IS_INT(a.x->reply.status, asks[i].status, "is refused or not");
		if (need == NEED_CALL) {
			IS_INT(a.x->call.id, asks[i].call, "asks for it");
			for (k = 0; k < a.x->call.nvalues; k++)
				if (asks[i].value[k] == NULL ||
				    strcmp(asks[i].value[k], "*") != 0)
					IS_STR(call_value(a.x, k),
					    asks[i].value[k], "value %d", k);
		}
		asked_free(&a);
	}
}

static const struct {
	const char	*name;
	const char	*body;
	const char	*id;
	const char	*answer;	/* NULL: a call */
} messages[] = {
	{ "a message", "61,a", "a", NULL },
	{ "with a newline", "61,a\n", "a", NULL },
	{ "of Windows", "61,a\r\n", "a", NULL },
	{ "in quotes", "\"61\",\"a,b\"", "a,b", NULL },
	{ "of two lines", "61,a\n61,b\n", "", "42,1" },
	{ "without anything", "", "", "42,1" },
	{ "that is a newline", "\n", "", "42,1" },
	{ "with a quote", "61,a\"", "", "42,1" },
	{ "of another kind", "62,a", "", "43,1" },
	{ "of a number that begins so", "611,a", "", "43,1" },
	{ "without an id", "61", "", "45,1" },
	{ "with two ids", "61,a,b", "", "45,1" },
};

static void
test_smartrest(void)
{
	struct asked a;
	enum need need;
	size_t i;

	for (i = 0; i < COUNT(messages); i++) {
		need = parse(&a, "", AT("POST", "/s"), messages[i].body);
		IS_INT(need, messages[i].answer == NULL ? NEED_CALL :
		    NEED_NOTHING, "SmartREST: a message %s", messages[i].name);
		IS_STR(a.x->id, messages[i].id, "has its id");
		IS_STR(buf_text(&a.x->reply.body), messages[i].answer == NULL ?
		    "" : messages[i].answer, "or its answer");
		asked_free(&a);
	}
}

static const char *const absent[] = { NULL, NULL };
static const char *const domain[] = { "d.example", "REQUIRED" };

static void
test_tenant(void)
{
	struct asked a;

	IS_INT(parse(&a, "", AT("GET", "/tenant/currentTenant"), NULL),
	    NEED_CALL, "the tenant");
	render(&a, domain, 2);
	IS_STR(buf_text(&a.x->reply.body),
	    "{\"name\":\"t\",\"domainName\":\"d.example\"}", "has its host");
	render(&a, absent, 2);
	IS_STR(buf_text(&a.x->reply.body),
	    "{\"name\":\"t\",\"domainName\":\"h\"}",
	    "or that which was asked for");
	render(&a, NULL, 2);
	IS_INT(a.x->reply.status, 503, "a tenant that is gone");
	asked_free(&a);
	IS_INT(parse(&a, "", AT("GET", "/user/currentUser"), NULL),
	    NEED_NOTHING, "the user is known already");
	IS_INT(a.x->reply.status, 200, "and told");
	is_json(&a.x->reply);
	asked_free(&a);
}

/* A link base that is not one must not bring the process down. */
static void
test_odd_base(void)
{
	struct asked a;
	int status = -1;
	pid_t pid;

	ask(&a, "", AT("GET", "/tenant/currentTenant"), NULL);
	asked_free(&a);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(STDERR_FILENO);
		(void)!parse(&a, "", AT("GET", "/tenant/currentTenant")
		    "\nDEVCRED_BASE_URL=h.example", NULL);
		if (a.rc == 0)
			render(&a, absent, 2);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	IS_INT(status, 0, "a base without a scheme crashes nothing");
}

static const char *const gone[9] = { "1", "absent", NULL, NULL, NULL };
static const char *const waits[9] = { "1", "wrong_state", "BLOCKED", "t",
	NULL };
static const char *const other[9] = { "1", "token_mismatch",
	"PENDING_ACCEPTANCE", "t", NULL };
static const char *const issued[9] = { "1", "ok", "ACCEPTED", "t", "{}" };
static const char *const strange[9] = { "1", "new word", NULL, NULL, NULL };

static const struct {
	const char		*name;
	const char *const	*row;
	const char		*conf;
	int			 status;
	const char		*told;
} polls[] = {
	{ "no request", gone, "", 404, "There is no newDeviceRequest" },
	{ "no row", NULL, "", 404, "There is no newDeviceRequest" },
	{ "a blocked request", waits, "", 404, "in state BLOCKED, (not" },
	{ "another token", other, "", 404, "security token is not" },
	{ "an accepted request", issued, "", 201, "\"username\":\"device_a\"" },
	{ "an outcome that is not known", strange, "", 503, "later" },
	{ "no request, without detail", gone, "poll_detail = off\n", 404,
	  "or it is still PENDING_ACCEPTANCE" },
	{ "another token, without detail", other, "poll_detail = off\n", 404,
	  "or it is still PENDING_ACCEPTANCE" },
	{ "a blocked request, without detail", waits, "poll_detail = off\n",
	  404, "or it is still PENDING_ACCEPTANCE" },
};

static void
test_polls(void)
{
	static const char *const open[] = { "1", "ACCEPTED", "f", "t", "7" };
	static const char *const new[] = { "1", "WAITING_FOR_CONNECTION", "f",
		NULL, NULL };
	struct asked a;
	size_t i;

	for (i = 0; i < COUNT(polls); i++) {
		IS_INT(parse(&a, polls[i].conf, AT("POST", POLL),
		    "{\"id\":\"a\"}"), NEED_CALL, "a poll of %s",
		    polls[i].name);
		IS_INT(render(&a, open, 5), NEED_CALL, "is decided later");
		IS_INT(a.x->call.id, STORE_CREDENTIAL_ISSUE, "there");
		OK(a.x->call.claim.hash != NULL && a.x->call.claim.salt != NULL,
		    "with a password at hand");
		OK(a.x->call.claim.generation == 7 &&
		    strcmp(a.x->call.claim.tenant, "t") == 0, "for whom it is");
		OK(a.x->call.claim.seal_key == NULL, "unsealed without a key");
		IS_INT(render(&a, polls[i].row, 9), NEED_NOTHING, "and is");
		IS_INT(a.x->reply.status, polls[i].status, "so");
		HAS(buf_text(&a.x->reply.body), polls[i].told, "with this");
		OK((strstr(buf_text(&a.x->reply.body),
		    a.x->issuing.password.text) != NULL) ==
		    (polls[i].status == 201),
		    "the password is told with 201 alone");
		OK((strstr(buf_text(&a.x->reply.head), "Cache-Control: "
		    "no-store\r\n") != NULL) == (polls[i].status == 201),
		    "and kept nowhere then");
		OK(polls[i].status != 404 || strstr(buf_text(&a.x->reply.head),
		    "Retry-After: ") != NULL, "404 says when to ask");
		is_json(&a.x->reply);
		asked_free(&a);
	}
	IS_INT(parse(&a, "", AT("POST", POLL), "{\"id\":\"a\"}"), NEED_CALL,
	    "the first poll of a device");
	IS_INT(render(&a, new, 5), NEED_CALL, "is to be recorded");
	OK(a.x->call.claim.hash == NULL, "and needs no password");
	asked_free(&a);
}

int
main(void)
{
	test_asks();
	test_smartrest();
	test_tenant();
	test_odd_base();
	test_polls();
	return tap_done();
}
