#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static int count;
static int failed;

static void
result(bool holds, const char *file, int line, const char *name, va_list ap)
{
	char text[512];
	char *p;

	vsnprintf(text, sizeof(text), name, ap);
	for (p = text; *p != '\0'; p++)
		if (*p == '\n' || *p == '\r' || *p == '#')
			*p = '?';	/* would be more than a name */
	count++;
	printf("%sok %d - %s\n", holds ? "" : "not ", count, text);
	if (holds)
		return;
	failed++;
	printf("#   at %s line %d\n", file, line);
}

/* Bytes as a C string that can be read, after a word. */
static void
show(const char *word, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	size_t i;

	printf("# %8s: ", word);
	if (p == NULL) {
		puts("NULL");
		return;
	}
	putchar('"');
	for (i = 0; i < len; i++) {
		if (p[i] >= ' ' && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
			putchar(p[i]);
		else
			printf("\\x%02x", p[i]);
	}
	puts("\"");
}

bool
tap_ok(bool holds, const char *file, int line, const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	result(holds, file, line, name, ap);
	va_end(ap);
	return holds;
}

bool
tap_is_int(long long got, long long want, const char *file, int line,
    const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	result(got == want, file, line, name, ap);
	va_end(ap);
	if (got != want)
		printf("#      got: %lld\n# expected: %lld\n", got, want);
	return got == want;
}

bool
tap_is_str(const char *got, const char *want, const char *file, int line,
    const char *name, ...)
{
	bool same = got == NULL || want == NULL ? got == want :
	    strcmp(got, want) == 0;
	va_list ap;

	va_start(ap, name);
	result(same, file, line, name, ap);
	va_end(ap);
	if (!same) {
		show("got", got, got != NULL ? strlen(got) : 0);
		show("expected", want, want != NULL ? strlen(want) : 0);
	}
	return same;
}

bool
tap_has(const char *got, const char *part, const char *file, int line,
    const char *name, ...)
{
	bool has = got != NULL && strstr(got, part) != NULL;
	va_list ap;

	va_start(ap, name);
	result(has, file, line, name, ap);
	va_end(ap);
	if (!has) {
		show("got", got, got != NULL ? strlen(got) : 0);
		show("without", part, strlen(part));
	}
	return has;
}

bool
tap_is_mem(const void *got, size_t got_len, const void *want,
    size_t want_len, const char *file, int line, const char *name, ...)
{
	bool same = got_len == want_len &&
	    (got_len == 0 || memcmp(got, want, got_len) == 0);
	va_list ap;

	va_start(ap, name);
	result(same, file, line, name, ap);
	va_end(ap);
	if (!same) {
		show("got", got, got_len);
		show("expected", want, want_len);
	}
	return same;
}

int
tap_done(void)
{
	printf("1..%d\n", count);
	return failed > 0 || count == 0;
}
