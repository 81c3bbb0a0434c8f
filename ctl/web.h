/*
 * web: the door to libcurl.  One request at a time to a URL, as a device
 * would send it: HTTP/1.1, certificates checked, no proxy of the environment,
 * no redirect followed, and never longer than a few seconds.
 */
#ifndef DEVCREDCTL_WEB_H
#define DEVCREDCTL_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

#define WEB_HEADERS	4	/* of one request, at most */

struct web;

enum web_result {
	WEB_ANSWERED,
	WEB_TAKEN,		/* the body was begun, and not refused */
	WEB_NO_NAME,		/* the host's name means nothing */
	WEB_REFUSED,		/* nobody listens there */
	WEB_SLOW,		/* no answer in time */
	WEB_CERT_EXPIRED,
	WEB_CERT_EARLY,		/* not valid yet */
	WEB_CERT_NAME,		/* of another host */
	WEB_CERT_SELF,		/* signed by itself */
	WEB_CERT_UNKNOWN,	/* of a CA that is not trusted here */
	WEB_CERT_OTHER,		/* no good in another way */
	WEB_NO_TLS,		/* what listens there speaks something else */
	WEB_NO_CA,		/* the file of certificates cannot be used */
	WEB_FAILED		/* all other reasons */
};

/* A request; what is not named is NULL or 0. */
struct web_ask {
	const char	*method;	/* NULL: GET */
	const char	*path;		/* behind the URL, as it is sent */
	const char	*header[WEB_HEADERS];	/* "Name: value" */
	size_t		 announced;	/* bytes of body; all are spaces */
	size_t		 sent;		/* of those, at most */
	bool		 waits;		/* then for a refusal, for a moment */
};

/* What came of it; texts live until the next request. */
struct web_answer {
	enum web_result	 result;
	const char	*reason;	/* libcurl's words, if no answer */
	int		 status;
	const char	*server;	/* headers; "" if there is none */
	const char	*date;
	const char	*type;
	const char	*location;
	const char	*request_id;
	const char	*body;		/* its start, with NULs replaced */
	bool		 loopback;	/* the address asked is one */
	int64_t		 at;		/* seconds since 1970, at its end */
	int64_t		 dated;		/* as date says; -1: it does not */
};

/*
 * A client for what lies behind url, which ends without a slash; ca: a file of
 * certificates to trust instead of the system's, or NULL.  Both are to outlive
 * it.  NULL if there is no memory.
 */
struct web *web_new(const char *url, const char *ca) MUST_CHECK;

/* Safe with NULL. */
void	 web_free(struct web *web);

/*
 * Send a request and wait for its answer; WEB_TAKEN if it announces more than
 * it sends, and that was not refused.
 */
void	 web_send(struct web *web, const struct web_ask *ask,
	    struct web_answer *answer);

#endif
