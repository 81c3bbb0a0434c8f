/*
 * device: gets a device a login of its own from devcred, keeps it in a file,
 * and logs in with it.  Whatever is lost on the way, it may be started again.
 *
 *	device -u URL -i ID -b FILE -o FILE [-t FILE] [-c FILE] [-s SECONDS]
 *
 *	-b	the bootstrap login: one line, tenant/user:password
 *	-o	where the device's own login is kept, in the same form
 *	-t	the security token: one line
 *	-c	certificates to trust, instead of the system's
 *	-s	begin after up to so many seconds, by chance (10)
 *
 * Exit status: 0 the device has its login, and it works; 1 something here is
 * wrong; 2 wrong arguments; 3 the bootstrap login is refused; 4 the request
 * is; 5 the device's own login is.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOGIN_SIZE	8192
#define ANSWER_SIZE	65536
#define WAIT_FIRST	2	/* seconds, after a first failure */
#define WAIT_MAX	600	/* seconds, whatever is asked for */

enum { DONE, LOCAL = 1, USAGE, NO_BOOTSTRAP, NO_REQUEST, NO_LOGIN };

struct device {
	const char	*url;
	const char	*id;
	const char	*file;			/* where login is kept */
	char		 bootstrap[LOGIN_SIZE];
	char		 login[LOGIN_SIZE];	/* the device's own */
	char		 token[LOGIN_SIZE];	/* empty: none */
	long		 spread;
	CURL		*curl;			/* keeps the connection */
	unsigned int	 failures;		/* one after another */
	long		 asked;			/* seconds to wait, or 0 */
	size_t		 len;
	char		 answer[ANSWER_SIZE];
};

/* Say it; never with a password or token. */
static void __attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("device: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/* The first line of a file; 0, or -1 with errno. */
static int
read_line(const char *path, char *line, size_t size)
{
	FILE *file;
	bool whole;

	if ((file = fopen(path, "re")) == NULL)
		return -1;
	setvbuf(file, NULL, _IONBF, 0);		/* no copy that stays */
	whole = fgets(line, (int)size, file) != NULL;
	fclose(file);
	line[whole ? strcspn(line, "\r\n") : 0] = '\0';
	if (line[0] != '\0' && strlen(line) + 1 < size)
		return 0;
	errno = EINVAL;
	return -1;
}

/* Write a file that is there wholly or not at all, even if the power goes. */
static int
write_new(const char *path, const char *line)
{
	int fd;
	int rc;

	unlink(path);		/* what an earlier attempt may have left */
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600)) == -1)
		return -1;
	rc = line != NULL && dprintf(fd, "%s\n", line) < 0 ? -1 : fsync(fd);
	return close(fd) == -1 ? -1 : rc;
}

static int
sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int rc = -1;
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		rc = fsync(fd);
		close(fd);
	}
	return rc;
}

/* Keep a line in a file; NULL: only find out whether that will do. */
static int
keep(const char *path, const char *line)
{
	char new[PATH_MAX];

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (write_new(new, line) == -1)
		return -1;
	if (line == NULL)
		return unlink(new);
	return rename(new, path) == -1 ? -1 : sync_folder(path);
}

/* Wait so many seconds, and by chance up to so many more. */
static void
wait_about(long seconds, long more)
{
	struct timespec t = { .tv_sec = seconds };
	uint32_t chance = 0;
	int64_t ms;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) == -1)
		chance = (uint32_t)getpid() * 2654435761U;
	ms = more * 1000 * (int64_t)chance / UINT32_MAX;
	t.tv_sec += ms / 1000;
	t.tv_nsec = ms % 1000 * 1000000;
	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		continue;
}

/*
 * Wait as long as the service asked for; after a failure twice as long as the
 * last time, if that is more; and by chance up to half of it in addition.
 */
static void
wait_again(struct device *d, bool failed)
{
	long seconds = failed ? WAIT_FIRST << d->failures : 0;

	d->failures = !failed ? 0 : d->failures < 10 ? d->failures + 1 : 10;
	if (seconds < d->asked)
		seconds = d->asked;
	if (seconds > WAIT_MAX)
		seconds = WAIT_MAX;
	wait_about(seconds, seconds / 2 + 1);
}

static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	struct device *d = arg;

	if (size != 1 || n > sizeof(d->answer) - 1 - d->len)
		return 0;		/* no answer of devcred */
	memcpy(d->answer + d->len, data, n);
	d->len += n;
	return n;
}

/* Ask with a login; the HTTP status, or 0 if there was no whole answer. */
static long
ask(struct device *d, const char *path, const char *login, const char *body)
{
	struct curl_slist *head = NULL;
	char url[LOGIN_SIZE];
	curl_off_t asked = 0;
	long status = 0;
	CURLcode rc;

	snprintf(url, sizeof(url), "%s%s", d->url, path);
	if (body != NULL)
		head = curl_slist_append(NULL,
		    "Content-Type: application/json");
	d->len = 0;
	curl_easy_setopt(d->curl, CURLOPT_URL, url);
	curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(d->curl, CURLOPT_USERPWD, login);
	if (body != NULL)
		curl_easy_setopt(d->curl, CURLOPT_COPYPOSTFIELDS, body);
	else
		curl_easy_setopt(d->curl, CURLOPT_HTTPGET, 1L);
	rc = curl_easy_perform(d->curl);
	d->answer[d->len] = '\0';
	if (rc == CURLE_OK) {
		curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(d->curl, CURLINFO_RETRY_AFTER, &asked);
	} else {
		say("no answer: %s", curl_easy_strerror(rc));
	}
	curl_slist_free_all(head);
	d->asked = asked < WAIT_MAX ? (long)asked : WAIT_MAX;
	return status;
}

