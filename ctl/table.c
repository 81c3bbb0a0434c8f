#include <string.h>

#include "table.h"
#include "text.h"

#define WIDTH_MAX	40	/* longer cells push the rest of their row */

/*
 * Bytes of the control character at p: C0, DEL, C1 (U+0080 to U+009F) or one
 * that changes the direction of writing; 0 if it is another character.
 */
static size_t
control_len(const unsigned char *p)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return 1;
	if (p[0] == 0xc2 && p[1] < 0xa0)
		return 2;
	if (p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
	    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
		return 3;
	return 0;
}

void
table_clean(struct buf *out, const char *text, bool lines)
{
	const unsigned char *p = (const unsigned char *)text;
	bool utf8 = utf8_valid(text, strlen(text), NULL);
	size_t len;

	while (*p != '\0') {
		if (lines && (*p == '\n' || *p == '\t')) {
			buf_putc(out, (char)*p++);
		} else if (!utf8 && *p >= 0x80) {
			buf_putc(out, '?');
			p++;
		} else if ((len = control_len(p)) > 0) {
			buf_putc(out, '?');
			p += len;
		} else {
			buf_putc(out, (char)*p++);
		}
	}
}

/* Characters of clean text. */
static size_t
text_width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			n++;
	return n;
}

void
table_init(struct table *t, const char *const *titles)
{
	memset(t, 0, sizeof(*t));
	buf_init(&t->cells, 0);
	while (t->ncols < TABLE_COLUMNS && titles[t->ncols] != NULL)
		t->ncols++;
	while (t->ncells < t->ncols)
		table_add(t, titles[t->ncells]);
}

void
table_add(struct table *t, const char *text)
{
	size_t start = t->cells.len;
	size_t width;
	int col = t->ncells++ % t->ncols;

	table_clean(&t->cells, text != NULL && text[0] != '\0' ? text : "-",
	    false);
	if (!buf_ok(&t->cells))
		return;
	width = text_width(buf_text(&t->cells) + start);
	if (width > WIDTH_MAX)
		width = WIDTH_MAX;
	if (width > t->width[col])
		t->width[col] = width;
	buf_putc(&t->cells, '\0');
}

int
table_print(const struct table *t, FILE *out)
{
	const char *cell = buf_text(&t->cells);
	size_t pad;
	size_t width;
	int i;

	if (!buf_ok(&t->cells))
		return -1;
	for (i = 0; i < t->ncells; i++, cell += strlen(cell) + 1) {
		fputs(cell, out);
		if (i % t->ncols == t->ncols - 1) {
			fputc('\n', out);
			continue;
		}
		pad = t->width[i % t->ncols];
		for (width = text_width(cell); width < pad; width++)
			fputc(' ', out);
		fputs("  ", out);
	}
	return 0;
}

void
table_free(struct table *t)
{
	buf_free(&t->cells);
}
