#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "ctl.h"
#include "interrupt.h"
#include "progress.h"
#include "schema.h"

#define STEP_TIMEOUT	(3600 * 1000)	/* ms; a migration may be long */
#define LOCK_TIMEOUT	30000		/* ms to wait for another migration */
#define LOCK_PAUSE	200		/* ms between two looks */
#define TRIES_MAX	6		/* when others are in the way */
#define LOCK_KEY	"28259056820053348"	/* "devcred" as a number */

struct migrate {
	struct ctl	*ctl;
	bool		 dry_run;
	struct buf	 script;	/* what a dry run would do */
	struct progress	 progress;
	int		 steps;		/* done of all */
	int		 all_steps;
	int		 tries;		/* from the start again */
	bool		 lost;		/* against others, who went on */
	struct db_rows	 facts;
	struct schema	 schema;
};

/* Local settings alone: behind a pooler nothing is left behind. */
static const char sql_begin[] =
	"begin;\n"
	"set local client_encoding = 'UTF8';\n"
	"set local search_path = pg_catalog, pg_temp;\n"
	"set local lock_timeout = '5s';\n"
	"set local statement_timeout = 0;\n"
	"set local idle_in_transaction_session_timeout = 0;\n"
	"set local client_min_messages = warning;\n";

static const char sql_commit[] = "commit;\n";

static const char sql_role[] = "set local role devcred_owner;\n";

static const struct db_statement stmt_lock = { "migrate_lock",
	"select pg_catalog.pg_try_advisory_xact_lock(" LOCK_KEY ")", 0 };

/* PostgreSQL warns of something, which people have to know of. */
static void
warn(void *arg, const char *level, const char *text, const char *hint)
{
	(void)arg;
	ctl_error("%s: %s", strcmp(level, "WARNING") == 0 ? "warning" : level,
	    text);
	if (hint != NULL)
		ctl_advice("%s", hint);
}

/*
 * One step of the migration: run it, or, in a dry run, write it down.  what
 * names it to people.
 */
static enum ctl_exit
step(struct migrate *m, const char *what, const char *sql)
{
	enum db_status status;
	struct db_rows rows;
	enum ctl_exit rc;

	if (m->dry_run) {
		buf_printf(&m->script, "\n-- %s\n%s", what, sql);
		return CTL_DONE;
	}
	db_script(m->ctl->db, sql, clock_ms() + STEP_TIMEOUT);
	status = progress_wait(&m->progress, m->ctl->db, sql != sql_commit,
	    &rows);
	db_rows_free(&rows);
	if (status == DB_OK && (sql == sql_commit || !interrupt_came())) {
		m->steps++;
		progress_show(&m->progress, m->steps, m->all_steps > 0 ?
		    (double)m->steps / m->all_steps : 0);
		return CTL_DONE;
	}
	progress_end(&m->progress);
	/* until the commit, what is lost was not done */
	if (status == DB_UNCERTAIN && sql != sql_commit)
		status = DB_UNAVAILABLE;
	if (status == DB_CONFLICT && !interrupt_came() &&
	    m->tries < TRIES_MAX) {
		m->lost = true;
		return CTL_FAILED;
	}
	if (status != DB_UNCERTAIN && interrupt_came()) {
		ctl_error("interrupted in %s; the database is as it was "
		    "before", what);
		return CTL_FAILED;
	}
	ctl_error("%s failed:", what);
	rc = session_failed(m->ctl, status);
	if (status != DB_UNCERTAIN)
		ctl_error("the database is as it was before");
	return rc;
}

static enum ctl_exit
step_file(struct migrate *m, const struct embedded *file)
{
	return step(m, file->name, (const char *)file->text);
}

/* Begin, and become the only migration of this database. */
static enum ctl_exit
lock(struct migrate *m)
{
	int64_t deadline = clock_ms() + LOCK_TIMEOUT;
	struct db_rows rows;
	enum ctl_exit rc;
	bool told = false;
	bool mine;

	if ((rc = step(m, "the start", sql_begin)) != CTL_DONE)
		return rc;
	/* waiting inside PostgreSQL would be a snapshot others wait for */
	for (;;) {
		rc = session_call(m->ctl, &stmt_lock, NULL, &rows);
		if (rc != CTL_DONE)
			return rc;
		mine = db_true(&rows, 0, 0);
		db_rows_free(&rows);
		if (mine)
			return CTL_DONE;
		if (interrupt_came()) {
			ctl_error("interrupted; nothing was done");
			return CTL_FAILED;
		}
		if (clock_ms() >= deadline) {
			ctl_error("another migration is still running; "
			    "nothing was done");
			return CTL_FAILED;
		}
		if (!told)
			ctl_error("another migration of this database is "
			    "running; waiting up to %d s for it",
			    LOCK_TIMEOUT / 1000);
		told = true;
		poll(NULL, 0, LOCK_PAUSE);
	}
}

