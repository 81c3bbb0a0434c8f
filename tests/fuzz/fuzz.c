#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fixture.h"
#include "fuzz.h"
#include "repr.h"

void
fuzz_broken(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

char *
fuzz_text(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t len = nul != NULL ? (size_t)(nul - data) : size;
	char *text = malloc(len + 1);

	if (text == NULL)
		exit(1);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

char *
fuzz_line(const uint8_t **data, size_t *size)
{
	const uint8_t *start = *data;
	const uint8_t *end = *size > 0 ? memchr(start, '\n', *size) : NULL;
	size_t len = end != NULL ? (size_t)(end - start) : *size;
	size_t used = len + (end != NULL);

	*data += used;
	*size -= used;
	return fuzz_text(start, len);
}

const struct context *
fuzz_context(const char *lines)
{
	struct context *cx = calloc(1, sizeof(*cx));
	struct conf *conf = malloc(sizeof(*conf));

	if (cx == NULL || conf == NULL)
		exit(1);
	conf_of(conf, lines);
	cx->conf = conf;
	if ((cx->auth = auth_new(conf)) == NULL)
		exit(1);
	return cx;
}

struct exchange *
fuzz_exchange(const struct context *cx, const char *body, size_t len)
{
	static char method[] = "REQUEST_METHOD=POST";
	static char uri[] = "REQUEST_URI=/devicecontrol/newDeviceRequests";
	static char addr[] = "REMOTE_ADDR=192.0.2.1";
	static char *const env[] = { method, uri, addr, NULL };
	static const char actor[] = "t1/admin";
	struct exchange *x = exchange_new(cx);

	if (x == NULL)
		exit(1);
	HOLDS(request_parse(&x->rq, env, body, len, cx->conf,
	    &x->reply) == 0);
	memcpy(x->login.actor, actor, sizeof(actor));
	memcpy(x->login.tenant, "t1", 3);
	return x;
}

void
fuzz_request_read(struct fuzz_request *rq, const uint8_t *data, size_t size)
{
	memset(rq, 0, sizeof(*rq));
	while (size > 0 && *data != '\n' && rq->n < FUZZ_VARIABLES)
		rq->env[rq->n++] = fuzz_line(&data, &size);
	if (size > 0 && *data == '\n') {
		data++;
		size--;
	}
	rq->body = exact(data, size);
	rq->len = size;
}

void
fuzz_request_free(struct fuzz_request *rq)
{
	while (rq->n > 0)
		free(rq->env[--rq->n]);
	free(rq->body);
}

bool
fuzz_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

size_t
fuzz_count(const char *text, char c)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

/* Lines of "Name: value", each ended by CR LF, and nothing else. */
static bool
is_head(const struct buf *head)
{
	const char *line = buf_text(head);
	size_t len;

	for (; *line != '\0'; line += len + 2) {
		len = strcspn(line, "\r\n");
		if (strncmp(line + len, "\r\n", 2) != 0 ||
		    memchr(line, ':', len) == NULL)
			return false;
	}
	return strlen(buf_text(head)) == head->len;
}

void
fuzz_fault(const struct reply *rep)
{
	static const char *const fields[] = { "error", "message", "info" };
	const char *value;
	struct repr *obj;
	size_t i;

	HOLDS(rep->status >= 400 && rep->status < 600);
	HOLDS(rep->media == MEDIA_ERROR);
	HOLDS(buf_ok(&rep->body) && buf_ok(&rep->head));
	HOLDS(is_head(&rep->head));
	obj = repr_parse(buf_text(&rep->body), rep->body.len, &value);
	HOLDS(obj != NULL);
	for (i = 0; i < COUNT(fields); i++)
		HOLDS(repr_string(obj, fields[i], &value) == REPR_FOUND);
	repr_free(obj);
}
