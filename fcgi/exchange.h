/*
 * exchange: one request on its way to its reply.
 *
 * serve.c moves it from need to need; whoever runs it (worker.c in an event
 * loop, cgi.c one at a time) provides what is needed and hands it back.
 * Nothing between the doors ever waits.
 */
#ifndef DEVCRED_EXCHANGE_H
#define DEVCRED_EXCHANGE_H

#include <sys/queue.h>

#include "auth.h"
#include "keyring.h"
#include "reply.h"
#include "request.h"
#include "secret.h"
#include "store.h"

/* What an exchange waits for. */
enum need {
	NEED_NOTHING,	/* the reply is filled */
	NEED_CALL,	/* the rows of x->call */
	NEED_HASH,	/* whether x->login_try fits its slow hash */
	NEED_STREAM,	/* the body as it comes, and x->op->stream to run */
	NEED_TURN	/* the outcome of the same login, tried by another */
};

enum stage { STAGE_LOGIN, STAGE_OPERATION };

struct operation;

/* What all exchanges of a process share. */
struct context {
	const struct conf	*conf;
	struct auth		*auth;
	struct keyring		*keyring;	/* NULL: nothing is sealed */
	struct pace		*pace;		/* NULL: nobody is in a hurry */
};

/* Credentials on their way to a device. */
struct issuing {
	unsigned char		 claimant[CLAIMANT_SIZE];	/* who asks */
	char			 tenant[TENANT_SIZE];
	long			 generation;
	struct secret_password	 password;
	char			 seal_key[KEY_ID_SIZE];
	struct buf		 sealed;
	char			 crypt_hash[PASSWORD_HASH_SIZE];
	int			 looks;		/* before it could be issued */
};

struct exchange {
	const struct context	*cx;
	struct request		 rq;
	char			 request[REQUEST_ID_SIZE]; /* its id */
	int64_t			 started;	/* clock_us() */
	const struct operation	*op;
	enum stage		 stage;
	bool			 authorizer;	/* serve_authorize() */
	struct login		 login;		/* who asks, once known */
	struct login_try	 login_try;	/* until then */
	struct store_call	 call;
	struct issuing		 issuing;
	unsigned char		 token[DIGEST_SIZE];
	char			 id[DEVICE_ID_SIZE];	/* from the body */
	enum request_status	 wanted;	/* from the body */
	struct reply		 reply;
	/* the runner's */
	TAILQ_ENTRY(exchange)	 link;
	void			*owner;
	enum need		 need;		/* what it waits for */
	int			 tries;		/* of the call */
	int			 slot;		/* in a group sent, or -1 */
	bool			 alone;		/* not in a group again */
};

TAILQ_HEAD(exchange_list, exchange);

/*
 * End x->call, which has all values but the id of the request, that those take
 * which change something; NEED_NOTHING with the reply filled if it is not
 * whole.
 */
enum need exchange_call(struct exchange *x) MUST_CHECK;

#endif
