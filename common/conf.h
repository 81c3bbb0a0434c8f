/*
 * conf: the settings, from one table.
 *
 * A setting comes from the environment (DEVCRED_ and its name in upper case),
 * else from the configuration file, else from its default.
 */
#ifndef DEVCRED_CONF_H
#define DEVCRED_CONF_H

#include <stdio.h>

#include "buf.h"

enum api_profile { PROFILE_CLASSIC, PROFILE_CURRENT };
enum delivery_source { SOURCE_OFF, SOURCE_LOG, SOURCE_ENFORCE };
enum password_scheme { SCHEME_YESCRYPT, SCHEME_BCRYPT };

/* Strings are never NULL; an unset one is "".  See conf.c for each. */
struct conf {
	char	*app_database;
	char	*database;
	char	*socket;
	char	*socket_group;
	long	 socket_mode;
	long	 workers;		/* 0: as the machine is */
	long	 verifiers;
	long	 api_profile;		/* enum api_profile */
	char	*base_url;
	char	*path_prefix;
	char	*trusted_proxy;
	char	*health_from;
	char	*ready_from;
	char	*metrics_from;
	long	 require_tls;
	char	*default_tenant;
	long	 login_cache;		/* seconds */
	long	 poll_detail;
	long	 retry_after;		/* seconds */
	long	 retry_after_max;	/* seconds */
	long	 token_attempts;
	long	 delivery_window;	/* seconds */
	long	 delivery_limit;
	long	 delivery_source;	/* enum delivery_source */
	long	 rotation_overlap;	/* seconds */
	long	 crypt_cost;		/* 0: no crypt(3) hashes */
	long	 db_prepare;
	long	 db_timeout;		/* milliseconds */
	long	 body_timeout;		/* milliseconds */
	long	 password_scheme;	/* enum password_scheme */
	char	*key_file;
	long	 log_level;		/* enum log_level */
};

/*
 * The file to read: path if not NULL, else environment DEVCRED_CONF, else
 * the compiled-in one, which alone may be missing.
 * -1 if anything is wrong; error then says what and where, one line for each
 * fault.  Either way *conf is to be freed.
 */
int	 conf_load(struct conf *conf, const char *path, struct buf *error)
	    MUST_CHECK;

void	 conf_free(struct conf *conf);

/* The file that conf_load() reads for this path. */
const char *conf_path(const char *path);

/* Write a commented sample file with all settings and defaults. */
void	 conf_sample(FILE *out);

#endif
