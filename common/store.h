/*
 * store: the SQL functions of the service, as a closed table of calls.
 *
 * A store_call holds one statement and its values; whoever runs it (the
 * worker's loop, or db_run()) hands the rows back.  Every statement is one
 * transaction.  Statements that are grouped take arrays: several claims share
 * one statement, and column n of a row says whose answer it is.
 */
#ifndef DEVCRED_STORE_H
#define DEVCRED_STORE_H

#include "buf.h"
#include "db.h"
#include "model.h"
#include "text.h"

/* The schema version these calls need. */
#define STORE_SCHEMA	16

#define STORE_VALUES	19	/* values of a call, at most */

enum store_id {
	STORE_LOGIN_ASK,
	STORE_LOGIN_NOTE,
	STORE_TENANT_GET,
	STORE_TENANT_OPTION_SET,
	STORE_NEWDEVICE_CREATE,
	STORE_NEWDEVICE_GET,
	STORE_NEWDEVICE_LIST,
	STORE_NEWDEVICE_PAGE,
	STORE_NEWDEVICE_UPDATE,
	STORE_NEWDEVICE_DELETE,
	STORE_NEWDEVICE_ACCEPT_ALL,
	STORE_NEWDEVICE_LIMIT,
	STORE_CREDENTIAL_LOOK,
	STORE_CREDENTIAL_ISSUE,
	STORE_CREDENTIAL_USE,
	STORE_CREDENTIAL_LIST,
	STORE_CREDENTIAL_GET,
	STORE_CREDENTIAL_ROTATE,
	STORE_CREDENTIAL_DISABLE,
	STORE_CREDENTIAL_EXPIRE,
	STORE_CREDENTIAL_REOPEN,
	STORE_CREDENTIAL_REVOKE,
	STORE_CREDENTIAL_DECOMMISSION,
	STORE_NEWDEVICE_CLAIMS,
	STORE_EVENT_LIST,
	STORE_EVENT_COUNT,
	STORE_HOUSEKEEP,
	STORE_SEAL_KEYS,
	STORE_REQUEST_TOTALS,
	STORE_BULK_BEGIN,
	STORE_NEWDEVICE_LOAD,
	STORE_CREDENTIAL_LOAD,
	STORE_MAX
};

/* Connections are shared by lane, so that none waits for what is slower. */
enum store_lane {
	LANE_POLL,	/* logins and polls: reads of a row or a group */
	LANE_ISSUE,	/* what devices change */
	LANE_ADMIN,	/* what administrators do */
	LANE_MAX
};

struct store_statement {
	struct db_statement	sql;
	enum store_lane		lane;
	bool			reads;		/* safe to repeat */
	int			group_max;	/* 0: not grouped */
};

/* A device that asks for its credentials; strings are the owner's. */
struct store_claim {
	const char	*id;
	const char	*scope;		/* tenant of the bootstrap user */
	const char	*actor;		/* tenant/name of the bootstrap user */
	const char	*source;	/* address, or NULL */
	const char	*agent;		/* User-Agent, or NULL */
	const unsigned char *token;	/* digest, or NULL */
	const unsigned char *claimant;	/* digest of who asks */
	const char	*request;	/* id of the request, or NULL */
	/* what to issue, if it comes to that */
	const char	*tenant;	/* for whom */
	long		 generation;
	const unsigned char *salt;
	const unsigned char *hash;
	const char	*seal_key;	/* NULL: delivered once */
	const struct buf *sealed;
	const char	*crypt_hash;	/* or NULL */
	/* the same for all of a group */
	long		 window;	/* seconds that it can be delivered */
	long		 limit;		/* how often */
	bool		 source_must_match;
	const char	*keys;		/* that open seals; array of ids */
};

struct store_call {
	enum store_id	 id;
	int		 nvalues;
	struct buf	 text;		/* the values, each with its NUL */
	size_t		 value[STORE_VALUES];	/* in it; SIZE_MAX: null */
	struct store_claim claim;	/* of a grouped call */
};

const struct store_statement *store_statement(enum store_id id);

/* Start a call without values; wipe and free it (safe to repeat). */
void	 store_call_init(struct store_call *call, enum store_id id);
void	 store_call_free(struct store_call *call);

/* Add the next value; NULL is SQL's null. */
void	 store_add(struct store_call *call, const char *value);
void	 store_add_num(struct store_call *call, long value);
void	 store_add_digest(struct store_call *call, const unsigned char *digest);
void	 store_add_salt(struct store_call *call, const unsigned char *salt);

/* Whether the call is whole: as many values as its statement takes. */
bool	 store_call_ok(const struct store_call *call) MUST_CHECK;

/* Turn n claims into one call of a grouped statement. */
void	 store_group(struct store_call *call, enum store_id id,
	    const struct store_claim *const *claims, int n);

/* Begin the call on a connection. */
void	 store_begin(struct store_call *call, struct db *db, int64_t deadline);

/*
 * Begin to copy lines of a bulk registration to where _LOAD takes them in;
 * rows: their columns in the text form of COPY (see bulk.c).
 */
void	 store_copy_lines(struct db *db, const struct buf *rows,
	    int64_t deadline);

/* Column of a row by meaning: the outcome in column col. */
enum outcome store_outcome(const struct db_rows *rows, int row, int col);

/*
 * The request in a row of newdevice_create, _get, _update, _accept_all or
 * _list; its strings live as long as the rows.
 */
void	 store_newdevice(const struct db_rows *rows, int row,
	    struct newdevice *nd);

/*
 * The same of newdevice_page; created gets its time of creation, which lasts
 * as long as that.
 */
void	 store_newdevice_page(const struct db_rows *rows, int row,
	    struct newdevice *nd, char created[ISO_TIME_SIZE]);

/* What a row of newdevice_list tells besides. */
void	 store_review(const struct db_rows *rows, int row,
	    struct newdevice_review *review);

/* The event in a row of event_list. */
void	 store_event(const struct db_rows *rows, int row, struct event *event);

/*
 * The credential in a row of the credential functions; col is the column of
 * the outcome, 1 in a list and else 0.
 */
void	 store_credential(const struct db_rows *rows, int row, int col,
	    struct credential *c);

#endif
