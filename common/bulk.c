#include <stdlib.h>
#include <string.h>

#include "bulk_state.h"

struct bulk *
bulk_new(struct db *db, const char *scope, const char *actor,
    const char *source, const char *request,
    void (*told)(void *arg, const struct bulk_told *line), void *arg)
{
	struct bulk *bulk;

	if ((bulk = calloc(1, sizeof(*bulk))) == NULL)
		return NULL;
	bulk->db = db;
	bulk->scope = scope;
	bulk->actor = actor;
	bulk->source = source;
	bulk->request = request;
	bulk->told = told;
	bulk->arg = arg;
	buf_init(&bulk->fault, 0);
	csv_open(&bulk->csv);
	bulk_row_init(&bulk->row);
	if (bulk_send_init(bulk) == -1) {
		bulk_free(bulk);
		return NULL;
	}
	return bulk;
}

void
bulk_free(struct bulk *bulk)
{
	if (bulk == NULL)
		return;
	buf_free(&bulk->fault);
	csv_close(&bulk->csv);
	bulk_header_free(&bulk->header);
	bulk_row_free(&bulk->row);
	bulk_send_free(bulk);
	free(bulk);
}

void
bulk_skip(struct bulk *bulk, long line)
{
	bulk->skip = line;
	bulk->count.line = line;
}

void
bulk_tell(struct bulk *bulk, long line, const char *id, const char *why)
{
	struct bulk_told told = { line, id, why };

	if (why != NULL)
		bulk->count.failed++;
	else
		bulk->count.updated++;
	bulk->told(bulk->arg, &told);
}

/* Add the line that was read: its id, NUL, and its further columns. */
static void
put_line(struct bulk *bulk)
{
	struct bulk_row *row = &bulk->row;
	struct bulk_batch *batch = &bulk->batch[bulk->at];
	struct bulk_line *line = &batch->line[batch->n++];
	struct buf *text = &batch->text;

	line->line = bulk->csv.line;
	line->at = text->len;
	buf_add(text, row->id, strlen(row->id) + 1);
	bulk_send_note(bulk, row->id);
	db_copy_add(text, row->has_tenant ? row->tenant : NULL, '\t');
	db_copy_add(text, row->has_type ? buf_text(&row->type) : NULL, '\t');
	db_copy_add(text, buf_text(&row->properties), '\t');
	if (bulk->header.full) {
		buf_puts(text, "\\\\x");
		buf_hex(text, row->password.salt, SALT_SIZE);
		buf_puts(text, "\t\\\\x");
		buf_hex(text, row->password.hash, DIGEST_SIZE);
		buf_putc(text, '\n');
	} else {
		buf_puts(text, "\\N\t\\N\n");
	}
	buf_putc(text, '\0');
	if (batch->n == BATCH_LINES || text->len >= BATCH_SIZE)
		bulk_send(bulk);
}

/* A record has come to its end. */
static void
take_record(struct bulk *bulk, bool too_long)
{
	const char *text = buf_text(&bulk->csv.record);
	size_t len = bulk->csv.record.len;
	enum bulk_row_kind kind;

	if (!bulk->has_header) {
		if (too_long)
			buf_puts(&bulk->fault, "The header line is too long.");
		else if (len == 0)
			return;		/* it may begin further down */
		else if (bulk_header_read(&bulk->header, text, len,
		    &bulk->fault) == 0)
			bulk->has_header = true;
		if (!bulk->has_header)
			bulk->state = BULK_REFUSED;
		bulk->csv.separator = bulk->header.separator;
		return;
	}
	bulk->last = bulk->csv.line;
	if (bulk->last <= bulk->skip)
		return;
	if (too_long) {
		bulk->count.all++;
		bulk_tell(bulk, bulk->csv.line, NULL, "The line is too long, "
		    "or a quote in it does not end.");
		return;
	}
	kind = bulk_row_read(&bulk->row, &bulk->header, text, len);
	if (kind == BULK_ROW_EMPTY)
		return;
	bulk->count.all++;
	if (kind == BULK_ROW_GOOD)
		put_line(bulk);
	else
		bulk_tell(bulk, bulk->csv.line, bulk->row.id[0] != '\0' ?
		    bulk->row.id : NULL, buf_text(&bulk->row.why));
}

enum bulk_state
bulk_read(struct bulk *bulk, const char *data, size_t len)
{
	const char *end = data + len;
	enum csv_got got;

	while (bulk->state == BULK_READING &&
	    (got = csv_read(&bulk->csv, &data, end)) != CSV_NOTHING)
		take_record(bulk, got == CSV_LONG);
	return bulk->state;
}

enum bulk_state
bulk_finish(struct bulk *bulk)
{
	enum csv_got got;

	if (bulk->state != BULK_READING)
		return bulk_stop(bulk);
	if ((got = csv_read_last(&bulk->csv)) != CSV_NOTHING)
		take_record(bulk, got == CSV_LONG);
	if (bulk->state == BULK_READING && !bulk->has_header) {
		buf_puts(&bulk->fault, "The file is empty.");
		bulk->state = BULK_REFUSED;
	}
	bulk_send(bulk);
	bulk_settle(bulk);
	if (bulk->state == BULK_READING)
		bulk->count.line = bulk->last;
	return bulk->state;
}

enum bulk_state
bulk_stop(struct bulk *bulk)
{
	bulk_settle(bulk);
	return bulk->state;
}

const char *
bulk_fault(const struct bulk *bulk)
{
	return buf_text(&bulk->fault);
}

const struct bulk_count *
bulk_counts(const struct bulk *bulk)
{
	return &bulk->count;
}
