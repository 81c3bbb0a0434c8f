#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listen.h"
#include "log.h"
#include "text.h"

#define BACKLOG		1024	/* a full queue is an error to web servers */
#define SYSTEMD_FD	3

static int
complain(const char *path, const char *why)
{
	log_event(LOG_LEVEL_ERROR, "socket_failed", "socket", path, "why", why,
	    NULL);
	return -1;
}

/* Whether somebody listens at the address; a file left over is removed. */
static bool
somebody_listens(const struct sockaddr_un *addr)
{
	struct stat st;
	bool alive;
	int fd;

	if (lstat(addr->sun_path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return false;	/* bind() will say what is wrong */
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return true;
	/* only a refusal tells that it is dead */
	alive = connect(fd, (const struct sockaddr *)addr,
	    sizeof(*addr)) == 0 || errno != ECONNREFUSED;
	close(fd);
	if (!alive)
		unlink(addr->sun_path);
	return alive;
}

static int
set_access(const struct conf *conf)
{
	struct group *gr;

	if (conf->socket_group[0] != '\0') {
		if ((gr = getgrnam(conf->socket_group)) == NULL)
			return complain(conf->socket, "no such group");
		if (chown(conf->socket, (uid_t)-1, gr->gr_gid) == -1)
			return complain(conf->socket, strerror(errno));
	}
	if (chmod(conf->socket, (mode_t)conf->socket_mode) == -1)
		return complain(conf->socket, strerror(errno));
	return 0;
}

int
listen_open(const struct conf *conf)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd;
	int rc;

	if (str_copy(addr.sun_path, sizeof(addr.sun_path), conf->socket,
	    strlen(conf->socket)) == -1)
		return complain(conf->socket, "path longer than 107 bytes");
	if (somebody_listens(&addr))
		return complain(conf->socket, "another instance listens here");
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return complain(conf->socket, strerror(errno));
	/* nobody connects before its group and mode are right */
	mask = umask(0177);
	rc = bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (rc == -1) {
		close(fd);
		return complain(conf->socket, strerror(errno));
	}
	if (set_access(conf) == -1 || listen(fd, BACKLOG) == -1) {
		complain(conf->socket, strerror(errno));
		unlink(conf->socket);
		close(fd);
		return -1;
	}
	return fd;
}

void
listen_remove(const struct conf *conf, int fd)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);

	/* not if the settings name another by now */
	if (getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
	    len > offsetof(struct sockaddr_un, sun_path) &&
	    strcmp(addr.sun_path, conf->socket) == 0)
		unlink(conf->socket);
}

bool
listen_is(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 &&
	    on != 0;
}

int
listen_systemd(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	long n;

	if (pid == NULL || fds == NULL ||
	    parse_num(pid, getpid(), getpid(), &n) == -1 ||
	    parse_num(fds, 1, 1024, &n) == -1 || !listen_is(SYSTEMD_FD))
		return -1;
	return SYSTEMD_FD;
}
