#include <stdio.h>

#include "addr.h"
#include "fixture.h"
#include "tap.h"

static const struct {
	const char	*addr;
	bool		 valid;
	bool		 loopback;
} addresses[] = {
	{ "127.0.0.1", true, true }, { "127.255.255.254", true, true },
	{ "128.0.0.1", true, false }, { "126.255.255.255", true, false },
	{ "::1", true, true }, { "0:0:0:0:0:0:0:1", true, true },
	{ "::ffff:127.0.0.1", true, true }, { "::127.0.0.1", true, false },
	{ "::ffff:10.0.0.1", true, false }, { "fe80::1", true, false },
	{ "::", true, false }, { "0.0.0.0", true, false },
	{ "", false, false }, { "127.1", false, false },
	{ "0177.0.0.1", false, false }, { "2130706433", false, false },
	{ "127.0.0.1 ", false, false }, { " 127.0.0.1", false, false },
	{ "127.0.0.1:80", false, false }, { "[::1]", false, false },
	{ "fe80::1%lo", false, false }, { "unix:", false, false },
	{ "localhost", false, false }, { "127.0.0.1/8", false, false },
};

static void
test_addresses(void)
{
	size_t i;

	for (i = 0; i < COUNT(addresses); i++) {
		IS_INT(addr_valid(addresses[i].addr), addresses[i].valid,
		    "\"%s\" is an address or not", addresses[i].addr);
		IS_INT(addr_is_loopback(addresses[i].addr),
		    addresses[i].loopback, "and of the loopback or not");
	}
}

static const struct {
	const char	*list;
	const char	*addr;
	bool		 listed;
} lists[] = {
	{ "10.0.0.1", "10.0.0.1", true }, { "10.0.0.1", "10.0.0.2", false },
	{ "10.0.0.1", "::ffff:10.0.0.1", true },
	{ "10.0.0.2,10.0.0.1", "10.0.0.1", true },
	{ " \t10.0.0.2 , 10.0.0.1,", "10.0.0.1", true },
	{ "", "10.0.0.1", false }, { "10.0.0.1,", "", false },
	{ "10.0.0.0/8", "10.255.0.1", true },
	{ "10.0.0.0/8", "11.0.0.1", false },
	{ "10.1.2.3/8", "10.255.0.1", true },
	{ "192.0.2.128/25", "192.0.2.128", true },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.1/32", "192.0.2.1", true },
	{ "192.0.2.1/32", "192.0.2.0", false },
	{ "0.0.0.0/0", "203.0.113.9", true }, { "0.0.0.0/0", "::1", false },
	{ "::/0", "::1", true }, { "::/0", "203.0.113.9", true },
	{ "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "2001:db8::/32", "2001:db9::1", false },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "::ffff:10.0.0.0/104", "10.9.9.9", true },
	{ "::/0", "localhost", false },
};

static const struct {
	const char	*list;
	bool		 valid;
} forms[] = {
	{ "", true }, { " ,", true }, { "10.0.0.1 ::1,10.0.0.0/8", true },
	{ "10.0.0.0/0", true }, { "10.0.0.0/33", false },
	{ "::/128", true }, { "::/129", false }, { "10.0.0.0/", false },
	{ "10.0.0.0/-1", false }, { "10.0.0.0/8/8", false },
	{ "/8", false }, { "10.0.0/8", false }, { "proxy", false },
	{ "0000:0000:0000:0000:0000:0000:0000:0001/128", true },
	{ "0000:0000:0000:0000:0000:0000:0000:0001/128000000000", false },
};

static void
test_lists(void)
{
	size_t i;

	for (i = 0; i < COUNT(lists); i++)
		IS_INT(addr_listed(lists[i].list, lists[i].addr),
		    lists[i].listed, "\"%s\" is of \"%s\" or not",
		    lists[i].addr, lists[i].list);
	for (i = 0; i < COUNT(forms); i++)
		IS_INT(addr_list_valid(forms[i].list), forms[i].valid,
		    "\"%s\" is a list or not", forms[i].list);
}

static void
test_buckets(void)
{
	static const char *const same[][2] = {
		{ "192.0.2.1", "::ffff:192.0.2.1" },
		{ "2001:db8::1", "2001:db8:0:0:ffff::2" },
	};
	static const char *const other[][2] = {
		{ "192.0.2.1", "192.0.2.2" },
		{ "2001:db8::1", "2001:db8:0:1::1" },
	};
	char addr[32];
	bool used[256] = { false };
	size_t n = 0;
	size_t i;

	for (i = 0; i < COUNT(same); i++)
		IS_INT(addr_bucket(same[i][0], 1024),
		    addr_bucket(same[i][1], 1024), "%s and %s are one",
		    same[i][0], same[i][1]);
	for (i = 0; i < COUNT(other); i++)
		OK(addr_bucket(other[i][0], 1024) !=
		    addr_bucket(other[i][1], 1024), "%s and %s are two",
		    other[i][0], other[i][1]);
	IS_INT(addr_bucket("unix:", 1024), 0, "what is none, is the first");
	for (i = 0; i < 256; i++) {
		snprintf(addr, sizeof(addr), "10.0.0.%zu", i);
		used[addr_bucket(addr, 256)] = true;
	}
	for (i = 0; i < 256; i++)
		n += used[i];
	OK(n > 100, "many are spread: %zu of 256", n);
}

int
main(void)
{
	test_addresses();
	test_lists();
	test_buckets();
	return tap_done();
}
