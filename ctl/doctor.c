#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor.h"
#include "keyring.h"
#include "model.h"
#include "names.h"
#include "prompt.h"
#include "secret.h"
#include "table.h"
#include "text.h"

/* What is told of each thing looked at; todo is a list. */
static const struct result_column columns[] = {
	{ "finding", NULL, RESULT_TEXT },
	{ "what", NULL, RESULT_TEXT },
	{ "text", NULL, RESULT_TEXT },
	{ "todo", NULL, RESULT_JSON },
	RESULT_END
};

static void
write_clean(struct buf *clean, const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) == -1)
		return;
	/* one line each: PostgreSQL's messages end in a newline, or go on */
	text[strcspn(text, "\n")] = '\0';
	table_clean(clean, text, false);
	free(text);
}

/* The last finding has all that is to be done about it. */
static void
end_finding(struct doctor *d)
{
	if (d->findings.ncells == 0)
		return;
	buf_putc(&d->todo, ']');
	result_add(&d->findings, buf_text(&d->todo));
}

void
doctor_say(struct doctor *d, enum finding finding, const char *what,
    const char *fmt, ...)
{
	static const char *const word[] = {
		[FINDING_OK] = "ok",
		[FINDING_WARNING] = "warning",
		[FINDING_FAULT] = "FAULT",
	};
	struct buf clean;
	va_list ap;

	if (finding == FINDING_FAULT)
		d->faults++;
	buf_init(&clean, 0);
	va_start(ap, fmt);
	write_clean(&clean, fmt, ap);
	va_end(ap);
	if (d->ctl->json) {
		end_finding(d);
		result_add(&d->findings, word[finding]);
		result_add(&d->findings, what);
		result_add(&d->findings, buf_text(&clean));
		buf_reset(&d->todo);
		buf_putc(&d->todo, '[');
	} else {
		printf("%-8s %s: %s\n", word[finding], what,
		    buf_text(&clean));
		fflush(stdout);		/* the next one may take its time */
	}
	buf_free(&clean);
}

void
doctor_todo(struct doctor *d, const char *fmt, ...)
{
	struct buf clean;
	va_list ap;

	buf_init(&clean, 0);
	va_start(ap, fmt);
	write_clean(&clean, fmt, ap);
	va_end(ap);
	if (d->ctl->json) {
		if (d->todo.len > 1)
			buf_putc(&d->todo, ',');
		json_quote(&d->todo, buf_text(&clean));
	} else {
		printf("         -> %s\n", buf_text(&clean));
	}
	buf_free(&clean);
}

void
doctor_clock(struct doctor *d, const char *whose, int64_t theirs,
    int64_t ours)
{
	int64_t apart = theirs > ours ? theirs - ours : ours - theirs;

	if (apart <= DOCTOR_CLOCK) {
		doctor_say(d, FINDING_OK, "clock", "%s's is right", whose);
		return;
	}
	doctor_say(d, FINDING_WARNING, "clock", "%s's is %lld s %s this "
	    "machine's", whose, (long long)apart, theirs > ours ? "ahead of" :
	    "behind");
	doctor_todo(d, "keep both with NTP: timedatectl set-ntp true");
}

/* Each line of conf_load()'s complaints is a fault. */
static void
say_faults(struct doctor *d, char *lines)
{
	char *line;

	while ((line = strsep(&lines, "\n")) != NULL)
		if (line[0] != '\0')
			doctor_say(d, FINDING_FAULT, "configuration", "%s",
			    line);
	doctor_todo(d, "correct that first, see devcred.conf(5); the rest was "
	    "not looked at");
}

/* Whether a connection string holds a password. */
static bool
has_password(const char *conninfo)
{
	const char *at;

	if (strstr(conninfo, "password") != NULL)
		return true;
	/* postgresql://user:password@host/ */
	if ((at = strstr(conninfo, "://")) == NULL)
		return false;
	at += 3;
	at += strcspn(at, ":@/?");
	return at[0] == ':' && at[strcspn(at, "@/?")] == '@';
}

