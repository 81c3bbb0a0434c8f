#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"

const char *
db_text(const struct db_rows *rows, int row, int col)
{
	if (PQgetisnull(rows->result, row, col))
		return NULL;
	return PQgetvalue(rows->result, row, col);
}

bool
db_true(const struct db_rows *rows, int row, int col)
{
	const char *text = db_text(rows, row, col);

	return text != NULL && text[0] == 't';
}

long
db_num(const struct db_rows *rows, int row, int col)
{
	const char *text = db_text(rows, row, col);

	return text != NULL ? strtol(text, NULL, 10) : 0;
}

int
db_bytes(const struct db_rows *rows, int row, int col, unsigned char *out,
    size_t len)
{
	const char *text = db_text(rows, row, col);
	unsigned int byte = 0;
	size_t i;

	if (text == NULL || strlen(text) != 2 + 2 * len)
		return -1;
	for (i = 0, text += 2; i < 2 * len; i++, text++) {
		byte = byte << 4 | (unsigned int)(*text <= '9' ?
		    *text - '0' : *text - 'a' + 10);
		if (i % 2 == 1)
			out[i / 2] = (unsigned char)(byte & 0xff);
	}
	return 0;
}

void
db_rows_free(struct db_rows *rows)
{
	PQclear(rows->result);
	rows->result = NULL;
	rows->n = 0;
}

void
db_array_add(struct buf *b, const char *element)
{
	if (b->len > 1)
		buf_putc(b, ',');
	if (element == NULL) {
		buf_puts(b, "NULL");
		return;
	}
	buf_putc(b, '"');
	for (; *element != '\0'; element++) {
		if (*element == '"' || *element == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *element);
	}
	buf_putc(b, '"');
}

void
db_copy_add(struct buf *rows, const char *value, char end)
{
	size_t n;

	if (value == NULL)
		value = "\\N";
	else
		for (; value[n = strcspn(value, "\\\t\n\r")] != '\0';
		    value += n + 1) {
			buf_add(rows, value, n);
			buf_putc(rows, '\\');
			/* as letters: line ends may change on the way */
			buf_putc(rows, value[n] == '\t' ? 't' :
			    value[n] == '\n' ? 'n' :
			    value[n] == '\r' ? 'r' : '\\');
		}
	buf_puts(rows, value);
	buf_putc(rows, end);
}
