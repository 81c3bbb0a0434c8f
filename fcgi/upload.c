#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "route.h"
#include "serve.h"
#include "upload.h"

/* Run the operation of x to its reply; x is filled either way. */
static void
run(struct exchange *x, struct stream *body)
{
	struct db *db;

	db = db_new(x->cx->conf->app_database, false, STORE_SCHEMA);
	if (db != NULL)
		x->op->stream(x, body, db);
	else
		reply_unavailable(&x->reply);
	db_free(db);
	stream_drop(body);
}

/* The process itself: nothing of the worker's is left but the connection. */
static void
serve(struct conn *c, struct exchange *x)
{
	struct stream body;
	sigset_t none;

	if (conn_move(c, STDIN_FILENO) == -1)
		_exit(1);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "devcred-upload");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log_setup("devcred-upload",
	    (enum log_level)x->cx->conf->log_level);
	conn_stream(c, &body);
	run(x, &body);
	_exit(conn_finish(c, serve_reply(x)) == 0 ? 0 : 1);
}

static void
upload_end(struct upload *u)
{
	loop_unwatch(u->pool->loop, &u->watch);
	close(u->watch.fd);
	u->pid = 0;
	u->pool->n--;
}

/* The process has ended. */
static void
upload_ready(void *arg, uint32_t events)
{
	struct upload *u = arg;
	int status;

	(void)events;
	if (waitpid(u->pid, &status, WNOHANG) != u->pid)
		return;
	if (WIFSIGNALED(status))
		log_event(LOG_LEVEL_WARNING, "upload_died", "signal",
		    strsignal(WTERMSIG(status)), "request",
		    conn_request(u->conn), NULL);
	upload_end(u);
	conn_return(u->conn, WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void
upload_init(struct upload_pool *pool, struct loop *loop)
{
	int i;

	memset(pool, 0, sizeof(*pool));
	pool->loop = loop;
	for (i = 0; i < UPLOAD_MAX; i++) {
		pool->upload[i].pool = pool;
		pool->upload[i].watch.ready = upload_ready;
		pool->upload[i].watch.arg = &pool->upload[i];
	}
}

int
upload_start(struct upload_pool *pool, struct conn *c, struct exchange *x)
{
	struct upload *u;

	if (pool->n == UPLOAD_MAX)
		return -1;
	for (u = pool->upload; u->pid != 0; u++)
		continue;
	if ((u->pid = fork()) == 0)
		serve(c, x);
	if (u->pid == -1) {
		u->pid = 0;
		return -1;
	}
	pool->n++;
	u->watch.fd = pidfd_open(u->pid, 0);
	if (u->watch.fd != -1 &&
	    loop_watch(pool->loop, &u->watch, EPOLLIN) == 0) {
		u->conn = c;
		conn_lend(c);
		return 0;
	}
	log_event(LOG_LEVEL_WARNING, "upload_failed", "why", strerror(errno),
	    "request", x->request, NULL);
	kill(u->pid, SIGKILL);
	waitpid(u->pid, NULL, 0);
	upload_end(u);
	return -1;
}

void
upload_stop(struct upload_pool *pool)
{
	struct upload *u;

	for (u = pool->upload; u < pool->upload + UPLOAD_MAX; u++) {
		if (u->pid == 0)
			continue;
		kill(u->pid, SIGKILL);
		waitpid(u->pid, NULL, 0);
		upload_end(u);
	}
}
