#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "db_conn.h"
#include "log.h"

#define BACKOFF_MIN	100	/* ms */
#define BACKOFF_MAX	1000	/* ms */
#define CANCEL_TIME	5	/* seconds */

/* hosts may be NULL: no memory. */
static struct db *
make(struct db_hosts *hosts, bool prepare, int schema)
{
	struct db *db;

	if (hosts == NULL)
		return NULL;
	if ((db = calloc(1, sizeof(*db))) == NULL) {
		db_hosts_free(hosts);
		return NULL;
	}
	db->hosts = hosts;
	db->prepare = prepare;
	db->schema = schema;
	db->deadline = INT64_MAX;
	buf_init(&db->text, 0);
	return db;
}

struct db *
db_new(const char *conninfo, bool prepare, int schema)
{
	return make(db_hosts_new(conninfo), prepare, schema);
}

struct db *
db_another(const struct db *db)
{
	return make(db_hosts_copy(db->hosts), db->prepare, db->schema);
}

void
db_forget_call(struct db *db)
{
	PQclear(db->result);
	db->result = NULL;
	buf_free(&db->text);
	db->deadline = INT64_MAX;
	db->calling = false;
	db->sent = false;
	db->doubt = false;
	db->copying = false;
}

void
db_close(struct db *db)
{
	PQfinish(db->pg);
	db->pg = NULL;
	if (db->state != RESOLVING)
		db->state = DOWN;
	db->nprepared = 0;
	db_forget_call(db);
}

void
db_free(struct db *db)
{
	if (db == NULL)
		return;
	db_close(db);
	db_hosts_free(db->hosts);
	free(db->message);
	free(db);
}

void
db_note(struct db *db, const char *message)
{
	free(db->message);
	db->message = strdup(message);
}

void
db_end(struct db *db, enum db_status status)
{
	db->calling = false;
	db->deadline = INT64_MAX;
	db->status = status;
	buf_free(&db->text);
	if (status != DB_OK) {
		PQclear(db->result);
		db->result = NULL;
	}
}

/* Whether what was lost is not yet a connection. */
static bool
is_attempt(enum db_state state)
{
	return state == RESOLVING || state == CONNECTING || state == GREETING;
}

void
db_lost(struct db *db, const char *why)
{
	bool calling = db->calling;
	bool sent = db->sent;
	enum db_state state = db->state;

	db_note(db, why);
	PQfinish(db->pg);
	db->pg = NULL;
	db->nprepared = 0;
	db->state = DOWN;
	if (is_attempt(state)) {
		db->backoff = db->backoff == 0 ? BACKOFF_MIN :
		    db->backoff * 2 > BACKOFF_MAX ? BACKOFF_MAX :
		    db->backoff * 2;
		db->retry_at = clock_ms() + db->backoff;
	}
	log_event(LOG_LEVEL_WARNING, "database_lost", "while",
	    is_attempt(state) ? "connecting" :
	    calling ? "calling" : "idle", "why", db_message(db), NULL);
	if (calling)
		db_end(db, sent ? DB_UNCERTAIN : DB_UNAVAILABLE);
}

void
db_renew(struct db *db)
{
	log_event(LOG_LEVEL_INFO, "database_renewed", "why", db_message(db),
	    NULL);
	PQfinish(db->pg);
	db->pg = NULL;
	db->nprepared = 0;
	db->state = DOWN;
	db_end(db, DB_CONFLICT);
}

/*
 * A cancelled wait for a synchronous standby is reported as success with a
 * warning: such a commit is not what was promised.  No function of ours warns.
 */
static void
db_notice(void *arg, const PGresult *res)
{
	struct db *db = arg;
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *level = PQresultErrorField(res,
	    PG_DIAG_SEVERITY_NONLOCALIZED);

	if (db->told != NULL && level != NULL && text != NULL)
		db->told(db->told_arg, level, text, PQresultErrorField(res,
		    PG_DIAG_MESSAGE_HINT));
	if (state == NULL || level == NULL || strcmp(level, "WARNING") != 0)
		return;
	if (strcmp(state, "01000") == 0 || strcmp(state, "57P01") == 0) {
		db->doubt = true;
		db_note(db, text != NULL ? text : "");
	}
	log_event(LOG_LEVEL_WARNING, "database_warning", "sqlstate", state,
	    "text", text, NULL);
}

