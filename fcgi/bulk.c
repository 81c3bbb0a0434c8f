/*
 * bulk: registration of many devices from a CSV file.
 */
#include <string.h>

#include "bulk.h"
#include "multipart.h"
#include "route.h"
#include "text.h"

#define FILE_MAX	((size_t)64 * 1024 * 1024)	/* bytes */
#define FORM_MAX	((size_t)64 * 1024)	/* bytes around the file */
#define LIST_MAX	1000	/* lines told of in each list */

/* The answer's lists, as they are written. */
struct told {
	struct buf	failed;
	struct buf	updated;
	int		nfailed;
	int		nupdated;
};

static enum need
create_parse(struct exchange *x)
{
	struct multipart mp;
	int rc = multipart_init(&mp, x->rq.content_type);

	multipart_free(&mp);
	if (rc == -1) {
		reply_fault(&x->reply, FAULT_MEDIA_TYPE, "The body must be "
		    "multipart/form-data with a part named file.");
		return NEED_NOTHING;
	}
	if (x->rq.announced > (long)(FILE_MAX + FORM_MAX)) {
		reply_fault(&x->reply, FAULT_TOO_LARGE,
		    "The file is larger than %zu bytes.", FILE_MAX);
		return NEED_NOTHING;
	}
	return NEED_STREAM;
}

static void
told(void *arg, const struct bulk_told *line)
{
	struct told *t = arg;
	bool failed = line->why != NULL;
	struct buf *out = failed ? &t->failed : &t->updated;
	int *n = failed ? &t->nfailed : &t->nupdated;

	if (*n == LIST_MAX)
		return;
	buf_puts(out, (*n)++ > 0 ? ",{" : "{");
	buf_printf(out, "\"bulkNewDeviceStatus\":\"%s\"",
	    failed ? "FAILED" : "CREDENTIAL_UPDATED");
	if (line->id != NULL) {
		buf_puts(out, ",\"deviceId\":");
		json_quote(out, line->id);
	}
	if (failed) {
		buf_puts(out, ",\"failureReason\":");
		json_quote(out, line->why);
		/* the reference has the line's text here, password and all */
		buf_printf(out, ",\"line\":%ld", line->line);
	}
	buf_putc(out, '}');
}

static void
reply_done(struct exchange *x, const struct bulk_count *count,
    const struct told *t)
{
	struct buf *out = reply_start(&x->reply, 201, MEDIA_BULK);

	buf_printf(out, "{\"numberOfAll\":%ld,\"numberOfCreated\":%ld,"
	    "\"numberOfFailed\":%ld,\"numberOfSuccessful\":%ld,"
	    "\"credentialUpdatedList\":[", count->all, count->created,
	    count->failed, count->created + count->updated);
	buf_puts(out, buf_text(&t->updated));
	buf_puts(out, "],\"failedCreationList\":[");
	buf_puts(out, buf_text(&t->failed));
	buf_puts(out, "]}");
	if (!buf_ok(&t->updated) || !buf_ok(&t->failed))
		out->broken = true;
}

/* It ended before its end: what has been done stays, and is to be said. */
static void
reply_partly(struct exchange *x, enum fault fault, const char *why,
    const struct bulk_count *count)
{
	reply_fault(&x->reply, fault, "%s Of the lines before that, %ld have "
	    "been taken in; the file may be sent again.", why,
	    count->created + count->updated);
	if (fault == FAULT_UNAVAILABLE)
		reply_retry(&x->reply);
}

/* Read the form, and give the file to bulk; false with the reply filled. */
static bool
read_form(struct exchange *x, struct stream *body, struct multipart *mp,
    struct bulk *bulk)
{
	enum multipart_state state = MULTIPART_BETWEEN;
	enum bulk_state done = BULK_READING;
	enum stream_got got = STREAM_DATA;
	const char *data;
	size_t total = 0;
	size_t len;

	while (done == BULK_READING && total <= FILE_MAX &&
	    state == MULTIPART_BETWEEN &&
	    (got = stream_read(body, &data, &len)) == STREAM_DATA) {
		multipart_add(mp, data, len);
		while (done == BULK_READING && (state = multipart_next(mp,
		    &data, &len)) == MULTIPART_FILE) {
			total += len;
			if (total <= FILE_MAX)
				done = bulk_read(bulk, data, len);
		}
	}
	if (done != BULK_READING)
		return true;	/* bulk_finish() says the same again */
	if (state != MULTIPART_END || total > FILE_MAX)
		bulk_stop(bulk);
	if (total > FILE_MAX)
		reply_partly(x, FAULT_TOO_LARGE, "The file is larger than "
		    "67108864 bytes.", bulk_counts(bulk));
	else if (state != MULTIPART_END)
		reply_partly(x, got == STREAM_BROKEN ? FAULT_TIMEOUT :
		    FAULT_BAD_REQUEST, "The form did not come to its end.",
		    bulk_counts(bulk));
	else if (!mp->found)
		reply_fault(&x->reply, FAULT_VALIDATION,
		    "The form has no part named file.");
	else
		return true;
	return false;
}

static void
create_stream(struct exchange *x, struct stream *body, struct db *db)
{
	const char *source = x->rq.source[0] != '\0' ? x->rq.source : NULL;
	struct multipart mp;
	struct bulk *bulk;
	struct told t;

	memset(&t, 0, sizeof(t));
	bulk = bulk_new(db, x->login.tenant, x->login.actor, source,
	    x->request, told, &t);
	if (multipart_init(&mp, x->rq.content_type) == -1 || bulk == NULL) {
		reply_unavailable(&x->reply);
	} else if (read_form(x, body, &mp, bulk)) {
		switch (bulk_finish(bulk)) {
		case BULK_READING:
			reply_done(x, bulk_counts(bulk), &t);
			break;
		case BULK_REFUSED:
			reply_fault(&x->reply, FAULT_VALIDATION, "%s",
			    bulk_fault(bulk));
			break;
		case BULK_UNAVAILABLE:
			reply_partly(x, FAULT_UNAVAILABLE, "The database did "
			    "not answer.", bulk_counts(bulk));
			break;
		}
	}
	bulk_free(bulk);
	multipart_free(&mp);
	buf_free(&t.failed);
	buf_free(&t.updated);
}

const struct operation bulk_create = {
	"bulk_create", "POST", "/devicecontrol/bulkNewDeviceRequests",
	{ ROLE_DEVICE_CONTROL_ADMIN, ROLE_DEVICE_CONTROL_ADMIN },
	MEDIA_NONE, MEDIA_BULK, create_parse, NULL, NULL, create_stream, NULL
};
