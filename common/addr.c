#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "addr.h"
#include "text.h"

#define NETWORK_SIZE	(INET6_ADDRSTRLEN + 4)	/* bytes: "/128" */

bool
addr_is_loopback(const char *addr)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, addr, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, addr, &v6) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&v6) ||
	    (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

bool
addr_valid(const char *addr)
{
	struct in6_addr any;

	return inet_pton(AF_INET, addr, &any) == 1 ||
	    inet_pton(AF_INET6, addr, &any) == 1;
}

static bool
addr_parse(const char *addr, struct in6_addr *any)
{
	struct in_addr v4;

	if (inet_pton(AF_INET6, addr, any) == 1)
		return true;
	if (inet_pton(AF_INET, addr, &v4) != 1)
		return false;
	memset(any, 0, sizeof(*any));
	any->s6_addr[10] = any->s6_addr[11] = 0xff;	/* ::ffff:a.b.c.d */
	memcpy(any->s6_addr + 12, &v4, sizeof(v4));
	return true;
}

unsigned int
addr_bucket(const char *addr, unsigned int n)
{
	struct in6_addr any;
	uint32_t hash = 2166136261u;	/* FNV-1a */
	size_t len;
	size_t i;

	if (!addr_parse(addr, &any))
		return 0;
	len = IN6_IS_ADDR_V4MAPPED(&any) ? 16 : 8;
	for (i = 0; i < len; i++)
		hash = (hash ^ any.s6_addr[i]) * 16777619u;
	return hash % n;
}

/* The next word of a list, or false; a word too long is an empty one. */
static bool
next_word(const char **list, char *word, size_t size)
{
	size_t len;

	*list += strspn(*list, " ,\t");
	len = strcspn(*list, " ,\t");
	if (str_copy(word, size, *list, len) == -1)
		word[0] = '\0';
	*list += len;
	return len > 0;
}

/*
 * An address, or a network as 192.0.2.0/24; *bits gets how many of its 128
 * count.  Changes word.
 */
static bool
network_parse(char *word, struct in6_addr *net, long *bits)
{
	char *slash = strchr(word, '/');
	long all;

	if (slash != NULL)
		*slash = '\0';
	if (!addr_parse(word, net))
		return false;
	all = strchr(word, ':') != NULL ? 128 : 32;
	*bits = all;
	if (slash != NULL && parse_num(slash + 1, 0, all, bits) == -1)
		return false;
	*bits += 128 - all;
	return true;
}

static bool
same_network(const struct in6_addr *a, const struct in6_addr *b, long bits)
{
	size_t whole = (size_t)bits / 8;
	unsigned int rest = bits % 8 == 0 ? 0 : 0xff00U >> bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 ||
	    ((a->s6_addr[whole] ^ b->s6_addr[whole]) & rest & 0xff) == 0);
}

bool
addr_listed(const char *list, const char *addr)
{
	char word[NETWORK_SIZE];
	struct in6_addr any;
	struct in6_addr net;
	long bits;

	if (!addr_parse(addr, &any))
		return false;
	while (next_word(&list, word, sizeof(word)))
		if (network_parse(word, &net, &bits) &&
		    same_network(&net, &any, bits))
			return true;
	return false;
}

bool
addr_list_valid(const char *list)
{
	char word[NETWORK_SIZE];
	struct in6_addr net;
	long bits;

	while (next_word(&list, word, sizeof(word)))
		if (!network_parse(word, &net, &bits))
			return false;
	return true;
}
