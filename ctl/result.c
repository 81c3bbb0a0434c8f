#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "result.h"
#include "table.h"
#include "text.h"

#define TIME_SECONDS	19	/* of "2026-11-23T17:45:36.123+00:00" */

void
result_init(struct result *r, const struct ctl *ctl,
    const struct result_column *columns)
{
	memset(r, 0, sizeof(*r));
	r->ctl = ctl;
	r->columns = columns;
	while (columns[r->ncolumns].key != NULL ||
	    columns[r->ncolumns].title != NULL)
		r->ncolumns++;
	buf_init(&r->cells, 0);
}

void
result_free(struct result *r)
{
	buf_free(&r->cells);
}

void
result_add(struct result *r, const char *value)
{
	buf_putc(&r->cells, value != NULL ? 'v' : 'n');
	if (value != NULL)
		buf_add(&r->cells, value, strlen(value) + 1);
	r->ncells++;
}

void
result_add_num(struct result *r, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	result_add(r, text);
}

void
result_add_rows(struct result *r, const struct db_rows *rows)
{
	int row;
	int col;

	for (row = 0; row < rows->n; row++)
		for (col = 0; col < r->ncolumns; col++)
			result_add(r, db_text(rows, row, col));
}

/* The value of the next cell, NULL for null; *at goes behind it. */
static const char *
next_cell(const char **at)
{
	const char *value = NULL;

	if (*(*at)++ == 'v') {
		value = *at;
		*at += strlen(value) + 1;
	}
	return value;
}

/* Text that may come from anywhere: bytes that are not UTF-8 become "?". */
static void
put_text(struct buf *out, const char *text)
{
	struct buf clean;

	if (utf8_valid(text, strlen(text), NULL)) {
		json_quote(out, text);
		return;
	}
	buf_init(&clean, 0);
	for (; *text != '\0'; text++)
		buf_putc(&clean, (unsigned char)*text < 0x80 ? *text : '?');
	json_quote(out, buf_text(&clean));
	buf_free(&clean);
}

static void
put_words(struct buf *out, const char *words)
{
	struct buf word;
	const char *between = "";
	size_t len;

	buf_init(&word, 0);
	buf_putc(out, '[');
	for (; *words != '\0'; words += len + strspn(words + len, " ")) {
		len = strcspn(words, " ");
		buf_reset(&word);
		buf_add(&word, words, len);
		buf_puts(out, between);
		put_text(out, buf_text(&word));
		between = ", ";
	}
	buf_putc(out, ']');
	buf_free(&word);
}

static void
put_json(struct buf *out, enum result_type type, const char *value)
{
	if (value == NULL) {
		buf_puts(out, "null");
		return;
	}
	switch (type) {
	case RESULT_TEXT:
	case RESULT_TIME:
		put_text(out, value);
		break;
	case RESULT_BOOL:
		buf_puts(out, value[0] == 't' ? "true" : "false");
		break;
	case RESULT_WORDS:
		put_words(out, value);
		break;
	case RESULT_NUM:
	case RESULT_JSON:
		buf_puts(out, value);
		break;
	}
}

/* The next row as an object. */
static void
put_object(const struct result *r, struct buf *out, const char **at)
{
	const char *between = "";
	const char *value;
	int i;

	buf_putc(out, '{');
	for (i = 0; i < r->ncolumns; i++) {
		value = next_cell(at);
		if (r->columns[i].key == NULL)
			continue;
		buf_puts(out, between);
		json_quote(out, r->columns[i].key);
		buf_puts(out, ": ");
		put_json(out, r->columns[i].type, value);
		between = ", ";
	}
	buf_putc(out, '}');
}

void
result_array(const struct result *r, struct buf *out)
{
	const char *at = buf_text(&r->cells);
	long row;

	buf_putc(out, '[');
	for (row = 0; buf_ok(&r->cells) && row < r->ncells / r->ncolumns;
	    row++) {
		buf_puts(out, row > 0 ? ",\n " : "\n ");
		put_object(r, out, &at);
	}
	buf_puts(out, row > 0 ? "\n]" : "]");
}

/* What people read of a value; seconds has room for a time. */
static const char *
for_people(enum result_type type, const char *value, char *seconds)
{
	if (value == NULL)
		return NULL;
	if (type == RESULT_BOOL)
		return value[0] == 't' ? "yes" : "no";
	if (type == RESULT_TIME && strlen(value) > TIME_SECONDS) {
		memcpy(seconds, value, TIME_SECONDS);
		seconds[TIME_SECONDS] = 'Z';
		seconds[TIME_SECONDS + 1] = '\0';
		return seconds;
	}
	return value;
}