void
db_on_notice(struct db *db, void (*told)(void *arg, const char *level,
    const char *text, const char *hint), void *arg)
{
	db->told = told;
	db->told_arg = arg;
}

/*
 * PQcancel() waits for the postmaster, however long that is silent: a process
 * of its own does, and is ended by its alarm.  Nobody waits for that process.
 */
void
db_cancel(struct db *db)
{
	PGcancel *cancel = db->pg != NULL ? PQgetCancel(db->pg) : NULL;
	char why[256];

	if (cancel == NULL)
		return;
	/* if it does not arrive, the call ends as it would have */
	if (fork() == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(CANCEL_TIME);
		(void)PQcancel(cancel, why, (int)sizeof(why));
		_exit(0);
	}
	PQfreeCancel(cancel);
}

void
db_connect(struct db *db)
{
	int64_t patience;

	if (clock_ms() < db->retry_at) {
		db_end(db, DB_UNAVAILABLE);
		return;
	}
	if (db_hosts_unknown(db->hosts)) {
		db->state = RESOLVING;
		db->resolver = db_hosts_look_up(db->hosts);
		if (db->resolver == -1)
			db_lost(db, strerror(errno));
		return;
	}
	db->state = CONNECTING;
	patience = db_hosts_patience(db->hosts);
	db->connect_until = patience == INT64_MAX ? INT64_MAX :
	    clock_ms() + patience;
	if ((db->pg = db_hosts_start(db->hosts)) == NULL ||
	    PQstatus(db->pg) == CONNECTION_BAD) {
		db_lost(db, db->pg != NULL ? PQerrorMessage(db->pg) :
		    "out of memory");
		return;
	}
	PQsetNoticeReceiver(db->pg, db_notice, db);
	db->polling = PGRES_POLLING_WRITING;
}

void
db_resolve(struct db *db)
{
	switch (db_hosts_looked(db->hosts)) {
	case 1:
		db->state = DOWN;
		break;
	case -1:
		db_lost(db, "no host of this name is known");
		break;
	default:
		break;
	}
}

void
db_connect_elsewhere(struct db *db)
{
	log_event(LOG_LEVEL_WARNING, "database_silent", "host",
	    PQhost(db->pg), NULL);
	db_hosts_turn(db->hosts);
	PQfinish(db->pg);
	db->pg = NULL;
	db->state = DOWN;
	db_connect(db);
}

void
db_connection_made(struct db *db)
{
	if (PQsetnonblocking(db->pg, 1) == -1) {
		db_lost(db, PQerrorMessage(db->pg));
		return;
	}
	if (db->schema == 0) {
		db->state = IDLE;
		return;
	}
	db->state = GREETING;
	if (PQsendQueryParams(db->pg, "select devcred.schema_version()", 0,
	    NULL, NULL, NULL, NULL, 0) == 0)
		db_lost(db, PQerrorMessage(db->pg));
}

void
db_greeted(struct db *db)
{
	char why[128];
	int version = 0;

	if (PQresultStatus(db->result) != PGRES_TUPLES_OK) {
		snprintf(why, sizeof(why), "no devcred schema in reach (%s): "
		    "run devcredctl migrate, grant devcred_app",
		    PQresultErrorField(db->result, PG_DIAG_SQLSTATE) != NULL ?
		    PQresultErrorField(db->result, PG_DIAG_SQLSTATE) : "?");
	} else {
		version = (int)strtol(PQgetvalue(db->result, 0, 0), NULL, 10);
		snprintf(why, sizeof(why), "schema version %d, but %d is "
		    "needed: run devcredctl migrate", version, db->schema);
	}
	PQclear(db->result);
	db->result = NULL;
	if (version < db->schema) {
		db_lost(db, why);
		return;
	}
	db->backoff = 0;
	db->state = IDLE;
	log_event(LOG_LEVEL_DEBUG, "database_connected", NULL);
}
