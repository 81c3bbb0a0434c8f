#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "total.h"

#define KEY_SIZE	256	/* bytes; what needs more is counted */
#define TOTALS		32	/* kept; the oldest goes */

static struct total {
	char	key[KEY_SIZE];
	long	total;
	int64_t	until;		/* clock_ms() */
} totals[TOTALS];

/* What tells lists from each other; false if there is no room for it. */
static bool
make_key(char *key, const char *path, const char *scope,
    const struct page *page)
{
	int len = snprintf(key, KEY_SIZE, "%s %s %s %s", path, scope,
	    buf_text(&page->status), buf_text(&page->prefix));

	return len > 0 && len < KEY_SIZE;
}

/* The place of a key; else, the one that is to be given up. */
static struct total *
find(const char *key)
{
	struct total *oldest = totals;
	struct total *t;

	for (t = totals; t < totals + TOTALS; t++) {
		if (strcmp(t->key, key) == 0)
			return t;
		if (t->until < oldest->until)
			oldest = t;
	}
	return oldest;
}

long
total_find(const char *path, const char *scope, const struct page *page)
{
	char key[KEY_SIZE];
	const struct total *t;

	if (!make_key(key, path, scope, page))
		return 0;
	t = find(key);
	return strcmp(t->key, key) == 0 && t->until > clock_ms() ? t->total :
	    0;
}

void
total_keep(const char *path, const char *scope, const struct page *page,
    long total)
{
	char key[KEY_SIZE];
	struct total *t;

	if (total <= TOTAL_EXACT || !make_key(key, path, scope, page))
		return;
	t = find(key);
	if (strcmp(t->key, key) == 0 && t->until > clock_ms())
		return;
	memcpy(t->key, key, sizeof(t->key));
	t->total = total;
	t->until = clock_ms() + TOTAL_AGE;
}
