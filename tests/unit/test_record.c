#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "record.h"
#include "tap.h"

enum { BEGIN = 1, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES };

/* Add a record; its content has this many bytes of padding behind it. */
static void
add(struct buf *b, int type, int id, const void *content, size_t len,
    size_t padding)
{
	const char head[8] = { 1, (char)type, (char)(id >> 8), (char)id,
	    (char)(len >> 8), (char)len, (char)padding, 0 };

	buf_add(b, head, sizeof(head));
	buf_add(b, content, len);
	for (; padding > 0; padding--)
		buf_putc(b, (char)0xff);
}

#define RESPONDER	"\0\1\0\0\0\0\0\0"
#define KEEP		"\0\1\1\0\0\0\0\0"
#define AUTHORIZER	"\0\2\1\0\0\0\0\0"
#define PAIR		"\1\1ab\2\0cd"

static void
add_begin(struct buf *b)
{
	add(b, BEGIN, 1, RESPONDER, 8, 0);
}

/* The bytes of a case, from a short notation: see notation[]. */
static void
build(struct buf *b, const char *how)
{
	char zero[256] = { 0 };

	for (; *how != '\0'; how++)
		switch (*how) {
		case 'b': add_begin(b); break;
		case 'B': add(b, BEGIN, 1, RESPONDER, 8, 7); break;
		case 'k': add(b, BEGIN, 0x1234, KEEP, 8, 3); break;
		case 'p': add(b, PARAMS, 1, PAIR, 8, 0); break;
		case 'q': add(b, PARAMS, 1, PAIR, 8, 255); break;
		case 'e': add(b, PARAMS, 1, "", 0, 0); break;
		case 'f': add(b, PARAMS, 1, "", 0, 8); break;
		case 's': add(b, STDIN, 1, "body", 4, 4); break;
		case 'z': add(b, STDIN, 1, "", 0, 0); break;
		case 'y': add(b, STDIN, 1, "", 0, 7); break;
		case 'P': add(b, PARAMS, 2, PAIR, 8, 0); break;
		case 'S': add(b, STDIN, 2, "body", 4, 0); break;
		case 'a': add(b, ABORT, 1, "", 0, 0); break;
		case 'd': add(b, DATA, 1, "x", 1, 0); break;
		case 'o': add(b, STDOUT, 1, "x", 1, 0); break;
		case 'm': add(b, GET_VALUES, 0, "", 0, 0); break;
		case 'u': add(b, 12, 1, "", 0, 0); break;
		case '0': add(b, BEGIN, 0, RESPONDER, 8, 0); break;
		case 'A': add(b, BEGIN, 1, AUTHORIZER, 8, 0); break;
		case 'R': add(b, BEGIN, 1, "\0\3\0\0\0\0\0\0", 8, 0); break;
		case 'F': add(b, BEGIN, 1, "\1\1\0\0\0\0\0\0", 8, 0); break;
		case '7': add(b, BEGIN, 1, RESPONDER, 7, 0); break;
		case '9': add(b, BEGIN, 1, RESPONDER "\0", 9, 0); break;
		case 'c': add(b, PARAMS, 1, "\5\5ab", 4, 0); break;
		case 'l': add(b, PARAMS, 1, "\1", 1, 0); break;
		case 'L': add(b, PARAMS, 1, "\1\x80\0\0", 4, 0); break;
		case '4': add(b, PARAMS, 1, "\x80\0\0\1\x80\0\0\2xyz", 11, 0);
			break;
		case 'n': add(b, PARAMS, 1, "\0\0", 2, 0); break;
		case 'M': add(b, PARAMS, 1, "\xff\xff\xff\xff\1a", 6, 0); break;
		case 'N': add(b, PARAMS, 1, "\1\xff\xff\xff\xff" "a", 6, 0);
			break;
		case 'O': add(b, PARAMS, 1, "\x80\4\0\1\1", 5, 0); break;
		case 'v': add(b, PARAMS, 1, zero, 256, 0); break;
		default: buf_putc(b, *how); break;	/* as it is */
		}
}

