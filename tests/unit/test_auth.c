/* What auth.h makes of a header. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "fixture.h"
#include "tap.h"

#define VARS	"REQUEST_METHOD=GET\nREQUEST_URI=/a\nHTTP_HOST=h:80\n"

/* Ask with this header. */
static enum verdict
begin(struct asked *a, const char *header)
{
	struct buf vars;
	enum verdict verdict;
	bool wait = true;

	buf_init(&vars, 0);
	buf_puts(&vars, VARS);
	if (header != NULL)
		buf_printf(&vars, "HTTP_AUTHORIZATION=%s", header);
	ask(a, "", buf_text(&vars), NULL);
	buf_free(&vars);
	verdict = auth_begin(a->x, &wait);
	OK(!wait, "nobody else has to be waited for");
	return verdict;
}

/* "Basic " and the code of some bytes. */
static void
encode(struct buf *out, const char *bytes, size_t len)
{
	unsigned char *code = malloc(len / 3 * 4 + 5);

	if (code == NULL)
		exit(1);
	EVP_EncodeBlock(code, (const unsigned char *)bytes, (int)len);
	buf_printf(out, "Basic %s", (const char *)code);
	free(code);
}

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char	*name;
	const char	*bytes;
	size_t		 len;
	const char	*tenant;
	const char	*user;		/* NULL: no login */
	const char	*password;
} logins[] = {
	{ "tenant, user and password", BYTES("t/u:p"), "t", "u", "p" },
	{ "no tenant", BYTES("u:p"), NULL, "u", "p" },
	{ "an empty tenant", BYTES("/u:p"), "", "u", "p" },
	{ "a user with a slash", BYTES("t/u/v:p"), "t", "u/v", "p" },
	{ "a password with all", BYTES("u:p/q:r, s"), NULL, "u", "p/q:r, s" },
	{ "an empty password", BYTES("t/u:"), "t", "u", "" },
	{ "an empty user", BYTES("t/:p"), "t", "", "p" },
	{ "a colon alone", BYTES(":"), NULL, "", "" },
	{ "two colons", BYTES("u::"), NULL, "u", ":" },
	{ "characters beyond ASCII", BYTES("\xc3\xa9/\xc3\xbc:\xe2\x82\xac"),
	  "\xc3\xa9", "\xc3\xbc", "\xe2\x82\xac" },
	{ "no colon", BYTES("t/u"), NULL, NULL, NULL },
	{ "NUL in the user", BYTES("t/u\0:p"), NULL, NULL, NULL },
	{ "NUL in the password", BYTES("t/u:p\0q"), NULL, NULL, NULL },
	{ "NUL alone", BYTES("\0"), NULL, NULL, NULL },
	{ "bytes that are no UTF-8", BYTES("t/u:\xff"), NULL, NULL, NULL },
};

static void
test_logins(void)
{
	struct asked a;
	struct buf header;
	enum verdict verdict;
	size_t i;

	buf_init(&header, 0);
	for (i = 0; i < COUNT(logins); i++) {
		buf_reset(&header);
		encode(&header, logins[i].bytes, logins[i].len);
		verdict = begin(&a, buf_text(&header));
		IS_INT(verdict, logins[i].user != NULL ? VERDICT_NONE :
		    VERDICT_ABSENT, "a login with %s", logins[i].name);
		if (logins[i].user != NULL && verdict == VERDICT_NONE) {
			IS_INT(a.x->call.id, STORE_LOGIN_ASK, "is asked for");
			IS_STR(call_value(a.x, 0), logins[i].tenant,
			    "its tenant");
			IS_STR(call_value(a.x, 1), "h",
			    "the host without its port");
			IS_STR(call_value(a.x, 2), "management",
			    "the tenant of all others");
			IS_STR(call_value(a.x, 3), logins[i].user, "its user");
			IS_STR(a.x->login_try.password, logins[i].password,
			    "its password");
		}
		asked_free(&a);
	}
	buf_free(&header);
}

static const struct {
	const char	*name;
	const char	*header;	/* NULL: none */
	enum verdict	 verdict;
} headers[] = {
	{ "none", NULL, VERDICT_ABSENT },
	{ "a plain one", "Basic dTpw", VERDICT_NONE },
	{ "one in lower case", "basic dTpw", VERDICT_NONE },
	{ "one with more spaces", "Basic   dTpw  ", VERDICT_NONE },
	{ "the name alone", "Basic", VERDICT_ABSENT },
	{ "the name and a space", "Basic ", VERDICT_ABSENT },
	{ "a name and more", "Basics dTpw", VERDICT_ABSENT },
	{ "half the name", "Bas", VERDICT_ABSENT },
	{ "no space", "BasicdTpw", VERDICT_ABSENT },
	{ "a bearer", "Bearer dTpw", VERDICT_ABSENT },
	{ "a digest",
	  "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\"",
	  VERDICT_ABSENT },
	{ "no base64", "Basic u:p", VERDICT_ABSENT },
	{ "base64 in two", "Basic dT pw", VERDICT_ABSENT },
	{ "base64 of one digit", "Basic d", VERDICT_ABSENT },
	{ "padding alone", "Basic ====", VERDICT_ABSENT },
	{ "two in one", "Basic dTpw, Basic dTpx", VERDICT_MALFORMED },
	{ "two of a kind in one", "Basic dTpw,Basic dTpw", VERDICT_MALFORMED },
	{ "one and a comma", "Basic dTpw,", VERDICT_MALFORMED },
};

static void
test_headers(void)
{
	struct asked a;
	size_t i;

	for (i = 0; i < COUNT(headers); i++) {
		IS_INT(begin(&a, headers[i].header), headers[i].verdict,
		    "a header: %s", headers[i].name);
		asked_free(&a);
	}
}

static const struct {
	const char	*name;
	size_t		 user;
	size_t		 password;
	enum verdict	 verdict;
} lengths[] = {
	{ "the longest user", LOGIN_NAME_SIZE - 1, 1, VERDICT_NONE },
	{ "one longer", LOGIN_NAME_SIZE, 1, VERDICT_ABSENT },
	{ "the longest password", 1, PASSWORD_MAX, VERDICT_NONE },
	{ "one longer", 1, PASSWORD_MAX + 1, VERDICT_ABSENT },
	{ "both by far", 40000, 40000, VERDICT_ABSENT },
};

static void
test_lengths(void)
{
	struct asked a;
	struct buf login;
	struct buf header;
	char *user;
	char *password;
	size_t i;

	for (i = 0; i < COUNT(lengths); i++) {
		user = repeated("u", lengths[i].user);
		password = repeated("p", lengths[i].password);
		buf_init(&login, 0);
		buf_init(&header, 0);
		buf_printf(&login, "%s:%s", user, password);
		encode(&header, login.data, login.len);
		IS_INT(begin(&a, buf_text(&header)), lengths[i].verdict,
		    "a login of %s", lengths[i].name);
		asked_free(&a);
		buf_free(&login);
		buf_free(&header);
		free(user);
		free(password);
	}
}

int
main(void)
{
	test_logins();
	test_headers();
	test_lengths();
	return tap_done();
}
