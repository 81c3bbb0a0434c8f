#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bulk.h"
#include "csv.h"
#include "ctl.h"
#include "interrupt.h"
#include "progress.h"
#include "result.h"
#include "text.h"

#define TOLD_MAX	20	/* failures told where no file takes them */
#define PIECE_SIZE	((size_t)64 * 1024)

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
	long		 after;		/* lines that were done before */
	bool		 broken;	/* not all of it was read */
	struct progress	 progress;
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

/* Open what is to be read; "-" is standard input. */
static enum ctl_exit
import_open(struct import *im, const char *path, const char *errors)
{
	memset(im, 0, sizeof(*im));
	im->path = path;
	im->fd = STDIN_FILENO;
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

	while (state == BULK_READING && !interrupt_came() &&
	    (n = read(im->fd, piece, sizeof(piece))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			ctl_error("%s: %s", im->path, strerror(errno));
			im->broken = true;
			break;
		}
		im->done += n;
		state = bulk_read(bulk, piece, (size_t)n);
		progress_show(&im->progress, bulk_counts(bulk)->all,
		    im->size > 0 ? (double)im->done / (double)im->size : 0);
	}
	explicit_bzero(piece, sizeof(piece));	/* it may hold passwords */
	progress_end(&im->progress);
	/* the last line may be half a line */
	im->broken = im->broken || (interrupt_came() &&
	    (im->size == 0 || im->done < im->size));
	return im->broken ? bulk_stop(bulk) : bulk_finish(bulk);
}

/* How it ended, also if it ended early. */
static enum ctl_exit
import_tell(const struct ctl *ctl, const struct bulk_count *count)
{
	static const struct result_column columns[] = {
		{ "lines", NULL, RESULT_NUM },
		{ "created", NULL, RESULT_NUM },
		{ "updated", NULL, RESULT_NUM },
		{ "failed", NULL, RESULT_NUM },
		{ "last_line", NULL, RESULT_NUM },
		RESULT_END
	};
	struct result r;

	result_init(&r, ctl, columns);
	result_add_num(&r, count->all);
	result_add_num(&r, count->created);
	result_add_num(&r, count->updated);
	result_add_num(&r, count->failed);
	result_add_num(&r, count->line);
	return result_one(&r, "%ld lines: %ld created, %ld updated, %ld "
	    "failed\n", count->all, count->created, count->updated,
	    count->failed);
}

/* Where it stopped, and how to go on from there. */
static void
import_stopped(const struct import *im, const char *why, long line)
{
	ctl_error("%s; all lines up to %ld are done", why, line);
	ctl_advice("to go on: devcredctl import %s --after %ld, with the "
	    "other options as they were%s", im->path, line,
	    im->errors != NULL ? " and another file for --errors" : "");
}

static enum ctl_exit
import_run(struct ctl *ctl, struct import *im, const char *scope,
    const char *actor)
{
	struct bulk_count count;
	enum bulk_state state;
	struct bulk *bulk;
	enum ctl_exit rc = CTL_DONE;

	bulk = bulk_new(ctl->db, scope, actor, NULL, NULL, told, im);
	if (bulk == NULL) {
		ctl_error("out of memory");
		return CTL_FAILED;
	}
	bulk_skip(bulk, im->after);
	interrupt_watch();
	progress_start(&im->progress, ctl, "lines");
	state = import_read(im, bulk);
	count = *bulk_counts(bulk);
	if (state == BULK_REFUSED)
		ctl_error("%s: %s", im->path, bulk_fault(bulk));
	bulk_free(bulk);
	if (im->told > TOLD_MAX)
		ctl_advice("and %ld more; --errors FILE keeps them all",
		    im->told - TOLD_MAX);
	if (state == BULK_REFUSED)
		return CTL_FAILED;
	if (im->broken)		/* the last ones were read only */
		count.all = count.created + count.updated + count.failed;
	rc = import_tell(ctl, &count);
	if (state == BULK_UNAVAILABLE) {
		ctl_error("then the database did not answer: %s",
		    db_message(ctl->db));
		import_stopped(im, "the import ended early", count.line);
		return CTL_UNREACHABLE;
	}
	if (im->broken)
		import_stopped(im, interrupt_came() ? "interrupted" :
		    "the rest could not be read", count.line);
	else
		interrupt_forget();	/* it was done before */
	return rc == CTL_DONE && !im->broken && count.failed == 0 ? CTL_DONE :
	    CTL_FAILED;
}

enum ctl_exit
import(struct ctl *ctl)
{
	const char *tenant = NULL;
	const char *errors = NULL;
	const char *after = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ "errors", NULL, &errors, NULL },
		{ "after", NULL, &after, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct db_rows rows = { NULL, 0 };
	struct import im;
	enum ctl_exit rc;
	long line = 0;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	if (after != NULL && parse_num(after, 1, LONG_MAX, &line) == -1)
		return ctl_usage(ctl, "--after is the number of a line");
	if ((rc = import_open(&im, ctl->arg[0], errors)) != CTL_DONE)
		goto out;
	im.after = line;
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
