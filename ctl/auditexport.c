#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exported.h"
#include "prompt.h"
#include "result.h"
#include "secret.h"

#define EXPORT_LINES	"5000"		/* read at once */

static const struct db_statement stmt_months = { "audit_months",
	"select m.month from devcred.audit_months($1) m", 1 };

static const struct db_statement stmt_hold = { "audit_hold",
	"select devcred.audit_hold($1)", 1 };

static const struct db_statement stmt_page = { "audit_lines",
	"select l.events, l.first, l.last, l.lines"
	"  from devcred.audit_lines($1, $2, " EXPORT_LINES ") l",
	2 };

static const struct db_statement stmt_record = { "audit_record",
	"insert into devcred.audit_export as x"
	"       (month, file, event_count, first_seq, last_seq, sha256) "
	"values ($1, $2, $3, $4, $5, decode($6, 'hex'))"
	"on conflict (month) do update"
	"   set file = excluded.file,"
	"       event_count = excluded.event_count,"
	"       first_seq = excluded.first_seq,"
	"       last_seq = excluded.last_seq,"
	"       sha256 = excluded.sha256,"
	"       exported_at = excluded.exported_at,"
	"       exported_by = excluded.exported_by",
	6 };

static const struct db_statement stmt_forget = { "audit_forget",
	"select devcred.audit_forget($1)", 1 };

/* One month on its way out. */
struct month {
	struct ctl	*ctl;
	const char	*name;		/* YYYY-MM */
	const char	*dir;
	bool		 drop;
	struct result	*told;		/* of all months */
	char		 file[32];	/* without its folder */
	struct buf	 path;
	struct buf	 temporary;
	long		 events;
	char		 first[24];	/* "" if there is none */
	char		 last[24];
	unsigned char	 digest[DIGEST_SIZE];
};

static enum ctl_exit
file_failed(const char *path)
{
	ctl_error("%s: %s", path, strerror(errno));
	return CTL_FAILED;
}

/* Write all lines of the month to a file, and its digest. */
static enum ctl_exit
write_lines(struct month *m, FILE *file, struct secret_sum *sum)
{
	const char *values[] = { m->name, NULL };
	struct db_rows rows;
	const char *lines;
	enum ctl_exit rc;
	bool more = true;

	while (more) {
		rc = session_long(m->ctl, &stmt_page, values, &rows);
		if (rc != CTL_DONE)
			return rc;
		more = db_num(&rows, 0, 0) > 0;
		if (more) {
			lines = db_text(&rows, 0, 3);
			fputs(lines, file);
			secret_sum_add(sum, lines, strlen(lines));
			m->events += db_num(&rows, 0, 0);
			if (m->first[0] == '\0')
				snprintf(m->first, sizeof(m->first), "%s",
				    db_text(&rows, 0, 1));
			snprintf(m->last, sizeof(m->last), "%s",
			    db_text(&rows, 0, 2));
			values[1] = m->last;
		}
		db_rows_free(&rows);
	}
	if (secret_sum_end(sum, m->digest) == -1) {
		ctl_error("there is no digest of the file");
		return CTL_FAILED;
	}
	return CTL_DONE;
}

/* The file is there as a whole, also after a crash, or as it was before. */
static enum ctl_exit
write_file(struct month *m)
{
	const char *temporary = buf_text(&m->temporary);
	struct secret_sum *sum = secret_sum_new();
	FILE *file = fopen(temporary, "we");
	enum ctl_exit rc = CTL_FAILED;
	int dir = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (sum == NULL)
		ctl_error("out of memory");
	else if (file == NULL || dir == -1)
		rc = file_failed(temporary);
	else if ((rc = write_lines(m, file, sum)) == CTL_DONE &&
	    (fflush(file) == EOF || ferror(file) ||
	    fsync(fileno(file)) == -1 ||
	    rename(temporary, buf_text(&m->path)) == -1 || fsync(dir) == -1))
		rc = file_failed(temporary);
	if (file != NULL)
		fclose(file);
	if (dir != -1)
		close(dir);
	secret_sum_free(sum);
	return rc;
}

static enum ctl_exit
record(const struct month *m)
{
	struct buf hex;
	char events[24];
	struct db_rows rows;
	enum ctl_exit rc;

	buf_init(&hex, 0);
	buf_hex(&hex, m->digest, sizeof(m->digest));
	snprintf(events, sizeof(events), "%ld", m->events);
	{
		const char *const values[] = { m->name, m->file, events,
			m->events > 0 ? m->first : NULL,
			m->events > 0 ? m->last : NULL, buf_text(&hex) };

		rc = session_long(m->ctl, &stmt_record, values, &rows);
	}
	if (rc == CTL_DONE)
		db_rows_free(&rows);
	buf_free(&hex);
	return rc;
}

