#include <string.h>

#include "bulk_state.h"
#include "clock.h"

#define BATCH_TIMEOUT	30000	/* ms, of each of its two statements */
#define TRIES_MAX	5	/* of a batch that lost against another */

static void send_lines(struct bulk *bulk, struct bulk_batch *b, int first,
	    int n);

int
bulk_send_init(struct bulk *bulk)
{
	int i;

	for (i = 0; i < 2; i++) {
		buf_init(&bulk->batch[i].text, 0);
		store_call_init(&bulk->batch[i].call, STORE_NEWDEVICE_LOAD);
	}
	bulk->batch[0].db = bulk->db;
	bulk->batch[1].db = db_another(bulk->db);
	return bulk->batch[1].db != NULL ? 0 : -1;
}

void
bulk_send_free(struct bulk *bulk)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (bulk->batch[i].db != bulk->db)
			db_free(bulk->batch[i].db);
		buf_free(&bulk->batch[i].text);
		store_call_free(&bulk->batch[i].call);
	}
}

static void
batch_reset(struct bulk_batch *b)
{
	b->n = 0;
	b->meets = false;
	buf_reset(&b->text);
	memset(b->seen, 0, sizeof(b->seen));
}

/* Where a hash stands or would stand. */
static uint32_t *
seen_at(struct bulk_batch *b, uint32_t hash)
{
	uint32_t i = hash & (BATCH_SEEN - 1);

	while (b->seen[i] != 0 && b->seen[i] != hash)
		i = (i + 1) & (BATCH_SEEN - 1);
	return &b->seen[i];
}

/*
 * Of several lines of a device the first counts, or the last: batches that may
 * have one in common are taken in one after the other.  Two ids of one hash
 * cost no more than that.
 */
void
bulk_send_note(struct bulk *bulk, const char *id)
{
	struct bulk_batch *b = &bulk->batch[bulk->at];
	struct bulk_batch *other = &bulk->batch[!bulk->at];
	uint32_t hash = 2166136261;	/* FNV-1a */

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619;
	if (hash == 0)
		hash = 1;
	*seen_at(b, hash) = hash;
	if (other->busy && *seen_at(other, hash) == hash)
		b->meets = true;
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
	bulk_tell(bulk, db_num(rows, i, 0), id,
	    outcome == OUTCOME_UPDATED ? NULL : buf_text(&why));
	buf_free(&why);
}

/* Ask for a number for the upload. */
static enum db_status
ask_number(struct bulk *bulk)
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

/* Copy n lines of a batch, from the first-th on, to where they are loaded. */
static enum db_status
copy(struct bulk *bulk, struct bulk_batch *b, int first, int n)
{
	enum db_status status;
	struct db_rows rows;
	struct buf out;
	const char *text;
	int i;

	buf_init(&out, 0);
	bulk->copies++;
	for (i = first; i < first + n; i++) {
		text = buf_text(&b->text) + b->line[i].at;
		db_copy_add(&out, text, '\t');
		buf_printf(&out, "%ld\t%d\t%ld\t%s", bulk->number,
		    bulk->copies, b->line[i].line, text + strlen(text) + 1);
	}
	if (buf_ok(&out)) {
		store_copy_lines(b->db, &out, clock_ms() + BATCH_TIMEOUT);
		status = db_wait(b->db, &rows);
		db_rows_free(&rows);
	} else {
		status = DB_UNAVAILABLE;
	}
	buf_free(&out);
	return status;
}

/* Begin to have the lines taken in that were copied last. */
static enum db_status
load(struct bulk *bulk, struct bulk_batch *b)
{
	struct store_call *call = &b->call;

	store_call_free(call);
	store_call_init(call, bulk->header.full ? STORE_CREDENTIAL_LOAD :
	    STORE_NEWDEVICE_LOAD);
	store_add(call, bulk->scope);
	store_add(call, bulk->actor);
	store_add(call, bulk->source);
	store_add_num(call, bulk->number);
	store_add_num(call, bulk->copies);
	store_add(call, bulk->request);
	if (!store_call_ok(call))
		return DB_UNAVAILABLE;
	store_begin(call, b->db, clock_ms() + BATCH_TIMEOUT);
	return DB_OK;
}

