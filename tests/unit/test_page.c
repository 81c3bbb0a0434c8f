#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "repr.h"
#include "route.h"
#include "tap.h"

#define LIST	"/devicecontrol/newDeviceRequests"

/* Ask for the list with this query, as a user of tenant t. */
static enum need
list(struct asked *a, const char *query)
{
	struct buf vars;

	buf_init(&vars, 0);
	buf_printf(&vars, "REQUEST_METHOD=GET\nHTTP_HOST=h\nREQUEST_URI=" LIST
	    "?%s", query);
	ask(a, "", buf_text(&vars), NULL);
	buf_free(&vars);
	a->x->login.tenant[0] = 't';
	a->x->login.tenant[1] = '\0';
	return newdevice_list.parse(a->x);
}

static const struct {
	const char	*query;
	const char	*status;
	const char	*prefix;
	const char	*limit;		/* NULL: refused */
	const char	*offset;
	const char	*total;
} queries[] = {
	{ "", NULL, NULL, "6", "0", "f" },
	{ "pageSize=1", NULL, NULL, "2", "0", "f" },
	{ "pageSize=2000", NULL, NULL, "2001", "0", "f" },
	{ "pageSize=2001", NULL, NULL, "2001", "0", "f" },
	{ "pageSize=4611686018427387", NULL, NULL, "2001", "0", "f" },
	{ "currentPage=3", NULL, NULL, "6", "10", "f" },
	{ "pageSize=2000&currentPage=4611686018427387", NULL, NULL, "2001",
	  "9223372036854772000", "f" },
	{ "withTotalPages=true", NULL, NULL, "6", "0", "t" },
	{ "withTotalElements=true", NULL, NULL, "6", "0", "t" },
	{ "withTotalPages=false&withTotalElements=false", NULL, NULL, "6", "0",
	  "f" },
	{ "status=ACCEPTED", "ACCEPTED", NULL, "6", "0", "f" },
	{ "status=", NULL, NULL, "6", "0", "f" },
	{ "q=a%20b", NULL, "a b", "6", "0", "f" },
	{ "q=%25_\\", NULL, "%_\\", "6", "0", "f" },
	{ "q=", NULL, NULL, "6", "0", "f" },
	{ "currentPage=3&before=7", NULL, NULL, "6", "0", "f" },
	{ "currentPage=3&after=7", NULL, NULL, "5", "0", "f" },
	{ "unknown=%31", NULL, NULL, "6", "0", "f" },
	{ "pageSize=0", NULL, NULL, NULL, NULL, NULL },
	{ "pageSize=-1", NULL, NULL, NULL, NULL, NULL },
	{ "pageSize=", NULL, NULL, NULL, NULL, NULL },
	{ "pageSize=x", NULL, NULL, NULL, NULL, NULL },
	{ "pageSize=%zz", NULL, NULL, NULL, NULL, NULL },
	{ "pageSize=9223372036854775807", NULL, NULL, NULL, NULL, NULL },
	{ "pageSize=18446744073709551617", NULL, NULL, NULL, NULL, NULL },
	{ "currentPage=0", NULL, NULL, NULL, NULL, NULL },
	{ "currentPage=4611686018427388", NULL, NULL, NULL, NULL, NULL },
	{ "before=0", NULL, NULL, NULL, NULL, NULL },
	{ "after=x", NULL, NULL, NULL, NULL, NULL },
	{ "currentPage=1.5", NULL, NULL, NULL, NULL, NULL },
	{ "withTotalPages=1", NULL, NULL, NULL, NULL, NULL },
	{ "withTotalPages", NULL, NULL, NULL, NULL, NULL },
	{ "withTotalElements=TRUE", NULL, NULL, NULL, NULL, NULL },
	{ "status=accepted", NULL, NULL, NULL, NULL, NULL },
	{ "status=NONE", NULL, NULL, NULL, NULL, NULL },
	{ "q=%00", NULL, NULL, NULL, NULL, NULL },
	{ "q=%ff", NULL, NULL, NULL, NULL, NULL },
};

