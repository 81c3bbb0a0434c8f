#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "conf.h"
#include "log.h"
#include "text.h"

enum conf_type { CONF_TEXT, CONF_NUMBER, CONF_OCTAL, CONF_WORD };

static const char *const word_onoff[] = { "off", "on", NULL };
static const char *const word_profile[] = { "classic", "current", NULL };
static const char *const word_source[] = { "off", "log", "enforce", NULL };
static const char *const word_scheme[] = { "yescrypt", "bcrypt", NULL };
static const char *const word_level[] = { "error", "warning", "info", "debug",
	NULL };

struct setting {
	const char	 *name;
	enum conf_type	  type;
	size_t		  offset;	/* in struct conf */
	long		  min;
	long		  max;
	const char *const *words;	/* CONF_WORD: value is the place */
	const char	 *preset;
	const char	 *help;
};

#define TEXT(n, preset, help) \
	{ #n, CONF_TEXT, offsetof(struct conf, n), 0, 0, NULL, preset, help }
#define NUMBER(n, min, max, preset, help) \
	{ #n, CONF_NUMBER, offsetof(struct conf, n), min, max, NULL, preset, \
	    help }

#define WORD(n, words, preset, help) \
	{ #n, CONF_WORD, offsetof(struct conf, n), 0, 0, words, preset, help }

static const struct setting settings[] = {
	TEXT(app_database, "dbname=devcred",
	    "libpq connection string of the service; its login is a member of "
	    "devcred_app"),
	TEXT(database, "dbname=devcred",
	    "libpq connection string of devcredctl; its login is a member of "
	    "devcred_owner"),
	TEXT(socket, "/run/devcred/fcgi.sock",
	    "path of the FastCGI socket, at most 107 bytes"),
	{ "socket_mode", CONF_OCTAL, offsetof(struct conf, socket_mode), 0,
	    0777, NULL, "0660", "permissions of the socket, octal" },
	TEXT(socket_group, "",
	    "group of the socket, usually the web server's; empty: the "
	    "service's own"),
	NUMBER(workers, 0, 64, "0",
	    "worker processes; 0: one for each two processors"),
	NUMBER(verifiers, 1, 16, "1",
	    "processes a worker keeps for slow password hashes"),
	WORD(api_profile, word_profile, "classic",
	    "classic: roles and codes of the reference; current: of the newer "
	    "API document"),
	TEXT(base_url, "",
	    "start of every link, as https://host; empty: as the request came"),
	TEXT(path_prefix, "",
	    "what stands before /devicecontrol in the URL path"),
	TEXT(trusted_proxy, "",
	    "addresses and networks whose X-Forwarded-For and "
	    "X-Forwarded-Proto are believed, separated by spaces"),
	TEXT(health_from, "127.0.0.1 ::1",
	    "addresses and networks that may ask whether it is alive"),
	TEXT(ready_from, "127.0.0.1 ::1",
	    "addresses and networks that may ask whether it can work"),
	TEXT(metrics_from, "127.0.0.1 ::1",
	    "addresses and networks that may ask for its metrics"),
	WORD(require_tls, word_onoff, "on",
	    "refuse logins over plain HTTP, except from loopback addresses"),
	TEXT(default_tenant, "management",
	    "tenant of logins that name none and whose host belongs to none"),
	NUMBER(login_cache, 0, 60, "5",
	    "seconds that a worker remembers a bootstrap user's login; 0: no "
	    "login at all"),
	WORD(poll_detail, word_onoff, "on",
	    "tell a polling device its state; off: every refusal looks the "
	    "same"),
	NUMBER(retry_after, 1, 3600, "5",
	    "seconds a refused poll is told to wait, up to twice that"),
	NUMBER(retry_after_max, 1, 86400, "1800",
	    "seconds it is told when more ask than can be served"),
	NUMBER(token_attempts, 1, 100, "5",
	    "wrong security tokens until a request is BLOCKED"),
	NUMBER(delivery_window, 0, 86400, "900",
	    "seconds that an issued password can be delivered again to the "
	    "same device; 0: once"),
	NUMBER(delivery_limit, 1, 1000, "10",
	    "deliveries of one password within that time"),
	WORD(delivery_source, word_source, "log",
	    "a device that asks again from another address: off: is served, "
	    "log: and logged, enforce: is refused"),
	NUMBER(rotation_overlap, 0, 31536000, "86400",
	    "seconds that the password before a rotation works, unless the "
	    "new one is used"),
	NUMBER(crypt_cost, 0, 12, "0",
	    "cost of the bcrypt hashes kept for readers that need crypt(3), "
	    "4 is enough; 0: none"),
	WORD(db_prepare, word_onoff, "on",
	    "named prepared statements; off behind a pooler in transaction "
	    "mode"),
	NUMBER(db_timeout, 100, 60000, "4000",
	    "milliseconds until a database call is given up"),
	NUMBER(body_timeout, 100, 600000, "10000",
	    "milliseconds a request may take to arrive"),
	WORD(password_scheme, word_scheme, "yescrypt",
	    "hash of new passwords of people"),
	TEXT(key_file, "",
	    "file with the keys that seal issued passwords for their delivery "
	    "window; empty: single shot"),
	WORD(log_level, word_level, "info",
	    "error, warning, info or debug"),
};

/* Texts that have to be of a form. */
#define ADDRESSES	"IP addresses and networks, separated by spaces"
static const struct {
	const char	*name;
	bool		(*valid)(const char *text);
	const char	*must;
} forms[] = {
	{ "base_url", link_base_valid,
	    "an address such as https://host:8443/iot" },
	{ "path_prefix", path_prefix_valid,
	    "a path such as /iot, without a slash at its end" },
	{ "trusted_proxy", addr_list_valid, ADDRESSES },
	{ "health_from", addr_list_valid, ADDRESSES },
	{ "ready_from", addr_list_valid, ADDRESSES },
	{ "metrics_from", addr_list_valid, ADDRESSES },
};

/* What a text is not that it must be; NULL if it is. */
static const char *
text_fault(const struct setting *set, const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].name, set->name) == 0 &&
		    text[0] != '\0' && !forms[i].valid(text))
			return forms[i].must;
	return NULL;
}

