#include <string.h>

#include "doctor.h"
#include "text.h"

#define REQUESTS	"/devicecontrol/newDeviceRequests"
#define BULK		"/devicecontrol/bulkNewDeviceRequests"
#define JSON		"Content-Type: application/json"
#define FORM		"Content-Type: multipart/form-data; boundary=doctor"

/* What the service answers, and to nobody else. */
#define NO_LOGIN	"A login is needed"
#define BAD_LOGIN	"Bad credentials"
#define ONLY_TLS	"Logins are taken over TLS only"

#define BODY_JSON	((size_t)64 * 1024)	/* what the service takes */
#define BODY_BULK	((size_t)64 * 1024 * 1024)
/* enough to meet Apache's mod_fcgid, which counts what comes */
#define BODY_TRIED	((size_t)256 * 1024)
/* bytes of an id in the path: web servers take 8 KiB with all headers */
#define LONG_ID		7500
#define LONG_CHAR	"%e2%82%ac"

/* The name of a login that nobody has. */
static int
make_login(struct buf *header, const char *request)
{
	struct buf text;
	int rc;

	buf_init(&text, 0);
	buf_printf(&text, "management/%s:%s", request, request);
	buf_puts(header, "Authorization: Basic ");
	base64_encode(header, buf_text(&text), text.len);
	rc = buf_ok(&text) && buf_ok(header) ? 0 : -1;
	buf_free(&text);
	return rc;
}

/* Logins are refused for want of TLS. */
static void
say_no_tls(struct doctor *d, bool https)
{
	if (!https) {
		doctor_say(d, FINDING_FAULT, "TLS", "no login is taken here, "
		    "as this is plain HTTP and require_tls is on");
		doctor_todo(d, "devcred.conf: base_url = https://..., and a "
		    "web server that speaks TLS");
		return;
	}
	doctor_say(d, FINDING_FAULT, "TLS", "the service does not see that "
	    "this is https, and takes no login");
	doctor_cure(d, TRAP_TLS);
	doctor_todo(d, "if something before it ends TLS: devcred.conf: "
	    "trusted_proxy = its address, and there X-Forwarded-Proto: https "
	    "and X-Forwarded-For (nginx: proxy_set_header X-Forwarded-Proto "
	    "$scheme;)");
}

/* What comes of a login that does not exist. */
static void
look_at_login(struct doctor *d, struct web *web)
{
	bool https = strncmp(buf_text(&d->base), "https", 5) == 0;
	struct web_ask get = { .path = "/user/currentUser" };
	struct web_answer answer;
	struct buf login;

	buf_init(&login, 0);
	if (make_login(&login, d->request) == -1)
		goto out;
	get.header[0] = buf_text(&login);
	doctor_ask(d, web, &get, &answer);
	if (doctor_says(&answer, ONLY_TLS)) {
		say_no_tls(d, https);
	} else if (doctor_says(&answer, NO_LOGIN)) {
		doctor_say(d, FINDING_FAULT, "logins", "the Authorization "
		    "header does not come through: every login is refused");
		doctor_cure(d, TRAP_LOGIN);
	} else if (doctor_is_ours(&answer) && answer.status == 503) {
		doctor_say(d, FINDING_FAULT, "logins", "the service answers "
		    "503: it does not get at its database");
		doctor_todo(d, "see app_database above, and the service's log");
	} else if (!doctor_says(&answer, BAD_LOGIN)) {
		doctor_other(d, "logins", &answer, "a login");
		doctor_cure(d, TRAP_LOGIN);
	} else {
		doctor_say(d, FINDING_OK, "logins", "the Authorization header "
		    "comes through");
		if (!https && !answer.loopback && d->ctl->conf.require_tls) {
			doctor_say(d, FINDING_WARNING, "TLS", "a login over "
			    "plain HTTP is taken for one over TLS");
			doctor_todo(d, "see trusted_proxy, and base_url = "
			    "https://...");
		} else if (https && answer.loopback) {
			doctor_say(d, FINDING_OK, "TLS", "asked from this "
			    "machine, where logins need none: ask from another "
			    "one whether devcred sees it");
		}
	}
out:
	buf_free(&login);
}

/* A request that shall be refused by the service, and not before it. */
struct trial {
	const char	*what;
	const char	*asked;		/* for people */
	struct web_ask	 ask;
	const char	*words;		/* of the refusal; NULL: any */
	enum trap	 trap;		/* if somebody else answers */
	enum trap	 inner;		/* or the service does otherwise */
	const char	*bad;		/* and what that means */
};

