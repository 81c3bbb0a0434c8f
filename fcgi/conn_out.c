#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "clock.h"
#include "conn_state.h"

#define DIRECT_MAX	((size_t)32 * 1024)	/* an empty socket takes it */

void
conn_send(struct conn *c)
{
	ssize_t n;

	c->step = CONN_SENDING;
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

/* Have libfcgi write the reply to a file. */
static int
conn_write_file(struct conn *c, const struct buf *out)
{
	if (c->file == -1)
		c->file = memfd_create("reply", MFD_CLOEXEC);
	if (c->file == -1 || (c->at = lseek(c->file, 0, SEEK_END)) == -1 ||
	    gateway_reply(c->gw, c->file, out) == -1)
		return -1;
	c->end = lseek(c->file, 0, SEEK_END);
	return 0;
}

/* Send the reply from a file, when the body has come to its end. */
static void
conn_reply_file(struct conn *c, const struct buf *out)
{
	if (conn_write_file(c, out) == -1) {
		conn_close(c);
		return;
	}
	loop_timer(c->group->loop, &c->timer,
	    clock_ms() + c->group->conf->body_timeout);
	/* web servers give up on who answers before they have sent it all */
	c->step = CONN_DROPPING;
	if (c->scan.state == RECORD_MORE && !c->late)
		conn_drop(c);
	else
		conn_send(c);
}

void
conn_reply(struct conn *c, const struct reply *rep)
{
	struct buf out;

	c->x = NULL;
	buf_init(&out, 0);
	reply_write(rep, c->request, &out);
	if (c->file != -1 || out.len > DIRECT_MAX)
		conn_reply_file(c, &out);
	else if (gateway_reply(c->gw, c->watch.fd, &out) == -1)
		conn_close(c);
	else
		conn_done(c);
	buf_free(&out);
}

int
conn_move(struct conn *c, int fd)
{
	if (dup2(c->watch.fd, fd) == -1)
		return -1;
	c->watch.fd = fd;
	c->file = -1;
	return 0;
}

int
conn_finish(struct conn *c, const struct reply *rep)
{
	struct pollfd p = { .fd = c->watch.fd, .events = POLLOUT };
	struct buf out;
	ssize_t n;
	int rc;

	buf_init(&out, 0);
	reply_write(rep, c->request, &out);
	rc = conn_write_file(c, &out);
	buf_free(&out);
	while (rc == 0 && c->at < c->end) {
		n = sendfile(p.fd, c->file, &c->at, (size_t)(c->end - c->at));
		if (n <= 0 && (n == 0 || errno != EAGAIN ||
		    poll(&p, 1, (int)c->group->conf->body_timeout) <= 0))
			rc = -1;
	}
	return rc == 0 && c->scan.state == RECORD_WHOLE ? 0 : -1;
}
