#include <stdio.h>

#include "ctl.h"
#include "names.h"
#include "result.h"
#include "text.h"

#define LIST_LIMIT	100	/* requests shown if nothing is said */
#define LIST_MAX	100000

/*
 * The scope "management" reaches every tenant, so that tenant's own requests
 * are picked from all.
 */
static const struct db_statement stmt_list = { "request_list",
	"select r.id,"
	"       r.tenant,"
	"       r.status,"
	"       r.owner,"
	"       r.created,"
	"       r.type,"
	"       r.group_id,"
	"       r.last_seen,"
	"       r.claimed_from,"
	"       r.claimants,"
	"       r.has_token,"
	"       r.custom_properties"
	"  from devcred.newdevice_list(coalesce($1, 'management'),"
	"       $2::devcred.request_status, null,"
	"       case when $1 = 'management' then null else $3::int end, 0,"
	"       false) r"
	" where r.id is not null"
	"   and ($1 is null or r.tenant = $1)"
	" limit $3::int",
	3 };

/* Print a list; more than limit rows mean that there is more. */
static enum ctl_exit
print_list(const struct ctl *ctl, struct db_rows *rows, long limit)
{
	static const struct result_column columns[] = {
		{ "id", "ID", RESULT_TEXT },
		{ "tenant", "TENANT", RESULT_TEXT },
		{ "status", "STATUS", RESULT_TEXT },
		{ "owner", "OWNER", RESULT_TEXT },
		{ "created_at", "CREATED", RESULT_TIME },
		{ "type", "TYPE", RESULT_TEXT },
		{ "group_id", "GROUP", RESULT_TEXT },
		{ "last_seen_at", NULL, RESULT_TIME },
		{ "claimed_from", NULL, RESULT_TEXT },
		{ "claimants", NULL, RESULT_NUM },
		{ "has_token", NULL, RESULT_BOOL },
		{ "custom_properties", NULL, RESULT_JSON },
		RESULT_END
	};
	bool more = rows->n > limit;
	enum ctl_exit rc;

	if (more)
		rows->n = (int)limit;
	rc = result_rows(ctl, columns, rows);
	if (rc == CTL_DONE && more)
		ctl_error("there are more than %ld; see --limit", limit);
	return rc;
}

enum ctl_exit
request_list(struct ctl *ctl)
{
	const char *tenant = NULL;
	const char *status = NULL;
	const char *limit = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ "status", NULL, &status, NULL },
		{ "limit", NULL, &limit, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[3];
	char fetch[24];
	struct db_rows rows;
	enum ctl_exit rc;
	long n = LIST_LIMIT;

	if ((rc = ctl_args(ctl, options, 0, 0)) != CTL_DONE)
		return rc;
	if (limit != NULL && parse_num(limit, 1, LIST_MAX, &n) == -1)
		return ctl_usage(ctl, "--limit is a number from 1 to %d",
		    LIST_MAX);
	if (status != NULL && !name_is_status(&status))
		return ctl_usage(ctl, "a status is " NAME_STATUSES);
	if (tenant != NULL && !name_is_tenant(tenant))
		return CTL_FAILED;
	snprintf(fetch, sizeof(fetch), "%ld", n + 1);
	values[0] = tenant;
	values[1] = status;
	values[2] = fetch;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_tenant(ctl, tenant)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_list, values, &rows)) != CTL_DONE)
		return rc;
	rc = print_list(ctl, &rows, n);
	db_rows_free(&rows);
	return rc;
}
