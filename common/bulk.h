/*
 * bulk: many devices from one CSV file that arrives in pieces.
 *
 * The format is the reference's ("bulk registration"): a header line; ID and,
 * in the full form, CREDENTIALS; other columns are kept as properties.  Lines
 * go to the database some thousand at a time, each batch a transaction of its
 * own, so that memory stays bounded and a line that fails undoes no other.  Two
 * batches may be under way at once, over two connections.
 * What a batch has done stays done, whatever becomes of the rest; a file may
 * be sent again.
 */
#ifndef DEVCRED_BULK_H
#define DEVCRED_BULK_H

#include "store.h"

struct bulk;

/* What became of a line, unless it simply made a new device. */
struct bulk_told {
	long		 line;		/* of the file, from 1 */
	const char	*id;		/* NULL: it has none */
	const char	*why;		/* it failed; NULL: updated */
};

struct bulk_count {
	long	all;		/* lines, without header and empty ones */
	long	created;
	long	updated;	/* have another password now */
	long	failed;
	long	line;		/* all of the file up to this one is done */
};

enum bulk_state {
	BULK_READING,
	BULK_REFUSED,		/* the file as a whole: see bulk_fault() */
	BULK_UNAVAILABLE	/* the database; what was done is counted */
};

/*
 * Begin; db is used by nobody else meanwhile, and for a file of several batches
 * a second connection is made like it, unless there is none to be had.
 * scope, actor, source and request (may both be NULL) say for whom, as in all
 * calls; they must outlive it.  told is called for lines as described above, in
 * no strict order.
 * NULL: no memory.
 */
struct bulk *bulk_new(struct db *db, const char *scope, const char *actor,
	    const char *source, const char *request, void (*told)(void *arg,
	    const struct bulk_told *line), void *arg) MUST_CHECK;
void	 bulk_free(struct bulk *bulk);

/* Leave the lines of the file up to this one out, but for its header. */
void	 bulk_skip(struct bulk *bulk, long line);

/*
 * Take the next bytes; and the end, or none: then lines that were read last
 * are left out.  Waits for the database.
 */
enum bulk_state bulk_read(struct bulk *bulk, const char *data, size_t len)
	    MUST_CHECK;
enum bulk_state bulk_finish(struct bulk *bulk) MUST_CHECK;
enum bulk_state bulk_stop(struct bulk *bulk);

/* Why the file was refused, for people. */
const char *bulk_fault(const struct bulk *bulk);

/* What is known to be done so far; all of it after finish or stop. */
const struct bulk_count *bulk_counts(const struct bulk *bulk);

#endif
