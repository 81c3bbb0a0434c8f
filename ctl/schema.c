#include <stdlib.h>
#include <string.h>

#include "schema.h"
#include "secret.h"

#define SCHEMA_TIMEOUT	10000	/* ms */

/* PostgreSQL 16 splits membership; what counts here is "set role". */
#define MAY_BE(role)							\
	"coalesce(pg_catalog.pg_has_role(session_user,"			\
	"   (select oid from pg_catalog.pg_roles"			\
	"     where rolname = '" role "'), v.may), false)"

static const struct db_statement stmt_facts = { "schema_facts",
	"select v.major,"
	"       pg_catalog.current_setting('server_encoding'),"
	"       pg_catalog.current_database(),"
	"       pg_catalog.current_database() || ' '"
	"           || extract(epoch from"
	"               pg_catalog.pg_postmaster_start_time()),"
	"       pg_catalog.pg_is_in_recovery(),"
	"       pg_catalog.current_setting('fsync'),"
	"       pg_catalog.format('%I', session_user),"
	"       me.rolsuper,"
	"       me.rolsuper or me.rolcreaterole,"
	"       " MAY_BE("devcred_owner") ","
	"       coalesce(pg_catalog.pg_has_role(session_user,"
	"           (select oid from pg_catalog.pg_roles"
	"             where rolname = 'devcred_app'), 'usage'), false),"
	"       " MAY_BE("devcred_app") ","
	"       (select min(c.relname) from pg_catalog.pg_class c"
	"         where c.relnamespace = n.oid"
	"           and c.relkind in ('r', 'p', 'v', 'm')"
	"           and (pg_catalog.has_table_privilege(session_user, c.oid,"
	"                   'update, delete, truncate')"
	"               or c.relname <> 'newdevice_row'"
	"               and pg_catalog.has_table_privilege(session_user,"
	"                   c.oid, 'select')"
	"               or c.relname <> 'bulk_row'"
	"               and pg_catalog.has_table_privilege(session_user,"
	"                   c.oid, 'insert'))),"
	"       (select pg_catalog.string_agg(r, ' ')"
	"          from unnest(array['devcred_owner', 'devcred_app',"
	"               'devcred_auditor', 'devcred_verifier',"
	"               'devcred_registrar', 'devcred_tenant']) r"
	"         where not exists (select from pg_catalog.pg_roles"
	"                            where rolname = r)),"
	"       pg_catalog.pg_get_userbyid(n.nspowner),"
	"       exists (select from pg_catalog.pg_class c"
	"                where c.relnamespace = n.oid"
	"                  and c.relname = 'schema_migration')"
	"  from pg_catalog.pg_roles me"
	" cross join (select s / 10000 as major,"
	"                    case when s >= 160000 then 'set'"
	"                    else 'member' end as may"
	"               from (select pg_catalog.current_setting("
	"                   'server_version_num')::int as s) q) v"
	"  left join pg_catalog.pg_namespace n"
	"    on n.nspname = 'devcred'"
	" where me.rolname = session_user",
	0 };

static const struct db_statement stmt_history = { "schema_history",
	"select version,"
	"       name,"
	"       sha256,"
	"       pg_catalog.to_char(applied_at at time zone 'UTC',"
	"           'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
	"       applied_by"
	"  from devcred.schema_migration"
	" order by version",
	0 };

const char schema_history_sql[] =
	"create table devcred.schema_migration (\n"
	"    version int not null,\n"
	"    name text collate \"C\" not null,\n"
	"    sha256 text collate \"C\" not null,\n"
	"    applied_at timestamptz not null default clock_timestamp(),\n"
	"    applied_by name not null default session_user,\n"
	"    constraint schema_migration_pkey\n"
	"        primary key (version),\n"
	"    constraint schema_migration_version_is_a_count\n"
	"        check (version > 0),\n"
	"    constraint schema_migration_sha256_is_a_digest\n"
	"        check (sha256 ~ '^[0-9a-f]{64}$')\n"
	");\n"
	"comment on table devcred.schema_migration is\n"
	"    'Migrations applied to this database.  \"devcredctl migrate\" "
	"adds rows; nothing changes or removes one.';\n"
	"comment on column devcred.schema_migration.version is\n"
	"    'Number of the migration; they are applied in this order.';\n"
	"comment on column devcred.schema_migration.name is\n"
	"    'File in migrations/ of the source.';\n"
	"comment on column devcred.schema_migration.sha256 is\n"
	"    'SHA-256 of the file as it was applied.';\n"
	"comment on column devcred.schema_migration.applied_at is\n"
	"    'When it was applied.';\n"
	"comment on column devcred.schema_migration.applied_by is\n"
	"    'Database login that applied it.';\n";

