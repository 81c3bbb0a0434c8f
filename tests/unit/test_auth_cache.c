/* What auth.h makes of the database's answer, and what it remembers. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "logins.h"
#include "tap.h"

static const char *const admin[COLUMNS] = { "t",
	"ROLE_DEVICE_CONTROL_ADMIN", HASH, LAST("0", "t") };
static const char *const changed[COLUMNS] = { "t",
	"ROLE_DEVICE_CONTROL_ADMIN", HASH "x", LAST("0", "t") };
static const char *const bootstrap[COLUMNS] = { "t",
	"ROLE_DEVICE_BOOTSTRAP", HASH, LAST("0", "t") };
static const char *const nobody[COLUMNS] = { LAST("0", "f") };

/* What a person's password came to is recorded, and nothing hangs on that. */
static void
noted(struct asked *a, bool match, const char *good)
{
	enum verdict want = good[0] == 't' ? VERDICT_YES : VERDICT_NO;

	IS_INT(auth_hashed(a->x, match), VERDICT_RECORD, "is recorded");
	IS_INT(a->x->call.id, STORE_LOGIN_NOTE, "by the call for it");
	IS_STR(call_value(a->x, 0), "t", "with its tenant");
	IS_STR(call_value(a->x, 1), "u", "and name");
	IS_STR(call_value(a->x, 3), good, "and whether it was good");
	IS_INT(answer(a, DB_UNAVAILABLE, NULL), want, "then it is what it is");
}

static void
test_person(void)
{
	struct asked a;
	struct asked b;
	enum verdict verdict;

	ask(&a, "", PERSON, NULL);
	begins(&a, VERDICT_NONE, false, "a login that is not known");
	IS_INT(answer(&a, DB_OK, admin), VERDICT_NONE, "has to be checked");
	IS_STR(a.x->login_try.hash, HASH, "against the stored hash");
	join(&b, &a, PERSON);
	begins(&b, VERDICT_NONE, true, "the same login in the meantime");
	OK(auth_next(a.cx.auth, &verdict) == NULL, "has nothing to go by yet");
	IS_INT(auth_hashed(a.x, true), VERDICT_YES, "the password fits");
	IS_STR(a.x->login.tenant, "t", "the tenant is known");
	IS_STR(a.x->login.actor, "t/u", "and the name");
	IS_INT(a.x->login.roles, ROLE_DEVICE_CONTROL_ADMIN, "and the roles");
	OK(auth_next(a.cx.auth, &verdict) == b.x, "who waited, comes out");
	IS_INT(verdict, VERDICT_YES, "with the same verdict");
	IS_STR(b.x->login.actor, "t/u", "and the same name");
	OK(auth_next(a.cx.auth, &verdict) == NULL, "and nobody else");
	asked_free(&b);
	join(&b, &a, PERSON);
	begins(&b, VERDICT_NONE, false, "later the database is asked again");
	IS_INT(answer(&b, DB_OK, admin), VERDICT_YES,
	    "but the same hash not checked again");
	asked_free(&b);
	join(&b, &a, PERSON);
	begins(&b, VERDICT_NONE, false, "and again");
	IS_INT(answer(&b, DB_OK, changed), VERDICT_NONE, "another hash is");
	noted(&b, false, "f");
	asked_free(&b);
	join(&b, &a, PERSON);
	begins(&b, VERDICT_NONE, false, "what did not fit");
	IS_INT(answer(&b, DB_OK, changed), VERDICT_NONE, "is not remembered");
	noted(&b, false, "f");
	asked_free(&b);
	asked_free(&a);
}

static void
test_bootstrap(const char *conf, bool remembered)
{
	struct asked a;
	struct asked b;

	ask(&a, conf, PERSON, NULL);
	begins(&a, VERDICT_NONE, false, "the bootstrap user");
	IS_INT(answer(&a, DB_OK, bootstrap), VERDICT_NONE, "is checked");
	IS_INT(auth_hashed(a.x, true), VERDICT_YES, "and let in");
	join(&b, &a, PERSON);
	begins(&b, remembered ? VERDICT_YES : VERDICT_NONE, false,
	    remembered ? "is remembered" : "is not remembered if unwanted");
	IS_STR(b.x->login.actor, remembered ? "t/u" : "", "with its name");
	auth_forget(b.x, VERDICT_NONE);
	asked_free(&b);
	join(&b, &a, PERSON "\nHTTP_HOST=other");
	begins(&b, VERDICT_NONE, false, "but not for another host");
	auth_forget(b.x, VERDICT_NONE);
	asked_free(&b);
	join(&b, &a, VARS "HTTP_AUTHORIZATION=Basic dC91OnE=");
	begins(&b, VERDICT_NONE, false, "nor with another password");
	auth_forget(b.x, VERDICT_NONE);
	asked_free(&b);
	asked_free(&a);
}

