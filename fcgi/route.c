#include <string.h>

#include "route.h"

/* Paths that are spelled out stand before those that take them for an id. */
const struct operation *const operations[] = {
	&newdevice_create,
	&newdevice_list,
	&newdevice_accept_all,
	&newdevice_limit,
	&newdevice_get,
	&newdevice_update,
	&newdevice_delete,
	&bulk_create,
	&credential_issue,
	&credential_list,
	&credential_get,
	&credential_update,
	&credential_revoke,
	&credential_rotate,
	&credential_reopen,
	&credential_decommission,
	&newdevice_review,
	&newdevice_claims,
	&event_list,
	&event_count,
	&smartrest,
	&tenant_current,
	&tenant_option,
	&tenant_option_set,
	&user_current,
	&verify,
	&verify_emqx,
	&verify_mosquitto,
	&verify_rabbitmq,
	&health,
	&ready,
	&metrics,
	NULL
};

/* Whether the path of rq is that of an operation; *id gets what {id} is. */
static bool
path_fits(const struct request *rq, const char *path, const char **id)
{
	size_t len;
	int i;

	*id = NULL;
	for (i = 0; *path != '\0'; i++, path += len) {
		path++;		/* the slash */
		len = strcspn(path, "/");
		if (i >= rq->nsegments)
			return false;
		if (strncmp(path, "{id}", len) == 0)
			*id = rq->segment[i];
		else if (strlen(rq->segment[i]) != len ||
		    memcmp(rq->segment[i], path, len) != 0)
			return false;
	}
	/* a collection may be written with a slash at its end */
	return i == rq->nsegments && (!rq->slash || *id == NULL);
}

int
route_find(struct exchange *x)
{
	const struct operation *const *op;
	struct request *rq = &x->rq;
	const char *method = rq->method;
	struct buf allow;
	const char *id;

	if (strcmp(method, "HEAD") == 0)
		method = "GET";		/* the web server drops the body */
	if (rq->nsegments > SEGMENT_MAX)
		rq->nsegments = 0;	/* deeper than any path of ours */
	buf_init(&allow, 0);
	for (op = operations; *op != NULL; op++) {
		if (!path_fits(rq, (*op)->path, &id))
			continue;
		rq->id = id;
		if (strcmp((*op)->method, method) == 0) {
			x->op = *op;
			buf_free(&allow);
			return 0;
		}
		if (strstr(buf_text(&allow), (*op)->method) != NULL)
			continue;
		buf_printf(&allow, "%s%s", allow.len > 0 ? ", " : "",
		    (*op)->method);
		if (strcmp((*op)->method, "GET") == 0)
			buf_puts(&allow, ", HEAD");
	}
	if (allow.len > 0) {
		reply_fault(&x->reply, FAULT_METHOD,
		    "This resource allows %s.", buf_text(&allow));
		reply_header(&x->reply, "Allow", buf_text(&allow));
	} else {
		reply_fault(&x->reply, FAULT_NOT_FOUND,
		    "There is no such resource.");
	}
	buf_free(&allow);
	return -1;
}

int
route_number(const struct operation *op)
{
	int i;

	for (i = 0; op != NULL && operations[i] != NULL; i++)
		if (operations[i] == op)
			return i + 1;
	return 0;
}

bool
route_streams(const struct conf *conf, const char *uri, size_t len)
{
	const struct operation *const *op;
	size_t prefix = strlen(conf->path_prefix);
	const char *query = memchr(uri, '?', len);
	size_t n;

	if (query != NULL)
		len = (size_t)(query - uri);
	if (len >= prefix && memcmp(uri, conf->path_prefix, prefix) == 0) {
		uri += prefix;
		len -= prefix;
	}
	if (len > 0 && uri[len - 1] == '/')
		len--;
	for (op = operations; *op != NULL; op++) {
		n = strlen((*op)->path);
		if ((*op)->stream != NULL && n == len &&
		    memcmp(uri, (*op)->path, n) == 0)
			return true;
	}
	return false;
}
