#include <limits.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "db_conn.h"
#include "log.h"

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
	} else if (db->copying) {
		db->sent = true;
		sent = PQsendQuery(db->pg, stmt->sql);
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
	if (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 ||
	    strncmp(state, "54", 2) == 0)
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
		/* a migration gave a function other columns: nothing ran */
		if (state != NULL && strcmp(state, "0A000") == 0) {
			db_renew(db);
			return;
		}
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

/* The server waits for the rows of a COPY; libpq keeps what it cannot send. */
static bool
db_send_rows(struct db *db)
{
	return PQputCopyData(db->pg, buf_text(&db->text),
	    (int)db->text.len) == 1 && PQputCopyEnd(db->pg, NULL) == 1;
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
		if (PQresultStatus(res) == PGRES_COPY_IN) {
			PQclear(res);
			if (db_send_rows(db))
				continue;
			db_lost(db, PQerrorMessage(db->pg));
			return false;
		}
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
		case RESOLVING:
			db_resolve(db);
			if (db->state == RESOLVING)
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
db_copy(struct db *db, const struct db_statement *stmt, const char *rows,
    size_t len, int64_t deadline)
{
	db_begin(db, stmt, deadline);
	db->copying = true;
	buf_add(&db->text, rows, len);
	if (!buf_ok(&db->text) || len > INT_MAX)
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
	return db->state != DOWN && db->state != RESOLVING &&
	    db->state != CONNECTING;
}

int
db_fd(const struct db *db)
{
	return db->state == DOWN ? -1 :
	    db->state == RESOLVING ? db->resolver : PQsocket(db->pg);
}

short
db_events(const struct db *db)
{
	if (db->state == DOWN)
		return 0;
	if (db->state == RESOLVING)
		return POLLIN;
	if (db->state == CONNECTING)
		return db->polling == PGRES_POLLING_READING ? POLLIN : POLLOUT;
	/* PQflush() says 1 while something waits to be sent */
	return PQflush(db->pg) == 1 ? POLLIN | POLLOUT : POLLIN;
}

static bool
is_connecting(const struct db *db)
{
	return db->state == CONNECTING || db->state == GREETING;
}

int64_t
db_deadline(const struct db *db)
{
	return db->calling && is_connecting(db) &&
	    db->connect_until < db->deadline ? db->connect_until :
	    db->deadline;
}

bool
db_step(struct db *db)
{
	int64_t now = clock_ms();

	if (db->calling && now >= db->deadline && db->state == RESOLVING) {
		/* it may take longer than any call has time */
		db_note(db, "the hosts' names are being looked up still");
		db_end(db, DB_UNAVAILABLE);
		return true;
	}
	if (db->calling && now >= db->deadline) {
		if (is_connecting(db))
			db_hosts_turn(db->hosts);
		db_lost(db, "deadline passed");
		return true;
	}
	if (db->calling && is_connecting(db) && now >= db->connect_until)
		db_connect_elsewhere(db);
	db_advance(db);
	return !db->calling;
}

void
db_extend(struct db *db, int64_t deadline)
{
	if (db->calling)
		db->deadline = deadline;
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
db_message(const struct db *db)
{
	return db->message != NULL ? db->message : "";
}