/* Drop the month, if the file on the disk is what was read of it. */
static enum ctl_exit
forget(const struct month *m)
{
	const char *const values[] = { m->name };
	unsigned char digest[DIGEST_SIZE];
	struct db_rows rows;
	enum ctl_exit rc;

	rc = exported_digest(buf_text(&m->path), digest);
	if (rc == CTL_DONE && memcmp(digest, m->digest, DIGEST_SIZE) != 0) {
		ctl_error("%s is not what was written", buf_text(&m->path));
		rc = CTL_FAILED;
	}
	if (rc != CTL_DONE ||
	    (rc = session_long(m->ctl, &stmt_forget, values, &rows)) !=
	    CTL_DONE)
		return rc;
	if (strcmp(db_text(&rows, 0, 0), "unsealed") == 0) {
		ctl_error("%s is not all sealed", m->name);
		ctl_advice("devcredctl audit seal");
		rc = CTL_FAILED;
	} else if (strcmp(db_text(&rows, 0, 0), "ok") != 0) {
		ctl_error("%s is not what was exported", m->name);
		rc = CTL_FAILED;
	}
	db_rows_free(&rows);
	return rc;
}

/* Take a month out, as one transaction; until its end all is still there. */
static enum ctl_exit
take_out(struct month *m)
{
	const char *const values[] = { m->name };
	struct db_rows rows;
	enum ctl_exit rc;
	bool mine;

	if ((rc = session_long(m->ctl, &stmt_hold, values, &rows)) != CTL_DONE)
		return rc;
	mine = db_true(&rows, 0, 0);
	db_rows_free(&rows);
	if (!mine) {
		ctl_error("another export of this database is running");
		return CTL_FAILED;
	}
	if ((rc = write_file(m)) != CTL_DONE || (rc = record(m)) != CTL_DONE ||
	    (m->drop && (rc = forget(m)) != CTL_DONE))
		return rc;
	if ((rc = session_commit(m->ctl)) != CTL_DONE)
		return rc;
	result_add(m->told, m->name);
	result_add(m->told, m->file);
	result_add_num(m->told, m->events);
	result_add(m->told, m->drop ? "t" : "f");
	if (!m->ctl->json)
		printf("%s: %ld events in %s%s\n", m->name, m->events,
		    buf_text(&m->path), m->drop ? ", dropped here" : "");
	return CTL_DONE;
}

static enum ctl_exit
month_export(struct ctl *ctl, const char *name, const char *dir, bool drop,
    struct result *told)
{
	struct month m;
	enum ctl_exit rc;

	memset(&m, 0, sizeof(m));
	m.ctl = ctl;
	m.name = name;
	m.dir = dir;
	m.drop = drop;
	m.told = told;
	snprintf(m.file, sizeof(m.file), "event_%s.jsonl", name);
	buf_init(&m.path, 0);
	buf_init(&m.temporary, 0);
	buf_printf(&m.path, "%s/%s", dir, m.file);
	buf_printf(&m.temporary, "%s/.%s.new", dir, m.file);
	rc = take_out(&m);
	buf_free(&m.temporary);
	buf_free(&m.path);
	return rc;
}

/* Whether it is YYYY-MM. */
static bool
is_month(const char *text)
{
	return strlen(text) == 7 && strspn(text, "0123456789") == 4 &&
	    text[4] == '-' && strspn(text + 5, "0123456789") == 2;
}

enum ctl_exit
audit_export(struct ctl *ctl)
{
	const char *before = NULL;
	const char *dir = NULL;
	bool drop = false;
	const struct ctl_option options[] = {
		{ "before", NULL, &before, NULL },
		{ "dir", NULL, &dir, NULL },
		{ "drop", &drop, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	static const struct result_column columns[] = {
		{ "month", NULL, RESULT_TEXT },
		{ "file", NULL, RESULT_TEXT },
		{ "event_count", NULL, RESULT_NUM },
		{ "dropped", NULL, RESULT_BOOL },
		RESULT_END
	};
	struct result told;
	struct db_rows rows;
	enum ctl_exit rc;
	int i;

	if ((rc = ctl_args(ctl, options, 0, 0)) != CTL_DONE)
		return rc;
	if (before == NULL || !is_month(before))
		return ctl_usage(ctl, "--before YYYY-MM is missing");
	if (dir == NULL)
		return ctl_usage(ctl, "--dir is missing");
	if (drop && (rc = prompt_confirm(ctl, "the events of the months before "
	    "%s go from the database; the files in %s are what is left",
	    before, dir)) != CTL_DONE)
		return rc;
	umask(077);		/* what is in them is for few */
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_long(ctl, &stmt_months, &before, &rows)) != CTL_DONE)
		return rc;
	rc = session_commit(ctl);
	result_init(&told, ctl, columns);
	for (i = 0; i < rows.n && rc == CTL_DONE; i++) {
		db_free(ctl->db);
		ctl->db = NULL;
		rc = session_begin(ctl);
		if (rc == CTL_DONE)
			rc = month_export(ctl, db_text(&rows, i, 0), dir,
			    drop, &told);
	}
	/* also if one failed: the others are there */
	if (ctl->json && result_list(&told) != CTL_DONE)
		rc = CTL_FAILED;
	else if (!ctl->json && rc == CTL_DONE && rows.n == 0)
		puts("there is no such month");
	result_free(&told);
	db_rows_free(&rows);
	return rc;
}
