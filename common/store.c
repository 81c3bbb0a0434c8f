#include <stdint.h>
#include <string.h>

#include "store.h"

#define STATEMENT(f, args, n, lane, reads, group) \
	{ { #f, "select * from devcred." #f "(" args ")", n }, lane, reads, \
	    group }

static const struct store_statement statements[STORE_MAX] = {
	[STORE_LOGIN_ASK] = STATEMENT(login_ask, "$1, $2, $3, $4, $5", 5,
	    LANE_POLL, true, 0),
	[STORE_LOGIN_NOTE] = STATEMENT(login_note, "$1, $2, $3, $4", 4,
	    LANE_ISSUE, false, 0),
	[STORE_TENANT_GET] = STATEMENT(tenant_get, "$1", 1,
	    LANE_ADMIN, true, 0),
	[STORE_TENANT_OPTION_SET] = STATEMENT(tenant_option_set,
	    "$1, $2, $3, $4, $5", 5, LANE_ADMIN, false, 0),
	[STORE_NEWDEVICE_CREATE] = STATEMENT(newdevice_create,
	    "$1, $2, $3, $4, $5, $6, $7, $8, $9", 9, LANE_ADMIN, false, 0),
	[STORE_NEWDEVICE_GET] = STATEMENT(newdevice_get, "$1, $2", 2,
	    LANE_ADMIN, true, 0),
	[STORE_NEWDEVICE_LIST] = STATEMENT(newdevice_list,
	    "$1, $2, $3, $4, $5, $6, $7, $8, $9", 9, LANE_ADMIN, true, 0),
	[STORE_NEWDEVICE_PAGE] = STATEMENT(newdevice_page,
	    "$1, $2, $3, $4, $5, $6, $7", 7, LANE_ADMIN, true, 0),
	[STORE_NEWDEVICE_UPDATE] = STATEMENT(newdevice_update,
	    "$1, $2, $3, $4, $5, $6, $7, $8, $9", 9, LANE_ADMIN, false, 0),
	[STORE_NEWDEVICE_DELETE] = STATEMENT(newdevice_delete,
	    "$1, $2, $3, $4, $5", 5, LANE_ADMIN, false, 0),
	[STORE_NEWDEVICE_ACCEPT_ALL] = STATEMENT(newdevice_accept_all,
	    "$1, $2, $3, $4", 4, LANE_ADMIN, false, 0),
	[STORE_NEWDEVICE_LIMIT] = STATEMENT(newdevice_limit, "$1", 1,
	    LANE_ADMIN, true, 0),
	/* in larger groups all wait for the database, and then it for all */
	[STORE_CREDENTIAL_LOOK] = STATEMENT(credential_look,
	    "$1, $2, $3, $4, $5", 5, LANE_POLL, true, 24),
	[STORE_CREDENTIAL_ISSUE] = STATEMENT(credential_issue,
	    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
	    "$15, $16, $17, $18, $19", 19, LANE_ISSUE, false, 64),
	[STORE_CREDENTIAL_USE] = STATEMENT(credential_use,
	    "$1, $2, $3, $4, $5, $6, $7", 7, LANE_ISSUE, false, 0),
	[STORE_CREDENTIAL_LIST] = STATEMENT(credential_list,
	    "$1, $2, $3, $4, $5, $6, $7, $8, $9", 9, LANE_ADMIN, true, 0),
	[STORE_CREDENTIAL_GET] = STATEMENT(credential_get, "$1, $2, $3", 3,
	    LANE_ADMIN, true, 0),
	[STORE_CREDENTIAL_ROTATE] = STATEMENT(credential_rotate,
	    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10", 10, LANE_ADMIN,
	    false, 0),
	[STORE_CREDENTIAL_DISABLE] = STATEMENT(credential_disable,
	    "$1, $2, $3, $4, $5, $6, $7", 7, LANE_ADMIN, false, 0),
	[STORE_CREDENTIAL_EXPIRE] = STATEMENT(credential_expire,
	    "$1, $2, $3, $4, $5, $6, $7", 7, LANE_ADMIN, false, 0),
	[STORE_CREDENTIAL_REOPEN] = STATEMENT(credential_reopen,
	    "$1, $2, $3, $4, $5, $6, $7", 7, LANE_ADMIN, false, 0),
	[STORE_CREDENTIAL_REVOKE] = STATEMENT(credential_revoke,
	    "$1, $2, $3, $4, $5, $6", 6, LANE_ADMIN, false, 0),
	[STORE_CREDENTIAL_DECOMMISSION] = STATEMENT(credential_decommission,
	    "$1, $2, $3, $4, $5, $6", 6, LANE_ADMIN, false, 0),
	[STORE_NEWDEVICE_CLAIMS] = STATEMENT(newdevice_claims, "$1, $2", 2,
	    LANE_ADMIN, true, 0),
	[STORE_EVENT_LIST] = STATEMENT(event_list, "$1, $2, $3, $4", 4,
	    LANE_ADMIN, true, 0),
	[STORE_EVENT_COUNT] = STATEMENT(event_count, "$1, $2", 2,
	    LANE_ADMIN, true, 0),
	[STORE_HOUSEKEEP] = STATEMENT(housekeep, "$1", 1, LANE_ADMIN, true, 0),
	/* who looks after us is not to wait behind a long list */
	[STORE_SEAL_KEYS] = STATEMENT(seal_keys, "", 0, LANE_POLL, true, 0),
	[STORE_REQUEST_TOTALS] = STATEMENT(request_totals, "", 0, LANE_ADMIN,
	    true, 0),
	/* these run apart from the lanes, on a connection of their own */
	[STORE_BULK_BEGIN] = STATEMENT(bulk_begin, "", 0, LANE_ADMIN, false,
	    0),
	[STORE_NEWDEVICE_LOAD] = STATEMENT(newdevice_load,
	    "$1, $2, $3, $4, $5, $6", 6, LANE_ADMIN, false, 0),
	[STORE_CREDENTIAL_LOAD] = STATEMENT(credential_load,
	    "$1, $2, $3, $4, $5, $6", 6, LANE_ADMIN, false, 0),
};

static const struct db_statement copy_lines = {
	"copy_lines", "copy devcred.bulk_row (device_id, bulk, batch, line, "
	"tenant, type, custom_properties, password_salt, password_hash) "
	"from stdin", 0
};

const struct store_statement *
store_statement(enum store_id id)
{
	return &statements[id];
}

void
store_call_init(struct store_call *call, enum store_id id)
{
	memset(call, 0, sizeof(*call));
	call->id = id;
	buf_init(&call->text, 0);
}

void
store_call_free(struct store_call *call)
{
	buf_free(&call->text);
	call->nvalues = 0;
}

void
store_add(struct store_call *call, const char *value)
{
	if (call->nvalues == STORE_VALUES) {
		call->text.broken = true;
		return;
	}
	call->value[call->nvalues++] = value != NULL ? call->text.len :
	    SIZE_MAX;
	if (value != NULL)
		buf_add(&call->text, value, strlen(value) + 1);
}

void
store_add_num(struct store_call *call, long value)
{
	struct buf num;

	buf_init(&num, 0);
	buf_printf(&num, "%ld", value);
	store_add(call, buf_text(&num));
	buf_free(&num);
}

/* PostgreSQL's text form of bytes. */
static void
add_bytea(struct buf *b, const unsigned char *bytes, size_t len)
{
	buf_puts(b, "\\x");
	buf_hex(b, bytes, len);
}

void
store_add_digest(struct store_call *call, const unsigned char *digest)
{
	struct buf hex;

	buf_init(&hex, 0);
	if (digest != NULL)
		add_bytea(&hex, digest, DIGEST_SIZE);
	store_add(call, digest != NULL ? buf_text(&hex) : NULL);
	buf_free(&hex);
}

void
store_add_salt(struct store_call *call, const unsigned char *salt)
{
	struct buf hex;

	buf_init(&hex, 0);
	add_bytea(&hex, salt, SALT_SIZE);
	store_add(call, buf_text(&hex));
	buf_free(&hex);
}

bool
store_call_ok(const struct store_call *call)
{
	return buf_ok(&call->text) &&
	    call->nvalues == statements[call->id].sql.nparams;
}

static void
array_add_bytea(struct buf *array, const unsigned char *bytes, size_t len)
{
	struct buf hex;

	buf_init(&hex, 0);
	if (bytes != NULL)
		add_bytea(&hex, bytes, len);
	db_array_add(array, bytes != NULL ? buf_text(&hex) : NULL);
	buf_free(&hex);
}

/* Values of a claim; those from CLAIM_WINDOW on are the same for a group. */
enum claim_value {
	CLAIM_ID, CLAIM_SCOPE, CLAIM_ACTOR, CLAIM_SOURCE, CLAIM_TOKEN,
	CLAIM_CLAIMANT, CLAIM_AGENT, CLAIM_TENANT, CLAIM_GENERATION,
	CLAIM_SALT, CLAIM_HASH, CLAIM_SEAL_KEY, CLAIM_SEALED, CLAIM_CRYPT_HASH,
	CLAIM_REQUEST,
	CLAIM_WINDOW, CLAIM_LIMIT, CLAIM_SOURCE_MUST_MATCH, CLAIM_KEYS
};

/* What the grouped statements take, in their order. */
static const enum claim_value look_values[] = {
	CLAIM_ID, CLAIM_SCOPE, CLAIM_TOKEN, CLAIM_CLAIMANT, CLAIM_SOURCE
};
static const enum claim_value issue_values[] = {
	CLAIM_ID, CLAIM_SCOPE, CLAIM_ACTOR, CLAIM_SOURCE, CLAIM_TOKEN,
	CLAIM_CLAIMANT, CLAIM_AGENT, CLAIM_TENANT, CLAIM_GENERATION,
	CLAIM_SALT, CLAIM_HASH, CLAIM_SEAL_KEY, CLAIM_SEALED, CLAIM_CRYPT_HASH,
	CLAIM_WINDOW, CLAIM_LIMIT, CLAIM_SOURCE_MUST_MATCH, CLAIM_KEYS,
	CLAIM_REQUEST
};

static void
array_add_num(struct buf *array, long num)
{
	buf_printf(array, "%s%ld", array->len > 1 ? "," : "", num);
}

/* Add a value of a claim to an array. */
static void
claim_add(struct buf *array, enum claim_value value,
    const struct store_claim *claim)
{
	switch (value) {
	case CLAIM_ID:
		db_array_add(array, claim->id);
		break;
	case CLAIM_SCOPE:
		db_array_add(array, claim->scope);
		break;
	case CLAIM_ACTOR:
		db_array_add(array, claim->actor);
		break;
	case CLAIM_SOURCE:
		db_array_add(array, claim->source);
		break;
	case CLAIM_TOKEN:
		array_add_bytea(array, claim->token, DIGEST_SIZE);
		break;
	case CLAIM_CLAIMANT:
		array_add_bytea(array, claim->claimant, CLAIMANT_SIZE);
		break;
	case CLAIM_AGENT:
		db_array_add(array, claim->agent);
		break;
	case CLAIM_TENANT:
		db_array_add(array, claim->tenant);
		break;
	case CLAIM_GENERATION:
		array_add_num(array, claim->generation);
		break;
	case CLAIM_SALT:
		array_add_bytea(array, claim->salt, SALT_SIZE);
		break;
	case CLAIM_HASH:
		array_add_bytea(array, claim->hash, DIGEST_SIZE);
		break;
	case CLAIM_SEAL_KEY:
		db_array_add(array, claim->seal_key);
		break;
	case CLAIM_SEALED:
		if (claim->seal_key == NULL)
			db_array_add(array, NULL);
		else
			array_add_bytea(array, (const unsigned char *)
			    buf_text(claim->sealed), claim->sealed->len);
		break;
	case CLAIM_REQUEST:
		db_array_add(array, claim->request);
		break;
	default:
		db_array_add(array, claim->crypt_hash);
		break;
	}
}

/* Add a value that is the same for all claims. */
static void
group_add(struct store_call *call, enum claim_value value,
    const struct store_claim *claim)
{
	if (value == CLAIM_WINDOW)
		store_add_num(call, claim->window);
	else if (value == CLAIM_LIMIT)
		store_add_num(call, claim->limit);
	else if (value == CLAIM_KEYS)
		store_add(call, claim->keys);
	else
		store_add(call, claim->source_must_match ? "t" : "f");
}

void
store_group(struct store_call *call, enum store_id id,
    const struct store_claim *const *claims, int n)
{
	const enum claim_value *value = id == STORE_CREDENTIAL_LOOK ?
	    look_values : issue_values;
	struct buf array;
	int i;
	int k;

	store_call_init(call, id);
	buf_init(&array, 0);
	for (i = 0; i < statements[id].sql.nparams; i++) {
		if (value[i] >= CLAIM_WINDOW) {
			group_add(call, value[i], claims[0]);
			continue;
		}
		buf_reset(&array);
		buf_putc(&array, '{');
		for (k = 0; k < n; k++)
			claim_add(&array, value[i], claims[k]);
		buf_putc(&array, '}');
		if (!buf_ok(&array))
			call->text.broken = true;
		store_add(call, buf_text(&array));
	}
	buf_free(&array);
}

void
store_begin(struct store_call *call, struct db *db, int64_t deadline)
{
	const char *value[STORE_VALUES];
	int i;

	for (i = 0; i < call->nvalues; i++)
		value[i] = call->value[i] == SIZE_MAX ? NULL :
		    buf_text(&call->text) + call->value[i];
	db_call(db, &statements[call->id].sql, value, deadline);
}

void
store_copy_lines(struct db *db, const struct buf *rows, int64_t deadline)
{
	db_copy(db, &copy_lines, buf_text(rows), rows->len, deadline);
}
