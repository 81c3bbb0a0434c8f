#include "doctor.h"

#define WHAT	"pooler"
#define TIMEOUT	2000	/* ms */
#define TRIES	8	/* others use a pooler meanwhile */

static const struct db_statement stmt_backend = { "doctor_backend",
	"select pg_catalog.pg_backend_pid()", 0 };

/* Which process of PostgreSQL answers; 0: none. */
static long
backend(struct db *db)
{
	struct db_rows rows;
	long pid = 0;

	if (db_run(db, &stmt_backend, NULL, TIMEOUT, &rows) == DB_OK)
		pid = db_num(&rows, 0, 0);
	db_rows_free(&rows);
	return pid;
}

/*
 * Two connections that stand at the same time have a process each, and keep
 * it, unless somebody between lends them out by the transaction.  -1: cannot
 * be told.
 */
static int
is_shared(struct db *one, struct db *other)
{
	long first = backend(one);
	long second = first;
	int i;

	for (i = 0; i < TRIES && first != 0 && second != 0; i++) {
		if ((second = backend(other)) == first ||
		    (second != 0 && backend(one) != first))
			return 1;
	}
	return first == 0 || second == 0 ? -1 : 0;
}

/*
 * Whether statements that are prepared on either connection can be told apart
 * by the pooler; one that cannot has had this one already, or not yet.
 */
static bool
keeps_statements(struct db *one, struct db *other)
{
	int i;

	for (i = 0; i < TRIES; i++)
		if (backend(one) == 0 || backend(other) == 0)
			return false;
	return true;
}

static void
look(struct doctor *d, struct db *const *plain, struct db *const *prepared)
{
	int shared = is_shared(plain[0], plain[1]);

	if (shared == -1) {
		doctor_say(d, FINDING_WARNING, WHAT, "app_database takes no "
		    "two connections more, so nobody knows: %s",
		    db_message(plain[1]));
		doctor_todo(d, "see max_connections, and the login's limit");
	} else if (shared == 0) {
		doctor_say(d, FINDING_OK, WHAT, "none that lends out "
		    "connections by the transaction");
	} else if (d->ctl->conf.db_prepare == 0) {
		doctor_say(d, FINDING_OK, WHAT, "app_database goes through "
		    "one, by transactions; db_prepare is off");
	} else if (keeps_statements(prepared[0], prepared[1])) {
		doctor_say(d, FINDING_WARNING, WHAT, "app_database goes "
		    "through one, by transactions, that keeps prepared "
		    "statements for now");
		doctor_todo(d, "devcred.conf: db_prepare = off, unless it will "
		    "do so forever (PgBouncer: max_prepared_statements)");
	} else {
		doctor_say(d, FINDING_FAULT, WHAT, "app_database goes through "
		    "one, by transactions, that loses prepared statements");
		doctor_todo(d, "devcred.conf: db_prepare = off");
	}
}

void
doctor_pooler(struct doctor *d)
{
	const char *conninfo = d->ctl->conf.app_database;
	struct db *db[4] = { NULL };
	bool ok = true;
	int i;

	for (i = 0; i < 4; i++)
		ok = (db[i] = db_new(conninfo, i >= 2, 0)) != NULL && ok;
	if (ok)
		look(d, db, db + 2);
	for (i = 0; i < 4; i++)
		db_free(db[i]);
}
