#include <fcgiapp.h>
#include <string.h>
#include <unistd.h>

#include "gateway.h"

/* One worker reads one request at a time, and keeps nothing of it in here. */
static FCGX_Request rq;

int
gateway_setup(void)
{
	if (FCGX_Init() != 0)
		return -1;
	/* no listening socket: should the library want to accept, it fails */
	return FCGX_InitRequest(&rq, -1, FCGI_FAIL_ACCEPT_ON_INTR) == 0 ?
	    0 : -1;
}

/* Copy the variables: an array of pointers, and the text behind it. */
static int
copy_env(char *const *from, struct buf *env)
{
	size_t size = 0;
	size_t len;
	size_t n;
	size_t i;
	char **to;
	char *text;

	for (n = 0; from[n] != NULL; n++)
		size += strlen(from[n]) + 1;
	size += (n + 1) * sizeof(*to);
	buf_reset(env);
	if (buf_room(env, size) == -1)
		return -1;
	to = (void *)env->data;
	text = env->data + (n + 1) * sizeof(*to);
	for (i = 0; i < n; i++) {
		len = strlen(from[i]) + 1;
		to[i] = memcpy(text, from[i], len);
		text += len;
	}
	to[n] = NULL;
	env->len = size;
	return 0;
}

static int
copy_body(FCGX_Stream *in, struct buf *body, size_t max)
{
	char chunk[8192];
	size_t room;
	int n;

	buf_reset(body);
	while ((n = FCGX_GetStr(chunk, sizeof(chunk), in)) > 0) {
		room = max - body->len;
		buf_add(body, chunk, (size_t)n < room ? (size_t)n : room);
		explicit_bzero(chunk, (size_t)n);
	}
	return FCGX_GetError(in) == 0 && buf_ok(body) ? 0 : -1;
}

/* The library would not wipe its copy of the login. */
static void
wipe_login(char *const *env)
{
	for (; *env != NULL; env++)
		if (strncmp(*env, "HTTP_AUTHORIZATION=", 19) == 0 ||
		    strncmp(*env, "REMOTE_PASSWD=", 14) == 0)
			explicit_bzero(*env, strlen(*env));
}

int
gateway_take(int fd, struct buf *env, struct buf *body, size_t max)
{
	int rc;

	/* in a way that it never closes it */
	rq.ipcFd = fd;
	rq.keepConnection = 1;
	/* where it closes all the same, it must not wait for the peer */
	rq.detached = 1;
	if (FCGX_Accept_r(&rq) != 0)
		return -1;	/* has closed it */
	rc = copy_env(rq.envp, env);
	if (copy_body(rq.in, body, max) == -1)
		rc = -1;
	wipe_login(rq.envp);
	FCGX_Free(&rq, 0);
	rq.ipcFd = -1;
	if (rc == -1)
		close(fd);
	return rc;
}

char *const *
gateway_env(const struct buf *env)
{
	return (void *)env->data;
}
