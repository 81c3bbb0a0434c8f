/* Key files. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "keyring.h"

/* Written out again, it is the same ring. */
static void
try_again(const struct keyring *ring)
{
	struct keyring *back;
	struct buf text;
	size_t n = keyring_count(ring);
	size_t i;

	buf_init(&text, 0);
	for (i = 0; i < n; i++) {
		buf_printf(&text, "%s ", keyring_id(ring, i));
		buf_hex(&text, keyring_find(ring, keyring_id(ring, i)),
		    SEAL_KEY_SIZE);
		buf_printf(&text, "\t%s\n", keyring_created(ring, i));
	}
	back = keyring_parse(buf_text(&text), text.len, "keys", &text);
	HOLDS(back != NULL && keyring_count(back) == n);
	HOLDS(strcmp(keyring_ids(back), keyring_ids(ring)) == 0);
	HOLDS(fuzz_same(keyring_current(back), keyring_current(ring)));
	for (i = 0; i < n; i++)
		HOLDS(memcmp(keyring_find(back, keyring_id(ring, i)),
		    keyring_find(ring, keyring_id(ring, i)),
		    SEAL_KEY_SIZE) == 0);
	keyring_free(back);
	buf_free(&text);
}

static void
try_ring(const struct keyring *ring, size_t lines)
{
	const char *id;
	size_t n = keyring_count(ring);
	size_t i;

	HOLDS(n <= KEYRING_MAX && n <= lines);
	for (i = 0; i < n; i++) {
		id = keyring_id(ring, i);
		HOLDS(key_id_valid(id, strlen(id)));
		HOLDS(keyring_find(ring, id) != NULL);
		HOLDS(strlen(keyring_created(ring, i)) == 10);
		HOLDS(keyring_line(ring, i) <= lines);
		HOLDS(i == 0 ||
		    keyring_line(ring, i) > keyring_line(ring, i - 1));
	}
	HOLDS(n == 0 ? keyring_current(ring) == NULL :
	    strcmp(keyring_current(ring), keyring_id(ring, n - 1)) == 0);
	HOLDS(fuzz_count(keyring_ids(ring), '"') == 2 * n);
	try_again(ring);
}

/* Seals with the ring, for whatever names there are. */
static void
try_seal(const struct keyring *ring, const char *name)
{
	struct buf seal;
	char text[16];
	int rc;

	buf_init(&seal, 0);
	rc = keyring_seal(ring, "t1", name, 7, "secret", &seal);
	HOLDS((rc == 0) == (keyring_count(ring) > 0 &&
	    strchr(name, '\n') == NULL));
	HOLDS(rc == 0 || seal.len == 0);
	if (rc == 0) {
		HOLDS(keyring_unseal(ring, keyring_current(ring), "t1", name,
		    7, seal.data, seal.len, text, sizeof(text)) == 0);
		HOLDS(strcmp(text, "secret") == 0);
		HOLDS(keyring_unseal(ring, keyring_current(ring), "t2", name,
		    7, seal.data, seal.len, text, sizeof(text)) == -1);
		HOLDS(text[0] == '\0');
	}
	buf_free(&seal);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = fuzz_text(data, size < 40 ? size : 40);
	struct keyring *ring;
	struct buf error;
	size_t lines = 1;
	size_t i;

	for (i = 0; i < size; i++)
		lines += data[i] == '\n';
	buf_init(&error, 0);
	ring = keyring_parse((const char *)data, size, "keys", &error);
	HOLDS((ring == NULL) == (error.len > 0));
	if (ring != NULL) {
		try_ring(ring, lines);
		try_seal(ring, name);
		keyring_free(ring);
	} else {
		HOLDS(strncmp(buf_text(&error), "keys:", 5) == 0);
		HOLDS(strchr(buf_text(&error), '\n') == NULL);
		/* one place, one reason, and nothing of what is in the file */
		HOLDS(error.len < 120);
	}
	buf_free(&error);
	free(name);
	return 0;
}
