/*
 * accept: many devices accepted at once.
 */
#ifndef DEVCREDCTL_ACCEPT_H
#define DEVCREDCTL_ACCEPT_H

#include "ctl.h"

/* Which ones; one of the first three. */
struct accept_wanted {
	bool		 all;		/* or those of patterns: */
	const char	*patterns;	/* separated by spaces; "": none */
	const char	*from;		/* a file of ids, "-": standard input */
	const char	*tenant;	/* of all, or NULL */
};

/*
 * Accept those, or if none is wanted so, the ids in ctl->arg; some hundred in
 * a transaction, with a row about each.  Asks people unless they named each.
 */
enum ctl_exit accept_many(struct ctl *ctl, const struct accept_wanted *wanted)
	    MUST_CHECK;

#endif
