#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "model.h"
#include "names.h"
#include "prompt.h"
#include "result.h"
#include "secret.h"
#include "store.h"
#include "text.h"

#define LIST_LIMIT	100	/* credentials shown if nothing is said */
#define LIST_MAX	100000

/* Who does it, for whom: the id is $1, the tenant $2 or null. */
#define BY	"'management', 'db:' || session_user, null, $2, $1"
#define TOLD	"select outcome, tenant, status, expires from devcred."

static const struct db_statement stmt_list = { "credential_list",
	"select c.id, c.tenant, c.status, c.issued, c.first_used, c.expires,"
	"       c.delivery, c.failures, c.username, c.generation,"
	"       c.issued_to, c.deliveries, c.accepted_by"
	"  from devcred.credential_list(coalesce($1, 'management'), $2, $3,"
	"       case when $1 = 'management' then null else $4::int end, 0,"
	"       false) c"
	" where c.id is not null"
	"   and ($1 is null or c.tenant = $1)"
	" limit $4::int",
	4 };
static const struct db_statement stmt_disable = { "credential_disable",
	TOLD "credential_disable(" BY ", true)", 2 };
static const struct db_statement stmt_enable = { "credential_enable",
	TOLD "credential_disable(" BY ", false)", 2 };
static const struct db_statement stmt_expire = { "credential_expire",
	TOLD "credential_expire(" BY ", $3::timestamptz)", 3 };
static const struct db_statement stmt_reopen = { "credential_reopen",
	TOLD "credential_reopen(" BY ", $3::int)", 3 };
static const struct db_statement stmt_revoke = { "credential_revoke",
	TOLD "credential_revoke(" BY ")", 2 };
static const struct db_statement stmt_decommission = {
	"credential_decommission",
	TOLD "credential_decommission(" BY ")", 2 };
static const struct db_statement stmt_rotate = { "credential_rotate",
	TOLD "credential_rotate(" BY ", $3::bytea, $4::bytea, $5::int, $6)",
	6 };

enum { AT_OUTCOME, AT_TENANT, AT_STATUS, AT_EXPIRES };

static const struct result_column columns_changed[] = {
	{ "device_id", NULL, RESULT_TEXT },
	{ "tenant", NULL, RESULT_TEXT },
	{ "status", NULL, RESULT_TEXT },
	{ "expires_at", NULL, RESULT_TIME },
	RESULT_END
};

/* Take the id and the tenant, and further options, from the command line. */
static enum ctl_exit
take_args(struct ctl *ctl, const struct ctl_option *options, int n,
    const char **tenant)
{
	enum ctl_exit rc = ctl_args(ctl, options, n, n);

	if (rc != CTL_DONE)
		return rc;
	if (!name_is_device(ctl->arg[0]) ||
	    (*tenant != NULL && !name_is_tenant(*tenant)))
		return CTL_FAILED;
	return CTL_DONE;
}

/* Run a change and commit it; a credential that is not there is told. */
static enum ctl_exit
change(struct ctl *ctl, const struct db_statement *stmt,
    const char *const *values, struct db_rows *rows)
{
	enum ctl_exit rc;

	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_tenant(ctl, values[1])) != CTL_DONE ||
	    (rc = session_call(ctl, stmt, values, rows)) != CTL_DONE)
		return rc;
	if (rows->n == 0)
		rc = name_no_credential(values[0]);
	else if (store_outcome(rows, 0, AT_OUTCOME) == OUTCOME_OK)
		return session_commit(ctl);
	else {
		ctl_error("%s did not get its password by asking, or is "
		    "disabled: there is nothing to deliver again", values[0]);
		rc = session_commit(ctl) == CTL_DONE ? CTL_FAILED :
		    CTL_UNREACHABLE;	/* the refusal is audited */
	}
	db_rows_free(rows);
	return rc;
}

/* What a change has made of a credential. */
static void
tell(const struct ctl *ctl, const struct db_rows *rows, struct result *told)
{
	result_init(told, ctl, columns_changed);
	result_add(told, ctl->arg[0]);
	result_add(told, db_text(rows, 0, AT_TENANT));
	result_add(told, db_text(rows, 0, AT_STATUS));
	result_add(told, db_text(rows, 0, AT_EXPIRES));
}

/*
 * A change that needs no more than the id; done says what it did, loss what
 * people are asked about, unless it is NULL.
 */
