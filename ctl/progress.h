/*
 * progress: how far a command is, how fast, and how long it will take, in one
 * line of the terminal that standard error is.  Nothing is shown elsewhere,
 * nor with --json or --quiet.
 */
#ifndef DEVCREDCTL_PROGRESS_H
#define DEVCREDCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl.h"

struct progress {
	bool		 on;
	const char	*unit;		/* what is counted, in plural */
	int64_t		 start;
	int64_t		 shown;
	long		 done;
	double		 part;
};

/* Begin; unit outlives it. */
void	 progress_start(struct progress *p, const struct ctl *ctl,
	    const char *unit);

/* So many are done, which is a part (0 to 1; 0: not known) of all. */
void	 progress_show(struct progress *p, long done, double part);

/* Take the line away. */
void	 progress_end(struct progress *p);

/* Take away whatever line there is, as something else will be written. */
void	 progress_clear(void);

/*
 * Wait for the end of the call under way, as db_wait(), while the time goes
 * on in the line.  cancel: an interrupt ends the call.
 */
enum db_status progress_wait(struct progress *p, struct db *db, bool cancel,
	    struct db_rows *rows) MUST_CHECK;

#endif
