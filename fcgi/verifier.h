/*
 * verifier: slow password hashes, in processes beside the event loop.
 *
 * At most VERIFIER_QUEUE logins wait; more are told to come later, so that
 * a stream of wrong passwords costs no more than the verifiers' time.
 */
#ifndef DEVCRED_VERIFIER_H
#define DEVCRED_VERIFIER_H

#include <sys/types.h>

#include "exchange.h"
#include "loop.h"

#define VERIFIER_MAX	16
#define VERIFIER_QUEUE	64

struct verifier;

struct verifier_pool {
	struct loop		*loop;
	struct verifier		*verifier;
	int			 n;
	struct exchange_list	 waiting;
	int			 nwaiting;
	/* told of the verdict; !known: it could not be found */
	void			(*done)(void *arg, struct exchange *x,
				    bool known, bool match);
	void			*arg;
};

/* Start n processes; -1 if the kernel refuses. */
int	 verifier_start(struct verifier_pool *pool, struct loop *loop, int n)
	    MUST_CHECK;

/* Stop them; nothing may wait. */
void	 verifier_stop(struct verifier_pool *pool);

/* Queue x, whose login_try is to be checked; false if the queue is full. */
bool	 verifier_add(struct verifier_pool *pool, struct exchange *x)
	    MUST_CHECK;

#endif
