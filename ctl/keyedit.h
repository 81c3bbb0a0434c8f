/*
 * keyedit: a change of the key file, as a whole or not at all.
 *
 * The folder is locked from keyedit_begin() to keyedit_end(), so that of two
 * changes at once the second sees the first.  The new file is written beside
 * the old one and takes its place, with its owner, group and mode, in one
 * step: whoever reads sees either.
 */
#ifndef DEVCREDCTL_KEYEDIT_H
#define DEVCREDCTL_KEYEDIT_H

#include "ctl.h"
#include "keyfile.h"
#include "keyring.h"

struct keyedit {
	char		*path;		/* of the file itself, not of a link */
	struct buf	 beside;	/* path of the new file */
	int		 lock;		/* the folder */
	bool		 fresh;		/* there is no file yet */
	struct keyfile	 file;
	struct keyring	*ring;		/* what is in it */
};

/*
 * Lock the folder, which is given up after some seconds, and read the file.
 * One that is missing is as an empty one if may_miss.  The reason of a failure
 * is told; keyedit_end() is to be called in any case.
 */
enum ctl_exit keyedit_begin(struct keyedit *edit, const char *path,
	    bool may_miss) MUST_CHECK;

/*
 * Put text in the place of the file, with no signal to stop it half way; the
 * reason of a failure is told.
 */
enum ctl_exit keyedit_replace(struct keyedit *edit, const struct buf *text)
	    MUST_CHECK;

/* Wipe, free and unlock. */
void	 keyedit_end(struct keyedit *edit);

#endif
