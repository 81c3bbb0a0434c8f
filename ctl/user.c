#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "names.h"
#include "prompt.h"
#include "result.h"
#include "role.h"
#include "secret.h"
#include "store.h"

static const struct db_statement stmt_add = { "user_add",
	"select devcred.user_add($1, $2, $3, $4)", 4 };

static const struct db_statement stmt_passwd = { "user_passwd",
	"select devcred.user_passwd($1, $2, $3)", 3 };

static const struct db_statement stmt_disable = { "user_disable",
	"select devcred.user_disable($1, $2, $3)", 3 };

/* What a change will meet. */
static const struct db_statement stmt_foresee = { "user_foresee",
	"select case"
	"       when not exists (select from devcred.tenant t"
	"            where t.id = $1) then 'no_tenant'"
	"       when exists (select from devcred.tenant_user u"
	"            where u.tenant = $1 and u.name = $2) then 'exists'"
	"       else 'absent' end",
	2 };

static const struct result_column columns_changed[] = {
	{ "tenant", NULL, RESULT_TEXT },
	{ "name", NULL, RESULT_TEXT },
	RESULT_END
};

static const struct result_column columns_password[] = {
	{ "tenant", NULL, RESULT_TEXT },
	{ "name", NULL, RESULT_TEXT },
	{ "password", NULL, RESULT_TEXT },
	RESULT_END
};

static enum prompt_source
source_of(bool from_stdin, bool generate)
{
	if (generate)
		return PROMPT_GENERATE;
	return from_stdin ? PROMPT_STDIN : PROMPT_TERMINAL;
}

/* Tell why a user cannot be added or changed. */
static enum ctl_exit
refuse(enum outcome outcome, const struct name_login *login)
{
	switch (outcome) {
	case OUTCOME_EXISTS:
		ctl_error("there is a user %s already", login->whole);
		ctl_advice("devcredctl user passwd %s", login->whole);
		break;
	case OUTCOME_ABSENT:
		ctl_error("there is no user %s", login->whole);
		ctl_advice("devcredctl user list");
		break;
	case OUTCOME_NO_TENANT:
		return name_no_tenant(login->tenant);
	default:
		ctl_error("the database gave an unknown answer");
	}
	return CTL_FAILED;
}

/* Run one of the functions that answer with an outcome. */
static enum ctl_exit
ask(struct ctl *ctl, const struct db_statement *stmt,
    const char *const *values, enum outcome *outcome)
{
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, stmt, values, &rows)) != CTL_DONE)
		return rc;
	*outcome = store_outcome(&rows, 0, 0);
	db_rows_free(&rows);
	return CTL_DONE;
}

/* The same, and commit. */
static enum ctl_exit
change(struct ctl *ctl, const struct db_statement *stmt,
    const char *const *values, const struct name_login *login)
{
	enum outcome outcome;
	enum ctl_exit rc = ask(ctl, stmt, values, &outcome);

	if (rc != CTL_DONE)
		return rc;
	return outcome == OUTCOME_OK ? session_commit(ctl) :
	    refuse(outcome, login);
}

/*
 * Nobody shall type a password twice to be told that the name was wrong.  The
 * connection ends here, as people may take their time.
 */
static enum ctl_exit
foresee(struct ctl *ctl, enum outcome wanted, const struct name_login *login)
{
	const char *const values[] = { login->tenant, login->user };
	enum outcome outcome;
	enum ctl_exit rc = ask(ctl, &stmt_foresee, values, &outcome);

	db_free(ctl->db);
	ctl->db = NULL;
	if (rc != CTL_DONE)
		return rc;
	return outcome == wanted ? CTL_DONE : refuse(outcome, login);
}

/*
 * Get a password, hash it, and hand the hash to a statement as its third
 * value.  A generated password is shown once it is good for something.
 */
static enum ctl_exit
set_password(struct ctl *ctl, const struct db_statement *stmt,
    const char **values, const struct name_login *login,
    enum prompt_source source)
{
	char password[PROMPT_SIZE];
	char hash[PASSWORD_HASH_SIZE];
	enum ctl_exit rc;

