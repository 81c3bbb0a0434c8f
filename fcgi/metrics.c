#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "metrics.h"

const int64_t metrics_bound[METRICS_BOUNDS] = {
	250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 5000000
};

static struct metrics alone;
static struct metrics *all = &alone;
static struct metrics_worker *self = &alone.worker[0];

/* Nobody waits for anybody: counters stand for themselves. */
static void
add(metrics_count *count, uint64_t n)
{
	atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

static void
observe(struct metrics_histogram *h, int64_t us)
{
	int i = 0;

	if (us < 0)
		return;
	while (i < METRICS_BOUNDS && us > metrics_bound[i])
		i++;
	add(&h->bucket[i], 1);
	add(&h->sum, (uint64_t)us);
}

int
metrics_share(void)
{
	struct metrics *shared;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	all = shared;
	all->started = (int64_t)time(NULL);
	return 0;
}

struct metrics *
metrics_all(void)
{
	return all;
}

void
metrics_join(int place)
{
	self = &all->worker[place];
	if (all->started == 0)
		all->started = (int64_t)time(NULL);
	atomic_store(&self->pid, getpid());
	add(&all->workers, 1);
}

void
metrics_part(int place)
{
	struct metrics_worker *w = &all->worker[place];

	atomic_store(&w->pid, 0);
	atomic_store(&w->connections, 0);
	atomic_store(&w->requests, 0);
	atomic_store(&w->database, 0);
}

static void
put(metrics_count *count, int n)
{
	atomic_store_explicit(count, (uint64_t)n, memory_order_relaxed);
}

void
metrics_tell(int connections, int requests, int database, int64_t busy_us)
{
	put(&self->connections, connections);
	put(&self->requests, requests);
	put(&self->database, database);
	add(&all->busy, (uint64_t)busy_us);
}

void
metrics_request(int operation, int status, int64_t us)
{
	if (operation >= METRICS_OPERATIONS || status < METRICS_STATUS_MIN ||
	    status > METRICS_STATUS_MAX)
		return;
	add(&all->requests[operation][status - METRICS_STATUS_MIN], 1);
	observe(&all->duration[operation], us);
}

void
metrics_abandoned(void)
{
	add(&all->abandoned, 1);
}

void
metrics_poll(enum metrics_poll poll)
{
	add(&all->polls[poll], 1);
}

void
metrics_statement(int lane, int calls, int64_t us, bool ok)
{
	struct metrics_lane *l = &all->lane[lane];

	observe(&l->duration, us);
	add(&l->calls, (uint64_t)calls);
	if (!ok)
		add(&l->errors, 1);
}

void
metrics_retry(int lane)
{
	add(&all->lane[lane].retries, 1);
}
