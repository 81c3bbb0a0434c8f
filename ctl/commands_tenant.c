#include "command.h"

#define OPTION_GENERATE	MAY("generate", NULL, \
    "make a password, and write it alone to standard output")
#define OPTION_STDIN	MAY("stdin", NULL, \
    "read the password from standard input")

const struct command commands_tenant[] = {
	{ .noun = "tenant", .verb = "add", .operands = "ID",
	    .help = "add a tenant",
	    .options = {
		MAY("domain", "HOST", "logins that name no tenant and come "
		    "to this host are of it"),
	    },
	    .examples = {
		"devcredctl tenant add t1",
		"devcredctl tenant add t2 --domain t2.example.org",
	    },
	    .takes = TAKES_JSON, .run = tenant_add },
	{ .noun = "tenant", .verb = "list", .operands = "",
	    .help = "show all tenants",
	    .examples = {
		"devcredctl tenant list",
		"devcredctl tenant list --json",
	    },
	    .takes = TAKES_JSON, .run = tenant_list },
	{ .noun = "tenant", .verb = "set", .operands = "ID",
	    .help = "change a tenant",
	    .options = {
		MAY("domain", "HOST", "its host name; '' takes it away"),
		MAY("token-policy", "POLICY", "IGNORED, OPTIONAL or "
		    "REQUIRED: what becomes of security tokens"),
		MAY("device-limit", "N", "how many devices it may have, or "
		    "none"),
		MAY("request-quota", "N", "how many requests it may have at "
		    "once, or none"),
		MAY("waiting-expiry", "TIME", "withdraw what no device asked "
		    "for in this while, as 90m, 12h, 30d, or none"),
		MAY("pending-expiry", "TIME", "withdraw what was pending and "
		    "silent for this while; likewise"),
		MAY("outbox", "on|off", "put what is decided into "
		    "devcred.outbox"),
	    },
	    .examples = {
		"devcredctl tenant set t1 --token-policy REQUIRED",
		"devcredctl tenant set t1 --device-limit 5000 "
		    "--waiting-expiry 30d",
		"devcredctl tenant set t1 --device-limit none",
	    },
	    .takes = TAKES_JSON, .run = tenant_set },
	{ .noun = "tenant", .verb = "grant-login", .operands = "ID LOGIN",
	    .help = "let a login of the database see and change what a tenant "
	    "has",
	    .options = {
		MAY("read-only", NULL, "see it, and change nothing"),
	    },
	    .examples = { "devcredctl tenant grant-login t1 reporting "
		"--read-only" },
	    .takes = TAKES_JSON, .run = tenant_grant_login },
	{ .noun = "tenant", .verb = "revoke-login", .operands = "ID LOGIN",
	    .help = "take that back",
	    .examples = { "devcredctl tenant revoke-login t1 reporting" },
	    .takes = TAKES_JSON, .run = tenant_revoke_login },
	COMMANDS_END
};

const struct command commands_user[] = {
	{ .noun = "user", .verb = "add", .operands = "TENANT/NAME",
	    .help = "add a user: ADMIN, READ, BOOTSTRAP or USERS",
	    .text = "The password is asked for on the terminal, twice, if "
	    "nothing else is said.",
	    .options = {
		{ "role", "ROLE", "ADMIN, READ, BOOTSTRAP (what devices bring; "
		    "alone) or USERS; may be repeated", true, true },
		OPTION_GENERATE,
		OPTION_STDIN,
	    },
	    .examples = {
		"devcredctl user add t1/anna --role ADMIN --role READ",
		"devcredctl user add management/devicebootstrap "
		    "--role BOOTSTRAP --generate",
		"devcredctl user add t1/cron --role READ --stdin < password",
	    },
	    .takes = TAKES_JSON, .run = user_add },
	{ .noun = "user", .verb = "passwd", .operands = "TENANT/NAME",
	    .help = "give a user another password",
	    .options = {
		OPTION_GENERATE,
		OPTION_STDIN,
	    },
	    .examples = {
		"devcredctl user passwd t1/anna",
		"devcredctl user passwd t1/anna --generate",
	    },
	    .takes = TAKES_JSON, .run = user_passwd },
	{ .noun = "user", .verb = "list", .operands = "[TENANT]",
	    .help = "show users",
	    .examples = {
		"devcredctl user list",
		"devcredctl user list t1 --json",
	    },
	    .takes = TAKES_JSON, .run = user_list },
	{ .noun = "user", .verb = "disable", .operands = "TENANT/NAME",
	    .help = "refuse a user's logins",
	    .examples = { "devcredctl user disable t1/anna" },
	    .takes = TAKES_JSON, .run = user_disable },
	{ .noun = "user", .verb = "enable", .operands = "TENANT/NAME",
	    .help = "allow a user's logins again",
	    .examples = { "devcredctl user enable t1/anna" },
	    .takes = TAKES_JSON, .run = user_enable },
	COMMANDS_END
};
