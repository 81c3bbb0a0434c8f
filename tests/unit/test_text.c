#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "tap.h"
#include "text.h"

#define BYTES(s) s, sizeof(s) - 1

static void
test_str_copy(void)
{
	char dst[4];

	IS_INT(str_copy(dst, 4, BYTES("abc")), 0, "what fits is copied");
	IS_STR(dst, "abc", "with its NUL");
	IS_INT(str_copy(dst, 4, BYTES("abcd")), -1, "one byte more is not");
	IS_STR(dst, "", "and nothing of it is kept");
	IS_INT(str_copy(dst, 4, BYTES("a\0b")), -1, "nor is a NUL");
	IS_STR(dst, "", "of which nothing is kept");
	IS_INT(str_copy(dst, 4, BYTES("")), 0, "an empty text fits");
	IS_INT(str_copy(dst, 1, BYTES("")), 0, "even into one byte");
	dst[0] = 'x';
	IS_INT(str_copy(dst, 0, BYTES("")), -1, "but not into none");
	IS_INT(dst[0], 'x', "which is left alone");
}

static const struct {
	const char	*name;
	const char	*bytes;
	size_t		 len;
	int		 chars;		/* -1: not UTF-8 */
} utf8[] = {
	{ "nothing", BYTES(""), 0 },
	{ "ASCII with a NUL", BYTES("a\0b"), 3 },
	{ "the first of two bytes", BYTES("\xc2\x80"), 1 },
	{ "the last of two bytes", BYTES("\xdf\xbf"), 1 },
	{ "the first of three bytes", BYTES("\xe0\xa0\x80"), 1 },
	{ "the last before the surrogates", BYTES("\xed\x9f\xbf"), 1 },
	{ "the first after the surrogates", BYTES("\xee\x80\x80"), 1 },
	{ "the last of three bytes", BYTES("\xef\xbf\xbf"), 1 },
	{ "the first of four bytes", BYTES("\xf0\x90\x80\x80"), 1 },
	{ "the last of all", BYTES("\xf4\x8f\xbf\xbf"), 1 },
	{ "a mixture", BYTES("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 4 },
	{ "a slash in two bytes", BYTES("\xc0\xaf"), -1 },
	{ "a NUL in two bytes", BYTES("\xc0\x80"), -1 },
	{ "DEL in two bytes", BYTES("\xc1\xbf"), -1 },
	{ "a slash in three bytes", BYTES("\xe0\x80\xaf"), -1 },
	{ "U+07FF in three bytes", BYTES("\xe0\x9f\xbf"), -1 },
	{ "U+FFFF in four bytes", BYTES("\xf0\x8f\xbf\xbf"), -1 },
	{ "the first surrogate", BYTES("\xed\xa0\x80"), -1 },
	{ "the last surrogate", BYTES("\xed\xbf\xbf"), -1 },
	{ "one past the last of all", BYTES("\xf4\x90\x80\x80"), -1 },
	{ "five bytes", BYTES("\xf8\x88\x80\x80\x80"), -1 },
	{ "a lone continuation", BYTES("\x80"), -1 },
	{ "0xff", BYTES("\xff"), -1 },
	{ "two bytes that end after one", BYTES("a\xc3"), -1 },
	{ "three bytes that end after two", BYTES("\xe2\x82"), -1 },
	{ "four bytes that end after three", BYTES("\xf0\x9f\x98"), -1 },
	{ "two bytes of which the second is ASCII", BYTES("\xc3("), -1 },
	{ "three bytes, the last a new start", BYTES("\xe2\x82\xc3"), -1 },
};

static void
test_utf8(void)
{
	char *s;
	size_t chars;
	size_t i;
	bool valid;

	for (i = 0; i < COUNT(utf8); i++) {
		s = exact(utf8[i].bytes, utf8[i].len);
		chars = 99;
		valid = utf8_valid(s, utf8[i].len, &chars);
		IS_INT(valid ? (int)chars : -1, utf8[i].chars,
		    "UTF-8: %s", utf8[i].name);
		OK(utf8_valid(s, utf8[i].len, NULL) == valid,
		    "the count is not needed");
		free(s);
	}
}

static const struct {
	const char	*name;
	const char	*id;
	size_t		 len;
	int		 bad;	/* its place; -1: none; -2: valid */
} ids[] = {
	{ "a plain one", BYTES("serial-0815_x.y~#%?*"), -2 },
	{ "letters of any script", BYTES("\xc3\xa9\xe6\xbc\xa2"), -2 },
	{ "an empty one", BYTES(""), -1 },
	{ "a slash", BYTES("a/b"), 1 },
	{ "a backslash", BYTES("\\"), 0 },
	{ "a plus", BYTES("ab+"), 2 },
	{ "a dollar", BYTES("$a"), 0 },
	{ "a colon", BYTES("a:b"), 1 },
	{ "a space", BYTES("a b"), 1 },
	{ "a NUL", BYTES("a\0b"), 1 },
	{ "a tab", BYTES("a\t"), 1 },
	{ "DEL", BYTES("a\x7f"), 1 },
	{ "the last of the C1 controls", BYTES("a\xc2\x9f"), 1 },
	{ "a no-break space", BYTES("a\xc2\xa0"), 1 },
	{ "the character after it", BYTES("a\xc2\xa1"), -2 },
	{ "an en quad", BYTES("\xe2\x80\x80"), 0 },
	{ "a hair space", BYTES("\xe2\x80\x8a"), 0 },
	{ "a line separator", BYTES("\xe2\x80\xa8"), 0 },
	{ "an ideographic space", BYTES("x\xe3\x80\x80"), 1 },
	{ "half a character", BYTES("a\xc3"), -1 },
};

static void
test_device_id(void)
{
	char *s;
	const char *bad;
	size_t i;
	int got;

	for (i = 0; i < COUNT(ids); i++) {
		s = exact(ids[i].id, ids[i].len);
		got = device_id_valid(s, ids[i].len, &bad) ? -2 :
		    bad == NULL ? -1 : (int)(bad - s);
		IS_INT(got, ids[i].bad, "device id: %s", ids[i].name);
		free(s);
	}
	s = repeated("\xf0\x9f\x98\x80", DEVICE_ID_CHARS + 1);
	OK(device_id_valid(s, 4 * DEVICE_ID_CHARS, NULL),
	    "a device id may have %d characters", DEVICE_ID_CHARS);
	OK(!device_id_valid(s, 4 * DEVICE_ID_CHARS + 4, &bad),
	    "but not one more");
	OK(bad == NULL, "and no character is to blame");
	free(s);
}

static const struct {
	const char	*text;
	long		 min;
	long		 max;
	long		 num;
	int		 rc;
} numbers[] = {
	{ "1", 1, 3, 1, 0 }, { "3", 1, 3, 3, 0 }, { "0", 1, 3, 0, -1 },
	{ "4", 1, 3, 0, -1 }, { "-1", -1, 3, -1, 0 }, { "-2", -1, 3, 0, -1 },
	{ "007", 0, 9, 7, 0 }, { "", 0, 9, 0, -1 }, { "-", -9, 9, 0, -1 },
	{ "+1", 0, 9, 0, -1 }, { " 1", 0, 9, 0, -1 }, { "1 ", 0, 9, 0, -1 },
	{ "1\n", 0, 9, 0, -1 }, { "0x1", 0, 9, 0, -1 }, { "1e0", 0, 9, 0, -1 },
	{ "1.0", 0, 9, 0, -1 }, { "--1", -9, 9, 0, -1 }, { "1-2", 0, 9, 0, -1 },
	{ "9223372036854775807", 0, LONG_MAX, LONG_MAX, 0 },
	{ "9223372036854775808", 0, LONG_MAX, 0, -1 },
	{ "-9223372036854775808", LONG_MIN, 0, LONG_MIN, 0 },
	{ "-9223372036854775809", LONG_MIN, 0, 0, -1 },
	{ "18446744073709551617", 0, LONG_MAX, 0, -1 },
};

static void
test_numbers(void)
{
	long num;
	size_t i;

	for (i = 0; i < COUNT(numbers); i++) {
		num = 77;
		IS_INT(parse_num(numbers[i].text, numbers[i].min,
		    numbers[i].max, &num), numbers[i].rc, "\"%s\" of %ld to "
		    "%ld", numbers[i].text, numbers[i].min, numbers[i].max);
		IS_INT(num, numbers[i].rc == 0 ? numbers[i].num : 77,
		    "and its value");
	}
}

static void
test_str_is(void)
{
	char *s = exact("application/json", 16);

	OK(str_is(s, 16, "APPLICATION/json"), "case does not matter");
	OK(!str_is(s, 15, "application/json"), "length does");
	OK(!str_is(s, 16, "application/jsonx"), "in both directions");
	OK(str_is(s, 0, ""), "nothing is nothing");
	free(s);
	OK(!str_is("\xe9", 1, "\xc9"), "only ASCII has case");
}

static const struct {
	const char	*epoch;
	const char	*time;
} times[] = {
	{ "0", "1970-01-01T00:00:00.000+00:00" },
	{ "0.001", "1970-01-01T00:00:00.001+00:00" },
	{ "951827696.5", "2000-02-29T12:34:56.500+00:00" },
	{ "1767323045.678", "2026-01-02T03:04:05.678+00:00" },
	{ "1767323045.6789", "2026-01-02T03:04:05.678+00:00" },
	{ "1798761599.999999", "2026-12-31T23:59:59.999+00:00" },
	{ "253402300799.99", "9999-12-31T23:59:59.990+00:00" },
	{ "253402300800", NULL },
	{ "99999999999999999999", NULL },
	{ "-1", NULL },
	{ "1e+15", NULL },
	{ "1.5x", NULL },
	{ "Infinity", NULL },
	{ "", NULL },
	{ NULL, NULL },
};

static void
test_iso_time(void)
{
	char out[ISO_TIME_SIZE];
	size_t i;

	for (i = 0; i < COUNT(times); i++)
		IS_STR(iso_time(out, times[i].epoch), times[i].time,
		    "the time of %s", times[i].epoch != NULL ?
		    times[i].epoch : "nothing");
}

int
main(void)
{
	test_str_copy();
	test_utf8();
	test_device_id();
	test_numbers();
	test_str_is();
	test_iso_time();
	return tap_done();
}
