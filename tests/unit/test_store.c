#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_conn.h"
#include "store.h"
#include "tap.h"

#define NONE	((const char *)0)

/* A value of a call, or NULL for SQL's null. */
static const char *
value_of(const struct store_call *call, int i)
{
	return call->value[i] == SIZE_MAX ? NULL :
	    buf_text(&call->text) + call->value[i];
}

static const struct {
	enum store_id	 id;
	const char	*name;
	int		 nvalues;
	enum store_lane	 lane;
	bool		 reads;
	bool		 grouped;
} table[] = {
	{ STORE_LOGIN_ASK, "login_ask", 5, LANE_POLL, true, false },
	{ STORE_LOGIN_NOTE, "login_note", 4, LANE_ISSUE, false, false },
	{ STORE_TENANT_GET, "tenant_get", 1, LANE_ADMIN, true, false },
	{ STORE_NEWDEVICE_CREATE, "newdevice_create", 9, LANE_ADMIN, false,
	  false },
	{ STORE_NEWDEVICE_GET, "newdevice_get", 2, LANE_ADMIN, true, false },
	{ STORE_NEWDEVICE_LIST, "newdevice_list", 9, LANE_ADMIN, true, false },
	{ STORE_NEWDEVICE_PAGE, "newdevice_page", 7, LANE_ADMIN, true, false },
	{ STORE_NEWDEVICE_UPDATE, "newdevice_update", 9, LANE_ADMIN, false,
	  false },
	{ STORE_NEWDEVICE_DELETE, "newdevice_delete", 5, LANE_ADMIN, false,
	  false },
	{ STORE_NEWDEVICE_ACCEPT_ALL, "newdevice_accept_all", 4, LANE_ADMIN,
	  false, false },
	{ STORE_NEWDEVICE_LIMIT, "newdevice_limit", 1, LANE_ADMIN, true,
	  false },
	{ STORE_CREDENTIAL_LOOK, "credential_look", 5, LANE_POLL, true, true },
	{ STORE_CREDENTIAL_ISSUE, "credential_issue", 19, LANE_ISSUE, false,
	  true },
	{ STORE_CREDENTIAL_USE, "credential_use", 7, LANE_ISSUE, false,
	  false },
	{ STORE_CREDENTIAL_LIST, "credential_list", 9, LANE_ADMIN, true,
	  false },
	{ STORE_CREDENTIAL_GET, "credential_get", 3, LANE_ADMIN, true, false },
	{ STORE_CREDENTIAL_ROTATE, "credential_rotate", 10, LANE_ADMIN, false,
	  false },
	{ STORE_CREDENTIAL_DISABLE, "credential_disable", 7, LANE_ADMIN, false,
	  false },
	{ STORE_CREDENTIAL_EXPIRE, "credential_expire", 7, LANE_ADMIN, false,
	  false },
	{ STORE_CREDENTIAL_REOPEN, "credential_reopen", 7, LANE_ADMIN, false,
	  false },
	{ STORE_CREDENTIAL_REVOKE, "credential_revoke", 6, LANE_ADMIN, false,
	  false },
	{ STORE_CREDENTIAL_DECOMMISSION, "credential_decommission", 6,
	  LANE_ADMIN, false, false },
	{ STORE_NEWDEVICE_CLAIMS, "newdevice_claims", 2, LANE_ADMIN, true,
	  false },
	{ STORE_TENANT_OPTION_SET, "tenant_option_set", 5, LANE_ADMIN, false,
	  false },
	{ STORE_EVENT_LIST, "event_list", 4, LANE_ADMIN, true, false },
	{ STORE_EVENT_COUNT, "event_count", 2, LANE_ADMIN, true, false },
	{ STORE_HOUSEKEEP, "housekeep", 1, LANE_ADMIN, true, false },
	{ STORE_SEAL_KEYS, "seal_keys", 0, LANE_POLL, true, false },
	{ STORE_REQUEST_TOTALS, "request_totals", 0, LANE_ADMIN, true, false },
	{ STORE_BULK_BEGIN, "bulk_begin", 0, LANE_ADMIN, false, false },
	{ STORE_NEWDEVICE_LOAD, "newdevice_load", 6, LANE_ADMIN, false,
	  false },
	{ STORE_CREDENTIAL_LOAD, "credential_load", 6, LANE_ADMIN, false,
	  false },
};

#define NTABLE	(sizeof(table) / sizeof(table[0]))