/* Whether this server can hold the schema at all. */
static enum ctl_exit
check_server(const struct migrate *m)
{
	if (db_num(&m->facts, 0, FACT_SERVER) < SCHEMA_MIN_SERVER) {
		ctl_error("this is PostgreSQL %s, but %d or later is needed",
		    schema_fact(&m->facts, FACT_SERVER), SCHEMA_MIN_SERVER);
		return CTL_FAILED;
	}
	if (strcmp(schema_fact(&m->facts, FACT_ENCODING), "UTF8") != 0) {
		ctl_error("the database's encoding is %s, but UTF8 is needed",
		    schema_fact(&m->facts, FACT_ENCODING));
		ctl_advice("createdb --encoding=UTF8 --template=template0");
		return CTL_FAILED;
	}
	if (schema_fact_is(&m->facts, FACT_STANDBY) && !m->dry_run) {
		ctl_error("this server is a standby; migrate the primary");
		return CTL_FAILED;
	}
	return CTL_DONE;
}

/* Make the roles, unless they are there or are for others to make. */
static enum ctl_exit
make_roles(struct migrate *m)
{
	char missing[128];
	char *name;
	char *rest;

	snprintf(missing, sizeof(missing), "%s",
	    schema_fact(&m->facts, FACT_MISSING_ROLES));
	if (missing[0] == '\0')
		return CTL_DONE;
	if (schema_fact_is(&m->facts, FACT_MAKES_ROLES) || m->dry_run)
		return step_file(m, &embedded_roles);
	ctl_error("the database login %s may not create the roles that are "
	    "missing: %s", schema_fact(&m->facts, FACT_LOGIN), missing);
	ctl_advice("as a superuser, in psql:");
	for (rest = missing; (name = strsep(&rest, " ")) != NULL;)
		ctl_advice("  create role %s nologin;", name);
	ctl_advice("  grant devcred_tenant to devcred_owner "
	    "with admin option;");
	ctl_advice("  grant devcred_owner to %s;",
	    schema_fact(&m->facts, FACT_LOGIN));
	ctl_advice("or let one run what devcredctl migrate --dry-run prints");
	return CTL_FAILED;
}

/* What stands before the first migration: roles, membership, schema. */
static enum ctl_exit
make_ground(struct migrate *m)
{
	const char *login = schema_fact(&m->facts, FACT_LOGIN);
	const char *owner = schema_fact(&m->facts, FACT_SCHEMA_OWNER);
	struct buf grant;
	enum ctl_exit rc;

	if ((rc = make_roles(m)) != CTL_DONE)
		return rc;
	if (!schema_fact_is(&m->facts, FACT_IS_OWNER) &&
	    !schema_fact_is(&m->facts, FACT_SUPERUSER)) {
		buf_init(&grant, 0);
		buf_printf(&grant, "grant devcred_owner to %s;\n", login);
		rc = step(m, "membership in devcred_owner", buf_text(&grant));
		buf_free(&grant);
		if (rc == CTL_FAILED)
			ctl_advice("as a superuser: grant devcred_owner to %s;",
			    login);
		if (rc != CTL_DONE)
			return rc;
	}
	if (owner[0] == '\0') {
		rc = step(m, "the schema", "create schema devcred "
		    "authorization devcred_owner;\n");
		if (rc == CTL_FAILED)
			ctl_advice("as a superuser: create schema devcred "
			    "authorization devcred_owner;");
	} else if (strcmp(owner, "devcred_owner") != 0) {
		ctl_error("the schema devcred belongs to %s, not to "
		    "devcred_owner", owner);
		ctl_advice("is it something else?  If not: alter schema "
		    "devcred owner to devcred_owner;");
		rc = CTL_FAILED;
	}
	return rc;
}

