/*
 * worker_state: what a worker has; for worker.c and worker_drive.c alone.
 */
#ifndef DEVCRED_WORKER_STATE_H
#define DEVCRED_WORKER_STATE_H

#include "conn.h"
#include "lane.h"
#include "pace.h"
#include "upload.h"
#include "verifier.h"

#define CHORE_FIRST	1000	/* ms until there is a round of housekeeping */
#define CHORE_MAX	5000	/* passwords wiped in one, of each kind */

struct worker {
	struct loop		*loop;
	struct context		 cx;
	struct lane		 lane[LANE_MAX];
	struct verifier_pool	 verifiers;
	struct upload_pool	 uploads;
	struct conn_group	 group;
	int			 serving;	/* exchanges under way */
	struct pace		 pace;
	struct watch		 listener;
	struct timer		 pause;		/* before accepting again */
	struct watch		 signals;
	struct timer		 patience;	/* with who does not leave */
	struct timer		 chores;	/* until the next round */
	bool			 leaving;
	bool			 gone;
};

/* What its parts call when something has come: arg is the worker. */
void	 worker_called(void *arg, struct exchange *x, enum db_status status,
	    const struct db_rows *rows, int row);
void	 worker_hashed(void *arg, struct exchange *x, bool known, bool match);
void	 worker_requested(void *arg, struct conn *c, char *const *envp,
	    const char *body, size_t len);
bool	 worker_streams(void *arg, const struct buf *params);
void	 worker_given_up(void *arg, struct conn *c);

/* Wipe what has run out, CHORE_MAX of each kind; soon again if more has. */
void	 worker_chore(struct worker *w);

#endif
