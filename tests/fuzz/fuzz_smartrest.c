/* The message of SmartREST that a device sends. */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fuzz.h"
#include "route.h"
#include "text.h"

static enum need
ask(const char *body, size_t len, struct exchange **x)
{
	static const struct context *cx;

	if (cx == NULL)
		cx = fuzz_context("");
	*x = fuzz_exchange(cx, body, len);
	(*x)->op = &smartrest;
	return smartrest.parse(*x);
}

/* The id as we would write it is asked for as the same. */
static void
try_again(const char *id)
{
	struct exchange *x;
	struct buf line;

	buf_init(&line, 0);
	buf_puts(&line, "\"61\",");
	csv_quote(&line, id, ',');
	buf_puts(&line, "\r\n");
	HOLDS(ask(buf_text(&line), line.len, &x) == NEED_CALL);
	HOLDS(strcmp(x->id, id) == 0);
	exchange_free(x);
	buf_free(&line);
}

/* A refusal is a line of numbers, whatever was sent. */
static void
try_answer(struct exchange *x)
{
	const char *text;

	if (x->reply.media != MEDIA_TEXT)
		fuzz_fault(&x->reply);
	smartrest.translate(x);
	HOLDS(x->reply.status == 200 && x->reply.media == MEDIA_TEXT);
	text = buf_text(&x->reply.body);
	HOLDS(strspn(text, "0123456789,") == x->reply.body.len);
	HOLDS(strncmp(text + strspn(text, "0123456789"), ",1", 2) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exchange *x;

	if (ask((const char *)data, size, &x) == NEED_CALL) {
		HOLDS(device_id_valid(x->id, strlen(x->id), NULL));
		HOLDS(x->call.id == STORE_CREDENTIAL_LOOK);
		HOLDS(x->call.claim.id == x->id);
		try_again(x->id);
	} else {
		try_answer(x);
	}
	exchange_free(x);
	return 0;
}
