#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "progress.h"
#include "table.h"

static void
tell(const char *before, const char *fmt, va_list ap)
{
	struct buf clean;
	char *text;

	if (vasprintf(&text, fmt, ap) == -1)
		return;		/* no memory even for this */
	buf_init(&clean, 0);
	table_clean(&clean, text, true);
	/* PostgreSQL's messages end in a newline */
	while (clean.len > 0 && clean.data[clean.len - 1] == '\n')
		clean.data[--clean.len] = '\0';
	fflush(stdout);
	progress_clear();
	fprintf(stderr, "%s%s\n", before, buf_text(&clean));
	buf_free(&clean);
	free(text);
}

void
ctl_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell("devcredctl: ", fmt, ap);
	va_end(ap);
}

void
ctl_advice(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell("-> ", fmt, ap);
	va_end(ap);
}

enum ctl_exit
ctl_usage(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell("devcredctl: ", fmt, ap);
	va_end(ap);
	help_usage(stderr, ctl->command);
	return CTL_USAGE;
}

static const struct ctl_option *
option_find(const struct ctl_option *options, const char *name, size_t len)
{
	for (; options != NULL && options->name != NULL; options++)
		if (strlen(options->name) == len &&
		    memcmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

/* Whether people can read of the option of a command. */
static bool
option_told(const struct command *command, const char *name, size_t len)
{
	const struct command_option *o;

	for (o = command->options; o->name != NULL; o++)
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return true;
	return false;
}

/* Find an option by its name, be it the command's own or a common one. */
static bool
option_named(struct ctl *ctl, const struct ctl_option *options,
    const char *name, size_t len, struct ctl_option *found)
{
	const struct ctl_option commons[] = {
		{ "json", &ctl->json, NULL, NULL },
		{ "yes", &ctl->yes, NULL, NULL },
		{ "quiet", &ctl->quiet, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	static const enum command_takes takes[] = { TAKES_JSON, TAKES_YES,
		TAKES_QUIET };
	const struct ctl_option *option;

	option = option_find(commons, name, len);
	if (option != NULL &&
	    (ctl->command->takes & takes[option - commons]) == 0)
		option = NULL;
	if (option == NULL && option_told(ctl->command, name, len))
		option = option_find(options, name, len);
	if (option != NULL)
		*found = *option;
	return option != NULL;
}

/*
 * The option at arg[i] ("--name", "--name VALUE" or "--name=VALUE").  *used
 * gets how many arguments it takes.
 */
static enum ctl_exit
option_take(struct ctl *ctl, const struct ctl_option *options, int i,
    int *used)
{
	struct ctl_option option;
	const char *text = ctl->arg[i];
	const char *value = NULL;
	size_t len = strcspn(text, "=");

	*used = 1;
	if (strncmp(text, "--", 2) != 0 ||
	    !option_named(ctl, options, text + 2, len - 2, &option))
		return ctl_usage(ctl, "there is no option %.*s here",
		    (int)len, text);
	if (text[len] == '=')
		value = text + len + 1;
	if (option.flag != NULL) {
		if (value != NULL)
			return ctl_usage(ctl, "%.*s takes no value", (int)len,
			    text);
		*option.flag = true;
		return CTL_DONE;
	}
	if (value == NULL) {
		if (i + 1 == ctl->narg)
			return ctl_usage(ctl, "%s needs a value", text);
		value = ctl->arg[i + 1];
		*used = 2;
	}
	if (option.list != NULL) {
		buf_puts(option.list, value);
		buf_putc(option.list, ' ');
	} else if (*option.value != NULL) {
		return ctl_usage(ctl, "%.*s is given twice", (int)len, text);
	} else {
		*option.value = value;
	}
	return CTL_DONE;
}

enum ctl_exit
ctl_args(struct ctl *ctl, const struct ctl_option *options, int min, int max)
{
	enum ctl_exit rc;
	bool plain = false;	/* "--" was seen */
	int kept = 0;
	int used;
	int i;

	for (i = 0; i < ctl->narg; i += used) {
		used = 1;
		if (!plain && strcmp(ctl->arg[i], "--") == 0) {
			plain = true;
		} else if (!plain && ctl->arg[i][0] == '-' &&
		    ctl->arg[i][1] != '\0') {
			rc = option_take(ctl, options, i, &used);
			if (rc != CTL_DONE)
				return rc;
		} else {
			ctl->arg[kept++] = ctl->arg[i];
		}
	}
	ctl->narg = kept;
	if (kept < min)
		return ctl_usage(ctl, "%.*s is missing",
		    (int)strcspn(ctl->command->operands, " ."),
		    ctl->command->operands);
	if (kept > max)
		return ctl_usage(ctl, "\"%s\" is one argument too many",
		    ctl->arg[max]);
	return CTL_DONE;
}