	if (source == PROMPT_TERMINAL && (rc = foresee(ctl,
	    stmt == &stmt_add ? OUTCOME_ABSENT : OUTCOME_EXISTS, login)) !=
	    CTL_DONE)
		return rc;
	rc = prompt_password(source, login->whole, ctl->conf.password_scheme,
	    password);
	if (rc != CTL_DONE)
		goto out;
	if (secret_slow_hash(ctl->conf.password_scheme, password, hash) == -1) {
		ctl_error("the password could not be hashed");
		rc = CTL_FAILED;
		goto out;
	}
	values[0] = login->tenant;
	values[1] = login->user;
	values[2] = hash;
	if ((rc = change(ctl, stmt, values, login)) != CTL_DONE)
		goto out;
	if (source != PROMPT_GENERATE)
		goto out;
	values[2] = password;
	if (result_say(ctl, columns_password, values, "%s\n", password) !=
	    CTL_DONE || fflush(stdout) == EOF || ferror(stdout)) {
		ctl_error("the password is set, but could not be shown");
		ctl_advice("devcredctl user passwd %s", login->whole);
		rc = CTL_FAILED;
	}
out:
	secret_wipe(password, sizeof(password));
	secret_wipe(hash, sizeof(hash));
	return rc;
}

enum ctl_exit
user_add(struct ctl *ctl)
{
	bool from_stdin = false;
	bool generate = false;
	struct buf words;
	struct buf roles;
	const struct ctl_option options[] = {
		{ "role", NULL, NULL, &words },
		{ "generate", &generate, NULL, NULL },
		{ "stdin", &from_stdin, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct name_login login;
	const char *values[4];
	enum ctl_exit rc;
	unsigned int bits;

	buf_init(&words, 0);
	buf_init(&roles, 0);
	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		goto out;
	if (from_stdin && generate) {
		rc = ctl_usage(ctl, "--generate or --stdin, not both");
		goto out;
	}
	if ((bits = role_bits_of(ctl, buf_text(&words))) == 0) {
		rc = CTL_USAGE;
		goto out;
	}
	rc = CTL_FAILED;
	if (name_login(ctl->arg[0], &login) == -1)
		goto out;
	if ((bits & ROLE_DEVICE_BOOTSTRAP) != 0 &&
	    bits != ROLE_DEVICE_BOOTSTRAP) {
		ctl_error("BOOTSTRAP stands alone: every device knows that "
		    "password, so it must open nothing else");
		goto out;
	}
	role_array(&roles, bits);
	values[3] = buf_text(&roles);
	rc = set_password(ctl, &stmt_add, values, &login,
	    source_of(from_stdin, generate));
	if (rc == CTL_DONE && !generate)
		rc = result_say(ctl, columns_changed, values,
		    "user %s added\n", login.whole);
out:
	buf_free(&words);
	buf_free(&roles);
	return rc;
}

enum ctl_exit
user_passwd(struct ctl *ctl)
{
	bool from_stdin = false;
	bool generate = false;
	const struct ctl_option options[] = {
		{ "generate", &generate, NULL, NULL },
		{ "stdin", &from_stdin, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct name_login login;
	const char *values[3];
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	if (from_stdin && generate)
		return ctl_usage(ctl, "--generate or --stdin, not both");
	if (name_login(ctl->arg[0], &login) == -1)
		return CTL_FAILED;
	rc = set_password(ctl, &stmt_passwd, values, &login,
	    source_of(from_stdin, generate));
	if (rc == CTL_DONE && !generate)
		rc = result_say(ctl, columns_changed, values,
		    "password of %s set\n", login.whole);
	return rc;
}

static enum ctl_exit
switch_user(struct ctl *ctl, bool off)
{
	struct name_login login;
	const char *values[3];
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 1, 1)) != CTL_DONE)
		return rc;
	if (name_login(ctl->arg[0], &login) == -1)
		return CTL_FAILED;
	values[0] = login.tenant;
	values[1] = login.user;
	values[2] = off ? "true" : "false";
	if ((rc = change(ctl, &stmt_disable, values, &login)) != CTL_DONE)
		return rc;
	if (off)
		return result_say(ctl, columns_changed, values,
		    "user %s disabled; the service notices within %ld s\n",
		    login.whole, ctl->conf.login_cache);
	return result_say(ctl, columns_changed, values, "user %s enabled\n",
	    login.whole);
}

enum ctl_exit
user_disable(struct ctl *ctl)
{
	return switch_user(ctl, true);
}

enum ctl_exit
user_enable(struct ctl *ctl)
{
	return switch_user(ctl, false);
}
