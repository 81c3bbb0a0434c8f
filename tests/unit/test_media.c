#include <stdlib.h>

#include "fixture.h"
#include "media.h"
#include "tap.h"

#define VENDOR	"application/vnd.com.nsn.cumulocity."
#define OURS	VENDOR "newDeviceRequest+json"

static const struct {
	const char	*name;
	const char	*type;		/* NULL: none */
	bool		 good;
} types[] = {
	{ "none", NULL, true },
	{ "an empty one", "", true },
	{ "ours", OURS, true },
	{ "ours with parameters", OURS ";ver=0.9;charset=UTF-8", true },
	{ "ours with spaces and a parameter", "  " OURS " \t; charset=utf-8",
	  true },
	{ "ours in capitals", "APPLICATION/VND.COM.NSN.CUMULOCITY."
	  "NEWDEVICEREQUEST+JSON", true },
	{ "JSON", "application/json", true },
	{ "JSON with a charset", "Application/JSON; charset=utf-8", true },
	{ "another of ours", VENDOR "deviceCredentials+json", false },
	{ "the beginning of ours", VENDOR "newDeviceRequest", false },
	{ "ours and more", OURS "x", false },
	{ "the collection", VENDOR "newDeviceRequestCollection+json", false },
	{ "JSON and more", "application/json5", false },
	{ "JSON and another", "application/json, text/plain", false },
	{ "JSON without a type", "json", false },
	{ "text", "text/plain", false },
	{ "a form", "application/x-www-form-urlencoded", false },
	{ "a range", "*/*", false },
	{ "JSON with a space in it", "application /json", false },
};

static const struct {
	const char	*name;
	const char	*accept;	/* NULL: none */
	bool		 good;
} accepts[] = {
	{ "none", NULL, true },
	{ "an empty one", "", true },
	{ "ours", OURS, true },
	{ "ours with parameters", OURS ";ver=0.9;charset=UTF-8", true },
	{ "ours in capitals", "APPLICATION/VND.COM.NSN.CUMULOCITY."
	  "NEWDEVICEREQUEST+JSON", true },
	{ "JSON", "application/json", true },
	{ "JSON with a charset", "application/json;charset=UTF-8", true },
	{ "all of application", "application/*", true },
	{ "all", "*/*", true },
	{ "all, with spaces", " \t*/* ", true },
	{ "ours as the last of three", "text/html, image/png ," OURS, true },
	{ "a browser's",
	  "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
	  true },
	{ "Java's old one", "text/html, image/gif, *; q=.2, */*; q=.2", true },
	{ "empty elements", ",, application/json ,,", true },
	{ "text", "text/plain", false },
	{ "all of text", "text/*", false },
	{ "another of ours", VENDOR "error+json", false },
	{ "the beginning of ours", VENDOR "newDeviceRequest", false },
	{ "half a range", "application/", false },
	{ "a range of types", "*/json", false },
	{ "a star alone", "*", false },
	{ "garbage", ";;;===", false },
	{ "nothing but a q-value", "q=1", false },
};

/* One q-value of one type. */
static const struct {
	const char	*name;
	const char	*accept;
	bool		 good;
} weights[] = {
	{ "1", "application/json;q=1", true },
	{ "1.000", "application/json;q=1.000", true },
	{ "0.001", "application/json;q=0.001", true },
	{ "0", "application/json;q=0", false },
	{ "0.000", "application/json;q=0.000", false },
	{ "0 in capitals", "application/json;Q=0", false },
	{ "0 after a space", "application/json; q=0", false },
	{ "0 after a tab", "application/json;\tq=0", false },
	{ "0 before a space", "application/json;q=0 ", false },
	{ "0 behind a parameter", "application/json;charset=UTF-8;q=0", false },
	{ "0 behind a name that ends in q", "application/json;xq=1;q=0",
	  false },
	{ "none, but a name that ends in q", "application/json;xq=0", true },
	{ "0 before one of another type", "application/json;q=0,text/plain",
	  false },
	{ "0 of another type", "application/json,text/plain;q=0", true },
	{ "no value", "application/json;q=", false },
	{ "negative", "application/json;q=-1", false },
	{ "above 1", "application/json;q=1.5", false },
	{ "not a number", "application/json;q=nan", false },
	{ "infinite", "application/json;q=inf", false },
	{ "0 for all", "*/*;q=0", false },
	{ "0 for all but JSON", "*/*;q=0, application/json", true },
	{ "0 for all but application", "application/*, */*;q=0", true },
	{ "0 for application alone", "application/*;q=0, */*", false },
	{ "0 for JSON alone", "application/json;q=0, */*", false },
	{ "0 for ours, not for all", OURS ";q=0, */*;q=1", false },
	{ "0 for ours, not for JSON", OURS ";q=0, application/json", false },
	{ "0 for JSON, not for ours", OURS ", application/json;q=0", true },
};

static const struct {
	enum media	 media;
	const char	*name;
} names[] = {
	{ MEDIA_NEWDEVICE, OURS ";charset=UTF-8;ver=0.9" },
	{ MEDIA_NEWDEVICE_LIST, VENDOR "newDeviceRequestCollection+json"
	  ";charset=UTF-8;ver=0.9" },
	{ MEDIA_CREDENTIALS, VENDOR "deviceCredentials+json"
	  ";charset=UTF-8;ver=0.9" },
	{ MEDIA_ERROR, VENDOR "error+json;charset=UTF-8;ver=0.9" },
	{ MEDIA_JSON, "application/json;charset=UTF-8;ver=0.9" },
};

int
main(void)
{
	char *text;
	size_t i;

	for (i = 0; i < COUNT(types); i++)
		IS_INT(media_is(types[i].type, MEDIA_NEWDEVICE),
		    types[i].good, "Content-Type: %s", types[i].name);
	for (i = 0; i < COUNT(accepts); i++)
		IS_INT(media_accepted(accepts[i].accept, MEDIA_NEWDEVICE),
		    accepts[i].good, "Accept: %s", accepts[i].name);
	for (i = 0; i < COUNT(weights); i++)
		IS_INT(media_accepted(weights[i].accept, MEDIA_NEWDEVICE),
		    weights[i].good, "a q-value of %s", weights[i].name);
	for (i = 0; i < COUNT(names); i++) {
		IS_STR(media_name(names[i].media), names[i].name,
		    "the type of an answer");
		OK(media_accepted(names[i].name, names[i].media) &&
		    media_is(names[i].name, names[i].media),
		    "is understood when it comes back");
	}
	OK(media_accepted("text/plain", MEDIA_NONE),
	    "where there is no body, any type will do");
	text = repeated("text/plain;q=0.5,", 5000);
	OK(!media_accepted(text, MEDIA_NEWDEVICE), "5000 other types");
	free(text);
	return tap_done();
}
