/* What request.h makes of REQUEST_URI. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "tap.h"

static const struct {
	const char	*name;
	const char	*uri;
	const char	*path;	/* segments, each after '|'; NULL: 400 */
	bool		 slash;
	const char	*query;
} uris[] = {
	{ "a plain path", "/a/b", "|a|b", false, NULL },
	{ "a slash at the end", "/a/b/", "|a|b", true, NULL },
	{ "the root", "/", "", true, NULL },
	{ "a query", "/a?x=1", "|a", false, "x=1" },
	{ "an empty query", "/a?", "|a", false, "" },
	{ "a query with '?' and '/'", "/a?b?c/d", "|a", false, "b?c/d" },
	{ "codes", "/%61%2Db/%C3%A9", "|a-b|\xc3\xa9", false, NULL },
	{ "a code decoded once only", "/%2561", "|%61", false, NULL },
	{ "a plus, which is no space", "/a+b", "|a+b", false, NULL },
	{ "an encoded question mark", "/a%3Fb", "|a?b", false, NULL },
	{ "an encoded hash", "/a%23b", "|a#b", false, NULL },
	{ "three dots", "/...", "|...", false, NULL },
	{ "dots in a name", "/a..b/.c/d.", "|a..b|.c|d.", false, NULL },
	{ "a semicolon", "/a;b=c", "|a;b=c", false, NULL },
	{ "six segments", "/1/2/3/4/5/6", "|1|2|3|4|5|6", false, NULL },
	{ "a host before it", "http://h/a", "|a", false, NULL },
	{ "a host in capitals", "HTTPS://H:1/a", "|a", false, NULL },
	{ "nothing", "", NULL, false, NULL },
	{ "no slash", "a/b", NULL, false, NULL },
	{ "a star", "*", NULL, false, NULL },
	{ "a query alone", "?a", NULL, false, NULL },
	{ "two slashes", "/a//b", NULL, false, NULL },
	{ "two slashes first", "//a", NULL, false, NULL },
	{ "two slashes last", "/a//", NULL, false, NULL },
	{ "nothing but two slashes", "//", NULL, false, NULL },
	{ "a dot segment", "/a/./b", NULL, false, NULL },
	{ "a dot segment last", "/a/.", NULL, false, NULL },
	{ "two dots", "/a/../b", NULL, false, NULL },
	{ "two dots last", "/a/..", NULL, false, NULL },
	{ "an encoded dot", "/%2e/a", NULL, false, NULL },
	{ "two dots, one encoded", "/a/.%2E/b", NULL, false, NULL },
	{ "two dots encoded", "/a/%2e%2e", NULL, false, NULL },
	{ "an encoded slash", "/a%2Fb", NULL, false, NULL },
	{ "an encoded slash in lower case", "/a/%2f", NULL, false, NULL },
	{ "a slash in two bytes", "/a%c0%afb", NULL, false, NULL },
	{ "NUL", "/a%00", NULL, false, NULL },
	{ "a newline", "/a%0a", NULL, false, NULL },
	{ "DEL", "/a%7f", NULL, false, NULL },
	{ "bytes that are no UTF-8", "/a%ff", NULL, false, NULL },
	{ "half a character", "/%C3/%A9", NULL, false, NULL },
	{ "a bad code", "/a%zz", NULL, false, NULL },
	{ "half a code", "/a%4", NULL, false, NULL },
	{ "a code cut by a slash", "/a%4/1", NULL, false, NULL },
	{ "a code cut by the query", "/a%?41", NULL, false, NULL },
	{ "a host alone", "http://h", NULL, false, NULL },
	{ "a host that is empty", "http:///a", NULL, false, NULL },
	{ "a host and a query that has a slash", "http://h?/a", NULL, false,
	  NULL },
	{ "a scheme that is not of the web", "ftp://h/a", NULL, false, NULL },
	{ "a fragment, which no request has", "/a#b", NULL, false, NULL },
};

static void
join(struct buf *out, const struct request *rq)
{
	int i;

	for (i = 0; i < rq->nsegments; i++)
		buf_printf(out, "|%s", rq->segment[i]);
}

static void
test_uris(void)
{
	struct asked a;
	struct buf vars;
	struct buf path;
	size_t i;

	buf_init(&vars, 0);
	buf_init(&path, 0);
	for (i = 0; i < COUNT(uris); i++) {
		buf_reset(&vars);
		buf_reset(&path);
		buf_printf(&vars, "REQUEST_METHOD=GET\nREQUEST_URI=%s",
		    uris[i].uri);
		ask(&a, "", buf_text(&vars), NULL);
		IS_INT(a.rc, uris[i].path == NULL ? -1 : 0, "a path with %s",
		    uris[i].name);
		if (uris[i].path == NULL) {
			IS_INT(a.x->reply.status, 400, "is a bad request");
		} else if (a.rc == 0) {
			join(&path, &a.x->rq);
			IS_STR(buf_text(&path), uris[i].path, "its segments");
			IS_INT(a.x->rq.slash, uris[i].slash, "its end");
			IS_STR(a.x->rq.query, uris[i].query, "its query");
		}
		asked_free(&a);
	}
	buf_free(&vars);
	buf_free(&path);
}

