/* What is quoted or encoded comes back as what it was. */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "db.h"
#include "fuzz.h"
#include "repr.h"
#include "text.h"

static void
try_csv(const char *text)
{
	static const char separators[] = ",;\t";
	const char *s;
	const char *p;
	struct buf line;
	struct buf back;

	buf_init(&line, 0);
	buf_init(&back, 0);
	for (s = separators; *s != '\0'; s++) {
		buf_reset(&line);
		buf_reset(&back);
		csv_quote(&line, text, *s);
		buf_putc(&line, *s);
		p = buf_text(&line);
		HOLDS(csv_field(&p, p + line.len, *s, &back) == CSV_MORE);
		HOLDS(strcmp(buf_text(&back), text) == 0);
		HOLDS(p == buf_text(&line) + line.len);
	}
	buf_free(&line);
	buf_free(&back);
}

static void
try_json(const char *text)
{
	const char *value;
	struct repr *obj;
	struct buf json;

	buf_init(&json, 0);
	buf_puts(&json, "{\"a\":");
	json_quote(&json, text);
	buf_putc(&json, '}');
	obj = repr_parse(buf_text(&json), json.len, &value);
	HOLDS((obj != NULL) == utf8_valid(text, strlen(text), NULL));
	if (obj != NULL) {
		HOLDS(repr_string(obj, "a", &value) == REPR_FOUND);
		HOLDS(strcmp(value, text) == 0);
		repr_free(obj);
	}
	buf_free(&json);
}

static void
try_percent(const char *text)
{
	struct buf code;
	struct buf back;
	bool plus = false;

	buf_init(&code, 0);
	buf_init(&back, 0);
	percent_encode(&code, text);
	/* no plus is left that could be one or the other */
	do {
		buf_reset(&back);
		HOLDS(percent_decode(&back, buf_text(&code), code.len,
		    plus) == 0);
		HOLDS(strcmp(buf_text(&back), text) == 0);
		plus = !plus;
	} while (plus);
	/* what anybody has encoded means the same when we encode it */
	buf_reset(&code);
	if (percent_decode(&code, text, strlen(text), true) == 0) {
		buf_reset(&back);
		percent_encode(&back, buf_text(&code));
		buf_putc(&back, '&');
		HOLDS(strlen(buf_text(&code)) == code.len);
		HOLDS(strcspn(buf_text(&back), "\"\\ /?#=+") == back.len);
	}
	buf_free(&code);
	buf_free(&back);
}

static void
try_base64(const char *data, size_t size)
{
	struct buf code;
	struct buf back;

	buf_init(&code, 0);
	buf_init(&back, 0);
	base64_encode(&code, data, size);
	HOLDS(code.len == (size + 2) / 3 * 4);
	HOLDS(base64_decode(&back, buf_text(&code), code.len) == 0);
	HOLDS(back.len == size);
	HOLDS(size == 0 || memcmp(back.data, data, size) == 0);
	/* what is taken has one form, but for what pads it */
	buf_reset(&back);
	if (base64_decode(&back, data, size) == 0) {
		buf_reset(&code);
		base64_encode(&code, buf_text(&back), back.len);
		HOLDS(code.len >= size);
		HOLDS(size == 0 || memcmp(code.data, data, size) == 0);
		HOLDS(strspn(buf_text(&code) + size, "=") == code.len - size);
	}
	buf_free(&code);
	buf_free(&back);
}

/* An array, as PostgreSQL's array_in() reads one of texts in quotes. */
static void
try_array(const char *text)
{
	const char *p;
	struct buf array;
	struct buf back;

	buf_init(&array, 0);
	buf_init(&back, 0);
	buf_putc(&array, '{');
	db_array_add(&array, NULL);
	db_array_add(&array, text);
	buf_putc(&array, '}');
	p = buf_text(&array);
	HOLDS(strncmp(p, "{NULL,\"", 7) == 0);
	for (p += 7; *p != '"' && *p != '\0'; p++) {
		p += *p == '\\';
		buf_putc(&back, *p);
	}
	HOLDS(strcmp(p, "\"}") == 0);
	HOLDS(strcmp(buf_text(&back), text) == 0);
	buf_free(&array);
	buf_free(&back);
}

/* A column, as COPY reads its text form. */
static void
try_copy(const char *text)
{
	static const char letters[] = "tnr\\";
	static const char meant[] = "\t\n\r\\";
	const char *p;
	struct buf row;
	struct buf back;

	buf_init(&row, 0);
	buf_init(&back, 0);
	db_copy_add(&row, text, '\t');
	db_copy_add(&row, NULL, '\n');
	for (p = buf_text(&row); *p != '\t' && *p != '\0'; p++) {
		HOLDS(*p != '\n' && *p != '\r');
		if (*p != '\\') {
			buf_putc(&back, *p);
			continue;
		}
		p++;
		HOLDS(*p != '\0' && strchr(letters, *p) != NULL);
		buf_putc(&back, meant[strchr(letters, *p) - letters]);
	}
	HOLDS(strcmp(p, "\t\\N\n") == 0);
	HOLDS(strcmp(buf_text(&back), text) == 0);
	buf_free(&row);
	buf_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_csv(text);
	try_json(text);
	try_percent(text);
	try_base64((const char *)data, size);
	try_array(text);
	try_copy(text);
	free(text);
	return 0;
}
