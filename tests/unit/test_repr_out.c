/* JSON that goes out. */
#include <string.h>

#include "fixture.h"
#include "repr.h"
#include "tap.h"
#include "text.h"

static const struct {
	const char	*name;
	const char	*text;
	const char	*quoted;
} quotes[] = {
	{ "nothing", "", "\"\"" },
	{ "a word", "abc", "\"abc\"" },
	{ "a quote", "\"", "\"\\\"\"" },
	{ "backslashes", "\\a\\", "\"\\\\a\\\\\"" },
	{ "a newline", "a\nb", "\"a\\u000ab\"" },
	{ "the first control character", "\x01", "\"\\u0001\"" },
	{ "the last control character", "\x1f", "\"\\u001f\"" },
	{ "characters beyond ASCII", "\xc3\xa9\xf0\x9f\x98\x80",
	  "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
	{ "the end of a script", "</script>", "\"</script>\"" },
	{ "a format", "%s%n", "\"%s%n\"" },
};

/* What is quoted is read as what it was, for every byte there is. */
static void
test_quote(void)
{
	struct repr *obj;
	const char *value;
	const char *why;
	struct buf out;
	char text[3] = "x";
	size_t wrong = 0;
	size_t i;

	buf_init(&out, 0);
	for (i = 0; i < COUNT(quotes); i++) {
		buf_reset(&out);
		json_quote(&out, quotes[i].text);
		IS_STR(buf_text(&out), quotes[i].quoted, "quoting %s",
		    quotes[i].name);
	}
	for (i = 1; i < 128; i++) {
		text[1] = (char)i;
		buf_reset(&out);
		buf_puts(&out, "{\"a\":");
		json_quote(&out, text);
		buf_putc(&out, '}');
		obj = repr_parse(buf_text(&out), out.len, &why);
		if (obj == NULL || repr_string(obj, "a", &value) !=
		    REPR_FOUND || strcmp(value, text) != 0)
			wrong++;
		repr_free(obj);
	}
	IS_INT((long long)wrong, 0, "what is quoted can be read again");
	buf_free(&out);
}

#define BASE	"https://h"
#define SELF	",\"self\":\"https://h/devicecontrol/newDeviceRequests/"

static const struct {
	const char		*name;
	struct newdevice	 nd;
	const char		*json;
} newdevices[] = {
	{ "all of it",
	  { "a", "t", "ACCEPTED", "o", "2026-01-02T03:04:05.678Z", "g", "y",
	    "{\"k\": [1, \"v\"]}" },
	  "{\"id\":\"a\",\"status\":\"ACCEPTED\"" SELF "a\",\"tenantId\":\"t\","
	  "\"owner\":\"o\",\"creationTime\":\"2026-01-02T03:04:05.678Z\","
	  "\"groupId\":\"g\",\"type\":\"y\","
	  "\"customProperties\":{\"k\": [1, \"v\"]}}" },
	{ "what may be missing",
	  { "a", "t", "BLOCKED", NULL, "2026", NULL, NULL, "{}" },
	  "{\"id\":\"a\",\"status\":\"BLOCKED\"" SELF "a\",\"tenantId\":\"t\","
	  "\"creationTime\":\"2026\",\"customProperties\":{}}" },
	{ "hostile text",
	  { "\"},{\"?#&%\xc3\xa9", "t", "BLOCKED", "\n", "2026", "\\", "\"",
	    "{}" },
	  "{\"id\":\"\\\"},{\\\"?#&%\xc3\xa9\",\"status\":\"BLOCKED\"" SELF
	  "%22%7D%2C%7B%22%3F%23%26%25%C3%A9\",\"tenantId\":\"t\","
	  "\"owner\":\"\\u000a\",\"creationTime\":\"2026\","
	  "\"groupId\":\"\\\\\",\"type\":\"\\\"\",\"customProperties\":{}}" },
	{ "an id that ends in a brace",
	  { "a{", "t{", "BLOCKED", "o", "2026", NULL, NULL, "{}" },
	  "{\"id\":\"a{\",\"status\":\"BLOCKED\"" SELF "a%7B\","
	  "\"tenantId\":\"t{\",\"owner\":\"o\",\"creationTime\":\"2026\","
	  "\"customProperties\":{}}" },
};

static void
test_newdevice(void)
{
	struct repr *obj;
	const char *why;
	struct buf out;
	size_t i;

	buf_init(&out, 0);
	for (i = 0; i < COUNT(newdevices); i++) {
		buf_reset(&out);
		repr_newdevice(&out, &newdevices[i].nd, NULL, BASE);
		IS_STR(buf_text(&out), newdevices[i].json,
		    "a request with %s", newdevices[i].name);
		obj = repr_parse(buf_text(&out), out.len, &why);
		OK(obj != NULL, "and is JSON");
		repr_free(obj);
	}
	buf_free(&out);
}

static const struct {
	const char	*name;
	const char	*properties;
	const char	*more;
} credentials[] = {
	{ "no properties", NULL, "" },
	{ "empty properties", "{}", "" },
	{ "properties", "{\"a\": 1}", ",\"customProperties\":{\"a\": 1}" },
};

static void
test_credentials(void)
{
	struct buf out;
	struct buf want;
	size_t i;

	buf_init(&out, 0);
	buf_init(&want, 0);
	for (i = 0; i < COUNT(credentials); i++) {
		buf_reset(&out);
		buf_reset(&want);
		repr_credentials(&out, "a\"b", "t", "secret",
		    credentials[i].properties, BASE);
		buf_printf(&want, "{\"id\":\"a\\\"b\",\"tenantId\":\"t\","
		    "\"username\":\"device_a\\\"b\",\"password\":\"secret\","
		    "\"self\":\"https://h/devicecontrol/deviceCredentials/"
		    "a%%22b\"%s}", credentials[i].more);
		IS_STR(buf_text(&out), buf_text(&want), "credentials with %s",
		    credentials[i].name);
	}
	buf_free(&out);
	buf_free(&want);
}

static void
test_error(void)
{
	struct buf out;

	buf_init(&out, 0);
	repr_error(&out, "a/B c", "it's \"x\"\n");
	IS_STR(buf_text(&out), "{\"error\":\"a/B c\","
	    "\"message\":\"it's \\\"x\\\"\\u000a\",\"info\":\"https://"
	    "cumulocity.com/guides/reference-guide/#error_reporting\"}",
	    "an error");
	buf_free(&out);
	buf_init(&out, 20);
	repr_error(&out, "a/B c", "message");
	OK(!buf_ok(&out), "an error that does not fit is not whole");
	buf_free(&out);
}

int
main(void)
{
	test_quote();
	test_newdevice();
	test_credentials();
	test_error();
	return tap_done();
}
