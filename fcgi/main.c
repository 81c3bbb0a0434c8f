/*
 * devcred.fcgi: the service.
 *
 * How it was started says what it is: with a listening socket on descriptor 0
 * (spawn-fcgi, lighttpd, mod_fcgid) one FastCGI worker; with a socket from
 * systemd, or by hand, a pool of them; by a web server as a CGI program, that.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cgi.h"
#include "keys.h"
#include "listen.h"
#include "log.h"
#include "pool.h"
#include "worker.h"

static void
usage(FILE *out)
{
	fputs("usage: devcred.fcgi [-t] [-c FILE]\n"
	    "Serve device credentials over FastCGI, or as a CGI program.\n\n"
	    "  -c FILE   read the settings from FILE\n"
	    "  -t        check the settings and leave\n"
	    "  --sample  write a sample of the settings\n"
	    "  --help, --version\n", out);
}

/* Passwords pass through here: no core, and no peeping by the same user. */
static void
stay_private(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__	/* whose leak checker wants to peep */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Settings, or an explanation on standard error. */
static int
load(struct conf *conf, const char *path)
{
	struct buf error;
	int rc;

	buf_init(&error, 0);
	if ((rc = conf_load(conf, path, &error)) == -1)
		fputs(buf_text(&error), stderr);
	else
		log_setup("devcred", (enum log_level)conf->log_level);
	buf_free(&error);
	return rc;
}

/* Started by a web server: arguments may come from the URL, so none count. */
static int
run_for_web_server(bool worker)
{
	struct conf conf;
	int rc;

	if (load(&conf, NULL) == -1)
		rc = worker ? 1 : cgi_sorry();
	else if (worker)
		rc = worker_run(&conf, STDIN_FILENO, -1);
	else
		rc = cgi_run(&conf);
	conf_free(&conf);
	return rc;
}

static int
run_pool(const char *path, bool check)
{
	struct conf conf;
	bool own = false;
	int fd = -1;
	int rc = 1;

	if (load(&conf, path) == -1)
		goto out;
	if (keys_check(&conf) == -1)
		goto out;
	if (check) {
		printf("%s: the settings are good\n", conf_path(path));
		rc = 0;
		goto out;
	}
	if ((fd = listen_systemd()) == -1) {
		own = true;
		fd = listen_open(&conf);
	}
	if (fd != -1)
		rc = pool_run(&conf, path, fd, own);
out:
	conf_free(&conf);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "sample", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	const char *path = NULL;
	bool check = false;
	int opt;

	stay_private();
	if (listen_is(STDIN_FILENO))
		return run_for_web_server(true);
	if (getenv("GATEWAY_INTERFACE") != NULL)
		return run_for_web_server(false);
	while ((opt = getopt_long(argc, argv, "c:t", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 't':
			check = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			puts("devcred " PACKAGE_VERSION);
			return 0;
		case 's':
			conf_sample(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	return run_pool(path, check);
}
