#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "bulk_row.h"
#include "clock.h"
#include "csv.h"

#define BATCH_LINES	5000
#define BATCH_SIZE	((size_t)4 * 1024 * 1024)	/* bytes */
#define BATCH_TIMEOUT	30000	/* ms, of each of its two statements */
#define TRIES_MAX	5	/* of a batch that lost against another */

struct bulk {
	struct db		*db;
	const char		*scope;
	const char		*actor;
	const char		*source;
	const char		*request;
	void			(*told)(void *arg, const struct bulk_told *);
	void			*arg;
	enum bulk_state		 state;
	struct bulk_count	 count;
	long			 skip;		/* lines up to this one */
	long			 last;		/* line that was read last */
	struct buf		 fault;
	struct csv_file		 csv;
	bool			 has_header;
	struct bulk_header	 header;
	struct bulk_row		 row;
	/* the batch being gathered */
	long			 number;	/* of the upload; 0 at first */
	int			 batch;
	int			 n;
	struct batch_line {
		long	 line;
		size_t	 at;	/* of its id and row, in text */
	} line[BATCH_LINES];
	struct buf		 text;	/* ids and rows, see put_line() */
};

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
	buf_init(&bulk->text, 0);
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
	buf_free(&bulk->text);
	free(bulk);
}

void
bulk_skip(struct bulk *bulk, long line)
{
	bulk->skip = line;
	bulk->count.line = line;
}

static void
tell(struct bulk *bulk, long line, const char *id, const char *why)
{
	struct bulk_told told = { line, id, why };

	if (why != NULL)
		bulk->count.failed++;
	else
		bulk->count.updated++;
	bulk->told(bulk->arg, &told);
}

/* What the database says of a line that did not make a new device. */
static void
tell_row(struct bulk *bulk, const struct db_rows *rows, int i)
{
	enum outcome outcome = store_outcome(rows, i, 1);
	const char *id = db_text(rows, i, 2);
	struct buf why;

	buf_init(&why, 0);
	switch (outcome) {
	case OUTCOME_UPDATED:
		break;
	case OUTCOME_EXISTS:
		buf_printf(&why, "NewDeviceRequest for id = %s already exists.",
		    id);
		break;
	case OUTCOME_NO_TENANT:
		buf_printf(&why, "Tenant %s does not exist.",
		    db_text(rows, i, 3));
		break;
	case OUTCOME_LIMIT_REACHED:
		buf_puts(&why, "You have reached devices limit. No more "
		    "devices can be registered.");
		break;
	default:
		buf_puts(&why, "The device could not be registered.");
		break;
	}
	tell(bulk, db_num(rows, i, 0), id,
	    outcome == OUTCOME_UPDATED ? NULL : buf_text(&why));
	buf_free(&why);
}

/* Ask for a number for the upload. */
static enum db_status
begin(struct bulk *bulk)
{
	struct store_call call;
	struct db_rows rows;
	enum db_status status;

	store_call_init(&call, STORE_BULK_BEGIN);
	store_begin(&call, bulk->db, clock_ms() + BATCH_TIMEOUT);
	status = db_wait(bulk->db, &rows);
	if (status == DB_OK && rows.n == 1)
		bulk->number = db_num(&rows, 0, 0);
	db_rows_free(&rows);
	store_call_free(&call);
	return status;
}

/* Copy n lines of the batch, from the first-th on, to where they are loaded. */
static enum db_status
copy(struct bulk *bulk, int first, int n)
{
	enum db_status status;
	struct db_rows rows;
	struct buf out;
	const char *text;
	int i;

	buf_init(&out, 0);
	bulk->batch++;
	for (i = first; i < first + n; i++) {
		text = buf_text(&bulk->text) + bulk->line[i].at;
		db_copy_add(&out, text, '\t');
		buf_printf(&out, "%ld\t%d\t%ld\t%s", bulk->number, bulk->batch,
		    bulk->line[i].line, text + strlen(text) + 1);
	}
	if (buf_ok(&out)) {
		store_copy_lines(bulk->db, &out, clock_ms() + BATCH_TIMEOUT);
		status = db_wait(bulk->db, &rows);
		db_rows_free(&rows);
	} else {
		status = DB_UNAVAILABLE;
	}
	buf_free(&out);
	return status;
}

