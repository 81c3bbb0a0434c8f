/*
 * request: what the web server says the client wants (RFC 3875 variables),
 * as values the rest can trust.
 *
 * The path is taken from REQUEST_URI alone: it is the one variable that all
 * web servers pass on unchanged.  They apply their access rules to a path
 * that they have cleaned up, so whatever they and we might read differently
 * (dot segments, empty segments, encoded slashes, bad codes) is refused.
 */
#ifndef DEVCRED_REQUEST_H
#define DEVCRED_REQUEST_H

#include "buf.h"
#include "conf.h"
#include "model.h"
#include "reply.h"

#define BODY_MAX	((size_t)64 * 1024)	/* bytes of a JSON body */
#define SEGMENT_MAX	6			/* of a path */
#define REQUEST_ID_SIZE	65			/* bytes of an id, with NUL */

struct request {
	/* as the web server passes them; NULL if it does not */
	const char	*method;	/* after X-HTTP-METHOD */
	const char	*uri;
	const char	*accept;
	const char	*content_type;
	const char	*authorization;	/* or as request_login() has it */
	const char	*host;		/* HTTP_HOST, checked */
	const char	*body;		/* NULL: it is taken as it comes */
	size_t		 body_len;
	/* derived */
	long		 announced;	/* bytes of body; -1: unknown */
	struct buf	 path;		/* decoded segments, each with a NUL */
	const char	*segment[SEGMENT_MAX];
	int		 nsegments;
	bool		 slash;		/* the path ended in a slash */
	const char	*query;		/* after '?', or NULL */
	char		 source[ADDR_SIZE];	/* the client; "" if unknown */
	char		 agent[AGENT_MAX + 1];	/* "" if it says nothing */
	bool		 secure;	/* TLS, or a loopback client */
	bool		 hidden;	/* source is a proxy nobody trusts */
	struct buf	 base;		/* start of links, without a slash */
	const char	*id;		/* device id in the path, or NULL */
	struct buf	 given;		/* see request_login() */
	/* settings that a virtual host may set for itself */
	const char	*default_tenant;
};

/*
 * What the request is called in logs, in the audit and in its answer: as the
 * client says in X-Request-Id, else as the web server does in UNIQUE_ID, if
 * that is up to 64 letters, digits and .-_:@, else a random name.
 */
void	 request_id(char id[REQUEST_ID_SIZE], char *const *envp);

enum query_found { QUERY_FOUND, QUERY_ABSENT, QUERY_BAD };

/*
 * Read the variables in envp ("NAME=value") and a body of len bytes; a body
 * longer than BODY_MAX need not be whole, and NULL is one that is still to
 * come.  The request points into both.
 * -1 with *rep filled if it cannot be understood.  Either way request_free().
 */
int	 request_parse(struct request *rq, char *const *envp, const char *body,
	    size_t len, const struct conf *conf, struct reply *rep) MUST_CHECK;

/*
 * The same for a web server that asks whether it may let somebody in: its
 * request has no body, and its method and path are not for us.  A login that
 * the web server has taken apart, REMOTE_USER and REMOTE_PASSWD, counts; only
 * here, where we are asked by itself and nobody else.
 */
int	 request_parse_login(struct request *rq, char *const *envp,
	    const struct conf *conf, struct reply *rep) MUST_CHECK;
void	 request_free(struct request *rq);

/*
 * Have a login stand in for the header, or for none if no header could have
 * it.  -1 if there is no memory.
 */
int	 request_login(struct request *rq, const char *user,
	    const char *password) MUST_CHECK;

/* Decode the first query parameter of this name into value. */
enum query_found request_query(const struct request *rq, const char *name,
	    struct buf *value) MUST_CHECK;

/* The same for a field of a form. */
enum query_found request_form(const char *form, const char *name,
	    struct buf *value) MUST_CHECK;

#endif
