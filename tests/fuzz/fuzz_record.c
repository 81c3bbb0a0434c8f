/*
 * FastCGI records, in pieces; and whether libfcgi reads the same out of those
 * that are let through to it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "gateway.h"
#include "record.h"

#define BODY_KEPT	(BODY_MAX + 1)

struct scanned {
	struct record_scan	 scan;
	struct buf		 params;
	struct buf		 body;
	size_t			 used;
	bool			 head;	/* RECORD_HEAD was said */
};

static void
scan(struct scanned *s, const uint8_t *data, size_t size, size_t piece)
{
	enum record_state state = RECORD_MORE;
	size_t used;
	size_t n;

	memset(s, 0, sizeof(*s));
	record_init(&s->scan, &s->params, &s->body, BODY_KEPT);
	while (s->used < size &&
	    (state == RECORD_MORE || state == RECORD_HEAD)) {
		n = size - s->used < piece ? size - s->used : piece;
		state = record_feed(&s->scan, data + s->used, n, &used);
		HOLDS(used == n || state != RECORD_MORE);
		HOLDS(used <= n && state == s->scan.state);
		HOLDS(state != RECORD_HEAD || !s->head);
		s->head = s->head || state == RECORD_HEAD;
		s->used += used;
	}
}

static void
scan_free(struct scanned *s)
{
	buf_free(&s->params);
	buf_free(&s->body);
}

static bool
same_bytes(const struct buf *a, const struct buf *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void
try_pieces(const struct scanned *whole, const uint8_t *data, size_t size,
    size_t piece)
{
	struct scanned s;

	scan(&s, data, size, piece);
	HOLDS(s.scan.state == whole->scan.state && s.head == whole->head);
	if (s.scan.state == RECORD_BAD) {	/* of the rest no use is made */
		scan_free(&s);
		return;
	}
	HOLDS(s.used == whole->used && s.scan.id == whole->scan.id);
	HOLDS(s.scan.keep == whole->scan.keep);
	HOLDS(s.scan.padded == whole->scan.padded);
	HOLDS(s.scan.authorizer == whole->scan.authorizer);
	HOLDS(s.scan.body_len == whole->scan.body_len);
	HOLDS(same_bytes(&s.params, &whole->params));
	HOLDS(same_bytes(&s.body, &whole->body));
	scan_free(&s);
}

/* The length at p, as the specification has it. */
static size_t
length(const unsigned char **p)
{
	size_t len = *(*p)++;

	if (len < 0x80)
		return len;
	len = (len & 0x7f) << 24 | (size_t)(*p)[0] << 16 |
	    (size_t)(*p)[1] << 8 | (*p)[2];
	*p += 3;
	return len;
}

/* The variables that libfcgi has are those that were scanned. */
static void
try_env(const struct scanned *s, char *const *env)
{
	const unsigned char *p = (const unsigned char *)buf_text(&s->params);
	const unsigned char *end = p + s->params.len;
	struct buf pair;
	const char *value;
	size_t name_len;
	size_t len;
	size_t n;

	buf_init(&pair, 0);
	HOLDS(fuzz_same(*env++, "FCGI_ROLE=RESPONDER"));
	for (; p < end; p += n, env++) {
		name_len = length(&p);
		n = length(&p);
		HOLDS(*env != NULL && name_len + n <= (size_t)(end - p));
		buf_reset(&pair);
		buf_add(&pair, p, name_len);
		/* the first of a name is found */
		value = record_param(&s->params, buf_text(&pair), &len);
		HOLDS(strlen(buf_text(&pair)) < name_len ||
		    (value != NULL && value <= (const char *)p + name_len));
		buf_putc(&pair, '=');
		p += name_len;
		buf_add(&pair, p, n);
		HOLDS(strcmp(*env, buf_text(&pair)) == 0);
	}
	HOLDS(p == end && *env == NULL);
	buf_free(&pair);
}

/* Have libfcgi read a request from a file. */
static void
try_libfcgi(const struct scanned *s, int fd)
{
	static bool ready;
	struct buf env;
	struct buf body;

	if (!ready)
		HOLDS(gateway_setup() == 0);
	ready = true;
	HOLDS(fd != -1);
	buf_init(&env, 0);
	buf_init(&body, 0);
	HOLDS(gateway_take(fd, &env, &body, BODY_KEPT) == 0);
	HOLDS(same_bytes(&body, &s->body));
	try_env(s, gateway_env(&env));
	close(fd);
	buf_free(&env);
	buf_free(&body);
}

static int
raw_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("raw", MFD_CLOEXEC);

	HOLDS(fd != -1 && write(fd, data, size) == (ssize_t)size);
	HOLDS(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Written anew, it is the same request in plain records. */
static void
try_again(const struct scanned *s)
{
	struct scanned back;
	struct buf out;

	buf_init(&out, 0);
	record_write(&s->scan, &out);
	scan(&back, (const uint8_t *)out.data, out.len, out.len);
	HOLDS(back.scan.state == RECORD_WHOLE && back.used == out.len);
	HOLDS(!back.scan.keep && !back.scan.padded && !back.scan.authorizer);
	HOLDS(back.scan.id == s->scan.id);
	HOLDS(same_bytes(&back.params, &s->params));
	HOLDS(same_bytes(&back.body, &s->body));
	scan_free(&back);
	buf_free(&out);
}

/* A length in one byte, or in four where it has to be, or is to be. */
static void
put_length(struct buf *b, size_t len, bool longer)
{
	const unsigned char four[] = { (unsigned char)(len >> 24 | 0x80),
		(unsigned char)(len >> 16), (unsigned char)(len >> 8),
		(unsigned char)len };

	if (len < 0x80 && !longer)
		buf_putc(b, (char)len);
	else
		buf_add(b, four, sizeof(four));
}

/* A request with these bytes as a name, a value and a body is one. */
static void
try_made(const uint8_t *data, size_t size)
{
	struct record_scan made;
	struct scanned s;
	struct buf params;
	struct buf body;
	struct buf out;
	size_t n = size > 0 ? data[0] % (size + 1) : 0;

	buf_init(&params, 0);
	buf_init(&body, 0);
	buf_init(&out, 0);
	put_length(&params, n, size % 2 == 0);
	put_length(&params, size - n, size % 3 == 0);
	buf_add(&params, data, size);
	buf_add(&body, data, n);
	record_init(&made, &params, &body, BODY_KEPT);
	made.id = 0x102;
	record_write(&made, &out);
	scan(&s, (const uint8_t *)out.data, out.len, n + 1);
	HOLDS(s.scan.state == RECORD_WHOLE && s.used == out.len);
	HOLDS(s.scan.id == 0x102 && same_bytes(&s.params, &params));
	HOLDS(same_bytes(&s.body, &body));
	try_libfcgi(&s, raw_file((const uint8_t *)out.data, out.len));
	scan_free(&s);
	buf_free(&params);
	buf_free(&body);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scanned s;

	scan(&s, data, size, size + 1);
	try_pieces(&s, data, size, 1);
	try_pieces(&s, data, size, 5);
	try_pieces(&s, data, size, 64);
	HOLDS(s.head || s.scan.step != RECORD_STEP_BODY);
	HOLDS(s.body.len == s.scan.body_len || s.body.len == BODY_KEPT);
	if (s.scan.state == RECORD_WHOLE) {
		try_again(&s);
		try_libfcgi(&s, record_file(&s.scan));
		/* as conn_read() lets them through, with what comes behind */
		if (!s.scan.padded && !s.scan.authorizer)
			try_libfcgi(&s, raw_file(data, size));
	}
	scan_free(&s);
	try_made(data, size);
	return 0;
}
