#include <string.h>

#include "model.h"
#include "text.h"

static const char *const status_name[REQUEST_STATUS_NONE] = {
	[WAITING_FOR_CONNECTION] = "WAITING_FOR_CONNECTION",
	[PENDING_ACCEPTANCE] = "PENDING_ACCEPTANCE",
	[ACCEPTED] = "ACCEPTED",
	[BLOCKED] = "BLOCKED",
};

static const char *const outcome_name[OUTCOME_UNKNOWN] = {
	[OUTCOME_OK] = "ok",
	[OUTCOME_ABSENT] = "absent",
	[OUTCOME_EXISTS] = "exists",
	[OUTCOME_WRONG_STATE] = "wrong_state",
	[OUTCOME_TOKEN_MISMATCH] = "token_mismatch",
	[OUTCOME_TOKEN_BLOCKED] = "token_blocked",
	[OUTCOME_NO_TENANT] = "no_tenant",
	[OUTCOME_LIMIT_REACHED] = "limit_reached",
	[OUTCOME_UPDATED] = "updated",
	[OUTCOME_REDELIVERED] = "redelivered",
	[OUTCOME_DECOMMISSIONED] = "decommissioned",
	[OUTCOME_INVALID] = "invalid",
};

static const struct {
	unsigned int	 bit;
	const char	*name;
} role_table[] = {
	{ ROLE_DEVICE_CONTROL_ADMIN,	"ROLE_DEVICE_CONTROL_ADMIN" },
	{ ROLE_DEVICE_CONTROL_READ,	"ROLE_DEVICE_CONTROL_READ" },
	{ ROLE_DEVICE_BOOTSTRAP,	"ROLE_DEVICE_BOOTSTRAP" },
	{ ROLE_USER_MANAGEMENT_ADMIN,	"ROLE_USER_MANAGEMENT_ADMIN" },
	{ ROLE_DEVICE,			"ROLE_DEVICE" },
};

#define NROLES	(sizeof(role_table) / sizeof(role_table[0]))

const char *
request_status_name(enum request_status status)
{
	return status < REQUEST_STATUS_NONE ? status_name[status] : "none";
}

enum request_status
request_status_of(const char *name)
{
	enum request_status i;

	for (i = 0; i < REQUEST_STATUS_NONE; i++)
		if (strcmp(name, status_name[i]) == 0)
			break;
	return i;
}

enum outcome
outcome_of(const char *word)
{
	enum outcome i;

	for (i = 0; i < OUTCOME_UNKNOWN; i++)
		if (strcmp(word, outcome_name[i]) == 0)
			break;
	return i;
}

unsigned int
role_bits(const char *names)
{
	unsigned int bits = 0;
	size_t i;
	size_t len;

	for (;;) {
		names += strspn(names, " ");
		if ((len = strcspn(names, " ")) == 0)
			return bits;
		for (i = 0; i < NROLES; i++)
			if (strlen(role_table[i].name) == len &&
			    memcmp(role_table[i].name, names, len) == 0)
				bits |= role_table[i].bit;
		names += len;
	}
}

const char *
role_name(unsigned int bit)
{
	size_t i;

	for (i = 0; i < NROLES; i++)
		if (role_table[i].bit == bit)
			return role_table[i].name;
	return "none";
}

bool
device_id_check(const char *id, struct buf *why)
{
	const char *bad;
	const char *next;

	if (device_id_valid(id, strlen(id), &bad))
		return true;
	/* what is no text cannot be shown either */
	if (bad == NULL || !utf8_valid(id, strlen(id), NULL)) {
		buf_printf(why, "A device id has 1 to %d characters.",
		    DEVICE_ID_CHARS);
		return false;
	}
	/* the character at bad, up to the next one */
	for (next = bad + 1; (*next & 0xc0) == 0x80; next++)
		continue;
	buf_printf(why, "Device id '%.*s' contains '%.*s' character which is "
	    "not permitted.", (int)utf8_cut(id, DEVICE_ID_CHARS), id,
	    (int)(next - bad), bad);
	return false;
}
