/*
 * keyfile: the text of a key file, from the disk and from nowhere else.
 */
#ifndef DEVCRED_KEYFILE_H
#define DEVCRED_KEYFILE_H

#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

#define KEYFILE_MAX	65536	/* bytes */

/* What is in a file, and whose it is. */
struct keyfile {
	char	*text;		/* NUL-terminated, in secret memory */
	size_t	 len;
	uid_t	 uid;
	gid_t	 gid;
	mode_t	 mode;		/* permissions alone */
};

/*
 * Read a file that keeps its secrets: a regular one (or a link to it) of root
 * or of this process's user, that others cannot open and its group cannot
 * write.  -1 with a sentence added to error if it is none, or too large.
 */
int	 keyfile_read(struct keyfile *file, const char *path,
	    struct buf *error) MUST_CHECK;

/* Wipe and free; safe to repeat. */
void	 keyfile_free(struct keyfile *file);

#endif