#define NSETTINGS	(sizeof(settings) / sizeof(settings[0]))

static void *
setting_place(struct conf *conf, const struct setting *set)
{
	return (char *)conf + set->offset;
}

/* A connection string may hold a password. */
static void
text_free(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* Set one value; -1 if it is not of the setting's kind. */
static int
setting_put(struct conf *conf, const struct setting *set, const char *value)
{
	void *place = setting_place(conf, set);
	char *copy;
	char *end;
	long num;
	size_t i;

	switch (set->type) {
	case CONF_TEXT:
		if (text_fault(set, value) != NULL ||
		    (copy = strdup(value)) == NULL)
			return -1;
		text_free(place);
		*(char **)place = copy;
		return 0;
	case CONF_NUMBER:
		return parse_num(value, set->min, set->max, place);
	case CONF_OCTAL:
		errno = 0;
		num = strtol(value, &end, 8);
		if (errno != 0 || value[strspn(value, "01234567")] != '\0' ||
		    end == value || num < set->min || num > set->max)
			return -1;
		*(long *)place = num;
		return 0;
	case CONF_WORD:
		for (i = 0; set->words[i] != NULL; i++)
			if (strcmp(value, set->words[i]) == 0) {
				*(long *)place = (long)i;
				return 0;
			}
		return -1;
	}
	return -1;
}

/* Say what would have been right. */
static void
setting_complain(const struct setting *set, const char *value,
    const char *where, struct buf *error)
{
	const char *must = text_fault(set, value);
	size_t i;

	buf_printf(error, "%s: %s must be ", where, set->name);
	switch (set->type) {
	case CONF_TEXT:
		buf_puts(error, must != NULL ? must : "text that fits");
		break;
	case CONF_NUMBER:
		buf_printf(error, "a number from %ld to %ld", set->min,
		    set->max);
		break;
	case CONF_OCTAL:
		buf_printf(error, "an octal number up to 0%lo",
		    (unsigned long)set->max);
		break;
	case CONF_WORD:
		for (i = 0; set->words[i] != NULL; i++)
			buf_printf(error, "%s%s", i > 0 ? " or " : "",
			    set->words[i]);
		break;
	}
	buf_putc(error, '\n');
}

static char *
trim(char *s)
{
	size_t len;

	while (isspace((unsigned char)*s))
		s++;
	for (len = strlen(s); len > 0 && isspace((unsigned char)s[len - 1]);)
		s[--len] = '\0';
	return s;
}

/* One line of the file; false if it is wrong. */
static bool
conf_line(struct conf *conf, char *line, const char *where, struct buf *error)
{
	char *eq;
	const char *name;
	const char *value;
	size_t i;

	line = trim(line);
	if (line[0] == '\0' || line[0] == '#')
		return true;
	if ((eq = strchr(line, '=')) == NULL) {
		buf_printf(error, "%s: a line is \"name = value\"\n", where);
		return false;
	}
	*eq = '\0';
	name = trim(line);
	for (i = 0; i < NSETTINGS; i++)
		if (strcmp(settings[i].name, name) == 0)
			break;
	if (i == NSETTINGS) {
		buf_printf(error, "%s: there is no setting %s\n", where, name);
		return false;
	}
	value = trim(eq + 1);
	if (setting_put(conf, &settings[i], value) == -1) {
		setting_complain(&settings[i], value, where, error);
		return false;
	}
	return true;
}

static int
conf_file(struct conf *conf, const char *path, bool may_miss,
    struct buf *error)
{
	struct buf where;
	char *line = NULL;
	size_t size = 0;
	FILE *file;
	unsigned int no = 0;
	ssize_t n;
	int rc = 0;

	if ((file = fopen(path, "re")) == NULL) {
		if (errno == ENOENT && may_miss)
			return 0;
		buf_printf(error, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	buf_init(&where, 0);
	while ((n = getline(&line, &size, file)) != -1) {
		buf_reset(&where);
		buf_printf(&where, "%s:%u", path, ++no);
		if (strlen(line) != (size_t)n) {
			buf_printf(error, "%s: there is a NUL in this line\n",
			    buf_text(&where));
			rc = -1;
		} else if (!conf_line(conf, line, buf_text(&where), error)) {
			rc = -1;
		}
	}
	if (ferror(file)) {
		buf_printf(error, "%s: %s\n", path, strerror(errno));
		rc = -1;
	}
	if (line != NULL)	/* may hold a password */
		explicit_bzero(line, size);
	free(line);
	fclose(file);
	buf_free(&where);
	return rc;
}

static int
conf_environment(struct conf *conf, struct buf *error)
{
	char name[64];
	const char *value;
	size_t i;
	size_t k;
	int rc = 0;

	for (i = 0; i < NSETTINGS; i++) {
		snprintf(name, sizeof(name), "DEVCRED_%s", settings[i].name);
		for (k = 0; name[k] != '\0'; k++)
			name[k] = (char)toupper((unsigned char)name[k]);
		if ((value = getenv(name)) == NULL)
			continue;
		if (setting_put(conf, &settings[i], value) == -1) {
			setting_complain(&settings[i], value, name, error);
			rc = -1;
		}
	}
	return rc;
}

const char *
conf_path(const char *path)
{
	if (path == NULL)
		path = getenv("DEVCRED_CONF");
	return path != NULL ? path : SYSCONFDIR "/devcred/devcred.conf";
}

int
conf_load(struct conf *conf, const char *path, struct buf *error)
{
	size_t i;
	int rc = 0;

	memset(conf, 0, sizeof(*conf));
	for (i = 0; i < NSETTINGS; i++)
		if (setting_put(conf, &settings[i], settings[i].preset) == -1) {
			setting_complain(&settings[i], settings[i].preset,
			    "default", error);
			rc = -1;
		}
	if (conf_file(conf, conf_path(path),
	    path == NULL && getenv("DEVCRED_CONF") == NULL, error) == -1)
		rc = -1;
	if (conf_environment(conf, error) == -1)
		rc = -1;
	return rc;
}

void
conf_free(struct conf *conf)
{
	size_t i;

	for (i = 0; i < NSETTINGS; i++) {
		if (settings[i].type != CONF_TEXT)
			continue;
		text_free(setting_place(conf, &settings[i]));
	}
}

void
conf_sample(FILE *out)
{
	size_t i;

	fputs("# devcred.conf: the settings of devcred.fcgi and devcredctl, "
	    "with their defaults.\n# Each can also be set in the environment, "
	    "as DEVCRED_ and its name in upper case.\n", out);
	for (i = 0; i < NSETTINGS; i++)
		fprintf(out, "\n# %s\n#%s = %s\n", settings[i].help,
		    settings[i].name, settings[i].preset);
}
