#include <string.h>

#include "request.h"
#include "text.h"

enum query_found
request_query(const struct request *rq, const char *name, struct buf *value)
{
	return request_form(rq->query != NULL ? rq->query : "", name, value);
}

enum query_found
request_form(const char *p, const char *name, struct buf *value)
{
	size_t len;
	size_t eq;

	buf_reset(value);
	for (; *p != '\0'; p += len + (p[len] == '&')) {
		len = strcspn(p, "&");
		eq = strcspn(p, "=&");
		if (strlen(name) != eq || memcmp(p, name, eq) != 0)
			continue;
		if (eq < len)
			eq++;
		if (percent_decode(value, p + eq, len - eq, true) == -1 ||
		    !utf8_valid(buf_text(value), value->len, NULL))
			return QUERY_BAD;
		return QUERY_FOUND;
	}
	return QUERY_ABSENT;
}
