/* What auth.h makes of a login that has to wait, because too many failed. */
#include <stdlib.h>
#include <string.h>

#include "logins.h"
#include "tap.h"

#define FROM(source)	"\nREMOTE_ADDR=" source

static const char *const admin[COLUMNS] = { "t",
	"ROLE_DEVICE_CONTROL_ADMIN", HASH, LAST("0", "t") };
static const char *const guessed[COLUMNS] = { "t",
	"ROLE_DEVICE_CONTROL_ADMIN", HASH, LAST("30", "t") };
static const char *const bootstrap[COLUMNS] = { "t",
	"ROLE_DEVICE_BOOTSTRAP", HASH, LAST("0", "t") };
static const char *const stopped[COLUMNS] = { "t",
	"ROLE_DEVICE_BOOTSTRAP", HASH, LAST("30", "t") };
static const char *const nobody[COLUMNS] = { LAST("7", "f") };

static void
test_wait(void)
{
	struct asked a;
	struct asked b;
	enum verdict verdict;

	ask(&a, "", PERSON, NULL);
	begins(&a, VERDICT_NONE, false, "a login that was guessed at");
	join(&b, &a, PERSON);
	begins(&b, VERDICT_NONE, true, "and the same again");
	IS_INT(answer(&a, DB_OK, guessed), VERDICT_WAIT, "is not looked at");
	IS_INT(a.x->login_try.wait, 30, "for so long");
	OK(auth_next(a.cx.auth, &verdict) == b.x && verdict == VERDICT_WAIT &&
	    b.x->login_try.wait == 30, "nor is the other");
	asked_free(&b);
	join(&b, &a, PERSON);
	begins(&b, VERDICT_NONE, false, "when that is over");
	IS_INT(answer(&b, DB_OK, admin), VERDICT_NONE, "it is checked");
	IS_INT(auth_hashed(b.x, true), VERDICT_YES, "and let in");
	asked_free(&b);
	join(&b, &a, PERSON);
	begins(&b, VERDICT_NONE, false, "though it was right");
	IS_INT(answer(&b, DB_OK, guessed), VERDICT_WAIT,
	    "who guesses is not told so");
	asked_free(&b);
	join(&b, &a, PERSON);
	begins(&b, VERDICT_NONE, false, "when that is over");
	IS_INT(answer(&b, DB_OK, admin), VERDICT_YES,
	    "it is known what was checked");
	asked_free(&b);
	join(&b, &a, PERSON "\nHTTP_HOST=other");
	begins(&b, VERDICT_NONE, false, "a login that nobody has");
	IS_INT(answer(&b, DB_OK, nobody), VERDICT_WAIT, "waits, too");
	IS_INT(b.x->login_try.wait, 7, "as long as it is told");
	asked_free(&b);
	asked_free(&a);
}

static void
test_device(void)
{
	static const char *const device[COLUMNS] = { "t", "ROLE_DEVICE", NULL,
		SALT, ZERO, [7] = "3", [8] = "t", [9] = "f",
		LAST("30", "t") };
	struct asked a;

	ask(&a, "", DEVICE, NULL);
	begins(&a, VERDICT_NONE, false, "a device that was guessed at");
	IS_INT(answer(&a, DB_OK, device), VERDICT_WAIT, "has to wait");
	asked_free(&a);
}

/* A wrong login from an address. */
static void
fail(struct asked *a, const char *vars)
{
	struct asked b;

	join(&b, a, vars);
	begins(&b, VERDICT_NONE, false, "a wrong password");
	IS_INT(answer(&b, DB_OK, bootstrap), VERDICT_NONE, "is looked at");
	IS_INT(auth_hashed(b.x, false), VERDICT_RECORD, "is wrong");
	IS_INT(answer(&b, DB_OK, NULL), VERDICT_NO, "and noted");
	asked_free(&b);
}

