#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "secret.h"
#include "tap.h"

#define TEXT	"0123456789abcdefghijklmnopqrstuv"	/* as a password */
#define AAD	"devcred\nwhose it is"

static unsigned char key[SEAL_KEY_SIZE];

/* Open a seal of len bytes, in blocks of just their size. */
static int
opens(const unsigned char *k, const char *aad, const void *sealed, size_t len,
    char *text, size_t size)
{
	void *bytes = exact(sealed, len);
	void *bound = exact(aad, strlen(aad));
	int rc = secret_unseal(k, bound, strlen(aad), bytes, len, text, size);

	free(bound);
	free(bytes);
	return rc;
}

static void
seal(struct buf *out, const char *aad, const char *text)
{
	buf_init(out, 0);
	IS_INT(secret_seal(key, aad, strlen(aad), text, strlen(text), out), 0,
	    "%zu bytes are sealed", strlen(text));
	IS_INT((long long)out->len, (long long)(strlen(text) + SEAL_EXTRA),
	    "into SEAL_EXTRA more");
}

/* AES-256 in the GCM paper: of nothing at all (test case 13), and 16. */
static const struct {
	const char	*name;
	const char	*key;
	const char	*aad;
	const char	*sealed;
	const char	*text;
} vectors[] = {
	{ "nothing",
	  "0000000000000000000000000000000000000000000000000000000000000000",
	  "", "000000000000000000000000" "530f8afbc74536b9a963b4f1c4cb738b",
	  "" },
	{ "a text with something it is bound to",
	  "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "cafebabefacedbaddecaf888"
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	  "76fc6ece0f4e1768cddf8853bb2d551b",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39" },
};

/* The bytes of hexadecimal digits; to be freed. */
static unsigned char *
bytes_of(const char *hex)
{
	unsigned char *bytes = exact(hex, strlen(hex));
	char digits[3] = "";
	size_t i;

	for (i = 0; i < strlen(hex) / 2; i++) {
		memcpy(digits, hex + 2 * i, 2);
		bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return bytes;
}

/* Others, who have the key, could open our seals: it is the real AES-GCM. */
static void
test_vector(size_t i)
{
	unsigned char *k = bytes_of(vectors[i].key);
	unsigned char *aad = bytes_of(vectors[i].aad);
	unsigned char *sealed = bytes_of(vectors[i].sealed);
	unsigned char *want = bytes_of(vectors[i].text);
	char text[100];

	IS_INT(secret_unseal(k, aad, strlen(vectors[i].aad) / 2, sealed,
	    strlen(vectors[i].sealed) / 2, text, sizeof(text)), 0,
	    "the known seal of %s opens", vectors[i].name);
	IS_MEM(text, strlen(text), want, strlen(vectors[i].text) / 2,
	    "to what is known to be in it");
	free(k);
	free(aad);
	free(sealed);
	free(want);
}

/* Test case 14 of the paper: a good seal of what is no string. */
static void
test_zeros(void)
{
	static const unsigned char zeros[SEAL_KEY_SIZE];
	unsigned char *sealed = bytes_of("000000000000000000000000"
	    "cea7403d4d606b6e074ec5d3baf39d18"
	    "d0d1c8a799996bf0265b98b5d48ab919");
	char text[100] = "?";

	IS_INT(secret_unseal(zeros, "", 0, sealed, 44, text, sizeof(text)), -1,
	    "what holds a NUL is not opened as if it ended there");
	IS_STR(text, "", "and the text is empty");
	free(sealed);
}

/* Test 2 of RFC 8032: others can check what we sign. */
static void
test_sign(void)
{
	unsigned char *k = bytes_of("4ccd089b28ff96da9db6c346ec114e0f"
	    "5b8a319f35aba624da8cf6ed4fb8a6fb");
	unsigned char *half = bytes_of("3d4017c3e843895a92b70aa74d1b7ebc"
	    "9c982ccf2ec4968cc0cd55f12af4660c");
	unsigned char *want = bytes_of("92a009a9f0d4cab8720e820b5f642540"
	    "a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
	    "387b2eaeb4302aeeb00d291612bb0c00");
	unsigned char public[SIGN_KEY_SIZE];
	unsigned char signature[SIGNATURE_SIZE];

	IS_INT(secret_sign_public(k, public), 0, "a key has a public half");
	IS_MEM(public, sizeof(public), half, SIGN_KEY_SIZE,
	    "which is known");
	IS_INT(secret_sign(k, "\x72", 1, signature), 0, "and signs");
	IS_MEM(signature, sizeof(signature), want, SIGNATURE_SIZE,
	    "what is known, too");
	IS_INT(secret_signed(public, "\x72", 1, signature), 1, "that holds");
	IS_INT(secret_signed(public, "\x73", 1, signature), 0,
	    "but not for another text");
	signature[0] ^= 1;
	IS_INT(secret_signed(public, "\x72", 1, signature), 0,
	    "nor with a bit changed");
	public[0] ^= 1;
	signature[0] ^= 1;
	IS_INT(secret_signed(public, "\x72", 1, signature), 0,
	    "nor for another key");
	free(k);
	free(half);
	free(want);
}

static void
test_round(void)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 32, 255, 256, 257, 1000,
		SEAL_MAX };
	char *long_aad = repeated("x", 5000);
	char back[sizeof(TEXT)];
	char *text;
	char *copy;
	struct buf out;
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		text = repeated("t", sizes[i]);
		copy = exact(text, sizes[i] + 1);
		seal(&out, AAD, text);
		memset(copy, '?', sizes[i] + 1);
		IS_INT(opens(key, AAD, out.data, out.len, copy, sizes[i] + 1),
		    0, "and open into just their size");
		IS_STR(copy, text, "to what they were");
		buf_free(&out);
		free(copy);
		free(text);
	}
	seal(&out, "", TEXT);
	IS_INT(opens(key, "", out.data, out.len, back, sizeof(back)), 0,
	    "a seal need not be bound to anything");
	IS_STR(back, TEXT, "and opens");
	buf_free(&out);
	seal(&out, long_aad, TEXT);
	IS_INT(opens(key, long_aad, out.data, out.len, back, sizeof(back)), 0,
	    "or can be bound to much");
	IS_INT(opens(key, long_aad + 1, out.data, out.len, back, sizeof(back)),
	    -1, "every byte of which counts");
	buf_free(&out);
	free(long_aad);
}

