#include "ctl.h"
#include "names.h"
#include "table.h"

static const struct db_statement stmt_request = { "request_show",
	"select r.id, r.tenant, r.status, r.owner, r.created_at,"
	"       r.type, r.group_id, r.custom_properties, r.claimed_at,"
	"       r.claimed_from, r.last_seen_at,"
	"       case when r.has_token then 'yes' else 'no' end,"
	"       r.claimants, r.decommissioned_at"
	"  from devcred.request r"
	" where r.id = $1",
	1 };
static const struct db_statement stmt_claims = { "request_claims",
	"select claimed, source, case when has_token then 'yes' else 'no' end,"
	"       actor, agent"
	"  from devcred.newdevice_claims('management', $1)",
	1 };
static const struct db_statement stmt_show = { "credential_show",
	"select c.id, c.tenant, c.username, c.status, c.generation,"
	"       c.issued, c.issued_to, c.first_used, c.expires, c.delivery,"
	"       c.deliveries, c.failures, c.accepted_by, c.custom_properties"
	"  from devcred.credential_get('management', $2, $1) c",
	2 };

enum ctl_exit
request_show(struct ctl *ctl)
{
	static const char *const facts[] = { "id", "tenant", "status", "owner",
		"created", "type", "group", "properties", "claimed",
		"claimed from", "last seen", "token", "claimants",
		"decommissioned", NULL };
	static const char *const titles[] = { "CLAIMED", "SOURCE", "TOKEN",
		"ACCOUNT", "AGENT", NULL };
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
		table_print_facts(facts, &rows, 0, stdout);
		if (claims.n > 0 &&
		    table_print_rows(titles, &claims, 0, stdout) == -1) {
			ctl_error("out of memory");
			rc = CTL_FAILED;
		}
		db_rows_free(&claims);
	}
	db_rows_free(&rows);
	return rc;
}

enum ctl_exit
credential_show(struct ctl *ctl)
{
	static const char *const titles[] = { "id", "tenant", "login",
		"status", "generation", "issued", "issued to", "first used",
		"expires", "delivery", "deliveries", "failures",
		"accepted by", "properties", NULL };
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
	if (rows.n == 0)
		rc = name_no_credential(values[0]);
	else
		table_print_facts(titles, &rows, 0, stdout);
	db_rows_free(&rows);
	return rc;
}
