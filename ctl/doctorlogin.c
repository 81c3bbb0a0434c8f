#include <string.h>

#include "doctor.h"
#include "text.h"

#define WHAT	"login"
#define SELF	"\"self\":\""

/* Whether the link that an answer has of itself leads back to us. */
static void
look_at_link(struct doctor *d, const struct web_answer *answer,
    const char *path)
{
	const char *self = strstr(answer->body, SELF);
	const char *base = buf_text(&d->base);
	size_t len = strlen(base);

	if (self == NULL)
		return;
	self += strlen(SELF);
	if (strncmp(self, base, len) == 0 &&
	    strncmp(self + len, path, strlen(path)) == 0) {
		doctor_say(d, FINDING_OK, "links", "begin with %s", base);
		return;
	}
	doctor_say(d, FINDING_FAULT, "links", "lead to %.*s, not to %s%s",
	    (int)strcspn(self, "\""), self, base, path);
	len -= strlen(d->ctl->conf.path_prefix);
	doctor_todo(d, "devcred.conf: base_url = %.*s", (int)len, base);
	if (d->ctl->conf.base_url[0] == '\0')
		doctor_cure(d, TRAP_HOST);
}

/* GET as that user; the answer is told if it is no good. */
static bool
get(struct doctor *d, struct web *web, const char *login, const char *path,
    struct web_answer *answer)
{
	const struct web_ask ask = { .path = path, .header = { login } };

	doctor_ask(d, web, &ask, answer);
	if (answer->status == 200)
		return true;
	if (!doctor_is_ours(answer)) {
		doctor_other(d, WHAT, answer, path);
		doctor_cure(d, TRAP_PATHS);
	} else if (answer->status == 401) {
		doctor_say(d, FINDING_FAULT, WHAT, "%s and this password are "
		    "refused", d->user);
		doctor_todo(d, "devcredctl user list; devcredctl user passwd "
		    "%s", d->user);
	} else if (answer->status == 403) {
		doctor_say(d, FINDING_FAULT, WHAT, "%s may not GET %s",
		    d->user, path);
		doctor_todo(d, "take a user with the role READ or ADMIN");
	} else {
		doctor_say(d, FINDING_FAULT, WHAT, "GET %s is answered %d",
		    path, answer->status);
		doctor_todo(d, "see the service's log");
	}
	return false;
}

void
doctor_login(struct doctor *d, struct web *web)
{
	struct web_answer answer;
	struct buf text;
	struct buf login;

	buf_init(&text, 0);
	buf_init(&login, 0);
	buf_printf(&text, "%s:%s", d->user, d->password);
	buf_puts(&login, "Authorization: Basic ");
	base64_encode(&login, buf_text(&text), text.len);
	if (!buf_ok(&text) || !buf_ok(&login)) {
		doctor_say(d, FINDING_FAULT, WHAT, "out of memory");
	} else if (get(d, web, buf_text(&login), "/user/currentUser",
	    &answer)) {
		look_at_link(d, &answer, "/user/currentUser");
		if (get(d, web, buf_text(&login), "/tenant/currentTenant",
		    &answer) &&
		    get(d, web, buf_text(&login),
		    "/devicecontrol/newDeviceRequests?pageSize=1", &answer))
			doctor_say(d, FINDING_OK, WHAT, "%s logs in, and sees "
			    "requests", d->user);
	}
	buf_free(&text);
	buf_free(&login);
}
