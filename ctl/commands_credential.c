#include "command.h"

const struct command commands_credential[] = {
	{ .noun = "credential", .verb = "list", .operands = "[PREFIX]",
	    .help = "show credentials, newest first",
	    .options = {
		MAY("tenant", "T", "of this tenant"),
		MAY("status", "S", "ACTIVE, DISABLED or EXPIRED"),
		MAY("limit", "N", "so many at most; 100 if nothing is said"),
	    },
	    .examples = {
		"devcredctl credential list pump-",
		"devcredctl credential list --status disabled --json",
	    },
	    .takes = TAKES_JSON, .run = credential_list },
	{ .noun = "credential", .verb = "show", .operands = "ID",
	    .help = "show a credential",
	    .options = { OPTION_TENANT },
	    .examples = { "devcredctl credential show 4711" },
	    .takes = TAKES_JSON, .run = credential_show },
	{ .noun = "credential", .verb = "rotate", .operands = "ID",
	    .help = "give a device a new password, which is shown",
	    .text = "The old one works until the new one is used, for "
	    "rotation_overlap seconds at most.  It is asked for only if the "
	    "old one would end at once.",
	    .options = {
		OPTION_TENANT,
		MAY("overlap", "SECONDS", "for so long at most; 0: not at "
		    "all"),
	    },
	    .examples = {
		"devcredctl credential rotate 4711",
		"devcredctl credential rotate 4711 --overlap 86400 --json",
	    },
	    .takes = TAKES_JSON | TAKES_YES, .run = credential_rotate },
	{ .noun = "credential", .verb = "disable", .operands = "ID",
	    .help = "refuse a device's logins",
	    .options = { OPTION_TENANT },
	    .examples = { "devcredctl credential disable 4711" },
	    .takes = TAKES_JSON, .run = credential_disable },
	{ .noun = "credential", .verb = "enable", .operands = "ID",
	    .help = "allow a device's logins again",
	    .options = { OPTION_TENANT },
	    .examples = { "devcredctl credential enable 4711" },
	    .takes = TAKES_JSON, .run = credential_enable },
	{ .noun = "credential", .verb = "expire",
	    .operands = "ID TIME|never",
	    .help = "set when a credential ends to work",
	    .options = { OPTION_TENANT },
	    .examples = {
		"devcredctl credential expire 4711 2027-01-01T00:00:00Z",
		"devcredctl credential expire 4711 never",
	    },
	    .takes = TAKES_JSON, .run = credential_expire },
	{ .noun = "credential", .verb = "reopen", .operands = "ID",
	    .help = "let a device ask for its password once more",
	    .options = { OPTION_TENANT },
	    .examples = { "devcredctl credential reopen 4711" },
	    .takes = TAKES_JSON, .run = credential_reopen },
	{ .noun = "credential", .verb = "revoke", .operands = "ID",
	    .help = "end a credential for good",
	    .options = { OPTION_TENANT },
	    .examples = { "devcredctl credential revoke 4711 --yes" },
	    .takes = TAKES_JSON | TAKES_YES, .run = credential_revoke },
	{ .noun = "credential", .verb = "decommission", .operands = "ID",
	    .help = "take a device out of service",
	    .text = "Its request and its credential go at once.  Should the "
	    "id come again, it is accepted one by one only.",
	    .options = { OPTION_TENANT },
	    .examples = { "devcredctl credential decommission 4711 --yes" },
	    .takes = TAKES_JSON | TAKES_YES, .run = credential_decommission },
	COMMANDS_END
};
