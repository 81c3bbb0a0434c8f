#include <limits.h>
#include <string.h>
#include <strings.h>

#include "addr.h"
#include "request.h"
#include "text.h"

#define TWICE	"A header that may come once came twice."

/* The variables that matter, in the order of variables[]. */
enum {
	V_METHOD, V_URI, V_ACCEPT, V_CONTENT_TYPE, V_AUTHORIZATION, V_HOST,
	V_OVERRIDE, V_SCHEME, V_HTTPS, V_ADDR, V_PORT, V_NAME, V_FORWARDED_FOR,
	V_FORWARDED_PROTO, V_LENGTH, V_DEFAULT_TENANT, V_BASE_URL, V_AGENT,
	V_USER, V_PASSWD, V_MAX
};

#define VARIABLE(name, once)	{ name, sizeof(name) - 1, once }

static const struct {
	const char	*name;
	size_t		 len;
	bool		 once;	/* a second, different one is an error */
} variables[V_MAX] = {
	[V_METHOD] = VARIABLE("REQUEST_METHOD", true),
	[V_URI] = VARIABLE("REQUEST_URI", true),
	[V_ACCEPT] = VARIABLE("HTTP_ACCEPT", false),
	[V_CONTENT_TYPE] = VARIABLE("CONTENT_TYPE", true),
	[V_AUTHORIZATION] = VARIABLE("HTTP_AUTHORIZATION", true),
	[V_HOST] = VARIABLE("HTTP_HOST", false),
	[V_OVERRIDE] = VARIABLE("HTTP_X_HTTP_METHOD", true),
	[V_SCHEME] = VARIABLE("REQUEST_SCHEME", false),
	[V_HTTPS] = VARIABLE("HTTPS", false),
	[V_ADDR] = VARIABLE("REMOTE_ADDR", true),
	[V_PORT] = VARIABLE("SERVER_PORT", false),
	[V_NAME] = VARIABLE("SERVER_NAME", false),
	[V_FORWARDED_FOR] = VARIABLE("HTTP_X_FORWARDED_FOR", true),
	[V_FORWARDED_PROTO] = VARIABLE("HTTP_X_FORWARDED_PROTO", true),
	[V_LENGTH] = VARIABLE("CONTENT_LENGTH", true),
	[V_DEFAULT_TENANT] = VARIABLE("DEVCRED_DEFAULT_TENANT", false),
	[V_BASE_URL] = VARIABLE("DEVCRED_BASE_URL", false),
	[V_AGENT] = VARIABLE("HTTP_USER_AGENT", false),
	[V_USER] = VARIABLE("REMOTE_USER", true),
	[V_PASSWD] = VARIABLE("REMOTE_PASSWD", true),
};

/* Pick the variables; -1 if one that matters came twice. */
static int
collect(char *const *envp, const char **value)
{
	const char *eq;
	size_t len;
	int i;

	memset(value, 0, V_MAX * sizeof(*value));
	for (; *envp != NULL; envp++) {
		if ((eq = strchr(*envp, '=')) == NULL)
			continue;
		len = (size_t)(eq - *envp);
		for (i = 0; i < V_MAX; i++)
			if (variables[i].len == len &&
			    memcmp(*envp, variables[i].name, len) == 0)
				break;
		if (i == V_MAX || eq[1] == '\0')
			continue;
		if (value[i] == NULL)
			value[i] = eq + 1;
		else if (variables[i].once && strcmp(value[i], eq + 1) != 0)
			return -1;
	}
	return 0;
}

/* A client may have a POST stand for a method its network does not let by. */
static int
pick_method(struct request *rq, const char *override, struct reply *rep)
{
	if (override == NULL || strcmp(rq->method, "POST") != 0)
		return 0;
	if (strcasecmp(override, "PUT") == 0)
		rq->method = "PUT";
	else if (strcasecmp(override, "DELETE") == 0)
		rq->method = "DELETE";
	else if (strcasecmp(override, "POST") != 0) {
		reply_fault(rep, FAULT_BAD_REQUEST,
		    "X-HTTP-METHOD may be PUT or DELETE.");
		return -1;
	}
	return 0;
}

/* Decode one segment and keep it; -1 if it may not be in a path. */
static int
add_segment(struct request *rq, const char *s, size_t len, size_t *place)
{
	struct buf text;
	size_t i;
	int rc = -1;

	buf_init(&text, 0);
	if (percent_decode(&text, s, len, false) == -1 ||
	    strcmp(buf_text(&text), ".") == 0 ||
	    strcmp(buf_text(&text), "..") == 0 ||
	    !utf8_valid(buf_text(&text), text.len, NULL))
		goto out;
	for (i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < 0x20 ||
		    text.data[i] == 0x7f || text.data[i] == '/')
			goto out;
	*place = rq->path.len;
	buf_add(&rq->path, buf_text(&text), text.len + 1);
	rc = buf_ok(&rq->path) ? 0 : -1;
out:
	buf_free(&text);
	return rc;
}

