/*
 * pace: when devices that got nothing are told to come again.
 *
 * Each is told a time of its own, between the pace and twice that: a fleet that
 * asked at once, after a power cut, is spread over the next period.  While a
 * worker has more to do than it can, it doubles its pace every second; when it
 * rests, it halves it as often as those have come again who were told the last.
 */
#ifndef DEVCRED_PACE_H
#define DEVCRED_PACE_H

#include <stdint.h>

#include "buf.h"
#include "conf.h"

struct pace {
	long		 factor;	/* of the setting; 0 is 1 */
	int64_t		 since;		/* us, when that was looked at */
	int64_t		 changed;	/* us, when it became what it is */
	long		 told;		/* s, the most that it told anybody */
	int64_t		 busy;		/* us not spent waiting since then */
	uint32_t	 dice;		/* state of a generator */
};

/*
 * Note that a worker is at work: now is clock_us(), busy the time since the
 * last note that it did not wait, waiting how many requests are in its hands.
 */
void	 pace_note(struct pace *pace, int64_t now, int64_t busy, int waiting);

/*
 * Seconds for the next device, from retry_after to retry_after_max.  A NULL
 * pace, of a process that answers one request only, is never in a hurry.
 */
long	 pace_wait(struct pace *pace, const struct conf *conf) MUST_CHECK;

#endif
