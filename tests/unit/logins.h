/*
 * logins: what tests of auth.h need: logins that are sent, and what the
 * database says of them.
 */
#ifndef DEVCRED_LOGINS_H
#define DEVCRED_LOGINS_H

#include "fixture.h"

#define VARS	"REQUEST_METHOD=GET\nREQUEST_URI=/a\n"
/* t/u and t/device_a, with the password p */
#define PERSON	VARS "HTTP_AUTHORIZATION=Basic dC91OnA="
#define DEVICE	VARS "HTTP_AUTHORIZATION=Basic dC9kZXZpY2VfYTpw"
#define HASH	"$y$some$hash"
#define SALT	"\\x61616161616161616161616161616161"
#define ZERO	"\\x000000000000000000000000000000000000000000000000000000000" \
	"0000000"

#define COLUMNS	13	/* of login_ask */
/* its last: the tenant named, seconds to wait, whether it is known */
#define LAST(wait, known)	[10] = "t", [11] = (wait), [12] = (known)

/* Another exchange of the same process. */
void	 join(struct asked *b, struct asked *a, const char *vars);

/* The database answers with one row, or none (NULL). */
enum verdict answer(struct asked *a, enum db_status status,
	    const char *const *row);

/* Begin, and say whether to wait. */
void	 begins(struct asked *a, enum verdict want, bool waits,
	    const char *name);

#endif
