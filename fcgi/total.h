/*
 * total: how many entries a long list has, as counted a few seconds ago.
 *
 * Each process keeps its own; the reference tells totals that are up to ten
 * seconds old, too.  Short lists are counted every time.
 */
#ifndef DEVCRED_TOTAL_H
#define DEVCRED_TOTAL_H

#include "page.h"

#define TOTAL_EXACT	10000	/* entries; as in sql/newdevice.sql */
#define TOTAL_AGE	10000	/* ms */

/* What was counted for such a page of this list; 0 if that is not known. */
long	 total_find(const char *path, const char *scope,
	    const struct page *page);

/* Remember what the database told, unless it is short or was remembered. */
void	 total_keep(const char *path, const char *scope,
	    const struct page *page, long total);

#endif
