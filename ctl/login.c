#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "names.h"
#include "result.h"
#include "store.h"

/* Logins of the database that see what one tenant has. */
static const struct db_statement stmt_grant = { "login_grant",
	"select devcred.login_grant($1, $2, $3)", 3 };

static const struct db_statement stmt_revoke = { "login_revoke",
	"select devcred.login_revoke($1, $2)", 2 };

static const struct result_column columns[] = {
	{ "tenant", NULL, RESULT_TEXT },
	{ "login", NULL, RESULT_TEXT },
	{ "read_only", NULL, RESULT_BOOL },
	RESULT_END
};

static const struct result_column columns_revoked[] = {
	{ "tenant", NULL, RESULT_TEXT },
	{ "login", NULL, RESULT_TEXT },
	RESULT_END
};

/* Grant or revoke: values are tenant, login and what else is needed. */
static enum ctl_exit
change(struct ctl *ctl, const struct db_statement *stmt,
    const char *const *values, enum outcome *outcome)
{
	struct db_rows rows;
	enum ctl_exit rc;

	if (strcmp(values[0], "management") == 0) {
		ctl_error("the management tenant reaches all tenants");
		ctl_advice("as a superuser, in psql: "
		    "grant devcred_registrar to \"%s\"", values[1]);
		return CTL_FAILED;
	}
	if (!name_is_tenant(values[0]) ||
	    !name_is_text(values[1], "the name of a database login"))
		return CTL_FAILED;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, stmt, values, &rows)) != CTL_DONE)
		return rc;
	*outcome = store_outcome(&rows, 0, 0);
	db_rows_free(&rows);
	if (*outcome == OUTCOME_NO_TENANT)
		return name_no_tenant(values[0]);
	return *outcome == OUTCOME_OK ? session_commit(ctl) : CTL_FAILED;
}

enum ctl_exit
tenant_grant_login(struct ctl *ctl)
{
	bool read_only = false;
	const struct ctl_option options[] = {
		{ "read-only", &read_only, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	enum outcome outcome = OUTCOME_OK;
	const char *values[3];
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, options, 2, 2)) != CTL_DONE)
		return rc;
	values[0] = ctl->arg[0];
	values[1] = ctl->arg[1];
	values[2] = read_only ? "t" : "f";
	rc = change(ctl, &stmt_grant, values, &outcome);
	if (outcome == OUTCOME_ABSENT) {
		ctl_error("there is no database login %s", values[1]);
		ctl_advice("as a superuser, in psql: create role \"%s\" login",
		    values[1]);
	}
	if (rc == CTL_DONE)
		rc = result_say(ctl, columns, values,
		    "%s %s what tenant %s has\n", values[1],
		    read_only ? "sees" : "sees and changes", values[0]);
	return rc;
}

enum ctl_exit
tenant_revoke_login(struct ctl *ctl)
{
	enum outcome outcome = OUTCOME_OK;
	const char *values[2];
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 2, 2)) != CTL_DONE)
		return rc;
	values[0] = ctl->arg[0];
	values[1] = ctl->arg[1];
	rc = change(ctl, &stmt_revoke, values, &outcome);
	if (outcome == OUTCOME_ABSENT)
		ctl_error("%s was not granted tenant %s", values[1],
		    values[0]);
	if (rc == CTL_DONE)
		rc = result_say(ctl, columns_revoked, values,
		    "%s sees nothing of tenant %s any more\n", values[1],
		    values[0]);
	return rc;
}
