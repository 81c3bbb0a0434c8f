/*
 * csv: comma-separated values (RFC 4180) with any separator: one line of
 * them, or a file that arrives in pieces.
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

#define CSV_RECORD_MAX	((size_t)64 * 1024)	/* bytes */

enum csv_got {
	CSV_NOTHING,	/* all bytes are used up: more, please */
	CSV_RECORD,	/* the record is whole */
	CSV_LONG	/* it is longer than CSV_RECORD_MAX and left out */
};

/* A file being read; begin with csv_open(), end with csv_close(). */
struct csv_file {
	char		 separator;	/* 0: tab, semicolon or comma */
	struct buf	 record;	/* the text of it, as it came */
	long		 line;		/* the record began in, from 1 */
	long		 next_line;
	bool		 whole;		/* it was handed out */
	bool		 too_long;
	bool		 after_cr;	/* a line feed ends nothing */
	enum { CSV_START, CSV_PLAIN, CSV_QUOTED, CSV_QUOTE } state;
};

void	 csv_open(struct csv_file *file);
void	 csv_close(struct csv_file *file);	/* wipes the last record */

/*
 * Go on to the end of a record: LF, CR LF or CR outside of quotes.  *p moves
 * behind what was used.
 */
enum csv_got csv_read(struct csv_file *file, const char **p, const char *end)
	    MUST_CHECK;

/* No more bytes: the last record, if its line has no end. */
enum csv_got csv_read_last(struct csv_file *file) MUST_CHECK;

/*
 * The separator of a header line: of tab, semicolon and comma the one that
 * stands first outside of quotes; a comma if there is none.
 */
char	 csv_separator(const char *header);

/* Add bytes of Windows-1252 as UTF-8. */
void	 csv_windows1252(struct buf *out, const char *s, size_t len);

#endif
