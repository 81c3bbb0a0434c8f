/*
 * interrupt: commands that take long end at a good moment when they are told
 * to, by INT, TERM or HUP.
 */
#ifndef DEVCREDCTL_INTERRUPT_H
#define DEVCREDCTL_INTERRUPT_H

#include <stdbool.h>

/*
 * From now on signals are only noted; a second one ends the program at once.
 * Those that were ignored stay so.  Waiting in poll(2) ends with EINTR.
 */
void	 interrupt_watch(void);

/* Whether one has come. */
bool	 interrupt_came(void);

/* It was for what is over now. */
void	 interrupt_forget(void);

/* End as the signal would have, so that a shell sees it; or return. */
void	 interrupt_obey(void);

#endif
