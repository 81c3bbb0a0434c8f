#include <fcgiapp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway.h"

struct gateway {
	FCGX_Request	 rq;
	bool		 taken;
};

int
gateway_setup(void)
{
	return FCGX_Init() == 0 ? 0 : -1;
}

struct gateway *
gateway_new(void)
{
	struct gateway *gw;

	if ((gw = calloc(1, sizeof(*gw))) == NULL)
		return NULL;
	/* no listening socket: should the library want to accept, it fails */
	if (FCGX_InitRequest(&gw->rq, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		free(gw);
		return NULL;
	}
	gw->rq.ipcFd = -1;
	return gw;
}

/* Hand a descriptor to the library, in a way that it never closes it. */
static void
lend(FCGX_Request *rq, int fd)
{
	rq->ipcFd = fd;
	rq->keepConnection = 1;
	/* where it closes all the same, it must not wait for the peer */
	rq->detached = 1;
}

int
gateway_take(struct gateway *gw, int fd, struct buf *body, size_t max)
{
	char chunk[8192];
	size_t room;
	int n;

	lend(&gw->rq, fd);
	if (FCGX_Accept_r(&gw->rq) != 0)
		return -1;	/* has closed it */
	gw->taken = true;
	while ((n = FCGX_GetStr(chunk, sizeof(chunk), gw->rq.in)) > 0) {
		room = max - body->len;
		buf_add(body, chunk, (size_t)n < room ? (size_t)n : room);
		explicit_bzero(chunk, (size_t)n);
	}
	if (FCGX_GetError(gw->rq.in) == 0 && buf_ok(body))
		return 0;
	close(fd);
	return -1;
}

char *const *
gateway_env(const struct gateway *gw)
{
	return gw->rq.envp;
}

void
gateway_drop(struct gateway *gw)
{
	char **env;

	/* the library would not wipe its copy of the login */
	for (env = gw->rq.envp; env != NULL && *env != NULL; env++)
		if (strncmp(*env, "HTTP_AUTHORIZATION=", 19) == 0 ||
		    strncmp(*env, "REMOTE_PASSWD=", 14) == 0)
			explicit_bzero(*env, strlen(*env));
	FCGX_Free(&gw->rq, 0);
	gw->rq.ipcFd = -1;
	gw->taken = false;
}

int
gateway_reply(struct gateway *gw, int fd, const struct buf *out)
{
	FCGX_Stream *stream = gw->rq.out;
	unsigned char *stop = stream->stop;
	int rc = -1;

	lend(&gw->rq, fd);
	/* closing both streams ends the request, in one write if it fits */
	if (out->len <= INT_MAX &&
	    FCGX_PutStr(buf_text(out), (int)out->len, stream) != -1 &&
	    FCGX_FClose(gw->rq.err) == 0 && FCGX_FClose(stream) == 0)
		rc = 0;
	/* a password may be left in its buffer */
	explicit_bzero(stream->wrNext, (size_t)(stop - stream->wrNext));
	gateway_drop(gw);
	return rc;
}

void
gateway_free(struct gateway *gw)
{
	if (gw == NULL)
		return;
	if (gw->taken)
		gateway_drop(gw);
	free(gw);
}
