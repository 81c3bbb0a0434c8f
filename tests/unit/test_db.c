#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "db.h"
#include "log.h"
#include "tap.h"

/* A directory for sockets of PostgreSQL's name for them. */
static char dir[] = "/tmp/devcred-db-XXXXXX";
static char path[64];
static char conninfo[192];

static const struct db_statement two = { "two", "select $1, $2", 2 };

static void
need(bool holds, const char *what)
{
	if (holds)
		return;
	printf("Bail out! %s\n", what);
	exit(1);
}

static void
nap(int ms)
{
	poll(NULL, 0, ms);
}

/* A socket where PostgreSQL's would be; nobody answers there. */
static int
listener_at(const char *where)
{
	struct sockaddr_un sun;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, where, strlen(where) + 1);
	need(fd != -1 && bind(fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == 0 && listen(fd, 8) == 0, "no socket");
	return fd;
}

static int
listener(void)
{
	return listener_at(path);
}

static const struct {
	const char	*name;
	const char	*element;
	const char	*literal;
} elements[] = {
	{ "a word", "abc", "{\"abc\"}" },
	{ "nothing", "", "{\"\"}" },
	{ "null", NULL, "{NULL}" },
	{ "the word NULL", "NULL", "{\"NULL\"}" },
	{ "a quote", "\"", "{\"\\\"\"}" },
	{ "a backslash", "\\", "{\"\\\\\"}" },
	{ "a backslash and a quote", "\\\"", "{\"\\\\\\\"\"}" },
	{ "a backslash at the end", "a\\", "{\"a\\\\\"}" },
	{ "braces and a comma", "{a,b}", "{\"{a,b}\"}" },
	{ "spaces and lines", " a\n", "{\" a\n\"}" },
	{ "UTF-8", "\xc3\xa9", "{\"\xc3\xa9\"}" },
	{ "apostrophes", "';--", "{\"';--\"}" },
};

#define NELEMENTS	(sizeof(elements) / sizeof(elements[0]))

static void
test_array(void)
{
	struct buf all;
	struct buf b;
	struct buf want;
	char *copy;
	size_t i;

	buf_init(&all, 0);
	buf_init(&b, 0);
	buf_init(&want, 0);
	buf_putc(&all, '{');
	for (i = 0; i < NELEMENTS; i++) {
		buf_reset(&b);
		copy = elements[i].element != NULL ?
		    strdup(elements[i].element) : NULL;
		buf_putc(&b, '{');
		db_array_add(&b, copy);
		buf_putc(&b, '}');
		IS_STR(buf_text(&b), elements[i].literal, "an array of %s",
		    elements[i].name);
		db_array_add(&all, copy);
		buf_putc(&want, i > 0 ? ',' : '{');
		buf_add(&want, elements[i].literal + 1,
		    strlen(elements[i].literal) - 2);
		free(copy);
	}
	IS_STR(buf_text(&all), buf_text(&want), "an array of all of them");
	buf_free(&all);
	buf_free(&want);
	buf_init(&want, 8);
	buf_putc(&want, '{');
	db_array_add(&want, "too long for it");
	OK(!buf_ok(&want), "an array past its bound is broken");
	buf_free(&want);
	buf_free(&b);
}

/* A connection without a call. */
static void
test_idle(void)
{
	struct db *db = db_new(conninfo, true, 0);

	need(db != NULL, "no memory");
	OK(!db_busy(db), "a new connection is not busy");
	OK(!db_connected(db), "nor connected");
	IS_INT(db_fd(db), -1, "there is nothing to wait for");
	IS_INT(db_events(db), 0, "nor any event");
	OK(db_deadline(db) == INT64_MAX, "nor a deadline");
	OK(db_step(db), "a step ends nothing");
	IS_STR(db_message(db), "", "nothing has been said");
	db_close(db);
	db_close(db);
	OK(!db_busy(db), "it can be closed twice");
	db_free(db);
	db_free(NULL);
}

static enum db_status
ask(struct db *db, int timeout, int64_t *took)
{
	static const char *const values[] = { "a", NULL };
	struct db_rows rows = { NULL, 7 };
	enum db_status status;
	int64_t start = clock_ms();

	status = db_run(db, &two, values, timeout, &rows);
	*took = clock_ms() - start;
	OK(rows.result == NULL && rows.n == 0, "a failed call has no rows");
	OK(!db_busy(db), "and is over");
	OK(db_deadline(db) == INT64_MAX, "with its deadline");
	db_rows_free(&rows);
	db_rows_free(&rows);
	return status;
}

/* No server, then one that never answers, then none again. */
static void
test_backoff(void)
{
	struct db *db = db_new(conninfo, true, 2);
	int64_t took;
	int peer;
	int fd;

	need(db != NULL, "no memory");
	IS_INT(ask(db, 1000, &took), DB_UNAVAILABLE, "without a server");
	OK(took < 100, "that is known at once");
	OK(strstr(db_message(db), path) != NULL, "it says where: %s", path);
	IS_INT(db_fd(db), -1, "nothing is left to wait for");
	fd = listener();
	IS_INT(ask(db, 1000, &took), DB_UNAVAILABLE, "a moment later");
	OK(took < 50, "no attempt is made");
	OK(accept(fd, NULL, NULL) == -1 && errno == EAGAIN,
	    "not even to connect");
	nap(110);
	IS_INT(ask(db, 80, &took), DB_UNAVAILABLE, "no answer to an attempt");
	OK(took >= 80 && took < 300, "is waited for until the deadline");
	IS_STR(db_message(db), "deadline passed", "which is said");
	OK((peer = accept(fd, NULL, NULL)) != -1, "it had connected");
	close(peer);
	nap(50);
	IS_INT(ask(db, 80, &took), DB_UNAVAILABLE, "soon after the second");
	OK(accept(fd, NULL, NULL) == -1, "it waits for longer");
	nap(170);
	IS_INT(ask(db, 80, &took), DB_UNAVAILABLE, "200 ms after the second");
	OK((peer = accept(fd, NULL, NULL)) != -1, "it tries again");
	close(peer);
	db_free(db);
	close(fd);
	unlink(path);
}

