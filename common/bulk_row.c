#include <stdlib.h>
#include <string.h>

#include "bulk_row.h"
#include "csv.h"
#include "text.h"

#define BOM	"\xef\xbb\xbf"

enum { COL_NONE, COL_ID, COL_TENANT, COL_TYPE, COL_AUTH_TYPE,
	COL_CREDENTIALS, COL_SECRET, COL_PROPERTY };

/* The columns of the reference; others stay as they are written. */
static const struct {
	const char	*name;
	int		 kind;
} columns[] = {
	{ "ID", COL_ID },
	{ "TENANT", COL_TENANT },
	{ "TYPE", COL_TYPE },
	{ "AUTH_TYPE", COL_AUTH_TYPE },
	{ "CREDENTIALS", COL_CREDENTIALS },
	{ "ENROLLMENT_OTP", COL_SECRET },
	{ "NAME", COL_PROPERTY },
	{ "ICCID", COL_PROPERTY },
	{ "IDTYPE", COL_PROPERTY },
	{ "PATH", COL_PROPERTY },
	{ "SHELL", COL_PROPERTY },
};

/* Find out what a column is; -1 if it stands there already. */
static int
add_column(struct bulk_header *header, const char *name, size_t len)
{
	struct bulk_column *c = &header->column[header->ncolumns];
	size_t i;
	int k;

	c->kind = len == 0 ? COL_NONE : COL_PROPERTY;
	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (str_is(name, len, columns[i].name)) {
			c->kind = columns[i].kind;
			name = columns[i].name;
		}
	if ((c->name = strndup(name, len)) == NULL)
		return -1;
	header->ncolumns++;
	for (k = 0; k < header->ncolumns - 1; k++)
		if (len > 0 && strcmp(header->column[k].name, c->name) == 0)
			return -1;
	return 0;
}

static bool
has_column(const struct bulk_header *header, int kind)
{
	int i;

	for (i = 0; i < header->ncolumns; i++)
		if (header->column[i].kind == kind)
			return true;
	return false;
}

/* A name without the white space around it. */
static int
take_column(struct bulk_header *header, const struct buf *field,
    struct buf *why)
{
	const char *name = buf_text(field);
	size_t len = field->len;

	for (; len > 0 && *name == ' '; len--)
		name++;
	while (len > 0 && name[len - 1] == ' ')
		len--;
	if (header->ncolumns == BULK_COLUMNS)
		buf_printf(why, "The file has more than %d columns.",
		    BULK_COLUMNS);
	else if (add_column(header, name, len) == -1)
		buf_printf(why, "Duplicate column: %.*s.", (int)len, name);
	else
		return 0;
	return -1;
}

static int
read_columns(struct bulk_header *header, const char *line, size_t len,
    struct buf *why)
{
	const char *end = line + len;
	enum csv_end how;
	struct buf field;

	buf_init(&field, 0);
	do {
		buf_reset(&field);
		how = csv_field(&line, end, header->separator, &field);
		if (how == CSV_BAD)
			buf_puts(why, "The header line is not CSV.");
		if (how == CSV_BAD ||
		    take_column(header, &field, why) == -1) {
			buf_free(&field);
			return -1;
		}
	} while (how == CSV_MORE);
	buf_free(&field);
	if (has_column(header, COL_ID))
		return 0;
	buf_puts(why, "The header line has no column ID.");
	return -1;
}

/* As UTF-8: it is that already, or Windows-1252 unless the file denies it. */
static int
decode(struct buf *out, const char *line, size_t len, bool must_be_utf8)
{
	if (utf8_valid(line, len, NULL))
		buf_add(out, line, len);
	else if (!must_be_utf8)
		csv_windows1252(out, line, len);
	else
		return -1;
	return 0;
}

int
bulk_header_read(struct bulk_header *header, const char *line, size_t len,
    struct buf *why)
{
	struct buf text;
	int rc = -1;

	memset(header, 0, sizeof(*header));
	buf_init(&text, 0);
	if (len >= 2 && (memcmp(line, "\xff\xfe", 2) == 0 ||
	    memcmp(line, "\xfe\xff", 2) == 0)) {
		buf_puts(why, "The file is UTF-16; save it as UTF-8.");
		goto out;
	}
	header->bom = len >= 3 && memcmp(line, BOM, 3) == 0;
	if (header->bom) {
		line += 3;
		len -= 3;
	}
	if (decode(&text, line, len, header->bom) == -1) {
		buf_puts(why, "The header line is not UTF-8.");
		goto out;
	}
	header->separator = csv_separator(buf_text(&text));
	if (read_columns(header, buf_text(&text), text.len, why) == -1)
		goto out;
	header->full = has_column(header, COL_CREDENTIALS) ||
	    has_column(header, COL_AUTH_TYPE);
	rc = 0;
out:
	buf_free(&text);
	return rc;
}

void
bulk_header_free(struct bulk_header *header)
{
	while (header->ncolumns > 0)
		free(header->column[--header->ncolumns].name);
}

void
bulk_row_init(struct bulk_row *row)
{
	memset(row, 0, sizeof(*row));
	buf_init(&row->type, 0);
	buf_init(&row->properties, 0);
	buf_init(&row->why, 0);
}

