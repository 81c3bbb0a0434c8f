#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "prompt.h"
#include "secret.h"
#include "table.h"
#include "text.h"

enum line { LINE_OK, LINE_NONE, LINE_LONG, LINE_NUL, LINE_SIGNAL };

static volatile sig_atomic_t caught;

static void
on_signal(int sig)
{
	caught = sig;
}

/*
 * One line, byte by byte: what follows it belongs to somebody else, and no
 * buffer of the C library shall keep a copy.  mask, if not NULL, lets signals
 * in that are blocked otherwise, so that none comes between a look and a wait.
 */
static enum line
line_read(int fd, char *text, const sigset_t *mask)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	enum line rc = LINE_OK;
	size_t len = 0;
	ssize_t got;
	char c;

	for (;;) {
		if (mask != NULL && ppoll(&p, 1, NULL, mask) == -1) {
			if (caught != 0)
				return LINE_SIGNAL;
			continue;
		}
		got = read(fd, &c, 1);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0 && len == 0)
			return LINE_NONE;
		if (got <= 0 || c == '\n')
			break;
		if (c == '\0')
			rc = LINE_NUL;
		if (len < PROMPT_SIZE - 1)
			text[len++] = c;
		else
			rc = LINE_LONG;
	}
	text[len] = '\0';
	return rc;
}

static enum ctl_exit
line_check(enum line line, const char *what)
{
	switch (line) {
	case LINE_OK:
		return CTL_DONE;
	case LINE_NONE:
		ctl_error("there is no %s on the input", what);
		break;
	case LINE_LONG:
		ctl_error("the %s is longer than %d bytes", what,
		    PROMPT_SIZE - 1);
		break;
	case LINE_NUL:
		ctl_error("the %s holds a NUL character", what);
		break;
	case LINE_SIGNAL:
		break;
	}
	return CTL_FAILED;
}

static void
tty_write(int tty, const char *text)
{
	ssize_t done = write(tty, text, strlen(text));

	(void)done;	/* a terminal that takes no prompt sends no answer */
}

/* Ask without echo; the terminal is as before in the end. */
static enum line
tty_ask(int tty, const char *question, const char *subject, char *text)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	enum { NSIGNALS = sizeof(signals) / sizeof(signals[0]) };
	struct sigaction old[NSIGNALS];
	struct sigaction act;
	sigset_t blocked;
	sigset_t mask;
	struct termios plain;
	struct termios quiet;
	enum line line = LINE_NONE;
	size_t i;

	memset(&act, 0, sizeof(act));
	act.sa_handler = on_signal;
	sigemptyset(&act.sa_mask);
	sigemptyset(&blocked);
	caught = 0;
	for (i = 0; i < NSIGNALS; i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	for (i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &act, &old[i]);
	if (tcgetattr(tty, &plain) == 0) {
		quiet = plain;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
		/* quiet first: who sees the question may answer at once */
		if (tcsetattr(tty, TCSAFLUSH, &quiet) == 0) {
			tty_write(tty, question);
			tty_write(tty, subject);
			tty_write(tty, ": ");
			line = line_read(tty, text, &mask);
		}
		tcsetattr(tty, TCSAFLUSH, &plain);
		tty_write(tty, "\n");
	}
	for (i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &old[i], NULL);
	/* one that came after the line is theirs who were there before */
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (caught != 0)
		raise(caught);
	return line;
}

enum ctl_exit
prompt_stdin(const char *what, char *text)
{
	text[0] = '\0';
	/* somebody who types it there is no reason to show it */
	return line_check(isatty(STDIN_FILENO) ?
	    tty_ask(STDIN_FILENO, "The ", what, text) :
	    line_read(STDIN_FILENO, text, NULL), what);
}

