/*
 * table: rows of text for people, in columns.
 *
 * What comes from the database may have been written by strangers: control
 * characters, which a terminal would obey, become question marks.
 */
#ifndef DEVCREDCTL_TABLE_H
#define DEVCREDCTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "buf.h"
#include "db.h"

#define TABLE_COLUMNS	12	/* at most */

struct table {
	int		 ncols;
	size_t		 width[TABLE_COLUMNS];	/* characters */
	struct buf	 cells;		/* each with its NUL, row by row */
	int		 ncells;
};

/* Start a table with its titles, the last one followed by NULL. */
void	 table_init(struct table *t, const char *const *titles);

/* Add the next cell; NULL is shown as "-". */
void	 table_add(struct table *t, const char *text);

/* Add rows whose columns, from col on, are those of the table. */
void	 table_add_rows(struct table *t, const struct db_rows *rows, int col);

/* Write it; -1 if there was no memory for it. */
int	 table_print(const struct table *t, FILE *out) MUST_CHECK;

/* Write rows, from column col on, as a table of their own; likewise. */
int	 table_print_rows(const char *const *titles,
	    const struct db_rows *rows, int col, FILE *out) MUST_CHECK;

/* Write the columns of one row, each in a line with its name; no nulls. */
void	 table_print_facts(const char *const *names,
	    const struct db_rows *rows, int row, FILE *out);

/* Free; safe to repeat. */
void	 table_free(struct table *t);

/*
 * Add text without what a terminal might obey; newlines and tabs stay if
 * lines is true.
 */
void	 table_clean(struct buf *out, const char *text, bool lines);

#endif
