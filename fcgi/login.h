/*
 * login: what a login says, and what the database is asked about it; for
 * auth.c.
 */
#ifndef DEVCRED_LOGIN_H
#define DEVCRED_LOGIN_H

#include "auth.h"

/*
 * Take the header of x apart and ask for who that is.  VERDICT_NONE: x->call
 * does.
 */
enum verdict login_ask(struct exchange *x);

/*
 * Have it recorded that the password of a person was right, or not: x->call
 * does.
 */
enum verdict login_record(struct exchange *x);

/*
 * An issued login: two digests, whether there is such a device or an older
 * password of it or not.  VERDICT_RECORD: x->call records it, as
 * x->login_try.verdict; its first use closes the delivery window, failures
 * are counted.
 */
enum verdict login_check_device(struct exchange *x,
	    const struct db_rows *rows);

#endif