static void
test_nobody(void)
{
	struct asked a;

	ask(&a, "", PERSON, NULL);
	begins(&a, VERDICT_NONE, false, "a user who does not exist");
	IS_INT(answer(&a, DB_OK, nobody), VERDICT_NONE,
	    "is checked all the same");
	IS_STR(a.x->login_try.hash, secret_slow_dummy(SCHEME_YESCRYPT),
	    "against a stand-in");
	noted(&a, true, "f");
	asked_free(&a);
}

static void
test_source(void)
{
	static const char *const stranger[COLUMNS] = { "t",
		"ROLE_DEVICE_CONTROL_ADMIN", HASH, LAST("0", "f") };
	struct asked a;

	ask(&a, "", PERSON "\nREMOTE_ADDR=192.0.2.7", NULL);
	begins(&a, VERDICT_NONE, false, "a person from elsewhere");
	IS_STR(call_value(a.x, 4), "192.0.2.7", "is asked for with it");
	IS_INT(answer(&a, DB_OK, stranger), VERDICT_NONE, "and checked");
	noted(&a, true, "t");
	asked_free(&a);
}

/* What is recorded of a device's login; then it is what it was. */
static void
recorded(struct asked *a, enum verdict verdict, const char *generation,
    const char *good)
{
	IS_INT(a->x->call.id, STORE_CREDENTIAL_USE, "by the call for it");
	IS_STR(call_value(a->x, 1), "a", "with its id");
	IS_STR(call_value(a->x, 2), generation, "the generation");
	IS_STR(call_value(a->x, 3), good, "and whether it was good");
	IS_INT(answer(a, verdict == VERDICT_YES ? DB_OK : DB_UNAVAILABLE,
	    NULL), verdict, "then it is what it is");
}

static void
test_device(void)
{
	unsigned char digest[DIGEST_SIZE];
	const char *row[COLUMNS] = { "t", "ROLE_DEVICE", NULL, SALT, NULL, NULL,
	    NULL, "3", "t", "f", LAST("0", "t") };
	struct asked a;
	struct buf hex;

	buf_init(&hex, 0);
	buf_puts(&hex, "\\x");
	OK(secret_digest("paaaaaaaaaaaaaaaa", 17, digest) == 0, "a digest");
	buf_hex(&hex, digest, sizeof(digest));
	row[4] = buf_text(&hex);
	ask(&a, "", DEVICE, NULL);
	begins(&a, VERDICT_NONE, false, "a device");
	IS_INT(answer(&a, DB_OK, row), VERDICT_YES, "is let in at once");
	IS_STR(a.x->login.actor, "t/device_a", "with its name");
	asked_free(&a);
	row[8] = "f";
	ask(&a, "", DEVICE, NULL);
	begins(&a, VERDICT_NONE, false, "a device that uses it first");
	IS_INT(answer(&a, DB_OK, row), VERDICT_RECORD, "has that recorded");
	recorded(&a, VERDICT_YES, "3", "t");
	asked_free(&a);
	ask(&a, "", DEVICE, NULL);
	begins(&a, VERDICT_NONE, false, "the same");
	IS_INT(answer(&a, DB_OK, row), VERDICT_RECORD, "is let in only");
	IS_INT(answer(&a, DB_UNAVAILABLE, NULL), VERDICT_LATER,
	    "when that is recorded: it closes the delivery window");
	asked_free(&a);
	row[5] = row[3];
	row[6] = row[4];
	row[4] = ZERO;
	ask(&a, "", DEVICE, NULL);
	begins(&a, VERDICT_NONE, false, "a device with its old password");
	IS_INT(answer(&a, DB_OK, row), VERDICT_YES, "is let in at once");
	asked_free(&a);
	row[4] = row[6];
	row[5] = row[6] = NULL;
	row[8] = "t";
	hex.data[hex.len - 1] ^= 1;
	ask(&a, "", DEVICE, NULL);
	begins(&a, VERDICT_NONE, false, "a device with another password");
	IS_INT(answer(&a, DB_OK, row), VERDICT_RECORD, "is not");
	recorded(&a, VERDICT_NO, NULL, "f");
	IS_INT(a.x->login.roles, 0, "and has no role");
	asked_free(&a);
	row[3] = "\\x6161";
	ask(&a, "", DEVICE, NULL);
	begins(&a, VERDICT_NONE, false, "a device with half a salt");
	IS_INT(answer(&a, DB_OK, row), VERDICT_RECORD, "has no password");
	recorded(&a, VERDICT_NO, NULL, "f");
	asked_free(&a);
	ask(&a, "", DEVICE, NULL);
	begins(&a, VERDICT_NONE, false, "a device that does not exist");
	IS_INT(answer(&a, DB_OK, nobody), VERDICT_RECORD, "is refused");
	recorded(&a, VERDICT_NO, NULL, "f");
	asked_free(&a);
	buf_free(&hex);
}

