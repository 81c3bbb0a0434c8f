/* Percent codes and base64 of text.h. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "tap.h"
#include "text.h"

static const struct {
	const char	*name;
	const char	*text;
	const char	*path;		/* decoded; NULL: refused */
	const char	*query;		/* where '+' is a space */
} percent[] = {
	{ "nothing", "", "", "" },
	{ "plain text", "abc-._~", "abc-._~", "abc-._~" },
	{ "codes in both cases", "%41%6a%6A", "Ajj", "Ajj" },
	{ "a plus", "a+b", "a+b", "a b" },
	{ "an encoded plus", "a%2Bb", "a+b", "a+b" },
	{ "a code is decoded once", "%2541", "%41", "%41" },
	{ "bytes above 127", "%c3%A9", "\xc3\xa9", "\xc3\xa9" },
	{ "0xff, which UTF-8 does not have", "%ff", "\xff", "\xff" },
	{ "the least code", "%01", "\x01", "\x01" },
	{ "NUL", "a%00b", NULL, NULL },
	{ "a lone percent sign", "%", NULL, NULL },
	{ "a percent sign at the end", "abc%", NULL, NULL },
	{ "a code of one digit", "%4", NULL, NULL },
	{ "a digit that is none", "%4g", NULL, NULL },
	{ "a first digit that is none", "%G4", NULL, NULL },
	{ "a signed code", "%+1", NULL, NULL },
	{ "a code with a space", "% 1", NULL, NULL },
	{ "a code with 0x", "%0x41", NULL, NULL },
	{ "a percent sign in a code", "%%41", NULL, NULL },
	{ "a code of IIS", "%u0041", NULL, NULL },
};

static void
test_percent_decode(void)
{
	const char *want;
	struct buf out;
	size_t len;
	size_t i;
	int k;
	char *s;

	for (i = 0; i < COUNT(percent); i++) {
		len = strlen(percent[i].text);
		s = exact(percent[i].text, len);
		for (k = 0; k < 2; k++) {
			want = k == 0 ? percent[i].path : percent[i].query;
			buf_init(&out, 0);
			IS_INT(percent_decode(&out, s, len, k == 1),
			    want == NULL ? -1 : 0, "%s in a %s",
			    percent[i].name, k == 0 ? "path" : "query");
			if (want != NULL)
				IS_STR(buf_text(&out), want, "and its text");
			buf_free(&out);
		}
		free(s);
	}
	buf_init(&out, 3);
	IS_INT(percent_decode(&out, "%61%62%63", 9, false), 0,
	    "codes are decoded up to the bound");
	buf_free(&out);
	IS_INT(percent_decode(&out, "%61%62%63d", 10, false), -1,
	    "and not past it");
	buf_free(&out);
}

/* Every byte comes back from its code. */
static void
test_percent_encode(void)
{
	struct buf code;
	struct buf text;
	char all[256];
	int i;

	for (i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	buf_init(&code, 0);
	buf_init(&text, 0);
	percent_encode(&code, all);
	IS_INT(percent_decode(&text, buf_text(&code), code.len, false), 0,
	    "what is encoded can be decoded");
	IS_STR(buf_text(&text), all, "all bytes are as they were");
	IS_INT((long long)strspn(buf_text(&code),
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "-._~%"), (long long)code.len, "no other character is left");
	buf_reset(&code);
	percent_encode(&code, "a/b?c#d \xc3\xa9");
	IS_STR(buf_text(&code), "a%2Fb%3Fc%23d%20%C3%A9",
	    "codes are in upper case");
	buf_free(&code);
	buf_free(&text);
}

static const struct {
	const char	*name;
	const char	*text;
	const char	*bytes;		/* NULL: refused */
} base64[] = {
	{ "nothing", "", "" },
	{ "one byte", "Zg==", "f" },
	{ "two bytes", "Zm8=", "fo" },
	{ "three bytes", "Zm9v", "foo" },
	{ "six bytes", "Zm9vYmFy", "foobar" },
	{ "one byte without padding", "Zg", "f" },
	{ "two bytes without padding", "Zm8", "fo" },
	{ "the last two digits", "+/+/", "\xfb\xff\xbf" },
	{ "the digits of URLs", "-_-_", NULL },
	{ "one digit", "Z", NULL },
	{ "five digits", "Zm9vY", NULL },
	{ "bits left over of one byte", "Zh==", NULL },
	{ "bits left over of two bytes", "Zm9=", NULL },
	{ "bits left over without padding", "Zh", NULL },
	{ "a space", "Zm 9v", NULL },
	{ "a newline", "Zm9v\n", NULL },
	{ "padding in the middle", "Zg==Zg==", NULL },
	{ "a byte above 127", "Zm9\xc3", NULL },
	{ "too little padding", "Zg=", NULL },
	{ "too much padding", "Zm9v=", NULL },
	{ "a whole group of padding", "Zm9v====", NULL },
	{ "nothing but padding", "====", NULL },
};

static void
test_base64(void)
{
	struct buf out;
	size_t len;
	size_t i;
	char *s;

	for (i = 0; i < COUNT(base64); i++) {
		len = strlen(base64[i].text);
		s = exact(base64[i].text, len);
		buf_init(&out, 0);
		IS_INT(base64_decode(&out, s, len),
		    base64[i].bytes == NULL ? -1 : 0, "base64: %s",
		    base64[i].name);
		if (base64[i].bytes != NULL)
			IS_STR(buf_text(&out), base64[i].bytes,
			    "and its bytes");
		buf_free(&out);
		free(s);
	}
	buf_init(&out, 0);
	IS_INT(base64_decode(&out, "Zm\0v", 4), -1, "base64: a NUL");
	buf_reset(&out);
	IS_INT(base64_decode(&out, "AAA=", 4), 0, "NULs can be encoded");
	IS_MEM(buf_text(&out), out.len, "\0\0", 2, "and decoded");
	buf_free(&out);
	buf_init(&out, 2);
	IS_INT(base64_decode(&out, "Zm9v", 4), -1, "no byte past the bound");
	buf_free(&out);
}

/* What is encoded comes back, whatever its bytes. */
static void
test_base64_encode(void)
{
	struct buf code;
	struct buf back;
	char all[256];
	size_t wrong = 0;
	size_t len;
	size_t i;

	for (i = 0; i < sizeof(all); i++)
		all[i] = (char)(255 - i);
	buf_init(&code, 0);
	buf_init(&back, 0);
	for (len = 0; len <= sizeof(all); len++) {
		buf_reset(&code);
		buf_reset(&back);
		base64_encode(&code, all, len);
		if (code.len != (len + 2) / 3 * 4 ||
		    base64_decode(&back, buf_text(&code), code.len) == -1 ||
		    back.len != len || memcmp(buf_text(&back), all, len) != 0)
			wrong++;
	}
	IS_INT((long long)wrong, 0, "base64 of up to 256 bytes comes back");
	for (i = 0; i < COUNT(base64); i++) {
		if (base64[i].bytes == NULL || strlen(base64[i].text) % 4 != 0)
			continue;
		buf_reset(&code);
		base64_encode(&code, base64[i].bytes, strlen(base64[i].bytes));
		IS_STR(buf_text(&code), base64[i].text, "and is that of %s",
		    base64[i].name);
	}
	buf_free(&code);
	buf_free(&back);
}

int
main(void)
{
	test_percent_decode();
	test_percent_encode();
	test_base64();
	test_base64_encode();
	return tap_done();
}
