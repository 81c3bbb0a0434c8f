#include <string.h>

#include "db.h"
#include "model.h"
#include "role.h"
#include "text.h"

/* Short words for the roles that people and bootstrap users can have. */
static const struct {
	const char	*word;
	unsigned int	 bit;
} words_of[] = {
	{ "ADMIN",	ROLE_DEVICE_CONTROL_ADMIN },
	{ "READ",	ROLE_DEVICE_CONTROL_READ },
	{ "BOOTSTRAP",	ROLE_DEVICE_BOOTSTRAP },
	{ "USERS",	ROLE_USER_MANAGEMENT_ADMIN },
};

#define NWORDS	(sizeof(words_of) / sizeof(words_of[0]))

unsigned int
role_bits_of(const struct ctl *ctl, const char *words)
{
	unsigned int bits = 0;
	size_t len;
	size_t i;

	for (;;) {
		words += strspn(words, " ");
		if ((len = strcspn(words, " ")) == 0)
			break;
		for (i = 0; i < NWORDS; i++)
			if (str_is(words, len, words_of[i].word) ||
			    str_is(words, len, role_name(words_of[i].bit)))
				break;
		if (i == NWORDS) {
			ctl_usage(ctl, "a role is ADMIN, READ, BOOTSTRAP or "
			    "USERS, or its full name, not %.*s", (int)len,
			    words);
			return 0;
		}
		bits |= words_of[i].bit;
		words += len;
	}
	if (bits == 0)
		ctl_usage(ctl, "a user needs a --role");
	return bits;
}

void
role_array(struct buf *array, unsigned int bits)
{
	size_t i;

	buf_putc(array, '{');
	for (i = 0; i < NWORDS; i++)
		if ((bits & words_of[i].bit) != 0)
			db_array_add(array, role_name(words_of[i].bit));
	buf_putc(array, '}');
}

void
role_words(struct buf *words, unsigned int bits)
{
	size_t i;

	for (i = 0; i < NWORDS; i++)
		if ((bits & words_of[i].bit) != 0)
			buf_printf(words, "%s%s", words->len > 0 ? " " : "",
			    words_of[i].word);
}