static int
print_table(const struct result *r)
{
	const char *titles[TABLE_COLUMNS + 1];
	const char *at = buf_text(&r->cells);
	const char *value;
	char seconds[TIME_SECONDS + 2];
	struct table t;
	long cell;
	int n = 0;
	int rc;
	int i;

	for (i = 0; i < r->ncolumns && n < TABLE_COLUMNS; i++)
		if (r->columns[i].title != NULL)
			titles[n++] = r->columns[i].title;
	titles[n] = NULL;
	table_init(&t, titles);
	for (cell = 0; cell < r->ncells; cell++) {
		i = (int)(cell % r->ncolumns);
		value = next_cell(&at);
		if (r->columns[i].title != NULL)
			table_add(&t, for_people(r->columns[i].type, value,
			    seconds));
	}
	rc = table_print(&t, stdout);
	table_free(&t);
	return rc;
}

/* Each value of the first row in a line with its name; no nulls. */
static void
print_facts(const struct result *r, struct buf *out)
{
	const char *at = buf_text(&r->cells);
	const char *value;
	char seconds[TIME_SECONDS + 2];
	int width = 0;
	int i;

	for (i = 0; i < r->ncolumns; i++)
		if (r->columns[i].title != NULL &&
		    (int)strlen(r->columns[i].title) > width)
			width = (int)strlen(r->columns[i].title);
	for (i = 0; i < r->ncolumns; i++) {
		value = for_people(r->columns[i].type, next_cell(&at),
		    seconds);
		if (r->columns[i].title == NULL || value == NULL)
			continue;
		buf_printf(out, "%-*s  ", width, r->columns[i].title);
		table_clean(out, value, false);
		buf_putc(out, '\n');
	}
}

/* Write the text, unless memory has run out, and free both. */
static enum ctl_exit
finish(struct result *r, struct buf *out)
{
	enum ctl_exit rc = CTL_DONE;

	if (buf_ok(&r->cells) && buf_ok(out)) {
		fputs(buf_text(out), stdout);
	} else {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	}
	buf_free(out);
	result_free(r);
	return rc;
}

enum ctl_exit
result_list(struct result *r)
{
	struct buf out;

	buf_init(&out, 0);
	if (r->ctl->json) {
		result_array(r, &out);
		buf_putc(&out, '\n');
	} else if (buf_ok(&r->cells) && print_table(r) == -1) {
		r->cells.broken = true;
	}
	return finish(r, &out);
}

static enum ctl_exit
write_one(struct result *r, const char *fmt, va_list ap)
{
	const char *at = buf_text(&r->cells);
	struct buf out;
	char *text;

	buf_init(&out, 0);
	if (r->ctl->json && buf_ok(&r->cells)) {
		put_object(r, &out, &at);
		buf_putc(&out, '\n');
	} else if (fmt != NULL && vasprintf(&text, fmt, ap) == -1) {
		out.broken = true;
	} else if (fmt != NULL) {
		table_clean(&out, text, true);
		explicit_bzero(text, strlen(text));	/* a password? */
		free(text);
	} else if (buf_ok(&r->cells)) {
		print_facts(r, &out);
	}
	return finish(r, &out);
}

enum ctl_exit
result_one(struct result *r, const char *fmt, ...)
{
	enum ctl_exit rc;
	va_list ap;

	va_start(ap, fmt);
	rc = write_one(r, fmt, ap);
	va_end(ap);
	return rc;
}

enum ctl_exit
result_say(const struct ctl *ctl, const struct result_column *columns,
    const char *const *values, const char *fmt, ...)
{
	struct result r;
	enum ctl_exit rc;
	va_list ap;
	int i;

	result_init(&r, ctl, columns);
	for (i = 0; i < r.ncolumns; i++)
		result_add(&r, values[i]);
	va_start(ap, fmt);
	rc = write_one(&r, fmt, ap);
	va_end(ap);
	return rc;
}

enum ctl_exit
result_rows(const struct ctl *ctl, const struct result_column *columns,
    const struct db_rows *rows)
{
	struct result r;

	result_init(&r, ctl, columns);
	result_add_rows(&r, rows);
	return result_list(&r);
}
