/*
 * devcredctl: the operator's command.  Finds the command that is meant, and
 * runs it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command.h"
#include "interrupt.h"
#include "log.h"

/* The whole list would push the reason off the screen. */
static enum ctl_exit
usage(const char *why, const char *word, const struct command_group *group)
{
	ctl_error("%s%s", why, word);
	if (group != NULL)
		help_group(stderr, group);
	else
		ctl_advice("devcredctl --help");
	return CTL_USAGE;
}

static bool
is_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* The command of a group that a verb, or without verbs a noun, names. */
static const struct command *
command_named(const struct command_group *group, const char *word)
{
	const struct command *c;

	for (c = group->commands; c->noun != NULL; c++)
		if (strcmp(c->verb != NULL ? c->verb : c->noun, word) == 0)
			return c;
	return NULL;
}

/* Find the command that the arguments begin with, and take its words off. */
static enum ctl_exit
find_command(struct ctl *ctl)
{
	const struct command_group *g;
	const char *noun;

	if (ctl->narg == 0)
		return usage("a command is missing", "", NULL);
	noun = ctl->arg[0];
	for (g = command_groups; g->commands != NULL; g++) {
		if (g->noun == NULL &&
		    (ctl->command = command_named(g, noun)) != NULL)
			break;
		if (g->noun != NULL && strcmp(g->noun, noun) == 0)
			break;
	}
	if (g->commands == NULL)
		return usage("there is no command ", noun, NULL);
	ctl->arg++;
	ctl->narg--;
	if (ctl->command != NULL)
		return CTL_DONE;
	if (ctl->narg == 0)
		return usage("a verb is missing after ", noun, g);
	if (is_help(ctl->arg[0])) {
		help_group(stdout, g);
		return CTL_DONE;
	}
	if ((ctl->command = command_named(g, ctl->arg[0])) == NULL)
		return usage("this noun has no verb ", ctl->arg[0], g);
	ctl->arg++;
	ctl->narg--;
	return CTL_DONE;
}

/* The options before the noun; *done if there is nothing left to do. */
static enum ctl_exit
take_options(struct ctl *ctl, bool *done)
{
	const char *opt;

	while (ctl->narg > 0 && ctl->arg[0][0] == '-') {
		opt = ctl->arg[0];
		ctl->arg++;
		ctl->narg--;
		*done = true;
		if (is_help(opt)) {
			help_all(stdout);
			return CTL_DONE;
		}
		if (strcmp(opt, "--version") == 0) {
			puts("devcredctl " VERSION);
			return CTL_DONE;
		}
		*done = false;
		if (strncmp(opt, "-c", 2) != 0)
			return usage("there is no option ", opt, NULL);
		if (opt[2] != '\0') {
			ctl->conf_path = opt + 2;
		} else if (ctl->narg == 0) {
			return usage("-c needs a file", "", NULL);
		} else {
			ctl->conf_path = ctl->arg[0];
			ctl->arg++;
			ctl->narg--;
		}
	}
	return CTL_DONE;
}

static enum ctl_exit
run_command(struct ctl *ctl)
{
	struct buf error;
	enum ctl_exit rc = CTL_FAILED;
	int i;

	/* what stands behind "--" is not for us */
	for (i = 0; i < ctl->narg && strcmp(ctl->arg[i], "--") != 0; i++)
		if (is_help(ctl->arg[i])) {
			help_command(stdout, ctl->command);
			return CTL_DONE;
		}
	if (ctl->command->loads_conf)
		return ctl->command->run(ctl);
	buf_init(&error, 0);
	if (conf_load(&ctl->conf, ctl->conf_path, &error) == -1)
		ctl_error("the configuration is wrong:\n%s", buf_text(&error));
	else
		rc = ctl->command->run(ctl);
	buf_free(&error);
	return rc;
}

/*
 * A descriptor of the database must not become the standard output by chance,
 * or a password would be written to it.  What was closed fails when used.
 */
static int
fill_descriptors(void)
{
	static const int mode[] = { O_WRONLY, O_RDONLY, O_RDWR };
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", mode[fd]) != fd)
			return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };
	struct ctl ctl;
	enum ctl_exit rc;
	bool done = false;

	if (fill_descriptors() == -1)
		return CTL_FAILED;
	memset(&ctl, 0, sizeof(ctl));
	ctl.arg = argv + 1;
	ctl.narg = argc > 0 ? argc - 1 : 0;
	log_setup("devcredctl", LOG_LEVEL_ERROR);
	setrlimit(RLIMIT_CORE, &none);	/* a core would hold passwords */
	rc = take_options(&ctl, &done);
	if (rc == CTL_DONE && !done && (rc = find_command(&ctl)) == CTL_DONE &&
	    ctl.command != NULL)
		rc = run_command(&ctl);
	db_free(ctl.db);
	conf_free(&ctl.conf);
	if ((fflush(stdout) == EOF || ferror(stdout)) && rc == CTL_DONE) {
		ctl_error("the output could not be written");
		rc = CTL_FAILED;
	}
	interrupt_obey();
	return (int)rc;
}
