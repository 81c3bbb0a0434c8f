#include <pwd.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "schema.h"
#include "store.h"

#define TIMEOUT		10000	/* ms */
#define SERVICE		"app_database"
#define OWNER		"database"

/* What to do if the service's login may too much. */
#define OWN_LOGIN	"make a login for the service alone: create role " \
	"devcred_service login in role devcred_app;"

static const struct db_statement stmt_version = { "doctor_version",
	"select devcred.schema_version()", 0 };

static const struct db_statement stmt_clock = { "doctor_clock",
	"select extract(epoch from clock_timestamp())::bigint", 0 };

static const char *
name_of(uid_t uid, const char *unknown)
{
	const struct passwd *pw = getpwuid(uid);

	return pw != NULL ? pw->pw_name : unknown;
}

/*
 * Over a local socket PostgreSQL may ask the system who connects (peer), and
 * then what it says to us says nothing of what it says to others.  The service
 * is who made the socket; the operator may be root.
 */
static bool
is_for_others(const struct doctor *d, const char *what)
{
	if (strcmp(what, SERVICE) != 0)
		return geteuid() != 0;
	return geteuid() == 0 || d->socket_mode == 0 ||
	    d->socket_uid != geteuid();
}

/* Whether we were refused for who we are. */
static bool
is_about_us(const char *message)
{
	struct buf role;
	bool is;

	if (strstr(message, "Peer authentication failed") != NULL)
		return true;
	buf_init(&role, 0);
	buf_printf(&role, "role \"%s\" does not exist",
	    name_of(geteuid(), ""));
	is = buf_ok(&role) && strstr(message, buf_text(&role)) != NULL;
	buf_free(&role);
	return is;
}

/* Whether we got in as who we are, and others may get in as who they are. */
static bool
is_our_own(const struct doctor *d, const char *what, const char *login)
{
	const char *me = name_of(geteuid(), "");
	size_t quoted = login[0] == '"' ? 1 : 0;

	return strncmp(login + quoted, me, strlen(me)) == 0 &&
	    strlen(login) == strlen(me) + 2 * quoted &&
	    is_for_others(d, what);
}

static void
say_for_others(struct doctor *d, const char *what)
{
	const char *service = "devcred";
	const char *path = d->ctl->conf_path;

	doctor_say(d, FINDING_WARNING, what, "not tried: the login is what "
	    "the system calls you, and you are %s",
	    name_of(geteuid(), "somebody else"));
	if (strcmp(what, SERVICE) != 0) {
		doctor_todo(d, "run this as the user who runs devcredctl "
		    "migrate");
		return;
	}
	if (d->socket_mode != 0 && d->socket_uid != 0)
		service = name_of(d->socket_uid, service);
	doctor_todo(d, "runuser -u %s -- devcredctl %s%s%sdoctor", service,
	    path != NULL ? "-c " : "", path != NULL ? path : "",
	    path != NULL ? " " : "");
}

/*
 * Connect and ask for the facts.  On success the caller frees *db and
 * *facts; else the fault is told.
 */
static int
open_database(struct doctor *d, const char *what, const char *conninfo,
    struct db **db, struct db_rows *facts)
{
	enum db_status status = DB_UNAVAILABLE;

	if ((*db = db_new(conninfo, false, 0)) != NULL)
		status = schema_facts(*db, facts);
	if (status == DB_OK && facts->n == 1)
		return 0;
	if (*db != NULL && is_about_us(db_message(*db)) &&
	    is_for_others(d, what)) {
		say_for_others(d, what);
		goto out;
	}
	doctor_say(d, FINDING_FAULT, what, "%s", *db != NULL ? db_message(*db) :
	    "out of memory");
	doctor_todo(d, "see %s in %s, and that PostgreSQL runs and lets this "
	    "login in", what, conf_path(d->ctl->conf_path));
out:
	db_free(*db);
	*db = NULL;
	return -1;
}

static void
look_at_clock(struct doctor *d, struct db *db)
{
	struct db_rows rows;

	if (db_run(db, &stmt_clock, NULL, TIMEOUT, &rows) == DB_OK)
		doctor_clock(d, "the database", db_num(&rows, 0, 0),
		    time(NULL));
	db_rows_free(&rows);
}

