/*
 * record: the FastCGI record layer, read with suspicion.
 *
 * libfcgi crashes on some records, waits for ever on others and keeps its
 * connection as long as the peer likes (CVE-2025-23016 and what research
 * found beside it).  So every request is scanned here first, and libfcgi gets
 * to see only those that are whole and of the plain form: BEGIN_REQUEST for a
 * responder, PARAMS, STDIN, all of one request id, each within bounds.  That of
 * an authorizer ends with its PARAMS; it is read here and written anew.
 * Formats are those of the FastCGI Specification 1.0, section 8.
 */
#ifndef DEVCRED_RECORD_H
#define DEVCRED_RECORD_H

#include <stdint.h>

#include "buf.h"

#define RECORD_PARAMS_MAX ((size_t)256 * 1024)	/* bytes of PARAMS */

enum record_state {
	RECORD_MORE,	/* so far so good */
	RECORD_HEAD,	/* PARAMS are whole; said if they are collected */
	RECORD_WHOLE,	/* a request, to its last byte */
	RECORD_BAD	/* nothing that may go on */
};

enum record_step { RECORD_STEP_BEGIN, RECORD_STEP_PARAMS, RECORD_STEP_BODY };

struct record_scan {
	enum record_state state;
	enum record_step step;		/* which records may come now */
	unsigned int	 id;		/* of the request */
	bool		 authorizer;	/* the role; else responder */
	bool		 keep;		/* FCGI_KEEP_CONN; no authorizer's */
	bool		 padded;	/* where libfcgi takes none: record.c */
	uint64_t	 body_len;	/* bytes of STDIN so far */
	size_t		 params_len;
	/* the record under way */
	unsigned char	 head[8];
	size_t		 head_len;
	size_t		 content;	/* bytes still to come */
	size_t		 padding;
	unsigned char	 begin[8];
	/* the name-value pair under way */
	unsigned char	 len[8];
	size_t		 len_len;
	size_t		 pair;		/* bytes of it still to come */
	/* where to put what arrives, or NULL */
	struct buf	*params;
	struct buf	*body;
	size_t		 body_max;	/* bytes; the rest is dropped */
};

/* Start on a request; params and body may be NULL. */
void	 record_init(struct record_scan *scan, struct buf *params,
	    struct buf *body, size_t body_max);

/*
 * Take len bytes; *used gets how many of them belong to this request (all of
 * them, unless it became whole before their end) or, with RECORD_HEAD, to its
 * head: feed the others again.
 */
enum record_state record_feed(struct record_scan *scan, const void *data,
	    size_t len, size_t *used);

/*
 * The value of a variable in PARAMS that were collected whole, *len bytes;
 * NULL if it is not there.
 */
const char *record_param(const struct buf *params, const char *name,
	    size_t *len);

/*
 * Write the request that was scanned into params and body as plain records.
 */
void	 record_write(const struct record_scan *scan, struct buf *out);

/* Write the reply to it as records, to the end of the request. */
void	 record_reply(const struct record_scan *scan, const struct buf *reply,
	    struct buf *out);

/* Its head alone, as a request without a body. */
int	 record_head_file(const struct record_scan *scan) MUST_CHECK;

/* All of it in a file in memory, to be read; -1 if it could not be made. */
int	 record_file(const struct record_scan *scan) MUST_CHECK;

#endif
