#include <string.h>

#include "keyfile.h"
#include "keyring.h"
#include "secret.h"
#include "text.h"

#define DATE_SIZE	11	/* 2026-11-23, with NUL */

struct key {
	char		id[KEY_ID_SIZE];
	char		created[DATE_SIZE];
	unsigned int	line;
	unsigned char	bytes[SEAL_KEY_SIZE];
};

#define IDS_SIZE	(KEYRING_MAX * (KEY_ID_SIZE + 2) + 3)

struct keyring {
	size_t		n;
	struct key	key[KEYRING_MAX];
	char		ids[IDS_SIZE];	/* {"a","b"} */
};

/* What is yet to be read of a line. */
struct rest {
	const char	*at;
	size_t		 len;
};

bool
key_id_valid(const char *id, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!(id[i] >= 'a' && id[i] <= 'z') &&
		    !(id[i] >= '0' && id[i] <= '9') && id[i] != '-')
			return false;
	return len >= 1 && len < KEY_ID_SIZE;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Take the next word off a line; its length is 0 at the end. */
static struct rest
next_word(struct rest *line)
{
	struct rest word;

	while (line->len > 0 && is_blank(line->at[0])) {
		line->at++;
		line->len--;
	}
	word = *line;
	while (line->len > 0 && !is_blank(line->at[0])) {
		line->at++;
		line->len--;
	}
	word.len -= line->len;
	return word;
}

