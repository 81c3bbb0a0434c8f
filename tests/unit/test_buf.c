#include <string.h>

#include "buf.h"
#include "tap.h"

static void
test_growth(void)
{
	struct buf b;
	size_t i;
	bool same = true;

	buf_init(&b, 0);
	IS_STR(buf_text(&b), "", "a new buffer is an empty text");
	OK(b.data == NULL, "a new buffer has taken no memory");
	buf_puts(&b, "one ");
	buf_putc(&b, '2');
	buf_add(&b, " three", 2);
	buf_printf(&b, "%s=%d", "x", 4);
	IS_STR(buf_text(&b), "one 2 tx=4", "it grows at its end");
	buf_reset(&b);
	buf_add(&b, NULL, 0);
	IS_STR(buf_text(&b), "", "nothing can be added");
	for (i = 0; i < 100000; i++)
		buf_putc(&b, (char)(i % 251));
	for (i = 0; i < 100000; i++)
		same = same && b.data[i] == (char)(i % 251);
	OK(same && b.len == 100000, "100000 bytes survive every move");
	IS_INT(b.data[b.len], 0, "there is a NUL behind them");
	buf_free(&b);
	OK(b.data == NULL && b.len == 0, "freeing leaves nothing");
	buf_free(&b);
	buf_free(NULL);
	buf_puts(&b, "again");
	IS_STR(buf_text(&b), "again", "a freed buffer may be used again");
	buf_free(&b);
}

/* Every way to add, up to the bound and one byte past it. */
static void
test_bound(size_t max)
{
	/* which the compiler is not to know */
	volatile size_t wrapping = (size_t)-1;
	struct buf b;
	char text[600];

	memset(text, 'x', sizeof(text));
	text[max] = '\0';
	buf_init(&b, max);
	buf_puts(&b, text);
	OK(buf_ok(&b) && b.len == max, "%zu bytes fit into %zu", max, max);
	buf_add(&b, "", 0);
	OK(buf_ok(&b), "and nothing more");
	buf_putc(&b, 'y');
	OK(!buf_ok(&b), "but not one byte more");
	IS_STR(buf_text(&b), text, "what was there is still there");
	buf_reset(&b);
	OK(buf_ok(&b) && b.len == 0, "emptied, it is whole again");
	buf_printf(&b, "%s", text);
	OK(buf_ok(&b) && b.len == max, "formatted text fills it");
	buf_printf(&b, "%d", 1);
	OK(!buf_ok(&b), "and goes no further");
	buf_free(&b);
	OK(buf_ok(&b), "freed, it is whole again");
	buf_printf(&b, "%s+", text);
	OK(!buf_ok(&b), "text one byte too long is not cut");
	IS_STR(buf_text(&b), "", "none of it is there");
	buf_free(&b);
	buf_add(&b, text, wrapping);
	OK(!buf_ok(&b), "a length that would wrap around is refused");
	buf_free(&b);
}

static void
test_broken(void)
{
	struct buf b;

	buf_init(&b, 4);
	buf_puts(&b, "ab");
	buf_puts(&b, "cde");
	buf_puts(&b, "f");
	IS_STR(buf_text(&b), "ab", "what comes after a loss is dropped too");
	buf_free(&b);
	buf_init(&b, 0);
	buf_puts(&b, "x");
	buf_add(&b, "y", BUF_MAX);
	OK(!buf_ok(&b), "without a bound of its own it is BUF_MAX");
	buf_free(&b);
}

static void
test_wipe(void)
{
	static const char zero[6];
	struct buf b;

	buf_init(&b, 0);
	buf_puts(&b, "secret");
	buf_reset(&b);
	IS_MEM(b.data, 6, zero, 6, "emptying wipes the bytes");
	buf_free(&b);
}

static void
test_room(void)
{
	struct buf b;
	const char *data;
	size_t i;

	buf_init(&b, 1000);
	OK(buf_room(&b, 1000) == 0, "there is room up to the bound");
	IS_STR(buf_text(&b), "", "room is no text");
	data = b.data;
	for (i = 0; i < 1000; i++)
		buf_putc(&b, 'x');
	OK(buf_ok(&b) && b.data == data, "which is then taken as it is");
	OK(buf_room(&b, 1) == -1 && !buf_ok(&b), "and not beyond the bound");
	buf_free(&b);
}

static void
test_hex(void)
{
	static const unsigned char bytes[] = { 0, 9, 0x0a, 0x9f, 0xa0, 0xff };
	struct buf b;

	buf_init(&b, 0);
	buf_hex(&b, bytes, sizeof(bytes));
	IS_STR(buf_text(&b), "00090a9fa0ff", "hexadecimal is lower case");
	buf_reset(&b);
	buf_hex(&b, bytes, 0);
	IS_STR(buf_text(&b), "", "no bytes have no digits");
	buf_free(&b);
}

int
main(void)
{
	/* around the first block, the second, and tiny */
	static const size_t bound[] = { 1, 255, 256, 257, 511, 512, 513 };
	size_t i;

	test_growth();
	for (i = 0; i < sizeof(bound) / sizeof(bound[0]); i++)
		test_bound(bound[i]);
	test_broken();
	test_wipe();
	test_room();
	test_hex();
	return tap_done();
}
