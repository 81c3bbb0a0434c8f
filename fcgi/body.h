/*
 * body: what the bodies of the operations have in common.
 */
#ifndef DEVCRED_BODY_H
#define DEVCRED_BODY_H

#include "exchange.h"
#include "repr.h"

/*
 * Parse the body of x and look at the types of all fields the API knows.
 * NULL with the reply filled if anything is wrong; else free with repr_free().
 */
struct repr *body_parse(struct exchange *x) MUST_CHECK;

/*
 * Take the id of a device to x->id, from an object or as it is; -1 with the
 * reply filled.
 */
int	 body_id(struct exchange *x, const struct repr *obj) MUST_CHECK;
int	 body_take_id(struct exchange *x, const char *id) MUST_CHECK;

/*
 * Take the id of a body that has nothing else, {"id":"1234"}, as nearly all
 * devices send it: a fiftieth of what body_parse() takes.  False, and x as good
 * as it was, if there is anything else in it, or anything wrong with it.
 */
bool	 body_id_alone(struct exchange *x) MUST_CHECK;

/*
 * Digest the security token, if there is one, to x->token.  *token is NULL
 * if there is none.  -1 if it could not be done.
 */
int	 body_token(struct exchange *x, const struct repr *obj, const char *id,
	    const char **token) MUST_CHECK;

/*
 * Take a login, fields username and password of a form or of JSON, in place
 * of the header; without both there is none.  -1 with the reply filled.
 */
int	 body_login(struct exchange *x) MUST_CHECK;

#endif
