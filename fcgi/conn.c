#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conn.h"
#include "gateway.h"
#include "log.h"
#include "record.h"

#define PEEK_SIZE	((size_t)256 * 1024)	/* a socket holds no more */

/*
 * A request that is not whole is left in the socket for a moment: from a
 * quarter of its buffer on, poll(2) tells the peer that it cannot write.
 */
#define PEEKS		3
#define PEEK_ENOUGH	((size_t)16 * 1024)	/* bytes */
#define PEEK_PATIENCE	20	/* ms */
#define TURN_SIZE	((size_t)256 * 1024)	/* bytes read in one turn */
#define DIRECT_MAX	((size_t)32 * 1024)	/* an empty socket takes it */

enum conn_state { CONN_READING, CONN_SERVING, CONN_SENDING };

struct conn {
	TAILQ_ENTRY(conn)	 link;
	struct conn_group	*group;
	struct watch		 watch;
	struct timer		 timer;
	enum conn_state		 state;
	struct gateway		*gw;
	struct record_scan	 scan;
	struct buf		 params;	/* of a request in pieces */
	struct buf		 body;
	bool			 collecting;
	bool			 keep;		/* the web server keeps it */
	bool			 input;		/* came while serving */
	bool			 late;		/* did not come whole in time */
	bool			 idle;		/* between two requests */
	int			 peeks;
	int64_t			 deadline;	/* for it all; 0: not begun */
	int			 file;		/* in memory; -1: none */
	off_t			 at;		/* what of it is sent */
	off_t			 end;
	struct exchange		*x;
};

/* One worker handles one connection at a time: they share the room. */
static char room[PEEK_SIZE];

static void conn_send(struct conn *c);

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

static void
conn_close(struct conn *c)
{
	struct conn_group *group = c->group;

	if (c->x != NULL)
		group->give_up(group->arg, c);
	loop_timer(group->loop, &c->timer, 0);
	loop_unwatch(group->loop, &c->watch);
	gateway_free(c->gw);
	if (c->watch.fd != -1)
		close(c->watch.fd);
	if (c->file != -1)
		close(c->file);
	buf_free(&c->params);
	buf_free(&c->body);
	TAILQ_REMOVE(&group->conns, c, link);
	group->n--;
	free(c);
}

/* Be told of input and of the peer's leaving. */
static void
conn_wait(struct conn *c, uint32_t events)
{
	if (loop_watch(c->group->loop, &c->watch, events | EPOLLRDHUP) == -1)
		conn_close(c);
}

