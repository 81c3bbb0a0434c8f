#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

/* A test that cannot be prepared has failed. */
static void
need(bool holds, const char *what)
{
	if (holds)
		return;
	printf("Bail out! %s\n", what);
	exit(1);
}

void *
exact(const void *data, size_t len)
{
	void *copy = malloc(len > 0 ? len : 1);

	need(copy != NULL, "no memory");
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *
repeated(const char *unit, size_t n)
{
	size_t len = strlen(unit);
	char *text = malloc(n * len + 1);
	size_t i;

	need(text != NULL, "no memory");
	for (i = 0; i < n; i++)
		memcpy(text + i * len, unit, len);
	text[n * len] = '\0';
	return text;
}

void
conf_of(struct conf *conf, const char *lines)
{
	char path[] = "/tmp/devcred-unit-XXXXXX";
	int fd = mkstemp(path);
	size_t len = strlen(lines);
	struct buf error;

	need(fd != -1, "no temporary file");
	need(write(fd, lines, len) == (ssize_t)len, "cannot write");
	close(fd);
	buf_init(&error, 0);
	need(conf_load(conf, path, &error) == 0, buf_text(&error));
	buf_free(&error);
	unlink(path);
}

char **
env_of(const char *lines)
{
	char **env = calloc(64, sizeof(*env));
	size_t n = 0;
	size_t len;

	need(env != NULL, "no memory");
	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		need(n < 63, "too many variables");
		if (len > 0 && (env[n++] = strndup(lines, len)) == NULL)
			need(false, "no memory");
	}
	return env;
}

void
env_free(char **env)
{
	size_t i;

	for (i = 0; env[i] != NULL; i++)
		free(env[i]);
	free(env);
}

void
ask(struct asked *a, const char *lines, const char *vars, const char *body)
{
	size_t len = body != NULL ? strlen(body) : 0;

	conf_of(&a->conf, lines);
	a->cx = (struct context){ .conf = &a->conf,
	    .auth = auth_new(&a->conf) };
	need(a->cx.auth != NULL, "no memory");
	a->env = env_of(vars);
	a->body = exact(body, len);
	a->x = exchange_new(&a->cx);
	need(a->x != NULL, "no memory");
	a->rc = request_parse(&a->x->rq, a->env, a->body, len, &a->conf,
	    &a->x->reply);
}

void
asked_free(struct asked *a)
{
	exchange_free(a->x);
	auth_free(a->cx.auth);
	free(a->body);
	env_free(a->env);
	conf_free(&a->conf);
}

const char *
call_value(const struct exchange *x, int i)
{
	if (i >= x->call.nvalues || x->call.value[i] == SIZE_MAX)
		return NULL;
	return buf_text(&x->call.text) + x->call.value[i];
}

void
rows_of(struct db_rows *rows, int n, int ncols, const char *const *values)
{
	PGresAttDesc columns[16];
	char name[] = "column";
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	char *copy;
	int i;

	memset(columns, 0, sizeof(columns));
	for (i = 0; i < ncols; i++)
		columns[i].name = name;
	need(res != NULL && PQsetResultAttrs(res, ncols, columns) != 0,
	    "no memory");
	for (i = 0; i < n * ncols; i++) {
		copy = values[i] != NULL ? strdup(values[i]) : NULL;
		need(PQsetvalue(res, i / ncols, i % ncols, copy, copy != NULL ?
		    (int)strlen(copy) : -1) != 0, "no memory");
		free(copy);
	}
	rows->result = res;
	rows->n = n;
}

enum record_state
feed_on(struct record_scan *scan, const void *data, size_t len, size_t *used)
{
	size_t head;

	if (record_feed(scan, data, len, &head) != RECORD_HEAD) {
		*used = head;
		return scan->state;
	}
	record_feed(scan, (const char *)data + head, len - head, used);
	*used += head;
	return scan->state;
}