/* The terminal, or -1 with the reason told, and what to use instead. */
static int
tty_open(const char *instead)
{
	int tty;

	if ((tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1) {
		ctl_error("there is no terminal to ask for a password on");
		ctl_advice("use %s", instead);
	}
	return tty;
}

enum ctl_exit
prompt_login(const char *login, char *text)
{
	enum ctl_exit rc;
	int tty;

	text[0] = '\0';
	if ((tty = tty_open("--stdin")) == -1)
		return CTL_FAILED;
	rc = line_check(tty_ask(tty, "Password of ", login, text),
	    "password");
	close(tty);
	return rc;
}

/* Ask twice. */
static enum ctl_exit
tty_password(const char *login, char *text)
{
	char again[PROMPT_SIZE];
	enum ctl_exit rc;
	int tty;

	if ((tty = tty_open("--stdin or --generate")) == -1)
		return CTL_FAILED;
	again[0] = '\0';
	rc = line_check(tty_ask(tty, "New password of ", login, text),
	    "password");
	if (rc == CTL_DONE)
		rc = line_check(tty_ask(tty, "Once more, for ", login, again),
		    "password");
	if (rc == CTL_DONE && (strlen(text) != strlen(again) ||
	    !secret_equal(text, again, strlen(text)))) {
		ctl_error("the two passwords differ");
		rc = CTL_FAILED;
	}
	secret_wipe(again, sizeof(again));
	close(tty);
	return rc;
}

/* What a password must be; NULL if it is. */
static const char *
password_fault(const char *text, long scheme)
{
	size_t len = strlen(text);
	size_t i;

	if (len < PROMPT_PASSWORD_MIN)
		return "a password has at least 8 bytes";
	if (len > PASSWORD_MAX)
		return "a password has at most 511 bytes";
	if (scheme == SCHEME_BCRYPT && len > PROMPT_BCRYPT_MAX)
		return "bcrypt looks at 72 bytes of a password only: take a "
		    "shorter one, or set password_scheme = yescrypt";
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return "a password holds no control characters";
	if (!utf8_valid(text, len, NULL))
		return "a password must be UTF-8 text";
	return NULL;
}

enum ctl_exit
prompt_password(enum prompt_source source, const char *login, long scheme,
    char *text)
{
	struct secret_password made;
	enum ctl_exit rc = CTL_DONE;
	const char *fault;

	text[0] = '\0';
	switch (source) {
	case PROMPT_TERMINAL:
		rc = tty_password(login, text);
		break;
	case PROMPT_STDIN:
		rc = prompt_stdin("password", text);
		break;
	case PROMPT_GENERATE:
		if (secret_password_make(&made) == -1 ||
		    str_copy(text, PROMPT_SIZE, made.text, PASSWORD_CHARS) ==
		    -1) {
			ctl_error("there is no randomness to be had");
			rc = CTL_FAILED;
		}
		secret_wipe(&made, sizeof(made));
		break;
	}
	if (rc != CTL_DONE)
		return rc;
	if ((fault = password_fault(text, scheme)) != NULL) {
		ctl_error("%s", fault);
		return CTL_FAILED;
	}
	return CTL_DONE;
}

enum ctl_exit
prompt_confirm(const struct ctl *ctl, const char *fmt, ...)
{
	char answer[PROMPT_SIZE];
	struct buf clean;
	char *text;
	va_list ap;
	int len;

	if (ctl->yes)
		return CTL_DONE;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len == -1) {
		ctl_error("out of memory");
		return CTL_FAILED;
	}
	buf_init(&clean, 0);
	table_clean(&clean, text, false);
	free(text);
	answer[0] = '\0';
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
		ctl_error("this cannot be undone: %s; nobody is there to ask",
		    buf_text(&clean));
		ctl_advice("--yes if that is meant");
		buf_free(&clean);
		return CTL_USAGE;
	}
	fprintf(stderr, "This cannot be undone: %s.\nGo on? [y/N] ",
	    buf_text(&clean));
	buf_free(&clean);
	if (line_read(STDIN_FILENO, answer, NULL) == LINE_OK &&
	    (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0))
		return CTL_DONE;
	ctl_error("nothing was done");
	return CTL_FAILED;
}
