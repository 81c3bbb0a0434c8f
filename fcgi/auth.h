/*
 * auth: who asks.
 *
 * A login is looked up in the database and its password checked: issued ones
 * by SHA-256 here, those of people by a slow hash elsewhere.  A worker then
 * remembers it for login_cache seconds under a keyed digest of the header,
 * never the password.  After that the database is asked again, but the slow
 * hash is repeated only if the stored one has changed.
 *
 * Exchanges that bring the same unknown login at once wait for the first.
 *
 * Logins that fail are counted in the database, for all instances (login_wait()
 * in sql/login.sql).  Where too many did, a password is not looked at, not
 * even by who remembers it: else who guesses would be told which one is right.
 * So a worker that has seen a login fail asks the database about all that come
 * from there, for a while.
 */
#ifndef DEVCRED_AUTH_H
#define DEVCRED_AUTH_H

#include <sys/queue.h>

#include "conf.h"
#include "db.h"
#include "model.h"
#include "secret.h"

struct auth;
struct auth_entry;
struct exchange;
struct exchange_list;

struct login {
	char		tenant[TENANT_SIZE];
	char		actor[TENANT_SIZE + LOGIN_NAME_SIZE]; /* tenant/name */
	unsigned int	roles;		/* bits of enum role */
};

/* What a login came to. */
enum verdict {
	VERDICT_NONE,		/* not known yet */
	VERDICT_RECORD,		/* known; x->call records it first */
	VERDICT_YES,
	VERDICT_NO,
	VERDICT_WAIT,		/* not looked at: too many failed */
	VERDICT_LATER,		/* it could not be checked */
	VERDICT_MALFORMED,	/* several headers in one */
	VERDICT_ABSENT		/* none was sent that is Basic */
};

/* A login that is being checked. */
struct login_try {
	struct auth_entry *entry;	/* NULL: not remembered */
	bool		   leads;	/* others wait for this one */
	struct buf	   text;	/* tenant/user:password, split by NUL */
	const char	  *tenant;	/* in text; NULL: not named */
	const char	  *name;
	const char	  *password;
	bool		   for_client;	/* of a broker, which asks */
	bool		   asked_again;	/* its verifier was lost once */
	struct login	   found;	/* as the database tells it */
	char		   hash[PASSWORD_HASH_SIZE];	/* to be checked */
	bool		   exists;	/* else hash is a dummy */
	bool		   known;	/* nothing to record if it is right */
	long		   wait;	/* seconds until it is looked at */
	enum verdict	   verdict;	/* known, or of the one waited for */
};

/* Memory for logins; NULL if there is none.  auth_free(NULL) is allowed. */
struct auth *auth_new(const struct conf *conf) MUST_CHECK;
void	 auth_free(struct auth *auth);

/*
 * Look at the header of x.  VERDICT_NONE: unless *wait, x->call asks the
 * database and auth_rows() goes on; if *wait, x has been queued behind
 * another and comes out of auth_next() with its verdict.
 */
enum verdict auth_begin(struct exchange *x, bool *wait);

/*
 * The rows of x->call.  VERDICT_NONE: x->login_try.hash has to be checked
 * against .password; auth_hashed() goes on.  VERDICT_RECORD: x->call records
 * what the login came to; auth_rows() goes on.
 */
enum verdict auth_rows(struct exchange *x, enum db_status status,
	    const struct db_rows *rows);
enum verdict auth_hashed(struct exchange *x, bool match);

/* The next exchange whose wait is over, with its verdict; NULL: none. */
struct exchange *auth_next(struct auth *auth, enum verdict *verdict);

/*
 * Give up a login under way, or the wait for one.  Those who wait for this
 * one get the verdict: VERDICT_LATER, or VERDICT_NONE to try it themselves.
 */
void	 auth_forget(struct exchange *x, enum verdict others);

#endif
