/*
 * db_hosts: where the database is, if a conninfo names several hosts; for
 * db_conn.c.
 *
 * libpq tries them in order, but its connect_timeout does not hold for
 * connections that do not block: a first host that is silent would be all that
 * is ever tried.  So the list is turned when an attempt took too long.
 */
#ifndef DEVCRED_DB_HOSTS_H
#define DEVCRED_DB_HOSTS_H

#include <libpq-fe.h>
#include <stdint.h>

#include "buf.h"

struct db_hosts;

/* NULL: no memory.  The conninfo need not be one; libpq says so then. */
struct db_hosts *db_hosts_new(const char *conninfo) MUST_CHECK;
void	 db_hosts_free(struct db_hosts *hosts);	/* wiped; NULL is allowed */

/*
 * Begin to connect, as PQconnectStart(): to the hosts in order, beginning with
 * the first, or the one after that which was silent.
 */
PGconn	*db_hosts_start(struct db_hosts *hosts) MUST_CHECK;

/* That which the last attempt began with is silent. */
void	 db_hosts_turn(struct db_hosts *hosts);

/*
 * How long to wait for an attempt, in ms: connect_timeout, which is 2 seconds
 * unless the conninfo says more; INT64_MAX if there is only one host.
 */
int64_t	 db_hosts_patience(const struct db_hosts *hosts);

#endif
