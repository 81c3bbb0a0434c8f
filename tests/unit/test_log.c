#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "log.h"
#include "tap.h"

#define BYTES	(1 << 16)

static int pipes[2];
static int saved;

/* What went to standard error since the last time; to be freed. */
static char *
taken(void)
{
	char *text = calloc(1, BYTES);
	ssize_t n;

	/* a byte of our own, so that read() does not wait for the first */
	if (text == NULL || write(STDERR_FILENO, "\f", 1) != 1 ||
	    (n = read(pipes[0], text, BYTES - 1)) < 1) {
		puts("Bail out! no pipe");
		exit(1);
	}
	text[n - 1] = '\0';
	return text;
}

/* Standard error goes to the pipe only while a line is written. */
static char *
logged(const char *value)
{
	char *text;

	fflush(stderr);
	dup2(pipes[1], STDERR_FILENO);
	log_event(LOG_LEVEL_INFO, "event", "key", value, NULL);
	text = taken();
	dup2(saved, STDERR_FILENO);
	return text;
}

static const struct {
	const char	*name;
	const char	*value;
	const char	*line;		/* after the process id */
} values[] = {
	{ "a word", "abc-._/:1", "key=abc-._/:1" },
	{ "an empty value", "", "key=\"\"" },
	{ "a space", "a b", "key=\"a b\"" },
	{ "a quote", "a\"b", "key=\"a\\\"b\"" },
	{ "a backslash", "a\\b", "key=\"a\\\\b\"" },
	{ "an equals sign", "a=b", "key=\"a=b\"" },
	{ "a new line that forges an event", "x\ndevcred[1]: info ok",
	  "key=\"x\\ndevcred[1]: info ok\"" },
	{ "newlines at its end, as libpq's", "away\n\n", "key=away" },
	{ "nothing but newlines", "\n\n", "key=\"\"" },
	{ "a carriage return", "a\rb", "key=\"a\\x0db\"" },
	{ "an escape sequence", "\x1b[2J", "key=\"\\x1b[2J\"" },
	{ "a tab", "a\tb", "key=\"a\\x09b\"" },
	{ "DEL", "a\x7f", "key=\"a\\x7f\"" },
	{ "a format", "%s%n", "key=%s%n" },
	{ "no value", NULL, NULL },
};

static void
test_values(void)
{
	char want[256];
	char *line;
	size_t i;

	for (i = 0; i < COUNT(values); i++) {
		line = logged(values[i].value);
		snprintf(want, sizeof(want), "unit[%ld]: info event%s%s\n",
		    (long)getpid(), values[i].line != NULL ? " " : "",
		    values[i].line != NULL ? values[i].line : "");
		IS_STR(line, want, "%s", values[i].name);
		free(line);
	}
}

static const struct {
	const char	*name;
	const char	*value;
} raw[] = {
	{ "a C1 control (CSI) as UTF-8", "\xc2\x9b" "2J" },
	{ "a C1 control as a byte", "\x9b" "2J" },
	{ "a byte that is no UTF-8", "a\xff" },
};

static void
test_raw(void)
{
	char *line;
	size_t i;

	for (i = 0; i < COUNT(raw); i++) {
		line = logged(raw[i].value);
		OK(strstr(line, raw[i].value) == NULL,
		    "%s does not reach the log as it is", raw[i].name);
		free(line);
	}
}

/* A line stays one line, whatever the length of what it tells. */
static void
one_line(const char *unit)
{
	size_t bad = 0;
	char *value;
	char *line;
	char *end;
	size_t n;

	for (n = 3960; n < 4120; n++) {
		value = repeated(unit, n / strlen(unit));
		line = logged(value);
		end = strchr(line, '\n');
		if (bad == 0 && (end == NULL || end[1] != '\0'))
			bad = n;
		free(line);
		free(value);
	}
	IS_INT((long long)bad, 0, "values of \"%s\" around 4096 bytes end in "
	    "one newline", unit);
}

static void
test_length(void)
{
	char *value = repeated("long ", 4000);
	char *line = logged(value);

	OK(strlen(line) <= 4096, "a line has 4096 bytes at most, not %zu",
	    strlen(line));
	OK(strlen(line) > 5 && strcmp(line + strlen(line) - 5, " ...\n") == 0,
	    "and shows that it goes on");
	free(line);
	free(value);
	one_line("x");
	one_line("x y");
	one_line("\"");
}

static void
test_levels(void)
{
	enum log_level i;
	enum log_level k;
	char *line;
	bool right = true;

	for (i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		log_setup("unit", i);
		for (k = LOG_LEVEL_ERROR; k <= LOG_LEVEL_DEBUG; k++)
			right = right && log_wants(k) == (k <= i);
	}
	OK(right, "a level wants those up to its own");
	log_setup("unit", LOG_LEVEL_WARNING);
	line = logged("x");
	IS_STR(line, "", "others are not written");
	free(line);
	log_setup("unit", LOG_LEVEL_INFO);
	errno = ENOENT;
	log_event(LOG_LEVEL_DEBUG, "event", NULL);
	IS_INT(errno, ENOENT, "errno is kept");
}

/* The first is a warning, then none for a second. */
static void
test_seldom(void)
{
	int warnings = 0;
	int i;

	for (i = 0; i < 100; i++)
		warnings += log_seldom() == LOG_LEVEL_WARNING;
	OK(warnings > 0 && warnings < 10, "of a hundred at once one warns");
}

int
main(void)
{
	if (pipe(pipes) == -1 || (saved = dup(STDERR_FILENO)) == -1) {
		puts("Bail out! no pipe");
		return 1;
	}
	log_setup("unit", LOG_LEVEL_INFO);
	test_values();
	test_raw();
	test_length();
	test_levels();
	test_seldom();
	return tap_done();
}
