/*
 * devcredctl: the operator's command.  A table of commands, each of them one
 * function in the file of its noun.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ctl.h"
#include "log.h"

static const struct command commands[] = {
	{ "migrate", NULL, "[--status | --dry-run]",
	    "bring the database to the schema of this version", false,
	    migrate },
	{ "tenant", "add", "ID [--domain HOST]",
	    "add a tenant", false, tenant_add },
	{ "tenant", "list", "",
	    "show all tenants", false, tenant_list },
	{ "tenant", "set", "ID [--domain HOST] "
	    "[--token-policy IGNORED|OPTIONAL|REQUIRED] "
	    "[--device-limit N|none] [--request-quota N|none] "
	    "[--waiting-expiry TIME|none] [--pending-expiry TIME|none] "
	    "[--outbox on|off]",
	    "change a tenant", false, tenant_set },
	{ "tenant", "grant-login", "ID LOGIN [--read-only]",
	    "let a login of the database see and change what a tenant has",
	    false, tenant_grant_login },
	{ "tenant", "revoke-login", "ID LOGIN",
	    "take that back", false, tenant_revoke_login },
	{ "user", "add", "TENANT/NAME --role ROLE... [--generate | --stdin]",
	    "add a user: ADMIN, READ, BOOTSTRAP or USERS", false, user_add },
	{ "user", "passwd", "TENANT/NAME [--generate | --stdin]",
	    "give a user another password", false, user_passwd },
	{ "user", "list", "[TENANT]",
	    "show users", false, user_list },
	{ "user", "disable", "TENANT/NAME",
	    "refuse a user's logins", false, user_disable },
	{ "user", "enable", "TENANT/NAME",
	    "allow a user's logins again", false, user_enable },
	{ "request", "list", "[--tenant T] [--status S] [--limit N]",
	    "show new device requests, newest first", false, request_list },
	{ "request", "show", "ID",
	    "show a request, and who has asked for its id", false,
	    request_show },
	{ "request", "add", "ID [--tenant T] [--type T] [--group G]",
	    "register a device", false, request_add },
	{ "request", "accept", "ID [--token-stdin]",
	    "let a device have its credentials", false, request_accept },
	{ "request", "block", "ID",
	    "refuse a device, but keep its request", false, request_block },
	{ "request", "lift", "ID [--forget]",
	    "lift a block; --forget lets another device ask for the id", false,
	    request_lift },
	{ "request", "delete", "ID",
	    "withdraw a request", false, request_delete },
	{ "credential", "list",
	    "[PREFIX] [--tenant T] [--status S] [--limit N]",
	    "show credentials, newest first", false, credential_list },
	{ "credential", "show", "ID [--tenant T]",
	    "show a credential", false, credential_show },
	{ "credential", "rotate", "ID [--tenant T] [--overlap SECONDS]",
	    "give a device a new password, which is shown", false,
	    credential_rotate },
	{ "credential", "disable", "ID [--tenant T]",
	    "refuse a device's logins", false, credential_disable },
	{ "credential", "enable", "ID [--tenant T]",
	    "allow a device's logins again", false, credential_enable },
	{ "credential", "expire", "ID TIME|never [--tenant T]",
	    "set when a credential ends to work", false, credential_expire },
	{ "credential", "reopen", "ID [--tenant T]",
	    "let a device ask for its password once more", false,
	    credential_reopen },
	{ "credential", "revoke", "ID [--tenant T]",
	    "end a credential for good", false, credential_revoke },
	{ "credential", "decommission", "ID [--tenant T]",
	    "take a device out of service", false, credential_decommission },
	{ "rule", "add", "TENANT/NAME --id PATTERN [--source NETWORK] "
	    "[--type T] [--needs-token] [--from TIME] [--until TIME] "
	    "[--quota N]",
	    "accept devices that fit, when they ask", false, rule_add },
	{ "rule", "list", "[TENANT]",
	    "show rules", false, rule_list },
	{ "rule", "try", "TENANT/NAME",
	    "show what a rule would accept, and why not others", false,
	    rule_try },
	{ "rule", "apply", "TENANT/NAME",
	    "accept what is pending already and fits", false, rule_apply },
	{ "rule", "enable", "TENANT/NAME",
	    "have a rule accept again", false, rule_enable },
	{ "rule", "disable", "TENANT/NAME",
	    "have a rule accept nothing", false, rule_disable },
	{ "rule", "delete", "TENANT/NAME",
	    "take a rule away", false, rule_delete },
	{ "housekeep", NULL, "",
	    "wipe what has run out", false, housekeep },
	{ "import", NULL, "FILE [--tenant T] [--errors FILE]",
	    "register the devices of a CSV file", false, import },
	{ "key", "add", "[ID]",
	    "make a key, which seals from now on", false, key_add },
	{ "key", "list", "",
	    "show the keys that seal and open", false, key_list },
	{ "key", "retire", "ID [--last] [--unchecked]",
	    "take a key away: what it sealed stays shut", false, key_retire },
	{ "audit", "key", "FILE",
	    "make a key that signs seals, and FILE.pub that checks them",
	    false, audit_key },
	{ "audit", "seal", "--key FILE [--out FILE] [--wait SECONDS]",
	    "sign the events since the last seal", false, audit_seal },
	{ "audit", "verify", "--public FILE [--against FILE] "
	    "[--exports DIR]",
	    "find events and seals that are not as they were sealed", false,
	    audit_verify },
	{ "audit", "export", "--before YYYY-MM --dir DIR [--drop]",
	    "write whole months to files, and drop them", false,
	    audit_export },
	{ "check", NULL, "",
	    "look for faults, and say what to do about each", true, check },
	{ NULL, NULL, NULL, NULL, false, NULL }
};

/* Show the commands of a noun, or all. */
static void
show_commands(FILE *out, const char *noun)
{
	const struct command *c;

	fputs("usage:\n", out);
	for (c = commands; c->noun != NULL; c++) {
		if (noun != NULL && strcmp(c->noun, noun) != 0)
			continue;
		fputs("  ", out);
		ctl_usage_line(out, c);
		fprintf(out, "\t%s\n", c->help);
	}
	if (noun == NULL)
		fputs("  devcredctl --version\n"
		    "  devcredctl [NOUN [VERB]] --help\n", out);
}