/* No one bit of a seal, its key or what it is bound to can be another. */
static void
test_bits(void)
{
	static const char zeros[sizeof(TEXT)];
	char aad[] = AAD;
	char text[64];
	struct buf out;
	struct part {
		const char	*name;
		unsigned char	*bytes;
		size_t		 len;
	} parts[3];
	size_t opened;
	size_t left;
	size_t i;
	size_t p;

	seal(&out, AAD, TEXT);
	parts[0] = (struct part){ "the seal", (unsigned char *)out.data,
	    out.len };
	parts[1] = (struct part){ "its key", key, sizeof(key) };
	parts[2] = (struct part){ "what it is bound to", (unsigned char *)aad,
	    strlen(aad) };
	for (p = 0; p < COUNT(parts); p++) {
		opened = left = 0;
		for (i = 0; i < parts[p].len * 8; i++) {
			parts[p].bytes[i / 8] ^= (unsigned char)(1U << i % 8);
			memset(text, '?', sizeof(text));
			opened += secret_unseal(key, aad, strlen(AAD),
			    out.data, out.len, text, sizeof(text)) == 0;
			left += memcmp(text, zeros, strlen(TEXT)) != 0;
			parts[p].bytes[i / 8] ^= (unsigned char)(1U << i % 8);
		}
		IS_INT((long long)opened, 0,
		    "no one of %zu bits of %s can be another", i,
		    parts[p].name);
		IS_INT((long long)left, 0, "and nothing of the text is left");
	}
	IS_INT(opens(key, AAD, out.data, out.len, text, sizeof(text)), 0,
	    "as it was it opens");
	buf_free(&out);
}

/* Any length but its own, and any size but one that it fits into. */
static void
test_lengths(void)
{
	char text[64];
	char *small;
	struct buf out;
	size_t opened = 0;
	size_t i;

	seal(&out, AAD, TEXT);
	for (i = 0; i < out.len; i++) {
		opened += opens(key, AAD, out.data, i, text,
		    sizeof(text)) == 0;
		opened += opens(key, AAD, out.data + out.len - i, i, text,
		    sizeof(text)) == 0;
	}
	IS_INT((long long)opened, 0, "no beginning or end of a seal opens");
	for (i = 0; i < sizeof(TEXT); i++) {
		small = exact(TEXT, i);
		opened += opens(key, AAD, out.data, out.len, small, i) == 0;
		opened += i > 0 && small[0] != '\0';
		free(small);
	}
	IS_INT((long long)opened, 0, "none opens into too small a space");
	buf_putc(&out, 'x');
	IS_INT(opens(key, AAD, out.data, out.len, text, sizeof(text)), -1,
	    "none opens with a byte more");
	IS_STR(text, "", "and the text is empty");
	buf_free(&out);
}

/* What cannot be sealed adds nothing to what is there. */
static void
test_refused(void)
{
	char *large = repeated("t", SEAL_MAX + 1);
	struct buf out;

	buf_init(&out, 100);
	buf_puts(&out, "before");
	IS_INT(secret_seal(key, AAD, 3, large, SEAL_MAX + 1, &out), -1,
	    "SEAL_MAX is the most that is sealed");
	IS_INT(secret_seal(key, AAD, 3, "a\0b", 3, &out), -1,
	    "what holds a NUL could not be opened again");
	IS_INT(secret_seal(key, AAD, 3, large, 80, &out), -1,
	    "a full buffer is a failure");
	IS_MEM(out.data, out.len, "before", 6, "none of that adds anything");
	buf_free(&out);
	free(large);
}

static int
by_nonce(const void *a, const void *b)
{
	return memcmp(a, b, 12);
}

static void
test_nonces(void)
{
	static unsigned char nonces[2000][12];
	struct buf out;
	size_t same = 0;
	size_t i;

	buf_init(&out, 0);
	for (i = 0; i < COUNT(nonces); i++) {
		buf_reset(&out);
		if (secret_seal(key, AAD, 1, TEXT, 32, &out) == 0)
			memcpy(nonces[i], out.data, 12);
	}
	qsort(nonces, COUNT(nonces), sizeof(nonces[0]), by_nonce);
	for (i = 1; i < COUNT(nonces); i++)
		same += memcmp(nonces[i - 1], nonces[i], 12) == 0;
	IS_INT((long long)same, 0, "no two of %zu nonces are the same", i);
	buf_free(&out);
}

int
main(void)
{
	size_t i;

	if (secret_random(key, sizeof(key)) == -1)
		return 1;
	for (i = 0; i < COUNT(vectors); i++)
		test_vector(i);
	test_zeros();
	test_sign();
	test_round();
	test_bits();
	test_lengths();
	test_refused();
	test_nonces();
	return tap_done();
}
