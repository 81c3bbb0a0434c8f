#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "names.h"
#include "result.h"
#include "store.h"
#include "text.h"

static const struct db_statement stmt_add = { "tenant_add",
	"select devcred.tenant_add($1, $2)", 2 };

/* Who has the id, and who the host name. */
static const struct db_statement stmt_taken = { "tenant_taken",
	"select exists (select from devcred.tenant where id = $1),"
	"       (select id from devcred.tenant"
	"         where domain_name = lower($2) and id <> $1)",
	2 };

/* Values of stmt_set: the tenant, and what is to be set. */
enum { SET_TENANT, SET_DOMAIN, SET_POLICY, SET_LIMIT, SET_WAITING,
	SET_PENDING, SET_QUOTA, SET_OUTBOX, SET_MAX };

static const struct db_statement stmt_set = { "tenant_set",
	"select devcred.tenant_set($1, 'db:' || session_user, null, $2,"
	"       $3::devcred.token_policy, $4, null, $5, $6, $7, $8::bool)",
	8 };

static const struct db_statement stmt_list = { "tenant_list",
	"select t.id,"
	"       t.domain_name,"
	"       t.token_policy,"
	"       t.device_limit,"
	"       (select count(*) from devcred.tenant_user u"
	"         where u.tenant = t.id),"
	"       devcred.iso_time(t.created_at),"
	"       t.waiting_expiry,"
	"       t.pending_expiry,"
	"       t.request_quota,"
	"       t.outbox"
	"  from devcred.tenant t"
	" order by t.id = 'management' desc, t.id",
	0 };

static const struct result_column columns_changed[] = {
	{ "id", NULL, RESULT_TEXT },
	RESULT_END
};

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
		rc = result_say(ctl, columns_changed, values,
		    "tenant %s added\n", values[0]);
	return rc;
}

/* Whether it is a number, or none; NULL passes. */
static bool
is_num_or_none(const char *text)
{
	long num;

	return text == NULL || strcmp(text, "none") == 0 ||
	    parse_num(text, 0, INT_MAX, &num) == 0;
}

/* Whether it is a while, such as 90m, 12h or 30d, or none; NULL passes. */
static bool
is_while_or_none(const char *text)
{
	size_t digits;

	if (text == NULL || strcmp(text, "none") == 0)
		return true;
	digits = strspn(text, "0123456789");
	return digits > 0 && digits < 6 && text[digits] != '\0' &&
	    strchr("mhd", text[digits]) != NULL && text[digits + 1] == '\0';
}

/* Look at what is to be set. */
static enum ctl_exit
check_set(struct ctl *ctl, const char **values)
{
	static const char *const policies[] = { "IGNORED", "OPTIONAL",
		"REQUIRED", NULL };
	static const char *const switches[] = { "on", "off", NULL };
	int i;

	for (i = SET_DOMAIN; i < SET_MAX && values[i] == NULL; i++)
		continue;
	if (i == SET_MAX)
		return ctl_usage(ctl, "there is nothing to set");
	if (values[SET_POLICY] != NULL &&
	    !name_is_word(&values[SET_POLICY], policies))
		return ctl_usage(ctl, "a token policy is IGNORED, OPTIONAL "
		    "or REQUIRED");
	if (!is_num_or_none(values[SET_LIMIT]))
		return ctl_usage(ctl, "a device limit is a number, or none");
	if (!is_num_or_none(values[SET_QUOTA]))
		return ctl_usage(ctl, "a request quota is a number, or none");
	if (!is_while_or_none(values[SET_WAITING]) ||
	    !is_while_or_none(values[SET_PENDING]))
		return ctl_usage(ctl, "an expiry is a while such as 90m, 12h "
		    "or 30d, or none");
	if (values[SET_OUTBOX] != NULL &&
	    !name_is_word(&values[SET_OUTBOX], switches))
		return ctl_usage(ctl, "an outbox is on or off");
	return name_is_tenant(values[SET_TENANT]) &&
	    (values[SET_DOMAIN] == NULL || values[SET_DOMAIN][0] == '\0' ||
	    name_is_host(values[SET_DOMAIN])) ? CTL_DONE : CTL_FAILED;
}

enum ctl_exit
tenant_set(struct ctl *ctl)
{
	const char *values[SET_MAX] = { NULL };
	const struct ctl_option options[] = {
		{ "domain", NULL, &values[SET_DOMAIN], NULL },
		{ "token-policy", NULL, &values[SET_POLICY], NULL },
		{ "device-limit", NULL, &values[SET_LIMIT], NULL },
		{ "request-quota", NULL, &values[SET_QUOTA], NULL },
		{ "waiting-expiry", NULL, &values[SET_WAITING], NULL },
		{ "pending-expiry", NULL, &values[SET_PENDING], NULL },
		{ "outbox", NULL, &values[SET_OUTBOX], NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct db_rows rows;
	enum ctl_exit rc;
	bool exists;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	values[SET_TENANT] = ctl->arg[0];
	if ((rc = check_set(ctl, values)) != CTL_DONE ||
	    (rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = host_is_free(ctl, values[SET_TENANT], values[SET_DOMAIN],
	    &exists)) != CTL_DONE)
		return rc;
	if (!exists)
		return name_no_tenant(values[SET_TENANT]);
	if ((rc = session_call(ctl, &stmt_set, values, &rows)) != CTL_DONE)
		return rc;
	db_rows_free(&rows);
	if ((rc = session_commit(ctl)) == CTL_DONE)
		rc = result_say(ctl, columns_changed, values,
		    "tenant %s set\n", values[SET_TENANT]);
	return rc;
}

enum ctl_exit
tenant_list(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ "id", "TENANT", RESULT_TEXT },
		{ "domain_name", "HOST", RESULT_TEXT },
		{ "token_policy", "TOKEN POLICY", RESULT_TEXT },
		{ "device_limit", "DEVICE LIMIT", RESULT_NUM },
		{ "users", "USERS", RESULT_NUM },
		{ "created_at", "CREATED", RESULT_TIME },
		{ "waiting_expiry", NULL, RESULT_TEXT },
		{ "pending_expiry", NULL, RESULT_TEXT },
		{ "request_quota", NULL, RESULT_NUM },
		{ "outbox", NULL, RESULT_BOOL },
		RESULT_END
	};
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 0, 0)) != CTL_DONE ||
	    (rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_list, NULL, &rows)) != CTL_DONE)
		return rc;
	rc = result_rows(ctl, columns, &rows);
	db_rows_free(&rows);
	return rc;
}
