#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "gateway.h"
#include "keys.h"
#include "log.h"
#include "metrics.h"
#include "worker.h"
#include "worker_state.h"

#define ACCEPT_TURN	64	/* connections taken in one turn */
#define ACCEPT_PAUSE	100	/* ms, when there are no more descriptors */
#define GRACE_TIME	5000	/* ms that a stopping worker waits */
#define STOP_TIME	20000	/* ms after which it gives up then */
#define RETIRE_TIME	75000	/* ms; web servers keep idle ones for 60 s */
#define LINGER_TIME	200	/* ms that a connection may be idle */
#define CHORE_TIME	60000	/* ms between two of them */
#define HEAP_KEPT	(8 * 1024 * 1024)	/* bytes */

static void
accept_all(struct worker *w, int max)
{
	int fd;

	while (max-- > 0) {
		fd = accept4(w->listener.fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			conn_open(&w->group, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			log_event(LOG_LEVEL_WARNING, "accept_paused", "why",
			    strerror(errno), NULL);
			loop_unwatch(w->loop, &w->listener);
			loop_timer(w->loop, &w->pause,
			    clock_ms() + ACCEPT_PAUSE);
		}
		return;
	}
}

static void
listener_ready(void *arg, uint32_t events)
{
	(void)events;
	accept_all(arg, ACCEPT_TURN);
}

static void
pause_over(void *arg)
{
	struct worker *w = arg;

	if (!w->leaving && loop_watch(w->loop, &w->listener,
	    EPOLLIN | EPOLLEXCLUSIVE) == -1)
		w->gone = true;
}

static void
patience_over(void *arg)
{
	struct worker *w = arg;

	if (w->group.linger == CONN_CLOSE) {
		w->gone = true;
		return;
	}
	/* a web server that never lets go has to be let go */
	conn_group_linger(&w->group, CONN_CLOSE);
	loop_timer(w->loop, &w->patience, clock_ms() + STOP_TIME);
}

/*
 * Wipe what has run out, also if nobody asks.  Every worker of every instance
 * does it; whoever comes second finds nothing to do.
 */
static void
chores_due(void *arg)
{
	struct worker *w = arg;

	if (!w->leaving)
		worker_chore(w);
	loop_timer(w->loop, &w->chores, clock_ms() + CHORE_TIME);
}

static void
leave(struct worker *w, bool now)
{
	if (!w->leaving) {
		/* those who are in the queue have been promised an answer */
		accept_all(w, 4096);
		loop_unwatch(w->loop, &w->listener);
		close(w->listener.fd);
		w->listener.fd = -1;
	}
	w->leaving = true;
	if (w->group.linger == CONN_CLOSE)
		return;
	/* a connection that is in use may get a request in any moment */
	conn_group_linger(&w->group, LINGER_TIME);
	loop_timer(w->loop, &w->patience,
	    clock_ms() + (now ? GRACE_TIME : RETIRE_TIME));
}

static void
signalled(void *arg, uint32_t events)
{
	struct worker *w = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(w->signals.fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == WORKER_STOP)
			leave(w, true);
		else if (info.ssi_signo == WORKER_RETIRE && !w->leaving)
			leave(w, false);
	}
}

static int
watch_signals(struct worker *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, WORKER_STOP);
	sigaddset(&set, WORKER_RETIRE);
	/* the manager's; a worker of its own has no use for it */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_SETMASK, &set, NULL) == -1)
		return -1;
	w->signals.ready = signalled;
	w->signals.arg = w;
	w->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (w->signals.fd == -1)
		return -1;
	return loop_watch(w->loop, &w->signals, EPOLLIN);
}

static int
watch_listener(struct worker *w, int listener)
{
	struct rlimit limit;
	int flags = fcntl(listener, F_GETFL);

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	w->listener.fd = listener;
	w->listener.ready = listener_ready;
	w->listener.arg = w;
	w->pause.passed = pause_over;
	w->pause.arg = w;
	w->patience.passed = patience_over;
	w->patience.arg = w;
	if (flags == -1 || fcntl(listener, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	return loop_watch(w->loop, &w->listener, EPOLLIN | EPOLLEXCLUSIVE);
}

static int
worker_init(struct worker *w, const struct conf *conf, int listener)
{
	int i;

	memset(w, 0, sizeof(*w));
	TAILQ_INIT(&w->group.conns);
	w->cx.conf = conf;
	w->cx.pace = &w->pace;
	/* libfcgi puts its own signal handlers; ours come after and win */
	if (gateway_setup() == -1 || (w->loop = loop_new()) == NULL ||
	    watch_signals(w) == -1)
		return -1;
	w->verifiers.done = worker_hashed;
	w->verifiers.arg = w;
	if (verifier_start(&w->verifiers, w->loop, (int)conf->verifiers) == -1)
		return -1;
	upload_init(&w->uploads, w->loop);
	w->chores.passed = chores_due;
	w->chores.arg = w;
	loop_timer(w->loop, &w->chores, clock_ms() + CHORE_FIRST);
	if (keys_load(conf, &w->cx.keyring) == -1)
		return -1;
	if ((w->cx.auth = auth_new(conf)) == NULL)
		return -1;
	for (i = 0; i < LANE_MAX; i++) {
		if (lane_init(&w->lane[i], i, w->loop, conf) == -1)
			return -1;
		w->lane[i].done = worker_called;
		w->lane[i].arg = w;
	}
	w->group.loop = w->loop;
	w->group.conf = conf;
	/* the answer goes out before the database call is given up */
	w->group.answer_timeout = conf->db_timeout;
	w->group.request = worker_requested;
	w->group.streams = worker_streams;
	w->group.give_up = worker_given_up;
	w->group.arg = w;
	return watch_listener(w, listener);
}

/* Say what this worker is at, for who looks after it. */
static void
tell(struct worker *w)
{
	int64_t busy = loop_busy(w->loop);
	int database = 0;
	int i;

	for (i = 0; i < LANE_MAX; i++)
		if (db_connected(w->lane[i].db))
			database++;
	metrics_tell(w->group.n, w->serving + w->uploads.n, database, busy);
	pace_note(&w->pace, clock_us(), busy, w->serving);
}

/* Have the database asked for whatever waits, until it is to answer. */
static void
flush(struct worker *w)
{
	bool again;
	int i;

	do {
		again = false;
		for (i = 0; i < LANE_MAX; i++)
			if (lane_flush(&w->lane[i]))
				again = true;
	} while (again);
}

int
worker_run(const struct conf *conf, int listener, int ready)
{
	static struct worker w;
	int i;

	log_setup("devcred-worker", (enum log_level)conf->log_level);
	/* what a long list took is for the next one, not for the kernel */
	mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
	mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	if (worker_init(&w, conf, listener) == -1) {
		log_event(LOG_LEVEL_ERROR, "worker_failed", "why",
		    strerror(errno), NULL);
		return 1;
	}
	if (ready != -1 && write(ready, "r", 1) == 1)
		close(ready);
	while (!w.gone && !(w.leaving && w.group.n == 0)) {
		if (loop_once(w.loop) == -1) {
			log_event(LOG_LEVEL_ERROR, "worker_failed", "why",
			    strerror(errno), NULL);
			return 1;
		}
		flush(&w);
		tell(&w);
	}
	for (i = 0; i < LANE_MAX; i++)
		lane_free(&w.lane[i]);
	verifier_stop(&w.verifiers);
	upload_stop(&w.uploads);
	auth_free(w.cx.auth);
	keyring_free(w.cx.keyring);
	loop_free(w.loop);
	return 0;
}
