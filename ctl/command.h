/*
 * command: the table of commands.  What one is called, takes and does stands
 * in a table of its noun; usage lines, help, manual check and completion all
 * come from there.
 */
#ifndef DEVCREDCTL_COMMAND_H
#define DEVCREDCTL_COMMAND_H

#include <stdio.h>

#include "ctl.h"

/* Options in those tables: one that may be given, must be, or repeatedly. */
#define MAY(name, value, help)	{ name, value, help, false, false }
#define MUST(name, value, help)	{ name, value, help, true, false }
#define MANY(name, value, help)	{ name, value, help, false, true }
#define OPTION_TENANT	MAY("tenant", "T", \
    "of this tenant; needed if the id is in use in several")

#define COMMANDS_END	{ .noun = NULL }

/* The commands of a noun, or those that have none; ended by a NULL noun. */
struct command_group {
	const char	*noun;		/* NULL: commands without verb */
	const char	*help;		/* one line */
	const struct command *commands;
};

/* All groups, ended by NULL commands. */
extern const struct command_group command_groups[];

extern const struct command commands_database[];
extern const struct command commands_tenant[];
extern const struct command commands_user[];
extern const struct command commands_request[];
extern const struct command commands_credential[];
extern const struct command commands_rule[];
extern const struct command commands_key[];
extern const struct command commands_audit[];

/* Write what there is to know: of everything, of a group, of a command. */
void	 help_all(FILE *out);
void	 help_group(FILE *out, const struct command_group *group);
void	 help_command(FILE *out, const struct command *command);

/* Write the usage of a command, broken into lines. */
void	 help_usage(FILE *out, const struct command *command);

#endif
