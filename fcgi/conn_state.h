/*
 * conn_state: a connection and where it stands; what is common to the files
 * behind conn.h, and nobody else's.
 */
#ifndef DEVCRED_CONN_STATE_H
#define DEVCRED_CONN_STATE_H

#include "conn.h"
#include "record.h"

enum conn_step {
	CONN_READING,
	CONN_SERVING,
	CONN_LENT,	/* to another process */
	CONN_DROPPING,	/* the rest of a body that nobody wants */
	CONN_SENDING,
	CONN_LEAVING	/* all is said, but the peer may still be sending */
};

struct conn {
	TAILQ_ENTRY(conn)	 link;
	struct conn_group	*group;
	struct watch		 watch;
	struct timer		 timer;
	enum conn_step		 step;
	struct record_scan	 scan;
	struct buf		 params;	/* of a request in pieces */
	struct buf		 env;		/* see gateway_env() */
	struct buf		 body;
	bool			 collecting;
	bool			 keep;		/* the web server keeps it */
	bool			 input;		/* came while serving */
	bool			 late;		/* did not come whole in time */
	bool			 idle;		/* between two requests */
	int			 peeks;
	int64_t			 deadline;	/* for it all; 0: not begun */
	int			 file;		/* in memory; -1: none */
	struct buf		 out;		/* the reply, as records */
	size_t			 sent;		/* of it */
	struct exchange		*x;
	char			 request[REQUEST_ID_SIZE];
};

/* Give up the exchange, close, free. */
void	 conn_close(struct conn *c);

/* Be told of input and of the peer's leaving. */
void	 conn_wait(struct conn *c, uint32_t events);

/* The reply is with the kernel: the next request may come, or none. */
void	 conn_done(struct conn *c);

/*
 * Close when the peer has, or in a moment: who is cut off while it sends
 * takes no answer.
 */
void	 conn_let_go(struct conn *c);

/* conn_in.c: look at what lies in the socket. */
void	 conn_read(struct conn *c);

/* The time of a request that comes in pieces begins, or is over. */
void	 conn_read_late(struct conn *c);

/* Read what is left of a body, and forget it; then send. */
void	 conn_drop(struct conn *c);

/* Read whatever comes, and forget it; close at its end. */
void	 conn_drain(struct conn *c);

/* conn_out.c: send what is left of the reply, as far as the socket takes it. */
void	 conn_send(struct conn *c);

#endif
