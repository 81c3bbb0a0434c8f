#include <string.h>

#include "csv.h"

/* What stands between quotes; a pair of them is one.  NULL: it does not end. */
static const char *
quoted(const char *p, const char *end, struct buf *field)
{
	for (; p < end; p++) {
		if (*p == '\0')
			return NULL;
		if (*p == '"' && (++p == end || *p != '"'))
			return p;
		buf_putc(field, *p);
	}
	return NULL;
}

enum csv_end
csv_field(const char **p, const char *end, char separator, struct buf *field)
{
	const char *s = *p;

	if (s < end && *s == '"') {
		if ((s = quoted(s + 1, end, field)) == NULL)
			return CSV_BAD;
	} else {
		for (; s < end && *s != separator; s++) {
			if (strchr("\"\r\n", *s) != NULL)	/* or NUL */
				return CSV_BAD;
			buf_putc(field, *s);
		}
	}
	*p = s;
	if (s == end)
		return CSV_LAST;
	*p = s + 1;
	return *s == separator ? CSV_MORE : CSV_BAD;
}

void
csv_quote(struct buf *out, const char *s, char separator)
{
	const char special[] = { separator, '"', '\r', '\n', '\0' };

	if (s[strcspn(s, special)] == '\0') {
		buf_puts(out, s);
		return;
	}
	buf_putc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_putc(out, '"');
		buf_putc(out, *s);
	}
	buf_putc(out, '"');
}
