#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record.h"

/* Types of records. */
#define FCGI_BEGIN_REQUEST	1
#define FCGI_END_REQUEST	3
#define FCGI_PARAMS		4
#define FCGI_STDIN		5
#define FCGI_STDOUT		6

#define FCGI_RESPONDER		1
#define FCGI_AUTHORIZER		2
#define FCGI_KEEP_CONN		1

#define CHUNK	((size_t)65528)	/* content of a record we write */

void
record_init(struct record_scan *scan, struct buf *params, struct buf *body,
    size_t body_max)
{
	memset(scan, 0, sizeof(*scan));
	scan->params = params;
	scan->body = body;
	scan->body_max = body_max;
}

/* A record's head is whole: may it come now? */
static bool
head_ok(struct record_scan *scan)
{
	const unsigned char *h = scan->head;
	unsigned int id = (unsigned int)h[2] << 8 | h[3];

	scan->content = (size_t)h[4] << 8 | h[5];
	scan->padding = h[6];
	if (h[0] != 1 || id == 0)
		return false;
	switch (scan->step) {
	case RECORD_STEP_BEGIN:
		scan->id = id;
		return h[1] == FCGI_BEGIN_REQUEST && scan->content == 8;
	case RECORD_STEP_PARAMS:
		scan->params_len += scan->content;
		return h[1] == FCGI_PARAMS && id == scan->id &&
		    scan->params_len <= RECORD_PARAMS_MAX;
	default:
		return h[1] == FCGI_STDIN && id == scan->id;
	}
}

