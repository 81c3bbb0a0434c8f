#include <string.h>

#include "buf.h"
#include "tap.h"

int
main(void)
{
	struct buf b;

	buf_init(&b, 0);
	IS_STR(buf_text(&b), "", "a new buffer is an empty text");
	buf_puts(&b, "one ");
	buf_putc(&b, '2');
	buf_add(&b, " three", 2);
	buf_printf(&b, "%s=%d", "x", 4);
	IS_STR(buf_text(&b), "one 2 tx=4", "it grows at its end");
	buf_free(&b);
	return tap_done();
}
