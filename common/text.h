/*
 * text: what arrives as bytes and has to become text or numbers.
 */
#ifndef DEVCRED_TEXT_H
#define DEVCRED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * Copy len bytes to dst and end them with a NUL.  -1, with dst empty, if they
 * do not fit into dstlen bytes or hold a NUL; never cut short.
 */
int	 str_copy(char *dst, size_t dstlen, const char *src, size_t len)
	    MUST_CHECK;

/*
 * Whether the bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates,
 * nothing above U+10FFFF).  *chars, if not NULL, gets the characters.
 */
bool	 utf8_valid(const char *s, size_t len, size_t *chars) MUST_CHECK;

/*
 * How many of the first max bytes of UTF-8 text to keep, so that no character
 * is cut.
 */
size_t	 utf8_cut(const char *s, size_t max);

/*
 * Whether a device id may be used: 1 to DEVICE_ID_CHARS characters of UTF-8,
 * none of them white space, a control character or one of / \ + $ : and not
 * "." or "..", which no path can have.
 * *bad, if not NULL, gets the place of the first forbidden character, or
 * NULL if the length or the encoding is at fault.
 */
bool	 device_id_valid(const char *id, size_t len, const char **bad)
	    MUST_CHECK;

/* Parse a decimal number between min and max; -1 for anything else. */
int	 parse_num(const char *s, long min, long max, long *num) MUST_CHECK;

/*
 * Decode %XX in len bytes of a path segment or query value; '+' stays '+'
 * unless plus_is_space.  -1 for a bad code or if out cannot hold it.  NUL is
 * a bad code.
 */
int	 percent_decode(struct buf *out, const char *s, size_t len,
	    bool plus_is_space) MUST_CHECK;

/* Add text, percent-encoding all but RFC 3986's unreserved characters. */
void	 percent_encode(struct buf *out, const char *s);

/* Add text as a JSON string, in quotes (RFC 8259); it is UTF-8. */
void	 json_quote(struct buf *out, const char *s);

/* Decode base64 (RFC 4648; padded right or not); -1 for anything else. */
int	 base64_decode(struct buf *out, const char *s, size_t len) MUST_CHECK;

/* Add the base64 of bytes, padded. */
void	 base64_encode(struct buf *out, const char *s, size_t len);

/* Whether it is a host with or without a port: name, IPv4, [IPv6]. */
bool	 host_valid(const char *host) MUST_CHECK;

/*
 * Whether links can begin with it: http or https, a host, maybe a path; no
 * character that a link or JSON would have to escape.
 */
bool	 link_base_valid(const char *s) MUST_CHECK;

/* Whether it can stand before paths: "" or as "/iot", without a "/" behind. */
bool	 path_prefix_valid(const char *s) MUST_CHECK;

/*
 * Write a time as the API tells it, 2026-01-31T12:34:56.789+00:00: epoch is a
 * number of seconds since 1970, as PostgreSQL writes one, cut to milliseconds.
 * Returns out, or NULL if it is none or not within the years 1970 to 9999.
 */
#define ISO_TIME_SIZE	30
const char *iso_time(char out[ISO_TIME_SIZE], const char *epoch);

/* Compare len bytes with a string, without regard to ASCII case. */
bool	 str_is(const char *s, size_t len, const char *word) MUST_CHECK;

#endif
