#include <stdio.h>
#include <string.h>
#include <time.h>

#include "keyedit.h"
#include "prompt.h"
#include "result.h"
#include "secret.h"

/* The key file; NULL, with what is missing told, if there is none. */
static const char *
key_path(const struct ctl *ctl)
{
	if (ctl->conf.key_file[0] != '\0')
		return ctl->conf.key_file;
	ctl_error("the setting key_file is empty, so there are no keys");
	ctl_advice("set key_file in %s", conf_path(ctl->conf_path));
	return NULL;
}

static const struct db_statement stmt_windows = { "key_windows",
	"select windows from devcred.seal_keys() where key = $1", 1 };

/*
 * Whether passwords that were sealed with the key may still be asked for; the
 * reason is told if it is needed.  What a running service seals with it after
 * this, until it reloads, can be delivered once only.
 */
static enum ctl_exit
key_is_free(struct ctl *ctl, const char *id)
{
	const char *const values[] = { id };
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = session_begin(ctl)) != CTL_DONE ||
	    (rc = session_call(ctl, &stmt_windows, values, &rows)) !=
	    CTL_DONE) {
		ctl_advice("--unchecked retires it without asking");
		return rc;
	}
	if (rows.n > 0) {
		ctl_error("%s passwords that %s sealed can still be asked for",
		    db_text(&rows, 0, 0), id);
		ctl_advice("add another key and reload the service, wait for "
		    "delivery_window to pass; or --unchecked: a lost answer "
		    "of theirs is not repeated");
		rc = CTL_FAILED;
	}
	db_rows_free(&rows);
	return rc;
}

static const struct result_column columns_key[] = {
	{ "key", NULL, RESULT_TEXT },
	RESULT_END
};

static enum ctl_exit
no_key(const char *id)
{
	ctl_error("there is no key %s", id);
	ctl_advice("devcredctl key list");
	return CTL_FAILED;
}

/* Add today's date, of UTC, its parts separated by between. */
static int
put_today(struct buf *out, const char *between)
{
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL)
		return -1;
	buf_printf(out, "%04d%s%02d%s%02d", tm.tm_year + 1900, between,
	    tm.tm_mon + 1, between, tm.tm_mday);
	return 0;
}

/* Make a name up: k20261123-1f2e3d4c. */
static int
make_id(struct buf *id)
{
	unsigned char random[4];

	buf_putc(id, 'k');
	if (put_today(id, "") == -1 ||
	    secret_random(random, sizeof(random)) == -1)
		return -1;
	buf_putc(id, '-');
	buf_hex(id, random, sizeof(random));
	return buf_ok(id) ? 0 : -1;
}

/* Add the line of a new key. */
static int
put_key(struct buf *text, const char *id)
{
	unsigned char key[SEAL_KEY_SIZE];
	int rc = -1;

	if (secret_random(key, sizeof(key)) == 0) {
		buf_printf(text, "%s ", id);
		buf_hex(text, key, sizeof(key));
		buf_putc(text, ' ');
		rc = put_today(text, "-");
		buf_putc(text, '\n');
	}
	secret_wipe(key, sizeof(key));
	return rc;
}

/* Add a key of this id to what the file has. */
static enum ctl_exit
add(struct keyedit *edit, const char *id)
{
	struct buf text;
	enum ctl_exit rc = CTL_FAILED;

	if (keyring_find(edit->ring, id) != NULL) {
		ctl_error("there is a key %s already", id);
		return CTL_FAILED;
	}
	if (keyring_count(edit->ring) == KEYRING_MAX) {
		ctl_error("there are %d keys, and no room for another",
		    KEYRING_MAX);
		ctl_advice("devcredctl key retire ID");
		return CTL_FAILED;
	}
	buf_init(&text, KEYFILE_MAX);
	buf_add(&text, edit->file.text, edit->file.len);
	if (text.len > 0 && text.data[text.len - 1] != '\n')
		buf_putc(&text, '\n');
	if (put_key(&text, id) == -1)
		ctl_error("the system gives no random bytes");
	else if (!buf_ok(&text))
		ctl_error("%s would be larger than %d bytes", edit->path,
		    KEYFILE_MAX);
	else
		rc = keyedit_replace(edit, &text);
	buf_free(&text);
	return rc;
}

/* The id that was given, or one made up; the reason of a failure is told. */
static enum ctl_exit
take_id(const struct ctl *ctl, struct buf *id)
{
	if (ctl->narg == 0 && make_id(id) == -1) {
		ctl_error("the system gives no random bytes");
		return CTL_FAILED;
	}
	if (ctl->narg == 1)
		buf_puts(id, ctl->arg[0]);
	if (key_id_valid(buf_text(id), id->len))
		return CTL_DONE;
	ctl_error("\"%s\" cannot be the id of a key: 1 to %d of a-z, 0-9 "
	    "and -", buf_text(id), KEY_ID_SIZE - 1);
	return CTL_FAILED;
}

