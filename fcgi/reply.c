#include <stdarg.h>
#include <stdio.h>

#include "repr.h"
#include "reply.h"
#include "text.h"

#define MESSAGE_SIZE	8192	/* bytes; holds an id and words around it */
#define HEAD_SIZE	512	/* bytes; room for what every reply has */
#define RETRY_AFTER	2	/* seconds, when the database is away */

static const struct {
	int		 status;
	const char	*error;
} faults[] = {
	[FAULT_BAD_REQUEST] = { 400, "general/Bad Request" },
	[FAULT_NOT_JSON] = { 400, "devicecontrol/Bad Request" },
	[FAULT_UNAUTHORIZED] = { 401, "security/Unauthorized" },
	[FAULT_FORBIDDEN] = { 403, "security/Forbidden" },
	[FAULT_NOT_FOUND] = { 404, "devicecontrol/Not Found" },
	[FAULT_METHOD] = { 405, "general/Method Not Allowed" },
	[FAULT_NOT_ACCEPTABLE] = { 406, "general/Not Acceptable" },
	[FAULT_TIMEOUT] = { 408, "general/Request Timeout" },
	[FAULT_TOO_LARGE] = { 413, "general/Payload Too Large" },
	[FAULT_MEDIA_TYPE] = { 415, "general/Unsupported Media Type" },
	[FAULT_NOT_UNIQUE] = { 422, "devicecontrol/Non Unique Result" },
	[FAULT_VALIDATION] = { 422, "undefined/validationError" },
	[FAULT_UNPROCESSABLE] = { 422, "devicecontrol/Unprocessable Entity" },
	[FAULT_TOO_MANY] = { 429, "general/Too Many Requests" },
	[FAULT_UNAVAILABLE] = { 503, "general/Service Unavailable" },
};

static const struct {
	int		 status;
	const char	*reason;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 204, "No Content" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 413, "Payload Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Entity" },
	{ 429, "Too Many Requests" },
	{ 503, "Service Unavailable" },
};

void
reply_init(struct reply *rep)
{
	rep->status = 0;
	rep->media = MEDIA_NONE;
	buf_init(&rep->head, 0);
	buf_init(&rep->body, 0);
}

void
reply_free(struct reply *rep)
{
	buf_free(&rep->head);
	buf_free(&rep->body);
}

struct buf *
reply_start(struct reply *rep, int status, enum media media)
{
	rep->status = status;
	rep->media = media;
	buf_reset(&rep->head);
	buf_reset(&rep->body);
	return &rep->body;
}

void
reply_header(struct reply *rep, const char *name, const char *value)
{
	buf_printf(&rep->head, "%s: %s\r\n", name, value);
}

void
reply_fault(struct reply *rep, enum fault fault, const char *fmt, ...)
{
	char message[MESSAGE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	/* if it was cut, then not within a character */
	message[utf8_cut(message, sizeof(message) - 4)] = '\0';
	repr_error(reply_start(rep, faults[fault].status, MEDIA_ERROR),
	    faults[fault].error, message);
	if (fault == FAULT_UNAUTHORIZED)
		reply_header(rep, "WWW-Authenticate",
		    "Basic realm=\"devcred\", charset=\"UTF-8\"");
}

const char *
reply_fault_name(enum fault fault)
{
	return faults[fault].error;
}

void
reply_unavailable(struct reply *rep)
{
	reply_fault(rep, FAULT_UNAVAILABLE,
	    "The service cannot answer now; try again later.");
	reply_retry(rep);
}

void
reply_retry(struct reply *rep)
{
	reply_retry_after(rep, RETRY_AFTER);
}

void
reply_retry_after(struct reply *rep, long seconds)
{
	buf_printf(&rep->head, "Retry-After: %ld\r\n", seconds);
}

static const char *
reason(int status)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

static void
write_out(const struct reply *rep, const char *request, struct buf *out)
{
	(void)buf_room(out, HEAD_SIZE + rep->head.len + rep->body.len);
	buf_printf(out, "Status: %d ", rep->status);
	buf_puts(out, reason(rep->status));
	if (rep->media != MEDIA_NONE) {
		buf_puts(out, "\r\nContent-Type: ");
		buf_puts(out, media_name(rep->media));
	}
	if (rep->status != 204)
		buf_printf(out, "\r\nContent-Length: %zu", rep->body.len);
	buf_puts(out, "\r\nX-Request-Id: ");
	buf_puts(out, request);
	buf_puts(out, "\r\n");
	buf_add(out, buf_text(&rep->head), rep->head.len);
	buf_puts(out, "\r\n");
	buf_add(out, buf_text(&rep->body), rep->body.len);
	/* a reply that did not fit into memory must not look whole */
	if (!buf_ok(&rep->head) || !buf_ok(&rep->body))
		out->broken = true;
}

void
reply_write(const struct reply *rep, const char *request, struct buf *out)
{
	struct reply sorry;

	write_out(rep, request, out);
	if (buf_ok(out))
		return;
	buf_free(out);
	reply_init(&sorry);
	reply_unavailable(&sorry);
	write_out(&sorry, request, out);
	reply_free(&sorry);
}
