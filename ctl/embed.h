/*
 * embed: the SQL files of the source tree, inside the program.  embedded.c is
 * made by embed.sh when the program is built.
 */
#ifndef DEVCREDCTL_EMBED_H
#define DEVCREDCTL_EMBED_H

#include <stddef.h>

/* A file, byte for byte, with a NUL behind it. */
struct embedded {
	const char		*name;	/* as "sql/schema.sql" */
	const unsigned char	*text;
	size_t			 len;	/* without the NUL */
};

/* Migrations by number, which are 1, 2, 3, ...; the last has a NULL name. */
extern const struct embedded embedded_migrations[];

/* The replaceable files in the order they are applied; likewise. */
extern const struct embedded embedded_sql[];

/* The roles, which belong to the whole cluster. */
extern const struct embedded embedded_roles;

#endif
