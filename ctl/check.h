/*
 * check: one line for each thing looked at, and what to do about a fault.
 */
#ifndef DEVCREDCTL_CHECK_H
#define DEVCREDCTL_CHECK_H

#include "ctl.h"

enum verdict { CHECK_OK, CHECK_WARNING, CHECK_FAULT };

struct check {
	struct ctl	*ctl;
	int		 faults;
};

/* Write the line of a verdict; what names the thing looked at. */
void	 check_say(struct check *c, enum verdict verdict, const char *what,
	    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Write what to do about it, below. */
void	 check_todo(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The parts: the socket; the database as the service and as its owner. */
void	 check_socket(struct check *c);
void	 check_database(struct check *c);

#endif
