#include "ctl.h"
#include "model.h"
#include "names.h"
#include "result.h"
#include "role.h"

static const struct db_statement stmt_list = { "user_list",
	"select u.tenant || '/' || u.name,"
	"       u.tenant,"
	"       u.name,"
	"       array_to_string(u.roles, ' '),"
	"       case when u.disabled_at is null then 'enabled'"
	"            else 'disabled' end,"
	"       devcred.iso_time(u.disabled_at),"
	"       devcred.iso_time(u.password_at),"
	"       devcred.iso_time(u.created_at)"
	"  from devcred.tenant_user u"
	" where u.tenant = $1 or $1 is null"
	" order by u.tenant, u.name",
	1 };

enum { AT_LOGIN, AT_TENANT, AT_NAME, AT_ROLES, AT_STATE };

/* Show the rows; people get roles as the words that --role takes. */
static enum ctl_exit
print_list(const struct ctl *ctl, const struct db_rows *rows)
{
	static const struct result_column columns[] = {
		{ NULL, "LOGIN", RESULT_TEXT },
		{ "tenant", NULL, RESULT_TEXT },
		{ "name", NULL, RESULT_TEXT },
		{ NULL, "ROLES", RESULT_TEXT },
		{ "roles", NULL, RESULT_WORDS },
		{ NULL, "STATE", RESULT_TEXT },
		{ "disabled_at", NULL, RESULT_TIME },
		{ "password_at", "PASSWORD SET", RESULT_TIME },
		{ "created_at", "CREATED", RESULT_TIME },
		RESULT_END
	};
	struct result r;
	struct buf words;
	int row;
	int col;

	buf_init(&words, 0);
	result_init(&r, ctl, columns);
	for (row = 0; row < rows->n; row++) {
		buf_reset(&words);
		role_words(&words, role_bits(db_text(rows, row, AT_ROLES)));
		for (col = AT_LOGIN; col <= AT_NAME; col++)
			result_add(&r, db_text(rows, row, col));
		result_add(&r, buf_text(&words));
		for (col = AT_ROLES; col < r.ncolumns - 1; col++)
			result_add(&r, db_text(rows, row, col));
	}
	buf_free(&words);
	return result_list(&r);
}

enum ctl_exit
user_list(struct ctl *ctl)
{
	const char *tenant;
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 0, 1)) != CTL_DONE)
		return rc;
	tenant = ctl->narg == 1 ? ctl->arg[0] : NULL;
	if (tenant != NULL && !name_is_tenant(tenant))
		return CTL_FAILED;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_tenant(ctl, tenant)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_list, &tenant, &rows)) != CTL_DONE)
		return rc;
	rc = print_list(ctl, &rows);
	db_rows_free(&rows);
	return rc;
}
