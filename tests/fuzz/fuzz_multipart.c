/* Forms with a file in pieces: a line with the Content-Type, then the body. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "multipart.h"

/* Read a form; how it ended, and what the file was. */
static enum multipart_state
read_form(const char *type, const char *body, size_t size, size_t piece,
    struct buf *got)
{
	enum multipart_state state = MULTIPART_BETWEEN;
	const char *start = body;
	size_t left = size;
	struct multipart mp;
	const char *data;
	size_t len;
	size_t n;

	HOLDS(multipart_init(&mp, type) == 0);
	for (; left > 0; body += n, left -= n) {
		n = left < piece ? left : piece;
		multipart_add(&mp, body, n);
		while ((state = multipart_next(&mp, &data, &len)) ==
		    MULTIPART_FILE) {
			HOLDS(len > 0 && mp.found);
			buf_add(got, data, len);
		}
	}
	HOLDS(got->len == 0 || mp.found);
	/* the end is the boundary between two pairs of hyphens */
	buf_puts(&mp.delimiter, "--");
	HOLDS(state != MULTIPART_END || memmem(start, size,
	    mp.delimiter.data + 2, mp.delimiter.len - 2) != NULL);
	multipart_free(&mp);
	return state;
}

static void
try_pieces(const char *type, const char *body, size_t size)
{
	static const size_t pieces[] = { 1, 2, 3, 10, 60 };
	enum multipart_state state;
	struct buf whole;
	struct buf got;
	size_t i;

	buf_init(&whole, 0);
	buf_init(&got, 0);
	state = read_form(type, body, size, size + 1, &whole);
	HOLDS(whole.len <= size);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		buf_reset(&got);
		HOLDS(read_form(type, body, size, pieces[i], &got) == state);
		HOLDS(got.len == whole.len);
		HOLDS(strcmp(buf_text(&got), buf_text(&whole)) == 0 ||
		    memcmp(got.data, whole.data, got.len) == 0);
	}
	buf_free(&whole);
	buf_free(&got);
}

/* The bytes as a file in a form that is as it should be. */
static void
try_file(const char *body, size_t size)
{
	struct buf form;
	struct buf got;

	if (memmem(body, size, "\r\n--B", 5) != NULL)
		return;
	buf_init(&form, 0);
	buf_init(&got, 0);
	buf_puts(&form, "preamble\r\n--B\r\nContent-Disposition: form-data; "
	    "name=\"x\"\r\n\r\nno\r\n--B \t\r\nX: y\r\nCONTENT-DISPOSITION: "
	    "form-data; filename=\"name=x\"; name=\"file\"\r\n\r\n");
	buf_add(&form, body, size);
	buf_puts(&form, "\r\n--B--\r\nepilogue");
	HOLDS(read_form("multipart/form-data; boundary=B", form.data, form.len,
	    size % 7 + 1, &got) == MULTIPART_END);
	HOLDS(got.len == size && (size == 0 ||
	    memcmp(got.data, body, size) == 0));
	buf_free(&form);
	buf_free(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *type = fuzz_line(&data, &size);
	struct multipart mp;
	int rc = multipart_init(&mp, type);

	HOLDS((rc == 0) == (mp.delimiter.len > 4));
	HOLDS(mp.delimiter.len <= 4 + 70);
	multipart_free(&mp);
	if (rc == 0)
		try_pieces(type, (const char *)data, size);
	try_pieces("multipart/form-data;boundary=B", (const char *)data, size);
	try_file((const char *)data, size);
	free(type);
	return 0;
}
