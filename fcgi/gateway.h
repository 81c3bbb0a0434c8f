/*
 * gateway: the door to libfcgi.
 *
 * libfcgi reads a request from a descriptor.  It is given a descriptor only
 * when a whole request that record.c found good lies in it, and the descriptor
 * is non-blocking (or a file in memory), so that it never waits; it never
 * accepts and never closes connections.  What it has read, in dozens of pieces,
 * is copied into one and freed at once: many requests wait for the database at
 * a time.  The reply is not its business (record.c), so that no password that
 * is issued ever lies in a buffer of the library.
 */
#ifndef DEVCRED_GATEWAY_H
#define DEVCRED_GATEWAY_H

#include "buf.h"

/* Prepare the library; once, before anything else.  -1: it would not. */
int	 gateway_setup(void) MUST_CHECK;

/*
 * Read the request that lies in fd: its variables to env, for gateway_env();
 * its body to body, up to max bytes (what is above that is read and dropped).
 * -1 if the library made nothing of it: fd is closed then.
 */
int	 gateway_take(int fd, struct buf *env, struct buf *body, size_t max)
	    MUST_CHECK;

/* The variables, "NAME=value", ended by NULL; they last as long as env. */
char *const *gateway_env(const struct buf *env);

#endif
