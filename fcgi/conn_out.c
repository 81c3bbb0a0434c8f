#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conn_state.h"

/* Send what the socket takes; false if it takes no more, see errno. */
static bool
send_some(struct conn *c)
{
	ssize_t n = send(c->watch.fd, c->out.data + c->sent,
	    c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n <= 0)
		return false;
	c->sent += (size_t)n;
	return true;
}

void
conn_send(struct conn *c)
{
	c->step = CONN_SENDING;
	while (c->sent < c->out.len) {
		if (send_some(c))
			continue;
		if (errno == EAGAIN)
			conn_wait(c, EPOLLOUT);
		else
			conn_close(c);
		return;
	}
	conn_done(c);
}

/* Put the reply into records; the login that was sent has done its part. */
static int
conn_write(struct conn *c, const struct reply *rep)
{
	struct buf text;

	buf_init(&text, 0);
	reply_write(rep, c->request, &text);
	record_reply(&c->scan, &text, &c->out);
	buf_free(&text);
	buf_reset(&c->env);
	c->sent = 0;
	return buf_ok(&c->out) ? 0 : -1;
}

void
conn_reply(struct conn *c, const struct reply *rep)
{
	c->x = NULL;
	if (conn_write(c, rep) == -1) {
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
	int rc = conn_write(c, rep);

	while (rc == 0 && c->sent < c->out.len)
		if (!send_some(c) && (errno != EAGAIN ||
		    poll(&p, 1, (int)c->group->conf->body_timeout) <= 0))
			rc = -1;
	return rc == 0 && c->scan.state == RECORD_WHOLE ? 0 : -1;
}
