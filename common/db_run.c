#include <poll.h>

#include "clock.h"
#include "db.h"

enum db_status
db_wait(struct db *db, struct db_rows *rows)
{
	struct pollfd p;
	int64_t left;

	while (db_busy(db)) {
		p.fd = db_fd(db);
		p.events = db_events(db);
		left = db_deadline(db) - clock_ms();
		/* interrupted or not: db_step() finds out what there is */
		if (left > 0)
			poll(&p, 1, (int)left);
		db_step(db);
	}
	return db_result(db, rows);
}

enum db_status
db_run(struct db *db, const struct db_statement *stmt,
    const char *const *values, int timeout, struct db_rows *rows)
{
	db_call(db, stmt, values, clock_ms() + timeout);
	return db_wait(db, rows);
}

enum db_status
db_run_script(struct db *db, const char *sql, int timeout)
{
	struct db_rows rows;
	enum db_status status;

	db_script(db, sql, clock_ms() + timeout);
	status = db_wait(db, &rows);
	db_rows_free(&rows);
	return status;
}
