/*
 * prompt: secrets that people hand over: from the terminal without echo, as a
 * line of standard input, or made for them.  Never from an argument.
 */
#ifndef DEVCREDCTL_PROMPT_H
#define DEVCREDCTL_PROMPT_H

#include <stddef.h>

#include "ctl.h"

/*
 * Bytes of a person's password, which has at most PASSWORD_MAX; bcrypt looks
 * at the first 72 alone.
 */
#define PROMPT_PASSWORD_MIN	8
#define PROMPT_BCRYPT_MAX	72

#define PROMPT_SIZE	1025	/* a line, with NUL */

enum prompt_source { PROMPT_TERMINAL, PROMPT_STDIN, PROMPT_GENERATE };

/*
 * Get the new password of a login into text (PROMPT_SIZE bytes), for
 * enum password_scheme scheme.  The reason of a failure is told.  The caller
 * wipes text in any case.
 */
enum ctl_exit prompt_password(enum prompt_source source, const char *login,
	    long scheme, char *text) MUST_CHECK;

/*
 * Read one line of standard input into text (PROMPT_SIZE bytes), without its
 * newline; what names it to people.  Likewise.
 */
enum ctl_exit prompt_stdin(const char *what, char *text) MUST_CHECK;

#endif
