#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "clock.h"
#include "interrupt.h"
#include "names.h"
#include "progress.h"
#include "prompt.h"
#include "result.h"
#include "text.h"

#define BATCH		500	/* in one transaction: their locks are short */
#define BATCH_TEXT	"500"
#define BATCH_TIMEOUT	60000	/* ms */
#define TRIES_MAX	5	/* of a batch that lost against another */

/* What waits and fits: $1 tenant or null, $2 array of patterns or null. */
#define FITS \
	"  from devcred.newdevice_request r" \
	" where r.status = 'PENDING_ACCEPTANCE'" \
	"   and ($1::text is null or r.tenant = $1)" \
	"   and ($2::text[] is null or r.id like any (array(" \
	"       select devcred.rule_like(p) from unnest($2::text[]) p)))"

static const struct db_statement stmt_count = { "accept_count",
	"select count(*)" FITS, 2 };

static const struct db_statement stmt_page = { "accept_page",
	"select r.id, r.seq" FITS
	"   and r.seq > $3::bigint"
	" order by r.seq"
	" limit $4::int",
	4 };

/* Each by the rules for one, locked in the order of ids. */
static const struct db_statement stmt_accept = { "accept_batch",
	"with wanted as ("
	"    select distinct w.id"
	"      from unnest($1::text[]) w (id)"
	"), retired as ("
	"    select n.id, n.tenant, n.status"
	"      from wanted w"
	"      join devcred.newdevice_request n on n.id = w.id"
	"      join devcred.decommissioned d"
	"        on d.device_id = n.id and d.tenant = n.tenant"
	") "
	"select w.id, u.tenant, coalesce(u.outcome::text, 'absent'),"
	"       u.status::text"
	"  from (select w.id"
	"          from wanted w"
	"          left join devcred.newdevice_request n on n.id = w.id"
	"         where w.id not in (select o.id from retired o)"
	"         order by n.id"
	"        offset 0) w"
	"  left join lateral devcred.newdevice_update('management',"
	"       'db:' || session_user, null, w.id, 'ACCEPTED',"
	"       p_token_attempts => $2::int) u"
	"    on true"
	" union all "
	"select o.id, o.tenant, 'decommissioned', o.status::text"
	"  from retired o",
	2 };

enum { AT_ID, AT_TENANT, AT_OUTCOME, AT_STATUS };

struct accepting {
	struct ctl	*ctl;
	const char	*tenant;
	struct buf	 patterns;	/* an array; empty: all */
	bool		 by_name;	/* else what fits is looked up */
	struct buf	 names;		/* each with its NUL */
	const char	*name;		/* the next one */
	char		 after[24];	/* seq of the last one looked up */
	long		 total;
	long		 seen;
	long		 accepted;
	long		 refused;
	struct result	 told;
	struct progress	 progress;
};

/* What people read of an outcome; a request in a state says that itself. */
static const char *
outcome_text(const char *outcome, const char *status)
{
	static const struct {
		const char	*outcome;
		const char	*text;
	} texts[] = {
		{ "ok", "accepted" },
		{ "absent", "refused: there is no such request" },
		{ "limit_reached", "refused: its tenant has as many devices "
		    "as it may have" },
		{ "token_mismatch", "refused: it sent a security token, which "
		    "has to be given" },
		{ "token_blocked", "refused and BLOCKED: its tenant requires "
		    "a security token" },
		{ "decommissioned", "refused: it was taken out of service, "
		    "accept it by itself" },
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].outcome, outcome) == 0)
			return texts[i].text;
	if (status == NULL)
		return "refused";
	if (strcmp(status, "ACCEPTED") == 0)
		return "accepted already";
	return strcmp(status, "BLOCKED") == 0 ? "refused: it is BLOCKED" :
	    "refused: it has not asked yet";
}

static void
tell_rows(struct accepting *a, const struct db_rows *rows)
{
	const char *outcome;
	const char *text;
	int row;

	for (row = 0; row < rows->n; row++) {
		outcome = db_text(rows, row, AT_OUTCOME);
		text = outcome_text(outcome, db_text(rows, row, AT_STATUS));
		if (strcmp(outcome, "ok") == 0)
			a->accepted++;
		else if (strncmp(text, "refused", strlen("refused")) == 0)
			a->refused++;
		result_add(&a->told, db_text(rows, row, AT_ID));
		result_add(&a->told, db_text(rows, row, AT_TENANT));
		result_add(&a->told, text);
		result_add(&a->told, outcome);
		result_add(&a->told, db_text(rows, row, AT_STATUS));
	}
}

