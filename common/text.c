#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "model.h"
#include "text.h"

int
str_copy(char *dst, size_t dstlen, const char *src, size_t len)
{
	if (dstlen == 0)
		return -1;
	dst[0] = '\0';
	if (len >= dstlen || memchr(src, '\0', len) != NULL)
		return -1;
	memcpy(dst, src, len);
	dst[len] = '\0';
	return 0;
}

/* Bytes of the character at p, or 0 if it is none; *code gets the character. */
static size_t
utf8_char(const unsigned char *p, size_t left, unsigned int *code)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;
	size_t i;
	unsigned int c;

	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len > left)
		return 0;
	c = p[0] & (0x7fU >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return len;
}

bool
utf8_valid(const char *s, size_t len, size_t *chars)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = 0;
	size_t used;
	unsigned int c;

	for (; len > 0; n++, p += used, len -= used)
		if ((used = utf8_char(p, len, &c)) == 0)
			return false;
	if (chars != NULL)
		*chars = n;
	return true;
}

/*
 * White space and control characters of Unicode, written down here because
 * the C library's answer depends on the locale.
 */
static bool
forbidden(unsigned int c)
{
	if (c < 0x80)
		return c <= 0x20 || c == 0x7f || strchr("/\\+$:", (int)c);
	return c <= 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	    c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	    c == 0x3000;
}

size_t
utf8_cut(const char *s, size_t max)
{
	size_t len = strnlen(s, max);

	if (s[len] != '\0')
		while (len > 0 && (s[len] & 0xc0) == 0x80)
			len--;
	return len;
}

bool
device_id_valid(const char *id, size_t len, const char **bad)
{
	const unsigned char *p = (const unsigned char *)id;
	size_t n = 0;
	size_t used;
	unsigned int c;

	if (bad != NULL)
		*bad = NULL;
	if ((len == 1 || len == 2) && memcmp(id, "..", len) == 0) {
		if (bad != NULL)
			*bad = id;	/* no path leads there */
		return false;
	}
	for (; len > 0; n++, p += used, len -= used) {
		if ((used = utf8_char(p, len, &c)) == 0)
			return false;
		if (forbidden(c)) {
			if (bad != NULL)
				*bad = (const char *)p;
			return false;
		}
	}
	return n >= 1 && n <= DEVICE_ID_CHARS;
}

