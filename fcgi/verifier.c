#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "verifier.h"

/* A question: hash and password, each with its NUL.  An answer: one byte. */
#define QUESTION_SIZE	(PASSWORD_HASH_SIZE + PASSWORD_MAX + 1)

struct verifier {
	struct verifier_pool	*pool;
	pid_t			 pid;
	struct watch		 watch;
	struct exchange		*x;	/* being checked */
};

/* The process itself: answers until nobody asks. */
static void
answer(int fd)
{
	char question[QUESTION_SIZE];
	const char *password;
	ssize_t len;
	char yes;

	while ((len = recv(fd, question, sizeof(question), 0)) > 0) {
		/* the asker is this program: both strings are whole */
		password = question + strlen(question) + 1;
		yes = secret_slow_is(password, question);
		secret_wipe(question, sizeof(question));
		if (send(fd, &yes, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	_exit(0);
}

static void verifier_ready(void *arg, uint32_t events);

static int
verifier_fork(struct verifier *v)
{
	int pair[2];
	sigset_t none;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	if ((v->pid = fork()) == -1) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	if (v->pid == 0) {
		/* nothing of the worker's but the socket */
		if (dup2(pair[1], STDIN_FILENO) == -1)
			_exit(1);
		close_range(STDERR_FILENO + 1, ~0U, 0);
		signal(SIGTERM, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_NAME, "devcred-verify");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer(STDIN_FILENO);
	}
	close(pair[1]);
	v->watch.fd = pair[0];
	v->watch.ready = verifier_ready;
	v->watch.arg = v;
	return loop_watch(v->pool->loop, &v->watch, EPOLLIN);
}

static void
verifier_end(struct verifier *v)
{
	if (v->pid <= 0)
		return;
	loop_unwatch(v->pool->loop, &v->watch);
	close(v->watch.fd);
	kill(v->pid, SIGKILL);
	waitpid(v->pid, NULL, 0);
	v->pid = 0;
}

/* Give the next in the queue to a process that has nothing to do. */
static void
verifier_next(struct verifier *v)
{
	struct verifier_pool *pool = v->pool;
	char question[QUESTION_SIZE];
	struct exchange *x;
	size_t hash;
	size_t password;

	if (v->x != NULL || (x = TAILQ_FIRST(&pool->waiting)) == NULL)
		return;
	TAILQ_REMOVE(&pool->waiting, x, link);
	pool->nwaiting--;
	hash = strlen(x->login_try.hash) + 1;
	password = strlen(x->login_try.password) + 1;
	memcpy(question, x->login_try.hash, hash);
	memcpy(question + hash, x->login_try.password, password);
	v->x = x;
	if (send(v->watch.fd, question, hash + password, MSG_NOSIGNAL) == -1)
		log_event(LOG_LEVEL_WARNING, "verifier_lost", "why",
		    strerror(errno), NULL);	/* its end is noticed next */
	secret_wipe(question, sizeof(question));
}

static void
verifier_ready(void *arg, uint32_t events)
{
	struct verifier *v = arg;
	struct exchange *x = v->x;
	char yes = 0;
	bool known;

	(void)events;
	known = recv(v->watch.fd, &yes, 1, MSG_DONTWAIT) == 1;
	v->x = NULL;
	if (!known) {
		log_event(LOG_LEVEL_WARNING, "verifier_restarted", NULL);
		verifier_end(v);
		if (verifier_fork(v) == -1)
			log_event(LOG_LEVEL_ERROR, "verifier_gone", "why",
			    strerror(errno), NULL);
	}
	if (x != NULL && !known && !x->login_try.asked_again) {
		/* to ask twice does no harm; unless the question kills */
		x->login_try.asked_again = true;
		TAILQ_INSERT_HEAD(&v->pool->waiting, x, link);
		v->pool->nwaiting++;
	} else if (x != NULL) {
		v->pool->done(v->pool->arg, x, known, yes == 1);
	}
	if (v->pid > 0)
		verifier_next(v);
}

int
verifier_start(struct verifier_pool *pool, struct loop *loop, int n)
{
	int i;

	pool->loop = loop;
	pool->nwaiting = 0;
	TAILQ_INIT(&pool->waiting);
	if ((pool->verifier = calloc((size_t)n, sizeof(*pool->verifier))) ==
	    NULL)
		return -1;
	pool->n = n;
	for (i = 0; i < n; i++) {
		pool->verifier[i].pool = pool;
		if (verifier_fork(&pool->verifier[i]) == -1)
			return -1;
	}
	return 0;
}

void
verifier_stop(struct verifier_pool *pool)
{
	int i;

	for (i = 0; i < pool->n; i++)
		verifier_end(&pool->verifier[i]);
	free(pool->verifier);
	pool->verifier = NULL;
	pool->n = 0;
}

bool
verifier_add(struct verifier_pool *pool, struct exchange *x)
{
	int i;

	if (pool->nwaiting == VERIFIER_QUEUE)
		return false;
	TAILQ_INSERT_TAIL(&pool->waiting, x, link);
	pool->nwaiting++;
	for (i = 0; i < pool->n; i++) {
		/* one that could not be restarted before gets another chance */
		if (pool->verifier[i].pid > 0 ||
		    verifier_fork(&pool->verifier[i]) == 0)
			verifier_next(&pool->verifier[i]);
	}
	return true;
}
