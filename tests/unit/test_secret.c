#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "fixture.h"
#include "secret.h"
#include "tap.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789";

#define PASSWORDS	1000

/* Issued passwords: form, spread, and that they check. */
static void
test_password(void)
{
	static struct secret_password pw[PASSWORDS];
	size_t seen[sizeof(letters)] = { 0 };
	size_t least = PASSWORDS * PASSWORD_CHARS;
	size_t most = 0;
	bool formed = true;
	bool differ = true;
	size_t i;
	size_t k;

	for (i = 0; i < PASSWORDS; i++) {
		formed = formed && secret_password_make(&pw[i]) == 0 &&
		    strlen(pw[i].text) == 32 &&
		    strspn(pw[i].text, letters) == 32;
		for (k = 0; formed && k < PASSWORD_CHARS; k++)
			seen[strchr(letters, pw[i].text[k]) - letters]++;
		differ = differ && (i == 0 ||
		    (strcmp(pw[i].text, pw[i - 1].text) != 0 &&
		    memcmp(pw[i].salt, pw[i - 1].salt, SALT_SIZE) != 0));
	}
	OK(formed, "%d passwords are of 32 letters and digits", PASSWORDS);
	OK(differ, "no two that follow each other are the same");
	for (i = 0; i < strlen(letters); i++) {
		least = seen[i] < least ? seen[i] : least;
		most = seen[i] > most ? seen[i] : most;
	}
	/* 516 are expected; 7 standard deviations are 157 */
	OK(least > 516 - 157 && most < 516 + 157,
	    "each letter comes about as often: %zu to %zu", least, most);
	OK(secret_password_is(pw[0].text, pw[0].salt, pw[0].hash),
	    "a password has its own hash");
	OK(!secret_password_is(pw[1].text, pw[0].salt, pw[0].hash),
	    "another has not");
	OK(!secret_password_is(pw[0].text, pw[1].salt, pw[0].hash),
	    "nor has it with another salt");
	pw[0].text[31] = '\0';
	OK(!secret_password_is(pw[0].text, pw[0].salt, pw[0].hash),
	    "nor without its last letter");
	OK(!secret_password_is("", pw[0].salt, pw[0].hash),
	    "an empty one has not");
}

