#include <unistd.h>

#include "clock.h"
#include "pace.h"

#define LOOK_TIME	1000000	/* us between two looks */
#define STALE_TIME	10000000	/* us; a worker that slept is at ease */
#define FACTOR_MAX	4096
#define CROWD		512	/* requests at once that are too many */

void
pace_note(struct pace *pace, int64_t now, int64_t busy, int waiting)
{
	int64_t passed = now - pace->since;

	pace->busy += busy;
	if (passed < LOOK_TIME)
		return;
	if (pace->factor < 1 || passed > STALE_TIME)
		pace->factor = 1;
	else if (pace->busy > passed / 10 * 9 || waiting > CROWD) {
		pace->factor *= pace->factor < FACTOR_MAX ? 2 : 1;
		pace->changed = now;
	/*
	 * Less than half of the 90, so that it does not swing; and what was
	 * told last has to be over before one knows what came of it.
	 */
	} else if (pace->factor > 1 && pace->busy < passed / 10 * 4 &&
	    waiting < CROWD / 2 &&
	    now - pace->changed >= pace->told * INT64_C(1000000)) {
		pace->factor /= 2;
		pace->changed = now;
	}
	pace->since = now;
	pace->busy = 0;
}

/* Any number: nothing depends on it that nobody can guess it. */
static uint32_t
roll(uint32_t *dice)
{
	if (*dice == 0)
		*dice = ((uint32_t)clock_us() * 2654435761U ^
		    (uint32_t)getpid()) | 1U;
	*dice ^= *dice << 13;	/* Marsaglia's xorshift */
	*dice ^= *dice >> 17;
	*dice ^= *dice << 5;
	return *dice;
}

long
pace_wait(struct pace *pace, const struct conf *conf)
{
	struct pace one = { 0 };
	long least = conf->retry_after;
	long most = conf->retry_after_max > least ? conf->retry_after_max :
	    least;

	if (pace == NULL)
		pace = &one;
	if (pace->factor > 1)
		least = least > most / pace->factor ? most :
		    least * pace->factor;
	/* at the end of what may be said, there has to be room to spread */
	if (2 * least > most && least > conf->retry_after)
		least = most / 2 > conf->retry_after ? most / 2 :
		    conf->retry_after;
	if (most > 2 * least)
		most = 2 * least;
	pace->told = most;
	return least + (long)(roll(&pace->dice) % (uint32_t)(most - least + 1));
}