/* The ids of the next batch, as an array; *n of them. */
static enum ctl_exit
next_batch(struct accepting *a, struct buf *ids, int *n)
{
	const char *values[] = { a->tenant, a->patterns.len > 0 ?
	    buf_text(&a->patterns) : NULL, a->after, BATCH_TEXT };
	const char *end = buf_text(&a->names) + a->names.len;
	struct db_rows rows;
	enum ctl_exit rc;

	buf_putc(ids, '{');
	*n = 0;
	if (a->by_name) {
		for (; *n < BATCH && a->name < end; (*n)++) {
			db_array_add(ids, a->name);
			a->name += strlen(a->name) + 1;
		}
	} else {
		rc = session_call(a->ctl, &stmt_page, values, &rows);
		if (rc != CTL_DONE)
			return rc;
		for (; *n < rows.n; (*n)++)
			db_array_add(ids, db_text(&rows, *n, 0));
		if (rows.n > 0)
			snprintf(a->after, sizeof(a->after), "%s",
			    db_text(&rows, rows.n - 1, 1));
		db_rows_free(&rows);
	}
	buf_putc(ids, '}');
	if (buf_ok(ids))
		return CTL_DONE;
	ctl_error("out of memory");
	return CTL_FAILED;
}

/* Accept a batch, in the transaction that is open or another. */
static enum ctl_exit
accept_batch(struct accepting *a, const char *ids)
{
	char attempts[24];
	const char *const values[] = { ids, attempts };
	struct db_rows rows;
	enum db_status status;
	enum ctl_exit rc;
	int tries = 0;

	snprintf(attempts, sizeof(attempts), "%ld",
	    a->ctl->conf.token_attempts);
	for (;;) {
		db_call(a->ctl->db, &stmt_accept, values, clock_ms() +
		    BATCH_TIMEOUT);
		status = progress_wait(&a->progress, a->ctl->db, false, &rows);
		if (status != DB_CONFLICT || ++tries == TRIES_MAX)
			break;
		db_rows_free(&rows);
		if ((status = db_run_script(a->ctl->db, "rollback",
		    BATCH_TIMEOUT)) != DB_OK)
			break;
		if ((rc = session_begin(a->ctl)) != CTL_DONE)
			return rc;
	}
	if (status != DB_OK)
		return session_failed(a->ctl, status == DB_UNCERTAIN ?
		    DB_UNAVAILABLE : status);
	if ((rc = session_commit(a->ctl)) == CTL_DONE)
		tell_rows(a, &rows);
	db_rows_free(&rows);
	return rc;
}

static enum ctl_exit
accept_all(struct accepting *a)
{
	struct buf ids;
	enum ctl_exit rc = CTL_DONE;
	int n = BATCH;

	buf_init(&ids, 0);
	while (n == BATCH && rc == CTL_DONE && !interrupt_came()) {
		buf_reset(&ids);
		if ((rc = session_begin(a->ctl)) != CTL_DONE ||
		    (rc = next_batch(a, &ids, &n)) != CTL_DONE)
			break;
		rc = n > 0 ? accept_batch(a, buf_text(&ids)) :
		    session_commit(a->ctl);
		if (rc == CTL_DONE)
			a->seen += n;
		progress_show(&a->progress, a->seen, a->total > 0 ?
		    (double)a->seen / (double)a->total : 0);
	}
	buf_free(&ids);
	progress_end(&a->progress);
	if (rc == CTL_DONE && n < BATCH)
		interrupt_forget();	/* all of it was done before */
	return rc;
}

/* Look at a name, and keep it. */
static enum ctl_exit
keep_name(struct accepting *a, const char *id)
{
	if (!name_is_device(id))
		return CTL_FAILED;
	buf_add(&a->names, id, strlen(id) + 1);
	a->total++;
	return CTL_DONE;
}