/* The value of a hexadecimal digit; -1 for anything else. */
static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
hex_decode(struct rest hex, unsigned char *bytes)
{
	size_t i;
	int high;
	int low;

	if (hex.len != (size_t)2 * SEAL_KEY_SIZE)
		return false;
	for (i = 0; i < SEAL_KEY_SIZE; i++) {
		high = nibble(hex.at[2 * i]);
		low = nibble(hex.at[2 * i + 1]);
		if (high == -1 || low == -1)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* Whether it is written as a date, of months that have 31 days each. */
static bool
is_date(struct rest date)
{
	static const char least[] = "0000-01-01";
	size_t i;
	int month;
	int day;

	if (date.len != DATE_SIZE - 1)
		return false;
	for (i = 0; i < date.len; i++)
		if (least[i] == '-' ? date.at[i] != '-' :
		    date.at[i] < '0' || date.at[i] > '9')
			return false;
	month = (date.at[5] - '0') * 10 + date.at[6] - '0';
	day = (date.at[8] - '0') * 10 + date.at[9] - '0';
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Read a line into key; false if it is malformed. */
static bool
key_read(struct key *key, struct rest line)
{
	struct rest id = next_word(&line);
	struct rest hex = next_word(&line);
	struct rest date = next_word(&line);

	if (!key_id_valid(id.at, id.len) || !hex_decode(hex, key->bytes) ||
	    !is_date(date) || next_word(&line).len > 0)
		return false;
	memcpy(key->id, id.at, id.len);
	memcpy(key->created, date.at, date.len);
	return true;
}

static const struct key *
find(const struct keyring *ring, const char *id)
{
	size_t i;

	for (i = 0; i < ring->n; i++)
		if (strcmp(ring->key[i].id, id) == 0)
			return &ring->key[i];
	return NULL;
}

/* Take one line of a file, without its newline; -1 if it is wrong. */
static int
take_line(struct keyring *ring, struct rest line, unsigned int no,
    const char *path, struct buf *error)
{
	struct rest look = line;
	struct rest word = next_word(&look);
	struct key *key;
	const struct key *same;

	if (memchr(line.at, '\0', line.len) != NULL) {
		buf_printf(error, "%s:%u: there is a NUL in this line", path,
		    no);
		return -1;
	}
	if (word.len == 0 || word.at[0] == '#')
		return 0;
	if (ring->n == KEYRING_MAX) {
		buf_printf(error, "%s:%u: there are more than %d keys", path,
		    no, KEYRING_MAX);
		return -1;
	}
	key = &ring->key[ring->n];
	key->line = no;
	if (!key_read(key, line)) {
		buf_printf(error, "%s:%u: a line is an id (1 to 32 of a-z, "
		    "0-9 and -), %d hexadecimal digits and a date "
		    "(2026-11-23)", path, no, 2 * SEAL_KEY_SIZE);
		return -1;
	}
	if ((same = find(ring, key->id)) != NULL) {
		buf_printf(error, "%s:%u: this id is that of line %u", path,
		    no, same->line);
		return -1;
	}
	ring->n++;
	return 0;
}

/* An id needs no escapes, but could be a word that SQL knows. */
static int
put_ids(struct keyring *ring)
{
	struct buf ids;
	size_t i;
	int rc;

	buf_init(&ids, 0);
	for (i = 0; i < ring->n; i++)
		buf_printf(&ids, "%s\"%s\"", i > 0 ? "," : "{",
		    ring->key[i].id);
	buf_puts(&ids, ring->n > 0 ? "}" : "{}");
	rc = buf_ok(&ids) ? str_copy(ring->ids, sizeof(ring->ids),
	    buf_text(&ids), ids.len) : -1;
	buf_free(&ids);
	return rc;
}

struct keyring *
keyring_parse(const char *text, size_t len, const char *path,
    struct buf *error)
{
	struct keyring *ring = secret_alloc(sizeof(*ring));
	struct rest line;
	const char *end;
	unsigned int no;

	if (ring == NULL) {
		buf_printf(error, "%s: no memory for its keys", path);
		return NULL;
	}
	for (no = 1; len > 0; no++) {
		end = memchr(text, '\n', len);
		line.at = text;
		line.len = end != NULL ? (size_t)(end - text) : len;
		if (take_line(ring, line, no, path, error) == -1) {
			keyring_free(ring);
			return NULL;
		}
		text += line.len + (end != NULL);
		len -= line.len + (end != NULL);
	}
	if (put_ids(ring) == -1) {
		buf_printf(error, "%s: no memory for its keys", path);
		keyring_free(ring);
		return NULL;
	}
	return ring;
}

struct keyring *
keyring_load(const char *path, struct buf *error)
{
	struct keyfile file;
	struct keyring *ring;

	if (keyfile_read(&file, path, error) == -1)
		return NULL;
	ring = keyring_parse(file.text, file.len, path, error);
	keyfile_free(&file);
	if (ring != NULL && ring->n == 0) {
		buf_printf(error, "%s has no key", path);
		keyring_free(ring);
		ring = NULL;
	}
	return ring;
}

void
keyring_free(struct keyring *ring)
{
	secret_free(ring, sizeof(*ring));
}

const char *
keyring_current(const struct keyring *ring)
{
	return ring->n > 0 ? ring->key[ring->n - 1].id : NULL;
}

const unsigned char *
keyring_find(const struct keyring *ring, const char *id)
{
	const struct key *key = find(ring, id);

	return key != NULL ? key->bytes : NULL;
}

const char *
keyring_ids(const struct keyring *ring)
{
	return ring != NULL ? ring->ids : "{}";
}

size_t
keyring_count(const struct keyring *ring)
{
	return ring->n;
}

const char *
keyring_id(const struct keyring *ring, size_t i)
{
	return ring->key[i].id;
}

const char *
keyring_created(const struct keyring *ring, size_t i)
{
	return ring->key[i].created;
}

unsigned int
keyring_line(const struct keyring *ring, size_t i)
{
	return ring->key[i].line;
}

/*
 * What a seal is bound to.  Ids hold no newline; one that did could run into
 * its neighbour, so it binds nothing.
 */
static int
put_aad(struct buf *aad, const char *key_id, const char *tenant,
    const char *device_id, long number)
{
	if (strchr(tenant, '\n') != NULL || strchr(device_id, '\n') != NULL)
		return -1;
	buf_printf(aad, "devcred seal 1\n%s\n%s\n%s\n%ld", key_id, tenant,
	    device_id, number);
	return buf_ok(aad) ? 0 : -1;
}

int
keyring_seal(const struct keyring *ring, const char *tenant,
    const char *device_id, long number, const char *text, struct buf *out)
{
	const char *id = keyring_current(ring);
	struct buf aad;
	int rc = -1;

	if (id == NULL)
		return -1;
	buf_init(&aad, 0);
	if (put_aad(&aad, id, tenant, device_id, number) == 0)
		rc = secret_seal(keyring_find(ring, id), buf_text(&aad),
		    aad.len, text, strlen(text), out);
	buf_free(&aad);
	return rc;
}

int
keyring_unseal(const struct keyring *ring, const char *key_id,
    const char *tenant, const char *device_id, long number,
    const void *sealed, size_t len, char *text, size_t size)
{
	const unsigned char *key = keyring_find(ring, key_id);
	struct buf aad;
	int rc = -1;

	if (size > 0)
		text[0] = '\0';
	buf_init(&aad, 0);
	if (key != NULL &&
	    put_aad(&aad, key_id, tenant, device_id, number) == 0)
		rc = secret_unseal(key, buf_text(&aad), aad.len, sealed, len,
		    text, size);
	buf_free(&aad);
	return rc;
}
