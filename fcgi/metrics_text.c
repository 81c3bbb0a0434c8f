/*
 * metrics_text: the figures, in Prometheus's text format.
 */
#include <inttypes.h>
#include <string.h>

#include "health.h"
#include "metrics.h"
#include "route.h"

static const char *const poll_outcome[POLL_MAX] = {
	[POLL_NOT_FOUND] = "not_found",
	[POLL_PENDING] = "pending",
	[POLL_BLOCKED] = "blocked",
	[POLL_TOKEN_MISMATCH] = "token_mismatch",
	[POLL_ISSUED] = "issued",
	[POLL_REDELIVERED] = "redelivered",
};

static const char *const lane_name[METRICS_LANES] = {
	[LANE_POLL] = "poll",
	[LANE_ISSUE] = "issue",
	[LANE_ADMIN] = "admin",
};

static uint64_t
get(const metrics_count *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

static void
family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP devcred_%s %s\n# TYPE devcred_%s %s\n", name,
	    help, name, type);
}

static void
figure(struct buf *out, const char *name, const char *type, const char *help,
    uint64_t value)
{
	family(out, name, type, help);
	buf_printf(out, "devcred_%s %" PRIu64 "\n", name, value);
}

static void
labelled(struct buf *out, const char *name, const char *label,
    const char *word, uint64_t value)
{
	buf_printf(out, "devcred_%s{%s=\"%s\"} %" PRIu64 "\n", name, label,
	    word, value);
}

static void
seconds(struct buf *out, uint64_t us)
{
	buf_printf(out, "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000,
	    us % 1000000);
}

/* A histogram of a family; the buckets are told summed up. */
static void
histogram(struct buf *out, const char *name, const char *label,
    const char *word, const struct metrics_histogram *h)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < METRICS_BOUNDS; i++) {
		n += get(&h->bucket[i]);
		buf_printf(out, "devcred_%s_bucket{%s=\"%s\",le=\"%g\"} %"
		    PRIu64 "\n", name, label, word,
		    (double)metrics_bound[i] / 1e6, n);
	}
	n += get(&h->bucket[i]);
	buf_printf(out, "devcred_%s_bucket{%s=\"%s\",le=\"+Inf\"} %" PRIu64
	    "\n", name, label, word, n);
	buf_printf(out, "devcred_%s_count{%s=\"%s\"} %" PRIu64 "\n", name,
	    label, word, n);
	buf_printf(out, "devcred_%s_sum{%s=\"%s\"} ", name, label, word);
	seconds(out, get(&h->sum));
}

static bool
is_used(const struct metrics_histogram *h)
{
	int i;

	for (i = 0; i <= METRICS_BOUNDS; i++)
		if (get(&h->bucket[i]) > 0)
			return true;
	return false;
}

static const char *
operation_name(int number)
{
	return number == 0 ? "none" : operations[number - 1]->name;
}

static void
write_requests(struct buf *out, const struct metrics *m)
{
	int noperations = 1;
	uint64_t n;
	int status;
	int i;

	while (operations[noperations - 1] != NULL)
		noperations++;
	family(out, "requests_total", "counter", "Requests answered.");
	for (i = 0; i < noperations; i++)
		for (status = METRICS_STATUS_MIN; status <= METRICS_STATUS_MAX;
		    status++) {
			n = get(&m->requests[i][status - METRICS_STATUS_MIN]);
			if (n > 0)
				buf_printf(out, "devcred_requests_total"
				    "{operation=\"%s\",status=\"%d\"} %" PRIu64
				    "\n", operation_name(i), status, n);
		}
	family(out, "request_duration_seconds", "histogram",
	    "Time from a whole request to its answer.");
	for (i = 0; i < noperations; i++)
		if (is_used(&m->duration[i]))
			histogram(out, "request_duration_seconds",
			    "operation", operation_name(i), &m->duration[i]);
	figure(out, "requests_abandoned_total", "counter",
	    "Requests whose client left, or waited too long.",
	    get(&m->abandoned));
}

static void
write_polls(struct buf *out, const struct metrics *m)
{
	int i;

	family(out, "polls_total", "counter",
	    "Devices that asked for credentials, by what they got.");
	for (i = 0; i < POLL_MAX; i++)
		labelled(out, "polls_total", "outcome", poll_outcome[i],
		    get(&m->polls[i]));
}

