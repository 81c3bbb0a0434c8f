/*
 * prompt: what people are asked.  Secrets that they hand over come from the
 * terminal without echo, as a line of standard input, or are made for them;
 * never from an argument.
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
 * Ask for the password that a login has, once, on the terminal.  Likewise.
 */
enum ctl_exit prompt_login(const char *login, char *text) MUST_CHECK;

/*
 * Read one line of standard input into text (PROMPT_SIZE bytes), without its
 * newline; what names it to people.  Likewise.
 */
enum ctl_exit prompt_stdin(const char *what, char *text) MUST_CHECK;

/*
 * Have people say that it shall be done; fmt is what they lose, half a
 * sentence.  CTL_DONE: they do, or --yes was given; else CTL_FAILED, or, if
 * nobody is there to ask, CTL_USAGE with the reason told.
 */
enum ctl_exit prompt_confirm(const struct ctl *ctl, const char *fmt, ...)
	    MUST_CHECK PRINTF_LIKE(2, 3);

#endif
