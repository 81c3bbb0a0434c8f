/*
 * db: the door to libpq.  One connection, one call at a time, never blocking.
 *
 * A call connects if need be, runs one statement and ends with a status and
 * rows.  Whoever owns the connection waits for db_fd() to become ready as
 * db_events() says, or for the call's deadline, and calls db_step() until it
 * says that the call is over.  db_run() does that for programs that do one
 * thing at a time.
 *
 * A connection that could not be made is not tried again for a moment (100 ms
 * to 1 s): calls in that time end at once.
 */
#ifndef DEVCRED_DB_H
#define DEVCRED_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct db;

enum db_status {
	DB_OK,		/* done; rows are there */
	DB_UNAVAILABLE,	/* not done: the database could not be asked */
	DB_UNCERTAIN,	/* asked, but the answer was lost: may be done */
	DB_CONFLICT,	/* rolled back for the sake of another: may be tried
			   again (SQLSTATE 40001, 40P01, 55P03, 0A000) */
	DB_REFUSED	/* rolled back: the values are not acceptable
			   (SQLSTATE class 22, 23 or 54) */
};

/* A statement; name is that of its prepared form. */
struct db_statement {
	const char	*name;
	const char	*sql;
	int		 nparams;
};

/* The rows of a call; values live until db_rows_free(). */
struct db_rows {
	void	*result;
	int	 n;
};

/*
 * A connection that is made when first needed.
 * conninfo: handed to libpq as it is; copied.
 * prepare: use named prepared statements.
 * schema: if not 0, a connection is used only if schema_version() says that
 * the database holds this version or a later one.
 * NULL if there is no memory.
 */
struct db *db_new(const char *conninfo, bool prepare, int schema) MUST_CHECK;

/* Another connection to the same database, likewise. */
struct db *db_another(const struct db *db) MUST_CHECK;

/* Close and free; NULL is allowed. */
void	 db_free(struct db *db);

/*
 * Have told be called with what the server says beside its answers, from
 * warnings to notices: level is its word for it, hint may be NULL.
 */
void	 db_on_notice(struct db *db, void (*told)(void *arg, const char *level,
	    const char *text, const char *hint), void *arg);

/*
 * Have the server end the call under way, which then fails; does not wait for
 * it to take note.  For programs that end soon: it leaves a process behind.
 */
void	 db_cancel(struct db *db);

/* Close the connection; a call under way is forgotten. */
void	 db_close(struct db *db);

/*
 * Begin a call; values are text, NULL is SQL's null, and need not outlive
 * this function.  deadline: clock_ms() at which it is given up.
 */
void	 db_call(struct db *db, const struct db_statement *stmt,
	    const char *const *values, int64_t deadline);

/* Begin to run a script of several statements without parameters. */
void	 db_script(struct db *db, const char *sql, int64_t deadline);

/*
 * Begin to copy rows into a table.  stmt is a COPY FROM STDIN without
 * parameters; rows, len bytes, are copied: see db_copy_add().
 */
void	 db_copy(struct db *db, const struct db_statement *stmt,
	    const char *rows, size_t len, int64_t deadline);

/* Give the call under way until then; nothing if none is. */
void	 db_extend(struct db *db, int64_t deadline);

/* Whether a call is under way (begun and db_step() not yet true). */
bool	 db_busy(const struct db *db);

/* Whether the connection stands; until then its descriptor may change. */
bool	 db_connected(const struct db *db);

/* Descriptor to wait for, or -1; poll(2) events to wait for. */
int	 db_fd(const struct db *db);
short	 db_events(const struct db *db);

/*
 * When the call under way is given up, or an attempt to connect to one of
 * several hosts; INT64_MAX if there is none.
 */
int64_t	 db_deadline(const struct db *db);

/*
 * Go on after the descriptor became ready or the deadline passed.  True if
 * a call has ended (or none was under way): then db_result() has its outcome.
 * Without a call, notices when the server has closed the connection.
 */
bool	 db_step(struct db *db);

/* Outcome of the last call; *rows must be freed by the caller. */
enum db_status db_result(struct db *db, struct db_rows *rows);

/* Wait for the end of the call under way; then as db_result(). */
enum db_status db_wait(struct db *db, struct db_rows *rows);

/* A call from begin to end.  timeout in milliseconds. */
enum db_status db_run(struct db *db, const struct db_statement *stmt,
	    const char *const *values, int timeout, struct db_rows *rows);

/* A script from begin to end. */
enum db_status db_run_script(struct db *db, const char *sql, int timeout);

/*
 * What the server or libpq said of the last failure; for people.  It may name
 * values, so the service does not log what concerns single rows.
 */
const char *db_message(const struct db *db);

/* Text of a column of a row, or NULL for SQL's null. */
const char *db_text(const struct db_rows *rows, int row, int col);

/* Whether a boolean column is true; null is not. */
bool	 db_true(const struct db_rows *rows, int row, int col);

/* Number in a column; 0 for null. */
long	 db_num(const struct db_rows *rows, int row, int col);

/*
 * The len bytes of a bytea column, of which the text is PostgreSQL's hex form
 * ("\\x00ff"); -1 if there are more, or fewer.
 */
int	 db_bytes(const struct db_rows *rows, int row, int col,
	    unsigned char *out, size_t len) MUST_CHECK;

/* Safe to repeat. */
void	 db_rows_free(struct db_rows *rows);

/*
 * Add one element to a text array literal being built in b ("{a,b}"): first
 * open with '{', close with '}'.  A NULL element is SQL's null.
 */
void	 db_array_add(struct buf *b, const char *element);

/*
 * Add a value to the rows of a COPY, in its text form, and end it: with '\t'
 * before the next value of the row, with '\n' after its last.  NULL is SQL's
 * null.
 */
void	 db_copy_add(struct buf *rows, const char *value, char end);

#endif
