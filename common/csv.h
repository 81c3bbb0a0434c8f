/*
 * csv: one line of comma-separated values (RFC 4180), with any separator.
 */
#ifndef DEVCRED_CSV_H
#define DEVCRED_CSV_H

#include "buf.h"

enum csv_end {
	CSV_MORE,	/* a separator: another field follows */
	CSV_LAST,	/* the end of the line */
	CSV_BAD		/* a quote in a wrong place, NUL, or a line's end */
};

/*
 * Add the field that begins at *p to a buffer, without its quotes; *p then
 * points behind it and its separator.  end is the end of the line.
 */
enum csv_end csv_field(const char **p, const char *end, char separator,
	    struct buf *field) MUST_CHECK;

/* Add a field, in quotes where it needs them. */
void	 csv_quote(struct buf *out, const char *s, char separator);

#endif
