#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "doctor.h"

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
look_at_access(struct doctor *d, const struct stat *st)
{
	const struct conf *conf = &d->ctl->conf;
	unsigned int mode = (unsigned int)st->st_mode & 0777;
	gid_t gid = st->st_gid;

	if ((long)mode != conf->socket_mode) {
		doctor_say(d, FINDING_FAULT, WHAT, "%s has mode %04o, not "
		    "socket_mode %04lo", conf->socket, mode,
		    (unsigned long)conf->socket_mode);
		doctor_todo(d, "restart devcred.fcgi");
	}
	if (conf->socket_group[0] == '\0')
		return;
	if (!wanted_group(conf->socket_group, &gid)) {
		doctor_say(d, FINDING_FAULT, WHAT, "there is no group %s",
		    conf->socket_group);
		doctor_todo(d, "socket_group = the web server's group, such as "
		    "www-data");
	} else if (gid != st->st_gid) {
		doctor_say(d, FINDING_FAULT, WHAT, "%s has another group than "
		    "socket_group %s", conf->socket, conf->socket_group);
		doctor_todo(d, "restart devcred.fcgi; its user must be a "
		    "member of %s", conf->socket_group);
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
look_at_listener(struct doctor *d, const struct sockaddr_un *addr)
{
	int error = knock(addr);

	d->socket = SOCKET_OPEN;
	switch (error) {
	case 0:
		doctor_say(d, FINDING_OK, WHAT, "devcred.fcgi listens on %s",
		    addr->sun_path);
		break;
	case EAGAIN:
		doctor_say(d, FINDING_WARNING, WHAT, "more clients wait at %s "
		    "than it can hold", addr->sun_path);
		doctor_todo(d, "is the database slow?  Else set more workers");
		break;
	case EACCES:
	case EPERM:
		d->socket = SOCKET_UNKNOWN;
		doctor_say(d, FINDING_WARNING, WHAT, "%s may not be used by "
		    "who you are, so nobody knows whether it works",
		    addr->sun_path);
		doctor_todo(d, "run this as root, or as the web server's user");
		break;
	default:
		d->socket = SOCKET_SILENT;
		doctor_say(d, FINDING_FAULT, WHAT, "nobody listens on %s: %s",
		    addr->sun_path, strerror(error));
		doctor_todo(d, "start devcred.fcgi");
		break;
	}
}

void
doctor_socket(struct doctor *d)
{
	const char *path = d->ctl->conf.socket;
	struct sockaddr_un addr;
	struct stat st;

	memset(&addr, 0, sizeof(addr));
	addr.sun_family = AF_UNIX;
	if (path[0] == '\0' || strlen(path) >= sizeof(addr.sun_path)) {
		doctor_say(d, FINDING_FAULT, WHAT, "a path has 1 to %zu bytes, "
		    "this one %zu", sizeof(addr.sun_path) - 1, strlen(path));
		doctor_todo(d, "socket = a shorter path");
		return;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == -1) {
		/* as CGI, or started by the web server, it needs none */
		d->socket = errno == ENOENT ? SOCKET_ABSENT : SOCKET_UNKNOWN;
		doctor_say(d, FINDING_WARNING, WHAT, "%s: %s", path,
		    strerror(errno));
		doctor_todo(d, "start devcred.fcgi, unless the web server "
		    "starts it");
		return;
	}
	if (!S_ISSOCK(st.st_mode)) {
		doctor_say(d, FINDING_FAULT, WHAT, "%s is something else than "
		    "a socket", path);
		doctor_todo(d, "move it away, or set socket to another path");
		return;
	}
	d->socket_mode = st.st_mode;
	d->socket_uid = st.st_uid;
	d->socket_gid = st.st_gid;
	look_at_access(d, &st);
	look_at_listener(d, &addr);
}