static void
test_queries(void)
{
	struct asked a;
	enum need need;
	bool counts;
	size_t i;

	for (i = 0; i < COUNT(queries); i++) {
		need = list(&a, queries[i].query);
		IS_INT(need, queries[i].limit != NULL ? NEED_CALL :
		    NEED_NOTHING, "a list: \"%s\"", queries[i].query);
		if (queries[i].limit == NULL) {
			IS_INT(a.x->reply.status, 422, "is refused");
			HAS(buf_text(&a.x->reply.body), "Parameter ",
			    "and says why");
		} else {
			IS_STR(call_value(a.x, 0), "t", "its tenant");
			IS_STR(call_value(a.x, 1), queries[i].status, "status");
			IS_STR(call_value(a.x, 2), queries[i].prefix, "prefix");
			IS_STR(call_value(a.x, 3), queries[i].limit, "limit");
			IS_STR(call_value(a.x, 4), queries[i].offset, "offset");
			counts = strcmp(queries[i].total, "t") == 0;
			IS_INT(a.x->call.id, counts ? STORE_NEWDEVICE_LIST :
			    STORE_NEWDEVICE_PAGE, "counted, or not");
			OK(!counts || strcmp(call_value(a.x, 5), "t") == 0,
			    "if it was asked for");
		}
		asked_free(&a);
	}
}

#define ROW(total, id, seq) \
	total, id, "t", "BLOCKED", "o", "2026", NULL, NULL, "{}", NULL, NULL, \
	    "0", "f", seq
#define SELF(q)	"\"self\":\"http://h" LIST "?" q "\""
#define PREV(q)	"\"prev\":\"http://h" LIST "?" q "\""
#define NEXT(q)	"\"next\":\"http://h" LIST "?" q "\""

/* as newdevice_page has it */
#define PAGE_ROW(id, seq) \
	NULL, id, "t", "BLOCKED", "o", "1767323045.6789", NULL, NULL, "{}", seq

static const char *const three[] = {
	PAGE_ROW("a", "33"), PAGE_ROW("b", "22"), PAGE_ROW("c", "11")
};
static const char *const counted[] = {
	ROW("7", "a", "33"), ROW("7", "b", "22"), ROW("7", "c", "11")
};
static const char *const none[] = {
	"0", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	NULL, NULL
};

static const struct {
	const char		*name;
	const char		*query;
	const char *const	*rows;
	int			 n;
	const char		*has[4];
	const char		*hasnt[3];
} pages[] = {
	{ "all on one page", "", three, 3,
	  { SELF("pageSize=5&currentPage=1"), "\"id\":\"c\"",
	    "\"creationTime\":\"2026-01-02T03:04:05.678+00:00\"",
	    "\"statistics\":{\"currentPage\":1,\"pageSize\":5}}" },
	  { "\"prev\"", "\"next\"", "total" } },
	{ "one row more than the page", "pageSize=2", three, 3,
	  { SELF("pageSize=2&currentPage=1"), "\"id\":\"b\"",
	    NEXT("pageSize=2&currentPage=2&before=22"),
	    "\"pageSize\":2}}" },
	  { "\"prev\"", "\"id\":\"c\"" } },
	{ "just the page", "pageSize=3&currentPage=2", three, 3,
	  { PREV("pageSize=3&currentPage=1"), "\"id\":\"c\"" },
	  { "\"next\"" } },
	{ "the page before a newer one", "pageSize=3&currentPage=4&before=44",
	  three, 3, { SELF("pageSize=3&currentPage=4&before=44"),
	    PREV("pageSize=3&currentPage=3&after=33") }, { "\"next\"" } },
	{ "a page backwards", "pageSize=3&currentPage=2&after=9", three, 3,
	  { SELF("pageSize=3&currentPage=2&after=9"),
	    PREV("pageSize=3&currentPage=1"),
	    NEXT("pageSize=3&currentPage=3&before=11") }, { NULL } },
	{ "what is between two", "pageSize=3&before=44&after=9", three, 3,
	  { SELF("pageSize=3&currentPage=1&before=44&after=9") }, { NULL } },
	{ "totals", "pageSize=3&withTotalPages=true&withTotalElements=true",
	  counted, 3,
	  { "\"totalPages\":3,\"totalElements\":7}}",
	    "&withTotalPages=true&withTotalElements=true\"" }, { NULL } },
	{ "an empty page", "withTotalPages=true", none, 1,
	  { "\"newDeviceRequests\":[]", "\"totalPages\":0}}" },
	  { "\"id\"", "\"next\"" } },
	{ "the last number that a page can have",
	  "pageSize=2&currentPage=4611686018427387", three, 3,
	  { NEXT("pageSize=2&currentPage=4611686018427387&before=22") },
	  { NULL } },
	{ "a hostile prefix", "status=BLOCKED&q=%22%7D%26a=%C3%A9", three, 3,
	  { SELF("pageSize=5&currentPage=1&status=BLOCKED&q="
	    "%22%7D%26a%3D%C3%A9") }, { NULL } },
	{ "an empty page far behind",
	  "pageSize=2000&currentPage=4611686018427387", NULL, 0,
	  { PREV("pageSize=2000&currentPage=4611686018427386"),
	    "\"newDeviceRequests\":[]" },
	  { "\"next\"" } },
};