static const char *
member(struct json_object *obj, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, name, &value) &&
	    json_object_is_type(value, json_type_string) ?
	    json_object_get_string(value) : "";
}

/* The login that an answer brings, into d->login; -1 if it brings none. */
static int
take_login(struct device *d)
{
	struct json_object *obj = json_tokener_parse(d->answer);
	const char *tenant = member(obj, "tenantId");
	const char *user = member(obj, "username");
	const char *password = member(obj, "password");
	int n = snprintf(d->login, sizeof(d->login), "%s/%s:%s", tenant, user,
	    password);

	if (tenant[0] == '\0' || user[0] == '\0' || password[0] == '\0' ||
	    n >= (int)sizeof(d->login) ||
	    d->login[strcspn(d->login, "\r\n")] != '\0')
		n = -1;
	json_object_put(obj);
	explicit_bzero(d->answer, sizeof(d->answer));
	return n == -1 ? -1 : 0;
}

/* Whether asking again later can be of use. */
static bool
may_pass(long status)
{
	return status == 0 || status == 404 || status == 408 ||
	    status == 429 || status >= 500;
}

/* Ask until there is a login, and keep it. */
static int
get_login(struct device *d)
{
	struct json_object *obj = json_object_new_object();
	const char *body;
	int result = -1;
	long status;
	bool got;

	json_object_object_add(obj, "id", json_object_new_string(d->id));
	if (d->token[0] != '\0')
		json_object_object_add(obj, "securityToken",
		    json_object_new_string(d->token));
	body = json_object_to_json_string(obj);
	while (result == -1) {
		status = ask(d, "/devicecontrol/deviceCredentials",
		    d->bootstrap, body);
		got = status == 201 && take_login(d) == 0;
		if (status != 0 && !got)
			say("%ld %.300s", status, d->answer);
		if (got)
			result = DONE;
		else if (status == 401 || status == 403)
			result = NO_BOOTSTRAP;
		else if (status != 201 && !may_pass(status))
			result = NO_REQUEST;
		else	/* a 404 of devcred's says when to come again */
			wait_again(d, status != 404 || d->asked == 0);
	}
	json_object_put(obj);
	if (result == DONE && keep(d->file, d->login) == -1) {
		say("%s: %s", d->file, strerror(errno));
		return LOCAL;
	}
	return result;
}

/* Log in with what is kept. */
static int
log_in(struct device *d)
{
	long status;

	for (;;) {
		status = ask(d, "/user/currentUser", d->login, NULL);
		if (status == 200) {
			say("logged in as %.*s",
			    (int)strcspn(d->login, ":"), d->login);
			return DONE;
		}
		if (status != 0)
			say("%ld %.300s", status, d->answer);
		if (!may_pass(status))
			return NO_LOGIN;
		wait_again(d, true);
	}
}

/* Whether passwords may be sent to it: over TLS, or to this machine. */
static bool
is_safe(const char *url)
{
	return strchr(url, '@') == NULL &&
	    (strncmp(url, "https://", 8) == 0 ||
	    strncmp(url, "http://127.0.0.1:", 17) == 0);
}

static int
start_curl(struct device *d, const char *trusted)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (d->curl = curl_easy_init()) == NULL)
		return -1;
	curl_easy_setopt(d->curl, CURLOPT_USERAGENT, "devcred-sample");
	curl_easy_setopt(d->curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(d->curl, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, d);
	if (trusted != NULL)
		curl_easy_setopt(d->curl, CURLOPT_CAINFO, trusted);
	return 0;
}

static int
run(struct device *d)
{
	int result = DONE;

	if (read_line(d->file, d->login, sizeof(d->login)) == -1 &&
	    (errno != ENOENT || keep(d->file, NULL) == -1)) {
		say("%s: %s", d->file, strerror(errno));
		return LOCAL;
	}
	wait_about(0, d->spread);
	if (d->login[0] == '\0')
		result = get_login(d);
	d->failures = 0;
	return result == DONE ? log_in(d) : result;
}

static int
usage(void)
{
	say("-u URL -i ID -b FILE -o FILE [-t FILE] [-c FILE] [-s SECONDS]");
	return USAGE;
}

int
main(int argc, char **argv)
{
	static struct device d = { .spread = 10 };
	const char *given[128] = { NULL };
	int c;
	int result;

	while ((c = getopt(argc, argv, "u:i:b:o:t:c:s:")) != -1) {
		if (c == '?')
			return usage();
		given[c] = optarg;
	}
	d.url = given['u'];
	d.id = given['i'];
	d.file = given['o'];
	if (given['s'] != NULL)
		d.spread = strtol(given['s'], NULL, 10);
	if (optind < argc || d.url == NULL || d.id == NULL || d.file == NULL ||
	    given['b'] == NULL || d.spread < 0 || d.spread > 86400)
		return usage();
	if (!is_safe(d.url)) {
		say("%s: passwords go over https:// only", d.url);
		return USAGE;
	}
	if (read_line(given['b'], d.bootstrap, LOGIN_SIZE) == -1 ||
	    (given['t'] != NULL &&
	    read_line(given['t'], d.token, LOGIN_SIZE) == -1) ||
	    start_curl(&d, given['c']) == -1) {
		say("bootstrap login or token: %s", strerror(errno));
		return LOCAL;
	}
	result = run(&d);
	curl_easy_cleanup(d.curl);
	explicit_bzero(&d, sizeof(d));
	return result;
}
