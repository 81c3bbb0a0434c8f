#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "conf.h"
#include "secret.h"

struct secret_key {
	EVP_MAC		*mac;
	EVP_MAC_CTX	*ctx;
};

void
secret_wipe(void *p, size_t len)
{
	OPENSSL_cleanse(p, len);
}

bool
secret_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

int
secret_random(void *p, size_t len)
{
	return RAND_priv_bytes(p, (int)len) == 1 ? 0 : -1;
}

int
secret_digest(const void *data, size_t len, unsigned char *digest)
{
	static EVP_MD *sha256;	/* fetched once: a fetch costs more than it */

	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (sha256 == NULL)
		return -1;
	return EVP_Digest(data, len, digest, NULL, sha256, NULL) == 1 ? 0 : -1;
}

struct secret_sum {
	EVP_MD_CTX	*ctx;
	bool		 failed;
};

struct secret_sum *
secret_sum_new(void)
{
	struct secret_sum *sum = calloc(1, sizeof(*sum));

	if (sum != NULL && ((sum->ctx = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(sum->ctx, EVP_sha256(), NULL) != 1)) {
		secret_sum_free(sum);
		return NULL;
	}
	return sum;
}

void
secret_sum_add(struct secret_sum *sum, const void *data, size_t len)
{
	if (EVP_DigestUpdate(sum->ctx, data, len) != 1)
		sum->failed = true;
}

int
secret_sum_end(struct secret_sum *sum, unsigned char *digest)
{
	if (EVP_DigestFinal_ex(sum->ctx, digest, NULL) != 1 || sum->failed)
		return -1;
	return 0;
}

void
secret_sum_free(struct secret_sum *sum)
{
	if (sum == NULL)
		return;
	EVP_MD_CTX_free(sum->ctx);
	free(sum);
}

/* SHA-256 of text and salt: in this order, LDAP and Dovecot know it, too. */
static int
password_digest(const char *text, const unsigned char *salt,
    unsigned char *digest)
{
	unsigned char both[SALT_SIZE + PASSWORD_CHARS];
	size_t len = strlen(text);
	int rc;

	if (len > PASSWORD_CHARS)
		return -1;
	memcpy(both, text, len);
	memcpy(both + len, salt, SALT_SIZE);
	rc = secret_digest(both, SALT_SIZE + len, digest);
	secret_wipe(both, sizeof(both));
	return rc;
}

int
secret_password_make(struct secret_password *pw)
{
	static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	const unsigned int nletters = sizeof(letter) - 1;
	unsigned char pool[2 * PASSWORD_CHARS];
	size_t have = 0;
	size_t i;
	int rc = -1;

	if (secret_random(pw->salt, sizeof(pw->salt)) == -1)
		return -1;
	while (have < PASSWORD_CHARS) {
		if (secret_random(pool, sizeof(pool)) == -1)
			goto out;
		/* 248 = 4 * 62: what lies above would favour some letters */
		for (i = 0; i < sizeof(pool) && have < PASSWORD_CHARS; i++)
			if (pool[i] < 256 / nletters * nletters)
				pw->text[have++] = letter[pool[i] % nletters];
	}
	pw->text[have] = '\0';
	rc = password_digest(pw->text, pw->salt, pw->hash);
out:
	secret_wipe(pool, sizeof(pool));
	if (rc == -1)
		secret_wipe(pw, sizeof(*pw));
	return rc;
}

bool
secret_password_may_be(const char *text)
{
	size_t len;

	for (len = 0; text[len] > ' ' && text[len] <= '~'; len++)
		continue;
	return text[len] == '\0' && len >= PASSWORD_CHOSEN_MIN &&
	    len <= PASSWORD_CHARS;
}

int
secret_password_take(struct secret_password *pw, const char *text)
{
	if (secret_password_may_be(text) &&
	    secret_random(pw->salt, sizeof(pw->salt)) == 0 &&
	    password_digest(text, pw->salt, pw->hash) == 0) {
		memcpy(pw->text, text, strlen(text) + 1);
		return 0;
	}
	secret_wipe(pw, sizeof(*pw));
	return -1;
}

bool
secret_password_is(const char *text, const unsigned char *salt,
    const unsigned char *hash)
{
	unsigned char digest[DIGEST_SIZE];
	bool same;

	if (password_digest(text, salt, digest) == -1)
		return false;
	same = secret_equal(digest, hash, DIGEST_SIZE);
	secret_wipe(digest, sizeof(digest));
	return same;
}

int
secret_token_digest(const char *id, const char *token, unsigned char *digest)
{
	struct buf text;
	int rc = -1;

	buf_init(&text, 0);
	buf_puts(&text, "devcred security token\n");
	buf_puts(&text, id);
	buf_putc(&text, '\n');
	buf_puts(&text, token);
	if (buf_ok(&text))
		rc = secret_digest(buf_text(&text), text.len, digest);
	buf_free(&text);
	return rc;
}

struct secret_key *
secret_key_new(void)
{
	char sha256[] = "SHA256";
	unsigned char bytes[DIGEST_SIZE];
	OSSL_PARAM params[2];
	struct secret_key *key;
	bool done = false;

	if ((key = calloc(1, sizeof(*key))) == NULL)
		return NULL;
	params[0] = OSSL_PARAM_construct_utf8_string("digest", sha256, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (secret_random(bytes, sizeof(bytes)) == 0 &&
	    (key->mac = EVP_MAC_fetch(NULL, "HMAC", NULL)) != NULL &&
	    (key->ctx = EVP_MAC_CTX_new(key->mac)) != NULL)
		done = EVP_MAC_init(key->ctx, bytes, sizeof(bytes),
		    params) == 1;
	secret_wipe(bytes, sizeof(bytes));
	if (!done) {
		secret_key_free(key);
		return NULL;
	}
	return key;
}

void
secret_key_free(struct secret_key *key)
{
	if (key == NULL)
		return;
	EVP_MAC_CTX_free(key->ctx);
	EVP_MAC_free(key->mac);
	free(key);
}

int
secret_mac(struct secret_key *key, const void *data, size_t len,
    unsigned char *mac)
{
	size_t maclen;

	/* without a new key, init starts over with the old one: 0.2 us */
	if (EVP_MAC_init(key->ctx, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(key->ctx, data, len) != 1 ||
	    EVP_MAC_final(key->ctx, mac, &maclen, DIGEST_SIZE) != 1)
		return -1;
	return 0;
}

static int
hash_with(const char *prefix, long cost, const char *password, char *hash)
{
	struct crypt_data *data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *text;
	int rc = -1;

	if ((data = calloc(1, sizeof(*data))) == NULL)
		return -1;
	if (crypt_gensalt_rn(prefix, (unsigned long)cost, NULL, 0, setting,
	    sizeof(setting)) != NULL &&
	    (text = crypt_r(password, setting, data)) != NULL &&
	    text[0] == '$' && strlen(text) < PASSWORD_HASH_SIZE) {
		memcpy(hash, text, strlen(text) + 1);
		rc = 0;
	}
	secret_wipe(data, sizeof(*data));
	free(data);
	return rc;
}

int
secret_slow_hash(long scheme, const char *password, char *hash)
{
	return scheme == SCHEME_BCRYPT ? hash_with("$2b$", 12, password, hash) :
	    hash_with("$y$", 0, password, hash);
}

int
secret_crypt_hash(long cost, const char *password, char *hash)
{
	return hash_with("$2a$", cost, password, hash);
}

bool
secret_slow_is(const char *password, const char *hash)
{
	struct crypt_data *data;
	const char *text;
	bool same = false;

	if ((data = calloc(1, sizeof(*data))) == NULL)
		return false;
	text = crypt_r(password, hash, data);
	if (text != NULL && text[0] == '$' && strlen(text) == strlen(hash))
		same = secret_equal(text, hash, strlen(hash));
	secret_wipe(data, sizeof(*data));
	free(data);
	return same;
}

const char *
secret_slow_dummy(long scheme)
{
	/* well-formed, but the digest is not the end of any real one */
	if (scheme == SCHEME_BCRYPT)
		return "$2b$12$......................"
		    "...............................";
	return "$y$j9T$......................$"
	    "...........................................";
}