static enum ctl_exit
simple(struct ctl *ctl, const struct db_statement *stmt, const char *done,
    const char *loss)
{
	const char *tenant = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[2];
	struct result told;
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = take_args(ctl, options, 1, &tenant)) != CTL_DONE)
		return rc;
	values[0] = ctl->arg[0];
	values[1] = tenant;
	if (loss != NULL && (rc = prompt_confirm(ctl, "%s: %s", values[0],
	    loss)) != CTL_DONE)
		return rc;
	if ((rc = change(ctl, stmt, values, &rows)) != CTL_DONE)
		return rc;
	tell(ctl, &rows, &told);
	rc = result_one(&told, "%s of the tenant %s %s\n", values[0],
	    db_text(&rows, 0, AT_TENANT), done);
	db_rows_free(&rows);
	return rc;
}

enum ctl_exit
credential_disable(struct ctl *ctl)
{
	return simple(ctl, &stmt_disable, "is DISABLED", NULL);
}

enum ctl_exit
credential_enable(struct ctl *ctl)
{
	return simple(ctl, &stmt_enable, "is enabled", NULL);
}

enum ctl_exit
credential_revoke(struct ctl *ctl)
{
	return simple(ctl, &stmt_revoke, "has no credential any more",
	    "its login ends for good");
}

enum ctl_exit
credential_decommission(struct ctl *ctl)
{
	return simple(ctl, &stmt_decommission, "is decommissioned",
	    "its request and its login go for good, and its id is marked");
}

enum ctl_exit
credential_reopen(struct ctl *ctl)
{
	const char *tenant = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[3];
	struct result told;
	struct db_rows rows;
	char window[24];
	enum ctl_exit rc;

	if ((rc = take_args(ctl, options, 1, &tenant)) != CTL_DONE)
		return rc;
	snprintf(window, sizeof(window), "%ld", ctl->conf.delivery_window);
	values[0] = ctl->arg[0];
	values[1] = tenant;
	values[2] = window;
	if ((rc = change(ctl, &stmt_reopen, values, &rows)) != CTL_DONE)
		return rc;
	tell(ctl, &rows, &told);
	db_rows_free(&rows);
	return result_one(&told, "%s may ask once more, within %s s\n",
	    values[0], window);
}

enum ctl_exit
credential_expire(struct ctl *ctl)
{
	const char *tenant = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[3];
	struct result told;
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = take_args(ctl, options, 2, &tenant)) != CTL_DONE)
		return rc;
	values[0] = ctl->arg[0];
	values[1] = tenant;
	values[2] = strcmp(ctl->arg[1], "never") != 0 ? ctl->arg[1] : NULL;
	if ((rc = change(ctl, &stmt_expire, values, &rows)) != CTL_DONE)
		return rc;
	tell(ctl, &rows, &told);
	if (db_text(&rows, 0, AT_EXPIRES) != NULL)
		rc = result_one(&told, "%s expires %s\n", values[0],
		    db_text(&rows, 0, AT_EXPIRES));
	else
		rc = result_one(&told, "%s does not expire\n", values[0]);
	db_rows_free(&rows);
	return rc;
}

/* Hand a new password to the database; its text is shown when it counts. */
static enum ctl_exit
rotate(struct ctl *ctl, const char *tenant, const char *overlap,
    const struct secret_password *pw, const char *crypt_hash)
{
	static const struct result_column columns[] = {
		{ "device_id", NULL, RESULT_TEXT },
		{ "tenant", NULL, RESULT_TEXT },
		{ "password", NULL, RESULT_TEXT },
		RESULT_END
	};
	const char *values[6];
	struct db_rows rows;
	struct buf salt;
	struct buf hash;
	enum ctl_exit rc;

	buf_init(&salt, 0);
	buf_init(&hash, 0);
	buf_puts(&salt, "\\x");
	buf_hex(&salt, pw->salt, SALT_SIZE);
	buf_puts(&hash, "\\x");
	buf_hex(&hash, pw->hash, DIGEST_SIZE);
	values[0] = ctl->arg[0];
	values[1] = tenant;
	values[2] = buf_text(&salt);
	values[3] = buf_text(&hash);
	values[4] = overlap;
	values[5] = crypt_hash;
	if ((rc = change(ctl, &stmt_rotate, values, &rows)) == CTL_DONE) {
		const char *const told[] = { values[0],
			db_text(&rows, 0, AT_TENANT), pw->text };

		if (result_say(ctl, columns, told, "%s\n", pw->text) !=
		    CTL_DONE || fflush(stdout) == EOF || ferror(stdout)) {
			ctl_error("the password is set, but could not be "
			    "shown");
			ctl_advice("devcredctl credential rotate %s again",
			    values[0]);
			rc = CTL_FAILED;
		}
		db_rows_free(&rows);
	}
	buf_free(&salt);
	buf_free(&hash);
	return rc;
}

