#include <string.h>

#include "fixture.h"
#include "pace.h"
#include "tap.h"

#define SECOND	1000000

/* The least and the most that devices are told, and how many times. */
static void
told(struct pace *pace, const struct conf *conf, long *least, long *most,
    int *differ)
{
	bool seen[7300];
	long n;
	int i;

	memset(seen, 0, sizeof(seen));
	*least = 7300;
	*most = 0;
	*differ = 0;
	for (i = 0; i < 20000; i++) {
		n = pace_wait(pace, conf);
		*least = n < *least ? n : *least;
		*most = n > *most ? n : *most;
		*differ += n >= 0 && n < 7300 && !seen[n];
		if (n >= 0 && n < 7300)
			seen[n] = true;
	}
}

static const struct {
	long	least;		/* settings */
	long	max;
	long	factor;
	long	from;		/* what is told */
	long	to;
} waits[] = {
	{ 5, 300, 0, 5, 10 }, { 5, 300, 1, 5, 10 }, { 5, 300, 2, 10, 20 },
	{ 5, 300, 4, 20, 40 }, { 5, 300, 32, 150, 300 },
	{ 5, 300, 64, 150, 300 }, { 5, 300, 4096, 150, 300 },
	{ 1, 2, 1, 1, 2 }, { 1, 2, 8, 1, 2 }, { 7, 7, 1, 7, 7 },
	{ 7, 7, 16, 7, 7 }, { 7, 3, 2, 7, 7 }, { 10, 15, 1, 10, 15 },
	{ 10, 15, 2, 10, 15 }, { 3600, 3600, 4096, 3600, 3600 },
};

static void
test_waits(void)
{
	struct conf conf;
	struct pace pace;
	long least;
	long most;
	int differ;
	size_t i;

	memset(&conf, 0, sizeof(conf));
	for (i = 0; i < COUNT(waits); i++) {
		conf.retry_after = waits[i].least;
		conf.retry_after_max = waits[i].max;
		memset(&pace, 0, sizeof(pace));
		pace.factor = waits[i].factor;
		told(&pace, &conf, &least, &most, &differ);
		IS_INT(least, waits[i].from, "%ld to %ld times %ld: from",
		    waits[i].least, waits[i].max, waits[i].factor);
		IS_INT(most, waits[i].to, "and to");
		IS_INT(differ, most - least + 1, "and all between");
	}
	conf.retry_after = 5;
	conf.retry_after_max = 300;
	told(NULL, &conf, &least, &most, &differ);
	OK(least >= 5 && most <= 10, "without a worker it is as set");
}

static void
test_load(void)
{
	struct conf conf = { .retry_after = 5, .retry_after_max = 300 };
	struct pace pace = { 0 };
	int64_t now = 77 * SECOND;
	long wait;
	int i;

	pace_note(&pace, now, 0, 0);
	IS_INT(pace.factor, 1, "at first nobody is in a hurry");
	for (i = 0; i < 10; i++)
		pace_note(&pace, now += SECOND / 10, SECOND / 10, 3);
	IS_INT(pace.factor, 2, "a second without a rest doubles it");
	pace_note(&pace, now += SECOND, SECOND, 3);
	IS_INT(pace.factor, 4, "the next again");
	pace_note(&pace, now += SECOND, SECOND / 10 * 7, 3);
	IS_INT(pace.factor, 4, "a busy one keeps it");
	pace_note(&pace, now += SECOND, SECOND / 10 * 5, 3);
	IS_INT(pace.factor, 4, "so does one that would be with the half of it");
	pace_note(&pace, now += SECOND, SECOND / 10, 3);
	IS_INT(pace.factor, 2, "a quiet one halves it");
	pace_note(&pace, now += SECOND, SECOND / 10, 1000);
	IS_INT(pace.factor, 4, "a crowd that waits is as bad as work");
	pace_note(&pace, now += SECOND, SECOND / 10, 300);
	IS_INT(pace.factor, 4, "a smaller one is none, but no rest either");
	for (i = 0; i < 30; i++)
		pace_note(&pace, now += SECOND, SECOND, 3);
	IS_INT(pace.factor, 4096, "there is an end to it");
	pace_note(&pace, now += 60 * SECOND, SECOND, 3);
	IS_INT(pace.factor, 1, "after a sleep it is as at first");

	for (i = 0; i < 2; i++)
		pace_note(&pace, now += SECOND, SECOND, 3);
	wait = pace_wait(&pace, &conf);
	OK(wait >= 20 && wait <= 40, "somebody is told four times as much");
	for (i = 0; i < 39; i++)
		pace_note(&pace, now += SECOND, 0, 3);
	IS_INT(pace.factor, 4, "until he must have come again it stays");
	pace_note(&pace, now += SECOND, 0, 3);
	IS_INT(pace.factor, 2, "and then is halved");
	wait = pace_wait(&pace, &conf);
	OK(wait >= 10 && wait <= 20, "and so is what is told");
	for (i = 0; i < 19; i++)
		pace_note(&pace, now += SECOND, 0, 3);
	IS_INT(pace.factor, 2, "which again");
	pace_note(&pace, now += SECOND, 0, 3);
	IS_INT(pace.factor, 1, "is waited for");
}

int
main(void)
{
	test_waits();
	test_load();
	return tap_done();
}