static bool
try_one(struct doctor *d, struct web *web, const struct trial *t)
{
	struct web_answer answer;

	doctor_ask(d, web, &t->ask, &answer);
	if (answer.result == WEB_TAKEN)
		return true;
	if (!doctor_is_ours(&answer)) {
		doctor_other(d, t->what, &answer, t->asked);
		doctor_cure(d, t->trap == TRAP_BODY && answer.status == 500 &&
		    d->server == SERVER_APACHE ? TRAP_BODY_FCGID : t->trap);
		return false;
	}
	if (t->words == NULL || doctor_says(&answer, t->words))
		return true;
	doctor_say(d, FINDING_FAULT, t->what, "%s %s", t->asked, t->bad);
	doctor_cure(d, t->inner);
	return false;
}

/* Try some, and tell what is good if all of them are. */
static void
try_all(struct doctor *d, struct web *web, const struct trial *trials,
    size_t n, const char *good)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < n; i++)
		ok = try_one(d, web, &trials[i]) && ok;
	if (ok)
		doctor_say(d, FINDING_OK, trials[0].what, "%s", good);
}

static void
look_at_addresses(struct doctor *d, struct web *web)
{
	struct buf path;
	struct trial trials[] = {
		{ "ids", "an id with %2F", { .path = REQUESTS "/doctor%2Fa" },
		    NULL, TRAP_SLASH, TRAP_RAW, "" },
		{ "ids", "an id with %25", { .path = REQUESTS "/doctor%252Fa" },
		    NO_LOGIN, TRAP_SLASH, TRAP_RAW,
		    "reaches the service decoded" },
		{ "ids", "an id of 7,500 bytes", { .path = NULL }, NO_LOGIN,
		    TRAP_LONG, TRAP_LONG, "is cut" },
	};

	buf_init(&path, 0);
	buf_puts(&path, REQUESTS "/");
	while (buf_ok(&path) && path.len < LONG_ID)
		buf_puts(&path, LONG_CHAR);
	trials[2].ask.path = buf_text(&path);
	if (buf_ok(&path))
		try_all(d, web, trials, 3, "slashes, percent signs and long "
		    "ones reach the service as they are sent");
	buf_free(&path);
}

/* On a device that nobody has: should a login be added on the way, so what. */
static void
look_at_methods(struct doctor *d, struct web *web)
{
	struct buf path;
	struct trial trials[] = {
		{ "methods", "PUT", { .method = "PUT",
		    .header = { JSON, "Content-Length: 0" } }, NO_LOGIN,
		    TRAP_METHOD, TRAP_METHOD, "becomes another one" },
		{ "methods", "DELETE", { .method = "DELETE" }, NO_LOGIN,
		    TRAP_METHOD, TRAP_METHOD, "becomes another one" },
		{ "methods", "X-HTTP-METHOD", { .method = "POST",
		    .header = { "X-HTTP-METHOD: PUT", JSON,
		    "Content-Length: 0" } }, NO_LOGIN,
		    TRAP_METHOD, TRAP_OVERRIDE, "does not come through" },
	};
	size_t i;

	buf_init(&path, 0);
	buf_printf(&path, REQUESTS "/%s", d->request);
	for (i = 0; i < 3; i++)
		trials[i].ask.path = buf_text(&path);
	if (buf_ok(&path))
		try_all(d, web, trials, 3, "PUT, DELETE and X-HTTP-METHOD "
		    "come through");
	buf_free(&path);
}

/* Bodies of spaces, which nobody takes for a device. */
static void
look_at_bodies(struct doctor *d, struct web *web)
{
	/* all others look at what is announced */
	bool counts = d->server == SERVER_APACHE || d->server == SERVER_OTHER;
	const struct trial trials[] = {
		{ "bodies", "a body of 64 KiB", { .method = "POST",
		    .path = REQUESTS, .header = { JSON },
		    .announced = BODY_JSON, .sent = BODY_JSON }, NO_LOGIN,
		    TRAP_BODY, TRAP_BODY, "does not come through" },
		{ "bodies", "a bulk upload of 64 MiB", { .method = "POST",
		    .path = BULK, .header = { FORM },
		    .announced = BODY_BULK, .sent = BODY_TRIED,
		    .waits = counts }, NULL,
		    TRAP_BODY, TRAP_BODY, "" },
	};

	try_all(d, web, trials, 2, "64 KiB come through, and nobody refuses "
	    "64 MiB for a bulk upload");
}

void
doctor_trials(struct doctor *d, struct web *web)
{
	look_at_login(d, web);
	look_at_addresses(d, web);
	look_at_methods(d, web);
	look_at_bodies(d, web);
}
