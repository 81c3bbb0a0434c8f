#include <string.h>

#include "command.h"

#define WIDTH	79	/* of lines */
#define VERBS	14	/* where the verbs of a noun begin */
#define COLUMN	24	/* where what an option does begins */

/* A line that is being written, broken between words. */
struct line {
	FILE	*out;
	size_t	 indent;	/* of those that follow */
	size_t	 at;
};

const struct command_group command_groups[] = {
	{ NULL, "the database and the service", commands_database },
	{ "tenant", "customers, and what holds for them", commands_tenant },
	{ "user", "people, and the login that devices bring", commands_user },
	{ "request", "devices on their way in", commands_request },
	{ "credential", "what devices log in with", commands_credential },
	{ "rule", "acceptance without an administrator", commands_rule },
	{ "key", "keys that seal issued passwords", commands_key },
	{ "audit", "seals and exports of what was decided", commands_audit },
	{ NULL, NULL, NULL }
};

static const struct command_option commons[] = {
	{ "json", NULL, "write JSON, for programs", false, false },
	{ "yes", NULL, "do not ask before it is done", false, false },
	{ "quiet", NULL, "do not show how far it is", false, false },
};

#define NCOMMONS	((int)(sizeof(commons) / sizeof(commons[0])))

/* The i-th option, the common ones last; NULL: there are no more. */
static const struct command_option *
option_at(const struct command *command, int i)
{
	int n = 0;

	while (n < COMMAND_OPTIONS && command->options[n].name != NULL)
		n++;
	if (i < n)
		return &command->options[i];
	for (i -= n, n = 0; n < NCOMMONS; n++)
		if ((command->takes & 1u << n) != 0 && i-- == 0)
			return &commons[n];
	return NULL;
}

/* Write what must stay together. */
static void
put_part(struct line *line, const char *part, size_t len)
{
	if (line->at > line->indent && line->at + 1 + len > WIDTH) {
		fprintf(line->out, "\n%*s", (int)line->indent, "");
		line->at = line->indent;
	} else if (line->at > line->indent) {
		fputc(' ', line->out);
		line->at++;
	}
	fprintf(line->out, "%.*s", (int)len, part);
	line->at += len;
}

static void
put_words(struct line *line, const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		put_part(line, text, len);
	}
}

/* A paragraph, all of it indented. */
static void
put_paragraph(FILE *out, size_t indent, const char *text)
{
	struct line line = { out, indent, indent };

	fprintf(out, "%*s", (int)indent, "");
	put_words(&line, text);
	fputc('\n', out);
}

static void
put_usage(FILE *out, size_t indent, const struct command *command)
{
	const struct command_option *o;
	struct line line;
	char part[80];
	int len;
	int i;

	len = fprintf(out, "devcredctl [-c FILE] %s%s%s", command->noun,
	    command->verb != NULL ? " " : "",
	    command->verb != NULL ? command->verb : "");
	line.out = out;
	line.indent = indent + 4;
	line.at = indent + (len > 0 ? (size_t)len : 0);
	put_words(&line, command->operands);
	for (i = 0; (o = option_at(command, i)) != NULL; i++) {
		len = snprintf(part, sizeof(part), "%s--%s%s%s%s%s",
		    o->needed ? "" : "[", o->name,
		    o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "", o->many ? "..." : "",
		    o->needed ? "" : "]");
		put_part(&line, part, (size_t)len);
	}
	fputc('\n', out);
}

static void
put_options(FILE *out, const struct command *command)
{
	const struct command_option *o;
	struct line line;
	int len;
	int i;

	fputs("\noptions:\n", out);
	for (i = 0; (o = option_at(command, i)) != NULL; i++) {
		len = fprintf(out, "  --%s%s%s", o->name,
		    o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		if (len > COLUMN - 2) {
			fputc('\n', out);
			len = 0;
		}
		fprintf(out, "%*s", COLUMN - len, "");
		line.out = out;
		line.indent = COLUMN;
		line.at = COLUMN;
		put_words(&line, o->help);
		fputc('\n', out);
	}
}

static void
put_status(FILE *out, const struct command *command)
{
	fputs("\nexit status:\n"
	    "  0  done\n", out);
	fprintf(out, "  1  refused, or it went wrong%s%s\n",
	    command->fails != NULL ? "; " : "",
	    command->fails != NULL ? command->fails : "");
	fprintf(out, "  2  the command line makes no sense%s\n",
	    (command->takes & TAKES_YES) != 0 ?
	    ", or nobody is there to ask and no --yes" : "");
	fputs("  3  the database cannot be reached\n", out);
	if ((command->takes & TAKES_QUIET) != 0)
		fputs("  130, 143, 129: interrupted by INT, TERM or HUP; it "
		    "says what was done\n", out);
}

void
help_usage(FILE *out, const struct command *command)
{
	fputs("usage: ", out);
	put_usage(out, strlen("usage: "), command);
}

void
help_command(FILE *out, const struct command *command)
{
	int i;

	help_usage(out, command);
	fputc('\n', out);
	put_paragraph(out, 0, command->help);
	if (command->text != NULL) {
		fputc('\n', out);
		put_paragraph(out, 0, command->text);
	}
	if (option_at(command, 0) != NULL)
		put_options(out, command);
	if (command->examples[0] != NULL)
		fputs("\nexamples:\n", out);
	for (i = 0; command->examples[i] != NULL; i++)
		fprintf(out, "  %s\n", command->examples[i]);
	put_status(out, command);
}

void
help_group(FILE *out, const struct command_group *group)
{
	const struct command *c;

	fputs("usage:\n", out);
	for (c = group->commands; c->noun != NULL; c++) {
		fputs("  ", out);
		put_usage(out, 2, c);
		fprintf(out, "\t%s\n", c->help);
	}
	fprintf(out, "\n\"devcredctl %s VERB --help\" tells more, with "
	    "examples.\n", group->noun);
}

void
help_all(FILE *out)
{
	const struct command_group *g;
	const struct command *c;
	struct line line;

	fputs("usage: devcredctl [-c FILE] COMMAND [OPERAND...] "
	    "[OPTION...]\n\n", out);
	for (g = command_groups; g->commands != NULL; g++) {
		for (c = g->commands; g->noun == NULL && c->noun != NULL; c++)
			fprintf(out, "  %-*s%s\n", VERBS - 2, c->noun,
			    c->help);
		if (g->noun == NULL) {
			fputc('\n', out);
			continue;
		}
		fprintf(out, "  %-*s%s:\n%*s", VERBS - 2, g->noun, g->help,
		    VERBS, "");
		line.out = out;
		line.indent = VERBS;
		line.at = VERBS;
		for (c = g->commands; c->noun != NULL; c++)
			put_part(&line, c->verb, strlen(c->verb));
		fputc('\n', out);
	}
	fputs("\n  devcredctl COMMAND --help   what it does, its options, "
	    "examples\n"
	    "  devcredctl NOUN --help      the commands of a noun\n"
	    "  devcredctl --version\n", out);
}
