#include <string.h>

#include "check.h"
#include "schema.h"
#include "store.h"

#define CHECK_TIMEOUT	10000	/* ms */
#define SERVICE		"app_database"
#define OWNER		"database"

/* What to do if the service's login may too much. */
#define OWN_LOGIN	"make a login for the service alone: create role " \
	"devcred_service login in role devcred_app;"

/* What should be in the tables. */
enum { AT_ADMINS, AT_BOOTSTRAPS, AT_OTHER_SCHEME, AT_HAS_DEFAULT };

static const struct db_statement stmt_version = { "check_version",
	"select devcred.schema_version()", 0 };

static const struct db_statement stmt_contents = { "check_contents",
	"select count(*) filter (where"
	"           'ROLE_DEVICE_CONTROL_ADMIN' = any (u.roles)),"
	"       count(*) filter (where"
	"           'ROLE_DEVICE_BOOTSTRAP' = any (u.roles)),"
	"       count(*) filter (where"
	"           not starts_with(u.password_hash, $1)),"
	"       exists (select from devcred.tenant t where t.id = $2)"
	"  from devcred.tenant_user u"
	" where u.disabled_at is null",
	2 };

/*
 * Connect and ask for the facts.  On success the caller frees *db and
 * *facts; else the fault is told.
 */
static int
open_database(struct check *c, const char *what, const char *conninfo,
    bool prepare, struct db **db, struct db_rows *facts)
{
	enum db_status status = DB_UNAVAILABLE;

	if ((*db = db_new(conninfo, prepare, 0)) != NULL)
		status = schema_facts(*db, facts);
	if (status == DB_OK && facts->n == 1)
		return 0;
	check_say(c, CHECK_FAULT, what, "%s", *db != NULL ? db_message(*db) :
	    "out of memory");
	check_todo("see %s in %s, and that PostgreSQL runs and lets this "
	    "login in", what, conf_path(c->ctl->conf_path));
	db_free(*db);
	*db = NULL;
	return -1;
}

static void
check_server(struct check *c, const struct db_rows *facts)
{
	if (db_num(facts, 0, FACT_SERVER) < SCHEMA_MIN_SERVER) {
		check_say(c, CHECK_FAULT, "PostgreSQL", "this is version %s",
		    schema_fact(facts, FACT_SERVER));
		check_todo("upgrade to %d or later", SCHEMA_MIN_SERVER);
	} else {
		check_say(c, CHECK_OK, "PostgreSQL", "version %s",
		    schema_fact(facts, FACT_SERVER));
	}
	if (strcmp(schema_fact(facts, FACT_ENCODING), "UTF8") != 0) {
		check_say(c, CHECK_FAULT, "PostgreSQL", "the encoding of "
		    "database %s is %s", schema_fact(facts, FACT_DATABASE),
		    schema_fact(facts, FACT_ENCODING));
		check_todo("move to one made with createdb --encoding=UTF8 "
		    "--template=template0");
	}
	if (schema_fact_is(facts, FACT_STANDBY)) {
		check_say(c, CHECK_FAULT, "PostgreSQL", "this server is a "
		    "standby and takes no changes");
		check_todo("name the primary, or add "
		    "target_session_attrs=read-write");
	}
	if (strcmp(schema_fact(facts, FACT_FSYNC), "on") != 0) {
		check_say(c, CHECK_WARNING, "PostgreSQL", "fsync is off: a "
		    "power cut may lose what devices were told");
		check_todo("fsync = on in postgresql.conf, but for tests");
	}
	if (schema_fact(facts, FACT_MISSING_ROLES)[0] != '\0') {
		check_say(c, CHECK_FAULT, "roles", "missing: %s",
		    schema_fact(facts, FACT_MISSING_ROLES));
		check_todo("devcredctl migrate");
	} else {
		check_say(c, CHECK_OK, "roles", "devcred_owner, devcred_app, "
		    "devcred_auditor and devcred_verifier exist");
	}
}

