/*
 * ctl: what every command of devcredctl stands on: its arguments, what it
 * tells people, and its conversation with the database.
 */
#ifndef DEVCREDCTL_CTL_H
#define DEVCREDCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "db.h"

/* Exit status of the program; every command returns one of these. */
enum ctl_exit {
	CTL_DONE,
	CTL_FAILED,		/* refused, or it went wrong */
	CTL_USAGE,		/* the command line makes no sense */
	CTL_UNREACHABLE		/* the database cannot be asked */
};

struct ctl;
struct schema;

#define COMMAND_OPTIONS	10	/* at most */
#define COMMAND_EXAMPLES 4
#define SESSION_LONG	(600 * 1000)	/* ms; of a statement over much */

/* What a command takes besides its own options. */
enum command_takes {
	TAKES_JSON = 1,		/* --json: what it shows is for programs */
	TAKES_YES = 2,		/* --yes: it asks before it does */
	TAKES_QUIET = 4		/* --quiet: it shows how far it is */
};

/* An option as people read of it.  value: its name; NULL: it is a flag. */
struct command_option {
	const char	*name;
	const char	*value;
	const char	*help;
	bool		 needed;
	bool		 many;		/* may be repeated */
};

/* A command; those without verb have NULL there. */
struct command {
	const char	*noun;
	const char	*verb;
	const char	*operands;	/* for the usage line */
	const char	*help;		/* one line */
	const char	*text;		/* more of it, or NULL */
	struct command_option options[COMMAND_OPTIONS + 1];
	const char	*examples[COMMAND_EXAMPLES + 1];
	const char	*fails;		/* when, besides "refused"; or NULL */
	unsigned int	 takes;		/* enum command_takes */
	bool		 loads_conf;	/* it does that itself */
	enum ctl_exit	(*run)(struct ctl *ctl);
};

struct ctl {
	const char	*conf_path;	/* -c FILE, or NULL */
	struct conf	 conf;
	struct db	*db;		/* NULL until session_connect() */
	bool		 json;		/* --json, --yes, --quiet: given */
	bool		 yes;
	bool		 quiet;
	const struct command *command;
	char		**arg;		/* what follows noun and verb */
	int		 narg;
};

/*
 * Where an option of a command goes: --name sets *flag; --name VALUE sets
 * *value, or is added to *list (each value followed by a space).  It must be
 * among those of the command, or nobody could read of it.
 */
struct ctl_option {
	const char	 *name;
	bool		 *flag;
	const char	**value;
	struct buf	 *list;
};

/*
 * Take the options, common ones too, out of the arguments; ctl->arg and
 * ctl->narg are left with the operands, of which there must be min to max.
 * options ends with a NULL name; NULL: there are none.  CTL_USAGE, with the
 * reason and the usage told, if it does not fit.
 */
enum ctl_exit ctl_args(struct ctl *ctl, const struct ctl_option *options,
	    int min, int max) MUST_CHECK;

/* Say why the command line makes no sense, and what would; CTL_USAGE. */
enum ctl_exit ctl_usage(const struct ctl *ctl, const char *fmt, ...)
	    PRINTF_LIKE(2, 3);

/*
 * Tell on standard error what went wrong, with the program's name, and what
 * to do about it.  Terminal control characters are made harmless.
 */
