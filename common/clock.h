/*
 * clock: the monotonic clock, for deadlines and durations.
 */
#ifndef DEVCRED_CLOCK_H
#define DEVCRED_CLOCK_H

#include <stdint.h>

/* Milliseconds, and microseconds, since some fixed moment. */
int64_t	 clock_ms(void);
int64_t	 clock_us(void);

#endif
