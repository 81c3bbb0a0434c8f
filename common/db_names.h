/*
 * db_names: the addresses of hosts, for db_hosts.c.
 *
 * libpq looks names up with getaddrinfo(), which waits as long as the resolver
 * does: tens of seconds if a name server is silent.  So a process of its own
 * does that, and tells the addresses through a pipe.
 */
#ifndef DEVCRED_DB_NAMES_H
#define DEVCRED_DB_NAMES_H

#include <sys/types.h>

#include "buf.h"

struct db_names {
	pid_t		 pid;	/* 0: none */
	int		 fd;	/* to wait for, while there is a process */
	struct buf	 text;	/* what it told */
};

void	 db_names_init(struct db_names *names);

/* Whether a host of a conninfo is a name that has to be looked up. */
bool	 db_names_is(const char *host, size_t len);

/* Begin to look up hosts, separated by commas; -1 if there is no process. */
int	 db_names_start(struct db_names *names, const char *hosts) MUST_CHECK;

/*
 * Take what has been told: true if that is all.  Then text has lines
 * "N ADDRESS" in the order they are to be tried; N is the place of the host,
 * from 0.
 */
bool	 db_names_read(struct db_names *names) MUST_CHECK;

/* End the process, if there is one, and forget what it told. */
void	 db_names_stop(struct db_names *names);

#endif
