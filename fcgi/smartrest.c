/*
 * smartrest: the one message of SmartREST that a device sends before it has
 * credentials, "61,<id>".
 *
 * Its answers are lines of CSV, and HTTP's status is always 200: what any
 * layer has refused is said as "50,<line>,<status>".
 */
#include <string.h>

#include "body.h"
#include "credential.h"
#include "csv.h"
#include "route.h"

/* Messages, and answers by their first field; all are of line 1. */
#define MESSAGE_CLAIM		"61"
#define ANSWER_CREDENTIALS	70
#define ANSWER_ERROR		50
#define ANSWER_MALFORMED	42
#define ANSWER_UNKNOWN		43
#define ANSWER_ARGUMENTS	45

static struct buf *
answer(struct exchange *x, int code)
{
	struct buf *out = reply_start(&x->reply, 200, MEDIA_TEXT);

	buf_printf(out, "%d,1", code);
	return out;
}

/* The device id of a message; else what is to be answered. */
static int
read_claim(const char *p, const char *end, struct buf *id)
{
	struct buf message;
	enum csv_end first;
	int rc = 0;

	buf_init(&message, 0);
	first = csv_field(&p, end, ',', &message);
	if (first == CSV_BAD || message.len == 0)
		rc = ANSWER_MALFORMED;
	else if (strcmp(buf_text(&message), MESSAGE_CLAIM) != 0)
		rc = ANSWER_UNKNOWN;
	else if (first == CSV_LAST)
		rc = ANSWER_ARGUMENTS;
	buf_free(&message);
	if (rc != 0)
		return rc;
	switch (csv_field(&p, end, ',', id)) {
	case CSV_LAST:
		return 0;
	case CSV_MORE:
		return ANSWER_ARGUMENTS;
	default:
		return ANSWER_MALFORMED;
	}
}

static enum need
smartrest_parse(struct exchange *x)
{
	const char *body = x->rq.body;
	size_t len = x->rq.body_len;
	enum need need = NEED_NOTHING;
	struct buf id;
	int code;

	/* the line may end, or not */
	if (len > 0 && body[len - 1] == '\n')
		len--;
	if (len > 0 && body[len - 1] == '\r')
		len--;
	buf_init(&id, 0);
	if ((code = read_claim(body, body + len, &id)) != 0)
		answer(x, code);
	else if (body_take_id(x, buf_text(&id)) == 0)
		need = credential_claim(x, NULL);
	buf_free(&id);
	return need;
}

static void
write_line(struct exchange *x, const char *tenant, const char *properties)
{
	struct buf *out = answer(x, ANSWER_CREDENTIALS);
	struct buf username;

	(void)properties;
	buf_putc(out, ',');
	csv_quote(out, x->id, ',');
	buf_init(&username, 0);
	buf_printf(&username, "device_%s", x->id);
	buf_printf(out, ",%s,", tenant);
	csv_quote(out, buf_text(&username), ',');
	buf_printf(out, ",%s", x->issuing.password.text);
	buf_free(&username);
}

static enum need
smartrest_render(struct exchange *x, const struct db_rows *rows, int row)
{
	return credential_render(x, rows, row, write_line);
}

static void
smartrest_translate(struct exchange *x)
{
	int status = x->reply.status;

	if (x->reply.media != MEDIA_TEXT)
		buf_printf(answer(x, ANSWER_ERROR), ",%d", status);
}

const struct operation smartrest = {
	"smartrest", "POST", "/s",
	{ ROLE_DEVICE_BOOTSTRAP, ROLE_DEVICE_BOOTSTRAP },
	MEDIA_NONE, MEDIA_NONE, smartrest_parse, smartrest_render,
	smartrest_translate, NULL, NULL
};
