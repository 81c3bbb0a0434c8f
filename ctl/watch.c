/*
 * request watch.  It asks now and then, by seq, and does not LISTEN: that is
 * state of a session, which transaction poolers do not keep, and only tenants
 * with an outbox are notified.  A look when nothing has happened reads one
 * sequence.
 *
 * Events get their seq before they are committed, so that a later one may be
 * seen earlier.  As when they are sealed, what is up to the sequence's last is
 * shown once all who were at work by then have ended: nothing is missed, and
 * nothing comes twice.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "ctl.h"
#include "interrupt.h"
#include "names.h"
#include "result.h"
#include "table.h"
#include "text.h"

#define TIMEOUT		10000	/* ms, of each statement */
#define INTERVAL	2	/* s between two looks, if nothing is said */
#define PATIENCE	30000	/* ms for those that are at work */
#define RECENT		"10"	/* requests shown in the beginning */
#define PAGE		500	/* events read at once */
#define PAGE_TEXT	"500"

static const struct db_statement stmt_now = { "watch_now",
	"select devcred.iso_time(now() - interval '1 hour')", 0 };

static const struct db_statement stmt_last = { "watch_last",
	"select case when s.is_called then s.last_value else 0 end"
	"  from devcred.event_seq_seq s",
	0 };

static const struct db_statement stmt_writers = { "watch_writers",
	"select string_agg(w.transaction, ',')"
	"  from devcred.audit_writers(string_to_array($1, ',')) w",
	1 };

static const struct db_statement stmt_recent = { "watch_recent",
	"select null, devcred.iso_time(coalesce(q.claimed_at, q.created_at)),"
	"       null, q.status, q.id, q.tenant, host(q.claimed_from), null,"
	"       q.claimant_count, q.has_token"
	"  from (select r.*"
	"          from devcred.newdevice_request r"
	"         where r.status::text ="
	"               coalesce($2, 'PENDING_ACCEPTANCE')"
	"           and ($1::text is null or r.tenant = $1)"
	"         order by r.seq desc"
	"         limit " RECENT ") q"
	" order by q.seq",
	2 };

/* The time lets months be left out that are over. */
static const struct db_statement stmt_page = { "watch_page",
	"select e.seq, devcred.iso_time(e.at), e.operation,"
	"       coalesce(e.status_after::text, case e.operation"
	"           when 'newdevice_delete' then 'DELETED'"
	"           when 'newdevice_expire' then 'EXPIRED'"
	"           when 'credential_issue' then 'ISSUED' end),"
	"       e.device_id, e.tenant,"
	"       coalesce(host(r.claimed_from), host(e.source)), e.actor,"
	"       r.claimant_count, r.has_token"
	"  from devcred.event e"
	"  left join devcred.newdevice_request r"
	"    on r.seq = e.registration"
	" where e.seq > $3::bigint"
	"   and e.seq <= $4::bigint"
	"   and e.at > $5::timestamptz"
	"   and ($1::text is null or e.tenant = $1)"
	"   and ($2::text is null or e.status_after::text = $2)"
	"   and e.outcome in ('ok', 'token_blocked')"
	"   and (e.operation ^@ 'newdevice_'"
	"       or e.operation = 'credential_issue')"
	" order by e.seq"
	" limit " PAGE_TEXT,
	5 };

static const struct result_column columns[] = {
	{ "seq", NULL, RESULT_NUM },
	{ "at", NULL, RESULT_TIME },
	{ "operation", NULL, RESULT_TEXT },
	{ "status", NULL, RESULT_TEXT },
	{ "id", NULL, RESULT_TEXT },
	{ "tenant", NULL, RESULT_TEXT },
	{ "source", NULL, RESULT_TEXT },
	{ "actor", NULL, RESULT_TEXT },
	{ "claimants", NULL, RESULT_NUM },
	{ "has_token", NULL, RESULT_BOOL },
	RESULT_END
};

enum { AT_SEQ, AT_TIME, AT_OPERATION, AT_STATUS, AT_ID, AT_TENANT, AT_SOURCE,
	AT_ACTOR, AT_CLAIMANTS, AT_TOKEN };

