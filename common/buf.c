#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

int
buf_room(struct buf *b, size_t len)
{
	size_t max = b->max != 0 ? b->max : BUF_MAX;
	size_t cap;
	char *data;

	if (b->broken)
		return -1;
	if (len > max || b->len > max - len) {
		b->broken = true;
		return -1;
	}
	if (b->len + len < b->cap)
		return 0;
	cap = b->cap != 0 ? b->cap : 256;
	while (cap <= b->len + len)
		cap *= 2;
	if (cap > max)
		cap = max + 1;
	/* not realloc(): the old bytes may be secret and must be wiped */
	if ((data = malloc(cap)) == NULL) {
		b->broken = true;
		return -1;
	}
	if (b->data != NULL) {
		memcpy(data, b->data, b->len + 1);
		explicit_bzero(b->data, b->cap);
		free(b->data);
	} else {
		data[0] = '\0';
	}
	b->data = data;
	b->cap = cap;
	return 0;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room;
	va_list ap;
	int len;

	/* most often it fits into what there is */
	if (buf_room(b, 0) == -1)
		return;
	room = b->cap - b->len;
	va_start(ap, fmt);
	len = vsnprintf(b->data + b->len, room, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= room) {
		b->data[b->len] = '\0';
		if (len < 0)
			b->broken = true;
		if (len < 0 || buf_room(b, (size_t)len) == -1)
			return;
		va_start(ap, fmt);
		vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)len;
}

void
buf_hex(struct buf *b, const void *data, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *p = data;
	size_t i;

	if (buf_room(b, 2 * len) == -1)
		return;
	for (i = 0; i < len; i++) {
		b->data[b->len++] = digit[p[i] >> 4];
		b->data[b->len++] = digit[p[i] & 15];
	}
	b->data[b->len] = '\0';
}

bool
buf_ok(const struct buf *b)
{
	return !b->broken;
}

const char *
buf_text(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

void
buf_reset(struct buf *b)
{
	if (b->data != NULL) {
		explicit_bzero(b->data, b->len);
		b->data[0] = '\0';
	}
	b->len = 0;
	b->broken = false;
}

void
buf_free(struct buf *b)
{
	if (b == NULL)
		return;
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	buf_init(b, b->max);
}
