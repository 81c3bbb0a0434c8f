#include <string.h>

#include "doctor.h"
#include "model.h"

#define TIMEOUT		10000	/* ms */

/* What should be in the tables. */
enum { AT_ADMINS, AT_BOOTSTRAPS, AT_OTHER_SCHEME, AT_HAS_DEFAULT };

static const struct db_statement stmt_contents = { "doctor_contents",
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

static const struct db_statement stmt_months = { "doctor_months",
	"select (select string_agg(distinct to_char(e.at at time zone 'UTC',"
	"           'YYYY-MM'), ' ')"
	"          from devcred.event_rest e),"
	"       to_regclass('devcred.event_' || to_char(now() at time zone"
	"           'UTC' + interval '1 month', 'YYYY_MM')) is not null",
	0 };

enum { AT_REST, AT_NEXT };

/* Whether there is anybody to log in. */
static void
look_at_users(struct doctor *d, struct db *db)
{
	const struct conf *conf = &d->ctl->conf;
	const char *const values[] = {
		conf->password_scheme == SCHEME_BCRYPT ? "$2b$" : "$y$",
		conf->default_tenant
	};
	struct db_rows rows;

	if (db_run(db, &stmt_contents, values, TIMEOUT, &rows) !=
	    DB_OK) {
		doctor_say(d, FINDING_FAULT, "users", "%s", db_message(db));
		doctor_todo(d, "devcredctl migrate");
		return;
	}
	if (db_num(&rows, 0, AT_ADMINS) == 0) {
		doctor_say(d, FINDING_FAULT, "users", "nobody can register and "
		    "accept devices");
		doctor_todo(d, "devcredctl user add management/NAME --role "
		    "ADMIN");
	}
	if (db_num(&rows, 0, AT_BOOTSTRAPS) == 0) {
		doctor_say(d, FINDING_FAULT, "users", "there is no login for "
		    "devices that ask for credentials");
		doctor_todo(d, "devcredctl user add management/devicebootstrap "
		    "--role BOOTSTRAP --generate");
	}
	if (db_num(&rows, 0, AT_ADMINS) > 0 &&
	    db_num(&rows, 0, AT_BOOTSTRAPS) > 0)
		doctor_say(d, FINDING_OK, "users", "administrators: %ld, "
		    "bootstrap logins: %ld", db_num(&rows, 0, AT_ADMINS),
		    db_num(&rows, 0, AT_BOOTSTRAPS));
	if (db_num(&rows, 0, AT_OTHER_SCHEME) > 0) {
		doctor_say(d, FINDING_WARNING, "password_scheme", "%ld users "
		    "have another hash: it takes another time to be checked, "
		    "which tells that they exist",
		    db_num(&rows, 0, AT_OTHER_SCHEME));
		doctor_todo(d, "devcredctl user passwd for each of them");
	}
	if (!db_true(&rows, 0, AT_HAS_DEFAULT)) {
		doctor_say(d, FINDING_FAULT, "default_tenant", "there is no "
		    "tenant %s", conf->default_tenant);
		doctor_todo(d, "devcredctl tenant add %s",
		    conf->default_tenant);
	}
	db_rows_free(&rows);
}

/* Whether housekeeping makes the months of the audit trail ahead of time. */
static void
look_at_months(struct doctor *d, struct db *db)
{
	struct db_rows rows;
	const char *rest;

	if (db_run(db, &stmt_months, NULL, TIMEOUT, &rows) != DB_OK) {
		doctor_say(d, FINDING_FAULT, "audit", "%s", db_message(db));
		doctor_todo(d, "devcredctl migrate");
		return;
	}
	rest = db_text(&rows, 0, AT_REST);
	if (!db_true(&rows, 0, AT_NEXT)) {
		doctor_say(d, FINDING_WARNING, "audit", "the next month has no "
		    "part of devcred.event: nobody does the housekeeping");
		doctor_todo(d, "devcredctl housekeep, each minute, if no "
		    "devcred.fcgi runs");
	}
	if (rest != NULL) {
		doctor_say(d, FINDING_WARNING, "audit", "devcred.event_rest "
		    "holds events of %s, which audit export leaves there",
		    rest);
		doctor_todo(d, "devcredctl housekeep makes the months to come; "
		    "for those: doc/dba.md, The audit trail in months");
	}
	if (rest == NULL && db_true(&rows, 0, AT_NEXT))
		doctor_say(d, FINDING_OK, "audit", "every event has its month");
	db_rows_free(&rows);
}

void
doctor_contents(struct doctor *d, struct db *db)
{
	look_at_users(d, db);
	look_at_months(d, db);
}
