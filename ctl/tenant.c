#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "names.h"
#include "store.h"
#include "table.h"
#include "text.h"

static const struct db_statement stmt_add = { "tenant_add",
	"select devcred.tenant_add($1, $2)", 2 };

/* Who has the id, and who the host name. */
static const struct db_statement stmt_taken = { "tenant_taken",
	"select exists (select from devcred.tenant where id = $1),"
	"       (select id from devcred.tenant"
	"         where domain_name = lower($2) and id <> $1)",
	2 };

static const struct db_statement stmt_set = { "tenant_set",
	"select devcred.tenant_set($1, 'db:' || session_user, null, $2,"
	"       $3::devcred.token_policy, $4)",
	4 };

static const struct db_statement stmt_list = { "tenant_list",
	"select t.id,"
	"       t.domain_name,"
	"       t.token_policy,"
	"       t.device_limit,"
	"       (select count(*) from devcred.tenant_user u"
	"         where u.tenant = t.id),"
	"       to_char(t.created_at at time zone 'UTC',"
	"           'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
	"  from devcred.tenant t"
	" order by t.id = 'management' desc, t.id",
	0 };

/* Tell who has the host name already. */
static enum ctl_exit
host_is_free(struct ctl *ctl, const char *id, const char *domain,
    bool *exists)
{
	const char *const values[] = { id, domain };
	struct db_rows rows;
	enum ctl_exit rc;

	rc = session_call(ctl, &stmt_taken, values, &rows);
	if (rc != CTL_DONE)
		return rc;
	*exists = db_true(&rows, 0, 0);
	if (db_text(&rows, 0, 1) != NULL) {
		ctl_error("the host name %s belongs to the tenant %s", domain,
		    db_text(&rows, 0, 1));
		rc = CTL_FAILED;
	}
	db_rows_free(&rows);
	return rc;
}

enum ctl_exit
tenant_add(struct ctl *ctl)
{
	const char *domain = NULL;
	const struct ctl_option options[] = {
		{ "domain", NULL, &domain, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[2];
	struct db_rows rows;
	enum ctl_exit rc;
	bool exists;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	values[0] = ctl->arg[0];
	values[1] = domain;
	if (!name_is_tenant(values[0]) ||
	    (domain != NULL && !name_is_host(domain)))
		return CTL_FAILED;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = host_is_free(ctl, values[0], domain, &exists)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_add, values, &rows)) != CTL_DONE)
		return rc;
	if (store_outcome(&rows, 0, 0) != OUTCOME_OK) {
		ctl_error("there is a tenant %s already", values[0]);
		rc = CTL_FAILED;
	}
	db_rows_free(&rows);
	if (rc == CTL_DONE && (rc = session_commit(ctl)) == CTL_DONE)
		printf("tenant %s added\n", values[0]);
	return rc;
}

enum ctl_exit
tenant_set(struct ctl *ctl)
{
	static const char *const policies[] = { "IGNORED", "OPTIONAL",
		"REQUIRED", NULL };
	const char *domain = NULL;
	const char *policy = NULL;
	const char *limit = NULL;
	const struct ctl_option options[] = {
		{ "domain", NULL, &domain, NULL },
		{ "token-policy", NULL, &policy, NULL },
		{ "device-limit", NULL, &limit, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[4];
	long num;
	struct db_rows rows;
	enum ctl_exit rc;
	bool exists;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	if (domain == NULL && policy == NULL && limit == NULL)
		return ctl_usage(ctl, "there is nothing to set");
	if (policy != NULL && !name_is_word(&policy, policies))
		return ctl_usage(ctl, "a token policy is IGNORED, OPTIONAL "
		    "or REQUIRED");
	values[0] = ctl->arg[0];
	values[1] = domain;
	if (limit != NULL && strcmp(limit, "none") != 0 &&
	    parse_num(limit, 0, INT_MAX, &num) == -1)
		return ctl_usage(ctl, "a device limit is a number, or none");
	values[2] = policy;
	values[3] = limit;
	if (!name_is_tenant(values[0]) || (domain != NULL &&
	    domain[0] != '\0' && !name_is_host(domain)))
		return CTL_FAILED;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = host_is_free(ctl, values[0], domain, &exists)) != CTL_DONE)
		return rc;
	if (!exists)
		return name_no_tenant(values[0]);
	if ((rc = session_call(ctl, &stmt_set, values, &rows)) != CTL_DONE)
		return rc;
	db_rows_free(&rows);
	if ((rc = session_commit(ctl)) == CTL_DONE)
		printf("tenant %s set\n", values[0]);
	return rc;
}

enum ctl_exit
tenant_list(struct ctl *ctl)
{
	static const char *const titles[] = { "TENANT", "HOST", "TOKEN POLICY",
		"DEVICE LIMIT", "USERS", "CREATED", NULL };
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 0, 0)) != CTL_DONE ||
	    (rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_list, NULL, &rows)) != CTL_DONE)
		return rc;
	if (table_print_rows(titles, &rows, 0, stdout) == -1) {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	}
	db_rows_free(&rows);
	return rc;
}
