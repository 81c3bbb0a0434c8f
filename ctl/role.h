/*
 * role: what a user may do, in the short words that people type.
 */
#ifndef DEVCREDCTL_ROLE_H
#define DEVCREDCTL_ROLE_H

#include "buf.h"
#include "ctl.h"

/*
 * The roles (model.h) in words, short or full, separated by spaces; 0, with
 * the reason told, if there is none or one is wrong.
 */
unsigned int role_bits_of(const struct ctl *ctl, const char *words) MUST_CHECK;

/* Add them as an array for PostgreSQL. */
void	 role_array(struct buf *array, unsigned int bits);

/* Add them as short words, separated by spaces. */
void	 role_words(struct buf *words, unsigned int bits);

#endif
