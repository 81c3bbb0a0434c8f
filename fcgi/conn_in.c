#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conn_state.h"
#include "gateway.h"
#include "log.h"
#include "metrics.h"

#define PEEK_SIZE	((size_t)256 * 1024)	/* a socket holds no more */

/*
 * A request that is not whole is left in the socket for a moment: from a
 * quarter of its buffer on, poll(2) tells the peer that it cannot write.
 */
#define PEEKS		3
#define PEEK_ENOUGH	((size_t)16 * 1024)	/* bytes */
#define PEEK_PATIENCE	20	/* ms */
#define TURN_SIZE	((size_t)256 * 1024)	/* bytes read in one turn */

/* One worker handles one connection at a time: they share the room. */
static char room[PEEK_SIZE];

/* Let libfcgi read the request that lies whole in fd; -1: c is closed. */
static int
conn_take(struct conn *c, int fd)
{
	struct conn_group *group = c->group;

	if (gateway_take(fd, &c->env, &c->body, BODY_MAX + 1) == -1) {
		log_event(LOG_LEVEL_WARNING, "request_dropped", "why",
		    "libfcgi does not take it", NULL);
		if (fd == c->watch.fd) {
			loop_unwatch(group->loop, &c->watch);
			c->watch.fd = -1;
		} else {
			c->file = -1;
		}
		conn_close(c);
		return -1;
	}
	request_id(c->request, gateway_env(&c->env));
	c->step = CONN_SERVING;
	c->input = false;
	loop_timer(group->loop, &c->timer, clock_ms() + group->answer_timeout);
	/* who leaves before a short answer is not worth two system calls */
	if (!c->keep && c->watch.events == 0)
		return 0;
	/* what comes now is for later: to be told once is enough */
	if (loop_watch(group->loop, &c->watch,
	    EPOLLIN | EPOLLET | EPOLLRDHUP) == 0)
		return 0;
	conn_close(c);
	return -1;
}

static void
conn_serve(struct conn *c, const char *body, size_t len)
{
	struct reply rep;

	if (c->late) {
		log_event(LOG_LEVEL_DEBUG, "answered", "status", "408",
		    "request", c->request, NULL);
		reply_init(&rep);
		reply_fault(&rep, FAULT_TIMEOUT,
		    "The request did not arrive in time.");
		metrics_request(0, rep.status, -1);
		conn_reply(c, &rep);
		reply_free(&rep);
		return;
	}
	c->group->request(c->group->arg, c, gateway_env(&c->env), body, len);
}

/* A request in pieces is together: put it where libfcgi can read it. */
static void
conn_serve_collected(struct conn *c)
{
	c->file = record_file(&c->scan);
	buf_free(&c->params);
	if (c->file == -1)
		conn_close(c);
	else if (conn_take(c, c->file) == 0)
		conn_serve(c, buf_text(&c->body), c->body.len);
}

/*
 * The head of a request has come whose operation takes the body as it comes:
 * begin it with what of the body is there, n bytes of records.
 */
static void
conn_serve_head(struct conn *c, const char *data, size_t n)
{
	size_t used;

	c->file = record_head_file(&c->scan);
	buf_free(&c->params);
	c->keep = c->scan.keep;
	if (c->file == -1) {
		conn_close(c);
		return;
	}
	if (conn_take(c, c->file) == -1)
		return;
	c->scan.body_max = SIZE_MAX;
	if (record_feed(&c->scan, data, n, &used) == RECORD_BAD) {
		conn_close(c);
		return;
	}
	/* the rest waits in the socket */
	conn_serve(c, NULL, 0);
}

/* Take what arrives out of the socket. */
static void
conn_collect(struct conn *c)
{
	enum record_state state = RECORD_MORE;
	size_t used;
	size_t turn;
	size_t rest;
	ssize_t n = 0;

	for (turn = 0; state == RECORD_MORE && turn < TURN_SIZE;
	    turn += (size_t)n) {
		n = recv(c->watch.fd, room, sizeof(room), 0);
		if (n <= 0)
			break;
		state = record_feed(&c->scan, room, (size_t)n, &used);
		rest = (size_t)n - used;
		if (state == RECORD_HEAD &&
		    c->group->streams(c->group->arg, &c->params)) {
			conn_serve_head(c, room + used, rest);
			return;
		}
		if (state == RECORD_HEAD) {
			state = record_feed(&c->scan, room + used, rest, &used);
			rest -= used;
		}
		/* a second request before the first is answered: no more */
		c->keep = c->scan.keep && rest == 0;
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

/* It is not whole, or too large to be read at once. */
static void
conn_read_piece(struct conn *c, enum record_state state, size_t n)
{
	if (c->deadline == 0)
		c->deadline = clock_ms() + c->group->conf->body_timeout;
	if (state == RECORD_MORE && ++c->peeks < PEEKS && n < PEEK_ENOUGH) {
		loop_timer(c->group->loop, &c->timer,
		    clock_ms() + PEEK_PATIENCE);
		conn_wait(c, EPOLLIN | EPOLLET);
	} else {
		conn_start_collecting(c);
	}
}

void
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
	} else if (state == RECORD_WHOLE && !c->scan.padded &&
	    !c->scan.authorizer && c->scan.body_len <= BODY_MAX) {
		c->keep = c->scan.keep && used == (size_t)n;
		if (conn_take(c, c->watch.fd) == 0)
			conn_serve(c, buf_text(&c->body), c->body.len);
	} else {
		conn_read_piece(c, state, (size_t)n);
	}
}

void
conn_read_late(struct conn *c)
{
	if (!c->collecting && c->deadline != 0) {
		conn_start_collecting(c);
	} else if (c->collecting && c->scan.step == RECORD_STEP_BODY) {
		/* the head is there: that is enough to answer */
		c->late = true;
		c->keep = false;
		conn_serve_collected(c);
	} else if (c->idle && recv(c->watch.fd, room, 1,
	    MSG_PEEK | MSG_DONTWAIT) > 0) {
		/* a request has come since the loop looked */
		conn_read(c);
	} else {
		conn_close(c);
	}
}

void
conn_drop(struct conn *c)
{
	enum record_state state = c->scan.state;
	size_t used;
	size_t turn;
	ssize_t n = 0;

	c->scan.body = NULL;
	for (turn = 0; state == RECORD_MORE && turn < TURN_SIZE;
	    turn += (size_t)n) {
		n = recv(c->watch.fd, room, sizeof(room), 0);
		if (n <= 0)
			break;
		state = record_feed(&c->scan, room, (size_t)n, &used);
	}
	if (state == RECORD_WHOLE)
		conn_send(c);
	else if (state == RECORD_BAD || n == 0 || (n < 0 && errno != EAGAIN))
		conn_close(c);
	else
		conn_wait(c, EPOLLIN);
}

void
conn_drain(struct conn *c)
{
	ssize_t n = recv(c->watch.fd, room, sizeof(room), 0);

	if (n == 0 || (n == -1 && errno != EAGAIN))
		conn_close(c);
	else
		conn_wait(c, EPOLLIN);
}

void
conn_stream(struct conn *c, struct stream *s)
{
	stream_fastcgi(s, c->watch.fd, &c->scan, &c->body,
	    c->group->conf->body_timeout);
}
