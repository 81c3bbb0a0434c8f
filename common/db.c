#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "log.h"

#define PREPARED_MAX	32	/* statements one connection may hold */
#define PARAMS_MAX	16	/* of one statement */
#define BACKOFF_MIN	100	/* ms */
#define BACKOFF_MAX	1000	/* ms */

enum db_state {
	DOWN,		/* no connection */
	CONNECTING,
	GREETING,	/* asking for the schema version */
	IDLE,
	PREPARING,	/* the statement, before it runs */
	RUNNING
};

struct db {
	char		*conninfo;
	bool		 prepare;
	int		 schema;
	PGconn		*pg;
	enum db_state	 state;
	PostgresPollingStatusType polling;	/* while CONNECTING */
	const struct db_statement *prepared[PREPARED_MAX];
	size_t		 nprepared;
	int64_t		 retry_at;	/* no connection attempt before */
	int64_t		 backoff;
	/* the call under way, or the last one */
	bool		 calling;
	bool		 sent;		/* the server may have begun it */
	bool		 doubt;		/* a warning makes its commit uncertain */
	const struct db_statement *stmt;	/* NULL: a script */
	struct buf	 text;		/* its values, or the script */
	size_t		 value[PARAMS_MAX];	/* places in text; SIZE_MAX: null */
	int64_t		 deadline;
	PGresult	*result;
	enum db_status	 status;
	char		*message;
};

struct db *
db_new(const char *conninfo, bool prepare, int schema)
{
	struct db *db;

	if ((db = calloc(1, sizeof(*db))) == NULL)
		return NULL;
	if ((db->conninfo = strdup(conninfo)) == NULL) {
		free(db);
		return NULL;
	}
	db->prepare = prepare;
	db->schema = schema;
	db->deadline = INT64_MAX;
	buf_init(&db->text, 0);
	return db;
}

static void
db_forget_call(struct db *db)
{
	PQclear(db->result);
	db->result = NULL;
	buf_free(&db->text);
	db->deadline = INT64_MAX;
	db->calling = false;
	db->sent = false;
	db->doubt = false;
}

void
db_close(struct db *db)
{
	PQfinish(db->pg);
	db->pg = NULL;
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
	explicit_bzero(db->conninfo, strlen(db->conninfo));
	free(db->conninfo);
	free(db->message);
	free(db);
}

static void
db_note(struct db *db, const char *message)
{
	free(db->message);
	db->message = strdup(message);
}

const char *
db_message(const struct db *db)
{
	return db->message != NULL ? db->message : "";
}

/* The call is over. */
static void
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

/* The connection is of no more use; neither is the call. */
static void
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
	if (state == CONNECTING || state == GREETING) {
		db->backoff = db->backoff == 0 ? BACKOFF_MIN :
		    db->backoff * 2 > BACKOFF_MAX ? BACKOFF_MAX :
		    db->backoff * 2;
		db->retry_at = clock_ms() + db->backoff;
	}
	log_event(LOG_LEVEL_WARNING, "database_lost", "while",
	    state == CONNECTING || state == GREETING ? "connecting" :
	    calling ? "calling" : "idle", "why", db_message(db), NULL);
	if (calling)
		db_end(db, sent ? DB_UNCERTAIN : DB_UNAVAILABLE);
}

/*
 * A cancelled wait for a synchronous standby is reported as success with a
 * warning: such a commit is not what was promised.  No function of ours warns.
 */
static void
db_notice(void *arg, const PGresult *res)
{
	struct db *db = arg;
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *level = PQresultErrorField(res,
	    PG_DIAG_SEVERITY_NONLOCALIZED);

	if (state == NULL || level == NULL || strcmp(level, "WARNING") != 0)
		return;
	if (strcmp(state, "01000") == 0 || strcmp(state, "57P01") == 0)
		db->doubt = true;
	log_event(LOG_LEVEL_WARNING, "database_warning", "sqlstate", state,
	    "text", PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY), NULL);
}

static void
db_connect(struct db *db)
{
	if (clock_ms() < db->retry_at) {
		db_end(db, DB_UNAVAILABLE);
		return;
	}
	db->state = CONNECTING;
	if ((db->pg = PQconnectStart(db->conninfo)) == NULL ||
	    PQstatus(db->pg) == CONNECTION_BAD) {
		db_lost(db, db->pg != NULL ? PQerrorMessage(db->pg) :
		    "out of memory");
		return;
	}
	PQsetNoticeReceiver(db->pg, db_notice, db);
	db->polling = PGRES_POLLING_WRITING;
}

