#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "ctl.h"
#include "model.h"
#include "names.h"
#include "prompt.h"
#include "result.h"
#include "secret.h"
#include "store.h"
#include "text.h"

#define ACTOR	"'db:' || session_user"

static const struct db_statement stmt_add = { "request_add",
	"select outcome, tenant, status"
	"  from devcred.newdevice_create('management', " ACTOR ", null, $1,"
	"       $2, $3, $4, null)",
	4 };

static const struct db_statement stmt_update = { "request_update",
	"select outcome, tenant, status"
	"  from devcred.newdevice_update('management', " ACTOR ", null, $1,"
	"       $2::devcred.request_status, null, $3::bytea, $4::int)",
	4 };

static const struct db_statement stmt_delete = { "request_delete",
	"select outcome"
	"  from devcred.newdevice_delete('management', " ACTOR ", null, $1)",
	1 };

enum { AT_OUTCOME, AT_TENANT, AT_STATUS };

static const struct result_column columns_changed[] = {
	{ "id", NULL, RESULT_TEXT },
	{ "tenant", NULL, RESULT_TEXT },
	{ "status", NULL, RESULT_TEXT },
	RESULT_END
};

enum ctl_exit
request_add(struct ctl *ctl)
{
	const char *tenant = NULL;
	const char *type = NULL;
	const char *group = NULL;
	const struct ctl_option options[] = {
		{ "tenant", NULL, &tenant, NULL },
		{ "type", NULL, &type, NULL },
		{ "group", NULL, &group, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	const char *values[4];
	struct db_rows rows;
	enum outcome outcome;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	if (!name_is_device(ctl->arg[0]) || !name_is_text(type, "type") ||
	    !name_is_text(group, "group") ||
	    (tenant != NULL && !name_is_tenant(tenant)))
		return CTL_FAILED;
	values[0] = ctl->arg[0];
	values[1] = tenant;
	values[2] = group;
	values[3] = type;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_add, values, &rows)) != CTL_DONE)
		return rc;
	outcome = store_outcome(&rows, 0, AT_OUTCOME);
	if (outcome == OUTCOME_NO_TENANT) {
		rc = name_no_tenant(tenant);
	} else if (outcome != OUTCOME_OK) {
		ctl_error("there is a new device request %s already",
		    values[0]);
		ctl_advice("devcredctl request list");
		rc = CTL_FAILED;
	} else if ((rc = session_commit(ctl)) == CTL_DONE) {
		const char *const told[] = { values[0],
			db_text(&rows, 0, AT_TENANT),
			db_text(&rows, 0, AT_STATUS) };

		rc = result_say(ctl, columns_changed, told,
		    "%s is %s, for the tenant %s\n", told[0], told[2],
		    told[1]);
	}
	db_rows_free(&rows);
	return rc;
}

/* Tell why a request in a state does not go into the one wanted. */
static void
tell_wrong_state(const char *id, const char *status, const char *wanted)
{
	bool blocked = strcmp(status, "BLOCKED") == 0;

	if (strcmp(wanted, "ACCEPTED") != 0) {
		if (!blocked) {
			ctl_error("%s is %s, not BLOCKED", id, status);
			return;
		}
		ctl_error("no device has asked for %s yet", id);
		ctl_advice("devcredctl request lift %s --forget", id);
		return;
	}
	ctl_error("%s is %s, not PENDING_ACCEPTANCE", id, status);
	if (blocked)
		ctl_advice("devcredctl request lift %s", id);
	else if (strcmp(status, "WAITING_FOR_CONNECTION") == 0)
		ctl_advice("the device has to ask for its credentials first");
}

/* Tell how a change of the status ended. */
static enum ctl_exit
tell_update(const struct ctl *ctl, const struct db_rows *rows,
    const char *wanted, bool with_token)
{
	const char *id = ctl->arg[0];
	const char *status = db_text(rows, 0, AT_STATUS);
	const char *const told[] = { id, db_text(rows, 0, AT_TENANT), status };

	switch (store_outcome(rows, 0, AT_OUTCOME)) {
	case OUTCOME_OK:
		return result_say(ctl, columns_changed, told, "%s is %s\n",
		    id, status);
	case OUTCOME_WRONG_STATE:
		tell_wrong_state(id, status, wanted);
		break;
	case OUTCOME_LIMIT_REACHED:
		ctl_error("the tenant %s has as many devices as it may have",
		    db_text(rows, 0, AT_TENANT));
		ctl_advice("devcredctl tenant set %s --device-limit N",
		    db_text(rows, 0, AT_TENANT));
		break;
	case OUTCOME_TOKEN_MISMATCH:
		if (with_token) {
			ctl_error("the security token is not the one %s sent",
			    id);
			ctl_advice("too many wrong ones block it");
		} else {
			ctl_error("%s sent a security token, which has to be "
			    "given", id);
			ctl_advice("devcredctl request accept %s "
			    "--token-stdin", id);
		}
		break;
	case OUTCOME_TOKEN_BLOCKED:
		ctl_error("%s is BLOCKED now: wrong security tokens once too "
		    "often, or its tenant requires one and it sent none", id);
		break;
	default:
		ctl_error("the database gave an unknown answer");
	}
	return CTL_FAILED;
}

