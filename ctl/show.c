#include <stdio.h>

#include "ctl.h"
#include "names.h"
#include "result.h"

static const struct db_statement stmt_request = { "request_show",
	"select r.id, r.tenant, r.status, r.owner,"
	"       devcred.iso_time(r.created_at), r.type, r.group_id,"
	"       r.custom_properties, devcred.iso_time(r.claimed_at),"
	"       host(r.claimed_from), devcred.iso_time(r.last_seen_at),"
	"       r.has_token, r.claimants,"
	"       devcred.iso_time(r.decommissioned_at)"
	"  from devcred.request r"
	" where r.id = $1",
	1 };
static const struct db_statement stmt_claims = { "request_claims",
	"select claimed, source, has_token, actor, agent"
	"  from devcred.newdevice_claims('management', $1)",
	1 };
static const struct db_statement stmt_show = { "credential_show",
	"select c.id, c.tenant, c.username, c.status, c.generation,"
	"       c.issued, c.issued_to, c.first_used, c.expires, c.delivery,"
	"       c.deliveries, c.failures, c.accepted_by, c.custom_properties"
	"  from devcred.credential_get('management', $2, $1) c",
	2 };

/* A request and its claims: for programs one object, for people both. */
static enum ctl_exit
print_request(const struct ctl *ctl, const struct db_rows *rows,
    const struct db_rows *claims)
{
	static const struct result_column facts[] = {
		{ "id", "id", RESULT_TEXT },
		{ "tenant", "tenant", RESULT_TEXT },
		{ "status", "status", RESULT_TEXT },
		{ "owner", "owner", RESULT_TEXT },
		{ "created_at", "created", RESULT_TIME },
		{ "type", "type", RESULT_TEXT },
		{ "group_id", "group", RESULT_TEXT },
		{ "custom_properties", "properties", RESULT_JSON },
		{ "claimed_at", "claimed", RESULT_TIME },
		{ "claimed_from", "claimed from", RESULT_TEXT },
		{ "last_seen_at", "last seen", RESULT_TIME },
		{ "has_token", "token", RESULT_BOOL },
		{ "claimants", "claimants", RESULT_NUM },
		{ "decommissioned_at", "decommissioned", RESULT_TIME },
		{ "claims", NULL, RESULT_JSON },
		RESULT_END
	};
	static const struct result_column columns[] = {
		{ "claimed_at", "CLAIMED", RESULT_TIME },
		{ "source", "SOURCE", RESULT_TEXT },
		{ "has_token", "TOKEN", RESULT_BOOL },
		{ "actor", "ACCOUNT", RESULT_TEXT },
		{ "agent", "AGENT", RESULT_TEXT },
		RESULT_END
	};
	struct result request;
	struct result who;
	struct buf array;
	enum ctl_exit rc;
	int col;

	buf_init(&array, 0);
	result_init(&request, ctl, facts);
	result_init(&who, ctl, columns);
	result_add_rows(&who, claims);
	result_array(&who, &array);
	for (col = 0; col < request.ncolumns - 1; col++)
		result_add(&request, db_text(rows, 0, col));
	result_add(&request, buf_text(&array));
	rc = result_one(&request, NULL);
	if (rc == CTL_DONE && claims->n > 0 && !ctl->json) {
		putchar('\n');
		rc = result_list(&who);
	}
	result_free(&who);
	buf_free(&array);
	return rc;
}

enum ctl_exit
request_show(struct ctl *ctl)
{
	struct db_rows rows;
	struct db_rows claims;
	const char *id;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 1, 1)) != CTL_DONE)
		return rc;
	id = ctl->arg[0];
	if (!name_is_device(id))
		return CTL_FAILED;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_request, &id, &rows)) != CTL_DONE)
		return rc;
	if (rows.n == 0) {
		rc = name_no_request(id);
	} else if ((rc = session_call(ctl, &stmt_claims, &id, &claims)) ==
	    CTL_DONE) {
		rc = print_request(ctl, &rows, &claims);
		db_rows_free(&claims);
	}
	db_rows_free(&rows);
	return rc;
}

enum ctl_exit
credential_show(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ "device_id", "id", RESULT_TEXT },
		{ "tenant", "tenant", RESULT_TEXT },
		{ "username", "login", RESULT_TEXT },
		{ "status", "status", RESULT_TEXT },
		{ "generation", "generation", RESULT_NUM },
		{ "issued_at", "issued", RESULT_TIME },
		{ "issued_to", "issued to", RESULT_TEXT },
		{ "first_used_at", "first used", RESULT_TIME },
		{ "expires_at", "expires", RESULT_TIME },
		{ "delivery", "delivery", RESULT_TEXT },
		{ "deliveries", "deliveries", RESULT_NUM },
		{ "failures", "failures", RESULT_NUM },
		{ "accepted_by", "accepted by", RESULT_TEXT },
		{ "custom_properties", "properties", RESULT_JSON },
		RESULT_END
	};
	struct result r;
	const char *tenant = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[2];
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	if (!name_is_device(ctl->arg[0]) ||
	    (tenant != NULL && !name_is_tenant(tenant)))
		return CTL_FAILED;
	values[0] = ctl->arg[0];
	values[1] = tenant;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_tenant(ctl, tenant)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_show, values, &rows)) != CTL_DONE)
		return rc;
	if (rows.n == 0) {
		rc = name_no_credential(values[0]);
	} else {
		result_init(&r, ctl, columns);
		result_add_rows(&r, &rows);
		rc = result_one(&r, NULL);
	}
	db_rows_free(&rows);
	return rc;
}
