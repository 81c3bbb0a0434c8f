#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "result.h"
#include "seal.h"

#define WAIT_DEFAULT	30		/* s for those that still write */
#define WAIT_MAX	86400
#define WAIT_PAUSE	50		/* ms between two looks at them */

/* Nobody else seals meanwhile; everybody may look. */
static const char sql_lock[] =
	"set local lock_timeout = '5s';"
	"lock table devcred.audit_seal in share row exclusive mode;"
	"set local statement_timeout = 0";

static const struct db_statement stmt_last = { "audit_last",
	"select s.number, s.format, s.after_seq, s.until_seq, s.event_count,"
	"       encode(s.digests, 'hex'), s.previous,"
	"       to_char(s.sealed_at at time zone 'UTC',"
	"           'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
	"       s.key_id, s.signature"
	"  from devcred.audit_seal s"
	" order by s.number desc"
	" limit 1",
	0 };

static const struct db_statement stmt_horizon = { "audit_horizon",
	"select case when s.is_called then s.last_value else 0 end"
	"  from devcred.event_seq_seq s",
	0 };

static const struct db_statement stmt_writers = { "audit_writers",
	"select string_agg(w.transaction, ','), string_agg(case"
	"       when w.pid is null then 'prepared transaction '"
	"           || w.transaction || ' (see pg_prepared_xacts)'"
	"       else 'process ' || w.pid"
	"           || coalesce(', since ' || w.since, '') end, '; ')"
	"  from devcred.audit_writers(string_to_array($1, ',')) w",
	1 };

static const struct db_statement stmt_digests = { "audit_digests",
	"select d.events, d.last, d.digests,"
	"       to_char(clock_timestamp() at time zone 'UTC',"
	"           'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
	"  from devcred.audit_digests($1, $2, $3, $4) d",
	4 };

static const struct db_statement stmt_insert = { "audit_insert",
	"insert into devcred.audit_seal"
	"       (number, format, after_seq, until_seq, event_count, digests,"
	"        previous, sealed_at, key_id, signature)"
	"values ($1, $2, $3, $4, $5, decode($6, 'hex'), decode($7, 'hex'),"
	"       $8, $9, decode($10, 'hex'))",
	10 };

/* One run of it. */
struct sealing {
	struct ctl	*ctl;
	struct seal_key	 key;
	struct seal	 seal;		/* the last one */
	long		 horizon;	/* events up to this are complete */
	long		 events;
	long		 seals;
	struct buf	 text;		/* of all seals that were made */
	struct buf	 newest;	/* text of the last one */
};

enum ctl_exit
audit_key(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ "key_id", NULL, RESULT_TEXT },
		RESULT_END
	};
	struct seal_key key;
	const char *id;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 1, 1)) != CTL_DONE)
		return rc;
	rc = seal_key_make(&key, ctl->arg[0]);
	id = key.id;
	if (rc == CTL_DONE)
		rc = result_say(ctl, columns, &id, "%s\n", id);
	secret_wipe(&key, sizeof(key));
	return rc;
}

/* Where the last seal ended, and the digest that the next one has of it. */
static enum ctl_exit
read_last(struct sealing *s)
{
	struct seal *seal = &s->seal;
	struct db_rows rows;
	struct buf text;
	enum ctl_exit rc;
	size_t len;

	memset(seal, 0, sizeof(*seal));
	if ((rc = session_long(s->ctl, &stmt_last, NULL, &rows)) != CTL_DONE ||
	    rows.n == 0) {
		if (rc == CTL_DONE)
			db_rows_free(&rows);
		return rc;
	}
	buf_init(&text, 0);
	if (seal_take(seal, &rows, 0) == -1 ||
	    seal_text(seal, &text, &len) == -1 ||
	    secret_digest(buf_text(&text), text.len, seal->previous) == -1) {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	}
	buf_free(&text);
	db_rows_free(&rows);
	return rc;
}

