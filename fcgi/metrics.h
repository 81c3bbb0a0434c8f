/*
 * metrics: what the workers of a pool count, in memory that they share.
 *
 * Counters only grow, also when a worker dies or the settings are read again;
 * what can fall is told by each worker for itself, and ends with it.  A
 * process that is in no pool counts for itself alone.
 */
#ifndef DEVCRED_METRICS_H
#define DEVCRED_METRICS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"

#define METRICS_OPERATIONS	64	/* places; 0 is for none of them */
#define METRICS_STATUS_MIN	100
#define METRICS_STATUS_MAX	599
#define METRICS_BOUNDS		13	/* of a histogram */
#define METRICS_LANES		3
#define METRICS_WORKERS		256

typedef _Atomic uint64_t metrics_count;

/* How polls end that are answered at all. */
enum metrics_poll {
	POLL_NOT_FOUND,		/* there is no request of that id */
	POLL_PENDING,		/* it waits to be accepted */
	POLL_BLOCKED,
	POLL_TOKEN_MISMATCH,	/* not the token of the first poll */
	POLL_ISSUED,
	POLL_REDELIVERED,
	POLL_MAX
};

/* Upper bounds of the buckets, in microseconds. */
extern const int64_t metrics_bound[METRICS_BOUNDS];

struct metrics_histogram {
	metrics_count	bucket[METRICS_BOUNDS + 1];	/* the last: beyond */
	metrics_count	sum;				/* microseconds */
};

/* One connection to the database of each worker; see store.h. */
struct metrics_lane {
	struct metrics_histogram duration;	/* of statements */
	metrics_count	calls;		/* several may share a statement */
	metrics_count	errors;		/* statements that came to nothing */
	metrics_count	retries;	/* calls that were asked once more */
};

/* What a worker is at. */
struct metrics_worker {
	_Atomic pid_t	pid;		/* 0: there is none */
	metrics_count	connections;	/* of web servers */
	metrics_count	requests;	/* being answered */
	metrics_count	database;	/* connections */
};

struct metrics {
	int64_t		started;	/* seconds since 1970 */
	metrics_count	requests[METRICS_OPERATIONS]
			    [METRICS_STATUS_MAX - METRICS_STATUS_MIN + 1];
	struct metrics_histogram duration[METRICS_OPERATIONS];
	metrics_count	polls[POLL_MAX];
	metrics_count	abandoned;	/* requests that went away */
	metrics_count	workers;	/* that were started */
	metrics_count	busy;		/* microseconds */
	struct metrics_lane lane[METRICS_LANES];
	struct metrics_worker worker[METRICS_WORKERS];
};

/* Share counters with the processes forked from now on; -1: no memory. */
int	 metrics_share(void) MUST_CHECK;

/* All that was counted; for reading. */
struct metrics *metrics_all(void);

/* This process is the worker of that place, 0 to METRICS_WORKERS - 1. */
void	 metrics_join(int place);

/* The worker of that place is no more. */
void	 metrics_part(int place);

/* What this worker is at, and for how long it was since it last said so. */
void	 metrics_tell(int connections, int requests, int database,
	    int64_t busy_us);

/*
 * A request was answered, after us microseconds (-1: nobody knows).
 * operation: its place among the operations, from 1; 0 for none of them.
 */
void	 metrics_request(int operation, int status, int64_t us);

/* A client did not wait for its answer. */
void	 metrics_abandoned(void);

void	 metrics_poll(enum metrics_poll poll);

/* A statement for so many calls has come to its end; ok: with an answer. */
void	 metrics_statement(int lane, int calls, int64_t us, bool ok);
void	 metrics_retry(int lane);

#endif
