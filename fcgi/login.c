#include <string.h>
#include <strings.h>

#include "exchange.h"
#include "login.h"
#include "text.h"

/* Take "Basic dGVuYW50L3VzZXI6cGFzc3dvcmQ=" apart (RFC 7617). */
static int
split_header(struct login_try *try, const char *header)
{
	size_t len;
	char *colon;
	char *slash;

	if (strncasecmp(header, "Basic", 5) != 0 || header[5] != ' ')
		return -1;
	header += 5 + strspn(header + 5, " ");
	len = strlen(header);
	while (len > 0 && header[len - 1] == ' ')
		len--;
	if (base64_decode(&try->text, header, len) == -1 || try->text.len == 0)
		return -1;
	if (memchr(try->text.data, '\0', try->text.len) != NULL ||
	    !utf8_valid(try->text.data, try->text.len, NULL) ||
	    (colon = strchr(try->text.data, ':')) == NULL)
		return -1;
	*colon = '\0';
	try->password = colon + 1;
	try->name = try->text.data;
	if ((slash = strchr(try->text.data, '/')) != NULL) {
		*slash = '\0';
		try->tenant = try->text.data;
		try->name = slash + 1;
	}
	return strlen(try->name) < LOGIN_NAME_SIZE &&
	    strlen(try->password) <= PASSWORD_MAX ? 0 : -1;
}

/* Host without its port, for the tenant it names. */
static void
add_host(struct store_call *call, const char *host)
{
	struct buf name;

	buf_init(&name, 0);
	if (host != NULL)
		buf_add(&name, host, strcspn(host, ":"));
	store_add(call, host != NULL ? buf_text(&name) : NULL);
	buf_free(&name);
}

/* Where x comes from, NULL if that is not known. */
static const char *
source(const struct exchange *x)
{
	return x->rq.source[0] != '\0' ? x->rq.source : NULL;
}

/*
 * Who guesses, if it is this login: brokers ask for logins of clients whose
 * addresses they do not tell.
 */
static const char *
guesser(const struct exchange *x)
{
	return x->login_try.for_client ? NULL : source(x);
}

enum verdict
login_ask(struct exchange *x)
{
	struct login_try *try = &x->login_try;

	if (split_header(try, x->rq.authorization) == -1)
		return VERDICT_ABSENT;
	store_call_init(&x->call, STORE_LOGIN_ASK);
	store_add(&x->call, try->tenant);
	add_host(&x->call, x->rq.host);
	store_add(&x->call, x->rq.default_tenant);
	store_add(&x->call, try->name);
	store_add(&x->call, guesser(x));
	return store_call_ok(&x->call) ? VERDICT_NONE : VERDICT_LATER;
}

enum verdict
login_record(struct exchange *x)
{
	struct login_try *try = &x->login_try;

	store_call_free(&x->call);
	store_call_init(&x->call, STORE_LOGIN_NOTE);
	store_add(&x->call, try->found.tenant);
	store_add(&x->call, try->name);
	store_add(&x->call, guesser(x));
	store_add(&x->call, try->verdict == VERDICT_YES ? "t" : "f");
	return store_call_ok(&x->call) ? VERDICT_RECORD : VERDICT_LATER;
}

/* Columns of login_ask that are about devices. */
enum { COL_SALT = 3, COL_HASH, COL_OLD_SALT, COL_OLD_HASH, COL_GENERATION,
	COL_NOTED, COL_HAS_CRYPT };

/* Whether the password is that of the salt and hash from column col on. */
static bool
fits(const struct login_try *try, const struct db_rows *rows, int col)
{
	unsigned char salt[SALT_SIZE] = { 0 };
	unsigned char hash[DIGEST_SIZE] = { 0 };
	bool there = try->exists && db_text(rows, 0, col) != NULL &&
	    db_bytes(rows, 0, col, salt, sizeof(salt)) == 0 &&
	    db_bytes(rows, 0, col + 1, hash, sizeof(hash)) == 0;
	bool same = secret_password_is(try->password, salt, hash);

	return same && there;
}

/* Have it recorded what the login of a device came to. */
static enum verdict
record_use(struct exchange *x, const char *generation, const char *crypt_hash)
{
	struct login_try *try = &x->login_try;

	store_call_free(&x->call);
	store_call_init(&x->call, STORE_CREDENTIAL_USE);
	store_add(&x->call, try->found.tenant);
	store_add(&x->call, try->name + strlen("device_"));
	store_add(&x->call, generation);
	store_add(&x->call, try->verdict == VERDICT_YES ? "t" : "f");
	store_add(&x->call, try->verdict == VERDICT_YES ? source(x) :
	    guesser(x));
	store_add(&x->call, crypt_hash);
	store_add(&x->call, x->request);
	return store_call_ok(&x->call) ? VERDICT_RECORD : VERDICT_LATER;
}

enum verdict
login_check_device(struct exchange *x, const struct db_rows *rows)
{
	struct login_try *try = &x->login_try;
	long cost = x->cx->conf->crypt_cost;
	char crypt_hash[PASSWORD_HASH_SIZE];
	bool current = fits(try, rows, COL_SALT);
	bool old = fits(try, rows, COL_OLD_SALT);
	bool keep;

	try->verdict = current || old ? VERDICT_YES : VERDICT_NO;
	if (!current && old)
		return VERDICT_YES;
	if (!current)
		return record_use(x, NULL, NULL);
	keep = cost > 0 && !db_true(rows, 0, COL_HAS_CRYPT);
	if (db_true(rows, 0, COL_NOTED) && !keep)
		return VERDICT_YES;
	if (keep && secret_crypt_hash(cost, try->password, crypt_hash) == -1)
		keep = false;
	return record_use(x, db_text(rows, 0, COL_GENERATION),
	    keep ? crypt_hash : NULL);
}
