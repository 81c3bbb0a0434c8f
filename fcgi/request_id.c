#include <string.h>

#include "request.h"
#include "secret.h"
#include "text.h"

#define RANDOM_SIZE	16	/* bytes of a random id */
#define RANDOM_STOCK	64	/* ids that are made at once */

/* What neither a log, a header nor a shell has to quote. */
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789.-_:@";

/*
 * Bytes for many ids at once: OpenSSL takes a microsecond for any number.
 * Nothing depends on it that nobody guesses them, but a counter would tell
 * everybody how many others there are.  No process is forked that makes more
 * ids, so the stock is never used twice.
 */
static int
make_id(char *id)
{
	static const char digit[] = "0123456789abcdef";
	static unsigned char stock[RANDOM_STOCK][RANDOM_SIZE];
	static int left;
	int i;

	if (left == 0) {
		if (secret_random(stock, sizeof(stock)) == -1)
			return -1;
		left = RANDOM_STOCK;
	}
	left--;
	for (i = 0; i < RANDOM_SIZE; i++) {
		*id++ = digit[stock[left][i] >> 4];
		*id++ = digit[stock[left][i] & 0xf];
	}
	*id = '\0';
	return 0;
}

/* The value if the variable s is name; NULL if it is another. */
static const char *
value_of(const char *s, const char *name, size_t len)
{
	return s[0] == name[0] && strncmp(s, name, len) == 0 ? s + len :
	    NULL;
}

/* Take what somebody calls it; -1 if that cannot be an id. */
static int
take(char *id, const char *given)
{
	size_t len;

	if (given == NULL || given[0] == '\0')
		return -1;
	len = strspn(given, plain);
	return given[len] == '\0' ? str_copy(id, REQUEST_ID_SIZE, given, len) :
	    -1;
}

void
request_id(char id[REQUEST_ID_SIZE], char *const *envp)
{
	static const char client[] = "HTTP_X_REQUEST_ID=";
	static const char server[] = "UNIQUE_ID=";
	const char *by_client = NULL;
	const char *by_server = NULL;
	const char *value;

	for (; *envp != NULL; envp++) {
		value = value_of(*envp, client, sizeof(client) - 1);
		/* of two that differ none is the id */
		if (value != NULL)
			by_client = by_client == NULL ||
			    strcmp(by_client, value) == 0 ? value : "";
		else if (by_server == NULL)
			by_server = value_of(*envp, server,
			    sizeof(server) - 1);
	}
	/* without randomness all have the same name */
	if (take(id, by_client) == -1 && take(id, by_server) == -1 &&
	    make_id(id) == -1)
		memcpy(id, "unknown", sizeof("unknown"));
}
