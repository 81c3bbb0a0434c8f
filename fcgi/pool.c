#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "keys.h"
#include "listen.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "pool.h"
#include "worker.h"

#define SHORT_LIFE	1000	/* ms; who dies sooner makes us pause */
#define PAUSE_MIN	100	/* ms */
#define PAUSE_MAX	5000	/* ms */
#define STOP_TIME	30000	/* ms until workers are killed */

struct member {
	pid_t	 pid;		/* 0: free */
	int	 generation;	/* of the settings it was started with */
	int64_t	 started;	/* clock_ms() */
};

struct pool {
	struct conf	*conf;
	const char	*path;
	int		 listener;
	struct member	 member[METRICS_WORKERS];	/* old and new */
	int		 generation;
	int		 ready[2];	/* workers write a byte when ready */
	int		 unready;	/* of the newest generation */
	bool		 retire;	/* the older ones, when it is ready */
	int		 signals;
	int64_t		 pause;		/* before a worker is started, ms */
	int64_t		 start_at;	/* when the next may be; 0: at once */
	bool		 stopping;
	int64_t		 kill_at;
	int64_t		 alive_every;	/* watchdog, ms; 0: none asks */
	int64_t		 alive_at;	/* when it is told next */
};

static void
log_num(const char *event, const char *key, long num)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", num);
	log_event(LOG_LEVEL_INFO, event, key, text, NULL);
}

static int
count(const struct pool *pool, int generation)
{
	int n = 0;
	int i;

	for (i = 0; i < METRICS_WORKERS; i++)
		if (pool->member[i].pid != 0 && (generation == 0 ||
		    pool->member[i].generation == generation))
			n++;
	return n;
}

/* -1: there can be no more now. */
static int
start_worker(struct pool *pool)
{
	struct member *m = pool->member;
	pid_t parent = getpid();

	while (m < pool->member + METRICS_WORKERS && m->pid != 0)
		m++;
	if (m == pool->member + METRICS_WORKERS)
		return -1;	/* the old ones are still leaving */
	m->generation = pool->generation;
	m->started = clock_ms();
	if ((m->pid = fork()) == -1) {
		log_event(LOG_LEVEL_ERROR, "fork_failed", "why",
		    strerror(errno), NULL);
		m->pid = 0;
		return -1;
	}
	if (m->pid > 0)
		return 0;
	metrics_join((int)(m - pool->member));
	/* should the manager be killed, finish and leave as well */
	prctl(PR_SET_PDEATHSIG, WORKER_STOP);
	if (getppid() != parent)
		_exit(1);
	close(pool->signals);
	close(pool->ready[0]);
	exit(worker_run(pool->conf, pool->listener, pool->ready[1]));
}

/*
 * How many workers there are to be.  Web server and database have their share
 * of the processors, and fewer workers ask for more devices at once.
 */
static int
wanted(const struct conf *conf)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (conf->workers > 0)
		return (int)conf->workers;
	return processors < 4 ? 1 : processors > 128 ? 64 :
	    (int)(processors / 2);
}

/* Start what is missing of the newest generation. */
static void
fill(struct pool *pool)
{
	if (pool->stopping || clock_ms() < pool->start_at)
		return;
	pool->start_at = 0;
	while (count(pool, pool->generation) < wanted(pool->conf)) {
		if (start_worker(pool) == -1) {
			pool->start_at = clock_ms() + PAUSE_MAX;
			return;
		}
		if (pool->pause > 0) {	/* one, to see whether it lives */
			pool->start_at = clock_ms() + pool->pause;
			return;
		}
	}
}

static void
tell(const struct pool *pool, int signo, bool old_only)
{
	const struct member *m;

	for (m = pool->member; m < pool->member + METRICS_WORKERS; m++)
		if (m->pid != 0 &&
		    (!old_only || m->generation != pool->generation))
			kill(m->pid, signo);
}

static void
reap(struct pool *pool)
{
	struct member *m;
	char how[64];
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (m = pool->member; m < pool->member + METRICS_WORKERS; m++)
			if (m->pid == pid)
				break;
		if (m == pool->member + METRICS_WORKERS)
			continue;
		m->pid = 0;
		metrics_part((int)(m - pool->member));
		if (pool->stopping || m->generation != pool->generation)
			continue;
		if (WIFSIGNALED(status))
			snprintf(how, sizeof(how), "signal %d",
			    WTERMSIG(status));
		else
			snprintf(how, sizeof(how), "exit %d",
			    WEXITSTATUS(status));
		log_event(LOG_LEVEL_WARNING, "worker_died", "how", how, NULL);
		if (clock_ms() - m->started >= SHORT_LIFE)
			pool->pause = 0;
		else
			pool->pause = pool->pause == 0 ? PAUSE_MIN :
			    pool->pause * 2 < PAUSE_MAX ? pool->pause * 2 :
			    PAUSE_MAX;
		if (pool->pause > 0)
			pool->start_at = clock_ms() + pool->pause;
	}
}

