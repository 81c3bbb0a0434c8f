/* Bounds of record.h, and the requests that it writes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "record.h"
#include "tap.h"

enum { BEGIN = 1, PARAMS = 4, STDIN = 5 };

static void
add(struct buf *b, int type, const void *content, size_t len)
{
	const char head[8] = { 1, (char)type, 0, 1, (char)(len >> 8),
	    (char)len, 0, 0 };

	buf_add(b, head, sizeof(head));
	buf_add(b, content, len);
}

/* Records of at most so many bytes for all of a stream, and its end. */
static void
add_stream(struct buf *b, int type, const char *data, size_t len, size_t most)
{
	size_t n;

	for (; len > 0; data += n, len -= n) {
		n = len < most ? len : most;
		add(b, type, data, n);
	}
	add(b, type, "", 0);
}

/* One pair, name "n", that makes len bytes of PARAMS. */
static char *
pair_of(size_t len)
{
	char *pair = repeated("v", len);
	size_t value = len - 6;

	pair[0] = 1;
	pair[1] = (char)(0x80 | value >> 24);
	pair[2] = (char)(value >> 16);
	pair[3] = (char)(value >> 8);
	pair[4] = (char)value;
	pair[5] = 'n';
	return pair;
}

static const struct {
	const char		*name;
	size_t			 params;
	size_t			 most;
	enum record_state	 state;
} sizes[] = {
	{ "a little", 1000, 65535, RECORD_WHOLE },
	{ "in records of one byte", 1000, 1, RECORD_WHOLE },
	{ "as many as there may be", RECORD_PARAMS_MAX, 65535, RECORD_WHOLE },
	{ "one byte more", RECORD_PARAMS_MAX + 1, 65535, RECORD_BAD },
	{ "one byte more in small records", RECORD_PARAMS_MAX + 1, 17,
	  RECORD_BAD },
};

static void
test_params(void)
{
	struct record_scan scan;
	struct buf params;
	struct buf bytes;
	size_t used;
	size_t i;
	char *pair;

	for (i = 0; i < COUNT(sizes); i++) {
		buf_init(&bytes, 0);
		buf_init(&params, 0);
		pair = pair_of(sizes[i].params);
		add(&bytes, BEGIN, "\0\1\0\0\0\0\0\0", 8);
		add_stream(&bytes, PARAMS, pair, sizes[i].params,
		    sizes[i].most);
		add(&bytes, STDIN, "", 0);
		record_init(&scan, &params, NULL, 0);
		IS_INT(feed_on(&scan, bytes.data, bytes.len, &used),
		    sizes[i].state, "variables: %s", sizes[i].name);
		OK(params.len <= RECORD_PARAMS_MAX,
		    "no more than the bound is kept");
		if (sizes[i].state == RECORD_WHOLE)
			OK(params.len == sizes[i].params &&
			    memcmp(params.data, pair, params.len) == 0,
			    "all of them are kept");
		free(pair);
		buf_free(&bytes);
		buf_free(&params);
	}
}

static const struct {
	size_t	 len;
	size_t	 max;
	size_t	 most;
} bodies[] = {
	{ 0, 10, 100 }, { 9, 10, 100 }, { 10, 10, 100 }, { 11, 10, 100 },
	{ 11, 10, 5 }, { 12, 10, 1 }, { 5, 0, 2 }, { 200000, 65537, 65535 },
	{ 65528, 65536, 65535 }, { 65529, 65536, 65535 },
	{ 70000, 131056, 65535 }, { 131056, 131056, 65535 },
};

/* Scan, write, and scan what was written. */
static void
test_body(size_t i)
{
	char *text = repeated("0123456789abcdefg", bodies[i].len / 17 + 1);
	size_t kept = bodies[i].len < bodies[i].max ? bodies[i].len :
	    bodies[i].max;
	char *pair = pair_of(70000);
	struct record_scan scan;
	struct buf bytes;
	struct buf params;
	struct buf body;
	struct buf out;
	size_t used;

	buf_init(&bytes, 0);
	buf_init(&params, 0);
	buf_init(&body, 0);
	buf_init(&out, 0);
	add(&bytes, BEGIN, "\0\1\1\0\0\0\0\0", 8);
	add_stream(&bytes, PARAMS, pair, 70000, 65535);
	add_stream(&bytes, STDIN, text, bodies[i].len, bodies[i].most);
	record_init(&scan, &params, &body, bodies[i].max);
	IS_INT(feed_on(&scan, bytes.data, bytes.len, &used), RECORD_WHOLE,
	    "a body of %zu bytes, of which %zu are wanted", bodies[i].len,
	    bodies[i].max);
	IS_INT((long long)scan.body_len, (long long)bodies[i].len,
	    "is counted whole");
	OK(body.len == kept && memcmp(buf_text(&body), text, kept) == 0,
	    "and kept as far as it is wanted");
	record_write(&scan, &out);
	buf_reset(&params);
	buf_reset(&body);
	record_init(&scan, &params, &body, bodies[i].max);
	IS_INT(feed_on(&scan, out.data, out.len, &used), RECORD_WHOLE,
	    "what is written is a request");
	OK(used == out.len && !scan.padded, "without padding or a rest");
	OK(params.len == 70000 && memcmp(params.data, pair, 70000) == 0 &&
	    body.len == kept && memcmp(buf_text(&body), text, kept) == 0,
	    "of the same variables and body");
	buf_free(&bytes);
	buf_free(&params);
	buf_free(&body);
	buf_free(&out);
	free(pair);
	free(text);
}

