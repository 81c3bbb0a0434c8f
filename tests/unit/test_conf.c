#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "fixture.h"
#include "log.h"
#include "tap.h"

static char path[] = "/tmp/devcred-conf-XXXXXX";

/* Load a file of these bytes; -1 with what was said in error. */
static int
load(struct conf *conf, const void *bytes, size_t len, struct buf *error)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0) {
		puts("Bail out! cannot write a file");
		exit(1);
	}
	buf_init(error, 0);
	return conf_load(conf, path, error);
}

static int
load_text(struct conf *conf, const char *text, struct buf *error)
{
	return load(conf, text, strlen(text), error);
}

#define AT(member) offsetof(struct conf, member)

static const struct {
	const char	*name;
	size_t		 offset;
	long		 min;
	long		 max;
	long		 preset;
} numbers[] = {
	{ "workers", AT(workers), 0, 64, 0 },
	{ "verifiers", AT(verifiers), 1, 16, 1 },
	{ "login_cache", AT(login_cache), 0, 60, 5 },
	{ "retry_after", AT(retry_after), 1, 3600, 5 },
	{ "retry_after_max", AT(retry_after_max), 1, 86400, 1800 },
	{ "token_attempts", AT(token_attempts), 1, 100, 5 },
	{ "db_timeout", AT(db_timeout), 100, 60000, 4000 },
	{ "body_timeout", AT(body_timeout), 100, 600000, 10000 },
};

static const struct {
	const char	*name;
	size_t		 offset;
	const char	*word;
	long		 value;
	long		 preset;
} words[] = {
	{ "api_profile", AT(api_profile), "current", PROFILE_CURRENT,
	  PROFILE_CLASSIC },
	{ "require_tls", AT(require_tls), "off", 0, 1 },
	{ "poll_detail", AT(poll_detail), "off", 0, 1 },
	{ "db_prepare", AT(db_prepare), "off", 0, 1 },
	{ "password_scheme", AT(password_scheme), "bcrypt", SCHEME_BCRYPT,
	  SCHEME_YESCRYPT },
	{ "log_level", AT(log_level), "debug", LOG_LEVEL_DEBUG,
	  LOG_LEVEL_INFO },
};

static long
number_at(const struct conf *conf, size_t offset)
{
	long num;

	memcpy(&num, (const char *)conf + offset, sizeof(num));
	return num;
}

static void
try_number(size_t i, long value, bool good)
{
	struct buf error;
	struct conf conf;
	char line[80];

	snprintf(line, sizeof(line), "%s = %ld\n", numbers[i].name, value);
	IS_INT(load_text(&conf, line, &error), good ? 0 : -1,
	    "%s may be %ld or not", numbers[i].name, value);
	IS_INT(number_at(&conf, numbers[i].offset),
	    good ? value : numbers[i].preset, "and is what it was set to");
	if (!good)
		HAS(buf_text(&error), numbers[i].name, "the error names it");
	conf_free(&conf);
	buf_free(&error);
}

static void
test_values(void)
{
	struct buf error;
	struct conf conf;
	char line[80];
	size_t i;

	for (i = 0; i < COUNT(numbers); i++) {
		try_number(i, numbers[i].min, true);
		try_number(i, numbers[i].max, true);
		try_number(i, numbers[i].min - 1, false);
		try_number(i, numbers[i].max + 1, false);
	}
	for (i = 0; i < COUNT(words); i++) {
		snprintf(line, sizeof(line), "%s = %s\n", words[i].name,
		    words[i].word);
		IS_INT(load_text(&conf, line, &error), 0, "%s", line);
		IS_INT(number_at(&conf, words[i].offset), words[i].value,
		    "means what it says");
		conf_free(&conf);
		buf_free(&error);
		snprintf(line, sizeof(line), "%s = %sx\n", words[i].name,
		    words[i].word);
		IS_INT(load_text(&conf, line, &error), -1, "%s", line);
		conf_free(&conf);
		buf_free(&error);
	}
}

static void
is_default(const struct conf *conf, const char *where)
{
	size_t i;

	for (i = 0; i < COUNT(numbers); i++)
		IS_INT(number_at(conf, numbers[i].offset), numbers[i].preset,
		    "%s: %s has its default", where, numbers[i].name);
	for (i = 0; i < COUNT(words); i++)
		IS_INT(number_at(conf, words[i].offset), words[i].preset,
		    "%s: %s has its default", where, words[i].name);
	IS_INT(conf->socket_mode, 0660, "%s: socket_mode", where);
	IS_STR(conf->socket, "/run/devcred/fcgi.sock", "%s: socket", where);
	IS_STR(conf->default_tenant, "management", "%s: tenant", where);
	IS_STR(conf->app_database, "dbname=devcred", "%s: database", where);
	IS_STR(conf->database, "dbname=devcred", "%s: database", where);
	IS_STR(conf->socket_group, "", "%s: socket_group", where);
	IS_STR(conf->base_url, "", "%s: base_url", where);
	IS_STR(conf->path_prefix, "", "%s: path_prefix", where);
	IS_STR(conf->key_file, "", "%s: key_file", where);
	IS_STR(conf->trusted_proxy, "", "%s: trusted_proxy", where);
	IS_STR(conf->health_from, "127.0.0.1 ::1", "%s: health_from", where);
	IS_STR(conf->ready_from, "127.0.0.1 ::1", "%s: ready_from", where);
	IS_STR(conf->metrics_from, "127.0.0.1 ::1", "%s: metrics_from", where);
}