/* A statement runs its own function with as many values as it says. */
static void
test_statement(size_t i)
{
	const struct store_statement *st = store_statement(table[i].id);
	struct store_call call;
	char sql[128];
	size_t len;
	int k;

	IS_STR(st->sql.name, table[i].name, "%s has its name", table[i].name);
	IS_INT(st->sql.nparams, table[i].nvalues, "its number of values");
	IS_INT(st->lane, table[i].lane, "its lane");
	IS_INT(st->reads, table[i].reads, "it may be repeated, or not");
	IS_INT(st->group_max > 0, table[i].grouped, "is grouped, or not");
	len = (size_t)snprintf(sql, sizeof(sql), "select * from devcred.%s(",
	    table[i].name);
	for (k = 1; k <= table[i].nvalues; k++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, "%s$%d",
		    k > 1 ? ", " : "", k);
	snprintf(sql + len, sizeof(sql) - len, ")");
	IS_STR(st->sql.sql, sql, "names each of its values once");
	store_call_init(&call, table[i].id);
	for (k = 0; k < table[i].nvalues; k++) {
		OK(!store_call_ok(&call), "with %d values it is not whole", k);
		store_add(&call, k % 2 == 0 ? "x" : NONE);
	}
	OK(store_call_ok(&call), "with all it is");
	store_add(&call, NONE);
	OK(!store_call_ok(&call), "with one more it is not");
	store_call_free(&call);
	store_call_free(&call);
}

static void
test_values(void)
{
	unsigned char *digest = malloc(DIGEST_SIZE);
	struct store_call call;
	char *copy = strdup("");

	if (digest == NULL || copy == NULL)
		abort();
	memset(digest, 0xa5, DIGEST_SIZE);
	digest[0] = 0;
	store_call_init(&call, STORE_NEWDEVICE_CREATE);
	store_add(&call, copy);
	store_add(&call, NONE);
	store_add(&call, "a\"b\\c'\n\xc3\xa9");
	store_add_num(&call, LONG_MIN);
	store_add_num(&call, LONG_MAX);
	store_add_digest(&call, digest);
	store_add_digest(&call, NULL);
	store_add_num(&call, 0);
	store_add(&call, NONE);
	free(copy);
	free(digest);
	OK(store_call_ok(&call), "values of every kind make a call");
	IS_STR(value_of(&call, 0), "", "an empty text is not null");
	IS_STR(value_of(&call, 1), NULL, "null is null");
	IS_STR(value_of(&call, 2), "a\"b\\c'\n\xc3\xa9",
	    "text is as it was");
	IS_STR(value_of(&call, 3), "-9223372036854775808", "least number");
	IS_STR(value_of(&call, 4), "9223372036854775807", "greatest number");
	IS_STR(value_of(&call, 5), "\\x00a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
	    "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5", "a digest is a bytea");
	IS_STR(value_of(&call, 6), NULL, "no digest is null");
	IS_STR(value_of(&call, 7), "0", "zero");
	while (call.nvalues < STORE_VALUES)
		store_add(&call, "x");
	store_add(&call, "one more");
	OK(!store_call_ok(&call), "there is no room for one value more");
	IS_INT(call.nvalues, STORE_VALUES, "which is not there");
	store_call_free(&call);
	store_call_init(&call, STORE_TENANT_GET);
	store_add(&call, "t");
	OK(store_call_ok(&call), "a call after a free is a new one");
	store_call_free(&call);
}

/* Many values of some length: those before stay where they are. */
static void
test_long_values(void)
{
	char *text = malloc(5001);
	struct store_call call;
	int i;

	if (text == NULL)
		abort();
	memset(text, 'x', 5000);
	text[5000] = '\0';
	store_call_init(&call, STORE_CREDENTIAL_ISSUE);
	for (i = 0; i < STORE_VALUES; i++) {
		text[0] = (char)('A' + i);
		store_add(&call, text);
	}
	OK(store_call_ok(&call), "long values make a call");
	for (i = 0; i < STORE_VALUES; i++) {
		text[0] = (char)('A' + i);
		IS_STR(value_of(&call, i), text, "long value %d", i);
	}
	store_call_free(&call);
	free(text);
}

static unsigned char token[DIGEST_SIZE];
static unsigned char salt[SALT_SIZE];
static unsigned char hash[DIGEST_SIZE];

static unsigned char who[CLAIMANT_SIZE];
static char seal_text[] = "\xab\xab";
static const struct buf sealed = { .data = seal_text, .len = 2 };

#define HEX_16(d)	d d d d d d d d d d d d d d d d
#define TOKEN	"\"\\\\x" HEX_16("01") HEX_16("01") "\""
#define SALT	"\"\\\\x" HEX_16("02") "\""
#define HASH	"\"\\\\x" HEX_16("fe") HEX_16("fe") "\""
#define WHO	"\"\\\\x" HEX_16("03") "\""