struct watch {
	struct ctl	*ctl;
	const char	*tenant;
	const char	*status;
	int		 interval;	/* ms */
	char		 since[40];	/* no event before is of interest */
	bool		 started;	/* what waits has been shown */
	long		 shown;		/* events up to this seq */
	long		 horizon;	/* complete when these have ended: */
	struct buf	 writers;
	int64_t		 patience;	/* till then; 0: for nobody */
	bool		 away;		/* the database is */
	bool		 unread;	/* nobody takes what is written */
};

/* A cell of a line, which a terminal may be shown. */
static void
put_cell(struct buf *line, const char *text, size_t width)
{
	size_t start = line->len;

	table_clean(line, text != NULL && text[0] != '\0' ? text : "-", false);
	do
		buf_putc(line, ' ');
	while (buf_ok(line) && line->len - start < width);
}

static void
print_row(struct watch *w, const struct db_rows *rows, int row)
{
	struct result r;
	struct buf line;
	char at[24];
	int col;

	if (w->ctl->json) {
		result_init(&r, w->ctl, columns);
		for (col = 0; col < r.ncolumns; col++)
			result_add(&r, db_text(rows, row, col));
		if (result_one(&r, NULL) != CTL_DONE)
			w->unread = true;
		return;
	}
	buf_init(&line, 0);
	snprintf(at, sizeof(at), "%.19sZ", db_text(rows, row, AT_TIME));
	put_cell(&line, at, 22);
	put_cell(&line, db_text(rows, row, AT_STATUS), 24);
	put_cell(&line, db_text(rows, row, AT_ID), 26);
	put_cell(&line, db_text(rows, row, AT_TENANT), 14);
	put_cell(&line, db_text(rows, row, AT_SOURCE), 17);
	put_cell(&line, db_text(rows, row, AT_CLAIMANTS), 11);
	buf_puts(&line, db_true(rows, row, AT_TOKEN) ? "yes" : "no");
	puts(buf_text(&line));
	buf_free(&line);
}

static void
print_rows(struct watch *w, const struct db_rows *rows)
{
	int row;

	for (row = 0; row < rows->n; row++)
		print_row(w, rows, row);
	if (fflush(stdout) == EOF || ferror(stdout))
		w->unread = true;
}

static enum db_status
ask(struct watch *w, const struct db_statement *stmt,
    const char *const *values, struct db_rows *rows)
{
	enum db_status status;

	status = db_run(w->ctl->db, stmt, values, TIMEOUT, rows);
	if (status != DB_OK)
		db_rows_free(rows);
	return status;
}

/* How far events go; who is at work may yet have some of them. */
static enum db_status
look_ahead(struct watch *w)
{
	struct db_rows rows;
	enum db_status status;

	if ((status = ask(w, &stmt_last, NULL, &rows)) != DB_OK)
		return status;
	w->horizon = db_num(&rows, 0, 0);
	db_rows_free(&rows);
	buf_reset(&w->writers);
	w->patience = clock_ms() + PATIENCE;
	return DB_OK;
}

/* Whether all who were at work then have ended. */
static enum db_status
look_behind(struct watch *w, bool *complete)
{
	const char *value = w->writers.len > 0 ? buf_text(&w->writers) : NULL;
	struct db_rows rows;
	enum db_status status;

	if ((status = ask(w, &stmt_writers, &value, &rows)) != DB_OK)
		return status;
	*complete = db_text(&rows, 0, 0) == NULL;
	if (!*complete && clock_ms() >= w->patience) {
		ctl_error("somebody is at work for long; what comes of it may "
		    "be missing here");
		*complete = true;
	}
	buf_reset(&w->writers);
	if (!*complete)
		buf_puts(&w->writers, db_text(&rows, 0, 0));
	db_rows_free(&rows);
	return DB_OK;
}

