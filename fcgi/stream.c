#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "stream.h"

#define CHUNK_SIZE	((size_t)64 * 1024)

void
stream_fastcgi(struct stream *s, int fd, struct record_scan *scan,
    struct buf *chunk, long timeout)
{
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->scan = scan;
	s->chunk = chunk;
	s->timeout = (int)timeout;
	scan->body = chunk;
	scan->body_max = SIZE_MAX;
}

void
stream_cgi(struct stream *s, int fd, size_t len, struct buf *chunk,
    long timeout)
{
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->left = len;
	s->chunk = chunk;
	s->timeout = (int)timeout;
}

static bool
at_end(const struct stream *s)
{
	return s->scan != NULL ? s->scan->state == RECORD_WHOLE :
	    s->left == 0;
}

/* Wait for bytes and read them; 0: no more of them, -1: none in time. */
static ssize_t
wait_for(const struct stream *s, char *data, size_t len)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int64_t deadline = clock_ms() + s->timeout;
	int64_t left;
	ssize_t n;

	while ((left = deadline - clock_ms()) > 0) {
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(s->fd, data, len);
		if (n != -1 || (errno != EINTR && errno != EAGAIN))
			return n;
	}
	return -1;
}

/* Bytes of a CGI body. */
static bool
take_plain(struct stream *s, const char *data, ssize_t n)
{
	if (n == 0 && s->left == SIZE_MAX)
		s->left = 0;	/* it was to end like this */
	else if (n <= 0)
		return false;
	buf_add(s->chunk, data, (size_t)n);
	if (s->left != SIZE_MAX)
		s->left -= (size_t)n;
	return true;
}

static bool
take_records(struct stream *s, const char *data, ssize_t n)
{
	enum record_state state;
	size_t used;

	if (n <= 0)
		return false;
	state = record_feed(s->scan, data, (size_t)n, &used);
	return state == RECORD_MORE || state == RECORD_WHOLE;
}

enum stream_got
stream_read(struct stream *s, const char **data, size_t *len)
{
	static char room[CHUNK_SIZE];
	size_t want;
	ssize_t n;
	bool good = true;

	if (s->taken)
		buf_reset(s->chunk);
	s->taken = true;
	while (good && s->chunk->len == 0 && !at_end(s)) {
		want = s->scan == NULL && s->left < sizeof(room) ? s->left :
		    sizeof(room);
		n = wait_for(s, room, want);
		good = s->scan != NULL ? take_records(s, room, n) :
		    take_plain(s, room, n);
	}
	*data = buf_text(s->chunk);
	*len = s->chunk->len;
	if (!good || !buf_ok(s->chunk))
		return STREAM_BROKEN;
	return *len > 0 ? STREAM_DATA : STREAM_END;
}

void
stream_drop(struct stream *s)
{
	int64_t deadline = clock_ms() + s->timeout;
	const char *data;
	size_t len;

	while (clock_ms() < deadline &&
	    stream_read(s, &data, &len) == STREAM_DATA)
		continue;
}