static void
reload(struct pool *pool)
{
	struct conf fresh;
	struct buf error;

	notify_send("RELOADING=1");
	buf_init(&error, 0);
	if (conf_load(&fresh, pool->path, &error) == -1 ||
	    keys_check(&fresh) == -1) {
		log_event(LOG_LEVEL_ERROR, "reload_refused", "why",
		    error.len > 0 ? buf_text(&error) : "the keys, see above",
		    NULL);
		conf_free(&fresh);
		notify_send("READY=1");
	} else {
		conf_free(pool->conf);
		*pool->conf = fresh;
		log_setup("devcred", (enum log_level)fresh.log_level);
		pool->generation++;
		pool->unready = wanted(&fresh);
		pool->retire = true;
		pool->pause = 0;
		log_event(LOG_LEVEL_INFO, "reloaded", NULL);
	}
	buf_free(&error);
}

static void
stop(struct pool *pool)
{
	if (pool->stopping)
		return;
	pool->stopping = true;
	pool->kill_at = clock_ms() + STOP_TIME;
	log_event(LOG_LEVEL_INFO, "stopping", NULL);
	notify_send("STOPPING=1");
	tell(pool, WORKER_STOP, false);
}

static void
take_signals(struct pool *pool)
{
	struct signalfd_siginfo info;

	while (read(pool->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap(pool);
			break;
		case SIGHUP:
			if (!pool->stopping)
				reload(pool);
			break;
		default:
			stop(pool);
			break;
		}
	}
}

static void
take_ready(struct pool *pool)
{
	char bytes[METRICS_WORKERS];
	ssize_t n;

	if ((n = read(pool->ready[0], bytes, sizeof(bytes))) <= 0 ||
	    pool->unready == 0)
		return;
	pool->unready -= (int)n < pool->unready ? (int)n : pool->unready;
	if (pool->unready > 0)
		return;
	log_num("ready", "workers", wanted(pool->conf));
	notify_send("READY=1");
	if (pool->retire)
		tell(pool, WORKER_RETIRE, true);
	pool->retire = false;
}

static int
pool_init(struct pool *pool)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	pool->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (pool->signals == -1 || pipe2(pool->ready, O_CLOEXEC) == -1 ||
	    metrics_share() == -1)
		return -1;
	return 0;
}

/* Tell the watchdog, when it is time, that this loop goes round. */
static void
tell_alive(struct pool *pool)
{
	if (pool->alive_every == 0 || clock_ms() < pool->alive_at)
		return;
	notify_send("WATCHDOG=1");
	pool->alive_at = clock_ms() + pool->alive_every;
}

/* Milliseconds until something has to be done; -1: nothing has. */
static int
patience(const struct pool *pool)
{
	int64_t at = pool->stopping ? pool->kill_at : pool->start_at;
	int64_t left;

	if (pool->alive_every > 0 && (at == 0 || pool->alive_at < at))
		at = pool->alive_at;
	left = at - clock_ms();
	if (at == 0)
		return -1;
	return left < 0 ? 0 : (int)left;
}

int
pool_run(struct conf *conf, const char *path, int listener, bool own)
{
	struct pool pool = { .conf = conf, .path = path, .listener = listener,
	    .generation = 1, .unready = wanted(conf),
	    .alive_every = notify_interval() };
	struct pollfd p[2];

	if (pool_init(&pool) == -1) {
		log_event(LOG_LEVEL_ERROR, "pool_failed", "why",
		    strerror(errno), NULL);
		return 1;
	}
	p[0].fd = pool.signals;
	p[0].events = POLLIN;
	p[1].fd = pool.ready[0];
	p[1].events = POLLIN;
	while (!pool.stopping || count(&pool, 0) > 0) {
		fill(&pool);
		tell_alive(&pool);
		if (poll(p, 2, patience(&pool)) == -1 && errno != EINTR)
			return 1;
		if ((p[1].revents & POLLIN) != 0)
			take_ready(&pool);
		take_signals(&pool);
		if (pool.stopping && clock_ms() >= pool.kill_at)
			tell(&pool, SIGKILL, false);
	}
	if (own)
		listen_remove(conf, listener);
	log_event(LOG_LEVEL_INFO, "stopped", NULL);
	return 0;
}