enum ctl_exit
key_add(struct ctl *ctl)
{
	struct keyedit edit;
	const char *path;
	struct buf id;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, NULL, 0, 1)) != CTL_DONE)
		return rc;
	if ((path = key_path(ctl)) == NULL)
		return CTL_FAILED;
	buf_init(&id, 0);
	if ((rc = take_id(ctl, &id)) == CTL_DONE) {
		rc = keyedit_begin(&edit, path, true);
		if (rc == CTL_DONE)
			rc = add(&edit, buf_text(&id));
		keyedit_end(&edit);
	}
	if (rc == CTL_DONE) {
		const char *value = buf_text(&id);

		rc = result_say(ctl, columns_key, &value, "%s\n", value);
	}
	buf_free(&id);
	return rc;
}

enum ctl_exit
key_list(struct ctl *ctl)
{
	static const struct result_column columns[] = {
		{ "key", "KEY", RESULT_TEXT },
		{ "created", "CREATED", RESULT_TEXT },
		{ NULL, "USE", RESULT_TEXT },
		{ "seals", NULL, RESULT_BOOL },
		RESULT_END
	};
	struct keyfile file;
	struct keyring *ring = NULL;
	struct result r;
	struct buf error;
	const char *path;
	enum ctl_exit rc;
	size_t i;

	if ((rc = ctl_args(ctl, NULL, 0, 0)) != CTL_DONE)
		return rc;
	if ((path = key_path(ctl)) == NULL)
		return CTL_FAILED;
	buf_init(&error, 0);
	if (keyfile_read(&file, path, &error) == 0)
		ring = keyring_parse(file.text, file.len, path, &error);
	keyfile_free(&file);
	if (ring == NULL)
		ctl_error("%s", buf_text(&error));
	buf_free(&error);
	if (ring == NULL)
		return CTL_FAILED;
	result_init(&r, ctl, columns);
	for (i = 0; i < keyring_count(ring); i++) {
		const bool seals = i + 1 == keyring_count(ring);

		result_add(&r, keyring_id(ring, i));
		result_add(&r, keyring_created(ring, i));
		result_add(&r, seals ? "seals" : NULL);
		result_add(&r, seals ? "t" : "f");
	}
	keyring_free(ring);
	return result_list(&r);
}

/* Add a text without its line no. */
static void
put_without(struct buf *out, const char *text, unsigned int no)
{
	unsigned int line;
	size_t len;

	for (line = 1; *text != '\0'; line++, text += len) {
		len = strcspn(text, "\n");
		len += text[len] == '\n';
		if (line != no)
			buf_add(out, text, len);
	}
}

/* Take a key out of the file. */
static enum ctl_exit
retire(struct ctl *ctl, struct keyedit *edit, const char *id, bool last,
    bool unchecked)
{
	const size_t n = keyring_count(edit->ring);
	struct buf text;
	enum ctl_exit rc;
	size_t i;

	for (i = 0; i < n && strcmp(keyring_id(edit->ring, i), id) != 0;)
		i++;
	if (i == n)
		return no_key(id);
	if (n == 1 && !last) {
		ctl_error("%s is the only key: without one no password can be "
		    "delivered a second time", id);
		ctl_advice("devcredctl key add, or if that is meant "
		    "devcredctl key retire %s --last", id);
		return CTL_FAILED;
	}
	if (!unchecked && (rc = key_is_free(ctl, id)) != CTL_DONE)
		return rc;
	buf_init(&text, KEYFILE_MAX);
	put_without(&text, edit->file.text, keyring_line(edit->ring, i));
	if (buf_ok(&text)) {
		rc = keyedit_replace(edit, &text);
	} else {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	}
	buf_free(&text);
	if (rc != CTL_DONE)
		return rc;
	rc = result_say(ctl, columns_key, &id, "key %s retired\n", id);
	if (n == 1)
		ctl_advice("no key is left: make key_file empty, or "
		    "devcredctl key add");
	else if (i == n - 1 && !ctl->json)
		printf("key %s seals\n", keyring_id(edit->ring, i - 1));
	return rc;
}

enum ctl_exit
key_retire(struct ctl *ctl)
{
	bool last = false;
	bool unchecked = false;
	const struct ctl_option options[] = {
		{ "last", &last, NULL, NULL },
		{ "unchecked", &unchecked, NULL, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	struct keyedit edit;
	const char *path;
	enum ctl_exit rc;

	if ((rc = ctl_args(ctl, options, 1, 1)) != CTL_DONE)
		return rc;
	if ((path = key_path(ctl)) == NULL)
		return CTL_FAILED;
	if ((rc = prompt_confirm(ctl, "what the key %s sealed, also in "
	    "backups, can be opened no more", ctl->arg[0])) != CTL_DONE)
		return rc;
	rc = keyedit_begin(&edit, path, false);
	if (rc == CTL_DONE)
		rc = retire(ctl, &edit, ctl->arg[0], last, unchecked);
	keyedit_end(&edit);
	return rc;
}