int
parse_num(const char *s, long min, long max, long *num)
{
	char *end;
	long n;

	if (s[0] == '\0' || s[strspn(s, "-0123456789")] != '\0')
		return -1;
	errno = 0;
	n = strtol(s, &end, 10);
	if (errno != 0 || *end != '\0' || n < min || n > max)
		return -1;
	*num = n;
	return 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
percent_decode(struct buf *out, const char *s, size_t len, bool plus_is_space)
{
	size_t i;
	int hi;
	int lo;

	for (i = 0; i < len; i++) {
		if (s[i] == '+' && plus_is_space) {
			buf_putc(out, ' ');
		} else if (s[i] != '%') {
			buf_putc(out, s[i]);
		} else {
			if (len - i < 3 || (hi = hex_value(s[i + 1])) == -1 ||
			    (lo = hex_value(s[i + 2])) == -1 || hi + lo == 0)
				return -1;
			buf_putc(out, (char)(hi << 4 | lo));
			i += 2;
		}
	}
	return buf_ok(out) ? 0 : -1;
}

/* RFC 3986's unreserved characters. */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

void
percent_encode(struct buf *out, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *from;

	while (*s != '\0') {
		for (from = s; is_unreserved(*s); s++)
			;
		buf_add(out, from, (size_t)(s - from));
		if (*s == '\0')
			break;
		buf_putc(out, '%');
		buf_putc(out, hex[(unsigned char)*s >> 4]);
		buf_putc(out, hex[(unsigned char)*s++ & 15]);
	}
}

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *out, const char *s, size_t len)
{
	unsigned int bits = 0;
	size_t i;
	int have = 0;

	for (i = 0; i < len; i++) {
		bits = (bits << 8 | (unsigned char)s[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			buf_putc(out, base64[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		buf_putc(out, base64[bits << (6 - have) & 63]);
	for (; len % 3 != 0; len++)
		buf_putc(out, '=');
}

int
base64_decode(struct buf *out, const char *s, size_t len)
{
	const char *at;
	unsigned int bits = 0;
	size_t padded = len;
	size_t i;
	int have = 0;

	while (len > 0 && s[len - 1] == '=')
		len--;
	if (len < padded && (padded % 4 != 0 || padded - len > 2))
		return -1;
	for (i = 0; i < len; i++) {
		if (s[i] == '\0' || (at = strchr(base64, s[i])) == NULL)
			return -1;
		bits = bits << 6 | (unsigned int)(at - base64);
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_putc(out, (char)(bits >> have & 0xff));
		}
	}
	/* left over: nothing but zero bits of less than a whole digit */
	if (have >= 6 || (bits & ((1U << have) - 1)) != 0)
		return -1;
	return buf_ok(out) ? 0 : -1;
}

/* Letters, digits, and what else may stand in a host and a path. */
static bool
is_of_links(const char *s)
{
	return s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
	    "yz0123456789-._~:/[]@!$&'()*+,;=")] == '\0';
}

bool
host_valid(const char *host)
{
	static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._";
	size_t len;

	if (*host == '[') {
		len = 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
		if (len == 1 || host[len] != ']')
			return false;
		len++;
	} else if ((len = strspn(host, name)) == 0) {
		return false;
	}
	host += len;
	if (*host == ':')
		host += 1 + strspn(host + 1, "0123456789");
	return *host == '\0';
}

bool
link_base_valid(const char *s)
{
	if (strncasecmp(s, "http://", 7) == 0)
		s += 7;
	else if (strncasecmp(s, "https://", 8) == 0)
		s += 8;
	else
		return false;
	return *s != '\0' && *s != '/' && is_of_links(s);
}

bool
path_prefix_valid(const char *s)
{
	size_t len = strlen(s);

	return len == 0 || (s[0] == '/' && s[len - 1] != '/' &&
	    strstr(s, "//") == NULL && is_of_links(s));
}

bool
str_is(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

/* Write n digits of num in front of end. */
static void
digits(char *end, int num, int n)
{
	for (; n > 0; n--, num /= 10)
		*--end = (char)('0' + num % 10);
}

const char *
iso_time(char out[ISO_TIME_SIZE], const char *epoch)
{
	static const char form[] = "0000-00-00T00:00:00.000+00:00";
	struct tm tm;
	char *end;
	time_t at;
	int ms = 0;
	int n;

	_Static_assert(sizeof(form) == ISO_TIME_SIZE, "a time and its NUL");
	if (epoch == NULL || *epoch < '0' || *epoch > '9')
		return NULL;
	at = strtol(epoch, &end, 10);
	if (*end == '.')
		end++;
	for (n = 0; n < 3; n++)
		ms = ms * 10 + (*end >= '0' && *end <= '9' ? *end++ - '0' : 0);
	if (end[strspn(end, "0123456789")] != '\0' ||
	    gmtime_r(&at, &tm) == NULL || tm.tm_year > 9999 - 1900)
		return NULL;
	memcpy(out, form, sizeof(form));
	digits(out + 4, tm.tm_year + 1900, 4);
	digits(out + 7, tm.tm_mon + 1, 2);
	digits(out + 10, tm.tm_mday, 2);
	digits(out + 13, tm.tm_hour, 2);
	digits(out + 16, tm.tm_min, 2);
	digits(out + 19, tm.tm_sec, 2);
	digits(out + 23, ms, 3);
	return out;
}

void
json_quote(struct buf *out, const char *s)
{
	const char *p;

	buf_putc(out, '"');
	for (p = s; *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
			continue;
		buf_add(out, s, (size_t)(p - s));
		if (*p == '"' || *p == '\\')
			buf_printf(out, "\\%c", *p);
		else
			buf_printf(out, "\\u%04x", (unsigned char)*p);
		s = p + 1;
	}
	buf_add(out, s, (size_t)(p - s));
	buf_putc(out, '"');
}