/* The next request may come; there is no hurry between two. */
static void
conn_idle(struct conn *c)
{
	c->state = CONN_READING;
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

/* The reply is with the kernel. */
static void
conn_done(struct conn *c)
{
	if (c->file != -1)
		close(c->file);
	c->file = -1;
	buf_free(&c->params);
	buf_reset(&c->body);
	if (c->keep && c->group->linger != CONN_CLOSE)
		conn_idle(c);
	else
		conn_close(c);
}

/* A whole request lies in fd: let libfcgi read it, and serve it. */
static void
conn_serve(struct conn *c, int fd)
{
	struct conn_group *group = c->group;
	struct reply rep;

	buf_reset(&c->body);
	if (gateway_take(c->gw, fd, &c->body, BODY_MAX + 1) == -1) {
		log_event(LOG_LEVEL_WARNING, "request_dropped", "why",
		    "libfcgi does not take it", NULL);
		if (fd == c->watch.fd) {
			loop_unwatch(group->loop, &c->watch);
			c->watch.fd = -1;
		} else {
			c->file = -1;
		}
		conn_close(c);
		return;
	}
	c->state = CONN_SERVING;
	c->input = false;
	loop_timer(group->loop, &c->timer, clock_ms() + group->answer_timeout);
	if (c->late) {
		reply_init(&rep);
		reply_fault(&rep, FAULT_TIMEOUT,
		    "The request did not arrive in time.");
		conn_reply(c, &rep);
		reply_free(&rep);
		return;
	}
	group->request(group->arg, c, gateway_env(c->gw), buf_text(&c->body),
	    c->body.len);
}

/* A request in pieces is together: put it where libfcgi can read it. */
static void
conn_serve_collected(struct conn *c)
{
	c->file = record_file(&c->scan);
	buf_free(&c->params);
	if (c->file != -1)
		conn_serve(c, c->file);
	else
		conn_close(c);
}

/* Take what arrives out of the socket. */
static void
conn_collect(struct conn *c)
{
	enum record_state state = RECORD_MORE;
	size_t used;
	size_t turn;
	ssize_t n = 0;

	for (turn = 0; state == RECORD_MORE && turn < TURN_SIZE;
	    turn += (size_t)n) {
		n = recv(c->watch.fd, room, sizeof(room), 0);
		if (n <= 0)
			break;
		state = record_feed(&c->scan, room, (size_t)n, &used);
		/* a second request before the first is answered: no more */
		c->keep = c->scan.keep && used == (size_t)n;
	}
	if (state == RECORD_WHOLE)
		conn_serve_collected(c);
	else if (state == RECORD_BAD || n == 0 || (n < 0 && errno != EAGAIN))
		conn_close(c);
	else
		conn_wait(c, EPOLLIN);
}

/* Now it has to come within its time. */
static void
conn_start_collecting(struct conn *c)
{
	c->collecting = true;
	loop_timer(c->group->loop, &c->timer, c->deadline);
	record_init(&c->scan, &c->params, &c->body, BODY_MAX + 1);
	conn_collect(c);
}

/* Look at what lies in the socket. */
static void
conn_read(struct conn *c)
{
	enum record_state state;
	size_t used;
	ssize_t n;

	if (c->collecting) {
		conn_collect(c);
		return;
	}
	n = recv(c->watch.fd, room, sizeof(room), MSG_PEEK);
	if (n == -1 && errno == EAGAIN) {
		conn_wait(c, EPOLLIN | EPOLLET);
		return;
	}
	if (n <= 0) {
		conn_close(c);
		return;
	}
	c->idle = false;
	record_init(&c->scan, NULL, NULL, 0);
	state = record_feed(&c->scan, room, (size_t)n, &used);
	if (state == RECORD_BAD) {
		log_event(LOG_LEVEL_WARNING, "request_dropped", "why",
		    "not a FastCGI request of ours", NULL);
		conn_close(c);
	} else if (state == RECORD_WHOLE && !c->scan.padded) {
		c->keep = c->scan.keep && used == (size_t)n;
		conn_serve(c, c->watch.fd);
	} else {
		if (c->deadline == 0)
			c->deadline = clock_ms() + c->group->conf->body_timeout;
		if (state == RECORD_MORE && ++c->peeks < PEEKS &&
		    (size_t)n < PEEK_ENOUGH) {
			loop_timer(c->group->loop, &c->timer,
			    clock_ms() + PEEK_PATIENCE);
			conn_wait(c, EPOLLIN | EPOLLET);
		} else {
			conn_start_collecting(c);
		}
	}
}

static void
conn_ready(void *arg, uint32_t events)
{
	struct conn *c = arg;

	if (c->state == CONN_SENDING) {
		conn_send(c);
	} else if (c->state == CONN_SERVING) {
		c->input = true;
		/* half-closed is not gone: it still reads */
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			conn_close(c);
	} else if ((events & EPOLLIN) != 0) {
		conn_read(c);
	} else {
		conn_close(c);
	}
}

static void
conn_late(void *arg)
{
	struct conn *c = arg;
	struct reply rep;

	if (c->state == CONN_READING && !c->collecting && c->deadline != 0) {
		conn_start_collecting(c);
		return;
	}
	if (c->state == CONN_SENDING || (c->state == CONN_READING &&
	    (!c->collecting || c->scan.step != RECORD_STEP_BODY))) {
		conn_close(c);
		return;
	}
	reply_init(&rep);
	if (c->state == CONN_SERVING) {
		c->group->give_up(c->group->arg, c);
		reply_unavailable(&rep);
		conn_reply(c, &rep);
	} else {
		/* the head is there: that is enough to answer */
		c->late = true;
		c->keep = false;
		conn_serve_collected(c);
	}
	reply_free(&rep);
}

void
conn_open(struct conn_group *group, int fd)
{
	struct conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->gw = gateway_new()) == NULL) {
		free(c);
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

/* Send what lies in the file, as far as the socket takes it. */
static void
conn_send(struct conn *c)
{
	ssize_t n;

	while (c->at < c->end) {
		n = sendfile(c->watch.fd, c->file, &c->at,
		    (size_t)(c->end - c->at));
		if (n > 0)
			continue;
		if (n == -1 && errno == EAGAIN)
			conn_wait(c, EPOLLOUT);
		else
			conn_close(c);
		return;
	}
	conn_done(c);
}

/* Have libfcgi write the reply to a file, and send that. */
static void
conn_reply_file(struct conn *c, const struct buf *out)
{
	if (c->file == -1)
		c->file = memfd_create("reply", MFD_CLOEXEC);
	if (c->file == -1 || (c->at = lseek(c->file, 0, SEEK_END)) == -1 ||
	    gateway_reply(c->gw, c->file, out) == -1) {
		conn_close(c);
		return;
	}
	c->end = lseek(c->file, 0, SEEK_END);
	c->state = CONN_SENDING;
	loop_timer(c->group->loop, &c->timer,
	    clock_ms() + c->group->conf->body_timeout);
	conn_send(c);
}

void
conn_reply(struct conn *c, const struct reply *rep)
{
	struct buf out;

	c->x = NULL;
	buf_init(&out, 0);
	reply_write(rep, &out);
	if (c->file != -1 || out.len > DIRECT_MAX)
		conn_reply_file(c, &out);
	else if (gateway_reply(c->gw, c->watch.fd, &out) == -1)
		conn_close(c);
	else
		conn_done(c);
	buf_free(&out);
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