static void
look_at_file(struct doctor *d, const char *path)
{
	const struct conf *conf = &d->ctl->conf;
	struct stat st;
	bool secret;

	if (stat(path, &st) == -1) {
		/* conf_load() has taken it that way */
		doctor_say(d, FINDING_OK, "configuration", "there is no %s; "
		    "defaults and environment are used", path);
		return;
	}
	doctor_say(d, FINDING_OK, "configuration", "%s is well-formed", path);
	/* what the environment has put in place is not in the file */
	secret = (has_password(conf->database) &&
	    getenv("DEVCRED_DATABASE") == NULL) ||
	    (has_password(conf->app_database) &&
	    getenv("DEVCRED_APP_DATABASE") == NULL);
	if (!secret)
		return;
	if ((st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0) {
		doctor_say(d, FINDING_FAULT, "file mode", "%s holds a password "
		    "and has mode %04o", path,
		    (unsigned int)st.st_mode & 07777);
		doctor_todo(d, "chmod 0640 %s, with the service's group", path);
	} else {
		doctor_say(d, FINDING_OK, "file mode", "%s has mode %04o", path,
		    (unsigned int)st.st_mode & 07777);
	}
}

static void
look_at_settings(struct doctor *d)
{
	if (d->ctl->conf.require_tls == 0) {
		doctor_say(d, FINDING_WARNING, "require_tls", "passwords may "
		    "cross the network in the clear");
		doctor_todo(d, "require_tls = on, unless no plain HTTP gets "
		    "here");
	}
}

/* Whether a lost answer can be repeated. */
static void
look_at_keys(struct doctor *d)
{
	const char *path = d->ctl->conf.key_file;
	struct keyring *ring;
	struct buf error;

	if (path[0] == '\0' || d->ctl->conf.delivery_window == 0) {
		doctor_say(d, FINDING_WARNING, "delivery", "single shot: a "
		    "device whose answer is lost is stranded");
		doctor_todo(d, "set key_file, devcredctl key add");
		return;
	}
	buf_init(&error, 0);
	ring = keyring_load(path, &error);
	if (ring == NULL) {
		doctor_say(d, FINDING_FAULT, "key file", "%s",
		    buf_text(&error));
		doctor_todo(d, "devcredctl key add; see devcred.conf(5), The "
		    "key file");
	} else {
		doctor_say(d, FINDING_OK, "key file", "%s has %zu, of which %s "
		    "seals", path, keyring_count(ring), keyring_current(ring));
	}
	keyring_free(ring);
	buf_free(&error);
}

/* All of it; the configuration is read already. */
static void
examine(struct doctor *d)
{
	look_at_file(d, conf_path(d->ctl->conf_path));
	look_at_settings(d);
	look_at_keys(d);
	doctor_socket(d);
	doctor_database(d);
	doctor_web(d);
}

/* The options; a password is asked for before anything else is done. */
static enum ctl_exit
take_options(struct doctor *d, char *password)
{
	bool from_stdin = false;
	const struct ctl_option options[] = {
		{ "url", NULL, &d->url, NULL },
		{ "ca", NULL, &d->ca, NULL },
		{ "user", NULL, &d->user, NULL },
		{ "stdin", &from_stdin, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct name_login login;
	enum ctl_exit rc;

	if ((rc = ctl_args(d->ctl, options, 0, 0)) != CTL_DONE)
		return rc;
	if (d->url != NULL && !link_base_valid(d->url))
		return ctl_usage(d->ctl, "--url must be an address such as "
		    "https://host:8443/iot");
	if (d->user == NULL)
		return from_stdin ? ctl_usage(d->ctl, "--stdin is for the "
		    "password of --user") : CTL_DONE;
	if (name_login(d->user, &login) == -1)
		return CTL_FAILED;
	d->password = password;
	return from_stdin ? prompt_stdin("password", password) :
	    prompt_login(d->user, password);
}

/* The end of it, and the exit status. */
static enum ctl_exit
tell_all(struct doctor *d)
{
	if (d->ctl->json) {
		end_finding(d);
		if (result_list(&d->findings) != CTL_DONE)
			return CTL_FAILED;
	} else if (d->faults == 0) {
		puts("no faults");
	} else {
		printf("%d fault%s\n", d->faults, d->faults == 1 ? "" : "s");
	}
	return d->faults == 0 ? CTL_DONE : CTL_FAILED;
}

enum ctl_exit
doctor(struct ctl *ctl)
{
	struct doctor d;
	struct buf error;
	char password[PROMPT_SIZE];
	enum ctl_exit rc;

	memset(&d, 0, sizeof(d));
	d.ctl = ctl;
	buf_init(&d.base, 0);
	buf_init(&d.todo, 0);
	result_init(&d.findings, ctl, columns);
	buf_init(&error, 0);
	password[0] = '\0';
	if ((rc = take_options(&d, password)) != CTL_DONE)
		goto out;
	if (conf_load(&ctl->conf, ctl->conf_path, &error) == -1)
		say_faults(&d, error.data);
	else
		examine(&d);
	rc = tell_all(&d);
out:
	secret_wipe(password, sizeof(password));
	buf_free(&error);
	buf_free(&d.base);
	buf_free(&d.todo);
	result_free(&d.findings);
	return rc;
}