/* Have the lines that were copied taken in. */
static enum db_status
load(struct bulk *bulk, int n)
{
	struct store_call call;
	struct db_rows rows;
	enum db_status status = DB_UNAVAILABLE;
	int tries = 0;
	int i;

	store_call_init(&call, bulk->header.full ? STORE_CREDENTIAL_LOAD :
	    STORE_NEWDEVICE_LOAD);
	store_add(&call, bulk->scope);
	store_add(&call, bulk->actor);
	store_add(&call, bulk->source);
	store_add_num(&call, bulk->number);
	store_add_num(&call, bulk->batch);
	store_add(&call, bulk->request);
	while (store_call_ok(&call)) {
		store_begin(&call, bulk->db, clock_ms() + BATCH_TIMEOUT);
		status = db_wait(bulk->db, &rows);
		/* it was rolled back; the copied lines are still there */
		if (status != DB_CONFLICT || ++tries == TRIES_MAX)
			break;
		db_rows_free(&rows);
	}
	if (status == DB_OK) {
		bulk->count.created += n - rows.n;
		for (i = 0; i < rows.n; i++)
			tell_row(bulk, &rows, i);
	}
	db_rows_free(&rows);
	store_call_free(&call);
	return status;
}

/*
 * Send n lines of the batch.  If the database finds fault with one, halves of
 * them, until it is known which.
 */
static void
send_lines(struct bulk *bulk, int first, int n)
{
	enum db_status status;

	if (n == 0 || bulk->state != BULK_READING)
		return;
	if ((status = copy(bulk, first, n)) == DB_OK)
		status = load(bulk, n);
	if (status == DB_REFUSED && n > 1) {
		send_lines(bulk, first, n / 2);
		send_lines(bulk, first + n / 2, n - n / 2);
	} else if (status == DB_REFUSED) {
		tell(bulk, bulk->line[first].line, buf_text(&bulk->text) +
		    bulk->line[first].at,
		    "A field holds what cannot be stored.");
	} else if (status != DB_OK) {
		bulk->state = BULK_UNAVAILABLE;
	}
}

static void
flush(struct bulk *bulk)
{
	if (bulk->n > 0 && bulk->number == 0 && begin(bulk) != DB_OK)
		bulk->state = BULK_UNAVAILABLE;
	if (!buf_ok(&bulk->text))
		bulk->state = BULK_UNAVAILABLE;
	send_lines(bulk, 0, bulk->n);
	if (bulk->state == BULK_READING)
		bulk->count.line = bulk->last;
	bulk->n = 0;
	buf_reset(&bulk->text);
}

/* Add the line that was read: its id, NUL, and its further columns. */
static void
put_line(struct bulk *bulk)
{
	struct bulk_row *row = &bulk->row;
	struct batch_line *line = &bulk->line[bulk->n++];
	struct buf *text = &bulk->text;

	line->line = bulk->csv.line;
	line->at = text->len;
	buf_add(text, row->id, strlen(row->id) + 1);
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
	if (bulk->n == BATCH_LINES || text->len >= BATCH_SIZE)
		flush(bulk);
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
		tell(bulk, bulk->csv.line, NULL, "The line is too long, or a "
		    "quote in it does not end.");
		return;
	}
	kind = bulk_row_read(&bulk->row, &bulk->header, text, len);
	if (kind == BULK_ROW_EMPTY)
		return;
	bulk->count.all++;
	if (kind == BULK_ROW_GOOD)
		put_line(bulk);
	else
		tell(bulk, bulk->csv.line, bulk->row.id[0] != '\0' ?
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
		return bulk->state;
	if ((got = csv_read_last(&bulk->csv)) != CSV_NOTHING)
		take_record(bulk, got == CSV_LONG);
	if (bulk->state == BULK_READING && !bulk->has_header) {
		buf_puts(&bulk->fault, "The file is empty.");
		bulk->state = BULK_REFUSED;
	}
	flush(bulk);
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
