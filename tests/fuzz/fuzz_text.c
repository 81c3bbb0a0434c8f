/* Bytes that have to be text, names, numbers, hosts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "text.h"

/*
 * UTF-8 by what it encodes: read whatever could be a character, write it as
 * RFC 3629 does, and see whether these are the bytes there were.
 */
static bool
is_utf8(const uint8_t *p, size_t left, size_t *chars)
{
	uint8_t out[4];
	uint32_t code;
	size_t len;
	size_t i;

	for (*chars = 0; left > 0; p += len, left -= len, ++*chars) {
		len = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
		if (len > left)
			return false;
		code = len == 1 ? p[0] : p[0] & (0xffU >> (len + 1));
		for (i = 1; i < len; i++)
			code = code << 6 | (p[i] & 0x3f);
		if (code > 0x10ffff || code >> 11 == 0xd800 >> 11)
			return false;
		if (code < 0x80) {
			out[0] = (uint8_t)code;
			i = 1;
		} else {
			i = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
			out[0] = (uint8_t)((0xf00U >> i & 0xf0) |
			    code >> 6 * (i - 1));
		}
		if (i != len)
			return false;
		for (; i > 1; i--, code >>= 6)
			out[i - 1] = (uint8_t)(0x80 | (code & 0x3f));
		if (memcmp(out, p, len) != 0)
			return false;
	}
	return true;
}

static void
try_utf8(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	size_t chars = 0;
	size_t want;
	bool valid = utf8_valid(s, size, &chars);

	HOLDS(valid == is_utf8(data, size, &want));
	HOLDS(!valid || chars == want);
}

/* Cut anywhere, it stays text. */
static void
try_cut(const char *text)
{
	size_t len = strlen(text);
	size_t max;
	size_t kept;

	if (!utf8_valid(text, len, NULL))
		return;
	for (max = 0; max <= len + 1; max += 1 + max / 16) {
		kept = utf8_cut(text, max);
		HOLDS(kept <= max && kept <= len);
		HOLDS(kept == len || kept + 4 > max);
		HOLDS(utf8_valid(text, kept, NULL));
	}
}

static void
try_id(const char *text)
{
	size_t len = strlen(text);
	const char *bad = NULL;
	size_t chars = 0;
	struct buf why;
	bool valid = device_id_valid(text, len, &bad);

	buf_init(&why, 0);
	HOLDS(valid == device_id_check(text, &why));
	HOLDS(valid == (why.len == 0));
	HOLDS(bad == NULL || (!valid && bad >= text && bad < text + len));
	HOLDS(utf8_valid(buf_text(&why), why.len, NULL));
	if (valid) {
		HOLDS(utf8_valid(text, len, &chars));
		HOLDS(chars >= 1 && chars <= DEVICE_ID_CHARS);
		HOLDS(len < DEVICE_ID_SIZE);
		HOLDS(strpbrk(text, " \t\r\n/\\+$:\x7f") == NULL);
	}
	buf_free(&why);
}

static void
try_number(const char *text)
{
	char room[32];
	long back;
	long num;

	if (parse_num(text, INT16_MIN, INT16_MAX, &num) == -1)
		return;
	HOLDS(num >= INT16_MIN && num <= INT16_MAX);
	snprintf(room, sizeof(room), "%ld", num);
	HOLDS(parse_num(room, num, num, &back) == 0 && back == num);
	HOLDS(parse_num(text, num + 1, INT16_MAX, &back) == -1);
}

/* What begins links and paths needs no quotes where it will stand. */
static void
try_links(const char *text)
{
	static const char never[] = " \t\r\n\"\\<>?#%{}|^`\x7f";

	if (host_valid(text))
		HOLDS(text[0] != '\0' && strpbrk(text, never) == NULL &&
		    strpbrk(text, "/@") == NULL);
	if (link_base_valid(text))
		HOLDS(strpbrk(text, never) == NULL &&
		    strstr(text, "://") != NULL);
	if (path_prefix_valid(text))
		HOLDS(strpbrk(text, never) == NULL &&
		    (text[0] == '/' || text[0] == '\0'));
}

static void
try_copy(const uint8_t *data, size_t size)
{
	char room[16];
	bool fits = size < sizeof(room) &&
	    (size == 0 || memchr(data, '\0', size) == NULL);

	HOLDS((str_copy(room, sizeof(room), (const char *)data,
	    size) == 0) == fits);
	HOLDS(strlen(room) == (fits ? size : 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_utf8(data, size);
	try_copy(data, size);
	try_cut(text);
	try_id(text);
	try_number(text);
	try_links(text);
	HOLDS(str_is(text, strlen(text), text));
	free(text);
	return 0;
}