static void
test_file(void)
{
	struct record_scan scan;
	struct buf params;
	struct buf body;
	struct buf out;
	char room[256];
	ssize_t n = -1;
	int fd;

	buf_init(&params, 0);
	buf_init(&body, 0);
	buf_init(&out, 0);
	buf_add(&params, "\1\1ab", 4);
	record_init(&scan, &params, &body, 10);
	record_write(&scan, &out);
	if ((fd = record_file(&scan)) != -1) {
		n = read(fd, room, sizeof(room));
		close(fd);
	}
	IS_MEM(room, n > 0 ? (size_t)n : 0, out.data, out.len,
	    "a file has the same bytes, from its beginning");
	buf_free(&params);
	buf_free(&body);
	buf_free(&out);
}

/* A reply of this length is records up to their limit, and one that ends it. */
static void
test_reply(size_t len)
{
	static const unsigned char end[16] = { 1, 3, 1, 2, 0, 8 };
	struct record_scan scan;
	struct buf reply;
	struct buf out;
	const unsigned char *p;
	size_t at = 0;
	size_t n = 1;
	size_t same = 0;

	buf_init(&reply, 0);
	buf_init(&out, 0);
	while (reply.len < len)
		buf_putc(&reply, (char)(reply.len % 251));
	record_init(&scan, NULL, NULL, 0);
	scan.id = 0x102;
	record_reply(&scan, &reply, &out);
	for (; n > 0 && at + 8 <= out.len; at += 8 + n) {
		p = (const unsigned char *)out.data + at;
		n = (size_t)p[4] << 8 | p[5];
		if (p[0] != 1 || p[1] != 6 || p[2] != 1 || p[3] != 2 ||
		    p[6] != 0 || at + 8 + n > out.len || same + n > len ||
		    memcmp(p + 8, buf_text(&reply) + same, n) != 0)
			break;
		same += n;
	}
	IS_INT((long long)same, (long long)len, "%zu bytes are replied", len);
	IS_MEM(out.data + at, out.len - at, end, sizeof(end),
	    "and then the request ends");
	buf_free(&reply);
	buf_free(&out);
}

/* Bytes that never were a request: nothing may be read or kept too far. */
static void
test_noise(void)
{
	struct record_scan scan;
	struct buf params;
	struct buf body;
	unsigned int x = 1;
	unsigned char bytes[64];
	size_t used;
	size_t wrong = 0;
	size_t n;
	size_t i;

	buf_init(&params, 0);
	buf_init(&body, 0);
	for (n = 0; n < 200000; n++) {
		for (i = 0; i < sizeof(bytes); i++) {
			x = x * 1103515245U + 12345U;
			bytes[i] = (unsigned char)(x >> 16 & 7);
		}
		memcpy(bytes, "\1\1\0\1\0\x8\0\0"
		    "\0\1\0\0\0\0\0\0" "\1\4\0\1\0", 21);
		buf_reset(&params);
		buf_reset(&body);
		record_init(&scan, &params, &body, 8);
		feed_on(&scan, bytes, sizeof(bytes), &used);
		wrong += used > sizeof(bytes) || body.len > 8;
	}
	IS_INT((long long)wrong, 0, "no noise leads too far");
	buf_free(&params);
	buf_free(&body);
}

int
main(void)
{
	static const size_t replies[] = { 0, 1, 65527, 65528, 65529, 200000 };
	size_t i;

	test_params();
	for (i = 0; i < COUNT(bodies); i++)
		test_body(i);
	test_file();
	for (i = 0; i < COUNT(replies); i++)
		test_reply(replies[i]);
	test_noise();
	return tap_done();
}
