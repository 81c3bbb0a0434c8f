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

/* Records as "line:text|", '!' for one that is too long. */
static const struct {
	const char	*name;
	const char	*bytes;
	const char	*records;
} files[] = {
	{ "nothing", "", "" },
	{ "a line", "a\n", "1:a|" },
	{ "a line without an end", "a", "1:a|" },
	{ "lines", "a\nb\n", "1:a|2:b|" },
	{ "CR LF", "a\r\nb\r\n", "1:a|2:b|" },
	{ "CR", "a\rb\r", "1:a|2:b|" },
	{ "all of them", "a\rb\nc\r\nd", "1:a|2:b|3:c|4:d|" },
	{ "empty lines", "\n\na\n\n", "1:|2:|3:a|4:|" },
	{ "empty lines of CR LF", "\r\n\r\na", "1:|2:|3:a|" },
	{ "quotes", "\"a\nb\";c\nd", "1:\"a\nb\";c|3:d|" },
	{ "CR LF in quotes", "\"a\r\nb\"\r\nd", "1:\"a\r\nb\"|3:d|" },
	{ "quotes in quotes", "\"a\"\"\nb\"\nd", "1:\"a\"\"\nb\"|3:d|" },
	{ "quotes in a second field", "x;\"a\nb\"\nd", "1:x;\"a\nb\"|3:d|" },
	{ "a quote within a field", "x\"a\nb", "1:x\"a|2:b|" },
	{ "quotes that do not end", "\"a\nb", "1:\"a\nb|" },
};

static void
take(struct csv_file *file, enum csv_got got, struct buf *all)
{
	if (got == CSV_LONG)
		buf_printf(all, "%ld!|", file->line);
	else if (got == CSV_RECORD)
		buf_printf(all, "%ld:%s|", file->line,
		    buf_text(&file->record));
}

/* Read all of it in pieces of this size, each in a block of its own. */
static void
read_file(const char *bytes, size_t len, size_t piece, struct buf *all)
{
	struct csv_file file;
	enum csv_got got;
	const char *p;
	size_t at;
	size_t n;
	char *copy;

	csv_open(&file);
	for (at = 0; at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		p = copy = exact(bytes + at, n);
		while ((got = csv_read(&file, &p, copy + n)) != CSV_NOTHING)
			take(&file, got, all);
		free(copy);
	}
	take(&file, csv_read_last(&file), all);
	csv_close(&file);
}

static void
test_files(void)
{
	struct buf all;
	size_t piece;
	size_t wrong;
	size_t len;
	size_t i;

	buf_init(&all, 0);
	for (i = 0; i < COUNT(files); i++) {
		len = strlen(files[i].bytes);
		wrong = 0;
		for (piece = 1; piece <= len + 1; piece++) {
			buf_reset(&all);
			read_file(files[i].bytes, len, piece, &all);
			wrong += strcmp(buf_text(&all),
			    files[i].records) != 0;
		}
		IS_INT((long long)wrong, 0, "a file of %s, in any pieces",
		    files[i].name);
	}
	buf_free(&all);
}

/* A record as long as may be, and one byte longer; then another. */
static void
test_long(void)
{
	static const size_t pieces[] = { 1, 1000, 65535, 65536, 1000000 };
	struct buf bytes;
	struct buf all;
	size_t extra;
	size_t i;

	buf_init(&bytes, 0);
	buf_init(&all, 0);
	for (i = 0; i < COUNT(pieces) * 4; i++) {
		extra = i % 2;
		buf_reset(&bytes);
		buf_reset(&all);
		if (i % 4 > 1)		/* quotes that do not end */
			buf_putc(&bytes, '"');
		while (bytes.len < CSV_RECORD_MAX + extra)
			buf_putc(&bytes, 'x');
		buf_puts(&bytes, i % 4 == 2 ? "\"\nlast" : "\nlast");
		read_file(bytes.data, bytes.len, pieces[i / 4], &all);
		OK(strstr(buf_text(&all), "|2:last|") != NULL &&
		    (strncmp(buf_text(&all), "1!|", 3) == 0) ==
		    (extra > 0 || i % 4 == 2),
		    "a record of %zu bytes, in pieces of %zu",
		    CSV_RECORD_MAX + extra, pieces[i / 4]);
	}
	buf_free(&bytes);
	buf_free(&all);
}

static void
test_words(void)
{
	struct buf out;

	OK(csv_separator("a;b,c") == ';' && csv_separator("a,b;c") == ',' &&
	    csv_separator("a\tb") == '\t', "the first separator counts");
	OK(csv_separator("\"a;b\",c") == ',', "unless it is in quotes");
	OK(csv_separator("a") == ',', "a comma, if there is none");
	buf_init(&out, 0);
	csv_windows1252(&out, BYTES("a\x80\x9f\xa0\xe4\xff\x81"));
	IS_STR(buf_text(&out), "a\u20ac\u0178\u00a0\u00e4\u00ff\xc2\x81",
	    "Windows-1252 becomes UTF-8");
	buf_free(&out);
}

int
main(void)
{
	test_lines();
	test_quotes();
	test_files();
	test_long();
	test_words();
	return tap_done();
}