/* Long lists are not counted again for a while; short ones are. */
static void
test_totals(void)
{
	static const char *const few[] = { ROW("10000", "a", "1") };
	static const char *const many[] = { ROW("10001", "a", "1") };
	static const char *const later[] = { ROW("20000", "a", "1") };
	static const struct {
		const char		*query;
		const char *const	*rows;
		const char		*known;
	} steps[] = {
		{ "withTotalPages=true", few, NULL },
		{ "withTotalPages=true", many, NULL },
		{ "withTotalElements=true&pageSize=7", later, "10001" },
		{ "withTotalPages=true", few, "10001" },
		{ "withTotalPages=true&status=BLOCKED", later, NULL },
		{ "withTotalPages=true&q=a", many, NULL },
		{ "withTotalPages=true&status=BLOCKED", few, "20000" },
		{ "pageSize=1", NULL, NULL },
	};
	struct db_rows rows;
	struct asked a;
	size_t i;

	for (i = 0; i < COUNT(steps); i++) {
		IS_INT(list(&a, steps[i].query), NEED_CALL, "total %zu", i);
		if (steps[i].rows == NULL) {
			IS_INT(a.x->call.nvalues, 7, "is not asked for");
		} else {
			IS_STR(call_value(a.x, 8), steps[i].known,
			    "is known already, or not");
			rows_of(&rows, 1, 14, steps[i].rows);
			IS_INT(newdevice_list.render(a.x, &rows, 0),
			    NEED_NOTHING, "and told");
			db_rows_free(&rows);
		}
		asked_free(&a);
	}
}

static void
test_pages(void)
{
	struct db_rows rows;
	struct asked a;
	struct repr *obj;
	const char *why;
	const char *body;
	size_t i;
	size_t k;

	for (i = 0; i < COUNT(pages); i++) {
		IS_INT(list(&a, pages[i].query), NEED_CALL, "a page: %s",
		    pages[i].name);
		rows_of(&rows, pages[i].n,
		    a.x->call.id == STORE_NEWDEVICE_PAGE ? 10 : 14,
		    pages[i].rows);
		IS_INT(newdevice_list.render(a.x, &rows,
		    pages[i].n > 0 ? 0 : -1), NEED_NOTHING, "is written");
		IS_INT(a.x->reply.status, 200, "well");
		body = buf_text(&a.x->reply.body);
		for (k = 0; k < 4 && pages[i].has[k] != NULL; k++)
			HAS(body, pages[i].has[k], "and has this");
		for (k = 0; k < 3 && pages[i].hasnt[k] != NULL; k++)
			OK(strstr(body, pages[i].hasnt[k]) == NULL,
			    "but not %s", pages[i].hasnt[k]);
		obj = repr_parse(body, a.x->reply.body.len, &why);
		OK(obj != NULL, "and is JSON");
		repr_free(obj);
		db_rows_free(&rows);
		asked_free(&a);
	}
}

int
main(void)
{
	test_queries();
	test_pages();
	test_totals();
	return tap_done();
}
