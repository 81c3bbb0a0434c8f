/*
 * tap: assertions that speak the Test Anything Protocol, version 12.
 *
 * Each prints a line; a failed one also says where and what there was
 * instead.  main() of a test ends with "return tap_done();".
 */
#ifndef DEVCRED_TAP_H
#define DEVCRED_TAP_H

#include <stdbool.h>
#include <stddef.h>

/* name is a format for the values after it, and says what holds. */
#define OK(holds, ...) \
	tap_ok((holds), __FILE__, __LINE__, __VA_ARGS__)
#define IS_INT(got, want, ...) \
	tap_is_int((got), (want), __FILE__, __LINE__, __VA_ARGS__)
/* Strings; NULL is equal to NULL alone. */
#define IS_STR(got, want, ...) \
	tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)
/* A text with this part. */
#define HAS(got, part, ...) \
	tap_has((got), (part), __FILE__, __LINE__, __VA_ARGS__)
/* Bytes. */
#define IS_MEM(got, got_len, want, want_len, ...) \
	tap_is_mem((got), (got_len), (want), (want_len), __FILE__, __LINE__, \
	    __VA_ARGS__)

bool	 tap_ok(bool holds, const char *file, int line, const char *name, ...)
	    __attribute__((format(printf, 4, 5)));
bool	 tap_is_int(long long got, long long want, const char *file, int line,
	    const char *name, ...) __attribute__((format(printf, 5, 6)));
bool	 tap_is_str(const char *got, const char *want, const char *file,
	    int line, const char *name, ...)
	    __attribute__((format(printf, 5, 6)));
bool	 tap_has(const char *got, const char *part, const char *file, int line,
	    const char *name, ...) __attribute__((format(printf, 5, 6)));
bool	 tap_is_mem(const void *got, size_t got_len, const void *want,
	    size_t want_len, const char *file, int line, const char *name, ...)
	    __attribute__((format(printf, 7, 8)));

/* Print the plan; the exit status: 0 if all held. */
int	 tap_done(void);

#endif
