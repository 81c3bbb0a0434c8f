/*
 * gateway: the door to libfcgi.
 *
 * libfcgi reads a request from a descriptor and writes the reply to one.  It
 * is given a descriptor only when a whole request that record.c found good
 * lies in it, and the descriptor is non-blocking (or a file in memory), so
 * that it never waits; it never accepts and never closes connections.
 */
#ifndef DEVCRED_GATEWAY_H
#define DEVCRED_GATEWAY_H

#include "buf.h"

struct gateway;

/* Prepare the library; once, before the first gateway.  -1: it would not. */
int	 gateway_setup(void) MUST_CHECK;

/* State for one connection; NULL: no memory.  Freeing NULL is allowed. */
struct gateway *gateway_new(void) MUST_CHECK;
void	 gateway_free(struct gateway *gw);

/*
 * Read the request that lies in fd: its body to body, up to max bytes (what
 * is above that is read and dropped).  Variables and body last until
 * gateway_reply().  -1 if the library made nothing of it: fd is closed then.
 */
int	 gateway_take(struct gateway *gw, int fd, struct buf *body, size_t max)
	    MUST_CHECK;

/* End the request without the library: somebody else writes the reply. */
void	 gateway_drop(struct gateway *gw);

/* The variables of the request, "NAME=value", ended by NULL. */
char *const *gateway_env(const struct gateway *gw);

/*
 * Write the reply to fd and end the request.  -1 if it could not be written
 * whole.  fd stays open.
 */
int	 gateway_reply(struct gateway *gw, int fd, const struct buf *out)
	    MUST_CHECK;

#endif
