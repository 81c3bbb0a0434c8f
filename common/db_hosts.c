#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "db_hosts.h"

#define WORDS		64	/* of a conninfo; libpq has fewer */
#define PATIENCE	2	/* seconds */

struct db_hosts {
	char			*conninfo;
	PQconninfoOption	*option;	/* NULL: it is none */
	size_t			 n;		/* hosts; 0: none is named */
	size_t			 first;		/* of the last attempt */
	int64_t			 patience;
};

/*
 * Where attempts begin: what one connection has found out, the others of the
 * process need not.
 */
static size_t begin;

/* What a conninfo says of a word, or "". */
static const char *
value_of(const PQconninfoOption *option, const char *keyword)
{
	for (; option->keyword != NULL; option++)
		if (strcmp(option->keyword, keyword) == 0)
			return option->val != NULL ? option->val : "";
	return "";
}

static size_t
count_of(const char *list)
{
	size_t n = list[0] != '\0';

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

struct db_hosts *
db_hosts_new(const char *conninfo)
{
	struct db_hosts *hosts;
	size_t named;
	long timeout;

	if ((hosts = calloc(1, sizeof(*hosts))) == NULL)
		return NULL;
	if ((hosts->conninfo = strdup(conninfo)) == NULL) {
		free(hosts);
		return NULL;
	}
	hosts->patience = INT64_MAX;
	hosts->option = PQconninfoParse(conninfo, NULL);
	if (hosts->option == NULL)
		return hosts;
	hosts->n = count_of(value_of(hosts->option, "hostaddr"));
	named = count_of(value_of(hosts->option, "host"));
	if (hosts->n == 0)
		hosts->n = named;
	if (hosts->n > 1) {
		timeout = strtol(value_of(hosts->option, "connect_timeout"),
		    NULL, 10);
		hosts->patience = 1000 *
		    (int64_t)(timeout > PATIENCE ? timeout : PATIENCE);
	}
	return hosts;
}

void
db_hosts_free(struct db_hosts *hosts)
{
	PQconninfoOption *option;

	if (hosts == NULL)
		return;
	for (option = hosts->option; option != NULL && option->keyword != NULL;
	    option++)
		if (option->val != NULL)
			explicit_bzero(option->val, strlen(option->val));
	PQconninfoFree(hosts->option);
	explicit_bzero(hosts->conninfo, strlen(hosts->conninfo));
	free(hosts->conninfo);
	free(hosts);
}

/* A list of n, beginning with another; what is not of n is as it was. */
static void
add_turned(struct buf *b, const char *list, size_t n, size_t first)
{
	const char *from = list;

	if (count_of(list) != n || first == 0) {
		buf_puts(b, list);
		return;
	}
	for (; first > 0; first--)
		from = strchr(from, ',') + 1;
	buf_puts(b, from);
	buf_putc(b, ',');
	buf_add(b, list, (size_t)(from - list) - 1);
}

static bool
is_list(const char *keyword)
{
	return strcmp(keyword, "host") == 0 ||
	    strcmp(keyword, "hostaddr") == 0 || strcmp(keyword, "port") == 0;
}

PGconn *
db_hosts_start(struct db_hosts *hosts)
{
	const PQconninfoOption *option;
	const char *keyword[WORDS];
	const char *value[WORDS];
	struct buf turned[WORDS];
	PGconn *pg = NULL;
	size_t n = 0;
	size_t i;
	bool ok = true;

	if (hosts->n < 2)
		return PQconnectStart(hosts->conninfo);
	hosts->first = begin % hosts->n;
	for (option = hosts->option; option->keyword != NULL; option++) {
		if (option->val == NULL)
			continue;
		if (n == WORDS - 1)
			break;
		buf_init(&turned[n], 0);
		keyword[n] = option->keyword;
		value[n] = option->val;
		if (is_list(option->keyword)) {
			add_turned(&turned[n], option->val, hosts->n,
			    hosts->first);
			ok = ok && buf_ok(&turned[n]);
			value[n] = ok ? buf_text(&turned[n]) : NULL;
		}
		n++;
	}
	keyword[n] = NULL;
	value[n] = NULL;
	if (ok)
		pg = PQconnectStartParams(keyword, value, 0);
	for (i = 0; i < n; i++)
		buf_free(&turned[i]);
	return pg;
}

void
db_hosts_turn(struct db_hosts *hosts)
{
	if (hosts->n > 1)
		begin = (hosts->first + 1) % hosts->n;
}

int64_t
db_hosts_patience(const struct db_hosts *hosts)
{
	return hosts->patience;
}
