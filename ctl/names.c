#include <string.h>
#include <strings.h>

#include "names.h"
#include "text.h"

#define LETTERS		"abcdefghijklmnopqrstuvwxyz"
#define CAPITALS	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS		"0123456789"
#define HOST_MAX	253	/* bytes (RFC 1035) */

bool
name_is_tenant(const char *id)
{
	size_t len = strlen(id);

	if (len >= 1 && len < TENANT_SIZE && strchr(LETTERS, id[0]) != NULL &&
	    strspn(id, LETTERS DIGITS "_-") == len)
		return true;
	ctl_error("\"%s\" cannot be a tenant: 1 to 32 of a-z, 0-9, _ and -, "
	    "the first one a letter", id);
	return false;
}

bool
name_is_host(const char *host)
{
	static const char inner[] = LETTERS CAPITALS DIGITS;
	size_t len = strlen(host);

	if (len >= 1 && len <= HOST_MAX && strchr(inner, host[0]) != NULL &&
	    strchr(inner, host[len - 1]) != NULL &&
	    strspn(host, LETTERS CAPITALS DIGITS ".-") == len)
		return true;
	ctl_error("\"%s\" cannot be a host name: at most 253 of a-z, 0-9, . "
	    "and -, without a port", host);
	return false;
}

/* Tell which character of a name is the forbidden one. */
static void
tell_forbidden(const char *text, const char *bad, const char *what)
{
	if (bad == NULL)
		ctl_error("this cannot be %s: it is empty, too long or not "
		    "UTF-8", what);
	else
		ctl_error("\"%s\" cannot be %s: no white space, control "
		    "characters or / \\ + $ : (see its byte %ld)", text, what,
		    (long)(bad - text) + 1);
}

bool
name_is_device(const char *id)
{
	const char *bad;

	if (device_id_valid(id, strlen(id), &bad))
		return true;
	tell_forbidden(id, bad, "a device id");
	return false;
}

bool
name_is_text(const char *text, const char *what)
{
	if (text == NULL || utf8_valid(text, strlen(text), NULL))
		return true;
	ctl_error("the %s is not UTF-8", what);
	return false;
}

int
name_login(const char *text, struct name_login *login)
{
	const char *slash = strchr(text, '/');
	const char *bad = NULL;
	size_t chars;
	size_t len;

	if (slash == NULL) {
		ctl_error("\"%s\" names no tenant: a login is TENANT/NAME, as "
		    "management/%s", text, text);
		return -1;
	}
	login->whole = text;
	login->user = slash + 1;
	len = strlen(login->user);
	if (str_copy(login->tenant, sizeof(login->tenant), text,
	    (size_t)(slash - text)) == -1) {
		ctl_error("the tenant in \"%s\" is longer than 32 characters",
		    text);
		return -1;
	}
	if (!name_is_tenant(login->tenant))
		return -1;
	/* the rules are those of a device id, but for the length */
	if (!device_id_valid(login->user, len, &bad) ||
	    !utf8_valid(login->user, len, &chars) || chars > NAME_USER_CHARS) {
		tell_forbidden(login->user, bad, "a user's name");
		return -1;
	}
	if (strncmp(login->user, "device_", 7) == 0) {
		ctl_error("names that start with device_ are kept for the "
		    "devices");
		return -1;
	}
	return 0;
}

bool
name_is_word(const char **word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (str_is(*word, strlen(*word), *words)) {
			*word = *words;
			return true;
		}
	return false;
}

bool
name_begins_word(const char **word, const char *const *words)
{
	const char *found = NULL;
	size_t len = strlen(*word);

	for (; len > 0 && *words != NULL; words++)
		if (strncasecmp(*word, *words, len) == 0) {
			if (found != NULL)
				return false;
			found = *words;
		}
	if (found != NULL)
		*word = found;
	return found != NULL;
}

bool
name_is_status(const char **word)
{
	static const char *const statuses[] = { "WAITING_FOR_CONNECTION",
		"PENDING_ACCEPTANCE", "ACCEPTED", "BLOCKED", NULL };

	return name_begins_word(word, statuses);
}

enum ctl_exit
name_no_tenant(const char *id)
{
	ctl_error("there is no tenant %s", id);
	ctl_advice("devcredctl tenant list");
	return CTL_FAILED;
}

enum ctl_exit
name_no_credential(const char *id)
{
	ctl_error("there is no credential of device %s, or several: then "
	    "name its --tenant", id);
	ctl_advice("devcredctl credential list %s", id);
	return CTL_FAILED;
}

enum ctl_exit
name_no_request(const char *id)
{
	ctl_error("there is no new device request %s", id);
	ctl_advice("devcredctl request list");
	return CTL_FAILED;
}
