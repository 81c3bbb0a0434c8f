/*
 * fuzz: what the fuzz targets share.
 *
 * A target is a file that defines LLVMFuzzerTestOneInput(): it hands bytes to
 * one parser and says what has to hold whatever they are.  libFuzzer looks for
 * bytes with which it does not (tests/fuzz/run); replay.c does without and
 * tries the bytes that are kept in tests/fuzz/corpus.
 */
#ifndef DEVCRED_FUZZ_H
#define DEVCRED_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve.h"

/* Returns 0; ends the program if something does not hold. */
int	 LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* End the program, and say where, unless it holds. */
#define HOLDS(what) \
	((what) ? (void)0 : fuzz_broken(#what, __FILE__, __LINE__))
void	 fuzz_broken(const char *what, const char *file, int line)
	    __attribute__((noreturn));

/* The bytes up to the first NUL as a string, in a block of just its size. */
char	*fuzz_text(const uint8_t *data, size_t size);

/* The same of the first line; *data and *size go on behind it. */
char	*fuzz_line(const uint8_t **data, size_t *size);

/* Settings that are the defaults but for these lines; freed by nobody. */
const struct context *fuzz_context(const char *lines);

/* A request of an administrator with this body, parsed; exchange_free(). */
struct exchange *fuzz_exchange(const struct context *cx, const char *body,
	    size_t len);

/* A request: lines of NAME=value, an empty line, the body. */
#define FUZZ_VARIABLES	40	/* at most */
struct fuzz_request {
	char	*env[FUZZ_VARIABLES + 1];
	size_t	 n;
	char	*body;
	size_t	 len;
};
void	 fuzz_request_read(struct fuzz_request *rq, const uint8_t *data,
	    size_t size);
void	 fuzz_request_free(struct fuzz_request *rq);

/* Whether two texts, each NULL or not, are the same. */
bool	 fuzz_same(const char *a, const char *b);

/* How often one character stands in a text. */
size_t	 fuzz_count(const char *text, char c);

/* A fault as the API has it: a JSON body, and a head that is whole lines. */
void	 fuzz_fault(const struct reply *rep);

#endif
