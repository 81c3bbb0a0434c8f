/*
 * Files of CSV in pieces.  The first byte 1 stands for as many letters as
 * nearly fill a record.
 */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fuzz.h"

#define ENOUGH		((size_t)512)	/* bytes that are read one by one */

static void
expand(struct buf *file, const uint8_t *data, size_t size)
{
	static char letters[CSV_RECORD_MAX - 2];
	const uint8_t *at = size > 0 ? memchr(data, 1, size) : NULL;
	size_t before = at != NULL ? (size_t)(at - data) : size;

	buf_add(file, data, before);
	if (at == NULL)
		return;
	memset(letters, 'x', sizeof(letters));
	buf_add(file, letters, sizeof(letters));
	buf_add(file, at + 1, size - before - 1);
}

/* The record, and where it is, in few bytes. */
static void
take(const struct csv_file *file, enum csv_got got, struct buf *all)
{
	const char *text = buf_text(&file->record);

	HOLDS(got == CSV_RECORD || got == CSV_LONG);
	HOLDS(file->line <= file->next_line);
	if (got == CSV_LONG) {
		buf_printf(all, "%ld!\n", file->line);
		return;
	}
	HOLDS(file->record.len <= CSV_RECORD_MAX);
	/* a line's end is part of it in quotes only */
	HOLDS(strpbrk(text, "\r\n") == NULL || strchr(text, '"') != NULL);
	buf_printf(all, "%ld:%zu:", file->line, file->record.len);
	buf_add(all, text, file->record.len);
	buf_putc(all, '\n');
}

/* The ends of lines in a file; CR LF is one. */
static long
ends(const struct buf *bytes)
{
	long n = 0;
	size_t i;

	for (i = 0; i < bytes->len; i++)
		n += bytes->data[i] == '\r' || (bytes->data[i] == '\n' &&
		    (i == 0 || bytes->data[i - 1] != '\r'));
	return n;
}

static void
read_pieces(const struct buf *bytes, size_t first, size_t piece,
    struct buf *all)
{
	struct csv_file file;
	const char *p = buf_text(bytes);
	const char *end = p + bytes->len;
	const char *stop = p + first;
	enum csv_got got;

	csv_open(&file);
	for (;;) {
		while ((got = csv_read(&file, &p, stop)) != CSV_NOTHING)
			take(&file, got, all);
		HOLDS(p == stop);
		if (stop == end)
			break;
		stop += (size_t)(end - stop) < piece ? (size_t)(end - stop) :
		    piece;
	}
	while ((got = csv_read_last(&file)) != CSV_NOTHING) {
		take(&file, got, all);
		HOLDS(csv_read_last(&file) == CSV_NOTHING);
	}
	HOLDS(file.next_line == 1 + ends(bytes));
	csv_close(&file);
}

/* The fields of a line, quoted anew, are the same fields. */
static void
try_line(const char *line, size_t len)
{
	const char *end = line + len;
	const char *p = line;
	const char *q;
	enum csv_end how;
	enum csv_end again;
	struct buf field;
	struct buf copy;
	struct buf back;

	buf_init(&field, 0);
	buf_init(&copy, 0);
	buf_init(&back, 0);
	do {
		buf_reset(&field);
		buf_reset(&copy);
		buf_reset(&back);
		how = csv_field(&p, end, ',', &field);
		HOLDS(p <= end);
		if (how == CSV_BAD)
			break;
		HOLDS(strlen(buf_text(&field)) == field.len);
		csv_quote(&copy, buf_text(&field), ',');
		buf_puts(&copy, how == CSV_MORE ? "," : "");
		q = buf_text(&copy);
		again = csv_field(&q, q + copy.len, ',', &back);
		HOLDS(again == how);
		HOLDS(strcmp(buf_text(&back), buf_text(&field)) == 0);
	} while (how == CSV_MORE);
	HOLDS(how != CSV_LAST || p == end);
	buf_free(&field);
	buf_free(&copy);
	buf_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 100 };
	struct buf bytes;
	struct buf whole;
	struct buf all;
	size_t i;

	buf_init(&bytes, 0);
	buf_init(&whole, 0);
	buf_init(&all, 0);
	expand(&bytes, data, size);
	read_pieces(&bytes, bytes.len, 1, &whole);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		if (bytes.len > ENOUGH * pieces[i])
			continue;
		buf_reset(&all);
		read_pieces(&bytes, 0, pieces[i], &all);
		HOLDS(all.len == whole.len);
		HOLDS(strcmp(buf_text(&all), buf_text(&whole)) == 0);
	}
	/* and cut in two where its bytes say, which is near the end of a long
	 * record */
	buf_reset(&all);
	read_pieces(&bytes, size > 0 ? bytes.len -
	    (data[0] + size) % (bytes.len + 1) : 0, bytes.len + 1, &all);
	HOLDS(all.len == whole.len);
	HOLDS(strcmp(buf_text(&all), buf_text(&whole)) == 0);
	try_line((const char *)data, size);
	buf_free(&bytes);
	buf_free(&whole);
	buf_free(&all);
	return 0;
}