/* A login that is remembered is not so for who has just failed. */
static void
test_suspect(void)
{
	static const struct {
		const char	*vars;
		bool		 remembered;
		const char	*name;
	} cases[] = {
		{ PERSON FROM("192.0.2.1"), true, "from elsewhere" },
		{ PERSON FROM("192.0.2.2"), false, "from where one failed" },
		{ PERSON FROM("2001:db8:1:2::9"), false, "and all its /64" },
		{ PERSON FROM("2001:db8:1:3::9"), true, "but no other" },
		{ PERSON, true, "from who knows where" },
	};
	struct asked a;
	struct asked b;
	enum verdict verdict;
	size_t i;

	ask(&a, "", PERSON FROM("192.0.2.1"), NULL);
	begins(&a, VERDICT_NONE, false, "the bootstrap login");
	IS_INT(answer(&a, DB_OK, bootstrap), VERDICT_NONE, "is checked");
	IS_INT(auth_hashed(a.x, true), VERDICT_YES, "and remembered");
	fail(&a, VARS "HTTP_AUTHORIZATION=Basic dC91OnE=" FROM("192.0.2.2"));
	fail(&a, VARS "HTTP_AUTHORIZATION=Basic dC91OnI="
	    FROM("2001:db8:1:2::1"));
	for (i = 0; i < COUNT(cases); i++) {
		join(&b, &a, cases[i].vars);
		begins(&b, cases[i].remembered ? VERDICT_YES : VERDICT_NONE,
		    false, cases[i].name);
		if (!cases[i].remembered)
			IS_INT(answer(&b, DB_OK, stopped), VERDICT_WAIT,
			    "the database is asked, which says no");
		asked_free(&b);
	}
	join(&b, &a, PERSON FROM("192.0.2.1"));
	begins(&b, VERDICT_YES, false, "all the others are as before");
	asked_free(&b);
	OK(auth_next(a.cx.auth, &verdict) == NULL, "and nobody waits");
	asked_free(&a);
}

/* Who brings the same login at once comes out, to be told or to try himself. */
static void
comes_out(struct asked *a, struct asked *b, enum verdict want,
    const char *name)
{
	enum verdict verdict;

	OK(auth_next(a->cx.auth, &verdict) == b->x && verdict == want, "%s",
	    name);
}

/* The verdict on another is good for whom it would have been the same. */
static void
test_join(void)
{
	struct asked a;
	struct asked b;
	struct asked c;
	struct asked d;

	ask(&a, "", PERSON FROM("192.0.2.1"), NULL);
	fail(&a, VARS "HTTP_AUTHORIZATION=Basic dC91OnE=" FROM("192.0.2.2"));
	begins(&a, VERDICT_NONE, false, "the bootstrap login");
	join(&b, &a, PERSON FROM("192.0.2.2"));
	begins(&b, VERDICT_NONE, true, "the same, from where one failed");
	join(&c, &a, PERSON FROM("192.0.2.3"));
	begins(&c, VERDICT_NONE, true, "and from elsewhere");
	IS_INT(answer(&a, DB_OK, bootstrap), VERDICT_NONE, "is checked");
	IS_INT(auth_hashed(a.x, true), VERDICT_YES, "and let in");
	comes_out(&a, &b, VERDICT_NONE, "who may have failed, tries himself");
	comes_out(&a, &c, VERDICT_YES, "others are let in, too");
	begins(&b, VERDICT_NONE, false, "so he does");
	asked_free(&c);
	join(&c, &a, PERSON FROM("192.0.2.3"));
	begins(&c, VERDICT_NONE, true, "and somebody behind him");
	join(&d, &a, PERSON FROM("192.0.2.2"));
	begins(&d, VERDICT_NONE, true, "and one from the same place");
	IS_INT(answer(&b, DB_OK, stopped), VERDICT_WAIT, "he has to wait");
	comes_out(&a, &c, VERDICT_NONE, "who comes from elsewhere has not");
	comes_out(&a, &d, VERDICT_WAIT, "who comes from there has");
	asked_free(&d);
	asked_free(&c);
	asked_free(&b);
	asked_free(&a);
}

int
main(void)
{
	test_wait();
	test_device();
	test_suspect();
	test_join();
	return tap_done();
}