#define CLAIM(i, s, a, f, g, t, n, k, c) { .id = i, .scope = s, .actor = a, \
	.source = f, .agent = g, .token = t, .claimant = who, .tenant = s, \
	.generation = n, .salt = salt, .hash = hash, .seal_key = k, \
	.sealed = &sealed, .crypt_hash = c, .request = a, .window = 900, \
	.limit = 10, .keys = "{\"k\"}" }

static const struct store_claim claims[] = {
	CLAIM("plain", "t1", "t1/boot", "192.0.2.1", "curl", token, 1, "k",
	    NULL),
	CLAIM("a\"b", "t\\2", "t\\2/\"", NULL, "\"{}\"", NULL, 2, NULL,
	    "$2a$"),
	CLAIM("{a,b}", "", "null", "::1", NULL, token, 3, "k", NULL),
	CLAIM("NULL", "\xc3\xa9", " x ", NULL, "", NULL, 4, NULL, NULL),
};

static const char *const issue[] = {
	"{\"plain\",\"a\\\"b\",\"{a,b}\",\"NULL\"}",
	"{\"t1\",\"t\\\\2\",\"\",\"\xc3\xa9\"}",
	"{\"t1/boot\",\"t\\\\2/\\\"\",\"null\",\" x \"}",
	"{\"192.0.2.1\",NULL,\"::1\",NULL}",
	"{" TOKEN ",NULL," TOKEN ",NULL}",
	"{" WHO "," WHO "," WHO "," WHO "}",
	"{\"curl\",\"\\\"{}\\\"\",NULL,\"\"}",
	"{\"t1\",\"t\\\\2\",\"\",\"\xc3\xa9\"}",
	"{1,2,3,4}",
	"{" SALT "," SALT "," SALT "," SALT "}",
	"{" HASH "," HASH "," HASH "," HASH "}",
	"{\"k\",NULL,\"k\",NULL}",
	"{\"\\\\xabab\",NULL,\"\\\\xabab\",NULL}",
	"{NULL,\"$2a$\",NULL,NULL}",
	"900",
	"10",
	"f",
	"{\"k\"}",
	"{\"t1/boot\",\"t\\\\2/\\\"\",\"null\",\" x \"}",
};

static void
test_group(void)
{
	/* id, scope, token and claimant alone */
	static const int look[] = { 0, 1, 4, 5, 3 };
	const struct store_claim *of[4];
	struct store_call call;
	int i;

	memset(token, 0x01, sizeof(token));
	memset(salt, 0x02, sizeof(salt));
	memset(who, 0x03, sizeof(who));
	memset(hash, 0xfe, sizeof(hash));
	for (i = 0; i < 4; i++)
		of[i] = &claims[i];
	store_group(&call, STORE_CREDENTIAL_ISSUE, of, 4);
	OK(store_call_ok(&call), "four claims to issue are one call");
	for (i = 0; i < 19; i++)
		IS_STR(value_of(&call, i), issue[i], "value %d of it", i);
	store_call_free(&call);
	store_group(&call, STORE_CREDENTIAL_LOOK, of, 4);
	OK(store_call_ok(&call), "four claims to look at are one call");
	for (i = 0; i < 4; i++)
		IS_STR(value_of(&call, i), issue[look[i]], "array %d of it", i);
	store_call_free(&call);
	store_group(&call, STORE_CREDENTIAL_LOOK, of + 1, 1);
	IS_STR(value_of(&call, 0), "{\"a\\\"b\"}", "one claim is an array");
	IS_STR(value_of(&call, 2), "{NULL}", "of one null");
	store_call_free(&call);
}

/* As many as a group may have. */
static void
test_full_group(void)
{
	int max = store_statement(STORE_CREDENTIAL_LOOK)->group_max;
	const struct store_claim **of = calloc((size_t)max, sizeof(*of));
	struct store_call call;
	const char *s;
	int commas = 0;
	int i;

	if (of == NULL)
		abort();
	for (i = 0; i < max; i++)
		of[i] = &claims[0];
	store_group(&call, STORE_CREDENTIAL_LOOK, of, max);
	OK(store_call_ok(&call), "a full group is one call");
	for (s = value_of(&call, 2); *s != '\0'; s++)
		commas += *s == ',';
	IS_INT(commas, max - 1, "with a token for each claim");
	store_call_free(&call);
	free(of);
}

int
main(void)
{
	size_t i;

	IS_INT((int)NTABLE, STORE_MAX, "every statement is known here");
	OK(STORE_MAX <= PREPARED_MAX, "a connection can prepare all of them");
	OK(STORE_VALUES <= PARAMS_MAX, "and pass all their values");
	for (i = 0; i < NTABLE; i++)
		test_statement(i);
	test_values();
	test_long_values();
	test_group();
	test_full_group();
	return tap_done();
}