enum ctl_exit
credential_rotate(struct ctl *ctl)
{
	const char *tenant = NULL;
	const char *overlap = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ "overlap", NULL, &overlap, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	char crypt_hash[PASSWORD_HASH_SIZE];
	struct secret_password pw;
	char preset[24];
	enum ctl_exit rc;
	long cost = ctl->conf.crypt_cost;
	long seconds;

	if ((rc = take_args(ctl, options, 1, &tenant)) != CTL_DONE)
		return rc;
	snprintf(preset, sizeof(preset), "%ld", ctl->conf.rotation_overlap);
	if (overlap == NULL)
		overlap = preset;
	if (parse_num(overlap, 0, 31536000, &seconds) == -1)
		return ctl_usage(ctl, "--overlap is a number of seconds, up "
		    "to 31536000");
	if (seconds == 0 && (rc = prompt_confirm(ctl, "the password that %s "
	    "has ends at once", ctl->arg[0])) != CTL_DONE)
		return rc;
	if (secret_password_make(&pw) == -1 || (cost > 0 &&
	    secret_crypt_hash(cost, pw.text, crypt_hash) == -1)) {
		ctl_error("no password could be made");
		rc = CTL_FAILED;
	} else {
		rc = rotate(ctl, tenant, overlap, &pw,
		    cost > 0 ? crypt_hash : NULL);
	}
	secret_wipe(&pw, sizeof(pw));
	return rc;
}

static const struct result_column columns_list[] = {
	{ "device_id", "ID", RESULT_TEXT },
	{ "tenant", "TENANT", RESULT_TEXT },
	{ "status", "STATUS", RESULT_TEXT },
	{ "issued_at", "ISSUED", RESULT_TIME },
	{ "first_used_at", "FIRST USED", RESULT_TIME },
	{ "expires_at", "EXPIRES", RESULT_TIME },
	{ "delivery", "DELIVERY", RESULT_TEXT },
	{ "failures", "FAILURES", RESULT_NUM },
	{ "username", NULL, RESULT_TEXT },
	{ "generation", NULL, RESULT_NUM },
	{ "issued_to", NULL, RESULT_TEXT },
	{ "deliveries", NULL, RESULT_NUM },
	{ "accepted_by", NULL, RESULT_TEXT },
	RESULT_END
};

enum ctl_exit
credential_list(struct ctl *ctl)
{
	static const char *const statuses[] = { "ACTIVE", "DISABLED",
		"EXPIRED", NULL };
	const char *tenant = NULL;
	const char *status = NULL;
	const char *limit = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ "status", NULL, &status, NULL },
		{ "limit", NULL, &limit, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[4];
	struct db_rows rows;
	char fetch[24];
	enum ctl_exit rc;
	long n = LIST_LIMIT;
	bool more;

	if ((rc = ctl_args(ctl, options, 0, 1)) != CTL_DONE)
		return rc;
	if (limit != NULL && parse_num(limit, 1, LIST_MAX, &n) == -1)
		return ctl_usage(ctl, "--limit is a number from 1 to %d",
		    LIST_MAX);
	if (status != NULL && !name_begins_word(&status, statuses))
		return ctl_usage(ctl, "a status is ACTIVE, DISABLED or "
		    "EXPIRED");
	if (tenant != NULL && !name_is_tenant(tenant))
		return CTL_FAILED;
	snprintf(fetch, sizeof(fetch), "%ld", n + 1);
	values[0] = tenant;
	values[1] = status;
	values[2] = ctl->narg > 0 ? ctl->arg[0] : NULL;
	values[3] = fetch;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_tenant(ctl, tenant)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_list, values, &rows)) != CTL_DONE)
		return rc;
	more = rows.n > n;
	if (more)
		rows.n = (int)n;
	rc = result_rows(ctl, columns_list, &rows);
	if (rc == CTL_DONE && more)
		ctl_error("there are more than %ld; see --limit", n);
	db_rows_free(&rows);
	return rc;
}
