/*
 * pool: the manager of the workers.
 *
 * It starts them, replaces those that die (with a growing pause if they die
 * at once), and touches no request.  HUP: the settings are read again and new
 * workers started; when they take requests, the old ones retire.  TERM or
 * INT: all finish what is in flight.
 */
#ifndef DEVCRED_POOL_H
#define DEVCRED_POOL_H

#include "conf.h"

/*
 * Run until told to stop; returns the exit status.  path: of the settings,
 * for reading them again.  own: remove the socket file at the end.
 */
int	 pool_run(struct conf *conf, const char *path, int listener, bool own);

#endif
