/*
 * cgi: one request of a plain CGI program (RFC 3875), from the environment
 * and standard input to standard output.
 */
#ifndef DEVCRED_CGI_H
#define DEVCRED_CGI_H

#include "conf.h"

/* Serve it; returns the exit status. */
int	 cgi_run(const struct conf *conf);

/* Answer 503, for when not even the settings can be read. */
int	 cgi_sorry(void);

#endif