/* Apply what is pending and record it, then everything replaceable. */
static enum ctl_exit
apply(struct migrate *m)
{
	const struct migration *mig;
	const struct embedded *file;
	struct buf record;
	enum ctl_exit rc = CTL_DONE;
	int i;

	buf_init(&record, 0);
	m->all_steps = m->steps + 2 * m->schema.count[MIGRATION_PENDING] + 1;
	for (file = embedded_sql; file->name != NULL; file++)
		m->all_steps++;
	if (!schema_fact_is(&m->facts, FACT_HAS_HISTORY))
		rc = step(m, "the list of migrations",
		    schema_history_sql);
	for (i = 0; i < m->schema.n && rc == CTL_DONE; i++) {
		mig = &m->schema.list[i];
		if (mig->state != MIGRATION_PENDING)
			continue;
		if ((rc = step_file(m, mig->file)) != CTL_DONE)
			break;
		buf_reset(&record);
		buf_printf(&record, "insert into devcred.schema_migration "
		    "(version, name, sha256)\nvalues (%d, '%s', '%s');\n",
		    mig->version, mig->name, mig->digest);
		rc = step(m, "the record of it", buf_text(&record));
	}
	buf_free(&record);
	for (file = embedded_sql; file->name != NULL && rc == CTL_DONE; file++)
		rc = step_file(m, file);
	return rc;
}

/* Connect, begin and ask how things stand; a dry run only looks. */
static enum ctl_exit
start(struct migrate *m)
{
	enum db_status status;
	enum ctl_exit rc;

	if (m->dry_run) {
		rc = session_look(m->ctl, &m->facts);
		return rc == CTL_DONE ? check_server(m) : rc;
	}
	if (m->tries++ == 0) {
		if ((rc = session_connect(m->ctl)) != CTL_DONE)
			return rc;
		db_on_notice(m->ctl->db, warn, NULL);
		interrupt_watch();
		progress_start(&m->progress, m->ctl, "steps");
	}
	if ((rc = lock(m)) != CTL_DONE)
		return rc;
	status = schema_facts(m->ctl->db, &m->facts);
	if (status != DB_OK)
		return session_failed(m->ctl, status);
	return check_server(m);
}

/* All of it, in one transaction. */
static enum ctl_exit
attempt(struct migrate *m)
{
	enum ctl_exit rc;

	if ((rc = start(m)) != CTL_DONE ||
	    (rc = make_ground(m)) != CTL_DONE ||
	    (rc = step(m, "the rest belongs to the owner", sql_role)) !=
	    CTL_DONE ||
	    (rc = session_history(m->ctl, &m->facts, &m->schema)) != CTL_DONE ||
	    (rc = migrate_check(&m->schema)) != CTL_DONE ||
	    (rc = apply(m)) != CTL_DONE)
		return rc;
	return step(m, "the commit", sql_commit);
}

static void
forget(struct migrate *m)
{
	m->steps = 0;
	m->lost = false;
	schema_free(&m->schema);
	db_rows_free(&m->facts);
}

/* Let go of all locks, so that whoever was in the way can end. */
static enum ctl_exit
begin_again(struct migrate *m)
{
	enum db_status status;

	ctl_error("others use what has to change; trying again");
	forget(m);
	status = db_run_script(m->ctl->db, "rollback", LOCK_TIMEOUT);
	return status == DB_OK ? CTL_DONE : session_failed(m->ctl, status);
}

static enum ctl_exit
run(struct migrate *m)
{
	enum ctl_exit rc;

	if (m->dry_run)
		buf_printf(&m->script, "-- devcredctl migrate, to be run by "
		    "hand: psql -v ON_ERROR_STOP=1 -f FILE\n%s"
		    "do 'begin perform pg_advisory_xact_lock(" LOCK_KEY "); "
		    "end';\n",
		    sql_begin);
	while ((rc = attempt(m)) != CTL_DONE && m->lost)
		if ((rc = begin_again(m)) != CTL_DONE)
			return rc;
	if (rc != CTL_DONE)
		return rc;
	if (!m->dry_run) {
		interrupt_forget();	/* it came too late */
		progress_end(&m->progress);
		rc = migrate_report(m->ctl, &m->schema);
	} else if (buf_ok(&m->script)) {
		fputs(buf_text(&m->script), stdout);
	} else {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	}
	return rc;
}

enum ctl_exit
migrate(struct ctl *ctl)
{
	struct migrate m;
	bool status = false;
	const struct ctl_option options[] = {
		{ "status", &status, NULL, NULL },
		{ "dry-run", &m.dry_run, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	enum ctl_exit rc;

	memset(&m, 0, sizeof(m));
	m.ctl = ctl;
	buf_init(&m.script, 0);
	if ((rc = ctl_args(ctl, options, 0, 0)) != CTL_DONE)
		return rc;
	if (status && m.dry_run)
		return ctl_usage(ctl, "--status or --dry-run, not both");
	rc = status ? migrate_status(ctl) : run(&m);
	progress_end(&m.progress);
	buf_free(&m.script);
	forget(&m);
	return rc;
}
