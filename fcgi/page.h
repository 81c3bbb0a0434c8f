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
	long		 before;	/* older than this entry; 0: any */
	long		 after;		/* newer than it; 0: any */
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

/* Whether it asks how many entries there are. */
bool	 page_counts(const struct page *page);

/*
 * Add what it asks for: status, prefix, limit, offset, whether to count, and
 * the rest that lists take, or (counted: false) the same without what is about
 * counting.  scope: whose list it is.
 */
void	 page_call(const struct page *page, const struct page_kind *kind,
	    const char *scope, bool counted, struct store_call *call);

/*
 * Write what stands before the entries, and what stands behind them.  The
 * database has given n of them (page->size at most are to be written); key is
 * the column of what they are ordered by, total is column 0.
 */
void	 page_begin(const struct page *page, struct buf *out, const char *base,
	    const struct page_kind *kind, const struct db_rows *rows, long n,
	    int key);
void	 page_end(const struct page *page, const struct page_kind *kind,
	    const char *scope, struct buf *out, const struct db_rows *rows);

#endif
