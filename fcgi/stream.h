/*
 * stream: the body of a request as it arrives, for who may wait for it.
 */
#ifndef DEVCRED_STREAM_H
#define DEVCRED_STREAM_H

#include "record.h"

struct stream {
	int			 fd;
	int			 timeout;	/* ms that may bring nothing */
	struct record_scan	*scan;		/* of FastCGI; NULL: CGI */
	size_t			 left;		/* of CGI's body */
	struct buf		*chunk;		/* what has arrived */
	bool			 taken;		/* it was handed out */
};

enum stream_got {
	STREAM_DATA,
	STREAM_END,	/* it is whole */
	STREAM_BROKEN	/* it is not, and nothing more comes in time */
};

/* The body of a FastCGI request: what is in chunk, then what scan says. */
void	 stream_fastcgi(struct stream *s, int fd, struct record_scan *scan,
	    struct buf *chunk, long timeout);

/* The body of a CGI request: len bytes, or all of them (SIZE_MAX). */
void	 stream_cgi(struct stream *s, int fd, size_t len, struct buf *chunk,
	    long timeout);

/* Wait for the next bytes; they stay until the next call. */
enum stream_got stream_read(struct stream *s, const char **data, size_t *len)
	    MUST_CHECK;

/*
 * Read and drop what is left.  Web servers give up on who answers before;
 * but not for longer than the time for one whole request.
 */
void	 stream_drop(struct stream *s);

#endif
