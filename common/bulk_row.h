/*
 * bulk_row: the lines of a bulk registration, one by one; for bulk.c.
 */
#ifndef DEVCRED_BULK_ROW_H
#define DEVCRED_BULK_ROW_H

#include "secret.h"

#define BULK_COLUMNS	256	/* of a file, at most */

/* What the header says. */
struct bulk_header {
	char		 separator;
	bool		 full;		/* the lines have passwords */
	bool		 bom;		/* the file says that it is UTF-8 */
	int		 ncolumns;
	struct bulk_column {
		int	 kind;
		char	*name;		/* of the property it becomes */
	} column[BULK_COLUMNS];
};

/* A device, as a line has it. */
struct bulk_row {
	char		 id[DEVICE_ID_SIZE];	/* "" if it has none */
	bool		 has_tenant;
	char		 tenant[TENANT_SIZE];
	struct secret_password password;	/* if the file is full */
	struct buf	 type;
	bool		 has_type;
	struct buf	 properties;	/* a JSON object */
	struct buf	 why;		/* nothing can be made of it */
};

/*
 * Read the header line.  -1 if the file cannot be used; why says so.  Either
 * way bulk_header_free().
 */
int	 bulk_header_read(struct bulk_header *header, const char *line,
	    size_t len, struct buf *why) MUST_CHECK;
void	 bulk_header_free(struct bulk_header *header);

enum bulk_row_kind {
	BULK_ROW_EMPTY,		/* nothing stands in it */
	BULK_ROW_GOOD,
	BULK_ROW_BAD		/* row->why says why, row->id maybe whose */
};

/* Read a line; bulk_row_init() before the first, _free() after the last. */
void	 bulk_row_init(struct bulk_row *row);
void	 bulk_row_free(struct bulk_row *row);	/* wipes it, too */
enum bulk_row_kind bulk_row_read(struct bulk_row *row,
	    const struct bulk_header *header, const char *line, size_t len)
	    MUST_CHECK;

#endif
