/*
 * names: what people type, checked before the database sees it, with reasons
 * they understand.  The same rules stand as constraints in the schema.
 */
#ifndef DEVCREDCTL_NAMES_H
#define DEVCREDCTL_NAMES_H

#include <stdbool.h>

#include "ctl.h"
#include "model.h"

#define NAME_USER_CHARS	200	/* characters of a user's name */

/* A login taken apart. */
struct name_login {
	char		 tenant[TENANT_SIZE];
	const char	*user;		/* into what was taken apart */
	const char	*whole;
};

/* Whether it can be that; the reason is told if not. */
bool	 name_is_tenant(const char *id) MUST_CHECK;
bool	 name_is_host(const char *host) MUST_CHECK;
bool	 name_is_device(const char *id) MUST_CHECK;

/* Whether it is text at all, NULL included; what names it to people. */
bool	 name_is_text(const char *text, const char *what) MUST_CHECK;

/* Take TENANT/NAME apart; -1 with the reason told if it cannot be a login. */
int	 name_login(const char *text, struct name_login *login) MUST_CHECK;

/*
 * Whether *word is one of the words (ended by NULL), in either case; then it
 * points to that one.
 */
bool	 name_is_word(const char **word, const char *const *words) MUST_CHECK;

/* The same for what exactly one of the words begins with. */
bool	 name_begins_word(const char **word, const char *const *words)
	    MUST_CHECK;

/* Whether it is the status of a request, or its beginning. */
#define NAME_STATUSES "WAITING_FOR_CONNECTION, PENDING_ACCEPTANCE, ACCEPTED " \
	"or BLOCKED"
bool	 name_is_status(const char **word) MUST_CHECK;

/* Tell that there is no such tenant, request or credential; CTL_FAILED. */
enum ctl_exit name_no_tenant(const char *id);
enum ctl_exit name_no_request(const char *id);
enum ctl_exit name_no_credential(const char *id);

#endif
