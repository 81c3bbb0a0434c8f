#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"

#define BATCH	128	/* descriptors handled before timers are looked at */

struct loop {
	int			 fd;
	TAILQ_HEAD(timers, timer) timers;	/* first to pass, first */
	struct epoll_event	 event[BATCH];
	int			 nevents;	/* being handled */
	int64_t			 awake;		/* since when, clock_us() */
	int64_t			 busy;		/* us, told by loop_busy() */
};

struct loop *
loop_new(void)
{
	struct loop *loop;

	if ((loop = calloc(1, sizeof(*loop))) == NULL)
		return NULL;
	TAILQ_INIT(&loop->timers);
	if ((loop->fd = epoll_create1(EPOLL_CLOEXEC)) == -1) {
		free(loop);
		return NULL;
	}
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	close(loop->fd);
	free(loop);
}

int
loop_watch(struct loop *loop, struct watch *w, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };
	int op = w->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (events == w->events)
		return 0;
	w->events = events;
	return epoll_ctl(loop->fd, op, w->fd, &e);
}

void
loop_unwatch(struct loop *loop, struct watch *w)
{
	struct epoll_event none = { 0 };
	int i;

	if (w->events == 0)
		return;
	w->events = 0;
	/* what has been reported for it already must not reach it any more */
	for (i = 0; i < loop->nevents; i++)
		if (loop->event[i].data.ptr == w)
			loop->event[i].data.ptr = NULL;
	/* fails for a closed descriptor, which has left the set by itself */
	epoll_ctl(loop->fd, EPOLL_CTL_DEL, w->fd, &none);
}

void
loop_timer(struct loop *loop, struct timer *timer, int64_t at)
{
	struct timer *t;

	if (timer->at != 0)
		TAILQ_REMOVE(&loop->timers, timer, link);
	timer->at = at;
	if (at == 0)
		return;
	/* most deadlines are equally long: the place is near the end */
	TAILQ_FOREACH_REVERSE(t, &loop->timers, timers, link)
		if (t->at <= at)
			break;
	if (t == NULL)
		TAILQ_INSERT_HEAD(&loop->timers, timer, link);
	else
		TAILQ_INSERT_AFTER(&loop->timers, t, timer, link);
}

int64_t
loop_busy(struct loop *loop)
{
	int64_t busy = loop->busy;

	loop->busy = 0;
	return busy;
}

int
loop_once(struct loop *loop)
{
	struct timer *t = TAILQ_FIRST(&loop->timers);
	struct watch *w;
	int64_t left = -1;
	int64_t now;
	int n;
	int i;

	if (t != NULL) {
		left = t->at - clock_ms();
		left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
	}
	if (loop->awake != 0)
		loop->busy += clock_us() - loop->awake;
	n = epoll_wait(loop->fd, loop->event, BATCH, (int)left);
	loop->awake = clock_us();
	if (n == -1)
		return errno == EINTR ? 0 : -1;
	loop->nevents = n;
	for (i = 0; i < n; i++)
		if ((w = loop->event[i].data.ptr) != NULL)
			w->ready(w->arg, loop->event[i].events);
	loop->nevents = 0;
	now = clock_ms();
	while ((t = TAILQ_FIRST(&loop->timers)) != NULL && t->at <= now) {
		loop_timer(loop, t, 0);
		t->passed(t->arg);
	}
	return 0;
}
