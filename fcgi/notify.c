#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"
#include "text.h"

#define USEC_IN_MS	1000

void
notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (path == NULL || str_copy(addr.sun_path, sizeof(addr.sun_path),
	    path, strlen(path)) == -1)
		return;
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path));
	if (addr.sun_path[0] == '@')	/* an abstract name */
		addr.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return;
	/* not wait for a systemd that does not read: it can be told later */
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (const struct sockaddr *)&addr, len) == -1)
		log_event(LOG_LEVEL_WARNING, "notify_failed", "why",
		    strerror(errno), NULL);
	close(fd);
}

int64_t
notify_interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long n;

	if (usec == NULL || parse_num(usec, 2 * USEC_IN_MS, LONG_MAX, &n) == -1)
		return 0;
	/* inherited from a parent that was meant, we are not */
	if (pid != NULL) {
		long meant;

		if (parse_num(pid, getpid(), getpid(), &meant) == -1)
			return 0;
	}
	return n / USEC_IN_MS / 2;
}
