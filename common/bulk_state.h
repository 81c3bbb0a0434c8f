/*
 * bulk_state: what bulk.c, which reads a file, and bulk_send.c, which has its
 * lines taken in, share.  Nobody else includes it.
 */
#ifndef DEVCRED_BULK_STATE_H
#define DEVCRED_BULK_STATE_H

#include "bulk.h"
#include "bulk_row.h"
#include "csv.h"

#define BATCH_LINES	5000
#define BATCH_SIZE	((size_t)4 * 1024 * 1024)	/* bytes */
#define BATCH_SEEN	16384	/* a power of two, well above BATCH_LINES */

/*
 * A batch: it is gathered, and then taken in.  There are two, so that one is
 * gathered and copied while the server has the other taken in.
 */
struct bulk_batch {
	struct db	*db;
	int		 n;
	struct bulk_line {
		long	 line;
		size_t	 at;	/* of its id and row, in text */
	} line[BATCH_LINES];
	struct buf	 text;	/* ids and rows, see put_line() in bulk.c */
	long		 last;	/* line of the file that it ends with */
	uint32_t	 seen[BATCH_SEEN];	/* hashes of ids; 0: free */
	bool		 meets;		/* the other may have one of its ids */
	bool		 busy;		/* it is being taken in */
	struct store_call call;
};

struct bulk {
	struct db		*db;
	const char		*scope;
	const char		*actor;
	const char		*source;
	const char		*request;
	void			(*told)(void *arg, const struct bulk_told *);
	void			*arg;
	enum bulk_state		 state;
	struct bulk_count	 count;
	long			 skip;		/* lines up to this one */
	long			 last;		/* line that was read last */
	struct buf		 fault;
	struct csv_file		 csv;
	bool			 has_header;
	struct bulk_header	 header;
	struct bulk_row		 row;
	long			 number;	/* of the upload; 0 at first */
	int			 copies;	/* batches and parts of them */
	int			 at;		/* batch being gathered */
	struct bulk_batch	 batch[2];
};

/* Tell of a line; why: it failed. */
void	 bulk_tell(struct bulk *bulk, long line, const char *id,
	    const char *why);

/* Both batches empty; each has its own connection.  -1: no memory. */
int	 bulk_send_init(struct bulk *bulk) MUST_CHECK;
void	 bulk_send_free(struct bulk *bulk);

/* The batch being gathered gets a line of the device id. */
void	 bulk_send_note(struct bulk *bulk, const char *id);

/* Have what was gathered taken in; the other batch is gathered from now on. */
void	 bulk_send(struct bulk *bulk);

/* Wait until nothing is under way. */
void	 bulk_settle(struct bulk *bulk);

#endif