/* One id a line; a line that cannot be one is told, and nothing is done. */
static enum ctl_exit
read_names(struct accepting *a, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	enum ctl_exit rc = CTL_DONE;
	long number = 0;

	if (file == NULL) {
		ctl_error("%s: %s", path, strerror(errno));
		return CTL_FAILED;
	}
	while (rc == CTL_DONE && getline(&line, &size, file) != -1) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] != '\0')
			rc = keep_name(a, line);
	}
	if (rc != CTL_DONE) {
		ctl_error("%s: line %ld is wrong; nothing was done", path,
		    number);
	} else if (ferror(file)) {
		ctl_error("%s: %s", path, strerror(errno));
		rc = CTL_FAILED;
	}
	free(line);
	if (file != stdin)
		fclose(file);
	return rc;
}

/* How many wait and fit; people are asked whether that is meant. */
static enum ctl_exit
ask_for_all(struct accepting *a)
{
	const char *const values[] = { a->tenant, a->patterns.len > 0 ?
	    buf_text(&a->patterns) : NULL };
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = session_begin(a->ctl)) != CTL_DONE ||
	    (rc = session_tenant(a->ctl, a->tenant)) != CTL_DONE ||
	    (rc = session_call(a->ctl, &stmt_count, values, &rows)) !=
	    CTL_DONE)
		return rc;
	a->total = db_num(&rows, 0, 0);
	db_rows_free(&rows);
	/* people may take their time, without a transaction */
	if ((rc = session_commit(a->ctl)) != CTL_DONE || a->total == 0)
		return rc;
	return prompt_confirm(a->ctl, "%ld devices get credentials", a->total);
}

static enum ctl_exit
take_wanted(struct accepting *a, const struct accept_wanted *wanted)
{
	const char *p = wanted->patterns;
	enum ctl_exit rc = CTL_DONE;
	struct buf word;
	size_t len;
	int i;

	buf_init(&word, 0);
	for (; *p != '\0'; p += len + strspn(p + len, " ")) {
		len = strcspn(p, " ");
		if (a->patterns.len == 0)
			buf_putc(&a->patterns, '{');
		buf_reset(&word);
		buf_add(&word, p, len);
		db_array_add(&a->patterns, buf_text(&word));
	}
	buf_free(&word);
	if (a->patterns.len > 0)
		buf_putc(&a->patterns, '}');
	a->by_name = !wanted->all && a->patterns.len == 0;
	if (wanted->from != NULL)
		rc = read_names(a, wanted->from);
	for (i = 0; a->by_name && i < a->ctl->narg && rc == CTL_DONE; i++)
		rc = keep_name(a, a->ctl->arg[i]);
	if (rc == CTL_DONE && !a->by_name)
		rc = ask_for_all(a);
	a->name = buf_text(&a->names);
	return rc;
}

enum ctl_exit
accept_many(struct ctl *ctl, const struct accept_wanted *wanted)
{
	static const struct result_column columns[] = {
		{ "id", "ID", RESULT_TEXT },
		{ "tenant", "TENANT", RESULT_TEXT },
		{ NULL, "OUTCOME", RESULT_TEXT },
		{ "outcome", NULL, RESULT_TEXT },
		{ "status", NULL, RESULT_TEXT },
		RESULT_END
	};
	struct accepting a;
	enum ctl_exit rc;

	memset(&a, 0, sizeof(a));
	a.ctl = ctl;
	a.tenant = wanted->tenant;
	a.after[0] = '0';
	buf_init(&a.patterns, 0);
	buf_init(&a.names, 0);
	result_init(&a.told, ctl, columns);
	if ((rc = take_wanted(&a, wanted)) == CTL_DONE) {
		interrupt_watch();
		progress_start(&a.progress, ctl, "devices");
		rc = accept_all(&a);
		/* also if it ended early: these are done */
		if ((ctl->json || a.told.ncells > 0) &&
		    result_list(&a.told) != CTL_DONE)
			rc = CTL_FAILED;
		if (!ctl->json)
			printf("%ld accepted, %ld refused\n", a.accepted,
			    a.refused);
		if (interrupt_came() || rc != CTL_DONE) {
			ctl_error("it ended early, after %ld of %ld", a.seen,
			    a.total);
			ctl_advice("the same command again goes on with the "
			    "others");
		}
	}
	result_free(&a.told);
	buf_free(&a.names);
	buf_free(&a.patterns);
	return rc == CTL_DONE && a.refused > 0 ? CTL_FAILED : rc;
}
