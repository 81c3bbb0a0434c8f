/*
 * db_conn: a connection to the database and the call it is busy with; what is
 * common to the files behind db.h, and nobody else's.
 */
#ifndef DEVCRED_DB_CONN_H
#define DEVCRED_DB_CONN_H

#include <libpq-fe.h>

#include "db.h"
#include "db_hosts.h"

#define PREPARED_MAX	32	/* statements one connection may hold */
#define PARAMS_MAX	20	/* of one statement */

enum db_state {
	DOWN,		/* no connection */
	RESOLVING,	/* names of hosts; goes on when a call has ended */
	CONNECTING,
	GREETING,	/* asking for the schema version */
	IDLE,
	PREPARING,	/* the statement, before it runs */
	RUNNING
};

struct db {
	struct db_hosts	*hosts;
	bool		 prepare;
	int		 schema;
	PGconn		*pg;
	int		 resolver;	/* descriptor, while RESOLVING */
	enum db_state	 state;
	PostgresPollingStatusType polling;	/* while CONNECTING */
	int64_t		 connect_until;	/* then try another host */
	const struct db_statement *prepared[PREPARED_MAX];
	size_t		 nprepared;
	int64_t		 retry_at;	/* no connection attempt before */
	int64_t		 backoff;
	/* the call under way, or the last one */
	bool		 calling;
	bool		 sent;		/* the server may have begun it */
	bool		 doubt;		/* its commit, says a warning */
	const struct db_statement *stmt;	/* NULL: a script */
	bool		 copying;	/* it is a COPY */
	struct buf	 text;		/* its values or rows, or the script */
	size_t		 value[PARAMS_MAX];	/* in text; SIZE_MAX: null */
	int64_t		 deadline;
	PGresult	*result;
	enum db_status	 status;
	char		*message;
	void		(*told)(void *arg, const char *level,
			    const char *text, const char *hint);
	void		*told_arg;
};

/* Begin to connect, or to look for hosts, unless that failed a moment ago. */
void	 db_connect(struct db *db);

/* Go on looking for hosts. */
void	 db_resolve(struct db *db);

/* An attempt that takes too long: another, of another host first. */
void	 db_connect_elsewhere(struct db *db);

/* Connected: ask for the schema version.  Asked: look at the answer. */
void	 db_connection_made(struct db *db);
void	 db_greeted(struct db *db);

/* The connection is of no more use; neither is the call. */
void	 db_lost(struct db *db, const char *why);

/* The call is for another connection, which knows nothing of before. */
void	 db_renew(struct db *db);

/* Forget what the last call left; end the one under way. */
void	 db_forget_call(struct db *db);
void	 db_end(struct db *db, enum db_status status);

/* What db_message() is to say; copied. */
void	 db_note(struct db *db, const char *message);

#endif
