/*
 * page: lists, a page at a time: what is asked for, and what stands around
 * the entries (the reference, "Query result paging").
 */
#ifndef DEVCRED_PAGE_H
#define DEVCRED_PAGE_H

#include "request.h"
#include "store.h"

/* What is listed. */
struct page_kind {
	const char	*path;
	const char	*name;		/* of the list in the answer */
	bool		(*is_status)(const char *word);
};

/* The query of a list. */
struct page {
	long		 current;	/* from 1 */
	long		 size;
	bool		 total_pages;
	bool		 total_elements;
	struct buf	 status;	/* empty: all */
	struct buf	 prefix;	/* of the id */
};

/*
 * Read the query; -1, with the reply filled, if it is wrong.  Either way
 * page_free().
 */
int	 page_read(struct page *page, const struct request *rq,
	    const struct page_kind *kind, struct reply *rep) MUST_CHECK;
void	 page_free(struct page *page);

/* Add what it asks for: status, prefix, limit, offset, whether to count. */
void	 page_call(const struct page *page, struct store_call *call);

/*
 * Write what stands before the entries, of which the database has given n
 * (page->size at most are to be written), and what stands behind them.
 */
void	 page_begin(const struct page *page, struct buf *out, const char *base,
	    const struct page_kind *kind, long n);
void	 page_end(const struct page *page, struct buf *out, long total);

#endif
