#include <string.h>
#include <strings.h>

#include "multipart.h"
#include "text.h"

#define BOUNDARY_MAX	70	/* characters (RFC 2046, 5.1.1) */

/*
 * Find a parameter in the value of a header ("a; name=b; name="c""); false if
 * it is not there.
 */
static bool
parameter(const char *s, const char *end, const char *name, struct buf *value)
{
	size_t len;
	bool is;

	while ((s = memchr(s, ';', (size_t)(end - s))) != NULL) {
		for (s++; s < end && (*s == ' ' || *s == '\t');)
			s++;
		for (len = 0; s + len < end && s[len] != '=' &&
		    s[len] != ';'; len++)
			continue;
		is = str_is(s, len, name);
		if ((s += len) == end || *s == ';')
			continue;
		if (++s < end && *s == '"') {
			for (s++; s < end && *s != '"'; s++) {
				if (*s == '\\' && s + 1 < end)
					s++;
				if (is)
					buf_putc(value, *s);
			}
		} else {
			for (; s < end && *s != ';' && *s != ' '; s++)
				if (is)
					buf_putc(value, *s);
		}
		if (is)
			return true;
	}
	return false;
}

int
multipart_init(struct multipart *mp, const char *content_type)
{
	static const char type[] = "multipart/form-data";
	size_t n = sizeof(type) - 1;
	struct buf boundary;
	int rc = -1;

	memset(mp, 0, sizeof(*mp));
	buf_init(&mp->delimiter, 0);
	buf_init(&mp->held, 0);
	buf_init(&boundary, 0);
	if (content_type != NULL && strncasecmp(content_type, type, n) == 0 &&
	    (content_type[n] == ';' || content_type[n] == ' ') &&
	    parameter(content_type, content_type + strlen(content_type),
	    "boundary", &boundary) && boundary.len > 0 &&
	    boundary.len <= BOUNDARY_MAX) {
		buf_printf(&mp->delimiter, "\r\n--%s", buf_text(&boundary));
		/* the first one may stand at the very beginning */
		buf_puts(&mp->held, "\r\n");
		rc = 0;
	}
	buf_free(&boundary);
	return rc;
}

void
multipart_free(struct multipart *mp)
{
	buf_free(&mp->delimiter);
	buf_free(&mp->held);
}

void
multipart_add(struct multipart *mp, const char *data, size_t len)
{
	size_t left = mp->held.len - mp->used;

	if (mp->where == PART_END)
		return;		/* what comes after it is nobody's */
	if (left > 0)
		memmove(mp->held.data, mp->held.data + mp->used, left);
	mp->held.len = left;
	mp->used = 0;
	buf_add(&mp->held, data, len);
}

/* Whether the head of a part says that it is the file. */
static bool
is_file(const char *head, const char *end)
{
	static const char field[] = "Content-Disposition:";
	struct buf name;
	const char *eol;
	bool is = false;

	buf_init(&name, 0);
	for (; head < end && !is; head = eol + 1) {
		if ((eol = memchr(head, '\n', (size_t)(end - head))) == NULL)
			eol = end - 1;
		if ((size_t)(eol - head) < sizeof(field) ||
		    strncasecmp(head, field, sizeof(field) - 1) != 0)
			continue;
		is = parameter(head, eol > head && eol[-1] == '\r' ? eol - 1 :
		    eol, "name", &name) && strcmp(buf_text(&name), "file") == 0;
		buf_reset(&name);
	}
	buf_free(&name);
	return is;
}

/* In the content of a part: give what is certainly of it. */
static bool
in_body(struct multipart *mp, const char *p, size_t left, const char **data,
    size_t *len)
{
	const char *at = memmem(p, left, buf_text(&mp->delimiter),
	    mp->delimiter.len);
	size_t n;

	if (at != NULL)
		n = (size_t)(at - p);
	else
		n = left < mp->delimiter.len ? 0 : left - mp->delimiter.len + 1;
	*data = p;
	*len = n;
	mp->used += n;
	if (at != NULL) {
		mp->used += mp->delimiter.len;
		mp->where = PART_LINE;
	}
	return n > 0 || at != NULL;
}

/* Behind a delimiter: the end of its line, or "--" at the end of the form. */
static bool
in_line(struct multipart *mp, const char *p, size_t left)
{
	const char *eol = memchr(p, '\n', left);

	mp->ours = false;
	if (left >= 2 && p[0] == '-' && p[1] == '-') {
		mp->where = PART_END;
		mp->used = mp->held.len;
	} else if (eol != NULL && eol > p && eol[-1] == '\r' &&
	    strspn(p, " \t") == (size_t)(eol - 1 - p)) {
		/* the head may be empty: it then begins with its own end */
		mp->used += (size_t)(eol - p) - 1;
		mp->where = PART_HEAD;
	} else if (eol != NULL || left > MULTIPART_HEAD_MAX) {
		mp->where = PART_BAD;
	} else {
		return false;
	}
	return true;
}

static bool
in_head(struct multipart *mp, const char *p, size_t left)
{
	const char *end = memmem(p, left, "\r\n\r\n", 4);

	if (end == NULL) {
		if (left <= MULTIPART_HEAD_MAX)
			return false;
		mp->where = PART_BAD;
		return true;
	}
	mp->ours = !mp->found && end > p && is_file(p + 2, end + 2);
	mp->found = mp->found || mp->ours;
	mp->used += (size_t)(end - p) + 4;
	mp->where = PART_BODY;
	return true;
}

enum multipart_state
multipart_next(struct multipart *mp, const char **data, size_t *len)
{
	const char *p;
	size_t left;
	bool more = true;

	while (more && mp->where != PART_END && mp->where != PART_BAD) {
		p = buf_text(&mp->held) + mp->used;
		left = mp->held.len - mp->used;
		switch (mp->where) {
		case PART_BODY:
			more = in_body(mp, p, left, data, len);
			if (more && mp->ours && *len > 0)
				return MULTIPART_FILE;
			break;
		case PART_LINE:
			more = in_line(mp, p, left);
			break;
		default:
			more = in_head(mp, p, left);
			break;
		}
	}
	if (!buf_ok(&mp->held) || mp->where == PART_BAD)
		return MULTIPART_BAD;
	return mp->where == PART_END ? MULTIPART_END : MULTIPART_BETWEEN;
}