/* What the service's login may do, and what it must not. */
static void
check_service_login(struct check *c, const struct db_rows *facts)
{
	const char *login = schema_fact(facts, FACT_LOGIN);
	int before = c->faults;

	if (schema_fact_is(facts, FACT_SUPERUSER)) {
		check_say(c, CHECK_FAULT, SERVICE, "the login %s is a "
		    "superuser: whoever breaks the service owns everything",
		    login);
		check_todo(OWN_LOGIN);
		return;
	}
	if (schema_fact_is(facts, FACT_IS_OWNER)) {
		check_say(c, CHECK_FAULT, SERVICE, "the login %s may act as "
		    "devcred_owner", login);
		check_todo("revoke devcred_owner from %s; if devcredctl needs "
		    "it, " OWN_LOGIN, login);
		return;
	}
	if (!schema_fact_is(facts, FACT_IS_APP)) {
		check_say(c, CHECK_FAULT, SERVICE, "the login %s does not "
		    "have the rights of devcred_app", login);
		if (schema_fact_is(facts, FACT_IS_MEMBER_APP))
			check_todo("alter role %s inherit;", login);
		else
			check_todo("grant devcred_app to %s;", login);
	}
	if (schema_fact(facts, FACT_READS)[0] != '\0') {
		check_say(c, CHECK_FAULT, SERVICE, "the login %s reaches the "
		    "table or view devcred.%s", login,
		    schema_fact(facts, FACT_READS));
		check_todo("revoke all on devcred.%s from whom %s is or is a "
		    "member of", schema_fact(facts, FACT_READS), login);
	}
	if (c->faults == before)
		check_say(c, CHECK_OK, SERVICE, "the login %s may execute "
		    "functions and nothing else", login);
}

/*
 * The service's view of the schema.  Asked twice, so that a pooler that loses
 * prepared statements has a chance to show itself.
 */
static void
check_service_schema(struct check *c, struct db *db)
{
	struct db_rows rows;
	enum db_status status = DB_OK;
	long version = 0;
	int i;

	for (i = 0; i < 2 && status == DB_OK; i++) {
		status = db_run(db, &stmt_version, NULL, CHECK_TIMEOUT, &rows);
		if (status == DB_OK)
			version = db_num(&rows, 0, 0);
		db_rows_free(&rows);
	}
	if (status != DB_OK) {
		check_say(c, CHECK_FAULT, "schema", "%s", db_message(db));
		check_todo("devcredctl migrate, if that is not done; else see "
		    "the line above");
	} else if (version < STORE_SCHEMA) {
		check_say(c, CHECK_FAULT, "schema", "version %ld, but %d is "
		    "needed", version, STORE_SCHEMA);
		check_todo("devcredctl migrate");
	} else {
		check_say(c, CHECK_OK, "schema", "the service finds version "
		    "%ld", version);
	}
}

static void
check_migrations(struct check *c, struct db *db, const struct db_rows *facts)
{
	struct schema s;
	enum db_status status;

	if (schema_read(db, schema_fact_is(facts, FACT_HAS_HISTORY), &s,
	    &status) == -1) {
		check_say(c, CHECK_FAULT, "migrations", "%s",
		    status != DB_OK ? db_message(db) : "out of memory");
		check_todo("devcredctl migrate --status");
	} else if (s.count[MIGRATION_CHANGED] > 0) {
		check_say(c, CHECK_FAULT, "migrations", "%d of those applied "
		    "are not the files of this devcredctl",
		    s.count[MIGRATION_CHANGED]);
		check_todo("devcredctl migrate --status");
	} else if (s.count[MIGRATION_UNKNOWN] > 0) {
		check_say(c, CHECK_WARNING, "migrations", "the schema has "
		    "version %d, this devcredctl knows %d", s.version,
		    s.newest);
		check_todo("install the newer devcred here too");
	} else if (s.count[MIGRATION_PENDING] > 0) {
		check_say(c, CHECK_FAULT, "migrations", "%d pending",
		    s.count[MIGRATION_PENDING]);
		check_todo("devcredctl migrate");
	} else {
		check_say(c, CHECK_OK, "migrations", "all applied; schema "
		    "version %d", s.version);
	}
	schema_free(&s);
}

