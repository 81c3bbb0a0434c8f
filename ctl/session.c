#include <string.h>

#include "ctl.h"
#include "names.h"
#include "schema.h"
#include "store.h"

#define SESSION_TIMEOUT	10000	/* ms, of each statement */

/* Columns of the first statement. */
enum { AT_LOGIN, AT_SCHEMA, AT_MEMBER };

static const struct db_statement stmt_check = { "session_check",
	"select pg_catalog.format('%I', session_user),"
	"       exists (select from pg_catalog.pg_namespace"
	"                where nspname = 'devcred'),"
	"       coalesce(pg_catalog.pg_has_role(session_user, (select oid"
	"                 from pg_catalog.pg_roles"
	"                where rolname = 'devcred_owner'), 'member'), false)",
	0 };

static const struct db_statement stmt_version = { "session_version",
	"select devcred.schema_version()", 0 };

/*
 * The encoding is that of people's terminals, whatever libpq's environment
 * says.  Every setting is local: behind a pooler nothing is left behind.
 */
static const char sql_role[] =
	"set local role devcred_owner;"
	"set local client_encoding = 'UTF8';"
	"set local search_path = pg_catalog, pg_temp";

static const char sql_look[] =
	"begin read only;"
	"set local client_encoding = 'UTF8';"
	"set local search_path = pg_catalog, pg_temp";

enum ctl_exit
session_failed(const struct ctl *ctl, enum db_status status)
{
	/* without a descriptor there is no connection any more */
	if (db_fd(ctl->db) == -1) {
		ctl_error("the connection to the database was lost: %s",
		    db_message(ctl->db));
		if (status == DB_UNCERTAIN)
			ctl_advice("look whether it was done before you do "
			    "it again");
		return CTL_UNREACHABLE;
	}
	if (status == DB_UNCERTAIN) {
		ctl_error("it is not certain that it was done: %s",
		    db_message(ctl->db));
		ctl_advice("look whether it was done before you do it again");
		return CTL_FAILED;
	}
	if (status == DB_CONFLICT) {
		/* where in a function that was is of no interest */
		ctl_error("%.*s", (int)strcspn(db_message(ctl->db), "\n"),
		    db_message(ctl->db));
		ctl_advice("somebody else is at the same thing: try again");
		return CTL_FAILED;
	}
	ctl_error("%s", db_message(ctl->db));
	return CTL_FAILED;
}

enum ctl_exit
session_connect(struct ctl *ctl)
{
	if ((ctl->db = db_new(ctl->conf.database, false, 0)) == NULL) {
		ctl_error("out of memory");
		return CTL_FAILED;
	}
	if (db_run_script(ctl->db, "select", SESSION_TIMEOUT) == DB_OK)
		return CTL_DONE;
	ctl_error("the database cannot be reached: %s", db_message(ctl->db));
	ctl_advice("see \"database\" in %s, and that PostgreSQL runs and "
	    "lets this login in", conf_path(ctl->conf_path));
	return CTL_UNREACHABLE;
}

/* Whether the database is one to work with; the reason is told if not. */
static enum ctl_exit
session_check(struct ctl *ctl)
{
	struct db_rows rows;
	enum ctl_exit rc;

	rc = session_call(ctl, &stmt_check, NULL, &rows);
	if (rc != CTL_DONE)
		return rc;
	if (!db_true(&rows, 0, AT_SCHEMA)) {
		ctl_error("this database has no devcred schema");
		ctl_advice("devcredctl migrate");
		rc = CTL_FAILED;
	} else if (!db_true(&rows, 0, AT_MEMBER)) {
		ctl_error("the database login %s may not act as devcred_owner",
		    db_text(&rows, 0, AT_LOGIN));
		ctl_advice("set \"database\" in %s to a login that may (the "
		    "service's must not), or as a superuser: grant "
		    "devcred_owner to %s;", conf_path(ctl->conf_path),
		    db_text(&rows, 0, AT_LOGIN));
		rc = CTL_FAILED;
	}
	db_rows_free(&rows);
	return rc;
}

