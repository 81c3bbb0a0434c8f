#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bulk.h"
#include "clock.h"
#include "csv.h"
#include "ctl.h"
#include "result.h"

#define TOLD_MAX	20	/* failures told where no file takes them */
#define PIECE_SIZE	((size_t)64 * 1024)
#define PROGRESS_TIME	500	/* ms between two looks at it */

static const struct db_statement stmt_actor = { "import_actor",
	"select 'db:' || session_user", 0 };

/* A file on its way in. */
struct import {
	const char	*path;
	int		 fd;
	off_t		 size;		/* 0: not known */
	off_t		 done;
	FILE		*errors;	/* a file for them, or NULL */
	long		 told;
	bool		 watched;	/* somebody sits at the terminal */
	int64_t		 start;
	int64_t		 shown;
};

static void
told(void *arg, const struct bulk_told *line)
{
	struct import *im = arg;
	struct buf text;

	if (line->why == NULL)
		return;
	if (im->errors != NULL) {
		buf_init(&text, 0);
		csv_quote(&text, line->id != NULL ? line->id : "", ',');
		buf_putc(&text, ',');
		csv_quote(&text, line->why, ',');
		fprintf(im->errors, "%ld,%s\n", line->line, buf_text(&text));
		buf_free(&text);
	} else if (im->told++ < TOLD_MAX) {
		ctl_error("%s:%ld: %s", im->path, line->line, line->why);
	}
}

/* How far it is, how fast, and how long it will take. */
static void
progress(struct import *im, const struct bulk_count *count, bool last)
{
	int64_t now = clock_ms();
	double seconds = (double)(now - im->start) / 1000;
	double part = im->size > 0 ? (double)im->done / (double)im->size : 0;

	if (!im->watched || (!last && now - im->shown < PROGRESS_TIME))
		return;
	im->shown = now;
	fprintf(stderr, "\r%ld lines, %.0f a second", count->all,
	    seconds > 0 ? (double)count->all / seconds : 0);
	if (part > 0 && !last)
		fprintf(stderr, ", %.0f %%, %.0f s left ", part * 100,
		    seconds / part - seconds);
	fputs(last ? "                    \n" : "  ", stderr);
}

/* Open what is to be read; "-" is standard input. */
static enum ctl_exit
import_open(struct import *im, const char *path, const char *errors)
{
	memset(im, 0, sizeof(*im));
	im->path = path;
	im->fd = STDIN_FILENO;
	im->start = clock_ms();
	im->watched = isatty(STDERR_FILENO) == 1;
	if (strcmp(path, "-") != 0) {
		im->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (im->fd == -1) {
			ctl_error("%s: %s", path, strerror(errno));
			return CTL_FAILED;
		}
		im->size = lseek(im->fd, 0, SEEK_END);
		if (im->size <= 0 || lseek(im->fd, 0, SEEK_SET) == -1)
			im->size = 0;
	}
	if (errors != NULL && (im->errors = fopen(errors, "wxe")) == NULL) {
		ctl_error("%s: %s", errors, strerror(errno));
		return CTL_FAILED;
	}
	if (im->errors != NULL)
		fputs("line,id,reason\n", im->errors);
	return CTL_DONE;
}

/* -1, with the reason told, if what was found wrong could not be kept. */
static int
import_close(struct import *im)
{
	int rc = 0;

	if (im->errors != NULL &&
	    (fflush(im->errors) == EOF || ferror(im->errors))) {
		ctl_error("the failures could not be written: %s",
		    strerror(errno));
		rc = -1;
	}
	if (im->errors != NULL)
		fclose(im->errors);
	if (im->fd > STDIN_FILENO)
		close(im->fd);
	return rc;
}

/* Read all of it. */
static enum bulk_state
import_read(struct import *im, struct bulk *bulk)
{
	static char piece[PIECE_SIZE];
	enum bulk_state state = BULK_READING;
	ssize_t n;

	while (state == BULK_READING &&
	    (n = read(im->fd, piece, sizeof(piece))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			ctl_error("%s: %s", im->path, strerror(errno));
			break;
		}
		im->done += n;
		state = bulk_read(bulk, piece, (size_t)n);
		progress(im, bulk_counts(bulk), false);
	}
	explicit_bzero(piece, sizeof(piece));	/* it may hold passwords */
	return bulk_finish(bulk);
}

/* How it ended. */
static enum ctl_exit
import_tell(const struct ctl *ctl, const struct bulk_count *count)
{
	static const struct result_column columns[] = {
		{ "lines", NULL, RESULT_NUM },
		{ "created", NULL, RESULT_NUM },
		{ "updated", NULL, RESULT_NUM },
		{ "failed", NULL, RESULT_NUM },
		RESULT_END
	};
	struct result r;

	result_init(&r, ctl, columns);
	result_add_num(&r, count->all);
	result_add_num(&r, count->created);
	result_add_num(&r, count->updated);
	result_add_num(&r, count->failed);
	return result_one(&r, "%ld lines: %ld created, %ld updated, %ld "
	    "failed\n", count->all, count->created, count->updated,
	    count->failed);
}

static enum ctl_exit
import_run(struct ctl *ctl, struct import *im, const char *scope,
    const char *actor)
{
	const struct bulk_count *count;
	enum bulk_state state;
	struct bulk *bulk;
	enum ctl_exit rc;

	bulk = bulk_new(ctl->db, scope, actor, NULL, NULL, told, im);
	if (bulk == NULL) {
		ctl_error("out of memory");
		return CTL_FAILED;
	}
	state = import_read(im, bulk);
	count = bulk_counts(bulk);
	progress(im, count, true);
	if (state == BULK_REFUSED)
		ctl_error("%s: %s", im->path, bulk_fault(bulk));
	if (im->told > TOLD_MAX)
		ctl_advice("and %ld more; --errors FILE keeps them all",
		    im->told - TOLD_MAX);
	rc = state == BULK_REFUSED ? CTL_FAILED : import_tell(ctl, count);
	if (state == BULK_UNAVAILABLE)
		ctl_error("then the database did not answer: %s; the file "
		    "may be imported again", db_message(ctl->db));
	bulk_free(bulk);
	if (state == BULK_UNAVAILABLE)
		return CTL_UNREACHABLE;
	return rc == CTL_DONE && state == BULK_READING && count->failed == 0 ?
	    CTL_DONE : CTL_FAILED;
}

enum ctl_exit
import(struct ctl *ctl)
{
	const char *tenant = NULL;
	const char *errors = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ "errors", NULL, &errors, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct db_rows rows = { NULL, 0 };
	struct import im;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	if ((rc = import_open(&im, ctl->arg[0], errors)) != CTL_DONE)
		goto out;
	/* look first; then every batch is a transaction of its own */
	if ((rc = session_begin(ctl)) == CTL_DONE &&
	    (rc = session_tenant(ctl, tenant)) == CTL_DONE &&
	    (rc = session_call(ctl, &stmt_actor, NULL, &rows)) == CTL_DONE &&
	    (rc = session_commit(ctl)) == CTL_DONE)
		rc = import_run(ctl, &im, tenant != NULL ? tenant :
		    "management", db_text(&rows, 0, 0));
	db_rows_free(&rows);
out:
	if (import_close(&im) == -1 && rc == CTL_DONE)
		rc = CTL_FAILED;
	return rc;
}
