#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conn_state.h"
#include "log.h"
#include "metrics.h"

#define LEAVE_TIME	2000	/* ms */
#define KEPT		4096	/* bytes of each buffer between two requests */

void
conn_set_exchange(struct conn *c, struct exchange *x)
{
	c->x = x;
}

struct exchange *
conn_exchange(const struct conn *c)
{
	return c->x;
}

bool
conn_authorizes(const struct conn *c)
{
	return c->scan.authorizer;
}

const char *
conn_request(const struct conn *c)
{
	return c->request;
}

void
conn_close(struct conn *c)
{
	struct conn_group *group = c->group;

	if (c->x != NULL)
		group->give_up(group->arg, c);
	loop_timer(group->loop, &c->timer, 0);
	loop_unwatch(group->loop, &c->watch);
	if (c->watch.fd != -1)
		close(c->watch.fd);
	if (c->file != -1)
		close(c->file);
	buf_free(&c->params);
	buf_free(&c->env);
	buf_free(&c->body);
	buf_free(&c->out);
	TAILQ_REMOVE(&group->conns, c, link);
	group->n--;
	free(c);
}

void
conn_wait(struct conn *c, uint32_t events)
{
	if (loop_watch(c->group->loop, &c->watch, events | EPOLLRDHUP) == -1)
		conn_close(c);
}

/* Forget what it holds; a few kilobytes are for the next request. */
static void
empty(struct buf *b)
{
	if (b->cap > KEPT)
		buf_free(b);
	else
		buf_reset(b);
}

/* The next request may come; there is no hurry between two. */
static void
conn_idle(struct conn *c)
{
	buf_free(&c->params);
	empty(&c->env);
	empty(&c->body);
	empty(&c->out);
	c->step = CONN_READING;
	c->peeks = 0;
	c->deadline = 0;
	c->collecting = false;
	c->idle = true;
	loop_timer(c->group->loop, &c->timer, c->group->linger > 0 ?
	    clock_ms() + c->group->linger : 0);
	if (c->input) {
		/* it may be there already: have it reported again */
		c->input = false;
		loop_unwatch(c->group->loop, &c->watch);
	}
	conn_wait(c, EPOLLIN | EPOLLET);
}

void
conn_done(struct conn *c)
{
	if (c->file != -1)
		close(c->file);
	c->file = -1;
	if (c->late)
		conn_let_go(c);
	else if (c->keep && c->group->linger != CONN_CLOSE)
		conn_idle(c);
	else
		conn_close(c);
}

void
conn_let_go(struct conn *c)
{
	c->step = CONN_LEAVING;
	loop_timer(c->group->loop, &c->timer, clock_ms() + LEAVE_TIME);
	if (shutdown(c->watch.fd, SHUT_WR) == -1)
		conn_close(c);
	else
		conn_drain(c);
}

static void
conn_ready(void *arg, uint32_t events)
{
	struct conn *c = arg;

	switch (c->step) {
	case CONN_SENDING:
		conn_send(c);
		return;
	case CONN_SERVING:
		c->input = true;
		/* half-closed is not gone: it still reads */
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			conn_close(c);
		return;
	case CONN_DROPPING:
		conn_drop(c);
		return;
	case CONN_LEAVING:
		conn_drain(c);
		return;
	case CONN_LENT:
		return;
	case CONN_READING:
		if ((events & EPOLLIN) != 0)
			conn_read(c);
		else
			conn_close(c);
		return;
	}
}

static void
conn_late(void *arg)
{
	struct conn *c = arg;
	struct reply rep;

	if (c->step == CONN_READING) {
		conn_read_late(c);
		return;
	}
	if (c->step != CONN_SERVING) {
		conn_close(c);
		return;
	}
	c->group->give_up(c->group->arg, c);
	log_event(log_seldom(), "answered", "status", "503", "why",
	    "it took too long", "request", c->request, NULL);
	reply_init(&rep);
	reply_unavailable(&rep);
	metrics_request(0, rep.status, -1);
	conn_reply(c, &rep);
	reply_free(&rep);
}

void
conn_open(struct conn_group *group, int fd)
{
	struct conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return;
	}
	c->group = group;
	c->file = -1;
	c->watch = (struct watch){ .fd = fd, .ready = conn_ready, .arg = c };
	c->timer = (struct timer){ .passed = conn_late, .arg = c };
	TAILQ_INSERT_TAIL(&group->conns, c, link);
	group->n++;
	loop_timer(group->loop, &c->timer,
	    clock_ms() + group->conf->body_timeout);
	conn_read(c);
}

void
conn_lend(struct conn *c)
{
	c->x = NULL;
	c->step = CONN_LENT;
	loop_timer(c->group->loop, &c->timer, 0);
	loop_unwatch(c->group->loop, &c->watch);
}

void
conn_return(struct conn *c, bool done)
{
	buf_reset(&c->env);
	if (done)
		conn_done(c);
	else
		conn_let_go(c);
}

void
conn_group_linger(struct conn_group *group, int64_t linger)
{
	struct conn *c;
	struct conn *next;

	group->linger = linger;
	for (c = TAILQ_FIRST(&group->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->idle && linger == CONN_CLOSE)
			conn_close(c);
		else if (c->idle)
			loop_timer(group->loop, &c->timer, clock_ms() + linger);
	}
}