/* Move a request to a status; token is its digest in hexadecimal, or NULL. */
static enum ctl_exit
update(struct ctl *ctl, const char *status, const char *token)
{
	const char *values[4];
	char attempts[24];
	struct db_rows rows;
	enum ctl_exit rc;

	snprintf(attempts, sizeof(attempts), "%ld", ctl->conf.token_attempts);
	values[0] = ctl->arg[0];
	values[1] = status;
	values[2] = token;
	values[3] = attempts;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_update, values, &rows)) != CTL_DONE)
		return rc;
	/* a refusal has left its mark, which counts */
	if ((rc = session_commit(ctl)) == CTL_DONE)
		rc = rows.n == 0 ? name_no_request(ctl->arg[0]) :
		    tell_update(ctl, &rows, status, token != NULL);
	db_rows_free(&rows);
	return rc;
}

/* Accept one with the security token that stands on standard input. */
static enum ctl_exit
accept_token(struct ctl *ctl)
{
	unsigned char digest[DIGEST_SIZE];
	char token[PROMPT_SIZE];
	struct buf hex;
	enum ctl_exit rc;

	buf_init(&hex, 0);
	rc = prompt_stdin("security token", token);
	if (rc == CTL_DONE && (token[0] == '\0' ||
	    !utf8_valid(token, strlen(token), NULL))) {
		ctl_error("the security token is empty or not UTF-8");
		rc = CTL_FAILED;
	}
	if (rc == CTL_DONE) {
		if (secret_token_digest(ctl->arg[0], token, digest) == 0) {
			buf_puts(&hex, "\\x");
			buf_hex(&hex, digest, sizeof(digest));
		}
		rc = hex.len > 0 && buf_ok(&hex) ?
		    update(ctl, "ACCEPTED", buf_text(&hex)) : CTL_FAILED;
	}
	secret_wipe(token, sizeof(token));
	secret_wipe(digest, sizeof(digest));
	buf_free(&hex);
	return rc;
}

/* Whether what is to be accepted is said in one way, and not in two. */
static enum ctl_exit
check_wanted(struct ctl *ctl, const struct accept_wanted *wanted, bool token)
{
	int ways = (ctl->narg > 0) + wanted->all + (wanted->from != NULL) +
	    (wanted->patterns[0] != '\0');

	if (ways == 0)
		return ctl_usage(ctl, "ID is missing, or --all, --id or "
		    "--from");
	if (ways > 1)
		return ctl_usage(ctl, "name devices, or --all, or --id, or "
		    "--from: one of these");
	if (token && ctl->narg != 1)
		return ctl_usage(ctl, "--token-stdin is for one device");
	if (wanted->tenant != NULL && (ctl->narg > 0 || wanted->from != NULL))
		return ctl_usage(ctl, "--tenant goes with --all or --id");
	return wanted->tenant == NULL || name_is_tenant(wanted->tenant) ?
	    CTL_DONE : CTL_FAILED;
}

enum ctl_exit
request_accept(struct ctl *ctl)
{
	struct accept_wanted wanted = { false, "", NULL, NULL };
	struct buf patterns;
	bool token = false;
	const struct ctl_option options[] = {
		{ "token-stdin", &token, NULL, NULL },
		{ "all", &wanted.all, NULL, NULL },
		{ "id", NULL, NULL, &patterns },
		{ "tenant", NULL, &wanted.tenant, NULL },
		{ "from", NULL, &wanted.from, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	enum ctl_exit rc;

	buf_init(&patterns, 0);
	rc = ctl_args(ctl, options, 0, INT_MAX);
	wanted.patterns = buf_text(&patterns);
	if (rc == CTL_DONE)
		rc = check_wanted(ctl, &wanted, token);
	if (rc == CTL_DONE && ctl->narg != 1)
		rc = accept_many(ctl, &wanted);
	else if (rc == CTL_DONE && !name_is_device(ctl->arg[0]))
		rc = CTL_FAILED;
	else if (rc == CTL_DONE)
		rc = token ? accept_token(ctl) : update(ctl, "ACCEPTED", NULL);
	buf_free(&patterns);
	return rc;
}

enum ctl_exit
request_block(struct ctl *ctl)
{
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 1, 1)) != CTL_DONE)
		return rc;
	if (!name_is_device(ctl->arg[0]))
		return CTL_FAILED;
	return update(ctl, "BLOCKED", NULL);
}

enum ctl_exit
request_lift(struct ctl *ctl)
{
	bool forget = false;
	const struct ctl_option options[] = {
		{ "forget", &forget, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	if (!name_is_device(ctl->arg[0]))
		return CTL_FAILED;
	return update(ctl, forget ? "WAITING_FOR_CONNECTION" :
	    "PENDING_ACCEPTANCE", NULL);
}

enum ctl_exit
request_delete(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ "id", NULL, RESULT_TEXT },
		RESULT_END
	};
	const char *id;
	struct db_rows rows;
	enum ctl_exit rc;
	int n;

	if ((rc = ctl_args(ctl, NULL, 1, 1)) != CTL_DONE)
		return rc;
	if (!name_is_device(ctl->arg[0]))
		return CTL_FAILED;
	id = ctl->arg[0];
	if ((rc = prompt_confirm(ctl, "the request %s goes, with who asked "
	    "for it", id)) != CTL_DONE)
		return rc;
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_delete, &id, &rows)) != CTL_DONE)
		return rc;
	n = rows.n;
	db_rows_free(&rows);
	if (n == 0)
		return name_no_request(id);
	if ((rc = session_commit(ctl)) == CTL_DONE)
		rc = result_say(ctl, columns, &id,
		    "%s deleted; credentials it may have stay\n", id);
	return rc;
}