/* Begin a line; what the last one held is wiped. */
static void
bulk_row_reset(struct bulk_row *row)
{
	row->id[0] = '\0';
	row->has_tenant = false;
	row->has_type = false;
	secret_wipe(&row->password, sizeof(row->password));
	buf_reset(&row->type);
	buf_reset(&row->properties);
	buf_reset(&row->why);
}

void
bulk_row_free(struct bulk_row *row)
{
	secret_wipe(&row->password, sizeof(row->password));
	buf_free(&row->type);
	buf_free(&row->properties);
	buf_free(&row->why);
}

static void
add_property(struct bulk_row *row, const char *name, const char *value)
{
	buf_putc(&row->properties, row->properties.len > 0 ? ',' : '{');
	json_quote(&row->properties, name);
	buf_putc(&row->properties, ':');
	json_quote(&row->properties, value);
}

static void
take_auth_type(struct bulk_row *row, const char *value)
{
	if (str_is(value, strlen(value), "CERTIFICATES"))
		buf_puts(&row->why, "AUTH_TYPE CERTIFICATES is not supported, "
		    "only BASIC.");
	else if (!str_is(value, strlen(value), "BASIC"))
		buf_puts(&row->why, "AUTH_TYPE must be BASIC.");
}

/* Copy a word: what may have no white space loses what stands around it. */
static int
take_word(char *dst, size_t dstlen, const char *value)
{
	size_t len;

	value += strspn(value, " \t");
	for (len = strlen(value); len > 0 && (value[len - 1] == ' ' ||
	    value[len - 1] == '\t');)
		len--;
	return str_copy(dst, dstlen, value, len);
}

/* A value that is not empty; what is wrong with it goes to row->why. */
static void
take_value(struct bulk_row *row, const struct bulk_header *header,
    const struct bulk_column *c, const char *value)
{
	switch (c->kind) {
	case COL_ID:	/* looked at in the end: errors name it */
		if (take_word(row->id, sizeof(row->id), value) == -1 &&
		    device_id_check(value, &row->why))
			buf_puts(&row->why, "The ID is too long.");
		break;
	case COL_TENANT:
		row->has_tenant = true;
		if (take_word(row->tenant, sizeof(row->tenant), value) == -1)
			buf_puts(&row->why, "There is no such tenant.");
		break;
	case COL_AUTH_TYPE:
		take_auth_type(row, value);
		break;
	case COL_CREDENTIALS:
		if (!secret_password_may_be(value))
			buf_printf(&row->why, "CREDENTIALS must have %d to %d "
			    "characters: Latin letters, digits and symbols.",
			    PASSWORD_CHOSEN_MIN, PASSWORD_CHARS);
		else if (secret_password_take(&row->password, value) == -1)
			buf_puts(&row->why, "Could not hash CREDENTIALS.");
		break;
	case COL_TYPE:
		if (!header->full) {
			row->has_type = true;
			buf_puts(&row->type, value);
			break;
		}
		/* FALLTHROUGH */
	case COL_PROPERTY:
		add_property(row, c->name, value);
		break;
	default:	/* nothing that is kept */
		break;
	}
}

/* Take the fields of a line; false if it is not CSV.  *any: one has text. */
static bool
take_fields(struct bulk_row *row, const struct bulk_header *header,
    const struct buf *line, bool *any)
{
	static const struct bulk_column beyond = { COL_NONE, NULL };
	const char *p = buf_text(line);
	const char *end = p + line->len;
	const struct bulk_column *c;
	enum csv_end how;
	struct buf field;
	int i = 0;

	*any = false;
	buf_init(&field, 0);
	do {
		buf_reset(&field);
		how = csv_field(&p, end, header->separator, &field);
		c = i < header->ncolumns ? &header->column[i++] : &beyond;
		if (how == CSV_BAD || field.len == 0)
			continue;
		*any = true;
		if (c == &beyond)
			buf_puts(&row->why, "The line has more fields than "
			    "the header.");
		if (row->why.len == 0 || c->kind == COL_ID)
			take_value(row, header, c, buf_text(&field));
	} while (how == CSV_MORE);
	buf_free(&field);
	return how != CSV_BAD;
}

enum bulk_row_kind
bulk_row_read(struct bulk_row *row, const struct bulk_header *header,
    const char *line, size_t len)
{
	struct buf text;
	bool any = true;

	bulk_row_reset(row);
	buf_init(&text, 0);
	if (decode(&text, line, len, header->bom) == -1)
		buf_puts(&row->why, "The line is not UTF-8.");
	else if (!take_fields(row, header, &text, &any)) {
		buf_reset(&row->why);
		buf_puts(&row->why, "The line is not CSV: NUL, or a quote in "
		    "a wrong place.");
		any = true;
	}
	buf_free(&text);
	if (!any)
		return BULK_ROW_EMPTY;
	if (row->why.len == 0 && row->id[0] == '\0')
		buf_puts(&row->why,
		    "Following mandatory fields should be included: ID");
	if (row->why.len == 0 && header->full && row->password.text[0] == '\0')
		buf_puts(&row->why, "Following mandatory fields should be "
		    "included: CREDENTIALS");
	buf_puts(&row->properties, row->properties.len > 0 ? "}" : "{}");
	return row->why.len == 0 && device_id_check(row->id, &row->why) ?
	    BULK_ROW_GOOD : BULK_ROW_BAD;
}
