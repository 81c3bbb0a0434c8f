/*
 * conn: one connection from the web server.
 *
 * A request that lies whole in the socket is handed to libfcgi there.  One
 * that comes in pieces is collected here first and handed over in a file in
 * memory.  The reply is put into records here, and sent as the peer takes it.
 */
#ifndef DEVCRED_CONN_H
#define DEVCRED_CONN_H

#include "exchange.h"
#include "loop.h"
#include "stream.h"

struct conn;

/* What the connections of a worker share. */
struct conn_group {
	struct loop		*loop;
	const struct conf	*conf;
	int64_t			 answer_timeout;	/* ms */
	int64_t			 linger;	/* see conn_group_linger() */
	TAILQ_HEAD(, conn)	 conns;
	int			 n;
	/* a request has arrived; answered with conn_reply() */
	void			(*request)(void *arg, struct conn *c,
				    char *const *envp, const char *body,
				    size_t len);
	/* whether the body of this request is taken as it comes */
	bool			(*streams)(void *arg,
				    const struct buf *params);
	/* its time is over, or the peer has gone: x will not be answered */
	void			(*give_up)(void *arg, struct conn *c);
	void			*arg;
};

/* Take over an accepted, non-blocking descriptor. */
void	 conn_open(struct conn_group *group, int fd);

/*
 * Whether the request comes from a web server in want of an authorizer: what
 * its records say, and nothing that a client could.
 */
bool	 conn_authorizes(const struct conn *c);

/* Answer the request of c; it may be gone afterwards. */
void	 conn_reply(struct conn *c, const struct reply *rep);

/*
 * A body that is taken as it comes is read by a process of its own, forked
 * for it; conn_lend() leaves the connection alone until conn_return(), which
 * says whether the request was read and answered to its end.
 */
void	 conn_lend(struct conn *c);
void	 conn_return(struct conn *c, bool done);

/*
 * In that process: conn_move() puts the connection on descriptor fd, and the
 * others may be closed; conn_stream() is the body, with what has come of it;
 * conn_finish() answers, and waits for that.  0 if all is done.
 */
int	 conn_move(struct conn *c, int fd) MUST_CHECK;
void	 conn_stream(struct conn *c, struct stream *s);
int	 conn_finish(struct conn *c, const struct reply *rep) MUST_CHECK;

/*
 * For how many ms a connection may wait for its next request: 0 for ever,
 * CONN_CLOSE not at all.  It begins now for those that wait already.
 */
#define CONN_CLOSE	-1
void	 conn_group_linger(struct conn_group *group, int64_t linger);

/* The id of the request of c. */
const char *conn_request(const struct conn *c);

/* The exchange that runs for c; the worker's to set and look at. */
void	 conn_set_exchange(struct conn *c, struct exchange *x);
struct exchange *conn_exchange(const struct conn *c);

#endif
