#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "names.h"
#include "prompt.h"
#include "result.h"
#include "store.h"
#include "text.h"

#define WHO	"'db:' || session_user"

static const struct db_statement stmt_set = { "rule_set",
	"select devcred.accept_rule_set($1, " WHO ", $2, $3, $4::cidr, $5,"
	"       $6::bool, $7::timestamptz, $8::timestamptz, $9::int)", 9 };
static const struct db_statement stmt_enable = { "rule_enable",
	"select devcred.accept_rule_enable($1, " WHO ", $2, true)", 2 };
static const struct db_statement stmt_disable = { "rule_disable",
	"select devcred.accept_rule_enable($1, " WHO ", $2, false)", 2 };
static const struct db_statement stmt_delete = { "rule_delete",
	"select devcred.accept_rule_delete($1, " WHO ", $2)", 2 };
static const struct db_statement stmt_try = { "rule_try",
	"select t.id, t.status, t.type, host(t.claimed_from), t.has_token,"
	"       t.lacks"
	"  from devcred.accept_rule u"
	"  left join devcred.accept_rule_try($1, $2) t"
	"    on true"
	" where u.tenant = $1"
	"   and u.name = $2", 2 };
static const struct db_statement stmt_apply = { "rule_apply",
	"select count(a.id) filter (where a.outcome = 'ok'),"
	"       count(a.id) filter (where a.outcome <> 'ok')"
	"  from devcred.accept_rule u"
	"  left join devcred.accept_rule_apply($1, " WHO ", $2) a"
	"    on true"
	" where u.tenant = $1"
	"   and u.name = $2"
	" having count(u.name) > 0", 2 };
static const struct db_statement stmt_list = { "rule_list",
	"select u.tenant || '/' || u.name, u.tenant, u.name, u.id_pattern,"
	"       u.source::text, u.type, u.needs_token,"
	"       devcred.iso_time(u.valid_from),"
	"       devcred.iso_time(u.valid_until),"
	"       u.used || coalesce(' of ' || u.quota, ''), u.used, u.quota,"
	"       case when u.enabled then 'on' else 'off' end, u.enabled,"
	"       devcred.iso_time(u.created_at), u.created_by"
	"  from devcred.accept_rule u"
	" where $1::text is null"
	"    or u.tenant = $1"
	" order by u.tenant, u.name", 1 };

/*
 * Take TENANT/NAME, and options, from the command line, and begin; first ask
 * people about what would come of it, unless that is NULL.
 */
static enum ctl_exit
begin(struct ctl *ctl, const struct ctl_option *options, const char *deed,
    struct name_login *rule)
{
	enum ctl_exit rc = ctl_args(ctl, options, 1, 1);

	if (rc != CTL_DONE)
		return rc;
	/* it is written as a login is */
	if (name_login(ctl->arg[0], rule) == -1)
		return CTL_FAILED;
	if (deed != NULL && (rc = prompt_confirm(ctl, "%s: %s", rule->whole,
	    deed)) != CTL_DONE)
		return rc;
	return session_begin(ctl);
}

static enum ctl_exit
no_rule(const struct name_login *rule)
{
	ctl_error("there is no rule %s", rule->whole);
	ctl_advice("devcredctl rule list %s", rule->tenant);
	return CTL_FAILED;
}

/* Call what answers with an outcome; done says what has been. */
static enum ctl_exit
change(struct ctl *ctl, const struct name_login *rule,
    const struct db_statement *stmt, const char *const *values,
    const char *done)
{
	static const struct result_column columns[] = {
		{ "tenant", NULL, RESULT_TEXT },
		{ "name", NULL, RESULT_TEXT },
		RESULT_END
	};
	const char *const told[] = { rule->tenant, rule->user };
	struct db_rows rows;
	enum outcome outcome;
	enum ctl_exit rc;

	if ((rc = session_call(ctl, stmt, values, &rows)) != CTL_DONE)
		return rc;
	outcome = store_outcome(&rows, 0, 0);
	db_rows_free(&rows);
	if (outcome == OUTCOME_NO_TENANT)
		return name_no_tenant(rule->tenant);
	if (outcome == OUTCOME_ABSENT)
		return no_rule(rule);
	if ((rc = session_commit(ctl)) == CTL_DONE)
		rc = result_say(ctl, columns, told, "rule %s %s\n",
		    rule->whole, outcome == OUTCOME_UPDATED ? "changed" :
		    done);
	return rc;
}

