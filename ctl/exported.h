/*
 * exported: files of months of the audit trail, and their events beside those
 * that are in the database.
 */
#ifndef DEVCREDCTL_EXPORTED_H
#define DEVCREDCTL_EXPORTED_H

#include "ctl.h"
#include "faults.h"

/* Files of months that are no more in the database. */
struct exported;

/*
 * Look up what was exported and dropped, and check each file in the folder
 * against what is recorded of it; what is wrong is added to the faults.  The
 * caller frees *exported in any case.
 */
enum ctl_exit exported_open(struct ctl *ctl, const char *dir,
	    struct exported **exported, struct faults *faults) MUST_CHECK;

/*
 * Add the digests of events of a format, with after < seq <= until, to those
 * that are in digests, in the order of seq.  Ranges are asked for upwards.
 */
enum ctl_exit exported_add(struct exported *exported, long format, long after,
	    long until, struct buf *digests) MUST_CHECK;

/* Whether a seq may have been in a file that is lost. */
bool	 exported_lost(const struct exported *exported, long long seq);

/* NULL is allowed. */
void	 exported_free(struct exported *exported);

/* SHA-256 of a file; the reason of a failure is told. */
enum ctl_exit exported_digest(const char *path, unsigned char *digest)
	    MUST_CHECK;

#endif
