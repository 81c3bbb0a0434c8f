/*
 * health: who looks after the service, and may ask without a login.
 */
#ifndef DEVCRED_HEALTH_H
#define DEVCRED_HEALTH_H

#include "exchange.h"

/*
 * Whether the one who asks is on the list of addresses; if not, the reply says
 * that there is no such resource.
 */
bool	 health_lets(struct exchange *x, const char *from) MUST_CHECK;

#endif