static void
look_at_server(struct doctor *d, const struct db_rows *facts)
{
	if (db_num(facts, 0, FACT_SERVER) < SCHEMA_MIN_SERVER) {
		doctor_say(d, FINDING_FAULT, "PostgreSQL", "this is version %s",
		    schema_fact(facts, FACT_SERVER));
		doctor_todo(d, "upgrade to %d or later", SCHEMA_MIN_SERVER);
	} else {
		doctor_say(d, FINDING_OK, "PostgreSQL", "version %s",
		    schema_fact(facts, FACT_SERVER));
	}
	if (strcmp(schema_fact(facts, FACT_ENCODING), "UTF8") != 0) {
		doctor_say(d, FINDING_FAULT, "PostgreSQL", "the encoding of "
		    "database %s is %s", schema_fact(facts, FACT_DATABASE),
		    schema_fact(facts, FACT_ENCODING));
		doctor_todo(d, "move to one made with createdb --encoding=UTF8 "
		    "--template=template0");
	}
	if (schema_fact_is(facts, FACT_STANDBY)) {
		doctor_say(d, FINDING_FAULT, "PostgreSQL", "this server is a "
		    "standby and takes no changes");
		doctor_todo(d, "name the primary, or add "
		    "target_session_attrs=read-write");
	}
	if (strcmp(schema_fact(facts, FACT_FSYNC), "on") != 0) {
		doctor_say(d, FINDING_WARNING, "PostgreSQL", "fsync is off: a "
		    "power cut may lose what devices were told");
		doctor_todo(d, "fsync = on in postgresql.conf, but for tests");
	}
	if (schema_fact(facts, FACT_MISSING_ROLES)[0] != '\0') {
		doctor_say(d, FINDING_FAULT, "roles", "missing: %s",
		    schema_fact(facts, FACT_MISSING_ROLES));
		doctor_todo(d, "devcredctl migrate");
	} else {
		doctor_say(d, FINDING_OK, "roles", "devcred_owner, "
		    "devcred_app, devcred_auditor and devcred_verifier exist");
	}
}

/* What the service's login may do, and what it must not. */
static void
look_at_service_login(struct doctor *d, const struct db_rows *facts)
{
	const char *login = schema_fact(facts, FACT_LOGIN);
	int before = d->faults;

	if (is_our_own(d, SERVICE, login) &&
	    (schema_fact_is(facts, FACT_SUPERUSER) ||
	    schema_fact_is(facts, FACT_IS_OWNER) ||
	    !schema_fact_is(facts, FACT_IS_APP))) {
		say_for_others(d, SERVICE);
		return;
	}
	if (schema_fact_is(facts, FACT_SUPERUSER)) {
		doctor_say(d, FINDING_FAULT, SERVICE, "the login %s is a "
		    "superuser: whoever breaks the service owns everything",
		    login);
		doctor_todo(d, OWN_LOGIN);
		return;
	}
	if (schema_fact_is(facts, FACT_IS_OWNER)) {
		doctor_say(d, FINDING_FAULT, SERVICE, "the login %s may act as "
		    "devcred_owner", login);
		doctor_todo(d, "revoke devcred_owner from %s; if devcredctl "
		    "needs it, " OWN_LOGIN, login);
		return;
	}
	if (!schema_fact_is(facts, FACT_IS_APP)) {
		doctor_say(d, FINDING_FAULT, SERVICE, "the login %s does not "
		    "have the rights of devcred_app", login);
		if (schema_fact_is(facts, FACT_IS_MEMBER_APP))
			doctor_todo(d, "alter role %s inherit;", login);
		else
			doctor_todo(d, "grant devcred_app to %s;", login);
	}
	if (schema_fact(facts, FACT_READS)[0] != '\0') {
		doctor_say(d, FINDING_FAULT, SERVICE, "the login %s reaches "
		    "the table or view devcred.%s", login, schema_fact(facts,
		    FACT_READS));
		doctor_todo(d, "revoke all on devcred.%s from whom %s is or is "
		    "a member of", schema_fact(facts, FACT_READS), login);
	}
	if (d->faults == before)
		doctor_say(d, FINDING_OK, SERVICE, "the login %s may execute "
		    "functions, and read no table", login);
}

