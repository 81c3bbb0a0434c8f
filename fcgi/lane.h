/*
 * lane: one database connection and the exchanges that wait for it.
 *
 * Calls that can be grouped and arrive while a statement is under way share
 * the next one.
 */
#ifndef DEVCRED_LANE_H
#define DEVCRED_LANE_H

#include "exchange.h"
#include "loop.h"

#define LANE_GROUP_MAX	64	/* no group_max of a statement is larger */

struct lane {
	int			 number;	/* enum store_lane */
	struct loop		*loop;
	struct db		*db;
	int64_t			 timeout;	/* of a call, ms */
	int64_t			 begun;		/* clock_us(), of a call */
	struct watch		 watch;
	struct timer		 timer;
	struct exchange_list	 waiting;
	struct exchange		*flight[LANE_GROUP_MAX];
	int			 nflight;
	struct store_call	 group;		/* under way, of several */
	/* told of the rows; row is that of x, or -1 */
	void			(*done)(void *arg, struct exchange *x,
				    enum db_status status,
				    const struct db_rows *rows, int row);
	void			*arg;
};

/* Prepare a lane; -1: no memory.  conf must outlive it. */
int	 lane_init(struct lane *lane, int number, struct loop *loop,
	    const struct conf *conf) MUST_CHECK;

/* Close the connection.  Nothing may wait. */
void	 lane_free(struct lane *lane);

/* Queue x, whose call is of this lane. */
void	 lane_add(struct lane *lane, struct exchange *x);

/*
 * Begin the next statement if none is under way.  True if one has ended
 * already: what it led to may wait in another lane, also in one that was
 * flushed before.
 */
bool	 lane_flush(struct lane *lane) MUST_CHECK;

#endif
