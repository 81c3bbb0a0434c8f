#include "command.h"

const struct command commands_request[] = {
	{ .noun = "request", .verb = "list", .operands = "",
	    .help = "show new device requests, newest first",
	    .options = {
		MAY("tenant", "T", "of this tenant"),
		MAY("status", "S", "WAITING_FOR_CONNECTION, "
		    "PENDING_ACCEPTANCE, ACCEPTED or BLOCKED"),
		MAY("limit", "N", "so many at most; 100 if nothing is said"),
	    },
	    .examples = {
		"devcredctl request list --status pending",
		"devcredctl request list --tenant t1 --limit 100000 --json",
	    },
	    .takes = TAKES_JSON, .run = request_list },
	{ .noun = "request", .verb = "show", .operands = "ID",
	    .help = "show a request, and who has asked for its id",
	    .examples = {
		"devcredctl request show 4711",
		"devcredctl request show 4711 --json",
	    },
	    .takes = TAKES_JSON, .run = request_show },
	{ .noun = "request", .verb = "watch", .operands = "",
	    .help = "follow what becomes of requests, as it happens",
	    .text = "First what waits for acceptance, then a line for each "
	    "change, until it is interrupted or nobody reads on.  It asks the "
	    "database now and then, and waits for it if it is away.",
	    .options = {
		MAY("tenant", "T", "of this tenant"),
		MAY("status", "S", "what comes to be "
		    "WAITING_FOR_CONNECTION, PENDING_ACCEPTANCE, ACCEPTED or "
		    "BLOCKED"),
		MAY("interval", "N", "seconds between two looks, 1 to 3600; 2 "
		    "if nothing is said"),
	    },
	    .examples = {
		"devcredctl request watch",
		"devcredctl request watch --tenant t1 --status pending --json",
	    },
	    .takes = TAKES_JSON, .run = request_watch },
	{ .noun = "request", .verb = "add", .operands = "ID",
	    .help = "register a device",
	    .options = {
		MAY("tenant", "T", "for this tenant; else for management"),
		MAY("type", "TYPE", "what it is, for people"),
		MAY("group", "GROUP", "the group its request belongs to"),
	    },
	    .examples = {
		"devcredctl request add 4711 --tenant t1",
		"devcredctl request add 4712 --type 'pump, 3 kW'",
	    },
	    .takes = TAKES_JSON, .run = request_add },
	{ .noun = "request", .verb = "accept", .operands = "[ID...]",
	    .help = "let devices have their credentials",
	    .text = "Once they have asked for them.  A single ID is accepted "
	    "as the API does it.  Several, those of a file, or all that fit "
	    "are accepted some hundred at a time, with a row for each: not "
	    "those that sent a security token, nor what was taken out of "
	    "service before.  Interrupted, it ends with those that are under "
	    "way, and may be run again.",
	    .options = {
		MAY("token-stdin", NULL, "read the security token that came "
		    "with the device from standard input; for one ID"),
		MAY("all", NULL, "all that wait for acceptance"),
		MANY("id", "PATTERN", "those whose ids fit: * is any "
		    "characters, ? is one"),
		MAY("tenant", "T", "with --all or --id: of this tenant"),
		MAY("from", "FILE", "those of a file, one id a line; - is "
		    "standard input"),
	    },
	    .examples = {
		"devcredctl request accept 4711",
		"devcredctl request accept 4712 --token-stdin < token",
		"devcredctl request accept --id 'pump-*' --tenant t1 --yes",
		"devcredctl request accept --from ids.txt --json",
	    },
	    .fails = "one of them was refused",
	    .takes = TAKES_JSON | TAKES_YES | TAKES_QUIET,
	    .run = request_accept },
	{ .noun = "request", .verb = "block", .operands = "ID",
	    .help = "refuse a device, but keep its request",
	    .examples = { "devcredctl request block 4711" },
	    .takes = TAKES_JSON, .run = request_block },
	{ .noun = "request", .verb = "lift", .operands = "ID",
	    .help = "lift a block",
	    .options = {
		MAY("forget", NULL, "forget who asked: whoever asks next is "
		    "the device"),
	    },
	    .examples = {
		"devcredctl request lift 4711",
		"devcredctl request lift 4711 --forget",
	    },
	    .takes = TAKES_JSON, .run = request_lift },
	{ .noun = "request", .verb = "delete", .operands = "ID",
	    .help = "withdraw a request",
	    .text = "Credentials that the device has already stay good.",
	    .examples = {
		"devcredctl request delete 4711",
		"devcredctl request delete 4711 --yes",
	    },
	    .takes = TAKES_JSON | TAKES_YES, .run = request_delete },
	COMMANDS_END
};

const struct command commands_rule[] = {
	{ .noun = "rule", .verb = "add", .operands = "TENANT/NAME",
	    .help = "accept devices that fit, when they ask",
	    .options = {
		MUST("id", "PATTERN", "the whole id: * is any characters, ? is "
		    "one"),
		MAY("source", "NETWORK", "where they ask from, as "
		    "192.0.2.0/24"),
		MAY("type", "T", "type of the request"),
		MAY("needs-token", NULL, "those that send a security token; "
		    "else those that send none"),
		MAY("from", "TIME", "from then on, as 2027-01-01T00:00:00Z"),
		MAY("until", "TIME", "until then"),
		MAY("quota", "N", "so many devices in all"),
	    },
	    .examples = {
		"devcredctl rule add t1/pumps --id 'pump-*' --quota 100",
		"devcredctl rule add t1/lab --id '*' --source 192.0.2.0/24",
	    },
	    .takes = TAKES_JSON, .run = rule_add },
	{ .noun = "rule", .verb = "list", .operands = "[TENANT]",
	    .help = "show rules",
	    .examples = { "devcredctl rule list t1" },
	    .takes = TAKES_JSON, .run = rule_list },
	{ .noun = "rule", .verb = "try", .operands = "TENANT/NAME",
	    .help = "show what a rule would accept, and why not others",
	    .examples = { "devcredctl rule try t1/pumps" },
	    .takes = TAKES_JSON, .run = rule_try },
	{ .noun = "rule", .verb = "apply", .operands = "TENANT/NAME",
	    .help = "accept what is pending already and fits",
	    .examples = { "devcredctl rule apply t1/pumps --yes" },
	    .takes = TAKES_JSON | TAKES_YES, .run = rule_apply },
	{ .noun = "rule", .verb = "enable", .operands = "TENANT/NAME",
	    .help = "have a rule accept again",
	    .examples = { "devcredctl rule enable t1/pumps" },
	    .takes = TAKES_JSON, .run = rule_enable },
	{ .noun = "rule", .verb = "disable", .operands = "TENANT/NAME",
	    .help = "have a rule accept nothing",
	    .examples = { "devcredctl rule disable t1/pumps" },
	    .takes = TAKES_JSON, .run = rule_disable },
	{ .noun = "rule", .verb = "delete", .operands = "TENANT/NAME",
	    .help = "take a rule away",
	    .examples = { "devcredctl rule delete t1/pumps --yes" },
	    .takes = TAKES_JSON | TAKES_YES, .run = rule_delete },
	COMMANDS_END
};
