/*
 * faults: what a check finds, a line each as it is found for people, all of
 * them in an array for programs.
 */
#ifndef DEVCREDCTL_FAULTS_H
#define DEVCREDCTL_FAULTS_H

#include "buf.h"
#include "ctl.h"

struct faults {
	const struct ctl *ctl;
	struct buf	 array;		/* JSON, not closed yet */
	long		 n;
};

void	 faults_init(struct faults *faults, const struct ctl *ctl);
void	 faults_add(struct faults *faults, const char *fmt, ...)
	    PRINTF_LIKE(2, 3);

/* The array; it lives until faults_free(). */
const char *faults_array(struct faults *faults);
void	 faults_free(struct faults *faults);

#endif