/*
 * Where the path starts: absolute-form (RFC 9112, 3.2.2) has a host before,
 * which is not empty (RFC 9110, 4.2.1).
 */
static const char *
path_start(const char *uri)
{
	size_t scheme = 0;
	size_t host;

	if (strncasecmp(uri, "http://", 7) == 0)
		scheme = 7;
	else if (strncasecmp(uri, "https://", 8) == 0)
		scheme = 8;
	host = scheme > 0 ? strcspn(uri + scheme, "/?") : 0;
	/* what begins with the scheme is no path */
	return host > 0 ? uri + scheme + host : uri;
}

static int
split_path(struct request *rq, const char *prefix)
{
	size_t place[SEGMENT_MAX];
	const char *p = path_start(rq->uri);
	const char *end = p + strcspn(p, "?");
	size_t len = strlen(prefix);
	int i;

	rq->query = *end == '?' ? end + 1 : NULL;
	if ((size_t)(end - p) >= len && memcmp(p, prefix, len) == 0)
		p += len;
	if (p == end || *p != '/' || strchr(p, '#') != NULL)
		return -1;
	while (p < end) {
		p++;	/* the slash */
		len = (size_t)(end - p);
		if (memchr(p, '/', len) != NULL)
			len = (size_t)((const char *)memchr(p, '/', len) - p);
		if (len == 0 && p == end) {
			rq->slash = true;
			break;
		}
		if (len == 0)
			return -1;
		if (rq->nsegments == SEGMENT_MAX) {
			/* none of ours */
			rq->nsegments = SEGMENT_MAX + 1;
			return 0;
		}
		if (add_segment(rq, p, len, &place[rq->nsegments]) == -1)
			return -1;
		rq->nsegments++;
		p += len;
	}
	for (i = 0; i < rq->nsegments; i++)
		rq->segment[i] = rq->path.data + place[i];
	return 0;
}

/*
 * The nearest address in X-Forwarded-For that is not a trusted proxy: what
 * stands left of it, anybody may have written.  False if there is none.
 */
static bool
forwarded_source(struct request *rq, const char *list, const char *trusted)
{
	char addr[ADDR_SIZE];
	const char *end = list + strlen(list);
	const char *p;
	bool found = false;

	while (end > list) {
		while (end > list && strchr(" ,\t", end[-1]) != NULL)
			end--;
		for (p = end; p > list && strchr(" ,\t", p[-1]) == NULL; p--)
			continue;
		if (str_copy(addr, sizeof(addr), p, (size_t)(end - p)) == -1 ||
		    !addr_valid(addr))
			break;
		memcpy(rq->source, addr, sizeof(addr));
		found = true;
		if (!addr_listed(trusted, addr))
			break;
		end = p;
	}
	return found;
}

static void
find_source(struct request *rq, const char *const *value, bool trusted,
    const char *proxies)
{
	const char *scheme = value[V_SCHEME];
	bool proxied = trusted && value[V_FORWARDED_PROTO] != NULL;
	bool near = !proxied;	/* source is the client's address */

	rq->hidden = !trusted && value[V_FORWARDED_FOR] != NULL;
	if (trusted && value[V_FORWARDED_FOR] != NULL)
		near = forwarded_source(rq, value[V_FORWARDED_FOR], proxies);
	if (proxied)
		scheme = value[V_FORWARDED_PROTO];
	else if (value[V_HTTPS] != NULL &&
	    strcasecmp(value[V_HTTPS], "on") == 0)
		scheme = "https";
	rq->secure = scheme != NULL && strcasecmp(scheme, "https") == 0;
	buf_puts(&rq->base, rq->secure ? "https://" : "http://");
	if (near && addr_is_loopback(rq->source))
		rq->secure = true;
}

/* Host and port of links; -1 if the host cannot be one. */
static int
find_base(struct request *rq, const char *const *value, bool trusted,
    const char *base_url)
{
	const char *host = rq->host != NULL ? rq->host : value[V_NAME];
	const char *preset;
	const char *p;
	size_t len;

	if (link_base_valid(base_url)) {
		buf_reset(&rq->base);
		len = strlen(base_url);
		while (len > 0 && base_url[len - 1] == '/')
			len--;
		buf_add(&rq->base, base_url, len);
		return 0;
	}
	if (host == NULL)
		host = "localhost";
	if (!host_valid(host))
		return -1;
	buf_puts(&rq->base, host);
	/* nginx's usual settings drop the port from the host */
	preset = strncmp(buf_text(&rq->base), "https", 5) == 0 ? "443" : "80";
	p = strrchr(host, ']');
	if (!trusted && strchr(p != NULL ? p : host, ':') == NULL &&
	    value[V_PORT] != NULL && strcmp(value[V_PORT], preset) != 0 &&
	    strspn(value[V_PORT], "0123456789") == strlen(value[V_PORT]))
		buf_printf(&rq->base, ":%s", value[V_PORT]);
	return 0;
}