enum ctl_exit
rule_add(struct ctl *ctl)
{
	const char *id = NULL;
	const char *source = NULL;
	const char *type = NULL;
	const char *from = NULL;
	const char *until = NULL;
	const char *quota = NULL;
	bool token = false;
	const struct ctl_option options[] = {
		{ "id", NULL, &id, NULL },
		{ "source", NULL, &source, NULL },
		{ "type", NULL, &type, NULL },
		{ "needs-token", &token, NULL, NULL },
		{ "from", NULL, &from, NULL },
		{ "until", NULL, &until, NULL },
		{ "quota", NULL, &quota, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct name_login rule;
	enum ctl_exit rc;
	long num;

	if ((rc = begin(ctl, options, NULL, &rule)) != CTL_DONE)
		return rc;
	if (id == NULL)
		return ctl_usage(ctl, "--id says which devices; '*' is all");
	if (quota != NULL && parse_num(quota, 0, INT_MAX, &num) == -1)
		return ctl_usage(ctl, "a quota is a number");
	if (!name_is_text(id, "a pattern") || !name_is_text(type, "a type"))
		return CTL_FAILED;
	const char *const values[] = { rule.tenant, rule.user, id, source,
		type, token ? "t" : "f", from, until, quota };
	return change(ctl, &rule, &stmt_set, values, "added");
}

/* What needs the rule's name alone; loss: what people are asked about. */
static enum ctl_exit
simple(struct ctl *ctl, const struct db_statement *stmt, const char *done,
    const char *loss)
{
	struct name_login rule;
	const char *values[2];
	enum ctl_exit rc;

	if ((rc = begin(ctl, NULL, loss, &rule)) != CTL_DONE)
		return rc;
	values[0] = rule.tenant;
	values[1] = rule.user;
	return change(ctl, &rule, stmt, values, done);
}

enum ctl_exit
rule_enable(struct ctl *ctl)
{
	return simple(ctl, &stmt_enable, "accepts", NULL);
}

enum ctl_exit
rule_disable(struct ctl *ctl)
{
	return simple(ctl, &stmt_disable, "accepts nothing", NULL);
}

enum ctl_exit
rule_delete(struct ctl *ctl)
{
	return simple(ctl, &stmt_delete, "deleted", "the rule and its count of "
	    "devices go");
}

/*
 * Ask about a rule; *rows has at least one if it is there.  deed: what would
 * be done by it, or NULL.
 */
static enum ctl_exit
ask(struct ctl *ctl, const struct db_statement *stmt, const char *deed,
    struct db_rows *rows)
{
	struct name_login rule;
	const char *values[2];
	enum ctl_exit rc;

	if ((rc = begin(ctl, NULL, deed, &rule)) != CTL_DONE)
		return rc;
	values[0] = rule.tenant;
	values[1] = rule.user;
	if ((rc = session_call(ctl, stmt, values, rows)) != CTL_DONE)
		return rc;
	if (rows->n > 0)
		return CTL_DONE;
	db_rows_free(rows);
	return no_rule(&rule);
}

enum ctl_exit
rule_try(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ "id", "ID", RESULT_TEXT },
		{ "status", "STATUS", RESULT_TEXT },
		{ "type", "TYPE", RESULT_TEXT },
		{ "claimed_from", "ASKED FROM", RESULT_TEXT },
		{ "has_token", "TOKEN", RESULT_BOOL },
		{ "lacks", "LACKS", RESULT_TEXT },
		RESULT_END
	};
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = ask(ctl, &stmt_try, NULL, &rows)) != CTL_DONE)
		return rc;
	/* a rule that fits nothing is one row without an id */
	if (db_text(&rows, 0, 0) == NULL)
		rows.n = 0;
	rc = result_rows(ctl, columns, &rows);
	db_rows_free(&rows);
	return rc;
}

enum ctl_exit
rule_apply(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ "accepted", NULL, RESULT_NUM },
		{ "refused", NULL, RESULT_NUM },
		RESULT_END
	};
	struct result r;
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = ask(ctl, &stmt_apply, "accept all that are pending and fit",
	    &rows)) != CTL_DONE)
		return rc;
	if ((rc = session_commit(ctl)) == CTL_DONE) {
		result_init(&r, ctl, columns);
		result_add_rows(&r, &rows);
		rc = result_one(&r, "%s accepted, %s refused\n",
		    db_text(&rows, 0, 0), db_text(&rows, 0, 1));
	}
	db_rows_free(&rows);
	return rc;
}

enum ctl_exit
rule_list(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ NULL, "RULE", RESULT_TEXT },
		{ "tenant", NULL, RESULT_TEXT },
		{ "name", NULL, RESULT_TEXT },
		{ "id_pattern", "ID", RESULT_TEXT },
		{ "source", "SOURCE", RESULT_TEXT },
		{ "type", "TYPE", RESULT_TEXT },
		{ "needs_token", "TOKEN", RESULT_BOOL },
		{ "valid_from", "FROM", RESULT_TIME },
		{ "valid_until", "UNTIL", RESULT_TIME },
		{ NULL, "USED", RESULT_TEXT },
		{ "used", NULL, RESULT_NUM },
		{ "quota", NULL, RESULT_NUM },
		{ NULL, "STATE", RESULT_TEXT },
		{ "enabled", NULL, RESULT_BOOL },
		{ "created_at", NULL, RESULT_TIME },
		{ "created_by", NULL, RESULT_TEXT },
		RESULT_END
	};
	const char *values[1] = { NULL };
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 0, 1)) != CTL_DONE)
		return rc;
	if (ctl->narg > 0)
		values[0] = ctl->arg[0];
	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_tenant(ctl, values[0])) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_list, values, &rows)) != CTL_DONE)
		return rc;
	rc = result_rows(ctl, columns, &rows);
	db_rows_free(&rows);
	return rc;
}
