#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"
#include "tap.h"

static const struct {
	const char	*name;
	const char	*usec;
	const char	*pid;		/* "me": this process */
	int		 interval;
} watchdogs[] = {
	{ "without a watchdog", NULL, NULL, 0 },
	{ "half of what it waits", "30000000", NULL, 15000 },
	{ "a watchdog for us", "3000000", "me", 1500 },
	{ "a watchdog for another process", "3000000", "1", 0 },
	{ "a process that is no number", "3000000", "x", 0 },
	{ "the shortest there is", "2000", NULL, 1 },
	{ "too short to be told", "1999", NULL, 0 },
	{ "a time that is no number", "30s", NULL, 0 },
	{ "an empty time", "", NULL, 0 },
};

static void
set(const char *name, const char *value)
{
	char me[24];

	if (value == NULL) {
		unsetenv(name);
		return;
	}
	snprintf(me, sizeof(me), "%ld", (long)getpid());
	setenv(name, strcmp(value, "me") == 0 ? me : value, 1);
}

static void
test_interval(void)
{
	size_t i;

	for (i = 0; i < sizeof(watchdogs) / sizeof(watchdogs[0]); i++) {
		set("WATCHDOG_USEC", watchdogs[i].usec);
		set("WATCHDOG_PID", watchdogs[i].pid);
		IS_INT(notify_interval(), watchdogs[i].interval, "%s",
		    watchdogs[i].name);
	}
}

/* A socket with an abstract name, which the kernel gives; -1: none. */
static int
listener(struct sockaddr_un *addr, socklen_t *len)
{
	int fd;

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	*len = sizeof(addr->sun_family);
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)addr, *len) == -1)
		return -1;
	*len = sizeof(*addr);
	return getsockname(fd, (struct sockaddr *)addr, len) == -1 ? -1 : fd;
}

static void
test_send(void)
{
	struct sockaddr_un addr;
	socklen_t len;
	char name[128], got[64] = "";
	int fd, other;

	notify_send("READY=1");
	fd = listener(&addr, &len);
	OK(fd != -1, "there is a socket to send to");
	snprintf(name, sizeof(name), "@%.*s",
	    (int)(len - sizeof(addr.sun_family) - 1), addr.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_send("READY=1");
	IS_INT(recv(fd, got, sizeof(got) - 1, 0), 7,
	    "a state is one datagram");
	IS_STR(got, "READY=1", "and it is as it was given");
	OK(recv(fd, got, sizeof(got), 0) == -1 && errno == EAGAIN,
	    "what was sent without a socket went nowhere");
	other = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	while (sendto(other, "x", 1, 0, (struct sockaddr *)&addr, len) == 1)
		;
	IS_INT(errno, EAGAIN, "the reader's queue is full");
	notify_send("WATCHDOG=1");
	OK(true, "a reader that does not read is not waited for");
	close(other);
	close(fd);
	notify_send("STOPPING=1");
	OK(true, "nor is one that has gone");
}

int
main(void)
{
	unsetenv("NOTIFY_SOCKET");
	test_interval();
	test_send();
	return tap_done();
}
