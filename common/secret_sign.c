#include <openssl/evp.h>

#include "secret.h"

int
secret_sign_public(const unsigned char *key, unsigned char *public)
{
	EVP_PKEY *pair;
	size_t len = SIGN_KEY_SIZE;
	int rc = -1;

	pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key,
	    SIGN_KEY_SIZE);
	if (pair != NULL &&
	    EVP_PKEY_get_raw_public_key(pair, public, &len) == 1)
		rc = 0;
	EVP_PKEY_free(pair);
	return rc;
}

int
secret_sign(const unsigned char *key, const void *text, size_t len,
    unsigned char *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *pair;
	size_t size = SIGNATURE_SIZE;
	int rc = -1;

	pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key,
	    SIGN_KEY_SIZE);
	if (ctx != NULL && pair != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, pair) == 1 &&
	    EVP_DigestSign(ctx, signature, &size, text, len) == 1)
		rc = 0;
	EVP_PKEY_free(pair);
	EVP_MD_CTX_free(ctx);
	return rc;
}

bool
secret_signed(const unsigned char *public, const void *text, size_t len,
    const unsigned char *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *half;
	bool is;

	half = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public,
	    SIGN_KEY_SIZE);
	is = ctx != NULL && half != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, half) == 1 &&
	    EVP_DigestVerify(ctx, signature, SIGNATURE_SIZE, text, len) == 1;
	EVP_PKEY_free(half);
	EVP_MD_CTX_free(ctx);
	return is;
}
