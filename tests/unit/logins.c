#include "logins.h"
#include "tap.h"

void
join(struct asked *b, struct asked *a, const char *vars)
{
	ask(b, "", vars, NULL);
	b->x->cx = &a->cx;
}

enum verdict
answer(struct asked *a, enum db_status status, const char *const *row)
{
	struct db_rows rows;
	enum verdict verdict;

	rows_of(&rows, row != NULL ? 1 : 0, COLUMNS, row);
	verdict = auth_rows(a->x, status, &rows);
	db_rows_free(&rows);
	return verdict;
}

void
begins(struct asked *a, enum verdict want, bool waits, const char *name)
{
	bool wait = !waits;

	IS_INT(auth_begin(a->x, &wait), want, "%s", name);
	IS_INT(wait, waits, "and waits or not");
}
