#include "command.h"

const struct command commands_database[] = {
	{ .noun = "migrate", .operands = "",
	    .help = "bring the database to the schema of this version",
	    .text = "In one transaction, which others of its kind wait for; "
	    "it may be repeated, and interrupted: then the database is as it "
	    "was.  Warnings of PostgreSQL are shown.",
	    .options = {
		MAY("status", NULL, "change nothing; show each migration and "
		    "whether it is applied"),
		MAY("dry-run", NULL, "change nothing; write the SQL, for "
		    "psql"),
	    },
	    .examples = {
		"devcredctl migrate",
		"devcredctl migrate --status",
		"devcredctl migrate --dry-run > migrate.sql",
	    },
	    .fails = "with --status: something is pending or differs",
	    .takes = TAKES_JSON | TAKES_QUIET, .run = migrate },
	{ .noun = "doctor", .operands = "",
	    .help = "look for faults, and say what to do about each",
	    .text = "In the settings, in the database, at the socket, and on "
	    "the way through the web server, with requests that change "
	    "nothing.",
	    .options = {
		MAY("url", "URL", "ask this address; base_url if nothing is "
		    "said"),
		MAY("ca", "FILE", "believe certificates that this authority "
		    "has signed, too"),
		MAY("user", "TENANT/NAME", "log in as this administrator, and "
		    "look at more"),
		MAY("stdin", NULL, "read that password from standard input"),
	    },
	    .examples = {
		"devcredctl doctor",
		"devcredctl doctor --url https://devices.example.org "
		    "--user t1/admin",
	    },
	    .fails = "there is a fault",
	    .takes = TAKES_JSON, .loads_conf = true, .run = doctor },
	{ .noun = "housekeep", .operands = "",
	    .help = "wipe what has run out",
	    .text = "The service does it by itself once a minute; this is for "
	    "where it runs as a CGI program only.  Some thousand at a time: "
	    "interrupted, it may be run again.",
	    .examples = {
		"devcredctl housekeep",
		"devcredctl housekeep --json",
	    },
	    .takes = TAKES_JSON | TAKES_QUIET, .run = housekeep },
	{ .noun = "import", .operands = "FILE",
	    .help = "register the devices of a CSV file",
	    .text = "By the rules of bulk registration over HTTP; FILE may "
	    "be - for standard input, and of any size.  Some thousand lines "
	    "at a time: interrupted, it ends with those that are under way "
	    "and says how to go on.",
	    .options = {
		MAY("tenant", "T", "tenant of all devices, whatever a column "
		    "TENANT says"),
		MAY("errors", "FILE", "write what failed to this new file, as "
		    "CSV with line, id and reason"),
		MAY("after", "LINE", "leave the lines up to this one out: "
		    "they were done before"),
	    },
	    .examples = {
		"devcredctl import devices.csv --errors failed.csv",
		"devcredctl import devices.csv --tenant t1 --after 455001",
		"zcat devices.csv.gz | devcredctl import -",
	    },
	    .fails = "a line failed",
	    .takes = TAKES_JSON | TAKES_QUIET, .run = import },
	COMMANDS_END
};

const struct command commands_key[] = {
	{ .noun = "key", .verb = "add", .operands = "[ID]",
	    .help = "make a key, which seals from now on",
	    .text = "Its id alone is written to standard output; one is made "
	    "up if none is given.",
	    .examples = { "devcredctl key add", "devcredctl key add k2027" },
	    .takes = TAKES_JSON, .run = key_add },
	{ .noun = "key", .verb = "list", .operands = "",
	    .help = "show the keys that seal and open",
	    .examples = { "devcredctl key list" },
	    .takes = TAKES_JSON, .run = key_list },
	{ .noun = "key", .verb = "retire", .operands = "ID",
	    .help = "take a key away: what it sealed stays shut",
	    .options = {
		MAY("last", NULL, "even if it is the only key"),
		MAY("unchecked", NULL, "without asking the database whether "
		    "the key is needed"),
	    },
	    .examples = { "devcredctl key retire k20260823-09e1b7aa" },
	    .fails = "passwords that it sealed can still be asked for",
	    .takes = TAKES_JSON | TAKES_YES, .run = key_retire },
	COMMANDS_END
};

const struct command commands_audit[] = {
	{ .noun = "audit", .verb = "key", .operands = "FILE",
	    .help = "make a key that signs seals, and FILE.pub that checks "
	    "them",
	    .examples = { "devcredctl audit key audit.key" },
	    .takes = TAKES_JSON, .run = audit_key },
	{ .noun = "audit", .verb = "seal", .operands = "",
	    .help = "sign the events since the last seal",
	    .options = {
		MUST("key", "FILE", "the key that signs"),
		MAY("out", "FILE", "add the new seals to this file, too"),
		MAY("wait", "SECONDS", "for those that still write; 30 if "
		    "nothing is said"),
	    },
	    .examples = {
		"devcredctl audit seal --key audit.key",
		"devcredctl audit seal --key audit.key --out seals --wait 5",
	    },
	    .takes = TAKES_JSON, .run = audit_seal },
	{ .noun = "audit", .verb = "verify", .operands = "",
	    .help = "find events and seals that are not as they were sealed",
	    .options = {
		MUST("public", "FILE", "public halves of the keys that "
		    "signed"),
		MAY("against", "FILE", "seals that --out wrote have to be "
		    "there"),
		MAY("exports", "DIR", "where the files of audit export are"),
	    },
	    .examples = {
		"devcredctl audit verify --public audit.key.pub",
		"devcredctl audit verify --public audit.key.pub "
		    "--against seals",
	    },
	    .fails = "there is a fault",
	    .takes = TAKES_JSON, .run = audit_verify },
	{ .noun = "audit", .verb = "export", .operands = "",
	    .help = "write whole months to files, and drop them",
	    .options = {
		MUST("before", "YYYY-MM", "the first month that is left "
		    "alone"),
		MUST("dir", "DIR", "where the files go"),
		MAY("drop", NULL, "drop what was written here"),
	    },
	    .examples = {
		"devcredctl audit export --before 2026-01 --dir .",
		"devcredctl audit export --before 2026-01 --dir . --drop "
		    "--yes",
	    },
	    .takes = TAKES_JSON | TAKES_YES, .run = audit_export },
	COMMANDS_END
};
