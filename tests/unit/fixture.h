/*
 * fixture: what several tests need: inputs in blocks of memory of just their
 * size, so that the sanitizers see a byte too far; exchanges; rows.
 */
#ifndef DEVCRED_FIXTURE_H
#define DEVCRED_FIXTURE_H

#include "record.h"
#include "serve.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* A copy in a block of len bytes, without a NUL; to be freed with free(). */
void	*exact(const void *data, size_t len);

/* n times what is in unit; to be freed. */
char	*repeated(const char *unit, size_t n);

/* Settings that are the defaults, but for lines of a file. */
void	 conf_of(struct conf *conf, const char *lines);

/* Variables, each in a block of its own, from lines of "NAME=value". */
char	**env_of(const char *lines);
void	 env_free(char **env);

/* An exchange whose request is parsed already; with what it points into. */
struct asked {
	struct conf	 conf;
	struct context	 cx;
	char		**env;
	char		*body;
	struct exchange	*x;
	int		 rc;	/* of request_parse() */
};

/*
 * Parse a request of these variables and body (NULL: none) under the settings
 * in lines.  asked_free() frees all of it.
 */
void	 ask(struct asked *a, const char *lines, const char *vars,
	    const char *body);
void	 asked_free(struct asked *a);

/* As record_feed(), over the end of the head. */
enum record_state feed_on(struct record_scan *scan, const void *data,
	    size_t len, size_t *used);

/* Value i of the call of x; NULL for SQL's null or where there is none. */
const char *call_value(const struct exchange *x, int i);

/* n rows of ncols values each, as the database would answer. */
void	 rows_of(struct db_rows *rows, int n, int ncols,
	    const char *const *values);

#endif
