/* Where settings come from: environment, file, defaults; odd files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "fixture.h"
#include "tap.h"

static char path[] = "/tmp/devcred-conf-XXXXXX";

static void
write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0) {
		puts("Bail out! cannot write a file");
		exit(1);
	}
}

/* Whether loading gives rc and a message with these words. */
static void
loads(struct conf *conf, const char *file, int rc, const char *says,
    const char *name)
{
	struct buf error;

	buf_init(&error, 0);
	IS_INT(conf_load(conf, file, &error), rc, "%s", name);
	if (rc == 0)
		IS_STR(buf_text(&error), "", "and nothing is said of it");
	else
		HAS(buf_text(&error), says, "and the error tells");
	buf_free(&error);
}

static void
test_environment(void)
{
	struct conf conf;

	write_file("workers = 3\nretry_after = 7\nsocket = /file\n");
	setenv("DEVCRED_WORKERS", "9", 1);
	setenv("DEVCRED_SOCKET", "", 1);
	loads(&conf, path, 0, "", "the environment can be read");
	IS_INT(conf.workers, 9, "it wins over the file");
	IS_INT(conf.retry_after, 7, "but only where it says something");
	IS_STR(conf.socket, "", "an empty text is a text");
	conf_free(&conf);
	setenv("DEVCRED_WORKERS", "", 1);
	loads(&conf, path, -1, "DEVCRED_WORKERS: workers must be",
	    "an empty number is a fault");
	conf_free(&conf);
	setenv("DEVCRED_WORKERS", "65", 1);
	setenv("DEVCRED_LOG_LEVEL", "loud", 1);
	loads(&conf, path, -1, "log_level must be",
	    "all faults of the environment are told");
	conf_free(&conf);
	unsetenv("DEVCRED_WORKERS");
	unsetenv("DEVCRED_LOG_LEVEL");
	unsetenv("DEVCRED_SOCKET");
	setenv("DEVCRED_WORKER", "9", 1);
	setenv("devcred_workers", "9", 1);
	loads(&conf, path, 0, "", "names that are not ours are not read");
	IS_INT(conf.workers, 3, "and change nothing");
	conf_free(&conf);
}

static const char *const modes[] = { "0660 ", "0x1b0", "" };

static void
test_modes(void)
{
	struct conf conf;
	size_t i;

	for (i = 0; i < COUNT(modes); i++) {
		setenv("DEVCRED_SOCKET_MODE", modes[i], 1);
		loads(&conf, path, -1, "octal", "a mode that is none");
		conf_free(&conf);
	}
	unsetenv("DEVCRED_SOCKET_MODE");
}

static void
test_path(void)
{
	struct conf conf;

	unsetenv("DEVCRED_CONF");
	IS_STR(conf_path("/a/b"), "/a/b", "a path that is named is the path");
	IS_STR(conf_path(NULL), SYSCONFDIR "/devcred/devcred.conf",
	    "else it is the one compiled in");
	setenv("DEVCRED_CONF", path, 1);
	IS_STR(conf_path(NULL), path, "unless the environment names one");
	IS_STR(conf_path("/a/b"), "/a/b", "which does not win over a path");
	write_file("workers = 4\n");
	loads(&conf, NULL, 0, "", "the environment's file is read");
	IS_INT(conf.workers, 4, "and used");
	conf_free(&conf);
	setenv("DEVCRED_CONF", "/nonexistent/devcred.conf", 1);
	loads(&conf, NULL, -1, "/nonexistent/devcred.conf: No such",
	    "a file that the environment names must be there");
	conf_free(&conf);
	unsetenv("DEVCRED_CONF");
	loads(&conf, "/nonexistent/devcred.conf", -1, "No such file",
	    "so must one that is named");
	conf_free(&conf);
	loads(&conf, "/", -1, "directory", "a folder is no file");
	conf_free(&conf);
}

/* Lines around the bound of 4096 bytes. */
static void
test_long_lines(void)
{
	static const size_t around[] = { 4000, 4094, 4095, 4096, 5000 };
	struct conf conf;
	struct buf error;
	struct buf text;
	char *value;
	size_t i;
	int rc;

	buf_init(&text, 0);
	buf_init(&error, 0);
	for (i = 0; i < COUNT(around); i++) {
		value = repeated("x", around[i] - strlen("socket="));
		buf_reset(&text);
		buf_printf(&text, "socket=%s\nworkers = 3\n", value);
		write_file(buf_text(&text));
		buf_reset(&error);
		rc = conf_load(&conf, path, &error);
		if (around[i] <= 4000)
			IS_INT(rc, 0, "a line of %zu bytes is read", around[i]);
		OK(rc == -1 ? strstr(buf_text(&error), "too long") != NULL :
		    strcmp(conf.socket, value) == 0 && conf.workers == 3,
		    "a line of %zu bytes is taken whole or not", around[i]);
		conf_free(&conf);
		free(value);
	}
	buf_free(&text);
	buf_free(&error);
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
	test_environment();
	test_modes();
	test_path();
	test_long_lines();
	unlink(path);
	return tap_done();
}
