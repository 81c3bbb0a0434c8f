#include <string.h>
#include <sys/mman.h>

#include <openssl/evp.h>

#include "secret.h"

#define NONCE_SIZE	12
#define TAG_SIZE	16
#define CHUNK_SIZE	256
#define AAD_MAX		(64 * 1024)	/* bytes; EVP counts in int */

_Static_assert(SEAL_EXTRA == NONCE_SIZE + TAG_SIZE, "what a seal adds");

static const EVP_CIPHER *
cipher(void)
{
	static EVP_CIPHER *gcm;	/* fetched once */

	if (gcm == NULL)
		gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	return gcm;
}

/* Encrypt into out, piece by piece, and end it with the tag. */
static int
encrypt(EVP_CIPHER_CTX *ctx, const unsigned char *text, size_t len,
    struct buf *out)
{
	unsigned char chunk[CHUNK_SIZE];
	unsigned char tag[TAG_SIZE];
	size_t take;
	int n;

	for (; len > 0; text += take, len -= take) {
		take = len < sizeof(chunk) ? len : sizeof(chunk);
		if (EVP_EncryptUpdate(ctx, chunk, &n, text, (int)take) != 1 ||
		    (size_t)n != take)
			return -1;
		buf_add(out, chunk, take);
	}
	if (EVP_EncryptFinal_ex(ctx, chunk, &n) != 1 || n != 0 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE,
	    tag) != 1)
		return -1;
	buf_add(out, tag, sizeof(tag));
	return buf_ok(out) ? 0 : -1;
}

int
secret_seal(const unsigned char *key, const void *aad, size_t aad_len,
    const void *text, size_t len, struct buf *out)
{
	unsigned char nonce[NONCE_SIZE];
	EVP_CIPHER_CTX *ctx = NULL;
	size_t before = out->len;
	int rc = -1;
	int n;

	if (len > SEAL_MAX || aad_len > AAD_MAX ||
	    (len > 0 && memchr(text, '\0', len) != NULL))
		return -1;
	/* 2^32 random nonces are what one key is good for */
	if (secret_random(nonce, sizeof(nonce)) == -1 || cipher() == NULL ||
	    (ctx = EVP_CIPHER_CTX_new()) == NULL)
		return -1;
	buf_add(out, nonce, sizeof(nonce));
	if (EVP_EncryptInit_ex2(ctx, cipher(), key, nonce, NULL) == 1 &&
	    (aad_len == 0 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1))
		rc = encrypt(ctx, text, len, out);
	EVP_CIPHER_CTX_free(ctx);	/* wipes what it knows of the key */
	if (rc == -1 && out->len > before) {
		out->len = before;
		out->data[before] = '\0';
	}
	return rc;
}

int
secret_unseal(const unsigned char *key, const void *aad, size_t aad_len,
    const void *sealed, size_t sealed_len, char *text, size_t size)
{
	const unsigned char *nonce = sealed;
	unsigned char tag[TAG_SIZE];
	EVP_CIPHER_CTX *ctx = NULL;
	size_t len = sealed_len - SEAL_EXTRA;
	int rc = -1;
	int n = 0;

	if (size > 0)
		text[0] = '\0';
	if (sealed_len < SEAL_EXTRA || len > SEAL_MAX || len >= size ||
	    aad_len > AAD_MAX)
		return -1;
	memcpy(tag, nonce + NONCE_SIZE + len, TAG_SIZE);
	/* Final is what compares the tag: no text counts before it */
	if (cipher() != NULL && (ctx = EVP_CIPHER_CTX_new()) != NULL &&
	    EVP_DecryptInit_ex2(ctx, cipher(), key, nonce, NULL) == 1 &&
	    (aad_len == 0 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1) &&
	    (len == 0 || (EVP_DecryptUpdate(ctx, (unsigned char *)text, &n,
	    nonce + NONCE_SIZE, (int)len) == 1 && (size_t)n == len)) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE,
	    tag) == 1 &&
	    EVP_DecryptFinal_ex(ctx, (unsigned char *)text + len, &n) == 1 &&
	    n == 0)
		rc = 0;
	text[len] = '\0';
	if (rc == 0 && strlen(text) != len)
		rc = -1;
	EVP_CIPHER_CTX_free(ctx);
	if (rc == -1)
		secret_wipe(text, len);
	return rc;
}

void *
secret_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, size, MADV_DONTDUMP) == -1) {
		munmap(p, size);
		return NULL;
	}
	/* RLIMIT_MEMLOCK may forbid it; a swap should be encrypted anyway */
	(void)mlock(p, size);
	return p;
}

void
secret_free(void *p, size_t size)
{
	if (p == NULL)
		return;
	secret_wipe(p, size);
	munmap(p, size);
}