/* Call, step and be hung up on. */
static void
test_hangup(void)
{
	static const char *const values[] = { NULL, "b" };
	struct db_rows rows;
	struct pollfd pfd;
	int64_t end = clock_ms() + 1000;
	struct db *db = db_new(conninfo, false, 0);
	int fd = listener();
	int peer;

	need(db != NULL, "no memory");
	db_call(db, &two, values, end);
	OK(db_busy(db), "a call is under way");
	OK(!db_connected(db), "while it connects");
	OK(db_fd(db) != -1 && db_events(db) != 0, "it waits for something");
	OK(db_deadline(db) == end, "until its deadline");
	OK(!db_step(db), "a step too early ends nothing");
	need((peer = accept(fd, NULL, NULL)) != -1, "no connection");
	close(peer);
	do {
		pfd.fd = db_fd(db);
		pfd.events = db_events(db);
		poll(&pfd, 1, 100);
	} while (!db_step(db) && clock_ms() < end);
	OK(clock_ms() < end, "a server that hangs up ends it early");
	IS_INT(db_result(db, &rows), DB_UNAVAILABLE, "it was not asked");
	OK(rows.result == NULL && rows.n == 0, "there are no rows");
	IS_INT(db_fd(db), -1, "nor a connection");
	db_free(db);
	close(fd);
	unlink(path);
}

static void
test_forgotten(void)
{
	static const char *const values[] = { "a", "b" };
	struct db *db = db_new(conninfo, true, 0);
	struct db_rows rows;
	int fd = listener();
	int peer;

	need(db != NULL, "no memory");
	db_call(db, &two, values, clock_ms() + 1000);
	db_close(db);
	OK(!db_busy(db), "closing forgets the call under way");
	OK(db_fd(db) == -1 && db_deadline(db) == INT64_MAX, "and its waiting");
	OK(db_step(db), "there is nothing to go on with");
	OK((peer = accept(fd, NULL, NULL)) != -1, "it had connected");
	close(peer);
	db_script(db, "select 1; select 2", clock_ms() - 1);
	OK(db_step(db), "a script whose deadline has passed is over");
	IS_INT(db_result(db, &rows), DB_UNAVAILABLE, "it was not asked");
	IS_INT(db_run_script(db, "select 1", 50), DB_UNAVAILABLE,
	    "nor is the next in its wake");
	db_free(db);
	db = db_new(conninfo, true, 0);
	need(db != NULL, "no memory");
	db_call(db, &two, values, clock_ms() + 1000);
	db_free(db);	/* the leak checker looks */
	close(fd);
	unlink(path);
}

/*
 * Of two hosts the first is silent: the second is tried, and tried first from
 * then on.
 */
static void
test_hosts(void)
{
	char list[256];
	char second[80];
	struct db *db;
	int64_t took;
	int peer;
	int fd;
	int other;

	snprintf(second, sizeof(second), "%s/.s.PGSQL.5998", dir);
	snprintf(list, sizeof(list), "host=%s,%s port=5999,5998 dbname=x "
	    "user=x passfile=%s/none gssencmode=disable connect_timeout=1",
	    dir, dir, dir);
	fd = listener();
	other = listener_at(second);
	db = db_new(list, true, 0);
	need(db != NULL, "no memory");
	IS_INT(ask(db, 2500, &took), DB_UNAVAILABLE, "two silent hosts");
	OK(took >= 2500 && took < 3000, "are waited for until the deadline");
	OK((peer = accept(fd, NULL, NULL)) != -1, "the first was tried");
	close(peer);
	OK((peer = accept(other, NULL, NULL)) != -1, "after it the second");
	close(peer);
	OK(accept(fd, NULL, NULL) == -1, "and the first once");
	nap(150);
	close(fd);
	unlink(path);
	IS_INT(ask(db, 50, &took), DB_UNAVAILABLE, "and then");
	OK((peer = accept(other, NULL, NULL)) != -1, "the second at once");
	close(peer);
	close(other);
	unlink(second);
	nap(250);
	IS_INT(ask(db, 1000, &took), DB_UNAVAILABLE, "two that are gone");
	OK(took < 100, "are known to be at once");
	OK(strstr(db_message(db), path) != NULL &&
	    strstr(db_message(db), second) != NULL, "it says where both are");
	db_free(db);
}

static void
test_conninfo(void)
{
	struct db *db = db_new("no such = 'thing", true, 0);
	int64_t took;

	need(db != NULL, "no memory");
	IS_INT(ask(db, 1000, &took), DB_UNAVAILABLE, "a wrong conninfo");
	OK(took < 100, "fails at once");
	OK(db_message(db)[0] != '\0', "with a message");
	db_free(db);
}

int
main(void)
{
	log_setup("test_db", LOG_LEVEL_ERROR);
	need(mkdtemp(dir) != NULL, "no temporary directory");
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5999", dir);
	/* no password file, no encryption: nothing of the machine matters */
	snprintf(conninfo, sizeof(conninfo), "host=%s port=5999 dbname=x "
	    "user=x passfile=%s/none gssencmode=disable", dir, dir);
	test_array();
	test_idle();
	test_backoff();
	test_hangup();
	test_forgotten();
	test_hosts();
	test_conninfo();
	rmdir(dir);
	return tap_done();
}