/* Whether there is anybody to log in. */
static void
check_contents(struct check *c, struct db *db)
{
	const struct conf *conf = &c->ctl->conf;
	const char *const values[] = {
		conf->password_scheme == SCHEME_BCRYPT ? "$2b$" : "$y$",
		conf->default_tenant
	};
	struct db_rows rows;

	if (db_run(db, &stmt_contents, values, CHECK_TIMEOUT, &rows) !=
	    DB_OK) {
		check_say(c, CHECK_FAULT, "users", "%s", db_message(db));
		check_todo("devcredctl migrate");
		return;
	}
	if (db_num(&rows, 0, AT_ADMINS) == 0) {
		check_say(c, CHECK_FAULT, "users", "nobody can register and "
		    "accept devices");
		check_todo("devcredctl user add management/NAME --role ADMIN");
	}
	if (db_num(&rows, 0, AT_BOOTSTRAPS) == 0) {
		check_say(c, CHECK_FAULT, "users", "there is no login for "
		    "devices that ask for credentials");
		check_todo("devcredctl user add management/devicebootstrap "
		    "--role BOOTSTRAP --generate");
	}
	if (db_num(&rows, 0, AT_ADMINS) > 0 &&
	    db_num(&rows, 0, AT_BOOTSTRAPS) > 0)
		check_say(c, CHECK_OK, "users", "administrators: %ld, "
		    "bootstrap logins: %ld", db_num(&rows, 0, AT_ADMINS),
		    db_num(&rows, 0, AT_BOOTSTRAPS));
	if (db_num(&rows, 0, AT_OTHER_SCHEME) > 0) {
		check_say(c, CHECK_WARNING, "password_scheme", "%ld users "
		    "have another hash: it takes another time to be checked, "
		    "which tells that they exist",
		    db_num(&rows, 0, AT_OTHER_SCHEME));
		check_todo("devcredctl user passwd for each of them");
	}
	if (!db_true(&rows, 0, AT_HAS_DEFAULT)) {
		check_say(c, CHECK_FAULT, "default_tenant", "there is no "
		    "tenant %s", conf->default_tenant);
		check_todo("devcredctl tenant add %s", conf->default_tenant);
	}
	db_rows_free(&rows);
}

/* What devcredctl's own login may do and sees. */
static void
check_owner(struct check *c, struct db *db, const struct db_rows *facts)
{
	const char *login = schema_fact(facts, FACT_LOGIN);

	if (!schema_fact_is(facts, FACT_IS_OWNER)) {
		check_say(c, CHECK_FAULT, OWNER, "the login %s may not act as "
		    "devcred_owner", login);
		check_todo("devcredctl migrate, or as a superuser: grant "
		    "devcred_owner to %s;", login);
		return;
	}
	check_say(c, CHECK_OK, OWNER, "the login %s may act as devcred_owner",
	    login);
	if (db_run_script(db, "begin read only;"
	    "set local role devcred_owner", CHECK_TIMEOUT) != DB_OK) {
		check_say(c, CHECK_FAULT, OWNER, "%s", db_message(db));
		check_todo("grant devcred_owner to %s;", login);
		return;
	}
	check_migrations(c, db, facts);
	if (schema_fact_is(facts, FACT_HAS_HISTORY))
		check_contents(c, db);
}

void
check_database(struct check *c)
{
	const struct conf *conf = &c->ctl->conf;
	struct db_rows service = { NULL, 0 };
	struct db_rows owner = { NULL, 0 };
	struct db *db;

	if (open_database(c, SERVICE, conf->app_database,
	    conf->db_prepare != 0, &db, &service) == 0) {
		check_server(c, &service);
		check_service_login(c, &service);
		check_service_schema(c, db);
		db_free(db);
	}
	if (open_database(c, OWNER, conf->database, false, &db, &owner) == 0) {
		if (service.n == 1 &&
		    strcmp(schema_fact(&service, FACT_INSTANCE),
		    schema_fact(&owner, FACT_INSTANCE)) != 0) {
			check_say(c, CHECK_FAULT, OWNER, "is not the database "
			    "that app_database is");
			check_todo("make host, port and dbname of both the "
			    "same");
		}
		if (service.n == 0)
			check_server(c, &owner);
		check_owner(c, db, &owner);
		db_free(db);
	}
	db_rows_free(&service);
	db_rows_free(&owner);
}
