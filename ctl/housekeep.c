#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "interrupt.h"
#include "progress.h"
#include "result.h"

#define PIECE	10000	/* of each kind, in one transaction */

enum { AT_WINDOWS, AT_PASSWORDS, AT_LINES, AT_REQUESTS, AT_MAX };

static const struct db_statement stmt_housekeep = { "housekeep",
	"select windows, passwords, lines, requests from devcred.housekeep($1)",
	1 };

/* One transaction; *more tells whether there may be more to do. */
static enum ctl_exit
piece(struct ctl *ctl, long *count, bool *more)
{
	char max[24];
	const char *value = max;
	struct db_rows rows;
	enum ctl_exit rc;
	long n;
	int i;

	snprintf(max, sizeof(max), "%d", PIECE);
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_housekeep, &value, &rows)) !=
	    CTL_DONE)
		return rc;
	*more = false;
	for (i = 0; i < AT_MAX; i++) {
		n = db_num(&rows, 0, i);
		count[i] += n;
		if (i != AT_LINES && n >= PIECE)
			*more = true;
	}
	db_rows_free(&rows);
	return session_commit(ctl);
}

enum ctl_exit
housekeep(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ "windows", NULL, RESULT_NUM },
		{ "passwords", NULL, RESULT_NUM },
		{ "lines", NULL, RESULT_NUM },
		{ "requests", NULL, RESULT_NUM },
		RESULT_END
	};
	long count[AT_MAX] = { 0 };
	struct progress progress;
	struct result r;
	enum ctl_exit rc;
	bool more = true;
	int i;

	if ((rc = ctl_args(ctl, NULL, 0, 0)) != CTL_DONE)
		return rc;
	interrupt_watch();
	progress_start(&progress, ctl, "wiped");
	while (more && rc == CTL_DONE && !interrupt_came()) {
		rc = piece(ctl, count, &more);
		progress_show(&progress, count[AT_WINDOWS] +
		    count[AT_PASSWORDS] + count[AT_LINES] +
		    count[AT_REQUESTS], 0);
	}
	progress_end(&progress);
	if (rc != CTL_DONE)
		return rc;
	result_init(&r, ctl, columns);
	for (i = 0; i < AT_MAX; i++)
		result_add_num(&r, count[i]);
	rc = result_one(&r, "%ld delivery windows closed, %ld old passwords "
	    "ended, %ld lines of bulk registrations removed, %ld requests "
	    "withdrawn\n", count[AT_WINDOWS], count[AT_PASSWORDS],
	    count[AT_LINES], count[AT_REQUESTS]);
	if (more) {
		ctl_error("interrupted; there may be more");
		ctl_advice("devcredctl housekeep");
	} else {
		interrupt_forget();
	}
	return rc;
}
