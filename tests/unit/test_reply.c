#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "repr.h"
#include "tap.h"
#include "text.h"

static const struct {
	enum fault	 fault;
	const char	*line;
	const char	*error;
} faults[] = {
	{ FAULT_BAD_REQUEST, "400 Bad Request", "general/Bad Request" },
	{ FAULT_NOT_JSON, "400 Bad Request", "devicecontrol/Bad Request" },
	{ FAULT_UNAUTHORIZED, "401 Unauthorized", "security/Unauthorized" },
	{ FAULT_FORBIDDEN, "403 Forbidden", "security/Forbidden" },
	{ FAULT_NOT_FOUND, "404 Not Found", "devicecontrol/Not Found" },
	{ FAULT_METHOD, "405 Method Not Allowed",
	  "general/Method Not Allowed" },
	{ FAULT_NOT_ACCEPTABLE, "406 Not Acceptable",
	  "general/Not Acceptable" },
	{ FAULT_TIMEOUT, "408 Request Timeout", "general/Request Timeout" },
	{ FAULT_TOO_LARGE, "413 Payload Too Large",
	  "general/Payload Too Large" },
	{ FAULT_MEDIA_TYPE, "415 Unsupported Media Type",
	  "general/Unsupported Media Type" },
	{ FAULT_NOT_UNIQUE, "422 Unprocessable Entity",
	  "devicecontrol/Non Unique Result" },
	{ FAULT_VALIDATION, "422 Unprocessable Entity",
	  "undefined/validationError" },
	{ FAULT_UNPROCESSABLE, "422 Unprocessable Entity",
	  "devicecontrol/Unprocessable Entity" },
	{ FAULT_TOO_MANY, "429 Too Many Requests",
	  "general/Too Many Requests" },
	{ FAULT_UNAVAILABLE, "503 Service Unavailable",
	  "general/Service Unavailable" },
};

/* The header and the body of what is written; NULL if there is no body. */
static char *
split(const struct buf *out)
{
	char *end = strstr(out->data, "\r\n\r\n");

	if (end == NULL)
		return NULL;
	end[2] = '\0';
	return end + 4;
}

static void
test_fault(size_t i)
{
	struct reply rep;
	struct repr *obj;
	struct buf out;
	const char *value = NULL;
	const char *why;
	char line[80];
	char *body;

	reply_init(&rep);
	buf_init(&out, 0);
	buf_puts(reply_start(&rep, 201, MEDIA_CREDENTIALS), "half a reply");
	reply_header(&rep, "Location", "nowhere");
	reply_fault(&rep, faults[i].fault, "It is \"%s\".", "x");
	reply_write(&rep, "r-1", &out);
	body = split(&out);
	snprintf(line, sizeof(line), "Status: %s\r\n", faults[i].line);
	OK(strncmp(out.data, line, strlen(line)) == 0, "%s", faults[i].error);
	HAS(out.data, "\r\nContent-Type: application/vnd.com.nsn.cumulocity."
	    "error+json;charset=UTF-8;ver=0.9\r\n", "it has its type");
	snprintf(line, sizeof(line), "\r\nContent-Length: %zu\r\n",
	    strlen(body));
	HAS(out.data, line, "and its length");
	OK(strstr(out.data, "Location") == NULL &&
	    strstr(body, "half") == NULL, "what was begun is forgotten");
	OK((strstr(out.data, "\r\nWWW-Authenticate: Basic ") != NULL) ==
	    (faults[i].fault == FAULT_UNAUTHORIZED),
	    "401, and only it, asks for a login");
	obj = repr_parse(body, strlen(body), &why);
	if (OK(obj != NULL, "the body is an object")) {
		(void)!repr_string(obj, "error", &value);
		IS_STR(value, faults[i].error, "of this error");
		(void)!repr_string(obj, "message", &value);
		IS_STR(value, "It is \"x\".", "and this message");
		repr_free(obj);
	}
	IS_STR(reply_fault_name(faults[i].fault), faults[i].error,
	    "whose name can be asked for");
	buf_free(&out);
	reply_free(&rep);
}

/* A message that is cut is still UTF-8 and JSON. */
static void
test_long_message(void)
{
	char *text = repeated("\xe2\x82\xac", 20000);
	struct repr *obj;
	struct reply rep;
	const char *why = "";
	size_t shift;

	for (shift = 0; shift < 3; shift++) {
		reply_init(&rep);
		reply_fault(&rep, FAULT_VALIDATION, "%.*s%s", (int)shift, "ab",
		    text);
		OK(rep.body.len < 16384, "a long message is cut");
		OK(utf8_valid(buf_text(&rep.body), rep.body.len, NULL),
		    "but not within a character (%zu)", shift);
		obj = repr_parse(buf_text(&rep.body), rep.body.len, &why);
		OK(obj != NULL, "and is JSON still");
		repr_free(obj);
		reply_free(&rep);
	}
	free(text);
}

static void
test_write(void)
{
	struct reply rep;
	struct buf out;

	reply_init(&rep);
	buf_init(&out, 0);
	IS_INT(rep.status, 0, "a new reply is not filled");
	buf_puts(reply_start(&rep, 200, MEDIA_JSON), "{}");
	reply_header(&rep, "X-One", "1");
	reply_header(&rep, "X-Two", "2");
	reply_write(&rep, "r-1", &out);
	IS_STR(buf_text(&out), "Status: 200 OK\r\nContent-Type: application/"
	    "json;charset=UTF-8;ver=0.9\r\nContent-Length: 2\r\n"
	    "X-Request-Id: r-1\r\nX-One: 1\r\nX-Two: 2\r\n\r\n{}",
	    "a reply as CGI wants it");
	buf_reset(&out);
	reply_start(&rep, 204, MEDIA_NONE);
	reply_write(&rep, "r-1", &out);
	IS_STR(buf_text(&out), "Status: 204 No Content\r\n"
	    "X-Request-Id: r-1\r\n\r\n",
	    "204 has neither type nor length");
	buf_reset(&out);
	reply_start(&rep, 201, MEDIA_NONE);
	reply_write(&rep, "r-1", &out);
	IS_STR(buf_text(&out),
	    "Status: 201 Created\r\nContent-Length: 0\r\n"
	    "X-Request-Id: r-1\r\n\r\n",
	    "a reply without a body has a length");
	buf_reset(&out);
	reply_unavailable(&rep);
	reply_write(&rep, "r-1", &out);
	HAS(buf_text(&out), "\r\nRetry-After: 2\r\n", "503 says when to ask");
	buf_reset(&out);
	reply_start(&rep, 200, MEDIA_JSON)->broken = true;
	reply_write(&rep, "r-1", &out);
	OK(buf_ok(&out) && strncmp(buf_text(&out), "Status: 503 ", 12) == 0,
	    "a body that did not fit into memory becomes 503");
	buf_reset(&out);
	reply_start(&rep, 200, MEDIA_JSON);
	rep.head.broken = true;
	reply_write(&rep, "r-1", &out);
	OK(buf_ok(&out) && strncmp(buf_text(&out), "Status: 503 ", 12) == 0,
	    "so does a header that did not");
	OK(strstr(buf_text(&out), "200 OK") == NULL, "and nothing else");
	HAS(buf_text(&out), "\r\nX-Request-Id: r-1\r\n",
	    "but its request is named");
	buf_free(&out);
	reply_free(&rep);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < COUNT(faults); i++)
		test_fault(i);
	test_long_message();
	test_write();
	return tap_done();
}
