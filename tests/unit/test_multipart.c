#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "multipart.h"
#include "tap.h"

#define TYPE	"multipart/form-data; boundary=xyz"
#define FILE_HEAD "Content-Disposition: form-data; name=\"file\"\r\n\r\n"

static const struct {
	const char	*type;
	bool		 good;
} types[] = {
	{ "multipart/form-data; boundary=xyz", true },
	{ "Multipart/Form-Data;BOUNDARY=xyz", true },
	{ "multipart/form-data; charset=utf-8; boundary=\"xyz\"", true },
	{ "multipart/form-data; boundary=\"x\\yz\"", true },
	{ "multipart/form-data", false },
	{ "multipart/form-data; boundary=", false },
	{ "multipart/form-data; boundary", false },
	{ "multipart/form-data; bound=xyz", false },
	{ "multipart/form-data; boundary=0123456789012345678901234567890123456"
	    "7890123456789012345678901234567890x", false },
	{ "multipart/mixed; boundary=xyz", false },
	{ "text/csv", false },
	{ "", false },
	{ NULL, false },
};

/* What is read of the file, "|", and how it ends. */
static const struct {
	const char	*name;
	const char	*form;
	const char	*got;
} forms[] = {
	{ "a file", "--xyz\r\n" FILE_HEAD "a;b\r\nc\r\n--xyz--\r\n",
	    "a;b\r\nc|end" },
	{ "an empty file", "--xyz\r\n" FILE_HEAD "\r\n--xyz--", "|end" },
	{ "text before and after", "hello\r\n--xyz\r\n" FILE_HEAD
	    "a\r\n--xyz--\r\nbye--xyz\r\n", "a|end" },
	{ "white space behind the boundary", "--xyz \t\r\n" FILE_HEAD
	    "a\r\n--xyz--", "a|end" },
	{ "another part before", "--xyz\r\nContent-Disposition: form-data; "
	    "name=other\r\n\r\nx\r\n--xyz\r\n" FILE_HEAD "a\r\n--xyz--",
	    "a|end" },
	{ "another part behind", "--xyz\r\n" FILE_HEAD "a\r\n--xyz\r\n"
	    "Content-Disposition: form-data; name=b\r\n\r\nx\r\n--xyz--",
	    "a|end" },
	{ "two files, of which the first counts", "--xyz\r\n" FILE_HEAD
	    "a\r\n--xyz\r\n" FILE_HEAD "b\r\n--xyz--", "a|end" },
	{ "a part without a head", "--xyz\r\n\r\nx\r\n--xyz\r\n" FILE_HEAD
	    "a\r\n--xyz--", "a|end" },
	{ "further headers", "--xyz\r\nA: b\r\nCONTENT-disposition:form-data"
	    ";filename=\"x;y.csv\";name=file\r\nB: c\r\n\r\na\r\n--xyz--",
	    "a|end" },
	{ "a name in another's value", "--xyz\r\nContent-Disposition: "
	    "form-data; x=\"; name=file\"\r\n\r\na\r\n--xyz--", "|end" },
	{ "nearly the boundary", "--xyz\r\n" FILE_HEAD "\r\n--xy\r\r\n-"
	    "\r\n--xyz--", "\r\n--xy\r\r\n-|end" },
	{ "no file", "--xyz--\r\n", "|end" },
	{ "nothing", "", "|" },
	{ "a form that is cut", "--xyz\r\n" FILE_HEAD "abcdefghij",
	    "abcd|" },
	{ "a boundary that goes on", "--xyz\r\n" FILE_HEAD "a\r\n--xyzz\r\n",
	    "a|bad" },
	{ "a line without CR", "--xyz\n" FILE_HEAD "a\r\n--xyz--", "|bad" },
};

static void
test_types(void)
{
	struct multipart mp;
	size_t i;

	for (i = 0; i < COUNT(types); i++) {
		IS_INT(multipart_init(&mp, types[i].type),
		    types[i].good ? 0 : -1, "type: %s",
		    types[i].type != NULL ? types[i].type : "none");
		if (types[i].good)
			IS_STR(buf_text(&mp.delimiter), "\r\n--xyz",
			    "its boundary");
		multipart_free(&mp);
	}
}

/* Read a form in pieces of this size. */
static void
read_form(const char *form, size_t piece, struct buf *got)
{
	enum multipart_state state = MULTIPART_BETWEEN;
	size_t left = strlen(form);
	struct multipart mp;
	const char *data;
	size_t len;
	size_t n;
	char *copy;

	if (multipart_init(&mp, TYPE) == -1)
		abort();
	for (; left > 0; form += n, left -= n) {
		n = left < piece ? left : piece;
		copy = exact(form, n);
		multipart_add(&mp, copy, n);
		free(copy);
		while ((state = multipart_next(&mp, &data, &len)) ==
		    MULTIPART_FILE)
			buf_add(got, data, len);
	}
	buf_puts(got, state == MULTIPART_END ? "|end" :
	    state == MULTIPART_BAD ? "|bad" : "|");
	multipart_free(&mp);
}

static void
test_forms(void)
{
	struct buf got;
	size_t piece;
	size_t wrong;
	size_t i;

	buf_init(&got, 0);
	for (i = 0; i < COUNT(forms); i++) {
		wrong = 0;
		for (piece = 1; piece <= strlen(forms[i].form) + 1; piece++) {
			buf_reset(&got);
			read_form(forms[i].form, piece, &got);
			wrong += strcmp(buf_text(&got), forms[i].got) != 0;
		}
		IS_INT((long long)wrong, 0, "%s, in any pieces",
		    forms[i].name);
	}
	buf_free(&got);
}

/* A head without end is given up, not kept. */
static void
test_bound(void)
{
	struct multipart mp;
	char room[4096];
	const char *data;
	size_t len;
	int i;

	if (multipart_init(&mp, TYPE) == -1)
		abort();
	memset(room, 'x', sizeof(room));
	multipart_add(&mp, "--xyz\r\n", 7);
	for (i = 0; i < 10 && multipart_next(&mp, &data, &len) ==
	    MULTIPART_BETWEEN; i++)
		multipart_add(&mp, room, sizeof(room));
	IS_INT(multipart_next(&mp, &data, &len), MULTIPART_BAD,
	    "a head without end is bad");
	OK(mp.held.len <= MULTIPART_HEAD_MAX + 2 * sizeof(room),
	    "and little is held of it");
	multipart_free(&mp);
}

int
main(void)
{
	test_types();
	test_forms();
	test_bound();
	return tap_done();
}
