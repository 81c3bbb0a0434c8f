#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "db_hosts.h"
#include "db_names.h"

#define WORDS		64	/* of a conninfo; libpq has fewer */
#define PATIENCE	2	/* seconds */
#define KNOWN_TIME	5000	/* ms that addresses are good for */

/* What of a conninfo is a list. */
enum { LIST_HOST, LIST_ADDRESS, LIST_PORT, LIST_MAX };
static const char *const list_name[LIST_MAX] = { "host", "hostaddr", "port" };

struct db_hosts {
	char			*conninfo;
	PQconninfoOption	*option;	/* NULL: it is none */
	size_t			 n;		/* hosts; 0: none is named */
	size_t			 first;		/* of the last attempt */
	int64_t			 patience;
	bool			 named;		/* some are names */
	struct db_names		 names;
	int64_t			 known_until;	/* what names told */
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

/* One of a list; the length of it. */
static const char *
nth(const char *list, size_t n, size_t *len)
{
	for (; n > 0 && (list = strchr(list, ',')) != NULL; n--)
		list++;
	if (list == NULL)
		list = "";
	*len = strcspn(list, ",");
	return list;
}

static bool
has_names(const struct db_hosts *hosts)
{
	const char *list = value_of(hosts->option, "host");
	const char *host;
	size_t len;
	size_t i;

	/* who gives addresses has looked them up */
	if (value_of(hosts->option, "hostaddr")[0] != '\0')
		return false;
	for (i = 0; i < hosts->n; i++) {
		host = nth(list, i, &len);
		if (db_names_is(host, len))
			return true;
	}
	return false;
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
	db_names_init(&hosts->names);
	hosts->option = PQconninfoParse(conninfo, NULL);
	if (hosts->option == NULL)
		return hosts;
	hosts->n = count_of(value_of(hosts->option, "hostaddr"));
	named = count_of(value_of(hosts->option, "host"));
	if (hosts->n == 0)
		hosts->n = named;
	hosts->named = has_names(hosts);
	if (hosts->n > 1) {
		timeout = strtol(value_of(hosts->option, "connect_timeout"),
		    NULL, 10);
		hosts->patience = 1000 *
		    (int64_t)(timeout > PATIENCE ? timeout : PATIENCE);
	}
	return hosts;
}

struct db_hosts *
db_hosts_copy(const struct db_hosts *hosts)
{
	return db_hosts_new(hosts->conninfo);
}

void
db_hosts_free(struct db_hosts *hosts)
{
	PQconninfoOption *option;

	if (hosts == NULL)
		return;
	db_names_stop(&hosts->names);
	for (option = hosts->option; option != NULL && option->keyword != NULL;
	    option++)
		if (option->val != NULL)
			explicit_bzero(option->val, strlen(option->val));
	PQconninfoFree(hosts->option);
	explicit_bzero(hosts->conninfo, strlen(hosts->conninfo));
	free(hosts->conninfo);
	free(hosts);
}

bool
db_hosts_unknown(const struct db_hosts *hosts)
{
	return hosts->named && clock_ms() >= hosts->known_until;
}

int
db_hosts_look_up(struct db_hosts *hosts)
{
	if (db_names_start(&hosts->names, value_of(hosts->option, "host")) ==
	    -1)
		return -1;
	return hosts->names.fd;
}

int
db_hosts_looked(struct db_hosts *hosts)
{
	const char *host;
	size_t len;
	size_t i;

	if (!db_names_read(&hosts->names))
		return 0;
	hosts->known_until = clock_ms() + KNOWN_TIME;
	if (hosts->names.text.len > 0)
		return 1;
	/* a socket beside the names is somewhere to go */
	for (i = 0; i < hosts->n; i++) {
		host = nth(value_of(hosts->option, "host"), i, &len);
		if (!db_names_is(host, len))
			return 1;
	}
	hosts->known_until = 0;
	return -1;
}

/* Whether libpq may be given lists of ours: none is of another length. */
static bool
is_even(const struct db_hosts *hosts)
{
	size_t len;
	int i;

	for (i = 0; i < LIST_MAX; i++) {
		len = count_of(value_of(hosts->option, list_name[i]));
		if (len != 0 && len != hosts->n && (i != LIST_PORT || len != 1))
			return false;
	}
	return true;
}

/* Add a host to the lists: its name, an address of it or none, and its port. */
static void
add_host(const struct db_hosts *hosts, struct buf *list, size_t n,
    const char *address, size_t address_len)
{
	const char *text;
	size_t len;
	int i;

	for (i = 0; i < LIST_MAX; i++) {
		text = nth(value_of(hosts->option, list_name[i]), n, &len);
		if (i == LIST_ADDRESS && address != NULL) {
			text = address;
			len = address_len;
		}
		buf_add(&list[i], text, len);
		buf_putc(&list[i], ',');
	}
}

/* The hosts, beginning with the first of this time; of names, the addresses. */
static void
add_hosts(const struct db_hosts *hosts, struct buf *list)
{
	const char *host;
	const char *line;
	size_t len;
	size_t n;
	size_t i;
	size_t skip;

	for (i = 0; i < hosts->n; i++) {
		n = (hosts->first + i) % hosts->n;
		host = nth(value_of(hosts->option, "host"), n, &len);
		if (!hosts->named || !db_names_is(host, len)) {
			add_host(hosts, list, n, NULL, 0);
			continue;
		}
		for (line = buf_text(&hosts->names.text); *line != '\0';
		    line += strcspn(line, "\n") + 1)
			if (strtoul(line, NULL, 10) == n) {
				skip = strcspn(line, " ") + 1;
				add_host(hosts, list, n, line + skip,
				    strcspn(line, "\n") - skip);
			}
	}
	for (i = 0; i < LIST_MAX; i++)
		if (list[i].len > 0)
			list[i].data[--list[i].len] = '\0';
}

/* The list that libpq is to have for a word, or NULL: as it is. */
static const struct buf *
list_of(const struct db_hosts *hosts, const struct buf *list,
    const char *keyword)
{
	int i;

	for (i = 0; i < LIST_MAX; i++)
		if (strcmp(keyword, list_name[i]) == 0)
			return count_of(value_of(hosts->option, keyword)) > 1 ||
			    (hosts->named && i == LIST_ADDRESS) ||
			    (hosts->named && i == LIST_HOST) ?
			    &list[i] : NULL;
	return NULL;
}

PGconn *
db_hosts_start(struct db_hosts *hosts)
{
	const PQconninfoOption *option;
	const char *keyword[WORDS];
	const char *value[WORDS];
	const struct buf *instead;
	struct buf list[LIST_MAX];
	PGconn *pg = NULL;
	size_t n = 0;
	int i;

	if ((hosts->n < 2 && !hosts->named) || !is_even(hosts))
		return PQconnectStart(hosts->conninfo);
	hosts->first = begin % hosts->n;
	for (i = 0; i < LIST_MAX; i++)
		buf_init(&list[i], 0);
	add_hosts(hosts, list);
	for (option = hosts->option; option->keyword != NULL &&
	    n < WORDS - 1; option++) {
		instead = list_of(hosts, list, option->keyword);
		if (instead == NULL && option->val == NULL)
			continue;
		keyword[n] = option->keyword;
		value[n++] = instead != NULL ? buf_text(instead) : option->val;
	}
	keyword[n] = NULL;
	value[n] = NULL;
	if (buf_ok(&list[LIST_HOST]) && buf_ok(&list[LIST_ADDRESS]) &&
	    buf_ok(&list[LIST_PORT]) && buf_ok(&hosts->names.text))
		pg = PQconnectStartParams(keyword, value, 0);
	for (i = 0; i < LIST_MAX; i++)
		buf_free(&list[i]);
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
