/*
 * addr: IP addresses and networks, as text.
 */
#ifndef DEVCRED_ADDR_H
#define DEVCRED_ADDR_H

#include <stdbool.h>

#include "buf.h"

/* Whether an address (textual) is of the loopback network. */
bool	 addr_is_loopback(const char *addr) MUST_CHECK;

/* Whether it is an address that PostgreSQL's inet takes. */
bool	 addr_valid(const char *addr) MUST_CHECK;

/*
 * A number below n for the network of an address, which one customer has: an
 * IPv6 /64, or an IPv4 address; 0 if it is none.
 */
unsigned int addr_bucket(const char *addr, unsigned int n) MUST_CHECK;

/*
 * Whether an address is in a list of addresses and networks (192.0.2.0/24),
 * separated by spaces or commas.  An IPv4 address is the same in its IPv6 form.
 */
bool	 addr_listed(const char *list, const char *addr) MUST_CHECK;

/* Whether a list has addresses and networks only; an empty one is valid. */
bool	 addr_list_valid(const char *list) MUST_CHECK;

#endif
