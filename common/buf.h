/*
 * buf: bytes that grow up to a bound.
 *
 * A buffer that could not grow (no memory, or past its bound) is broken:
 * what is added later is dropped, and buf_ok() is false.  So a text is built
 * without looking and checked once at its end.
 */
#ifndef DEVCRED_BUF_H
#define DEVCRED_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_CHECK	__attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

struct buf {
	char	*data;	/* NUL-terminated once anything was added; or NULL */
	size_t	 len;	/* bytes in use, without the NUL */
	size_t	 cap;	/* bytes allocated; at most max and a NUL */
	size_t	 max;	/* bound of len; 0: BUF_MAX */
	bool	 broken;
};

#define BUF_MAX ((size_t)512 * 1024 * 1024)	/* bytes */

/* Start empty with a bound of max bytes (0: BUF_MAX); allocates nothing. */
void	 buf_init(struct buf *b, size_t max);

/*
 * Make room for len more bytes and a NUL; -1 if there is none.  Nobody has to:
 * who knows how much will come is spared some copies.
 */
int	 buf_room(struct buf *b, size_t len);

/* Whether there is, without asking for memory. */
static inline bool
buf_has_room(const struct buf *b, size_t len)
{
	return len < b->cap - b->len && !b->broken;
}

/* Add bytes, a string, one character, or formatted text. */
static inline void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (!buf_has_room(b, len) && buf_room(b, len) == -1)
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

static inline void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void
buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void	 buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Add bytes as lower-case hexadecimal digits. */
void	 buf_hex(struct buf *b, const void *data, size_t len);

/* Whether everything added so far is there. */
bool	 buf_ok(const struct buf *b) MUST_CHECK;

/* The text; "" if nothing was added.  Valid until the next addition. */
const char *buf_text(const struct buf *b);

/* Forget the contents but keep the memory.  The bytes are wiped. */
void	 buf_reset(struct buf *b);

/* Wipe and free; the buffer may be used again.  NULL is allowed. */
void	 buf_free(struct buf *b);

#endif
