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

void
csv_open(struct csv_file *file)
{
	memset(file, 0, sizeof(*file));
	buf_init(&file->record, 0);
	file->line = file->next_line = 1;
}

void
csv_close(struct csv_file *file)
{
	buf_free(&file->record);
}

static bool
is_separator(const struct csv_file *file, char c)
{
	return file->separator != 0 ? c == file->separator :
	    c == ',' || c == ';' || c == '\t';
}

/* What c makes of the record; true if it ends the line. */
static bool
csv_turn(struct csv_file *file, char c)
{
	bool end = c == '\n' || c == '\r';

	if (end)
		file->next_line += c == '\r' || !file->after_cr;
	file->after_cr = c == '\r';
	if (c == '"') {
		if (file->state == CSV_START || file->state == CSV_QUOTE)
			file->state = CSV_QUOTED;
		else if (file->state == CSV_QUOTED)
			file->state = CSV_QUOTE;
		return false;
	}
	/* a record without end must not take the rest of the file along */
	if (file->state == CSV_QUOTED && !(end && file->too_long))
		return false;
	file->state = is_separator(file, c) ? CSV_START : CSV_PLAIN;
	return end;
}

static void
csv_keep(struct csv_file *file, const char *s, size_t len)
{
	if (file->record.len + len > CSV_RECORD_MAX)
		file->too_long = true;
	if (!file->too_long)
		buf_add(&file->record, s, len);
}

static enum csv_got
csv_hand_out(struct csv_file *file)
{
	file->whole = true;
	file->state = CSV_START;
	return file->too_long || !buf_ok(&file->record) ? CSV_LONG :
	    CSV_RECORD;
}

/* Before the first byte of a record. */
static void
csv_begin(struct csv_file *file)
{
	buf_reset(&file->record);
	file->whole = false;
	file->too_long = false;
	file->line = file->next_line;
}

enum csv_got
csv_read(struct csv_file *file, const char **p, const char *end)
{
	const char *s = *p;
	const char *c;

	if (file->whole)
		csv_begin(file);
	/* the other half of the line's end that was handed out before */
	if (s < end && file->after_cr && file->record.len == 0 &&
	    !file->too_long) {
		file->after_cr = false;
		s += *s == '\n';
	}
	for (c = s; c < end; c++) {
		if (file->record.len + (size_t)(c - s) > CSV_RECORD_MAX)
			file->too_long = true;
		if (!csv_turn(file, *c))
			continue;
		csv_keep(file, s, (size_t)(c - s));
		*p = c + 1;
		return csv_hand_out(file);
	}
	csv_keep(file, s, (size_t)(c - s));
	*p = end;
	return CSV_NOTHING;
}

enum csv_got
csv_read_last(struct csv_file *file)
{
	if (file->whole)
		csv_begin(file);
	if (file->record.len == 0 && !file->too_long)
		return CSV_NOTHING;
	return csv_hand_out(file);
}

char
csv_separator(const char *header)
{
	bool quoted = false;

	for (; *header != '\0'; header++) {
		if (*header == '"')
			quoted = !quoted;
		else if (!quoted && strchr("\t;,", *header) != NULL)
			return *header;
	}
	return ',';
}

void
csv_windows1252(struct buf *out, const char *s, size_t len)
{
	/* 0x80 to 0x9f; what is not defined stays the control it is */
	static const char *const high[32] = {
		"\u20ac", "\xc2\x81", "\u201a", "\u0192", "\u201e", "\u2026",
		"\u2020", "\u2021", "\u02c6", "\u2030", "\u0160", "\u2039",
		"\u0152", "\xc2\x8d", "\u017d", "\xc2\x8f", "\xc2\x90",
		"\u2018", "\u2019", "\u201c", "\u201d", "\u2022", "\u2013",
		"\u2014", "\u02dc", "\u2122", "\u0161", "\u203a", "\u0153",
		"\xc2\x9d", "\u017e", "\u0178"
	};
	unsigned char c;

	for (; len > 0; s++, len--) {
		c = (unsigned char)*s;
		if (c < 0x80) {
			buf_putc(out, *s);
		} else if (c < 0xa0) {
			buf_puts(out, high[c - 0x80]);
		} else {
			buf_putc(out, (char)(0xc0 | c >> 6));
			buf_putc(out, (char)(0x80 | (c & 0x3f)));
		}
	}
}