/* What the client calls itself, as far as that is text. */
static void
take_agent(struct request *rq, const char *agent)
{
	if (agent == NULL || !utf8_valid(agent, strlen(agent), NULL) ||
	    str_copy(rq->agent, sizeof(rq->agent), agent,
	    utf8_cut(agent, AGENT_MAX)) == -1)
		rq->agent[0] = '\0';
}

/* What any request has: who asks, from where; *trusted: through a proxy. */
static int
read_common(struct request *rq, char *const *envp, const char **value,
    const struct conf *conf, bool *trusted)
{
	const char *addr;

	memset(rq, 0, sizeof(*rq));
	buf_init(&rq->path, 0);
	buf_init(&rq->base, 0);
	buf_init(&rq->given, 0);
	if (collect(envp, value) == -1)
		return -1;
	rq->method = value[V_METHOD] != NULL ? value[V_METHOD] : "";
	rq->uri = value[V_URI] != NULL ? value[V_URI] : "";
	rq->accept = value[V_ACCEPT];
	rq->content_type = value[V_CONTENT_TYPE];
	rq->authorization = value[V_AUTHORIZATION];
	rq->host = value[V_HOST];
	rq->announced = -1;
	rq->default_tenant = value[V_DEFAULT_TENANT] != NULL ?
	    value[V_DEFAULT_TENANT] : conf->default_tenant;
	addr = value[V_ADDR] != NULL ? value[V_ADDR] : "";
	*trusted = addr_listed(conf->trusted_proxy, addr);
	if (addr_valid(addr) &&
	    str_copy(rq->source, sizeof(rq->source), addr, strlen(addr)) == -1)
		rq->source[0] = '\0';
	find_source(rq, value, *trusted, conf->trusted_proxy);
	take_agent(rq, value[V_AGENT]);
	return 0;
}

int
request_parse(struct request *rq, char *const *envp, const char *body,
    size_t len, const struct conf *conf, struct reply *rep)
{
	const char *value[V_MAX];
	const char *base_url;
	bool trusted;

	if (read_common(rq, envp, value, conf, &trusted) == -1) {
		reply_fault(rep, FAULT_BAD_REQUEST, TWICE);
		return -1;
	}
	rq->body = body;
	rq->body_len = len;
	/* a client that went away half-way, or a web server that says so */
	if (value[V_LENGTH] != NULL && len <= BODY_MAX &&
	    (parse_num(value[V_LENGTH], 0, LONG_MAX, &rq->announced) == -1 ||
	    (body != NULL && (size_t)rq->announced != len))) {
		reply_fault(rep, FAULT_BAD_REQUEST,
		    "The body is not as long as announced.");
		return -1;
	}
	if (pick_method(rq, value[V_OVERRIDE], rep) == -1)
		return -1;
	if (split_path(rq, conf->path_prefix) == -1) {
		reply_fault(rep, FAULT_BAD_REQUEST, "The path is not one that "
		    "can be understood in one way only.");
		return -1;
	}
	base_url = value[V_BASE_URL] != NULL ? value[V_BASE_URL] :
	    conf->base_url;
	if (find_base(rq, value, trusted, base_url) == -1) {
		reply_fault(rep, FAULT_BAD_REQUEST, "The Host is not one.");
		return -1;
	}
	buf_puts(&rq->base, conf->path_prefix);
	if (!buf_ok(&rq->base)) {
		reply_unavailable(rep);
		return -1;
	}
	return 0;
}

int
request_parse_login(struct request *rq, char *const *envp,
    const struct conf *conf, struct reply *rep)
{
	const char *value[V_MAX];
	bool trusted;

	if (read_common(rq, envp, value, conf, &trusted) == -1) {
		reply_fault(rep, FAULT_BAD_REQUEST, TWICE);
		return -1;
	}
	if (value[V_USER] == NULL || value[V_PASSWD] == NULL ||
	    request_login(rq, value[V_USER], value[V_PASSWD]) == 0)
		return 0;
	reply_unavailable(rep);
	return -1;
}

int
request_login(struct request *rq, const char *user, const char *password)
{
	struct buf text;
	bool ok;

	rq->authorization = NULL;
	/* the first colon ends the user (RFC 7617, 2) */
	if (user[0] == '\0' || strchr(user, ':') != NULL)
		return 0;
	buf_init(&text, 0);
	buf_printf(&text, "%s:%s", user, password);
	buf_reset(&rq->given);
	buf_puts(&rq->given, "Basic ");
	base64_encode(&rq->given, buf_text(&text), text.len);
	ok = buf_ok(&text) && buf_ok(&rq->given);
	buf_free(&text);
	if (!ok)
		return -1;
	rq->authorization = buf_text(&rq->given);
	return 0;
}

void
request_free(struct request *rq)
{
	buf_free(&rq->path);
	buf_free(&rq->base);
	buf_free(&rq->given);
}
