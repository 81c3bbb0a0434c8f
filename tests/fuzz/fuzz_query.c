/* Queries and forms. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "request.h"
#include "text.h"

/* A form with the same field, encoded as we do. */
static void
try_again(const char *before, const char *name, const struct buf *value)
{
	struct buf form;
	struct buf back;

	buf_init(&form, 0);
	buf_init(&back, 0);
	buf_printf(&form, "%s&%s=", before, name);
	percent_encode(&form, buf_text(value));
	buf_printf(&form, "&%s=another&%s", name, name);
	HOLDS(request_form(buf_text(&form), name, &back) == QUERY_FOUND);
	HOLDS(back.len == value->len);
	HOLDS(strcmp(buf_text(&back), buf_text(value)) == 0);
	buf_free(&form);
	buf_free(&back);
}

static void
try_name(const char *form, const char *name)
{
	enum query_found found;
	struct buf value;

	buf_init(&value, 0);
	buf_puts(&value, "left over");
	found = request_form(form, name, &value);
	switch (found) {
	case QUERY_FOUND:
		HOLDS(utf8_valid(buf_text(&value), value.len, NULL));
		HOLDS(strlen(buf_text(&value)) == value.len);
		HOLDS(strstr(form, name) != NULL);
		try_again("", name, &value);
		/* the first one counts */
		try_again(form, name, &value);
		break;
	case QUERY_ABSENT:
		HOLDS(value.len == 0);
		buf_puts(&value, "a value & more");
		try_again(form, name, &value);
		break;
	case QUERY_BAD:
		HOLDS(strstr(form, name) != NULL);
		HOLDS(strpbrk(form, "%") != NULL ||
		    !utf8_valid(form, strlen(form), NULL));
		break;
	}
	buf_free(&value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "q", "status", "username",
		"pageSize" };
	char *form = fuzz_text(data, size);
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		try_name(form, names[i]);
	free(form);
	return 0;
}
