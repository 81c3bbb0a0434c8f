#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "keyring.h"
#include "model.h"
#include "table.h"

static void
print_clean(const char *fmt, va_list ap)
{
	struct buf clean;
	char *text;

	if (vasprintf(&text, fmt, ap) == -1)
		return;
	/* one line each: PostgreSQL's messages end in a newline, or go on */
	text[strcspn(text, "\n")] = '\0';
	buf_init(&clean, 0);
	table_clean(&clean, text, false);
	puts(buf_text(&clean));
	buf_free(&clean);
	free(text);
}

void
check_say(struct check *c, enum verdict verdict, const char *what,
    const char *fmt, ...)
{
	static const char *const word[] = {
		[CHECK_OK] = "ok",
		[CHECK_WARNING] = "warning",
		[CHECK_FAULT] = "FAULT",
	};
	va_list ap;

	if (verdict == CHECK_FAULT)
		c->faults++;
	printf("%-8s %s: ", word[verdict], what);
	va_start(ap, fmt);
	print_clean(fmt, ap);
	va_end(ap);
}

void
check_todo(const char *fmt, ...)
{
	va_list ap;

	fputs("         -> ", stdout);
	va_start(ap, fmt);
	print_clean(fmt, ap);
	va_end(ap);
}

/* Each line of conf_load()'s complaints is a fault. */
static void
say_faults(struct check *c, char *lines)
{
	char *line;

	while ((line = strsep(&lines, "\n")) != NULL)
		if (line[0] != '\0')
			check_say(c, CHECK_FAULT, "configuration", "%s", line);
	check_todo("correct that first, see devcred.conf(5); the rest was "
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
check_file(struct check *c, const char *path)
{
	const struct conf *conf = &c->ctl->conf;
	struct stat st;
	bool secret;

	if (stat(path, &st) == -1) {
		/* conf_load() has taken it that way */
		check_say(c, CHECK_OK, "configuration", "there is no %s; "
		    "defaults and environment are used", path);
		return;
	}
	check_say(c, CHECK_OK, "configuration", "%s is well-formed", path);
	/* what the environment has put in place is not in the file */
	secret = (has_password(conf->database) &&
	    getenv("DEVCRED_DATABASE") == NULL) ||
	    (has_password(conf->app_database) &&
	    getenv("DEVCRED_APP_DATABASE") == NULL);
	if (!secret)
		return;
	if ((st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0) {
		check_say(c, CHECK_FAULT, "file mode", "%s holds a password "
		    "and has mode %04o", path,
		    (unsigned int)st.st_mode & 07777);
		check_todo("chmod 0640 %s, with the service's group", path);
	} else {
		check_say(c, CHECK_OK, "file mode", "%s has mode %04o", path,
		    (unsigned int)st.st_mode & 07777);
	}
}

static void
check_settings(struct check *c)
{
	if (c->ctl->conf.require_tls == 0) {
		check_say(c, CHECK_WARNING, "require_tls", "passwords may "
		    "cross the network in the clear");
		check_todo("require_tls = on, unless no plain HTTP gets here");
	}
}

/* Whether a lost answer can be repeated. */
static void
check_keys(struct check *c)
{
	const char *path = c->ctl->conf.key_file;
	struct keyring *ring;
	struct buf error;

	if (path[0] == '\0' || c->ctl->conf.delivery_window == 0) {
		check_say(c, CHECK_WARNING, "delivery", "single shot: a device "
		    "whose answer is lost is stranded");
		check_todo("set key_file, devcredctl key add");
		return;
	}
	buf_init(&error, 0);
	ring = keyring_load(path, &error);
	if (ring == NULL) {
		check_say(c, CHECK_FAULT, "key file", "%s", buf_text(&error));
		check_todo("devcredctl key add; see devcred.conf(5), The key "
		    "file");
	} else {
		check_say(c, CHECK_OK, "key file", "%s has %zu, of which %s "
		    "seals", path, keyring_count(ring), keyring_current(ring));
	}
	keyring_free(ring);
	buf_free(&error);
}

enum ctl_exit
check(struct ctl *ctl)
{
	struct check c = { ctl, 0 };
	struct buf error;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 0, 0)) != CTL_DONE)
		return rc;
	buf_init(&error, 0);
	if (conf_load(&ctl->conf, ctl->conf_path, &error) == -1) {
		say_faults(&c, error.data);
	} else {
		check_file(&c, conf_path(ctl->conf_path));
		check_settings(&c);
		check_keys(&c);
		check_socket(&c);
		check_database(&c);
	}
	buf_free(&error);
	if (c.faults == 0) {
		puts("no faults");
		return CTL_DONE;
	}
	printf("%d fault%s\n", c.faults, c.faults == 1 ? "" : "s");
	return CTL_FAILED;
}