enum ctl_exit
session_begin(struct ctl *ctl)
{
	struct db_rows rows;
	enum db_status status;
	enum ctl_exit rc;
	long version;

	if (ctl->db == NULL && (rc = session_connect(ctl)) != CTL_DONE)
		return rc;
	status = db_run_script(ctl->db, "begin", SESSION_TIMEOUT);
	if (status != DB_OK)
		return session_failed(ctl, status);
	if ((rc = session_check(ctl)) != CTL_DONE)
		return rc;
	status = db_run_script(ctl->db, sql_role, SESSION_TIMEOUT);
	if (status != DB_OK)
		return session_failed(ctl, status);
	rc = session_call(ctl, &stmt_version, NULL, &rows);
	if (rc != CTL_DONE)
		return rc;
	version = db_num(&rows, 0, 0);
	db_rows_free(&rows);
	if (version < STORE_SCHEMA) {
		ctl_error("the schema has version %ld, but %d is needed",
		    version, STORE_SCHEMA);
		ctl_advice("devcredctl migrate");
		return CTL_FAILED;
	}
	return CTL_DONE;
}

enum db_status
session_resume(struct ctl *ctl)
{
	enum db_status status;

	status = db_run_script(ctl->db, "begin", SESSION_TIMEOUT);
	return status == DB_OK ? db_run_script(ctl->db, sql_role,
	    SESSION_TIMEOUT) : status;
}

static enum ctl_exit
call(struct ctl *ctl, const struct db_statement *stmt,
    const char *const *values, int timeout, struct db_rows *rows)
{
	enum db_status status;

	status = db_run(ctl->db, stmt, values, timeout, rows);
	if (status == DB_OK)
		return CTL_DONE;
	db_rows_free(rows);
	/* until the commit, what is lost was not done */
	return session_failed(ctl, status == DB_UNCERTAIN ? DB_UNAVAILABLE :
	    status);
}

enum ctl_exit
session_call(struct ctl *ctl, const struct db_statement *stmt,
    const char *const *values, struct db_rows *rows)
{
	return call(ctl, stmt, values, SESSION_TIMEOUT, rows);
}

enum ctl_exit
session_long(struct ctl *ctl, const struct db_statement *stmt,
    const char *const *values, struct db_rows *rows)
{
	return call(ctl, stmt, values, SESSION_LONG, rows);
}

enum ctl_exit
session_commit(struct ctl *ctl)
{
	enum db_status status;

	status = db_run_script(ctl->db, "commit", SESSION_TIMEOUT);
	if (status == DB_OK)
		return CTL_DONE;
	return session_failed(ctl, status);
}

enum ctl_exit
session_tenant(struct ctl *ctl, const char *tenant)
{
	struct db_rows rows;
	enum ctl_exit rc;
	int n;

	if (tenant == NULL)
		return CTL_DONE;
	rc = session_call(ctl, &store_statement(STORE_TENANT_GET)->sql,
	    &tenant, &rows);
	if (rc != CTL_DONE)
		return rc;
	n = rows.n;
	db_rows_free(&rows);
	return n == 1 ? CTL_DONE : name_no_tenant(tenant);
}

enum ctl_exit
session_look(struct ctl *ctl, struct db_rows *facts)
{
	enum db_status status;
	enum ctl_exit rc;

	if ((rc = session_connect(ctl)) != CTL_DONE)
		return rc;
	status = db_run_script(ctl->db, sql_look, SESSION_TIMEOUT);
	if (status == DB_OK)
		status = schema_facts(ctl->db, facts);
	if (status == DB_OK && schema_fact_is(facts, FACT_IS_OWNER))
		status = db_run_script(ctl->db, "set local role devcred_owner",
		    SESSION_TIMEOUT);
	return status == DB_OK ? CTL_DONE : session_failed(ctl, status);
}

enum ctl_exit
session_history(struct ctl *ctl, const struct db_rows *facts,
    struct schema *schema)
{
	enum db_status status;
	enum ctl_exit rc;

	if (schema_read(ctl->db, schema_fact_is(facts, FACT_HAS_HISTORY),
	    schema, &status) == 0)
		return CTL_DONE;
	if (status == DB_OK) {
		ctl_error("out of memory");
		return CTL_FAILED;
	}
	rc = session_failed(ctl, status);
	if (rc == CTL_FAILED)
		ctl_advice("only members of devcred_owner and devcred_auditor "
		    "may look");
	return rc;
}
