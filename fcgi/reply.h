/*
 * reply: what goes back, built in memory and sent whole.
 */
#ifndef DEVCRED_REPLY_H
#define DEVCRED_REPLY_H

#include "buf.h"
#include "media.h"

/* Failures with the status and error name that the contract gives them. */
enum fault {
	FAULT_BAD_REQUEST,
	FAULT_NOT_JSON,
	FAULT_UNAUTHORIZED,
	FAULT_FORBIDDEN,
	FAULT_NOT_FOUND,
	FAULT_METHOD,
	FAULT_NOT_ACCEPTABLE,
	FAULT_TIMEOUT,
	FAULT_TOO_LARGE,
	FAULT_MEDIA_TYPE,
	FAULT_NOT_UNIQUE,
	FAULT_VALIDATION,
	FAULT_UNPROCESSABLE,
	FAULT_TOO_MANY,
	FAULT_UNAVAILABLE
};

struct reply {
	int		status;		/* 0: not filled yet */
	enum media	media;
	struct buf	head;		/* further header lines */
	struct buf	body;
};

void	 reply_init(struct reply *rep);

/* Wipe and free. */
void	 reply_free(struct reply *rep);

/* Begin an answer; returns the body to be written. */
struct buf *reply_start(struct reply *rep, int status, enum media media);

/* Add a header line; value holds no control characters. */
void	 reply_header(struct reply *rep, const char *name, const char *value);

/*
 * Answer with an error and its body; what was begun is forgotten.  The
 * message is for the caller and holds nothing that only we may know.
 */
void	 reply_fault(struct reply *rep, enum fault fault, const char *fmt, ...)
	    PRINTF_LIKE(3, 4);

/* The error's name, as "devicecontrol/Not Found". */
const char *reply_fault_name(enum fault fault);

/* 503 with Retry-After: the database cannot be asked, or its answer is lost. */
void	 reply_unavailable(struct reply *rep);

/* Say that it is worth trying again, and when; or in how many seconds. */
void	 reply_retry(struct reply *rep);
void	 reply_retry_after(struct reply *rep, long seconds);

/*
 * Write header and body as CGI wants them (RFC 3875, 6.3); a 503 in its place
 * if there is no memory for it.  request is the id of the request answered.
 */
void	 reply_write(const struct reply *rep, const char *request,
	    struct buf *out);

#endif