/* Show what is complete. */
static enum db_status
show(struct watch *w)
{
	char room[2][24];
	const char *const values[] = { w->tenant, w->status, room[0], room[1],
		w->since };
	struct db_rows rows;
	enum db_status status;
	int n = PAGE;

	if (!w->started) {
		if ((status = ask(w, &stmt_recent, values, &rows)) != DB_OK)
			return status;
		print_rows(w, &rows);
		db_rows_free(&rows);
		w->started = true;
		w->shown = w->horizon;
	}
	while (n == PAGE && w->shown < w->horizon && !w->unread) {
		snprintf(room[0], sizeof(room[0]), "%ld", w->shown);
		snprintf(room[1], sizeof(room[1]), "%ld", w->horizon);
		if ((status = ask(w, &stmt_page, values, &rows)) != DB_OK)
			return status;
		n = rows.n;
		print_rows(w, &rows);
		w->shown = n == PAGE ? db_num(&rows, n - 1, AT_SEQ) :
		    w->horizon;
		db_rows_free(&rows);
	}
	w->patience = 0;
	return DB_OK;
}

/* One look, as a transaction. */
static enum db_status
look(struct watch *w)
{
	enum db_status status;
	bool complete = false;

	if ((status = session_resume(w->ctl)) != DB_OK)
		return status;
	if (w->patience == 0 && (status = look_ahead(w)) != DB_OK)
		return status;
	if (w->started && w->horizon <= w->shown) {
		w->patience = 0;	/* nothing has happened */
	} else {
		if ((status = look_behind(w, &complete)) != DB_OK ||
		    (complete && (status = show(w)) != DB_OK))
			return status;
	}
	return db_run_script(w->ctl->db, "commit", TIMEOUT);
}

/* Wait for the next look; true if nobody reads what is written any more. */
static bool
pause_unread(const struct watch *w)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = 0 };
	int n = poll(&out, 1, w->interval);

	return n == 1 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

static void
follow(struct watch *w)
{
	enum db_status status;

	while (!interrupt_came() && !w->unread) {
		status = look(w);
		if (status != DB_OK && db_fd(w->ctl->db) != -1) {
			/* it may be one look that failed */
			db_close(w->ctl->db);
		}
		if (status != DB_OK && !w->away)
			ctl_error("the database is away, trying again: %s",
			    db_message(w->ctl->db));
		if (status == DB_OK && w->away)
			ctl_error("the database is back");
		w->away = status != DB_OK;
		if (!w->unread && !interrupt_came())
			w->unread = pause_unread(w);
	}
}

/* See that all is well before it is waited for. */
static enum ctl_exit
start(struct watch *w)
{
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = session_begin(w->ctl)) != CTL_DONE ||
	    (rc = session_tenant(w->ctl, w->tenant)) != CTL_DONE ||
	    (rc = session_call(w->ctl, &stmt_now, NULL, &rows)) != CTL_DONE)
		return rc;
	snprintf(w->since, sizeof(w->since), "%s", db_text(&rows, 0, 0));
	db_rows_free(&rows);
	return session_commit(w->ctl);
}

enum ctl_exit
request_watch(struct ctl *ctl)
{
	const char *interval = NULL;
	long seconds = INTERVAL;
	struct watch w;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &w.tenant, NULL },
		{ "status", NULL, &w.status, NULL },
		{ "interval", NULL, &interval, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	enum ctl_exit rc;

	memset(&w, 0, sizeof(w));
	w.ctl = ctl;
	if ((rc = ctl_args(ctl, options, 0, 0)) != CTL_DONE)
		return rc;
	if (interval != NULL && parse_num(interval, 1, 3600, &seconds) == -1)
		return ctl_usage(ctl, "--interval is 1 to 3600 seconds");
	if (w.status != NULL && !name_is_status(&w.status))
		return ctl_usage(ctl, "a status is " NAME_STATUSES);
	if (w.tenant != NULL && !name_is_tenant(w.tenant))
		return CTL_FAILED;
	if ((rc = start(&w)) != CTL_DONE)
		return rc;
	w.interval = (int)seconds * 1000;
	buf_init(&w.writers, 0);
	interrupt_watch();
	signal(SIGPIPE, SIG_IGN);
	if (!ctl->json)
		printf("%-21s %-23s %-25s %-13s %-16s %-10s %s\n", "TIME",
		    "STATUS", "ID", "TENANT", "SOURCE", "CLAIMANTS", "TOKEN");
	follow(&w);
	buf_free(&w.writers);
	/* both are how it ends */
	interrupt_forget();
	if (w.unread && freopen("/dev/null", "w", stdout) == NULL)
		return CTL_FAILED;
	return CTL_DONE;
}
