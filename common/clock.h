/*
 * clock: the monotonic clock, for deadlines.
 */
#ifndef DEVCRED_CLOCK_H
#define DEVCRED_CLOCK_H

#include <stdint.h>

/* Milliseconds since some fixed moment. */
int64_t	 clock_ms(void);

#endif