/* Workers with a request in hand; the one that asks us is not counted. */
static void
write_workers(struct buf *out, struct metrics *m)
{
	uint64_t workers = 0;
	uint64_t working = 0;
	uint64_t requests = 0;
	uint64_t connections = 0;
	uint64_t database = 0;
	struct metrics_worker *w;

	for (w = m->worker; w < m->worker + METRICS_WORKERS; w++) {
		if (atomic_load(&w->pid) == 0)
			continue;
		workers++;
		working += get(&w->requests) > 0;
		requests += get(&w->requests);
		connections += get(&w->connections);
		database += get(&w->database);
	}
	figure(out, "workers", "gauge", "Worker processes.", workers);
	figure(out, "workers_busy", "gauge",
	    "Workers that had a request in hand when they last waited.",
	    working);
	family(out, "worker_busy_seconds_total", "counter",
	    "Time that workers did not wait, all together.");
	buf_puts(out, "devcred_worker_busy_seconds_total ");
	seconds(out, get(&m->busy));
	figure(out, "worker_starts_total", "counter",
	    "Workers started, at first, by a reload or for one that died.",
	    get(&m->workers));
	figure(out, "requests_in_flight", "gauge",
	    "Requests being answered.", requests);
	figure(out, "connections", "gauge",
	    "Connections of web servers.", connections);
	figure(out, "database_connections", "gauge",
	    "Connections to the database that stand.", database);
}

/* Counters of lanes that are one number each. */
static void
write_lanes(struct buf *out, const struct metrics *m)
{
	int i;

	family(out, "database_statement_duration_seconds", "histogram",
	    "Time of statements, by connection.");
	for (i = 0; i < METRICS_LANES; i++)
		histogram(out, "database_statement_duration_seconds", "lane",
		    lane_name[i], &m->lane[i].duration);
	family(out, "database_calls_total", "counter",
	    "Calls made; several may share a statement.");
	for (i = 0; i < METRICS_LANES; i++)
		labelled(out, "database_calls_total", "lane", lane_name[i],
		    get(&m->lane[i].calls));
	family(out, "database_errors_total", "counter",
	    "Statements that came to nothing.");
	for (i = 0; i < METRICS_LANES; i++)
		labelled(out, "database_errors_total", "lane", lane_name[i],
		    get(&m->lane[i].errors));
	family(out, "database_retries_total", "counter",
	    "Calls that were made once more.");
	for (i = 0; i < METRICS_LANES; i++)
		labelled(out, "database_retries_total", "lane", lane_name[i],
		    get(&m->lane[i].retries));
}

/* Columns of request_totals: status, requests. */
static void
write_database(struct buf *out, const struct db_rows *rows)
{
	int i;

	figure(out, "database_up", "gauge",
	    "Whether the database could be asked just now.", rows != NULL);
	if (rows == NULL)
		return;
	family(out, "new_device_requests", "gauge",
	    "New device requests, by status; an estimate if there are many.");
	for (i = 0; i < rows->n; i++)
		labelled(out, "new_device_requests", "status",
		    db_text(rows, i, 0), (uint64_t)db_num(rows, i, 1));
}

static void
write_all(struct exchange *x, const struct db_rows *rows)
{
	struct metrics *m = metrics_all();
	struct buf *out = reply_start(&x->reply, 200, MEDIA_METRICS);

	family(out, "build_info", "gauge", "The version that runs.");
	buf_printf(out, "devcred_build_info{version=\"%s\",schema=\"%d\"} "
	    "1\n", PACKAGE_VERSION, STORE_SCHEMA);
	figure(out, "start_time_seconds", "gauge",
	    "When the service was started, since 1970.", (uint64_t)m->started);
	write_requests(out, m);
	write_polls(out, m);
	write_workers(out, m);
	write_lanes(out, m);
	write_database(out, rows);
	reply_header(&x->reply, "Cache-Control", "no-store");
}

static enum need
metrics_parse(struct exchange *x)
{
	if (!health_lets(x, x->cx->conf->metrics_from))
		return NEED_NOTHING;
	store_call_init(&x->call, STORE_REQUEST_TOTALS);
	return exchange_call(x);
}

static enum need
metrics_render(struct exchange *x, const struct db_rows *rows, int row)
{
	(void)row;
	write_all(x, rows);
	return NEED_NOTHING;
}

/* What we have counted is of most use when the database is away. */
static void
metrics_unanswered(struct exchange *x)
{
	write_all(x, NULL);
}

const struct operation metrics = {
	"metrics", "GET", "/devcred/metrics", { ROLE_NONE, ROLE_NONE },
	MEDIA_NONE, MEDIA_METRICS, metrics_parse, metrics_render, NULL, NULL,
	metrics_unanswered
};
