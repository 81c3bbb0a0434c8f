/* Requests, as web servers pass them on. */
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "fuzz.h"
#include "route.h"
#include "text.h"

static const char proxied[] = "path_prefix=/iot\ntrusted_proxy=10.0.0.0/8 "
    "127.0.0.1\nbase_url=https://devices.example:8443/base/\n";

/* The path, written as we do, is the same path. */
static void
try_path(const struct context *cx, const struct request *rq)
{
	char *env[2] = { NULL, NULL };
	struct request again;
	struct reply rep;
	struct buf uri;
	int i;

	buf_init(&uri, 0);
	buf_printf(&uri, "REQUEST_URI=%s", cx->conf->path_prefix);
	for (i = 0; i < rq->nsegments; i++) {
		buf_putc(&uri, '/');
		percent_encode(&uri, rq->segment[i]);
	}
	buf_puts(&uri, rq->slash ? "/?a=/b" : "?a=/b");
	env[0] = uri.data;
	reply_init(&rep);
	HOLDS(request_parse(&again, env, "", 0, cx->conf, &rep) == 0);
	HOLDS(again.nsegments == rq->nsegments && again.slash == rq->slash);
	for (i = 0; i < rq->nsegments; i++)
		HOLDS(strcmp(again.segment[i], rq->segment[i]) == 0);
	HOLDS(fuzz_same(again.query, "a=/b"));
	request_free(&again);
	reply_free(&rep);
	buf_free(&uri);
}

static void
try_segment(const char *segment)
{
	const char *p;

	HOLDS(segment[0] != '\0' && strchr(segment, '/') == NULL);
	HOLDS(strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0);
	HOLDS(utf8_valid(segment, strlen(segment), NULL));
	for (p = segment; *p != '\0'; p++)
		HOLDS((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void
try_values(const struct request *rq)
{
	HOLDS(rq->source[0] == '\0' || addr_valid(rq->source));
	HOLDS(utf8_valid(rq->agent, strlen(rq->agent), NULL));
	HOLDS(strncmp(buf_text(&rq->base), "http", 4) == 0);
	HOLDS(strpbrk(buf_text(&rq->base), " \"\\<>\t#?") == NULL);
	HOLDS(rq->base.len > 0 && rq->base.data[rq->base.len - 1] != '/');
}

/* The operation of a path, and what is said where there is none. */
static void
try_route(const struct context *cx, struct exchange *x)
{
	bool streams = route_streams(cx->conf, x->rq.uri, strlen(x->rq.uri));

	if (route_find(x) == -1) {
		fuzz_fault(&x->reply);
		HOLDS(x->reply.status == 404 || x->reply.status == 405);
		HOLDS(!streams || x->reply.status == 405);
		return;
	}
	HOLDS(!streams || x->op->stream != NULL);
	HOLDS(strcmp(x->op->method, strcmp(x->rq.method, "HEAD") == 0 ?
	    "GET" : x->rq.method) == 0);
	HOLDS((x->rq.id != NULL) == (strstr(x->op->path, "{id}") != NULL));
	HOLDS(route_number(x->op) > 0);
}

static void
try_request(const struct context *cx, const struct fuzz_request *in)
{
	struct exchange *x = exchange_new(cx);
	int i;

	HOLDS(x != NULL);
	if (request_parse(&x->rq, in->env, in->body, in->len, cx->conf,
	    &x->reply) == -1) {
		fuzz_fault(&x->reply);
		HOLDS(x->reply.status == 400);
	} else {
		try_values(&x->rq);
		/* one that is too deep is not kept */
		if (x->rq.nsegments <= SEGMENT_MAX) {
			for (i = 0; i < x->rq.nsegments; i++)
				try_segment(x->rq.segment[i]);
			try_path(cx, &x->rq);
		}
		try_route(cx, x);
	}
	exchange_free(x);
	/* as an authorizer */
	x = exchange_new(cx);
	HOLDS(x != NULL);
	if (request_parse_login(&x->rq, in->env, cx->conf, &x->reply) == -1)
		fuzz_fault(&x->reply);
	exchange_free(x);
}

static void
try_id(const struct fuzz_request *in)
{
	char id[REQUEST_ID_SIZE];

	request_id(id, in->env);
	HOLDS(id[0] != '\0' && strlen(id) < sizeof(id));
	HOLDS(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789.-_:@") == strlen(id));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct context *plain;
	static const struct context *behind;
	struct fuzz_request in;

	if (plain == NULL) {
		plain = fuzz_context("");
		behind = fuzz_context(proxied);
	}
	fuzz_request_read(&in, data, size);
	try_request(plain, &in);
	try_request(behind, &in);
	try_id(&in);
	fuzz_request_free(&in);
	return 0;
}