/* The service's view of the schema. */
static void
look_at_service_schema(struct doctor *d, struct db *db)
{
	struct db_rows rows;
	long version;

	if (db_run(db, &stmt_version, NULL, TIMEOUT, &rows) != DB_OK) {
		doctor_say(d, FINDING_FAULT, "schema", "%s", db_message(db));
		doctor_todo(d, "devcredctl migrate, if that is not done; else "
		    "see the line above");
	} else if ((version = db_num(&rows, 0, 0)) < STORE_SCHEMA) {
		doctor_say(d, FINDING_FAULT, "schema", "version %ld, but %d is "
		    "needed", version, STORE_SCHEMA);
		doctor_todo(d, "devcredctl migrate");
	} else {
		doctor_say(d, FINDING_OK, "schema", "the service finds version "
		    "%ld", version);
	}
	db_rows_free(&rows);
}

static void
look_at_migrations(struct doctor *d, struct db *db, const struct db_rows *facts)
{
	struct schema s;
	enum db_status status;

	if (schema_read(db, schema_fact_is(facts, FACT_HAS_HISTORY), &s,
	    &status) == -1) {
		doctor_say(d, FINDING_FAULT, "migrations", "%s",
		    status != DB_OK ? db_message(db) : "out of memory");
		doctor_todo(d, "devcredctl migrate --status");
	} else if (s.count[MIGRATION_CHANGED] > 0) {
		doctor_say(d, FINDING_FAULT, "migrations", "%d of those "
		    "applied are not the files of this devcredctl",
		    s.count[MIGRATION_CHANGED]);
		doctor_todo(d, "devcredctl migrate --status");
	} else if (s.count[MIGRATION_UNKNOWN] > 0) {
		doctor_say(d, FINDING_WARNING, "migrations", "the schema has "
		    "version %d, this devcredctl knows %d", s.version,
		    s.newest);
		doctor_todo(d, "install the newer devcred here too");
	} else if (s.count[MIGRATION_PENDING] > 0) {
		doctor_say(d, FINDING_FAULT, "migrations", "%d pending",
		    s.count[MIGRATION_PENDING]);
		doctor_todo(d, "devcredctl migrate");
	} else {
		doctor_say(d, FINDING_OK, "migrations", "all applied; schema "
		    "version %d", s.version);
	}
	schema_free(&s);
}

/* What devcredctl's own login may do and sees. */
static void
look_at_owner(struct doctor *d, struct db *db, const struct db_rows *facts)
{
	const char *login = schema_fact(facts, FACT_LOGIN);

	if (!schema_fact_is(facts, FACT_IS_OWNER) &&
	    is_our_own(d, OWNER, login)) {
		say_for_others(d, OWNER);
		return;
	}
	if (!schema_fact_is(facts, FACT_IS_OWNER)) {
		doctor_say(d, FINDING_FAULT, OWNER, "the login %s may not act "
		    "as devcred_owner", login);
		doctor_todo(d, "devcredctl migrate, or as a superuser: grant "
		    "devcred_owner to %s;", login);
		return;
	}
	doctor_say(d, FINDING_OK, OWNER, "the login %s may act as "
	    "devcred_owner", login);
	if (db_run_script(db, "begin read only;"
	    "set local role devcred_owner", TIMEOUT) != DB_OK) {
		doctor_say(d, FINDING_FAULT, OWNER, "%s", db_message(db));
		doctor_todo(d, "grant devcred_owner to %s;", login);
		return;
	}
	look_at_migrations(d, db, facts);
	if (!schema_fact_is(facts, FACT_HAS_HISTORY))
		return;
	doctor_contents(d, db);
}

void
doctor_database(struct doctor *d)
{
	const struct conf *conf = &d->ctl->conf;
	struct db_rows service = { NULL, 0 };
	struct db_rows owner = { NULL, 0 };
	struct db *db;

	if (open_database(d, SERVICE, conf->app_database, &db, &service) ==
	    0) {
		look_at_server(d, &service);
		look_at_clock(d, db);
		look_at_service_login(d, &service);
		look_at_service_schema(d, db);
		db_free(db);
		doctor_pooler(d);
	}
	if (open_database(d, OWNER, conf->database, &db, &owner) == 0) {
		if (service.n == 1 &&
		    strcmp(schema_fact(&service, FACT_INSTANCE),
		    schema_fact(&owner, FACT_INSTANCE)) != 0) {
			doctor_say(d, FINDING_FAULT, OWNER, "is not the "
			    "database that app_database is");
			doctor_todo(d, "make host, port and dbname of both the "
			    "same");
		}
		if (service.n == 0) {
			look_at_server(d, &owner);
			look_at_clock(d, db);
		}
		look_at_owner(d, db, &owner);
		db_free(db);
	}
	db_rows_free(&service);
	db_rows_free(&owner);
}
