/*
 * keys: the keys that seal issued passwords, as the settings name them.
 */
#ifndef DEVCRED_KEYS_H
#define DEVCRED_KEYS_H

#include "conf.h"
#include "keyring.h"

/*
 * Load the key file; *ring gets NULL if none is set.  -1, and the log says
 * why, if it cannot be used.
 */
int	 keys_load(const struct conf *conf, struct keyring **ring) MUST_CHECK;

/*
 * Whether the service may start: the key file can be used, and has the keys
 * of all delivery windows that are open in the database.  If that cannot be
 * asked now, a window whose key is missing is noticed when it is needed.
 * Says in the log what is missing, and that without a key file everything is
 * delivered once.
 */
int	 keys_check(const struct conf *conf) MUST_CHECK;

#endif
