#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db_names.h"

#define LOOKUP_TIME	60	/* seconds; then nobody knows the name */
#define HOST_MAX	255	/* bytes of a name, as DNS has it */

void
db_names_init(struct db_names *names)
{
	names->pid = 0;
	names->fd = -1;
	buf_init(&names->text, 0);
}

bool
db_names_is(const char *host, size_t len)
{
	char name[HOST_MAX + 1];
	unsigned char address[sizeof(struct in6_addr)];

	/* a folder of a socket, or an abstract one */
	if (len == 0 || len > HOST_MAX || host[0] == '/' || host[0] == '@')
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return inet_pton(AF_INET, name, address) != 1 &&
	    inet_pton(AF_INET6, name, address) != 1;
}

/* Tell the addresses of a host. */
static void
tell(int n, const char *host, size_t len)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	const struct addrinfo *a;
	char name[HOST_MAX + 1];
	char address[NI_MAXHOST];

	memcpy(name, host, len);
	name[len] = '\0';
	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return;
	for (a = list; a != NULL; a = a->ai_next)
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address,
		    sizeof(address), NULL, 0, NI_NUMERICHOST) == 0)
			dprintf(STDOUT_FILENO, "%d %s\n", n, address);
	freeaddrinfo(list);
}

/* The process itself: nothing of its parent's but the pipe. */
static void
look_up(int out, const char *hosts)
{
	sigset_t none;
	size_t len;
	int n = 0;

	if (dup2(out, STDOUT_FILENO) == -1)
		_exit(1);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	signal(SIGALRM, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "devcred-names");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LOOKUP_TIME);
	for (;; hosts += len + 1, n++) {
		len = strcspn(hosts, ",");
		if (db_names_is(hosts, len))
			tell(n, hosts, len);
		if (hosts[len] == '\0')
			_exit(0);
	}
}

int
db_names_start(struct db_names *names, const char *hosts)
{
	int end[2];

	db_names_stop(names);
	if (pipe2(end, O_CLOEXEC) == -1)
		return -1;
	if ((names->pid = fork()) == 0)
		look_up(end[1], hosts);
	close(end[1]);
	if (names->pid == -1 || fcntl(end[0], F_SETFL, O_NONBLOCK) == -1) {
		close(end[0]);
		names->fd = -1;
		if (names->pid == -1)
			names->pid = 0;
		db_names_stop(names);
		return -1;
	}
	names->fd = end[0];
	return 0;
}

bool
db_names_read(struct db_names *names)
{
	char text[1024];
	ssize_t n;

	while ((n = read(names->fd, text, sizeof(text))) > 0)
		buf_add(&names->text, text, (size_t)n);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	close(names->fd);
	names->fd = -1;
	/* it has closed its end, so it is about to be over */
	kill(names->pid, SIGKILL);
	waitpid(names->pid, NULL, 0);
	names->pid = 0;
	return true;
}

void
db_names_stop(struct db_names *names)
{
	if (names->fd != -1)
		close(names->fd);
	names->fd = -1;
	if (names->pid > 0) {
		kill(names->pid, SIGKILL);
		waitpid(names->pid, NULL, 0);
	}
	names->pid = 0;
	buf_free(&names->text);
}
