/*
 * notify: telling systemd how we are (sd_notify(3)), without its library.
 */
#ifndef DEVCRED_NOTIFY_H
#define DEVCRED_NOTIFY_H

#include <stdint.h>

/*
 * Send a state, such as "READY=1", to the socket that NOTIFY_SOCKET names;
 * nothing if there is none.  That it could not be sent is logged.
 */
void	 notify_send(const char *state);

/*
 * How often the watchdog that started us wants to hear "WATCHDOG=1", in
 * milliseconds: half of what it waits.  0 if there is none.
 */
int64_t	 notify_interval(void);

#endif
