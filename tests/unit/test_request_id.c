/* What a request is called. */
#include <stdlib.h>
#include <string.h>

#include "request.h"
#include "tap.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define TEN		"0123456789"
#define LONGEST		TEN TEN TEN TEN TEN TEN "abcd"
#define CLIENT		"HTTP_X_REQUEST_ID="
#define SERVER		"UNIQUE_ID="
#define OTHERS		"REQUEST_METHOD=GET", "HTTP_X_REQUEST=x", \
	"HTTP_X_REQUEST_ID2=x", "XUNIQUE_ID=x", "HTTP_UNIQUE_ID=x"

static const struct {
	const char	*name;
	const char	*env[8];
	const char	*id;	/* NULL: one that is made */
} cases[] = {
	{ "none", { OTHERS }, NULL },
	{ "no variables", { NULL }, NULL },
	{ "one of the client", { OTHERS, CLIENT "a" }, "a" },
	{ "every kind of character", { CLIENT "azAZ09.-_:@" }, "azAZ09.-_:@" },
	{ "64 characters", { CLIENT LONGEST }, LONGEST },
	{ "65 characters", { CLIENT LONGEST "e" }, NULL },
	{ "an empty one", { CLIENT }, NULL },
	{ "a space", { CLIENT "a b" }, NULL },
	{ "a comma", { CLIENT "a,b" }, NULL },
	{ "two in one line", { CLIENT "a, b" }, NULL },
	{ "a quote", { CLIENT "a\"" }, NULL },
	{ "an equals sign", { CLIENT "a=b" }, NULL },
	{ "a slash", { CLIENT "a/b" }, NULL },
	{ "a backslash", { CLIENT "a\\" }, NULL },
	{ "a line's end", { CLIENT "a\nb" }, NULL },
	{ "a line's end behind", { CLIENT "a\n" }, NULL },
	{ "a carriage return", { CLIENT "\ra" }, NULL },
	{ "a delete", { CLIENT "a\x7f" }, NULL },
	{ "UTF-8", { CLIENT "\xc3\xa9" }, NULL },
	{ "no UTF-8", { CLIENT "\xff" }, NULL },
	{ "two", { CLIENT "a", CLIENT "b" }, NULL },
	{ "three", { CLIENT "a", CLIENT "b", CLIENT "a" }, NULL },
	{ "one twice", { CLIENT "a", CLIENT "a" }, "a" },
	{ "one of the server", { OTHERS, SERVER "Zy@-1" }, "Zy@-1" },
	{ "one of each", { SERVER "s", CLIENT "c" }, "c" },
	{ "one of each, the other way", { CLIENT "c", SERVER "s" }, "c" },
	{ "a bad one of the client", { CLIENT "a b", SERVER "s" }, "s" },
	{ "an empty one of the client", { CLIENT, SERVER "s" }, "s" },
	{ "two of the client", { CLIENT "a", CLIENT "b", SERVER "s" }, "s" },
	{ "bad ones", { CLIENT "a b", SERVER "s t" }, NULL },
};

static void
take(char *id, const char *const *env)
{
	char *copy[COUNT(cases[0].env) + 1] = { NULL };
	size_t i;

	for (i = 0; i < COUNT(cases[0].env) && env[i] != NULL; i++)
		if ((copy[i] = strdup(env[i])) == NULL)
			abort();
	request_id(id, copy);
	for (i = 0; copy[i] != NULL; i++)
		free(copy[i]);
}

static bool
is_made(const char *id)
{
	return strlen(id) == 32 && strspn(id, TEN "abcdef") == 32;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* More than are made at once. */
static void
test_made(void)
{
	static const char *const none[COUNT(cases[0].env)];
	static char id[1000][REQUEST_ID_SIZE];
	int same = 0;
	size_t i;

	for (i = 0; i < COUNT(id); i++)
		take(id[i], none);
	qsort(id, COUNT(id), sizeof(id[0]), compare);
	for (i = 1; i < COUNT(id); i++)
		same += strcmp(id[i - 1], id[i]) == 0 || !is_made(id[i]);
	IS_INT(same, 0, "of a thousand that are made no two are the same");
}

int
main(void)
{
	char id[REQUEST_ID_SIZE];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		memset(id, 'x', sizeof(id));
		take(id, cases[i].env);
		if (cases[i].id != NULL)
			IS_STR(id, cases[i].id, "%s", cases[i].name);
		else
			OK(memchr(id, '\0', sizeof(id)) != NULL && is_made(id),
			    "%s: one is made", cases[i].name);
	}
	test_made();
	return tap_done();
}
