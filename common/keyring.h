/*
 * keyring: the keys that seal issued passwords, and the seals.
 *
 * A key file has one key a line, "ID HEX64 CREATED": a name, 32 bytes in
 * hexadecimal, a date.  Lines that are empty or begin with # are skipped.
 * The last key seals; each opens what it sealed.
 *
 * Words about a file that is refused never hold anything of its contents.
 */
#ifndef DEVCRED_KEYRING_H
#define DEVCRED_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define KEYRING_MAX	64	/* keys */
#define KEY_ID_SIZE	33	/* bytes, with NUL */

/* Keys, in memory that no core dump has. */
struct keyring;

/*
 * The keys of a file that is safe (see keyfile.h) and has at least one.  NULL
 * with a sentence added to error if it is refused.
 */
struct keyring *keyring_load(const char *path, struct buf *error) MUST_CHECK;

/*
 * The keys in a file's text, maybe none; NULL with a sentence that begins
 * with path added to error if it is malformed.
 */
struct keyring *keyring_parse(const char *text, size_t len, const char *path,
	    struct buf *error) MUST_CHECK;

/* Wipe and free; NULL is allowed. */
void	 keyring_free(struct keyring *ring);

/* The id of the key that seals; NULL if there is no key. */
const char *keyring_current(const struct keyring *ring);

/* The SEAL_KEY_SIZE bytes of a key; NULL if there is none of that id. */
const unsigned char *keyring_find(const struct keyring *ring, const char *id);

/* How many keys there are; of key i in the file its id, date and line (1..). */
size_t	 keyring_count(const struct keyring *ring);
const char *keyring_id(const struct keyring *ring, size_t i);
const char *keyring_created(const struct keyring *ring, size_t i);
unsigned int keyring_line(const struct keyring *ring, size_t i);

/* The ids of all keys, as the text of an array in SQL; "{}" for no ring. */
const char *keyring_ids(const struct keyring *ring);

/* Whether it can be the id of a key: 1 to 32 of a-z, 0-9 and -. */
bool	 key_id_valid(const char *id, size_t len) MUST_CHECK;

/*
 * Seal a text with the current key and add the seal to out.  It is bound to
 * tenant, device and a number, which tells the device's passwords apart, and
 * opens with the same ones alone.  -1, with nothing added, on failure.
 */
int	 keyring_seal(const struct keyring *ring, const char *tenant,
	    const char *device_id, long number, const char *text,
	    struct buf *out) MUST_CHECK;

/*
 * Open a seal into text, of size bytes with the NUL.  -1, with text empty, if
 * there is no such key, it was not sealed for these, or it does not fit.
 */
int	 keyring_unseal(const struct keyring *ring, const char *key_id,
	    const char *tenant, const char *device_id, long number,
	    const void *sealed, size_t len, char *text, size_t size)
	    MUST_CHECK;

#endif
