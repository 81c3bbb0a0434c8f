/*
 * multipart: the part named "file" of a form (RFC 7578) that arrives in
 * pieces.
 */
#ifndef DEVCRED_MULTIPART_H
#define DEVCRED_MULTIPART_H

#include "buf.h"

#define MULTIPART_HEAD_MAX	((size_t)16 * 1024)	/* bytes, of a part */

enum multipart_state {
	MULTIPART_BETWEEN,	/* before a part, or in one that is not ours */
	MULTIPART_FILE,		/* bytes of the file have come, or are due */
	MULTIPART_END,		/* the form is whole */
	MULTIPART_BAD		/* it is no form */
};

struct multipart {
	enum { PART_BODY, PART_LINE, PART_HEAD, PART_END, PART_BAD } where;
	bool		 ours;		/* the part under way is the file */
	bool		 found;		/* there was one */
	struct buf	 delimiter;	/* CR LF "--" and the boundary */
	struct buf	 held;		/* bytes not yet looked at */
	size_t		 used;		/* of them */
};

/*
 * Begin with the value of Content-Type; -1 if it is not multipart/form-data
 * with a boundary.  Either way multipart_free().
 */
int	 multipart_init(struct multipart *mp, const char *content_type)
	    MUST_CHECK;
void	 multipart_free(struct multipart *mp);	/* wipes what is held */

/* Add bytes of the body. */
void	 multipart_add(struct multipart *mp, const char *data, size_t len);

/*
 * Go on.  MULTIPART_FILE: *data are the next *len bytes of the file, valid
 * until the next call; call again.  MULTIPART_BETWEEN: more is needed.
 */
enum multipart_state multipart_next(struct multipart *mp, const char **data,
	    size_t *len) MUST_CHECK;

#endif
