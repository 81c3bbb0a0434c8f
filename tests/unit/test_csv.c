#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fixture.h"
#include "tap.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char	*name;
	const char	*line;
	size_t		 len;
	const char	*fields;	/* each after '|'; NULL: bad */
} lines[] = {
	{ "an empty line", BYTES(""), "|" },
	{ "one field", BYTES("a b"), "|a b" },
	{ "two fields", BYTES("61,id"), "|61|id" },
	{ "empty fields", BYTES(",,"), "|||" },
	{ "quotes", BYTES("\"a\",\"b\""), "|a|b" },
	{ "a separator in quotes", BYTES("\"a,b\",c"), "|a,b|c" },
	{ "a quote in quotes", BYTES("\"a\"\"b\""), "|a\"b" },
	{ "nothing but a quote in quotes", BYTES("\"\"\"\""), "|\"" },
	{ "empty quotes", BYTES("\"\",\"\""), "||" },
	{ "a line's end in quotes", BYTES("\"a\r\nb\""), "|a\r\nb" },
	{ "spaces, which are kept", BYTES(" a , b "), "| a | b " },
	{ "bytes beyond ASCII", BYTES("\xc3\xa9,\xff"), "|\xc3\xa9|\xff" },
	{ "quotes that do not end", BYTES("\"a"), NULL },
	{ "a quote alone", BYTES("\""), NULL },
	{ "quotes that end in a pair", BYTES("\"a\"\""), NULL },
	{ "text behind quotes", BYTES("\"a\"b"), NULL },
	{ "a space behind quotes", BYTES("\"a\" ,b"), NULL },
	{ "a quote within", BYTES("a\"b"), NULL },
	{ "a quote behind a space", BYTES(" \"a\""), NULL },
	{ "a line's end", BYTES("a\nb"), NULL },
	{ "a return", BYTES("a\r"), NULL },
	{ "a line's end behind quotes", BYTES("\"a\"\n"), NULL },
	{ "NUL", BYTES("a\0b"), NULL },
	{ "NUL in quotes", BYTES("\"a\0b\""), NULL },
	{ "NUL behind quotes", BYTES("\"a\"\0"), NULL },
};

static void
test_lines(void)
{
	enum csv_end how;
	struct buf field;
	struct buf all;
	const char *p;
	size_t i;
	char *s;

	buf_init(&field, 0);
	buf_init(&all, 0);
	for (i = 0; i < COUNT(lines); i++) {
		p = s = exact(lines[i].line, lines[i].len);
		buf_reset(&all);
		do {
			buf_reset(&field);
			how = csv_field(&p, s + lines[i].len, ',', &field);
			buf_printf(&all, "|%s", buf_text(&field));
		} while (how == CSV_MORE);
		IS_INT(how, lines[i].fields == NULL ? CSV_BAD : CSV_LAST,
		    "a line with %s", lines[i].name);
		if (lines[i].fields != NULL)
			IS_STR(buf_text(&all), lines[i].fields, "its fields");
		free(s);
	}
	buf_free(&field);
	buf_free(&all);
}

static const struct {
	const char	*text;
	const char	*field;
} quotes[] = {
	{ "", "" }, { "a b", "a b" }, { ",", "\",\"" }, { ";", ";" },
	{ "\"", "\"\"\"\"" }, { "a\"b", "\"a\"\"b\"" }, { "\n", "\"\n\"" },
	{ "\r", "\"\r\"" }, { "a,\"b\"", "\"a,\"\"b\"\"\"" },
};

static void
test_quotes(void)
{
	struct buf out;
	struct buf back;
	const char *p;
	size_t i;

	buf_init(&out, 0);
	buf_init(&back, 0);
	for (i = 0; i < COUNT(quotes); i++) {
		buf_reset(&out);
		buf_reset(&back);
		csv_quote(&out, quotes[i].text, ',');
		IS_STR(buf_text(&out), quotes[i].field, "a field of \"%s\"",
		    quotes[i].text);
		p = buf_text(&out);
		IS_INT(csv_field(&p, p + out.len, ',', &back), CSV_LAST,
		    "can be read again");
		IS_STR(buf_text(&back), quotes[i].text, "as what it was");
	}
	buf_reset(&out);
	csv_quote(&out, "a;b,c", ';');
	IS_STR(buf_text(&out), "\"a;b,c\"", "the separator may be another");
	p = "a,b;c";
	buf_reset(&back);
	IS_INT(csv_field(&p, p + 5, ';', &back), CSV_MORE, "also to read");
	IS_STR(buf_text(&back), "a,b", "when a comma is text");
	IS_STR(p, "c", "and what follows is where it stands");
	buf_free(&out);
	buf_free(&back);
}

int
main(void)
{
	test_lines();
	test_quotes();
	return tap_done();
}
