#include <stdio.h>

#include "ctl.h"
#include "result.h"

static const struct db_statement stmt_housekeep = { "housekeep",
	"select windows, passwords, lines, requests from devcred.housekeep()",
	0 };

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
	struct db_rows rows;
	struct result r;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 0, 0)) != CTL_DONE ||
	    (rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_housekeep, NULL, &rows)) != CTL_DONE)
		return rc;
	if ((rc = session_commit(ctl)) == CTL_DONE) {
		result_init(&r, ctl, columns);
		result_add_rows(&r, &rows);
		rc = result_one(&r, "%s delivery windows closed, %s old "
		    "passwords ended, %s lines of bulk registrations removed, "
		    "%s requests withdrawn\n", db_text(&rows, 0, 0),
		    db_text(&rows, 0, 1), db_text(&rows, 0, 2),
		    db_text(&rows, 0, 3));
	}
	db_rows_free(&rows);
	return rc;
}
