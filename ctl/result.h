/*
 * result: what a command has found or done, said once: as a table or a
 * sentence for people, or as JSON for programs (--json).
 *
 * A list is an array of objects, one a line; one thing is an object.  Numbers
 * are numbers, SQL's null is null, and all is UTF-8 whatever comes in.
 */
#ifndef DEVCREDCTL_RESULT_H
#define DEVCREDCTL_RESULT_H

#include "buf.h"
#include "ctl.h"
#include "db.h"

enum result_type {
	RESULT_TEXT,
	RESULT_NUM,
	RESULT_BOOL,	/* t or f, as PostgreSQL says it; people read yes, no */
	RESULT_TIME,	/* ISO 8601; people get it to the second */
	RESULT_WORDS,	/* separated by spaces: an array */
	RESULT_JSON	/* a value of its own */
};

/* Columns end with one that has neither key nor title. */
struct result_column {
	const char	*key;	/* as the SQL views have it; NULL: not there */
	const char	*title;	/* for people; NULL: likewise */
	enum result_type type;
};

#define RESULT_END	{ NULL, NULL, RESULT_TEXT }

struct result {
	const struct ctl *ctl;
	const struct result_column *columns;
	int		 ncolumns;
	struct buf	 cells;		/* 'n', or 'v', text and NUL; by rows */
	long		 ncells;
};

/* Start without rows; columns outlive it. */
void	 result_init(struct result *r, const struct ctl *ctl,
	    const struct result_column *columns);

/* Add the next cell; NULL is null. */
void	 result_add(struct result *r, const char *value);
void	 result_add_num(struct result *r, long value);

/* Add rows whose columns, from the first on, are those of the result. */
void	 result_add_rows(struct result *r, const struct db_rows *rows);

/* Add all rows as a JSON array. */
void	 result_array(const struct result *r, struct buf *out);

/* Write all rows, and free; the reason of a failure is told. */
enum ctl_exit result_list(struct result *r) MUST_CHECK;

/*
 * Write the one row, and free; to people as fmt says, or, if that is NULL, one
 * line for each value that is not null.
 */
enum ctl_exit result_one(struct result *r, const char *fmt, ...) MUST_CHECK
	    PRINTF_LIKE(2, 3);

/* One row of these values, likewise. */
enum ctl_exit result_say(const struct ctl *ctl,
	    const struct result_column *columns, const char *const *values,
	    const char *fmt, ...) MUST_CHECK PRINTF_LIKE(4, 5);

/* Rows of the database from the first to the last, and they are not freed. */
enum ctl_exit result_rows(const struct ctl *ctl,
	    const struct result_column *columns, const struct db_rows *rows)
	    MUST_CHECK;

/* The wiped memory is given back; safe to repeat. */
void	 result_free(struct result *r);

#endif