static const struct {
	enum db_status	 status;
	enum verdict	 verdict;
} failures[] = {
	{ DB_UNAVAILABLE, VERDICT_LATER }, { DB_UNCERTAIN, VERDICT_LATER },
	{ DB_CONFLICT, VERDICT_LATER }, { DB_REFUSED, VERDICT_NO },
};

/* Whoever waits is told, whatever becomes of the one waited for. */
static void
test_failures(void)
{
	enum verdict verdict;
	struct asked a;
	struct asked b;
	size_t i;

	for (i = 0; i < COUNT(failures); i++) {
		ask(&a, "", PERSON, NULL);
		join(&b, &a, PERSON);
		begins(&a, VERDICT_NONE, false, "a login");
		begins(&b, VERDICT_NONE, true, "and the same again");
		IS_INT(answer(&a, failures[i].status, NULL),
		    failures[i].verdict, "the database fails");
		OK(auth_next(a.cx.auth, &verdict) == b.x &&
		    verdict == failures[i].verdict, "for both of them");
		asked_free(&b);
		asked_free(&a);
	}
}

static void
test_forget(void)
{
	enum verdict verdict;
	struct asked a;
	struct asked b;
	struct asked c;

	ask(&a, "", PERSON, NULL);
	join(&b, &a, PERSON);
	join(&c, &a, PERSON);
	begins(&a, VERDICT_NONE, false, "the first of three");
	begins(&b, VERDICT_NONE, true, "the second");
	begins(&c, VERDICT_NONE, true, "the third");
	auth_forget(b.x, VERDICT_LATER);
	auth_forget(a.x, VERDICT_NONE);
	OK(auth_next(a.cx.auth, &verdict) == c.x && verdict == VERDICT_NONE,
	    "when both others have gone, it may try itself");
	OK(auth_next(a.cx.auth, &verdict) == NULL, "who has gone, does not");
	begins(&c, VERDICT_NONE, false, "it does");
	auth_forget(c.x, VERDICT_LATER);
	begins(&b, VERDICT_NONE, false, "and nothing stands in the way after");
	auth_forget(b.x, VERDICT_LATER);
	asked_free(&c);
	asked_free(&b);
	asked_free(&a);
}

/* More logins at once than can be remembered. */
static void
test_many(void)
{
	static struct asked all[600];
	struct buf vars;
	size_t bad = 0;
	size_t i;
	bool wait;

	buf_init(&vars, 0);
	for (i = 0; i < COUNT(all); i++) {
		buf_reset(&vars);
		buf_printf(&vars, VARS "HTTP_AUTHORIZATION=Basic dTpw\n"
		    "HTTP_HOST=h%zu", i);
		ask(&all[i], "", buf_text(&vars), NULL);
		all[i].x->cx = &all[0].cx;
		bad += auth_begin(all[i].x, &wait) != VERDICT_NONE || wait;
	}
	for (i = 0; i < COUNT(all); i++)
		bad += answer(&all[i], DB_OK, bootstrap) != VERDICT_NONE ||
		    auth_hashed(all[i].x, true) != VERDICT_YES;
	IS_INT((long long)bad, 0, "%zu logins at once are all checked",
	    COUNT(all));
	for (i = COUNT(all); i > 0; i--)
		asked_free(&all[i - 1]);
	buf_free(&vars);
}

int
main(void)
{
	test_person();
	test_bootstrap("", true);
	test_bootstrap("login_cache = 0\n", false);
	test_nobody();
	test_source();
	test_device();
	test_failures();
	test_forget();
	test_many();
	return tap_done();
}