/* Columns of stmt_history. */
enum { AT_VERSION, AT_NAME, AT_SHA256, AT_APPLIED_AT, AT_APPLIED_BY };

enum db_status
schema_facts(struct db *db, struct db_rows *facts)
{
	return db_run(db, &stmt_facts, NULL, SCHEMA_TIMEOUT, facts);
}

const char *
schema_fact(const struct db_rows *facts, enum schema_fact fact)
{
	const char *text = db_text(facts, 0, (int)fact);

	return text != NULL ? text : "";
}

bool
schema_fact_is(const struct db_rows *facts, enum schema_fact fact)
{
	return strcmp(schema_fact(facts, fact), "t") == 0;
}

/* Fill in what the program has; its numbers are 1, 2, 3, ... */
static int
add_files(struct schema *schema)
{
	unsigned char digest[DIGEST_SIZE];
	struct migration *m;
	struct buf hex;
	int rc = 0;

	buf_init(&hex, 0);
	for (; embedded_migrations[schema->n].name != NULL; schema->n++) {
		m = &schema->list[schema->n];
		m->version = schema->n + 1;
		m->state = MIGRATION_PENDING;
		m->file = &embedded_migrations[schema->n];
		m->name = strrchr(m->file->name, '/') + 1;
		if (secret_digest(m->file->text, m->file->len, digest) == -1)
			rc = -1;
		buf_reset(&hex);
		buf_hex(&hex, digest, sizeof(digest));
		if (!buf_ok(&hex) || hex.len != SCHEMA_DIGEST_SIZE - 1)
			rc = -1;
		else
			memcpy(m->digest, buf_text(&hex), SCHEMA_DIGEST_SIZE);
	}
	schema->newest = schema->n;
	buf_free(&hex);
	return rc;
}

/* Compare with what the database has. */
static void
add_history(struct schema *schema)
{
	struct migration *m;
	int row;
	long version;

	for (row = 0; row < schema->rows.n; row++) {
		version = db_num(&schema->rows, row, AT_VERSION);
		if (version >= 1 && version <= schema->newest) {
			m = &schema->list[version - 1];
			m->state = strcmp(m->digest, db_text(&schema->rows,
			    row, AT_SHA256)) == 0 ? MIGRATION_APPLIED :
			    MIGRATION_CHANGED;
		} else {
			m = &schema->list[schema->n++];
			m->state = MIGRATION_UNKNOWN;
			m->version = (int)version;
			m->name = db_text(&schema->rows, row, AT_NAME);
		}
		m->applied_at = db_text(&schema->rows, row, AT_APPLIED_AT);
		m->applied_by = db_text(&schema->rows, row, AT_APPLIED_BY);
		schema->version = m->version;
	}
}

int
schema_read(struct db *db, bool has_history, struct schema *schema,
    enum db_status *status)
{
	size_t room = 0;
	int i;

	memset(schema, 0, sizeof(*schema));
	*status = DB_OK;
	if (has_history) {
		*status = db_run(db, &stmt_history, NULL, SCHEMA_TIMEOUT,
		    &schema->rows);
		if (*status != DB_OK)
			return -1;
	}
	while (embedded_migrations[room].name != NULL)
		room++;
	room += (size_t)schema->rows.n;
	if ((schema->list = calloc(room, sizeof(*schema->list))) == NULL)
		return -1;
	if (add_files(schema) == -1)
		return -1;
	add_history(schema);
	for (i = 0; i < schema->n; i++)
		schema->count[schema->list[i].state]++;
	return 0;
}

void
schema_free(struct schema *schema)
{
	free(schema->list);
	schema->list = NULL;
	schema->n = 0;
	db_rows_free(&schema->rows);
}

const char *
migration_state_name(enum migration_state state)
{
	static const char *const name[] = {
		[MIGRATION_APPLIED] = "applied",
		[MIGRATION_PENDING] = "pending",
		[MIGRATION_CHANGED] = "CHANGED",
		[MIGRATION_UNKNOWN] = "unknown",
	};

	return name[state];
}
