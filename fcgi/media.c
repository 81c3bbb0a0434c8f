#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "media.h"
#include "text.h"

#define VENDOR	"application/vnd.com.nsn.cumulocity."
#define PARAMS	";charset=UTF-8;ver=0.9"

/* What a media range can match, from the least to the most specific. */
enum { RANGE_ALL, RANGE_APPLICATION, RANGE_JSON, RANGE_TYPE, RANGE_MAX };

static const char *const media_type[] = {
	[MEDIA_NONE] = "",
	[MEDIA_NEWDEVICE] = VENDOR "newDeviceRequest+json" PARAMS,
	[MEDIA_NEWDEVICE_LIST] =
	    VENDOR "newDeviceRequestCollection+json" PARAMS,
	[MEDIA_CREDENTIALS] = VENDOR "deviceCredentials+json" PARAMS,
	[MEDIA_BULK] = VENDOR "bulkNewDeviceRequest+json" PARAMS,
	[MEDIA_ERROR] = VENDOR "error+json" PARAMS,
	[MEDIA_JSON] = "application/json" PARAMS,
	[MEDIA_TEXT] = "text/plain;charset=UTF-8",
	[MEDIA_METRICS] = "text/plain;version=0.0.4;charset=UTF-8",
	[MEDIA_FORM] = "application/x-www-form-urlencoded",
};

const char *
media_name(enum media media)
{
	return media_type[media];
}

/* Bytes of the type at s without white space around it and parameters. */
static size_t
bare(const char **s, size_t len)
{
	size_t n;

	while (len > 0 && (**s == ' ' || **s == '\t')) {
		(*s)++;
		len--;
	}
	for (n = 0; n < len && (*s)[n] != ';'; n++)
		continue;
	while (n > 0 && ((*s)[n - 1] == ' ' || (*s)[n - 1] == '\t'))
		n--;
	return n;
}

static bool
is_type(const char *s, size_t len, enum media media)
{
	const char *type = media_type[media];
	size_t n = strcspn(type, ";");

	return len == n && strncasecmp(s, type, n) == 0;
}

bool
media_is(const char *content_type, enum media media)
{
	size_t len;

	if (content_type == NULL)
		return true;
	len = bare(&content_type, strlen(content_type));
	return len == 0 || is_type(content_type, len, media) ||
	    str_is(content_type, len, "application/json");
}

/* The q-value of a media range, in thousandths; 1000 if it has none. */
static long
quality(const char *range, size_t len)
{
	const char *end = range + len;
	double q;

	for (; range < end; range++) {
		if (*range != ';')
			continue;
		for (range++; range < end &&
		    (*range == ' ' || *range == '\t'); range++)
			continue;
		if (end - range >= 2 && (range[0] == 'q' || range[0] == 'Q') &&
		    range[1] == '=') {
			q = strtod(range + 2, NULL);
			return q > 0 && q <= 1 ? (long)(q * 1000 + 0.5) : 0;
		}
		range--;
	}
	return 1000;
}

bool
media_accepted(const char *accept, enum media media)
{
	long best[RANGE_MAX] = { -1, -1, -1, -1 };
	const char *type;
	size_t len;
	size_t n;
	int i;

	if (accept == NULL || accept[strspn(accept, " \t")] == '\0' ||
	    media == MEDIA_NONE)
		return true;
	for (; *accept != '\0'; accept += len + (accept[len] == ',')) {
		len = strcspn(accept, ",");
		type = accept;
		n = bare(&type, len);
		if (n == 0)
			continue;
		if (is_type(type, n, media))
			i = RANGE_TYPE;
		else if (str_is(type, n, "application/json"))
			i = RANGE_JSON;
		else if (str_is(type, n, "application/*"))
			i = RANGE_APPLICATION;
		else if (str_is(type, n, "*/*"))
			i = RANGE_ALL;
		else
			continue;
		best[i] = quality(accept, len);
	}
	for (i = RANGE_TYPE; i >= RANGE_ALL; i--)
		if (best[i] != -1)
			return best[i] > 0;
	return false;
}
