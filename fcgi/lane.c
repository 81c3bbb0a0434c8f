#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "clock.h"
#include "lane.h"
#include "metrics.h"

#define TRIES_MAX	4	/* of a call that lost against another */

static void lane_complete(struct lane *lane);

/* Wait for what the connection waits for. */
static void
lane_watch(struct lane *lane)
{
	int fd = db_fd(lane->db);
	uint32_t events = 0;
	short p = db_events(lane->db);

	if ((p & POLLIN) != 0)
		events |= EPOLLIN;
	if ((p & POLLOUT) != 0)
		events |= EPOLLOUT;
	/* while it connects, its number may stand for another descriptor */
	if (fd != lane->watch.fd || !db_connected(lane->db))
		loop_unwatch(lane->loop, &lane->watch);
	lane->watch.fd = fd;
	if (fd != -1 && loop_watch(lane->loop, &lane->watch, events) == -1)
		db_close(lane->db);
	loop_timer(lane->loop, &lane->timer, db_busy(lane->db) ?
	    db_deadline(lane->db) : 0);
}

static void
lane_step(struct lane *lane)
{
	if (db_step(lane->db) && lane->nflight > 0)
		lane_complete(lane);
	lane_watch(lane);
}

static void
lane_ready(void *arg, uint32_t events)
{
	(void)events;
	lane_step(arg);
}

static void
lane_late(void *arg)
{
	lane_step(arg);
}

int
lane_init(struct lane *lane, int number, struct loop *loop,
    const struct conf *conf)
{
	memset(lane, 0, sizeof(*lane));
	lane->number = number;
	lane->loop = loop;
	lane->timeout = conf->db_timeout;
	lane->watch.fd = -1;
	lane->watch.ready = lane_ready;
	lane->watch.arg = lane;
	lane->timer.passed = lane_late;
	lane->timer.arg = lane;
	TAILQ_INIT(&lane->waiting);
	store_call_init(&lane->group, STORE_MAX);
	lane->db = db_new(conf->app_database, conf->db_prepare, STORE_SCHEMA);
	return lane->db != NULL ? 0 : -1;
}

void
lane_free(struct lane *lane)
{
	loop_unwatch(lane->loop, &lane->watch);
	loop_timer(lane->loop, &lane->timer, 0);
	store_call_free(&lane->group);
	db_free(lane->db);
}

void
lane_add(struct lane *lane, struct exchange *x)
{
	TAILQ_INSERT_TAIL(&lane->waiting, x, link);
}

/* Take the first to wait, and with it those that can share its statement. */
static void
lane_gather(struct lane *lane)
{
	struct exchange *first = TAILQ_FIRST(&lane->waiting);
	struct exchange *x = first;
	struct exchange *next;
	int max = store_statement(first->call.id)->group_max;

	if (first->alone || max == 0)
		max = 1;
	for (; x != NULL && lane->nflight < max; x = next) {
		next = TAILQ_NEXT(x, link);
		if (x != first && (x->call.id != first->call.id || x->alone))
			continue;
		TAILQ_REMOVE(&lane->waiting, x, link);
		lane->flight[lane->nflight++] = x;
	}
}

/* Have the database asked for those who wait, if it is not at something. */
static void
lane_send(struct lane *lane)
{
	const struct store_claim *claim[LANE_GROUP_MAX];
	struct exchange *first;
	int i;

	if (lane->nflight > 0 || TAILQ_EMPTY(&lane->waiting))
		return;
	lane_gather(lane);
	lane->begun = clock_us();
	first = lane->flight[0];
	if (store_statement(first->call.id)->group_max > 0) {
		for (i = 0; i < lane->nflight; i++)
			claim[i] = &lane->flight[i]->call.claim;
		store_group(&lane->group, first->call.id, claim,
		    lane->nflight);
		store_begin(&lane->group, lane->db,
		    clock_ms() + lane->timeout);
		store_call_free(&lane->group);
	} else {
		store_begin(&first->call, lane->db,
		    clock_ms() + lane->timeout);
	}
	lane_watch(lane);
}

bool
lane_flush(struct lane *lane)
{
	bool ended = false;

	lane_send(lane);
	while (lane->nflight > 0 && !db_busy(lane->db)) {
		lane_complete(lane);
		lane_send(lane);
		ended = true;
	}
	return ended;
}

/* Whether x is to be asked again rather than told this. */
static bool
again(struct exchange *x, enum db_status status, int n)
{
	switch (status) {
	case DB_CONFLICT:	/* it certainly was rolled back */
		return ++x->tries < TRIES_MAX;
	case DB_REFUSED:	/* one of the group is to blame: which? */
		if (n > 1)
			x->alone = true;
		return n > 1;
	case DB_UNAVAILABLE:
	case DB_UNCERTAIN:	/* reading does no harm: once more */
		return store_statement(x->call.id)->reads && x->tries++ == 0;
	default:
		return false;
	}
}

static void
lane_complete(struct lane *lane)
{
	struct exchange *flight[LANE_GROUP_MAX];
	int row[LANE_GROUP_MAX];
	struct db_rows rows;
	enum db_status status;
	bool grouped;
	int n = lane->nflight;
	int i;
	long k;

	grouped = store_statement(lane->flight[0]->call.id)->group_max > 0;
	memcpy(flight, lane->flight, (size_t)n * sizeof(flight[0]));
	lane->nflight = 0;
	status = db_result(lane->db, &rows);
	metrics_statement(lane->number, n, clock_us() - lane->begun,
	    status == DB_OK);
	/* it is at the next group while this one is answered */
	lane_send(lane);
	for (i = 0; i < n; i++)
		row[i] = grouped || rows.n == 0 ? -1 : 0;
	for (i = 0; grouped && i < rows.n; i++) {
		k = db_num(&rows, i, 0);
		if (k >= 1 && k <= n)
			row[k - 1] = i;
	}
	for (i = 0; i < n; i++) {
		if (again(flight[i], status, n)) {
			metrics_retry(lane->number);
			TAILQ_INSERT_TAIL(&lane->waiting, flight[i], link);
			continue;
		}
		lane->done(lane->arg, flight[i], status, &rows, row[i]);
	}
	db_rows_free(&rows);
}