/* Length at p (1 or 4 bytes), and how many bytes it takes; 0: not all there. */
static size_t
pair_length(const unsigned char *p, size_t have, size_t *len)
{
	if (have == 0)
		return 0;
	if (p[0] < 0x80) {
		*len = p[0];
		return 1;
	}
	if (have < 4)
		return 0;
	*len = (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 |
	    (size_t)p[2] << 8 | p[3];
	return 4;
}

/* Follow the name-value pairs through the bytes of PARAMS. */
static bool
params_ok(struct record_scan *scan, const unsigned char *p, size_t len)
{
	size_t name;
	size_t value;
	size_t n;
	size_t m;

	while (len > 0) {
		if (scan->pair > 0) {
			n = scan->pair < len ? scan->pair : len;
			scan->pair -= n;
			p += n;
			len -= n;
			continue;
		}
		scan->len[scan->len_len++] = *p++;
		len--;
		n = pair_length(scan->len, scan->len_len, &name);
		if (n == 0)
			continue;
		m = pair_length(scan->len + n, scan->len_len - n, &value);
		if (m == 0)
			continue;
		if (name > RECORD_PARAMS_MAX || value > RECORD_PARAMS_MAX)
			return false;
		scan->pair = name + value;
		scan->len_len = 0;
	}
	return true;
}

static bool
content_ok(struct record_scan *scan, const unsigned char *p, size_t len)
{
	size_t room;

	switch (scan->step) {
	case RECORD_STEP_BEGIN:
		memcpy(scan->begin + 8 - scan->content, p, len);
		return true;
	case RECORD_STEP_PARAMS:
		if (scan->params != NULL)
			buf_add(scan->params, p, len);
		return params_ok(scan, p, len);
	default:
		scan->body_len += len;
		if (scan->body == NULL)
			return true;
		room = scan->body_max - scan->body->len;
		buf_add(scan->body, p, len < room ? len : room);
		return true;
	}
}

/* A record has ended. */
static enum record_state
record_end(struct record_scan *scan)
{
	bool empty = scan->head[4] == 0 && scan->head[5] == 0;

	scan->head_len = 0;
	switch (scan->step) {
	case RECORD_STEP_BEGIN:
		if (scan->begin[0] != 0 ||
		    (scan->begin[1] != FCGI_RESPONDER &&
		    scan->begin[1] != FCGI_AUTHORIZER))
			return RECORD_BAD;
		scan->authorizer = scan->begin[1] == FCGI_AUTHORIZER;
		/* some send an empty STDIN: where to wait for it is unclear */
		scan->keep = (scan->begin[2] & FCGI_KEEP_CONN) != 0 &&
		    !scan->authorizer;
		/* libfcgi takes this padding for the next record's header */
		scan->padded = scan->head[6] != 0;
		scan->step = RECORD_STEP_PARAMS;
		return RECORD_MORE;
	case RECORD_STEP_PARAMS:
		if (!empty)
			return RECORD_MORE;
		/* a pair that was cut short */
		if (scan->pair > 0 || scan->len_len > 0)
			return RECORD_BAD;
		/* and this */
		scan->padded = scan->padded || scan->head[6] != 0;
		if (scan->authorizer)
			return RECORD_WHOLE;
		scan->step = RECORD_STEP_BODY;
		return scan->params != NULL ? RECORD_HEAD : RECORD_MORE;
	default:
		return empty ? RECORD_WHOLE : RECORD_MORE;
	}
}

enum record_state
record_feed(struct record_scan *scan, const void *data, size_t len,
    size_t *used)
{
	const unsigned char *start = data;
	const unsigned char *p = start;
	const unsigned char *end = start + len;
	size_t n;

	if (scan->state == RECORD_HEAD)
		scan->state = RECORD_MORE;
	while (scan->state == RECORD_MORE && p < end) {
		if (scan->head_len < sizeof(scan->head)) {
			scan->head[scan->head_len++] = *p++;
			if (scan->head_len == sizeof(scan->head) &&
			    !head_ok(scan))
				scan->state = RECORD_BAD;
		} else if (scan->content > 0) {
			n = (size_t)(end - p);
			if (n > scan->content)
				n = scan->content;
			if (!content_ok(scan, p, n))
				scan->state = RECORD_BAD;
			scan->content -= n;
			p += n;
		} else {
			n = (size_t)(end - p);
			if (n > scan->padding)
				n = scan->padding;
			scan->padding -= n;
			p += n;
		}
		if (scan->state == RECORD_MORE && scan->content == 0 &&
		    scan->padding == 0 && scan->head_len == sizeof(scan->head))
			scan->state = record_end(scan);
	}
	*used = (size_t)(p - start);
	return scan->state;
}

const char *
record_param(const struct buf *params, const char *name, size_t *len)
{
	const unsigned char *p = (const unsigned char *)buf_text(params);
	const unsigned char *end = p + params->len;
	size_t name_len = strlen(name);
	size_t value = 0;
	size_t n = 0;

	while (p < end) {
		/* they were followed as they came: both lengths are there */
		p += pair_length(p, (size_t)(end - p), &n);
		p += pair_length(p, (size_t)(end - p), &value);
		if (n == name_len && memcmp(p, name, n) == 0) {
			*len = value;
			return (const char *)p + n;
		}
		p += n + value;
	}
	return NULL;
}

static void
write_record(struct buf *out, unsigned int type, unsigned int id,
    const void *data, size_t len)
{
	const unsigned char head[8] = { 1, (unsigned char)type,
	    (unsigned char)(id >> 8), (unsigned char)(id & 0xff),
	    (unsigned char)(len >> 8), (unsigned char)(len & 0xff), 0, 0 };

	buf_add(out, head, sizeof(head));
	buf_add(out, data, len);
}

static void
write_stream(struct buf *out, unsigned int type, unsigned int id,
    const struct buf *b)
{
	size_t at;
	size_t n;

	for (at = 0; at < b->len; at += n) {
		n = b->len - at < CHUNK ? b->len - at : CHUNK;
		write_record(out, type, id, b->data + at, n);
	}
	write_record(out, type, id, "", 0);
}

/* The request, with this body; the answer bears its id. */
static void
write_request(struct buf *out, const struct record_scan *scan,
    const struct buf *body)
{
	static const unsigned char begin[8] = { 0, FCGI_RESPONDER };

	write_record(out, FCGI_BEGIN_REQUEST, scan->id, begin, sizeof(begin));
	write_stream(out, FCGI_PARAMS, scan->id, scan->params);
	write_stream(out, FCGI_STDIN, scan->id, body);
}

void
record_write(const struct record_scan *scan, struct buf *out)
{
	write_request(out, scan, scan->body);
}

void
record_reply(const struct record_scan *scan, const struct buf *reply,
    struct buf *out)
{
	static const unsigned char end[8];	/* FCGI_REQUEST_COMPLETE */

	(void)buf_room(out, reply->len + (reply->len / CHUNK + 4) * 8);
	write_stream(out, FCGI_STDOUT, scan->id, reply);
	write_record(out, FCGI_END_REQUEST, scan->id, end, sizeof(end));
}

static int
request_file(const struct record_scan *scan, const struct buf *body)
{
	struct buf out;
	int fd;

	buf_init(&out, 0);
	write_request(&out, scan, body);
	fd = buf_ok(&out) ? memfd_create("request", MFD_CLOEXEC) : -1;
	if (fd != -1 && (write(fd, out.data, out.len) != (ssize_t)out.len ||
	    lseek(fd, 0, SEEK_SET) == -1)) {
		close(fd);
		fd = -1;
	}
	buf_free(&out);
	return fd;
}

int
record_head_file(const struct record_scan *scan)
{
	struct buf none;

	buf_init(&none, 0);
	return request_file(scan, &none);
}

int
record_file(const struct record_scan *scan)
{
	return request_file(scan, scan->body);
}