static const struct {
	const char		*name;
	const char		*how;
	enum record_state	 state;
} cases[] = {
	{ "a request without anything", "bez", RECORD_WHOLE },
	{ "a plain request", "bpesz", RECORD_WHOLE },
	{ "one of several records", "bpppesssz", RECORD_WHOLE },
	{ "padding everywhere", "Bqqfsy", RECORD_WHOLE },
	{ "long lengths", "b4ez", RECORD_WHOLE },
	{ "pairs of nothing", "bnvez", RECORD_WHOLE },
	{ "nothing yet", "", RECORD_MORE },
	{ "no end of the variables", "bp", RECORD_MORE },
	{ "no end of the body", "bpes", RECORD_MORE },
	{ "the start alone", "b", RECORD_MORE },
	{ "a pair cut short by the end", "bcez", RECORD_BAD },
	{ "a length cut short by the end", "blez", RECORD_BAD },
	{ "a long length cut short by the end", "bLez", RECORD_BAD },
	{ "a name of 2 GiB", "bM", RECORD_BAD },
	{ "a value of 2 GiB", "bN", RECORD_BAD },
	{ "a name one byte past the bound", "bO", RECORD_BAD },
	{ "no start", "pez", RECORD_BAD },
	{ "two starts", "bbpez", RECORD_BAD },
	{ "a start in the body", "bpeb", RECORD_BAD },
	{ "a body before the variables end", "bps", RECORD_BAD },
	{ "variables after their end", "bpep", RECORD_BAD },
	{ "variables of another request", "bP", RECORD_BAD },
	{ "a body of another request", "beS", RECORD_BAD },
	{ "a request with the id 0", "0", RECORD_BAD },
	{ "an authorizer's request", "Ape", RECORD_WHOLE },
	{ "an authorizer's, with padding", "Aqf", RECORD_WHOLE },
	{ "an authorizer's without the end of its variables", "Ap",
	  RECORD_MORE },
	{ "an authorizer's with a pair cut short", "Ace", RECORD_BAD },
	{ "an authorizer's with a body before the end", "Aps", RECORD_BAD },
	{ "an authorizer's of another id", "AP", RECORD_BAD },
	{ "a filter", "R", RECORD_BAD },
	{ "a role of 257", "F", RECORD_BAD },
	{ "a start that is too short", "7", RECORD_BAD },
	{ "a start that is too long", "9", RECORD_BAD },
	{ "an abort", "ba", RECORD_BAD },
	{ "a filter's data", "bed", RECORD_BAD },
	{ "what only we may send", "beo", RECORD_BAD },
	{ "a question to the manager", "m", RECORD_BAD },
	{ "a question to the manager within", "bm", RECORD_BAD },
	{ "a type that is none", "bu", RECORD_BAD },
	{ "HTTP", "GET / HTTP/1.1", RECORD_BAD },
	{ "another version", "\x02\x01......", RECORD_BAD },
};

/* Feed all of b in pieces of this size, each in a block of its own. */
static enum record_state
feed(struct record_scan *scan, const struct buf *b, size_t piece, size_t *total)
{
	enum record_state state = scan->state;
	size_t used;
	size_t at;
	size_t n;
	void *copy;

	*total = 0;
	for (at = 0; at < b->len && state == RECORD_MORE; at += n) {
		n = b->len - at < piece ? b->len - at : piece;
		copy = exact(b->data + at, n);
		state = feed_on(scan, copy, n, &used);
		free(copy);
		*total += used;
		if (state == RECORD_MORE && used != n)
			*total = SIZE_MAX;
	}
	return state;
}

static void
test_cases(void)
{
	struct record_scan scan;
	struct buf bytes;
	size_t differ;
	size_t piece;
	size_t total;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		buf_init(&bytes, 0);
		build(&bytes, cases[i].how);
		record_init(&scan, NULL, NULL, 0);
		IS_INT(feed(&scan, &bytes, SIZE_MAX, &total), cases[i].state,
		    "%s", cases[i].name);
		if (cases[i].state != RECORD_BAD)
			IS_INT((long long)total, (long long)bytes.len,
			    "and all of it is used");
		differ = 0;
		for (piece = 1; piece < bytes.len; piece++) {
			record_init(&scan, NULL, NULL, 0);
			differ += feed(&scan, &bytes, piece, &total) !=
			    cases[i].state;
		}
		IS_INT((long long)differ, 0, "in pieces of any size too");
		buf_free(&bytes);
	}
}

/* Every place where a request may be cut in two; nothing follows it. */
static void
test_cut(void)
{
	struct record_scan scan;
	struct buf params;
	struct buf body;
	struct buf bytes;
	struct buf head;
	size_t total;
	size_t wrong = 0;
	size_t at;

	buf_init(&bytes, 0);
	build(&bytes, "bqpfssy");
	for (at = 0; at <= bytes.len; at++) {
		buf_init(&params, 0);
		buf_init(&body, 0);
		buf_init(&head, 0);
		buf_add(&head, bytes.data, at);
		record_init(&scan, &params, &body, 100);
		if (feed(&scan, &head, SIZE_MAX, &total) !=
		    (at < bytes.len ? RECORD_MORE : RECORD_WHOLE))
			wrong++;
		buf_reset(&head);
		buf_add(&head, bytes.data + at, bytes.len - at);
		buf_puts(&head, "more");
		if (feed(&scan, &head, SIZE_MAX, &total) != RECORD_WHOLE ||
		    total != (at < bytes.len ? bytes.len - at : 0) ||
		    params.len != 16 || memcmp(params.data, PAIR PAIR, 16) ||
		    strcmp(buf_text(&body), "bodybody") != 0 ||
		    scan.body_len != 8 || !scan.padded)
			wrong++;
		buf_free(&head);
		buf_free(&params);
		buf_free(&body);
	}
	IS_INT((long long)wrong, 0,
	    "a request cut anywhere is whole when the rest has come");
	buf_free(&bytes);
}