/* The sample as it is, and with the mark taken from each setting. */
static void
test_sample(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct buf error;
	struct conf conf;
	size_t lines = 0;
	char *p;

	conf_sample(f);
	fclose(f);
	IS_INT(load_text(&conf, text, &error), 0, "the sample can be read");
	is_default(&conf, "sample");
	conf_free(&conf);
	buf_free(&error);
	for (p = text; (p = strchr(p, '\n')) != NULL; p++)
		if (p[1] == '#' && p[2] != ' ') {
			p[1] = ' ';
			lines++;
		}
	OK(lines > COUNT(numbers) + COUNT(words), "it has %zu settings", lines);
	IS_INT(load_text(&conf, text, &error), 0, "which are all known");
	IS_STR(buf_text(&error), "", "and nothing is said of them");
	is_default(&conf, "sample without marks");
	conf_free(&conf);
	buf_free(&error);
	free(text);
}

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char	*name;
	const char	*bytes;
	size_t		 len;
	const char	*error;		/* part of it; NULL: none */
	const char	*socket;	/* what it is then; NULL: whatever */
} files[] = {
	{ "an empty file", BYTES(""), NULL, "/run/devcred/fcgi.sock" },
	{ "comments and empty lines", BYTES("# a = b\n\n  \t\n  # c\n"), NULL,
	  "/run/devcred/fcgi.sock" },
	{ "white space around all", BYTES(" \tsocket\t =  /s  \n"), NULL,
	  "/s" },
	{ "no white space", BYTES("socket=/s"), NULL, "/s" },
	{ "lines of Windows", BYTES("socket = /s\r\n# x\r\n"), NULL, "/s" },
	{ "'=' in a value", BYTES("socket = a=b = c"), NULL, "a=b = c" },
	{ "'#' in a value", BYTES("socket = a # b"), NULL, "a # b" },
	{ "an empty value", BYTES("socket =\n"), NULL, "" },
	{ "twice the same", BYTES("socket = a\nsocket = b\n"), NULL, "b" },
	{ "a line without '='", BYTES("\nsocket /s\n"), ":2: ", NULL },
	{ "an unknown name", BYTES("sockets = /s\n"),
	  ":1: there is no setting sockets", NULL },
	{ "a name in upper case", BYTES("SOCKET = /s"), "no setting SOCKET",
	  NULL },
	{ "no name", BYTES("= /s"), "no setting", NULL },
	{ "an empty number", BYTES("workers =\n"),
	  "workers must be a number from 0 to 64", NULL },
	{ "a number and a word", BYTES("workers = 2 # two\n"), "workers",
	  NULL },
	{ "a number that wraps around", BYTES("workers = 4294967298"),
	  "workers", NULL },
	{ "a number larger than any",
	  BYTES("workers = 99999999999999999999999"), "workers", NULL },
	{ "a mode of 01000", BYTES("socket_mode = 1000\n"), "octal", NULL },
	{ "a mode with an 8", BYTES("socket_mode = 0680\n"), "octal", NULL },
	{ "a mode below 0", BYTES("socket_mode = -1\n"), "octal", NULL },
	{ "an empty mode", BYTES("socket_mode =\n"), "octal", NULL },
	{ "a word in upper case", BYTES("require_tls = ON\n"), "off or on",
	  NULL },
	{ "a fault on the third line", BYTES("\n#\nx\n"), ":3: ", NULL },
	{ "the last of two faults", BYTES("x\nworkers = 65\n"), ":2: workers",
	  NULL },
	{ "a byte order mark", BYTES("\xef\xbb\xbfsocket = /s\n"),
	  "no setting", NULL },
	{ "NUL in a line", BYTES("socket = /s\0x\n"), ":1: ", NULL },
	{ "NUL in the last line", BYTES("socket = /s\0x"), ":1: ", NULL },
};

static void
test_files(void)
{
	struct buf error;
	struct conf conf;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(files); i++) {
		rc = load(&conf, files[i].bytes, files[i].len, &error);
		IS_INT(rc, files[i].error == NULL ? 0 : -1, "a file with %s",
		    files[i].name);
		if (files[i].error == NULL)
			IS_STR(conf.socket, files[i].socket, "and its value");
		else
			HAS(buf_text(&error), files[i].error,
			    "and the error tells");
		conf_free(&conf);
		buf_free(&error);
	}
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd == -1) {
		puts("Bail out! no temporary file");
		return 1;
	}
	close(fd);
	test_values();
	test_sample();
	test_files();
	unlink(path);
	return tap_done();
}
