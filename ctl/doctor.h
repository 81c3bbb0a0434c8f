/*
 * doctor: one line for each thing looked at, and what to do about a fault.
 *
 * Nothing it does changes anything: it reads, and knocks.
 */
#ifndef DEVCREDCTL_DOCTOR_H
#define DEVCREDCTL_DOCTOR_H

#include <sys/types.h>

#include "ctl.h"
#include "result.h"

/* Seconds that two clocks may be apart. */
#define DOCTOR_CLOCK	5

enum finding { FINDING_OK, FINDING_WARNING, FINDING_FAULT };

/* What is known of the service's socket. */
enum socket_state { SOCKET_UNKNOWN, SOCKET_ABSENT, SOCKET_SILENT, SOCKET_OPEN };

struct doctor {
	struct ctl	*ctl;
	int		 faults;
	struct result	 findings;	/* for programs */
	struct buf	 todo;		/* of the last one, as JSON */
	/* found out on the way */
	enum socket_state socket;
	mode_t		 socket_mode;	/* if it is there, and the next */
	uid_t		 socket_uid;
	gid_t		 socket_gid;
};

/* Add a finding; what names the thing looked at. */
void	 doctor_say(struct doctor *d, enum finding finding, const char *what,
	    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Add what to do about the last finding. */
void	 doctor_todo(struct doctor *d, const char *fmt, ...)
	    PRINTF_LIKE(2, 3);

/*
 * The parts: the socket; the database as the service and as its owner, and with
 * the owner's connection whether all is in it that has to be; whether a pooler
 * stands before it, which alters how the service must use it.
 */
void	 doctor_socket(struct doctor *d);
void	 doctor_database(struct doctor *d);
void	 doctor_contents(struct doctor *d, struct db *db);
void	 doctor_pooler(struct doctor *d);

/* Compare a clock with ours: seconds since 1970, both at one moment. */
void	 doctor_clock(struct doctor *d, const char *whose, int64_t theirs,
	    int64_t ours);

#endif
