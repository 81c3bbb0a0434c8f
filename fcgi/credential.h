/*
 * credential: a device asks for its credentials, in whatever language.
 */
#ifndef DEVCRED_CREDENTIAL_H
#define DEVCRED_CREDENTIAL_H

#include "exchange.h"

/*
 * Ask for the credentials of x->id; token is the digest of the security token
 * that came with it, or NULL.
 */
enum need credential_claim(struct exchange *x, const unsigned char *token);

/* Begin the reply that hands over x->password; properties may be NULL. */
typedef void credential_writer(struct exchange *x, const char *tenant,
	    const char *properties);

/* The render half of such an operation. */
enum need credential_render(struct exchange *x, const struct db_rows *rows,
	    int row, credential_writer *write);

#endif