static const struct {
	const char	*name;
	const char	*uri;
	int		 nsegments;	/* -1: 400 */
} prefixed[] = {
	{ "the prefix and a path", "/iot/x/a/b", 2 },
	{ "the prefix alone", "/iot/x", -1 },
	{ "the prefix and a slash", "/iot/x/", 0 },
	{ "the prefix run on", "/iot/xy/a", -1 },
	{ "the prefix and two slashes", "/iot/x//a", -1 },
	{ "the prefix and two dots", "/iot/x/../a", -1 },
};

static void
test_prefix(void)
{
	struct asked a;
	struct buf vars;
	size_t i;

	buf_init(&vars, 0);
	for (i = 0; i < COUNT(prefixed); i++) {
		buf_reset(&vars);
		buf_printf(&vars, "REQUEST_METHOD=GET\nHTTP_HOST=h\n"
		    "REQUEST_URI=%s", prefixed[i].uri);
		ask(&a, "path_prefix = /iot/x\n", buf_text(&vars), NULL);
		IS_INT(a.rc == -1 ? -1 : a.x->rq.nsegments,
		    prefixed[i].nsegments, "%s", prefixed[i].name);
		if (a.rc == 0)
			IS_STR(buf_text(&a.x->rq.base), "http://h/iot/x",
			    "links have the prefix");
		asked_free(&a);
	}
	buf_free(&vars);
}

static void
test_long(void)
{
	char *segment = repeated("%41", 20000);
	char *deep = repeated("/a", 50000);
	struct asked a;
	struct buf vars;

	buf_init(&vars, 0);
	buf_printf(&vars, "REQUEST_METHOD=GET\nREQUEST_URI=/x/%s", segment);
	ask(&a, "", buf_text(&vars), NULL);
	IS_INT(a.rc, 0, "a segment of 20000 characters is one");
	IS_INT(a.rc == 0 ? (long long)strlen(a.x->rq.segment[1]) : -1, 20000,
	    "and is whole");
	asked_free(&a);
	buf_reset(&vars);
	buf_printf(&vars, "REQUEST_METHOD=GET\nREQUEST_URI=%s", deep);
	ask(&a, "", buf_text(&vars), NULL);
	OK(a.rc == 0 && a.x->rq.nsegments > SEGMENT_MAX,
	    "50000 segments are more than any path has");
	asked_free(&a);
	buf_free(&vars);
	free(segment);
	free(deep);
}

static const struct {
	const char	*name;
	const char	*query;		/* NULL: none */
	enum query_found found;
	const char	*value;		/* of "q" */
} queries[] = {
	{ "no query", NULL, QUERY_ABSENT, "" },
	{ "an empty query", "", QUERY_ABSENT, "" },
	{ "a value", "q=1", QUERY_FOUND, "1" },
	{ "an empty value", "q=", QUERY_FOUND, "" },
	{ "a name alone", "q", QUERY_FOUND, "" },
	{ "a name alone before another", "q&q=2", QUERY_FOUND, "" },
	{ "the second of two names", "a=1&q=2", QUERY_FOUND, "2" },
	{ "the first of two values", "q=1&q=2", QUERY_FOUND, "1" },
	{ "'=' in a value", "q=a=b", QUERY_FOUND, "a=b" },
	{ "a plus and a code", "q=a+b%2Bc", QUERY_FOUND, "a b+c" },
	{ "an encoded '&'", "q=a%26b", QUERY_FOUND, "a&b" },
	{ "a longer name", "qq=1", QUERY_ABSENT, "" },
	{ "a name in a value", "a=q=1", QUERY_ABSENT, "" },
	{ "another case", "Q=1", QUERY_ABSENT, "" },
	{ "empty parameters", "&&q=1&&", QUERY_FOUND, "1" },
	{ "'=' first", "=q&q=1", QUERY_FOUND, "1" },
	{ "a bad code", "q=%zz", QUERY_BAD, NULL },
	{ "half a code", "q=%4&a", QUERY_BAD, NULL },
	{ "NUL", "q=%00", QUERY_BAD, NULL },
	{ "bytes that are no UTF-8", "q=%ff", QUERY_BAD, NULL },
	{ "a bad code elsewhere", "a=%zz&q=1", QUERY_FOUND, "1" },
};

static void
test_queries(void)
{
	struct request rq;
	struct buf value;
	size_t i;

	memset(&rq, 0, sizeof(rq));
	for (i = 0; i < COUNT(queries); i++) {
		rq.query = queries[i].query;
		buf_init(&value, 0);
		buf_puts(&value, "left over");
		IS_INT(request_query(&rq, "q", &value), queries[i].found,
		    "a query with %s", queries[i].name);
		if (queries[i].value != NULL)
			IS_STR(buf_text(&value), queries[i].value,
			    "and its value");
		buf_free(&value);
	}
}

int
main(void)
{
	test_uris();
	test_prefix();
	test_long();
	test_queries();
	return tap_done();
}
