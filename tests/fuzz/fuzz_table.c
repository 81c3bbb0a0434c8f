/* What strangers wrote, on its way to a terminal. */
#include <stdlib.h>
#include <string.h>

#include "../../ctl/table.h"
#include "fuzz.h"
#include "text.h"

/* Whether a terminal takes it as characters: C0, DEL and C1 it would obey. */
static bool
is_harmless(const char *text, bool lines)
{
	static const char *const turns[] = { "\u202a", "\u202b", "\u202c",
		"\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069" };
	const unsigned char *p = (const unsigned char *)text;
	size_t i;

	for (; *p != '\0'; p++)
		if ((*p < 0x20 && !(lines && (*p == '\n' || *p == '\t'))) ||
		    *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return false;
	/* nor letters that run backwards */
	for (i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		if (strstr(text, turns[i]) != NULL)
			return false;
	return true;
}

static void
try_clean(const char *text, bool lines)
{
	struct buf clean;
	struct buf again;

	buf_init(&clean, 0);
	buf_init(&again, 0);
	table_clean(&clean, text, lines);
	HOLDS(is_harmless(buf_text(&clean), lines));
	HOLDS(utf8_valid(buf_text(&clean), clean.len, NULL));
	HOLDS(clean.len <= strlen(text));
	table_clean(&again, buf_text(&clean), lines);
	HOLDS(strcmp(buf_text(&clean), buf_text(&again)) == 0);
	if (utf8_valid(text, strlen(text), NULL) && is_harmless(text, lines))
		HOLDS(strcmp(buf_text(&clean), text) == 0);
	buf_free(&clean);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_clean(text, false);
	try_clean(text, true);
	free(text);
	return 0;
}
