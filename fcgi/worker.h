/*
 * worker: one event loop that serves requests until it is told to stop.
 */
#ifndef DEVCRED_WORKER_H
#define DEVCRED_WORKER_H

#include "conf.h"

/* Signals to a worker. */
#define WORKER_STOP	SIGTERM	/* finish what is in flight, then leave */
#define WORKER_RETIRE	SIGUSR1	/* leave when web servers have let go */

/*
 * Serve connections to the listening socket; returns the exit status.
 * ready: descriptor to write a byte to when requests are taken, or -1.
 */
int	 worker_run(const struct conf *conf, int listener, int ready);

#endif
