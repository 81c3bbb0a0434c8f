/*
 * route: the operations, and which of them a request asks for.
 */
#ifndef DEVCRED_ROUTE_H
#define DEVCRED_ROUTE_H

#include "exchange.h"
#include "stream.h"

/*
 * An operation: two pure halves around one call.  parse turns the request
 * into x->call (NEED_CALL), or fills the reply (NEED_NOTHING); render turns
 * the rows of that call into the reply, or into one further call.  Of a
 * grouped call, row is the exchange's own, -1 if it has none; of others it is
 * 0, or -1 if there are no rows.
 */
struct operation {
	const char	*name;		/* of the SQL function, as a rule */
	const char	*method;
	const char	*path;		/* "{id}" stands for a device id */
	unsigned int	 roles[2];	/* any of these, by enum api_profile */
	/* type of the request's body; MEDIA_FORM is a login, instead of a
	 * header, and taken first */
	enum media	 takes;
	enum media	 gives;		/* type of the answer's */
	enum need	(*parse)(struct exchange *x);
	enum need	(*render)(struct exchange *x,
			    const struct db_rows *rows, int row);
	/* says what was answered in the operation's own way; or NULL */
	void		(*translate)(struct exchange *x);
	/*
	 * Takes the body as it comes, and fills the reply: runs apart from
	 * the loop, with a connection of its own, and may wait.  parse then
	 * says NEED_STREAM, and there is no render.  Or NULL.
	 */
	void		(*stream)(struct exchange *x, struct stream *body,
			    struct db *db);
	/* fills the reply when the call got no answer; NULL: a 503 */
	void		(*unanswered)(struct exchange *x);
};

extern const struct operation newdevice_create;
extern const struct operation newdevice_list;
extern const struct operation newdevice_get;
extern const struct operation newdevice_update;
extern const struct operation newdevice_delete;
extern const struct operation newdevice_accept_all;
extern const struct operation newdevice_limit;
extern const struct operation bulk_create;
extern const struct operation credential_issue;
extern const struct operation credential_list;
extern const struct operation credential_get;
extern const struct operation credential_update;
extern const struct operation credential_revoke;
extern const struct operation credential_rotate;
extern const struct operation credential_reopen;
extern const struct operation credential_decommission;
extern const struct operation newdevice_claims;
extern const struct operation newdevice_review;
extern const struct operation event_list;
extern const struct operation event_count;
extern const struct operation smartrest;
extern const struct operation tenant_current;
extern const struct operation tenant_option;
extern const struct operation tenant_option_set;
extern const struct operation user_current;
extern const struct operation verify;
extern const struct operation verify_emqx;
extern const struct operation verify_mosquitto;
extern const struct operation verify_rabbitmq;
extern const struct operation health;
extern const struct operation ready;
extern const struct operation metrics;

/* All of them, ended by NULL. */
extern const struct operation *const operations[];

/*
 * Find the operation of x: sets x->op and x->rq.id.  -1 with the reply filled
 * (404, or 405 with Allow) if there is none.
 */
int	 route_find(struct exchange *x) MUST_CHECK;

/* The place of op in operations[], from 1; 0 for NULL. */
int	 route_number(const struct operation *op);

/*
 * Whether the path of this URI (len bytes of REQUEST_URI) is one where bodies
 * are taken as they come.
 */
bool	 route_streams(const struct conf *conf, const char *uri, size_t len);

#endif
