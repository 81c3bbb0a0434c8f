#include "keys.h"
#include "log.h"
#include "store.h"

#define ASK_TIMEOUT	2000	/* ms */

int
keys_load(const struct conf *conf, struct keyring **ring)
{
	struct buf error;

	*ring = NULL;
	if (conf->key_file[0] == '\0')
		return 0;
	buf_init(&error, 0);
	if ((*ring = keyring_load(conf->key_file, &error)) == NULL)
		log_event(LOG_LEVEL_ERROR, "key_file_unusable", "why",
		    buf_text(&error), NULL);
	buf_free(&error);
	return *ring != NULL ? 0 : -1;
}

/* Columns of seal_keys: key, windows. */
static int
find_missing(const struct keyring *ring, const struct db_rows *rows)
{
	int missing = 0;
	int i;

	for (i = 0; i < rows->n; i++) {
		if (ring != NULL &&
		    keyring_find(ring, db_text(rows, i, 0)) != NULL)
			continue;
		log_event(LOG_LEVEL_ERROR, "key_missing", "key",
		    db_text(rows, i, 0), "open_windows", db_text(rows, i, 1),
		    "todo", "add it to key_file, or wait until they are over",
		    NULL);
		missing++;
	}
	return missing;
}

int
keys_check(const struct conf *conf)
{
	struct keyring *ring;
	struct db_rows rows;
	struct db *db;
	int rc = 0;

	if (keys_load(conf, &ring) == -1)
		return -1;
	if (ring == NULL)
		log_event(LOG_LEVEL_INFO, "single_shot", "why",
		    "no key_file: an answer that is lost is not repeated",
		    NULL);
	db = db_new(conf->app_database, false, STORE_SCHEMA);
	if (db != NULL && db_run(db, &store_statement(STORE_SEAL_KEYS)->sql,
	    NULL, ASK_TIMEOUT, &rows) == DB_OK) {
		if (find_missing(ring, &rows) > 0)
			rc = -1;
		db_rows_free(&rows);
	}
	db_free(db);
	keyring_free(ring);
	return rc;
}