/* Made with sha256sum. */
static const struct {
	const char	*name;
	const char	*text;
	const char	*hex;
} vectors[] = {
	{ "nothing", "",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
};

/* Pieces come to what the whole does. */
static void
test_sum(void)
{
	struct secret_sum *sum = secret_sum_new();
	unsigned char whole[DIGEST_SIZE];
	unsigned char pieces[DIGEST_SIZE];

	IS_INT(sum != NULL, 1, "a sum is begun");
	secret_sum_add(sum, "dev", 3);
	secret_sum_add(sum, "", 0);
	secret_sum_add(sum, "cred", 4);
	IS_INT(secret_sum_end(sum, pieces), 0, "and ended");
	IS_INT(secret_digest("devcred", 7, whole), 0, "so is the whole");
	IS_MEM(pieces, sizeof(pieces), whole, sizeof(whole), "the same");
	secret_sum_free(sum);
	secret_sum_free(NULL);
}

static void
test_digest(void)
{
	/* SHA-256 of "secret" and 16 times 0x61 */
	static const char salted[] = "secretaaaaaaaaaaaaaaaa";
	unsigned char salt[SALT_SIZE];
	unsigned char digest[DIGEST_SIZE];
	unsigned char other[DIGEST_SIZE];
	char *text = repeated("x", PASSWORD_CHARS + 1);
	struct buf hex;
	size_t i;

	buf_init(&hex, 0);
	for (i = 0; i < COUNT(vectors); i++) {
		buf_reset(&hex);
		IS_INT(secret_digest(vectors[i].text, strlen(vectors[i].text),
		    digest), 0, "SHA-256 of %s", vectors[i].name);
		buf_hex(&hex, digest, DIGEST_SIZE);
		IS_STR(buf_text(&hex), vectors[i].hex, "is the known one");
	}
	memset(salt, 'a', sizeof(salt));
	IS_INT(secret_digest(salted, strlen(salted), digest), 0, "a digest");
	OK(secret_password_is("secret", salt, digest),
	    "the hash of a password is that of its salt behind it");
	/* the salt must not run into the text */
	OK(!secret_password_is("secreta", salt, digest), "and no more");
	OK(!secret_password_is(text, salt, digest),
	    "a text longer than any password is none");
	free(text);
	/* as devcred.token_digest() has it: see sql/ */
	IS_INT(secret_digest("devcred security token\nid\ntoken", 31, digest),
	    0, "a token's text");
	IS_INT(secret_token_digest("id", "token", other), 0, "a token");
	IS_MEM(other, DIGEST_SIZE, digest, DIGEST_SIZE,
	    "the digest of a token names its purpose and the device");
	IS_INT(secret_token_digest("i", "d\ntoken", other), 0, "a token");
	OK(!secret_equal(other, digest, DIGEST_SIZE),
	    "no other id with another token has the same");
	buf_free(&hex);
}

static void
test_equal(void)
{
	unsigned char a[DIGEST_SIZE];
	unsigned char b[DIGEST_SIZE];
	size_t wrong = 0;
	size_t i;

	memset(a, 'x', sizeof(a));
	memcpy(b, a, sizeof(b));
	OK(secret_equal(a, b, sizeof(a)), "equal bytes are equal");
	for (i = 0; i < sizeof(a) * 8; i++) {
		b[i / 8] ^= (unsigned char)(1U << i % 8);
		wrong += secret_equal(a, b, sizeof(a));
		b[i / 8] ^= (unsigned char)(1U << i % 8);
	}
	IS_INT((long long)wrong, 0, "any one bit makes them differ");
	b[31] = 'y';
	OK(secret_equal(a, b, 31), "bytes beyond the length do not count");
	OK(secret_equal(a, b, 0), "no bytes are equal");
	secret_wipe(a, sizeof(a) - 1);
	memset(b, 0, sizeof(b) - 1);
	b[31] = 'x';
	IS_MEM(a, 32, b, 32, "wiping clears just the bytes it is told to");
}

static void
test_mac(void)
{
	struct secret_key *key = secret_key_new();
	struct secret_key *other = secret_key_new();
	unsigned char one[DIGEST_SIZE];
	unsigned char two[DIGEST_SIZE];

	OK(key != NULL && other != NULL, "keys can be made");
	OK(secret_mac(key, "abc", 3, one) == 0 &&
	    secret_mac(key, "abc", 3, two) == 0, "a MAC can be made twice");
	IS_MEM(one, DIGEST_SIZE, two, DIGEST_SIZE, "and is the same");
	OK(secret_mac(key, "abd", 3, two) == 0 &&
	    !secret_equal(one, two, DIGEST_SIZE), "other bytes have another");
	OK(secret_mac(other, "abc", 3, two) == 0 &&
	    !secret_equal(one, two, DIGEST_SIZE), "another key has another");
	OK(secret_mac(key, "", 0, two) == 0, "nothing has one too");
	secret_key_free(key);
	secret_key_free(other);
	secret_key_free(NULL);
}

static const struct {
	const char	*name;
	long		 scheme;
	const char	*begins;
} schemes[] = {
	{ "yescrypt", SCHEME_YESCRYPT, "$y$j9T$" },
	{ "bcrypt", SCHEME_BCRYPT, "$2b$12$" },
};

/* The stand-in for users who do not exist must cost what a real one does. */
static void
test_dummy(const char *name, long scheme, const char *begins, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *dummy = secret_slow_dummy(scheme);
	const char *text = data != NULL ? crypt_r("password", dummy, data) :
	    NULL;

	OK(strncmp(dummy, begins, strlen(begins)) == 0,
	    "the stand-in of %s has the same cost", name);
	OK(text != NULL && text[0] == '$' && strlen(text) == strlen(dummy),
	    "crypt(3) does the work for it");
	OK(strcmp(text != NULL ? text : dummy, dummy) != 0,
	    "and finds that it is not the password's");
	IS_INT((long long)strlen(dummy), (long long)strlen(hash),
	    "it is as long as a real one");
	free(data);
}

static void
test_slow(const char *name, long scheme, const char *begins)
{
	char hash[PASSWORD_HASH_SIZE];
	char *password = repeated("p", PASSWORD_MAX);

	IS_INT(secret_slow_hash(scheme, "correct horse", hash), 0,
	    "%s makes a hash", name);
	OK(strncmp(hash, begins, strlen(begins)) == 0, "it begins with %s",
	    begins);
	OK(secret_slow_is("correct horse", hash), "the password has it");
	OK(!secret_slow_is("correct horsf", hash), "another has not");
	test_dummy(name, scheme, begins, hash);
	if (scheme == SCHEME_YESCRYPT) {
		IS_INT(secret_slow_hash(scheme, password, hash), 0,
		    "a password of PASSWORD_MAX bytes has a hash");
		OK(secret_slow_is(password, hash), "that it checks against");
		OK(!secret_slow_is(password + 1, hash), "and no shorter one");
	}
	free(password);
}

static const char *const not_hashes[] = {
	"", "*", "*0", "*1", "$", "$y$", "$y$j9T$", "$2b$12$", "$2b$99$",
	"plain", "!", "x"
};

int
main(void)
{
	size_t i;

	test_sum();
	test_password();
	test_digest();
	test_equal();
	test_mac();
	for (i = 0; i < COUNT(schemes); i++)
		test_slow(schemes[i].name, schemes[i].scheme,
		    schemes[i].begins);
	for (i = 0; i < COUNT(not_hashes); i++) {
		OK(!secret_slow_is("password", not_hashes[i]),
		    "no password has the hash \"%s\"", not_hashes[i]);
		OK(!secret_slow_is(not_hashes[i], not_hashes[i]),
		    "not even that text itself");
	}
	return tap_done();
}