/* The whole list would push the reason off the screen. */
static enum ctl_exit
usage(const char *noun, const char *why, const char *word)
{
	ctl_error("%s%s", why, word);
	if (noun != NULL)
		show_commands(stderr, noun);
	else
		ctl_advice("devcredctl --help");
	return CTL_USAGE;
}

static bool
is_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* Find the command that the arguments begin with, and take its words off. */
static enum ctl_exit
find_command(struct ctl *ctl)
{
	const struct command *c;
	const char *noun;
	bool known = false;

	if (ctl->narg == 0)
		return usage(NULL, "a command is missing", "");
	noun = ctl->arg[0];
	for (c = commands; c->noun != NULL; c++) {
		if (strcmp(c->noun, noun) != 0)
			continue;
		known = true;
		if (c->verb == NULL || (ctl->narg > 1 &&
		    strcmp(c->verb, ctl->arg[1]) == 0))
			break;
	}
	if (!known)
		return usage(NULL, "there is no command ", noun);
	if (c->noun == NULL && ctl->narg > 1 && is_help(ctl->arg[1])) {
		show_commands(stdout, noun);
		return CTL_DONE;
	}
	if (c->noun == NULL)
		return ctl->narg == 1 ?
		    usage(noun, "a verb is missing after ", noun) :
		    usage(noun, "this noun has no verb ", ctl->arg[1]);
	ctl->command = c;
	ctl->arg += c->verb != NULL ? 2 : 1;
	ctl->narg -= c->verb != NULL ? 2 : 1;
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
			show_commands(stdout, NULL);
			return CTL_DONE;
		}
		if (strcmp(opt, "--version") == 0) {
			puts("devcredctl " VERSION);
			return CTL_DONE;
		}
		*done = false;
		if (strncmp(opt, "-c", 2) != 0)
			return usage(NULL, "there is no option ", opt);
		if (opt[2] != '\0') {
			ctl->conf_path = opt + 2;
		} else if (ctl->narg == 0) {
			return usage(NULL, "-c needs a file", "");
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
			fputs("usage: ", stdout);
			ctl_usage_line(stdout, ctl->command);
			printf("\t%s\n", ctl->command->help);
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
	return (int)rc;
}