static void
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

static void
db_greeted(struct db *db)
{
	char why[128];
	int version = 0;

	if (PQresultStatus(db->result) != PGRES_TUPLES_OK) {
		snprintf(why, sizeof(why), "no devcred schema in reach: %s",
		    PQresultErrorField(db->result, PG_DIAG_SQLSTATE) != NULL ?
		    PQresultErrorField(db->result, PG_DIAG_SQLSTATE) : "?");
	} else {
		version = atoi(PQgetvalue(db->result, 0, 0));
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

static bool
db_is_prepared(const struct db *db)
{
	size_t i;

	for (i = 0; i < db->nprepared; i++)
		if (db->prepared[i] == db->stmt)
			return true;
	return false;
}

/* Send the statement, or first its preparation. */
static void
db_send(struct db *db)
{
	const char *value[PARAMS_MAX];
	const struct db_statement *stmt = db->stmt;
	int i;
	int sent;

	db->state = RUNNING;
	if (stmt == NULL) {
		db->sent = true;
		sent = PQsendQuery(db->pg, buf_text(&db->text));
	} else if (db->prepare && !db_is_prepared(db) &&
	    db->nprepared < PREPARED_MAX) {
		db->state = PREPARING;
		sent = PQsendPrepare(db->pg, stmt->name, stmt->sql, 0, NULL);
	} else {
		for (i = 0; i < stmt->nparams; i++)
			value[i] = db->value[i] == SIZE_MAX ? NULL :
			    buf_text(&db->text) + db->value[i];
		db->sent = true;
		if (db->prepare && db_is_prepared(db))
			sent = PQsendQueryPrepared(db->pg, stmt->name,
			    stmt->nparams, value, NULL, NULL, 0);
		else
			sent = PQsendQueryParams(db->pg, stmt->sql,
			    stmt->nparams, NULL, value, NULL, NULL, 0);
	}
	if (sent == 0)
		db_lost(db, PQerrorMessage(db->pg));
}

static enum db_status
status_of(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	if (state == NULL)
		return DB_UNCERTAIN;
	if (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0 ||
	    strcmp(state, "55P03") == 0)
		return DB_CONFLICT;
	if (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0)
		return DB_REFUSED;
	/* an error that the server reports has rolled the statement back */
	return DB_UNAVAILABLE;
}

/* All results of what was sent have arrived; the last one counts. */
static void
db_complete(struct db *db)
{
	const char *state;
	enum db_status status;

	if (db->state == GREETING) {
		db_greeted(db);
		return;
	}
	switch (PQresultStatus(db->result)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		if (db->state == PREPARING) {
			db->prepared[db->nprepared++] = db->stmt;
			PQclear(db->result);
			db->result = NULL;
			db_send(db);
			return;
		}
		status = db->doubt ? DB_UNCERTAIN : DB_OK;
		break;
	default:
		state = PQresultErrorField(db->result, PG_DIAG_SQLSTATE);
		status = status_of(db->result);
		db_note(db, PQresultErrorMessage(db->result));
		log_event(status == DB_REFUSED ? LOG_LEVEL_DEBUG :
		    LOG_LEVEL_WARNING, "database_error", "sqlstate", state,
		    "statement", db->stmt != NULL ? db->stmt->name : "script",
		    "text", PQresultErrorField(db->result,
		    PG_DIAG_MESSAGE_PRIMARY), NULL);
		/* a pooler mixed up our prepared statements: start afresh */
		if (state != NULL && (strcmp(state, "26000") == 0 ||
		    strcmp(state, "42P05") == 0)) {
			db_lost(db, "prepared statements do not work here: "
			    "is this a pooler? set db_prepare = off");
			return;
		}
	}
	db->state = IDLE;
	db_end(db, status);
}

/* Take what has arrived; false while more is to come. */
static bool
db_receive(struct db *db)
{
	PGresult *res;

	if (PQflush(db->pg) == -1 || PQconsumeInput(db->pg) == 0) {
		db_lost(db, PQerrorMessage(db->pg));
		return false;
	}
	while (!PQisBusy(db->pg)) {
		if ((res = PQgetResult(db->pg)) == NULL)
			return true;
		/* keep the first failure, else the last result */
		if (db->result != NULL &&
		    PQresultStatus(db->result) == PGRES_FATAL_ERROR) {
			PQclear(res);
		} else {
			PQclear(db->result);
			db->result = res;
		}
		if (PQstatus(db->pg) == CONNECTION_BAD) {
			db_lost(db, PQerrorMessage(db->pg));
			return false;
		}
	}
	return false;
}

/* Go as far as possible without waiting. */
static void
db_advance(struct db *db)
{
	for (;;) {
		switch (db->state) {
		case DOWN:
			if (!db->calling)
				return;
			db_connect(db);
			if (db->state != CONNECTING)
				return;
			break;
		case CONNECTING:
			db->polling = PQconnectPoll(db->pg);
			if (db->polling == PGRES_POLLING_FAILED)
				db_lost(db, PQerrorMessage(db->pg));
			else if (db->polling == PGRES_POLLING_OK)
				db_connection_made(db);
			if (db->state == CONNECTING || db->state == DOWN)
				return;
			break;
		case IDLE:
			if (db->calling) {
				db_send(db);
				break;
			}
			/* nothing is expected: the server says good-bye */
			if (PQconsumeInput(db->pg) == 0 ||
			    PQstatus(db->pg) == CONNECTION_BAD)
				db_lost(db, PQerrorMessage(db->pg));
			return;
		default:
			if (!db_receive(db))
				return;
			db_complete(db);
			if (!db->calling)
				return;
			break;
		}
	}
}

static void
db_begin(struct db *db, const struct db_statement *stmt, int64_t deadline)
{
	db_forget_call(db);
	db->calling = true;
	db->stmt = stmt;
	db->deadline = deadline;
	db->status = DB_UNAVAILABLE;
}

void
db_call(struct db *db, const struct db_statement *stmt,
    const char *const *values, int64_t deadline)
{
	int i;

	db_begin(db, stmt, deadline);
	for (i = 0; i < stmt->nparams; i++) {
		db->value[i] = values[i] != NULL ? db->text.len : SIZE_MAX;
		if (values[i] != NULL)
			buf_add(&db->text, values[i], strlen(values[i]) + 1);
	}
	if (!buf_ok(&db->text))
		db_end(db, DB_UNAVAILABLE);
	else if (db->state == DOWN || db->state == IDLE)
		db_advance(db);
}

void
db_script(struct db *db, const char *sql, int64_t deadline)
{
	db_begin(db, NULL, deadline);
	buf_puts(&db->text, sql);
	if (!buf_ok(&db->text))
		db_end(db, DB_UNAVAILABLE);
	else if (db->state == DOWN || db->state == IDLE)
		db_advance(db);
}

bool
db_busy(const struct db *db)
{
	return db->calling;
}

bool
db_connected(const struct db *db)
{
	return db->state != DOWN && db->state != CONNECTING;
}

int
db_fd(const struct db *db)
{
	return db->state != DOWN ? PQsocket(db->pg) : -1;
}

short
db_events(const struct db *db)
{
	if (db->state == DOWN)
		return 0;
	if (db->state == CONNECTING)
		return db->polling == PGRES_POLLING_READING ? POLLIN : POLLOUT;
	/* PQflush() says 1 while something waits to be sent */
	return PQflush(db->pg) == 1 ? POLLIN | POLLOUT : POLLIN;
}

int64_t
db_deadline(const struct db *db)
{
	return db->deadline;
}

bool
db_step(struct db *db)
{
	if (db->calling && clock_ms() >= db->deadline)
		db_lost(db, "deadline passed");
	else
		db_advance(db);
	return !db->calling;
}

enum db_status
db_result(struct db *db, struct db_rows *rows)
{
	rows->result = db->result;
	rows->n = db->result != NULL ? PQntuples(db->result) : 0;
	db->result = NULL;
	return db->status;
}

const char *
db_text(const struct db_rows *rows, int row, int col)
{
	if (PQgetisnull(rows->result, row, col))
		return NULL;
	return PQgetvalue(rows->result, row, col);
}

long
db_num(const struct db_rows *rows, int row, int col)
{
	const char *text = db_text(rows, row, col);

	return text != NULL ? strtol(text, NULL, 10) : 0;
}

void
db_rows_free(struct db_rows *rows)
{
	PQclear(rows->result);
	rows->result = NULL;
	rows->n = 0;
}

void
db_array_add(struct buf *b, const char *element)
{
	if (b->len > 1)
		buf_putc(b, ',');
	if (element == NULL) {
		buf_puts(b, "NULL");
		return;
	}
	buf_putc(b, '"');
	for (; *element != '\0'; element++) {
		if (*element == '"' || *element == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *element);
	}
	buf_putc(b, '"');
}
