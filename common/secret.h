/*
 * secret: the door to OpenSSL and crypt(3): random bytes, digests, passwords,
 * seals; and memory for what is secret.
 *
 * What is secret is wiped by whoever holds it, with secret_wipe(), on every
 * path; these functions wipe their own copies.  What fails here (no entropy,
 * no memory) is -1.
 */
#ifndef DEVCRED_SECRET_H
#define DEVCRED_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "model.h"

#define PASSWORD_HASH_SIZE	256	/* crypt(3) hash, bytes with NUL */
#define PASSWORD_MAX		511	/* bytes crypt(3) takes */
#define SEAL_KEY_SIZE		32	/* bytes of a key that seals */
#define SEAL_MAX		65536	/* bytes of text that can be sealed */
#define SIGN_KEY_SIZE		32	/* bytes of a key that signs */
#define SIGNATURE_SIZE		64	/* bytes */
#define SEAL_EXTRA		28	/* bytes a seal adds: nonce and tag */

/* An issued password and what is stored of it. */
struct secret_password {
	char		text[PASSWORD_CHARS + 1];
	unsigned char	salt[SALT_SIZE];
	unsigned char	hash[DIGEST_SIZE];	/* SHA-256 of text and salt */
};

/* A key that lives as long as the process. */
struct secret_key;

/* Overwrite what the compiler might think is dead. */
void	 secret_wipe(void *p, size_t len);

/* Whether len bytes are equal, in time that does not depend on them. */
bool	 secret_equal(const void *a, const void *b, size_t len) MUST_CHECK;

int	 secret_random(void *p, size_t len) MUST_CHECK;

/*
 * A new password: PASSWORD_CHARS characters of A-Z a-z 0-9, each equally
 * likely (190 bits), with salt and hash.
 */
int	 secret_password_make(struct secret_password *pw) MUST_CHECK;

/*
 * A password that an administrator gave: PASSWORD_CHOSEN_MIN to
 * PASSWORD_CHARS visible characters of ASCII, with salt and hash.  -1 with
 * *pw wiped, also if it is not of that kind: see secret_password_may_be().
 */
#define PASSWORD_CHOSEN_MIN	8
bool	 secret_password_may_be(const char *text) MUST_CHECK;
int	 secret_password_take(struct secret_password *pw, const char *text)
	    MUST_CHECK;

/* Whether text is the password of this salt and hash; constant time. */
bool	 secret_password_is(const char *text, const unsigned char *salt,
	    const unsigned char *hash) MUST_CHECK;

/*
 * Digest under which a security token is compared; must be what the SQL
 * function devcred.token_digest() says.
 */
int	 secret_token_digest(const char *id, const char *token,
	    unsigned char *digest) MUST_CHECK;

/* SHA-256 of bytes. */
int	 secret_digest(const void *data, size_t len, unsigned char *digest)
	    MUST_CHECK;

/*
 * The same of what comes piece by piece: what failed in between, the end
 * tells.  NULL on failure; freeing NULL is allowed.
 */
struct secret_sum;
struct secret_sum *secret_sum_new(void) MUST_CHECK;
void	 secret_sum_add(struct secret_sum *sum, const void *data, size_t len);
int	 secret_sum_end(struct secret_sum *sum, unsigned char *digest)
	    MUST_CHECK;
void	 secret_sum_free(struct secret_sum *sum);

/* A random key; NULL on failure.  Freeing it wipes it; NULL is allowed. */
struct secret_key *secret_key_new(void) MUST_CHECK;
void	 secret_key_free(struct secret_key *key);

/* HMAC-SHA256 under the key, DIGEST_SIZE bytes. */
int	 secret_mac(struct secret_key *key, const void *data, size_t len,
	    unsigned char *mac) MUST_CHECK;

/*
 * Hash a person's password slowly; scheme is enum password_scheme (bcrypt
 * $2b$ of cost 12, or yescrypt).  hash holds PASSWORD_HASH_SIZE bytes.
 */
int	 secret_slow_hash(long scheme, const char *password, char *hash)
	    MUST_CHECK;

/* A bcrypt $2a$ hash of an issued password, of a cost from 4 to 31. */
int	 secret_crypt_hash(long cost, const char *password, char *hash)
	    MUST_CHECK;

/* Whether password has this crypt(3) hash.  Takes a good while. */
bool	 secret_slow_is(const char *password, const char *hash) MUST_CHECK;

/*
 * A hash of the scheme that no password has, to be checked in place of the
 * hash of a user who does not exist, so that both take the same time.
 */
const char *secret_slow_dummy(long scheme);

/*
 * Seal text with AES-256-GCM: a random nonce, the ciphertext and the tag are
 * added to out, len and SEAL_EXTRA bytes.  The key has SEAL_KEY_SIZE bytes;
 * aad, which is not in the seal, must be the same to open it.  -1, with
 * nothing added, if text is too long or holds a NUL.
 */
int	 secret_seal(const unsigned char *key, const void *aad, size_t aad_len,
	    const void *text, size_t len, struct buf *out) MUST_CHECK;

/*
 * Open a seal into text, which is ended by a NUL.  -1, with text empty, if it
 * was not made with this key and aad, was changed, or the text does not fit
 * into size bytes (those are overwritten in part then).
 */
int	 secret_unseal(const unsigned char *key, const void *aad,
	    size_t aad_len, const void *sealed, size_t sealed_len, char *text,
	    size_t size) MUST_CHECK;

/*
 * Ed25519: the public half of a key (any SIGN_KEY_SIZE random bytes are one),
 * the signature of a text, and whether a text has that signature.
 */
int	 secret_sign_public(const unsigned char *key, unsigned char *public)
	    MUST_CHECK;
int	 secret_sign(const unsigned char *key, const void *text, size_t len,
	    unsigned char *signature) MUST_CHECK;
bool	 secret_signed(const unsigned char *public, const void *text,
	    size_t len, const unsigned char *signature) MUST_CHECK;

/*
 * Zeroed memory, of whole pages, that no core dump has and that is not
 * swapped out if the limits allow it; NULL on failure.  Freeing it, with the
 * same size, wipes it; NULL is allowed.
 */
void	*secret_alloc(size_t size) MUST_CHECK;
void	 secret_free(void *p, size_t size);

#endif