/*
 * Find up to where events are complete: every number up to the sequence's last
 * was taken by somebody who held the table's lock by then.  When all who hold
 * it now have ended, their events are there or will never be; nobody waits for
 * us meanwhile.
 */
static enum ctl_exit
find_horizon(struct sealing *s, long seconds)
{
	int64_t deadline = clock_ms() + seconds * 1000;
	const char *value = NULL;
	struct db_rows rows;
	struct buf who;
	enum ctl_exit rc;

	if ((rc = session_long(s->ctl, &stmt_horizon, NULL, &rows)) != CTL_DONE)
		return rc;
	s->horizon = db_num(&rows, 0, 0);
	db_rows_free(&rows);
	buf_init(&who, 0);
	while ((rc = session_long(s->ctl, &stmt_writers, &value, &rows)) ==
	    CTL_DONE && db_text(&rows, 0, 0) != NULL) {
		if (clock_ms() >= deadline) {
			ctl_error("after %ld s still at work, and may have "
			    "events that nobody sees yet: %s", seconds,
			    db_text(&rows, 0, 1));
			ctl_advice("wait for their end, or end them; nothing "
			    "was sealed");
			rc = CTL_FAILED;
			break;
		}
		buf_reset(&who);
		buf_puts(&who, db_text(&rows, 0, 0));
		value = buf_text(&who);
		db_rows_free(&rows);
		poll(NULL, 0, WAIT_PAUSE);
	}
	db_rows_free(&rows);
	buf_free(&who);
	return rc;
}

/* A number as text, in room of its own. */
static const char *
digits(char *room, long number)
{
	snprintf(room, 24, "%ld", number);
	return room;
}

static enum ctl_exit
keep(struct sealing *s)
{
	struct seal *seal = &s->seal;
	char room[5][24];
	struct buf previous;
	struct buf signature;
	struct db_rows rows;
	enum ctl_exit rc;

	buf_init(&previous, 0);
	buf_init(&signature, 0);
	buf_hex(&previous, seal->previous, sizeof(seal->previous));
	buf_hex(&signature, seal->signature, sizeof(seal->signature));
	{
		const char *const values[] = {
			digits(room[0], seal->number),
			digits(room[1], seal->format),
			digits(room[2], seal->after),
			digits(room[3], seal->until),
			digits(room[4], seal->count),
			seal->digests, buf_text(&previous), seal->at,
			seal->key, buf_text(&signature)
		};

		rc = session_long(s->ctl, &stmt_insert, values, &rows);
	}
	if (rc == CTL_DONE)
		db_rows_free(&rows);
	buf_free(&previous);
	buf_free(&signature);
	return rc;
}

/* Seal what comes next; *more tells whether there was anything. */
static enum ctl_exit
seal_next(struct sealing *s, bool *more)
{
	struct seal *seal = &s->seal;
	char room[4][24];
	const char *const values[] = {
		digits(room[0], SEAL_FORMAT), digits(room[1], seal->until),
		digits(room[2], s->horizon), digits(room[3], SEAL_EVENTS)
	};
	struct db_rows rows;
	enum ctl_exit rc;

	*more = false;
	rc = session_long(s->ctl, &stmt_digests, values, &rows);
	if (rc != CTL_DONE)
		return rc;
	if (db_num(&rows, 0, 0) == 0) {
		db_rows_free(&rows);
		return CTL_DONE;
	}
	*more = true;
	seal->number++;
	seal->format = SEAL_FORMAT;
	seal->after = seal->until;
	seal->count = db_num(&rows, 0, 0);
	seal->until = seal->count == SEAL_EVENTS ? db_num(&rows, 0, 1) :
	    s->horizon;
	seal->digests = db_text(&rows, 0, 2);
	seal->at = db_text(&rows, 0, 3);
	buf_reset(&s->newest);
	if (seal_sign(seal, &s->key, &s->newest) == -1) {
		ctl_error("the seal cannot be signed");
		rc = CTL_FAILED;
	} else if ((rc = keep(s)) == CTL_DONE) {
		buf_add(&s->text, buf_text(&s->newest), s->newest.len);
		s->events += seal->count;
		s->seals++;
	}
	db_rows_free(&rows);
	if (rc == CTL_DONE && (!buf_ok(&s->text) ||
	    secret_digest(buf_text(&s->newest), s->newest.len,
	    seal->previous) == -1)) {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	}
	return rc;
}

