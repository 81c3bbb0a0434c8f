/*
 * loop: descriptors and deadlines of one process (epoll).
 */
#ifndef DEVCRED_LOOP_H
#define DEVCRED_LOOP_H

#include <stdint.h>
#include <sys/queue.h>

#include "buf.h"

struct loop;

/* A descriptor that is waited for; embedded in what it belongs to. */
struct watch {
	int		 fd;
	uint32_t	 events;	/* EPOLL*; 0: not waited for */
	void		(*ready)(void *arg, uint32_t events);
	void		*arg;
};

/* A moment that is waited for. */
struct timer {
	TAILQ_ENTRY(timer) link;
	int64_t		 at;		/* clock_ms(); 0: not set */
	void		(*passed)(void *arg);
	void		*arg;
};

/* NULL if the kernel refuses. */
struct loop *loop_new(void) MUST_CHECK;
void	 loop_free(struct loop *loop);

/* Wait for events of w->fd from now on.  -1 if the kernel refuses. */
int	 loop_watch(struct loop *loop, struct watch *w, uint32_t events)
	    MUST_CHECK;

/* Wait no more; to be called before w->fd is closed. */
void	 loop_unwatch(struct loop *loop, struct watch *w);

/* Call timer->passed at that moment, 0 to stop it.  May be repeated. */
void	 loop_timer(struct loop *loop, struct timer *timer, int64_t at);

/*
 * Wait once, for all that is watched and until the first timer, and call
 * those concerned.  -1 if the kernel refuses.
 */
int	 loop_once(struct loop *loop) MUST_CHECK;

/* Microseconds since the last call that were not spent waiting. */
int64_t	 loop_busy(struct loop *loop);

#endif
