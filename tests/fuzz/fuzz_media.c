/* Content-Type and Accept. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "media.h"

/* The same with all letters the other way round. */
static char *
other_case(const char *text)
{
	char *other = strdup(text);
	char *p;

	if (other == NULL)
		exit(1);
	for (p = other; *p != '\0'; p++)
		if (isascii((unsigned char)*p) && isalpha((unsigned char)*p))
			*p ^= 0x20;
	return other;
}

static void
try_type(const char *text, const char *other, enum media media)
{
	bool is = media_is(text, media);
	struct buf more;

	HOLDS(is == media_is(other, media));
	buf_init(&more, 0);
	buf_printf(&more, " \t%s ; charset=x, y", text);
	HOLDS(is == media_is(buf_text(&more), media));
	buf_free(&more);
}

static void
try_accept(const char *text, const char *other, enum media media)
{
	bool empty = text[strspn(text, " \t")] == '\0';
	bool accepted = media_accepted(text, media);
	struct buf more;

	HOLDS(accepted == media_accepted(other, media));
	HOLDS(!empty || accepted);
	buf_init(&more, 0);
	/* what is not ours changes nothing */
	buf_printf(&more, "x/y;q=1,%s,\ttext/*", text);
	if (!empty)
		HOLDS(accepted == media_accepted(buf_text(&more), media));
	/* the type by name stands above all ranges; the last one counts */
	if (media != MEDIA_NONE) {
		buf_reset(&more);
		buf_printf(&more, "%s, %s", text, media_name(media));
		HOLDS(media_accepted(buf_text(&more), media));
		buf_puts(&more, ";q=0");
		HOLDS(!media_accepted(buf_text(&more), media));
	}
	buf_free(&more);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char *other = other_case(text);
	enum media media;

	for (media = MEDIA_NONE; media <= MEDIA_FORM; media++) {
		try_type(text, other, media);
		try_accept(text, other, media);
	}
	free(text);
	free(other);
	return 0;
}
