/*
 * store_rows: what the rows of the calls say.
 */
#include "store.h"

/* The columns of a request start after its outcome or total. */
#define NEWDEVICE_COLUMN	1
#define REVIEW_COLUMN	9	/* what a list tells besides */

enum outcome
store_outcome(const struct db_rows *rows, int row, int col)
{
	const char *word = db_text(rows, row, col);

	return word != NULL ? outcome_of(word) : OUTCOME_UNKNOWN;
}

void
store_newdevice(const struct db_rows *rows, int row, struct newdevice *nd)
{
	int col = NEWDEVICE_COLUMN;

	nd->id = db_text(rows, row, col++);
	nd->tenant = db_text(rows, row, col++);
	nd->status = db_text(rows, row, col++);
	nd->owner = db_text(rows, row, col++);
	nd->created = db_text(rows, row, col++);
	nd->group_id = db_text(rows, row, col++);
	nd->type = db_text(rows, row, col++);
	nd->custom_properties = db_text(rows, row, col++);
}

void
store_newdevice_page(const struct db_rows *rows, int row,
    struct newdevice *nd, char created[ISO_TIME_SIZE])
{
	store_newdevice(rows, row, nd);
	nd->created = iso_time(created, nd->created);
}

void
store_review(const struct db_rows *rows, int row,
    struct newdevice_review *review)
{
	int col = REVIEW_COLUMN;

	review->last_seen = db_text(rows, row, col++);
	review->claimed_from = db_text(rows, row, col++);
	review->claimants = db_num(rows, row, col++);
	review->has_token = db_true(rows, row, col++);
}

void
store_event(const struct db_rows *rows, int row, struct event *event)
{
	int col = 0;

	event->seq = db_num(rows, row, col++);
	event->at = db_text(rows, row, col++);
	event->tenant = db_text(rows, row, col++);
	event->id = db_text(rows, row, col++);
	event->operation = db_text(rows, row, col++);
	event->outcome = db_text(rows, row, col++);
	event->actor = db_text(rows, row, col++);
	event->source = db_text(rows, row, col++);
	event->before = db_text(rows, row, col++);
	event->after = db_text(rows, row, col++);
	event->request = db_text(rows, row, col++);
}

void
store_credential(const struct db_rows *rows, int row, int col,
    struct credential *c)
{
	c->id = db_text(rows, row, ++col);
	c->tenant = db_text(rows, row, ++col);
	c->username = db_text(rows, row, ++col);
	c->status = db_text(rows, row, ++col);
	c->generation = db_num(rows, row, ++col);
	c->issued = db_text(rows, row, ++col);
	c->issued_to = db_text(rows, row, ++col);
	c->first_used = db_text(rows, row, ++col);
	c->expires = db_text(rows, row, ++col);
	c->delivery = db_text(rows, row, ++col);
	c->deliveries = db_num(rows, row, ++col);
	c->failures = db_num(rows, row, ++col);
	c->accepted_by = db_text(rows, row, ++col);
	c->custom_properties = db_text(rows, row, ++col);
}
