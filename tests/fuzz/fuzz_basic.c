/* The header of a login, and logins that others have taken apart. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "login.h"
#include "text.h"

static const struct context *
context(void)
{
	static const struct context *cx;

	if (cx == NULL)
		cx = fuzz_context("");
	return cx;
}

/* Look at a header; what it says is in x->login_try. */
static enum verdict
look(struct exchange *x, const char *header)
{
	enum verdict verdict;
	bool wait = true;

	x->rq.authorization = header;
	verdict = auth_begin(x, &wait);
	HOLDS(!wait);
	auth_forget(x, VERDICT_LATER);
	return verdict;
}

/* The same login in a header of ours. */
static void
try_again(const struct login_try *try)
{
	struct exchange *x = fuzz_exchange(context(), "", 0);
	struct buf user;

	buf_init(&user, 0);
	if (try->tenant != NULL)
		buf_printf(&user, "%s/", try->tenant);
	buf_puts(&user, try->name);
	HOLDS(request_login(&x->rq, buf_text(&user), try->password) == 0);
	/* one without a user is none, which no header says */
	HOLDS((x->rq.authorization != NULL) == (user.len > 0));
	if (x->rq.authorization != NULL) {
		HOLDS(look(x, x->rq.authorization) == VERDICT_NONE);
		HOLDS(fuzz_same(x->login_try.tenant, try->tenant));
		HOLDS(fuzz_same(x->login_try.name, try->name));
		HOLDS(fuzz_same(x->login_try.password, try->password));
	}
	buf_free(&user);
	exchange_free(x);
}

static void
try_header(const char *header)
{
	struct exchange *x = fuzz_exchange(context(), "", 0);
	struct login_try *try = &x->login_try;

	switch (look(x, header)) {
	case VERDICT_NONE:
		HOLDS(x->call.id == STORE_LOGIN_ASK);
		HOLDS(utf8_valid(try->name, strlen(try->name), NULL));
		HOLDS(utf8_valid(try->password, strlen(try->password), NULL));
		HOLDS(strlen(try->password) <= PASSWORD_MAX);
		HOLDS(strlen(try->name) < LOGIN_NAME_SIZE);
		HOLDS(strchr(try->name, ':') == NULL);
		HOLDS(try->tenant == NULL ||
		    strpbrk(try->tenant, ":/") == NULL);
		HOLDS(try->tenant != NULL || strchr(try->name, '/') == NULL);
		HOLDS(strchr(header, ',') == NULL);
		try_again(try);
		break;
	case VERDICT_MALFORMED:
		HOLDS(strchr(header, ',') != NULL);
		break;
	case VERDICT_ABSENT:
		break;
	default:
		fuzz_broken("a verdict", __FILE__, __LINE__);
	}
	exchange_free(x);
}

/* Bytes as the user and password that a web server hands over. */
static void
try_parts(const char *text)
{
	struct exchange *x = fuzz_exchange(context(), "", 0);
	const char *eol = strchr(text, '\n');
	const char *password = eol != NULL ? eol + 1 : "";
	char *user = strndup(text, strcspn(text, "\n"));
	enum verdict verdict;

	HOLDS(user != NULL);
	HOLDS(request_login(&x->rq, user, password) == 0);
	HOLDS((x->rq.authorization == NULL) ==
	    (user[0] == '\0' || strchr(user, ':') != NULL));
	verdict = x->rq.authorization == NULL ? VERDICT_ABSENT :
	    look(x, x->rq.authorization);
	HOLDS(verdict == VERDICT_NONE || verdict == VERDICT_ABSENT);
	HOLDS(verdict == VERDICT_ABSENT ||
	    strcmp(x->login_try.password, password) == 0);
	exchange_free(x);
	free(user);
}

/* The bytes as what a header encodes: all of them count, or none. */
static void
try_bytes(const char *data, size_t size, const char *text)
{
	struct exchange *x = fuzz_exchange(context(), "", 0);
	const char *colon = strchr(text, ':');
	struct buf header;
	bool good = size > 0 && strlen(text) == size &&
	    utf8_valid(text, size, NULL) && colon != NULL &&
	    size < PASSWORD_MAX;

	buf_init(&header, 0);
	buf_puts(&header, "Basic ");
	base64_encode(&header, data, size);
	if (size < PASSWORD_MAX)
		HOLDS(look(x, buf_text(&header)) ==
		    (good ? VERDICT_NONE : VERDICT_ABSENT));
	HOLDS(!good || strcmp(x->login_try.password, colon + 1) == 0);
	try_header(buf_text(&header));
	buf_free(&header);
	exchange_free(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_header(text);
	try_parts(text);
	try_bytes((const char *)data, size, text);
	free(text);
	return 0;
}
