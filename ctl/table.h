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

/* Write it; -1 if there was no memory for it. */
int	 table_print(const struct table *t, FILE *out) MUST_CHECK;

/* Free; safe to repeat. */
void	 table_free(struct table *t);

/*
 * Add text without what a terminal might obey; newlines and tabs stay if
 * lines is true.
 */
void	 table_clean(struct buf *out, const char *text, bool lines);

#endif
