/*
 * upload: requests whose body is taken as it comes, each in a process of its
 * own with a database connection of its own, so that the loop waits for none.
 */
#ifndef DEVCRED_UPLOAD_H
#define DEVCRED_UPLOAD_H

#include "conn.h"

#define UPLOAD_MAX	4	/* of a worker at the same time */

struct upload_pool {
	struct loop	*loop;
	struct upload {
		struct upload_pool	*pool;
		struct watch		 watch;		/* of the process */
		pid_t			 pid;		/* 0: free */
		struct conn		*conn;
	} upload[UPLOAD_MAX];
	int		 n;
};

void	 upload_init(struct upload_pool *pool, struct loop *loop);

/*
 * Hand the request of c, which is x, to a new process, which will answer; x
 * is not needed any more.  -1 if that cannot be: too many, no memory.
 */
int	 upload_start(struct upload_pool *pool, struct conn *c,
	    struct exchange *x) MUST_CHECK;

/* End what still runs; the database takes back what is not committed. */
void	 upload_stop(struct upload_pool *pool);

#endif