/* What libfcgi would stumble over must not be left to it. */
static void
test_padded(void)
{
	static const struct {
		const char	*name;
		const char	*how;
		bool		 padded;
	} requests[] = {
		{ "no padding", "bpesz", false },
		{ "padded variables and body", "bqesy", false },
		{ "a padded start", "Bpesz", true },
		{ "a padded end of the variables", "bpfsz", true },
		{ "both", "Bpfsz", true },
	};
	struct record_scan scan;
	struct buf bytes;
	size_t total;
	size_t i;

	for (i = 0; i < COUNT(requests); i++) {
		buf_init(&bytes, 0);
		build(&bytes, requests[i].how);
		record_init(&scan, NULL, NULL, 0);
		IS_INT(feed(&scan, &bytes, SIZE_MAX, &total), RECORD_WHOLE,
		    "a request with %s", requests[i].name);
		OK(scan.padded == requests[i].padded, "%s be written anew",
		    requests[i].padded ? "has to" : "need not");
		buf_free(&bytes);
	}
}

static void
test_told(void)
{
	struct record_scan scan;
	struct buf bytes;
	size_t used = 99;

	buf_init(&bytes, 0);
	build(&bytes, "k");
	record_init(&scan, NULL, NULL, 0);
	IS_INT(feed_on(&scan, bytes.data, bytes.len, &used), RECORD_MORE,
	    "a start with a large id");
	OK(scan.keep && scan.id == 0x1234, "tells its id, and to stay");
	buf_reset(&bytes);
	build(&bytes, "p");
	IS_INT(feed_on(&scan, bytes.data, bytes.len, &used), RECORD_BAD,
	    "what follows has another id");
	IS_INT(feed_on(&scan, bytes.data, bytes.len, &used), RECORD_BAD,
	    "what is bad stays bad");
	IS_INT((long long)used, 0, "and takes nothing more");
	buf_free(&bytes);
}

static void
test_head(void)
{
	static const char bytes[] = "\1\1\0\1\0\x8\0\0" "\0\1\1\0\0\0\0\0"
	    "\1\4\0\1\0\xc\0\0" "\1\1Ab" "\2\4ABvalu" "\1\4\0\1\0\0\0\0"
	    "\1\5\0\1\0\3\0\0" "abc" "\1\5\0\1\0\0\0\0";
	const size_t head = 8 + 8 + 8 + 12 + 8;
	struct record_scan scan;
	struct buf params;
	struct buf body;
	const char *value;
	size_t used;
	size_t len;

	buf_init(&params, 0);
	buf_init(&body, 0);
	record_init(&scan, &params, &body, 8);
	IS_INT(record_feed(&scan, bytes, sizeof(bytes) - 1, &used),
	    RECORD_HEAD, "the end of the head is told");
	IS_INT((long long)used, (long long)head, "and what it takes");
	IS_INT((long long)body.len, 0, "nothing of the body is taken yet");
	value = record_param(&params, "AB", &len);
	OK(value != NULL && len == 4 && memcmp(value, "valu", 4) == 0,
	    "a variable is found by its whole name");
	value = record_param(&params, "A", &len);
	OK(value != NULL && len == 1 && *value == 'b', "so is a shorter one");
	OK(record_param(&params, "B", &len) == NULL, "another is not there");
	IS_INT(record_feed(&scan, bytes + used, sizeof(bytes) - 1 - used,
	    &used), RECORD_WHOLE, "the rest makes it whole");
	IS_STR(buf_text(&body), "abc", "with its body");
	buf_free(&params);
	buf_free(&body);
}

/* An authorizer's request ends with its head, and is written as a plain one. */
static void
test_authorizer(void)
{
	struct record_scan scan;
	struct buf params;
	struct buf body;
	struct buf bytes;
	struct buf out;
	size_t used;

	buf_init(&bytes, 0);
	buf_init(&params, 0);
	buf_init(&body, 0);
	buf_init(&out, 0);
	build(&bytes, "Apez");
	record_init(&scan, &params, &body, 8);
	IS_INT(record_feed(&scan, bytes.data, bytes.len, &used), RECORD_WHOLE,
	    "an authorizer's request has no body to wait for");
	IS_INT((long long)used, (long long)bytes.len - 8,
	    "an empty STDIN that some send is not part of it");
	OK(scan.authorizer && !scan.keep,
	    "its role is told, and its connection not kept");
	record_write(&scan, &out);
	buf_reset(&bytes);
	build(&bytes, "bpez");
	OK(out.len == bytes.len && memcmp(out.data, bytes.data, out.len) == 0,
	    "written anew it is that of a responder");
	record_init(&scan, NULL, NULL, 0);
	IS_INT(record_feed(&scan, bytes.data, bytes.len, &used), RECORD_WHOLE,
	    "a responder's request");
	OK(!scan.authorizer, "is none of an authorizer");
	buf_free(&out);
	buf_free(&body);
	buf_free(&params);
	buf_free(&bytes);
}

int
main(void)
{
	test_head();
	test_authorizer();
	test_cases();
	test_cut();
	test_padded();
	test_told();
	return tap_done();
}
