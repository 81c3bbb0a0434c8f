/*
 * doctor: one line for each thing looked at, and what to do about a fault.
 *
 * Nothing it does changes anything: it reads, knocks, and asks the service
 * what it refuses without looking further.
 */
#ifndef DEVCREDCTL_DOCTOR_H
#define DEVCREDCTL_DOCTOR_H

#include <sys/types.h>

#include "ctl.h"
#include "result.h"
#include "web.h"

/* Seconds that two clocks may be apart. */
#define DOCTOR_CLOCK	5

enum finding { FINDING_OK, FINDING_WARNING, FINDING_FAULT };

/* What is known of the service's socket. */
enum socket_state { SOCKET_UNKNOWN, SOCKET_ABSENT, SOCKET_SILENT, SOCKET_OPEN };

/* The web servers whose lines are known. */
enum server { SERVER_LIGHTTPD, SERVER_APACHE, SERVER_NGINX, SERVER_OTHER };

/* What is wrong with a web server's settings. */
enum trap {
	TRAP_PATHS,		/* a path does not lead to the service */
	TRAP_SOCKET,		/* it finds another socket, or none */
	TRAP_PAGES,		/* it shows its own pages for refusals */
	TRAP_LOGIN,		/* keeps Authorization to itself */
	TRAP_SLASH,		/* refuses encoded slashes */
	TRAP_RAW,		/* hands over a path that it has decoded */
	TRAP_LONG,		/* refuses long addresses */
	TRAP_BODY,		/* refuses bodies */
	TRAP_BODY_FCGID,	/* the same: Apache's mod_fcgid */
	TRAP_METHOD,		/* refuses PUT or DELETE */
	TRAP_OVERRIDE,		/* keeps X-HTTP-METHOD to itself */
	TRAP_TLS,		/* does not tell that there was TLS */
	TRAP_HOST,		/* does not tell host and port */
	TRAP_ID_IN,		/* keeps X-Request-Id to itself */
	TRAP_ID_OUT		/* or that of answers */
};

struct doctor {
	struct ctl	*ctl;
	int		 faults;
	struct result	 findings;	/* for programs */
	struct buf	 todo;		/* of the last one, as JSON */
	/* as the command line says; NULL: it does not */
	const char	*url;
	const char	*ca;
	const char	*user;		/* TENANT/NAME */
	const char	*password;	/* with user */
	/* found out on the way */
	enum socket_state socket;
	mode_t		 socket_mode;	/* if it is there, and the next */
	uid_t		 socket_uid;
	gid_t		 socket_gid;
	enum server	 server;
	struct buf	 base;		/* what links have to begin with */
	char		 request[32];	/* the id of our requests */
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
 * stands before it, which alters how the service must use it; the way through
 * the web server; requests that have to be refused by the service and not
 * before it; a login of --user.
 */
void	 doctor_socket(struct doctor *d);
void	 doctor_database(struct doctor *d);
void	 doctor_contents(struct doctor *d, struct db *db);
void	 doctor_pooler(struct doctor *d);
void	 doctor_web(struct doctor *d);
void	 doctor_trials(struct doctor *d, struct web *web);
void	 doctor_login(struct doctor *d, struct web *web);

/* Compare a clock with ours: seconds since 1970, both at one moment. */
void	 doctor_clock(struct doctor *d, const char *whose, int64_t theirs,
	    int64_t ours);

/* Which web server wrote this, by header or error page. */
enum server doctor_server(const struct web_answer *answer);

/* Its name, also for SERVER_OTHER. */
const char *doctor_server_name(enum server server);

/* Add the line that mends it, for d->server, or for each that there is. */
void	 doctor_cure(struct doctor *d, enum trap trap);

/* Why the web server does not get at the service, and what to do about it. */
void	 doctor_gateway(struct doctor *d, const struct web_answer *answer);

/* Send a request with the id that all of ours have. */
void	 doctor_ask(struct doctor *d, struct web *web,
	    const struct web_ask *ask, struct web_answer *answer);

/* Whether an answer is the service's own, and a refusal with these words. */
bool	 doctor_is_ours(const struct web_answer *answer);
bool	 doctor_says(const struct web_answer *answer, const char *words);

/* Tell who answered instead of the service, and what. */
void	 doctor_other(struct doctor *d, const char *what,
	    const struct web_answer *answer, const char *asked);

#endif