void	 ctl_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void	 ctl_advice(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Connect as conf.database says; the reason of a failure is told. */
enum ctl_exit session_connect(struct ctl *ctl) MUST_CHECK;

/*
 * Connect, unless that is done, and begin a transaction as devcred_owner, in a
 * database whose schema is the one this program knows.
 */
enum ctl_exit session_begin(struct ctl *ctl) MUST_CHECK;

/*
 * Begin another transaction of the kind, without a look at the database and
 * without a word if it fails.
 */
enum db_status session_resume(struct ctl *ctl) MUST_CHECK;

/*
 * Run a statement of the transaction.  On CTL_DONE the caller frees *rows;
 * else the reason is told and the transaction is as good as rolled back.
 */
enum ctl_exit session_call(struct ctl *ctl, const struct db_statement *stmt,
	    const char *const *values, struct db_rows *rows) MUST_CHECK;

/* The same for a statement that looks at much, and may take SESSION_LONG. */
enum ctl_exit session_long(struct ctl *ctl,
	    const struct db_statement *stmt, const char *const *values,
	    struct db_rows *rows) MUST_CHECK;

/* Whether there is such a tenant; NULL passes.  The reason is told if not. */
enum ctl_exit session_tenant(struct ctl *ctl, const char *tenant) MUST_CHECK;

/* Commit. */
enum ctl_exit session_commit(struct ctl *ctl) MUST_CHECK;

/*
 * Connect, begin a transaction that only looks, as devcred_owner if the login
 * may, and ask for schema_facts(), which the caller frees in any case.
 */
enum ctl_exit session_look(struct ctl *ctl, struct db_rows *facts) MUST_CHECK;

/* schema_read(), with the reason of a failure told. */
enum ctl_exit session_history(struct ctl *ctl, const struct db_rows *facts,
	    struct schema *schema) MUST_CHECK;

/* Whether this devcredctl can go on from what was applied; tells why not. */
enum ctl_exit migrate_check(const struct schema *schema) MUST_CHECK;

/* Tell what a migration has applied: what was pending in the schema. */
enum ctl_exit migrate_report(const struct ctl *ctl,
	    const struct schema *schema) MUST_CHECK;

/* Tell why the last statement failed, and the exit status for it. */
enum ctl_exit session_failed(const struct ctl *ctl, enum db_status status);

/* The commands, one file or more for each noun; tables of them: command.h. */
enum ctl_exit migrate(struct ctl *ctl);
enum ctl_exit migrate_status(struct ctl *ctl);
enum ctl_exit tenant_add(struct ctl *ctl);
enum ctl_exit tenant_list(struct ctl *ctl);
enum ctl_exit tenant_set(struct ctl *ctl);
enum ctl_exit tenant_grant_login(struct ctl *ctl);
enum ctl_exit tenant_revoke_login(struct ctl *ctl);
enum ctl_exit user_add(struct ctl *ctl);
enum ctl_exit user_passwd(struct ctl *ctl);
enum ctl_exit user_list(struct ctl *ctl);
enum ctl_exit user_disable(struct ctl *ctl);
enum ctl_exit user_enable(struct ctl *ctl);
enum ctl_exit request_list(struct ctl *ctl);
enum ctl_exit request_show(struct ctl *ctl);
enum ctl_exit request_watch(struct ctl *ctl);
enum ctl_exit request_add(struct ctl *ctl);
enum ctl_exit request_accept(struct ctl *ctl);
enum ctl_exit request_block(struct ctl *ctl);
enum ctl_exit request_lift(struct ctl *ctl);
enum ctl_exit request_delete(struct ctl *ctl);
enum ctl_exit credential_list(struct ctl *ctl);
enum ctl_exit credential_show(struct ctl *ctl);
enum ctl_exit credential_rotate(struct ctl *ctl);
enum ctl_exit credential_disable(struct ctl *ctl);
enum ctl_exit credential_enable(struct ctl *ctl);
enum ctl_exit credential_expire(struct ctl *ctl);
enum ctl_exit credential_reopen(struct ctl *ctl);
enum ctl_exit credential_revoke(struct ctl *ctl);
enum ctl_exit credential_decommission(struct ctl *ctl);
enum ctl_exit rule_add(struct ctl *ctl);
enum ctl_exit rule_list(struct ctl *ctl);
enum ctl_exit rule_try(struct ctl *ctl);
enum ctl_exit rule_apply(struct ctl *ctl);
enum ctl_exit rule_enable(struct ctl *ctl);
enum ctl_exit rule_disable(struct ctl *ctl);
enum ctl_exit rule_delete(struct ctl *ctl);
enum ctl_exit housekeep(struct ctl *ctl);
enum ctl_exit import(struct ctl *ctl);
enum ctl_exit key_add(struct ctl *ctl);
enum ctl_exit key_list(struct ctl *ctl);
enum ctl_exit key_retire(struct ctl *ctl);
enum ctl_exit audit_key(struct ctl *ctl);
enum ctl_exit audit_seal(struct ctl *ctl);
enum ctl_exit audit_verify(struct ctl *ctl);
enum ctl_exit audit_export(struct ctl *ctl);
enum ctl_exit doctor(struct ctl *ctl);

#endif