/* Wait until n lines are taken in. */
static enum db_status
loaded(struct bulk *bulk, struct bulk_batch *b, int n)
{
	struct db_rows rows;
	enum db_status status;
	int tries = 0;
	int i;

	/* meanwhile it was the file that was waited for */
	db_extend(b->db, clock_ms() + BATCH_TIMEOUT);
	/* in a conflict it is rolled back; the copied lines are still there */
	while ((status = db_wait(b->db, &rows)) == DB_CONFLICT &&
	    ++tries < TRIES_MAX) {
		db_rows_free(&rows);
		store_begin(&b->call, b->db, clock_ms() + BATCH_TIMEOUT);
	}
	if (status == DB_OK) {
		bulk->count.created += n - rows.n;
		for (i = 0; i < rows.n; i++)
			tell_row(bulk, &rows, i);
	}
	db_rows_free(&rows);
	return status;
}

/*
 * What became of n lines of a batch.  If the database finds fault with one,
 * halves of them are sent, until it is known which.
 */
static void
take_status(struct bulk *bulk, struct bulk_batch *b, int first, int n,
    enum db_status status)
{
	if (status == DB_REFUSED && n > 1) {
		send_lines(bulk, b, first, n / 2);
		send_lines(bulk, b, first + n / 2, n - n / 2);
	} else if (status == DB_REFUSED) {
		bulk_tell(bulk, b->line[first].line, buf_text(&b->text) +
		    b->line[first].at,
		    "A field holds what cannot be stored.");
	} else if (status != DB_OK) {
		bulk->state = BULK_UNAVAILABLE;
	}
}

/* Send n lines of a batch, and wait. */
static void
send_lines(struct bulk *bulk, struct bulk_batch *b, int first, int n)
{
	enum db_status status;

	if (n == 0 || bulk->state != BULK_READING)
		return;
	if ((status = copy(bulk, b, first, n)) == DB_OK &&
	    (status = load(bulk, b)) == DB_OK)
		status = loaded(bulk, b, n);
	take_status(bulk, b, first, n, status);
}

/* The batch is over, as it ended. */
static void
batch_end(struct bulk *bulk, struct bulk_batch *b, enum db_status status)
{
	b->busy = false;
	take_status(bulk, b, 0, b->n, status);
	if (bulk->state == BULK_READING)
		bulk->count.line = b->last;
	batch_reset(b);
}

static void
batch_settle(struct bulk *bulk, struct bulk_batch *b)
{
	if (b->busy)
		batch_end(bulk, b, loaded(bulk, b, b->n));
}

void
bulk_settle(struct bulk *bulk)
{
	/* the older one first: lines are done in their order */
	batch_settle(bulk, &bulk->batch[!bulk->at]);
	batch_settle(bulk, &bulk->batch[bulk->at]);
}

/* Copy a batch; if it cannot have its own connection, over the other's. */
static enum db_status
copy_batch(struct bulk *bulk, struct bulk_batch *b, struct bulk_batch *other)
{
	enum db_status status;

	if (b->meets || b->db == other->db)
		batch_settle(bulk, other);
	status = copy(bulk, b, 0, b->n);
	if (status == DB_UNAVAILABLE && b->db != bulk->db) {
		batch_settle(bulk, other);
		db_free(b->db);
		b->db = bulk->db;
		status = copy(bulk, b, 0, b->n);
	}
	return status;
}

void
bulk_send(struct bulk *bulk)
{
	struct bulk_batch *b = &bulk->batch[bulk->at];
	struct bulk_batch *other = &bulk->batch[!bulk->at];
	enum db_status status;

	b->last = bulk->last;
	if (b->n > 0 && bulk->number == 0 && ask_number(bulk) != DB_OK)
		bulk->state = BULK_UNAVAILABLE;
	if (!buf_ok(&b->text))
		bulk->state = BULK_UNAVAILABLE;
	if (b->n > 0 && bulk->state == BULK_READING) {
		if ((status = copy_batch(bulk, b, other)) == DB_OK)
			status = load(bulk, b);
		batch_settle(bulk, other);
		if (status == DB_OK)
			b->busy = true;
		else
			batch_end(bulk, b, status);
	}
	batch_settle(bulk, other);
	bulk->at = !bulk->at;
}
