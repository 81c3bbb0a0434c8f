/*
 * listen: the socket that web servers connect to.
 */
#ifndef DEVCRED_LISTEN_H
#define DEVCRED_LISTEN_H

#include "conf.h"

/*
 * Make the socket of the settings and listen.  A socket file that nobody
 * listens to is replaced; one that somebody does is an error.  -1 if it could
 * not be made (logged).
 */
int	 listen_open(const struct conf *conf) MUST_CHECK;

/* Remove the socket file, if it is still the one of this descriptor. */
void	 listen_remove(const struct conf *conf, int fd);

/* Whether a descriptor is a listening socket. */
bool	 listen_is(int fd) MUST_CHECK;

/* The descriptor that systemd hands over (sd_listen_fds(3)), or -1. */
int	 listen_systemd(void);

#endif
