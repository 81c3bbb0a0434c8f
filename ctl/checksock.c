#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

#define WHAT	"socket"

/* The group that the socket should have; false if there is no such group. */
static bool
wanted_group(const char *name, gid_t *gid)
{
	struct group *gr;

	if ((gr = getgrnam(name)) == NULL)
		return false;
	*gid = gr->gr_gid;
	return true;
}

static void
check_access(struct check *c, const struct stat *st)
{
	const struct conf *conf = &c->ctl->conf;
	unsigned int mode = (unsigned int)st->st_mode & 0777;
	gid_t gid = st->st_gid;

	if ((long)mode != conf->socket_mode) {
		check_say(c, CHECK_FAULT, WHAT, "%s has mode %04o, not "
		    "socket_mode %04lo", conf->socket, mode,
		    (unsigned long)conf->socket_mode);
		check_todo("restart devcred.fcgi");
	}
	if (conf->socket_group[0] == '\0')
		return;
	if (!wanted_group(conf->socket_group, &gid)) {
		check_say(c, CHECK_FAULT, WHAT, "there is no group %s",
		    conf->socket_group);
		check_todo("socket_group = the web server's group, such as "
		    "www-data");
	} else if (gid != st->st_gid) {
		check_say(c, CHECK_FAULT, WHAT, "%s has another group than "
		    "socket_group %s", conf->socket, conf->socket_group);
		check_todo("restart devcred.fcgi; its user must be a member "
		    "of %s", conf->socket_group);
	}
}

/* Whether somebody listens: 0, or the error of connect(2). */
static int
knock(const struct sockaddr_un *addr)
{
	int error = 0;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == -1)
		error = errno;
	close(fd);
	return error;
}

static void
check_listener(struct check *c, const struct sockaddr_un *addr)
{
	int error = knock(addr);

	switch (error) {
	case 0:
		check_say(c, CHECK_OK, WHAT, "devcred.fcgi listens on %s",
		    addr->sun_path);
		break;
	case EAGAIN:
		check_say(c, CHECK_WARNING, WHAT, "more clients wait at %s "
		    "than it can hold", addr->sun_path);
		check_todo("is the database slow?  Else set more workers");
		break;
	case EACCES:
	case EPERM:
		check_say(c, CHECK_WARNING, WHAT, "%s may not be used by who "
		    "you are, so nobody knows whether it works",
		    addr->sun_path);
		check_todo("run this as root, or as the web server's user");
		break;
	default:
		check_say(c, CHECK_FAULT, WHAT, "nobody listens on %s: %s",
		    addr->sun_path, strerror(error));
		check_todo("start devcred.fcgi");
		break;
	}
}

void
check_socket(struct check *c)
{
	const char *path = c->ctl->conf.socket;
	struct sockaddr_un addr;
	struct stat st;

	memset(&addr, 0, sizeof(addr));
	addr.sun_family = AF_UNIX;
	if (path[0] == '\0' || strlen(path) >= sizeof(addr.sun_path)) {
		check_say(c, CHECK_FAULT, WHAT, "a path has 1 to %zu bytes, "
		    "this one %zu", sizeof(addr.sun_path) - 1, strlen(path));
		check_todo("socket = a shorter path");
		return;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == -1) {
		/* as CGI, or started by the web server, it needs none */
		check_say(c, CHECK_WARNING, WHAT, "%s: %s", path,
		    strerror(errno));
		check_todo("start devcred.fcgi, unless the web server starts "
		    "it");
		return;
	}
	if (!S_ISSOCK(st.st_mode)) {
		check_say(c, CHECK_FAULT, WHAT, "%s is something else than a "
		    "socket", path);
		check_todo("move it away, or set socket to another path");
		return;
	}
	check_access(c, &st);
	check_listener(c, &addr);
}
