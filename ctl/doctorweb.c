#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "secret.h"

#define WHAT		"paths"
#define REQUESTS	"/devicecontrol/newDeviceRequests"

bool
doctor_is_ours(const struct web_answer *answer)
{
	return answer->result == WEB_ANSWERED &&
	    strstr(answer->body, "\"error\":\"") != NULL &&
	    strstr(answer->body, "#error_reporting\"") != NULL;
}

bool
doctor_says(const struct web_answer *answer, const char *words)
{
	return doctor_is_ours(answer) && strstr(answer->body, words) != NULL;
}

void
doctor_other(struct doctor *d, const char *what,
    const struct web_answer *answer, const char *asked)
{
	const char *who = doctor_server_name(doctor_server(answer));

	if (answer->result == WEB_TAKEN || answer->status == 0)
		doctor_say(d, FINDING_FAULT, what, "%s is not answered: %s",
		    asked, answer->reason);
	else if (answer->location[0] != '\0')
		doctor_say(d, FINDING_FAULT, what, "%s is answered %d by %s, "
		    "which sends to %s", asked, answer->status, who,
		    answer->location);
	else
		doctor_say(d, FINDING_FAULT, what, "%s is answered %d by %s, "
		    "not by devcred", asked, answer->status, who);
}

void
doctor_ask(struct doctor *d, struct web *web, const struct web_ask *what,
    struct web_answer *answer)
{
	struct web_ask with = *what;
	struct buf id;
	int i = 0;

	buf_init(&id, 0);
	buf_printf(&id, "X-Request-Id: %s", d->request);
	while (i < WEB_HEADERS - 1 && with.header[i] != NULL)
		i++;
	with.header[i] = buf_text(&id);
	web_send(web, &with, answer);
	buf_free(&id);
}

/* What the URL itself is good for. */
static void
say_unreachable(struct doctor *d, const char *url,
    const struct web_answer *answer)
{
	static const struct {
		const char *fault, *todo;
	} words[] = {
		[WEB_NO_NAME] = { "the name is not known",
		    "enter it in the DNS, or in /etc/hosts of this machine" },
		[WEB_REFUSED] = { "nobody accepts connections there",
		    "start the web server, and see what port it listens on" },
		[WEB_SLOW] = { "there is no answer in time",
		    "see whether a firewall drops what goes there" },
		[WEB_CERT_EXPIRED] = { "the certificate has expired",
		    "renew it, and reload the web server" },
		[WEB_CERT_EARLY] = { "the certificate is not valid yet",
		    "see to the clock of this machine, else take another "
		    "certificate" },
		[WEB_CERT_NAME] = { "the certificate is that of another name",
		    "take one with this name, or the URL that it is for" },
		[WEB_CERT_SELF] = { "the certificate is signed by itself",
		    "take one of a CA; devices would have to trust this one by "
		    "itself, and --ca FILE does so here" },
		[WEB_CERT_UNKNOWN] = { "the certificate is of a CA that is not "
		    "trusted here",
		    "have the web server send the whole chain; --ca FILE "
		    "trusts a CA of your own" },
		[WEB_CERT_OTHER] = { "the certificate is no good",
		    "take another one" },
		[WEB_NO_TLS] = { "no TLS connection comes about",
		    "have the web server speak TLS on that port" },
		[WEB_NO_CA] = { "the file of --ca cannot be used",
		    "name a file with certificates in PEM form" },
		[WEB_FAILED] = { "there is no answer",
		    "see the web server's error log" },
	};

	doctor_say(d, FINDING_FAULT, "URL", "%s: %s (%s)", url,
	    words[answer->result].fault, answer->reason);
	doctor_todo(d, "%s", words[answer->result].todo);
}

/* One path of each that has to be mapped, with a request it refuses. */
static const char *const mapped[] = {
	REQUESTS, "/tenant/currentTenant", "/user/currentUser",
	"/s", "/devcred/credentials"
};
#define NMAPPED	(sizeof(mapped) / sizeof(mapped[0]))

/* Somebody else answers for a path: is it as if the service were not there? */
static bool
is_gateway(const struct web_answer *answer)
{
	return !doctor_is_ours(answer) && (answer->status == 500 ||
	    (answer->status >= 502 && answer->status <= 504));
}

/* Paths that somebody else answers for, in one way. */
struct unmapped {
	struct buf	 paths;
	int		 n;
	int		 status;	/* of the first one */
	enum server	 server;
};

static void
add_unmapped(struct unmapped *un, const char *path,
    const struct web_answer *answer)
{
	if (un->n++ == 0) {
		un->status = answer->status;
		un->server = doctor_server(answer);
	} else {
		buf_puts(&un->paths, ", ");
	}
	/* its first segment, with the slash before */
	buf_add(&un->paths, path, 1 + strcspn(path + 1, "/"));
}

static void
say_unmapped(struct doctor *d, const struct unmapped *un)
{
	doctor_say(d, FINDING_FAULT, WHAT, "%s %s answered %d by %s, not by "
	    "devcred", buf_text(&un->paths), un->n == 1 ? "is" : "are",
	    un->status, doctor_server_name(un->server));
	doctor_cure(d, un->status == 401 ? TRAP_PAGES : TRAP_PATHS);
	if (un->n == (int)NMAPPED)
		doctor_todo(d, "or another URL, if devcred is somewhere else");
}

/* Whether there is no use in asking for other paths. */
static bool
is_hopeless(struct doctor *d, const char *path,
    const struct web_answer *answer)
{
	if (doctor_is_ours(answer))
		return false;
	if (is_gateway(answer)) {
		doctor_gateway(d, answer);
		return true;
	}
	if (answer->location[0] == '\0' && answer->status != 0)
		return false;
	doctor_other(d, WHAT, answer, path);
	doctor_todo(d, answer->status == 0 ? "see the web server's error log" :
	    "devcred.conf: base_url = what it is sent to, if devices shall go "
	    "there");
	return true;
}

