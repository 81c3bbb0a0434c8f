/*
 * db_hosts: where the database is, if a conninfo names hosts; for db_conn.c.
 *
 * libpq tries several in order, but its connect_timeout does not hold for
 * connections that do not block: a first host that is silent would be all that
 * is ever tried.  So the list is turned when an attempt took too long.
 *
 * libpq would wait for the resolver, too.  So names are looked up before, and
 * it is given addresses, which are good for a few seconds.  This is not so for
 * what only a service file, PGHOST or an ldap:// service names.
 */
#ifndef DEVCRED_DB_HOSTS_H
#define DEVCRED_DB_HOSTS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct db_hosts;

/* NULL: no memory.  The conninfo need not be one; libpq says so then. */
struct db_hosts *db_hosts_new(const char *conninfo) MUST_CHECK;
struct db_hosts *db_hosts_copy(const struct db_hosts *hosts) MUST_CHECK;
void	 db_hosts_free(struct db_hosts *hosts);	/* wiped; NULL is allowed */

/* Whether a name has to be looked up before db_hosts_start(). */
bool	 db_hosts_unknown(const struct db_hosts *hosts);

/*
 * Begin to look up: a descriptor to wait for, or -1 if that cannot be.  When it
 * is ready, whether that was all: 1, 0 while more is to come, -1 if there is no
 * such host.
 */
int	 db_hosts_look_up(struct db_hosts *hosts) MUST_CHECK;
int	 db_hosts_looked(struct db_hosts *hosts) MUST_CHECK;

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
