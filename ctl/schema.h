/*
 * schema: what a database holds, beside what this program brings along.
 */
#ifndef DEVCREDCTL_SCHEMA_H
#define DEVCREDCTL_SCHEMA_H

#include <stdbool.h>

#include "db.h"
#include "embed.h"
#include "model.h"

#define SCHEMA_MIN_SERVER	15	/* major version of PostgreSQL */
#define SCHEMA_DIGEST_SIZE	(2 * DIGEST_SIZE + 1)	/* hex, with NUL */

/* What the catalogs say; for columns of schema_facts(). */
enum schema_fact {
	FACT_SERVER,		/* major version */
	FACT_ENCODING,
	FACT_DATABASE,		/* its name */
	FACT_INSTANCE,		/* differs between any two databases */
	FACT_STANDBY,		/* whether the server takes no changes */
	FACT_FSYNC,
	FACT_LOGIN,		/* name of the login, quoted for SQL */
	FACT_SUPERUSER,		/* whether the login is one */
	FACT_MAKES_ROLES,	/* whether it may create roles */
	FACT_IS_OWNER,		/* whether it may act as devcred_owner */
	FACT_IS_APP,		/* whether it has what devcred_app has */
	FACT_IS_MEMBER_APP,	/* whether it may act as devcred_app */
	FACT_READS,		/* a table of ours it reaches, or null */
	FACT_MISSING_ROLES,	/* separated by spaces, or null */
	FACT_SCHEMA_OWNER,	/* or null: there is no schema */
	FACT_HAS_HISTORY	/* whether devcred.schema_migration is there */
};

/* Ask for one row of facts; needs no privileges. */
enum db_status schema_facts(struct db *db, struct db_rows *facts);

/* Text of a fact ("" if null), and whether it is true. */
const char *schema_fact(const struct db_rows *facts, enum schema_fact fact);
bool	 schema_fact_is(const struct db_rows *facts, enum schema_fact fact);

/* Makes the table in which migrations are recorded. */
extern const char schema_history_sql[];

enum migration_state {
	MIGRATION_APPLIED,
	MIGRATION_PENDING,	/* not in the database yet */
	MIGRATION_CHANGED,	/* applied, but the file was another one */
	MIGRATION_UNKNOWN	/* applied, but this program has no such file */
};

struct migration {
	int		 version;
	enum migration_state state;
	const struct embedded *file;	/* NULL if unknown */
	char		 digest[SCHEMA_DIGEST_SIZE];	/* of file */
	const char	*name;		/* without folder */
	const char	*applied_at;	/* NULL if pending; so is the next */
	const char	*applied_by;
};

/* All migrations that either side knows, by number. */
struct schema {
	struct migration *list;
	int		 n;
	int		 version;	/* newest applied; 0: none */
	int		 newest;	/* newest that this program has */
	int		 count[MIGRATION_UNKNOWN + 1];	/* by state */
	struct db_rows	 rows;		/* what list points into */
};

/*
 * Compare; has_history is FACT_HAS_HISTORY (without it, all is pending).  The
 * login must be allowed to read devcred.schema_migration.  *schema is freed
 * by the caller in any case.  -1 without memory or digest, which leaves
 * *status DB_OK; or *status says how the database failed.
 */
int	 schema_read(struct db *db, bool has_history, struct schema *schema,
	    enum db_status *status) MUST_CHECK;

void	 schema_free(struct schema *schema);

/* Word for a state. */
const char *migration_state_name(enum migration_state state);

#endif