/* Whether the service answers for its paths, or at least for the first. */
static bool
look_at_paths(struct doctor *d, struct web *web)
{
	struct unmapped un = { .n = 0 };
	struct web_answer answer;
	bool ours = true;
	size_t i;

	buf_init(&un.paths, 0);
	for (i = 0; i < NMAPPED; i++) {
		const struct web_ask get = { .path = mapped[i] };

		doctor_ask(d, web, &get, &answer);
		if (is_hopeless(d, mapped[i], &answer)) {
			ours = false;
			break;
		}
		if (!doctor_is_ours(&answer)) {
			ours = ours && i > 0;
			add_unmapped(&un, mapped[i], &answer);
		}
	}
	if (un.n > 0)
		say_unmapped(d, &un);
	else if (ours)
		doctor_say(d, FINDING_OK, WHAT, "/devicecontrol, /tenant, "
		    "/user, /s and /devcred lead to devcred");
	buf_free(&un.paths);
	return ours;
}

static void
look_at_request_id(struct doctor *d, const struct web_answer *answer)
{
	if (strcmp(answer->request_id, d->request) == 0) {
		doctor_say(d, FINDING_OK, "request id", "X-Request-Id comes "
		    "through, and back");
	} else if (answer->request_id[0] == '\0') {
		doctor_say(d, FINDING_WARNING, "request id", "answers have no "
		    "X-Request-Id");
		doctor_cure(d, TRAP_ID_OUT);
	} else {
		doctor_say(d, FINDING_WARNING, "request id", "the client's "
		    "X-Request-Id does not come through; good, if you want "
		    "none but your own");
		doctor_cure(d, TRAP_ID_IN);
	}
}

/* Whether links lead to where we ask. */
static void
look_at_base(struct doctor *d)
{
	const char *base = d->ctl->conf.base_url;
	const char *url = d->url;
	size_t len;

	if (url == NULL || base[0] == '\0')
		return;
	for (len = strlen(url); len > 0 && url[len - 1] == '/'; len--)
		continue;
	if (strncmp(base, url, len) == 0 && strspn(base + len, "/") ==
	    strlen(base + len))
		return;
	doctor_say(d, FINDING_WARNING, "base_url", "links begin with %s, not "
	    "with %s", base, url);
	doctor_todo(d, "devcred.conf: base_url = %s, if that is what devices "
	    "use", url);
}

/* Whether a server that speaks TLS there was asked without. */
static bool
wants_tls(const struct web_answer *answer)
{
	return answer->status == 400 &&
	    (strstr(answer->body, "HTTPS port") != NULL ||
	    strstr(answer->body, "SSL-enabled server port") != NULL);
}

/* Somebody answers at the URL: ask the rest. */
static void
look_behind(struct doctor *d, struct web *web, const char *url,
    const struct web_answer *first)
{
	bool ours = doctor_is_ours(first);

	d->server = doctor_server(first);
	if (wants_tls(first)) {
		doctor_say(d, FINDING_FAULT, "URL", "%s is asked without TLS "
		    "at %s", doctor_server_name(d->server), url);
		doctor_todo(d, "devcred.conf: base_url = https:%s, or --url "
		    "with that", url + strcspn(url, ":") + 1);
		return;
	}
	doctor_say(d, FINDING_OK, "URL", "%s answers at %s%s",
	    doctor_server_name(d->server), url,
	    strncmp(url, "https", 5) == 0 ? ", with a valid certificate" : "");
	look_at_base(d);
	if (first->dated != -1)
		doctor_clock(d, "the web server", first->dated, first->at);
	if (ours)
		look_at_request_id(d, first);
	if (!look_at_paths(d, web))
		return;
	doctor_trials(d, web);
	if (d->user != NULL)
		doctor_login(d, web);
}

void
doctor_web(struct doctor *d)
{
	const char *url = d->url != NULL ? d->url : d->ctl->conf.base_url;
	const struct web_ask get = { .path = REQUESTS };
	struct web_answer answer;
	unsigned char random[8];
	struct buf text;
	struct web *web;

	if (url[0] == '\0') {
		/* who gave a login wanted it to be tried */
		doctor_say(d, d->user != NULL ? FINDING_FAULT : FINDING_OK,
		    "URL", "not tried, as base_url is not set");
		doctor_todo(d, "devcredctl doctor --url URL also looks at the "
		    "way through the web server");
		return;
	}
	buf_init(&text, 0);
	buf_puts(&d->base, url);
	while (d->base.len > 0 && d->base.data[d->base.len - 1] == '/')
		d->base.data[--d->base.len] = '\0';
	buf_puts(&d->base, d->ctl->conf.path_prefix);
	web = web_new(buf_text(&d->base), d->ca);
	if (web == NULL || !buf_ok(&d->base) ||
	    secret_random(random, sizeof(random)) == -1) {
		doctor_say(d, FINDING_FAULT, "URL", "out of memory");
		goto out;
	}
	buf_puts(&text, "doctor-");
	buf_hex(&text, random, sizeof(random));
	snprintf(d->request, sizeof(d->request), "%s", buf_text(&text));
	doctor_ask(d, web, &get, &answer);
	if (answer.result == WEB_ANSWERED)
		look_behind(d, web, buf_text(&d->base), &answer);
	else
		say_unreachable(d, buf_text(&d->base), &answer);
out:
	web_free(web);
	buf_free(&text);
}
