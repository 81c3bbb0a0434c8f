#include <signal.h>
#include <string.h>

#include "interrupt.h"

static volatile sig_atomic_t came;

static void
on_signal(int sig)
{
	came = sig;
}

void
interrupt_watch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act;
	struct sigaction old;
	size_t i;

	memset(&act, 0, sizeof(act));
	act.sa_handler = on_signal;
	act.sa_flags = (int)SA_RESETHAND;
	sigemptyset(&act.sa_mask);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
}

bool
interrupt_came(void)
{
	return came != 0;
}

void
interrupt_forget(void)
{
	came = 0;
}

void
interrupt_obey(void)
{
	if (came == 0)
		return;
	signal(came, SIG_DFL);
	raise(came);
}
