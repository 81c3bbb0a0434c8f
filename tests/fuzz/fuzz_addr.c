/* Lists of addresses and networks: a line with a list, then an address. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "fuzz.h"
#include "text.h"

/* Of a list in two parts, each part counts by itself. */
static void
try_parts(char *list, const char *addr)
{
	char *space = strchr(list, ' ');
	bool listed = addr_listed(list, addr);
	bool valid = addr_list_valid(list);

	if (space == NULL)
		return;
	*space = '\0';
	HOLDS(listed == (addr_listed(list, addr) ||
	    addr_listed(space + 1, addr)));
	HOLDS(valid == (addr_list_valid(list) && addr_list_valid(space + 1)));
	*space = ' ';
}

/*
 * A list that is one network of the family: bit by bit.  One that is longer
 * than any has to be is none.
 */
static void
try_network(int family, const char *list, const char *addr)
{
	unsigned char net[16];
	unsigned char any[16];
	char *text = strdup(list);
	char *slash;
	long bits;
	long i;

	HOLDS(text != NULL);
	if ((slash = strchr(text, '/')) != NULL) {
		*slash = '\0';
		if (strlen(slash + 1) <= 3 && parse_num(slash + 1, 0,
		    family == AF_INET ? 32 : 128, &bits) == 0 &&
		    inet_pton(family, text, net) == 1 &&
		    inet_pton(family, addr, any) == 1) {
			for (i = 0; i < bits; i++)
				if (((net[i / 8] ^ any[i / 8]) & 0x80 >> i % 8)
				    != 0)
					break;
			HOLDS(addr_list_valid(list));
			HOLDS(addr_listed(list, addr) == (i == bits));
		}
	}
	free(text);
}

/* An IPv4 address in the form that sockets for both have. */
static void
try_mapped(const char *list, const char *addr)
{
	struct buf mapped;

	buf_init(&mapped, 0);
	buf_printf(&mapped, "::ffff:%s", addr);
	HOLDS(addr_valid(buf_text(&mapped)));
	HOLDS(addr_listed(list, addr) == addr_listed(list, buf_text(&mapped)));
	HOLDS(addr_is_loopback(addr) == addr_is_loopback(buf_text(&mapped)));
	buf_free(&mapped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *list = fuzz_line(&data, &size);
	char *addr = fuzz_text(data, size);

	try_parts(list, addr);
	try_network(AF_INET, list, addr);
	try_network(AF_INET6, list, addr);
	if (!addr_valid(addr)) {
		HOLDS(!addr_listed(list, addr) && !addr_is_loopback(addr));
	} else {
		HOLDS(strlen(addr) < ADDR_SIZE && addr_list_valid(addr));
		HOLDS(addr_listed(addr, addr));
		HOLDS(addr_listed("0.0.0.0/0, ::/0", addr));
		HOLDS(addr_is_loopback(addr) ==
		    addr_listed("127.0.0.0/8 ::1", addr));
		if (strchr(addr, ':') == NULL)
			try_mapped(list, addr);
	}
	free(list);
	free(addr);
	return 0;
}