/* Add the seals to a file that is kept elsewhere. */
static enum ctl_exit
hand_out(const struct sealing *s, const char *path)
{
	enum ctl_exit rc = CTL_DONE;
	int fd;

	if (path == NULL || s->text.len == 0)
		return CTL_DONE;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, buf_text(&s->text), s->text.len) !=
	    (ssize_t)s->text.len || fsync(fd) == -1) {
		ctl_error("%s: %s", path, strerror(errno));
		ctl_advice("the events are sealed, but not all seals are in "
		    "this file");
		rc = CTL_FAILED;
	}
	if (fd != -1)
		close(fd);
	return rc;
}

static enum ctl_exit
run(struct sealing *s, long seconds)
{
	enum db_status status;
	enum ctl_exit rc;
	bool more = true;

	if ((rc = session_begin(s->ctl)) != CTL_DONE)
		return rc;
	status = db_run_script(s->ctl->db, sql_lock, SESSION_LONG);
	if (status != DB_OK)
		return session_failed(s->ctl, status);
	if ((rc = read_last(s)) != CTL_DONE ||
	    (rc = find_horizon(s, seconds)) != CTL_DONE)
		return rc;
	while (more && s->seal.until < s->horizon)
		if ((rc = seal_next(s, &more)) != CTL_DONE)
			return rc;
	return session_commit(s->ctl);
}

static enum ctl_exit
tell(const struct sealing *s)
{
	static const struct result_column columns[] = {
		{ "seals", NULL, RESULT_NUM },
		{ "event_count", NULL, RESULT_NUM },
		{ "number", NULL, RESULT_NUM },
		{ "until_seq", NULL, RESULT_NUM },
		RESULT_END
	};
	struct result r;

	result_init(&r, s->ctl, columns);
	result_add_num(&r, s->seals);
	result_add_num(&r, s->events);
	result_add_num(&r, s->seal.number);
	result_add_num(&r, s->seal.until);
	if (s->seals == 0)
		return result_one(&r, "nothing new to seal\n");
	return result_one(&r, "%ld events sealed, up to %ld; the last seal is "
	    "%ld\n", s->events, s->seal.until, s->seal.number);
}

enum ctl_exit
audit_seal(struct ctl *ctl)
{
	const char *key = NULL;
	const char *out = NULL;
	const char *wait = NULL;
	const struct ctl_option options[] = {
		{ "key", NULL, &key, NULL },
		{ "out", NULL, &out, NULL },
		{ "wait", NULL, &wait, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct sealing s;
	long seconds = WAIT_DEFAULT;
	char *end = NULL;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, options, 0, 0)) != CTL_DONE)
		return rc;
	if (key == NULL)
		return ctl_usage(ctl, "--key is missing");
	if (wait != NULL)
		seconds = strtol(wait, &end, 10);
	if (wait != NULL && (*wait == '\0' || *end != '\0' || seconds < 0 ||
	    seconds > WAIT_MAX))
		return ctl_usage(ctl, "--wait is 0 to %d seconds", WAIT_MAX);
	memset(&s, 0, sizeof(s));
	s.ctl = ctl;
	buf_init(&s.text, 0);
	buf_init(&s.newest, 0);
	if ((rc = seal_key_read(&s.key, key)) == CTL_DONE &&
	    (rc = run(&s, seconds)) == CTL_DONE) {
		rc = tell(&s);
		if (hand_out(&s, out) != CTL_DONE)
			rc = CTL_FAILED;
	}
	secret_wipe(&s.key, sizeof(s.key));
	buf_free(&s.newest);
	buf_free(&s.text);
	return rc;
}
