/*
 * log: one line per event on standard error, key=value.
 *
 * Values that hold anything but plain ASCII are quoted and escaped.
 * Nothing secret is ever passed in here.
 */
#ifndef DEVCRED_LOG_H
#define DEVCRED_LOG_H

#include "buf.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG };

/* Lines of a level above this are left out; who names the program part. */
void	 log_setup(const char *who, enum log_level level);

/* Whether lines of a level are written. */
bool	 log_wants(enum log_level level);

/*
 * The level of lines that may come in thousands: a warning once a second, else
 * for who debugs.  They must neither block who writes them nor drown others.
 */
enum log_level log_seldom(void);

/*
 * Write "who: level event key=value ...": after event come pairs of strings,
 * ended by NULL.  A NULL value leaves its pair out.  Keeps errno.
 */
void	 log_event(enum log_level level, const char *event, ...)
	    __attribute__((sentinel));

#endif
