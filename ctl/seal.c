#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "seal.h"

#define KEY_WORD	"devcred-audit-key "
#define KEY_DIGITS	(2 * (size_t)SIGN_KEY_SIZE)

/* Add what is signed, a line for each part. */
static int
put_text(const struct seal *seal, struct buf *text)
{
	unsigned char digest[DIGEST_SIZE];

	if (secret_digest(seal->digests, strlen(seal->digests), digest) == -1)
		return -1;
	buf_printf(text, "devcred audit seal\nformat %ld\nnumber %ld\n"
	    "after %ld\nuntil %ld\ncount %ld\ndigests ", seal->format,
	    seal->number, seal->after, seal->until, seal->count);
	buf_hex(text, digest, sizeof(digest));
	buf_puts(text, "\nprevious ");
	buf_hex(text, seal->previous, sizeof(seal->previous));
	buf_printf(text, "\nat %s\nkey %s\n", seal->at, seal->key);
	return buf_ok(text) ? 0 : -1;
}

static int
put_signature(const struct seal *seal, struct buf *text)
{
	buf_puts(text, "signature ");
	buf_hex(text, seal->signature, sizeof(seal->signature));
	buf_putc(text, '\n');
	return buf_ok(text) ? 0 : -1;
}

int
seal_take(struct seal *seal, const struct db_rows *rows, int row)
{
	int i;

	for (i = 0; i <= 9; i++)
		if (db_text(rows, row, i) == NULL)
			return -1;
	seal->number = db_num(rows, row, 0);
	seal->format = db_num(rows, row, 1);
	seal->after = db_num(rows, row, 2);
	seal->until = db_num(rows, row, 3);
	seal->count = db_num(rows, row, 4);
	seal->digests = db_text(rows, row, 5);
	seal->at = db_text(rows, row, 7);
	snprintf(seal->key, sizeof(seal->key), "%s", db_text(rows, row, 8));
	if (db_bytes(rows, row, 6, seal->previous, DIGEST_SIZE) == -1 ||
	    db_bytes(rows, row, 9, seal->signature, SIGNATURE_SIZE) == -1)
		return -1;
	return 0;
}

int
seal_text(const struct seal *seal, struct buf *text, size_t *is_signed)
{
	size_t before = text->len;

	if (put_text(seal, text) == -1)
		return -1;
	*is_signed = text->len - before;
	return put_signature(seal, text);
}

int
seal_sign(struct seal *seal, const struct seal_key *key, struct buf *text)
{
	size_t before = text->len;

	memcpy(seal->key, key->id, sizeof(seal->key));
	if (put_text(seal, text) == -1 ||
	    secret_sign(key->key, buf_text(text) + before, text->len - before,
	    seal->signature) == -1)
		return -1;
	return put_signature(seal, text);
}

/* Read digits of len bytes; -1 if there are others. */
static int
unhex(const char *text, unsigned char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const char *high;
	const char *low;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[2 * i] == '\0' || text[2 * i + 1] == '\0' ||
		    (high = strchr(digits, text[2 * i])) == NULL ||
		    (low = strchr(digits, text[2 * i + 1])) == NULL)
			return -1;
		bytes[i] = (unsigned char)((high - digits) << 4 |
		    (low - digits));
	}
	return 0;
}

/* The public half of a key, and the name it goes by. */
static int
name_key(struct seal_key *key)
{
	unsigned char digest[DIGEST_SIZE];
	struct buf hex;
	int rc = -1;

	buf_init(&hex, 0);
	if (secret_sign_public(key->key, key->public) == 0 &&
	    secret_digest(key->public, sizeof(key->public), digest) == 0) {
		buf_hex(&hex, digest, (SEAL_KEY_ID - 1) / 2);
		if (buf_ok(&hex)) {
			memcpy(key->id, buf_text(&hex), SEAL_KEY_ID);
			rc = 0;
		}
	}
	buf_free(&hex);
	return rc;
}

/* Write a file that was not there. */
static enum ctl_exit
write_new(const char *path, const struct buf *text, mode_t mode)
{
	enum ctl_exit rc = CTL_DONE;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1 || !buf_ok(text) ||
	    write(fd, buf_text(text), text->len) != (ssize_t)text->len ||
	    fsync(fd) == -1) {
		ctl_error("%s: %s", path, buf_ok(text) ? strerror(errno) :
		    "out of memory");
		rc = CTL_FAILED;
		if (fd != -1)
			unlink(path);
	}
	if (fd != -1)
		close(fd);
	return rc;
}

enum ctl_exit
seal_key_make(struct seal_key *key, const char *path)
{
	struct buf name;
	struct buf text;
	enum ctl_exit rc = CTL_FAILED;

	buf_init(&name, 0);
	buf_init(&text, KEYFILE_MAX);
	if (secret_random(key->key, sizeof(key->key)) == -1 ||
	    name_key(key) == -1) {
		ctl_error("no key can be made");
		goto out;
	}
	buf_puts(&text, KEY_WORD);
	buf_hex(&text, key->key, sizeof(key->key));
	buf_putc(&text, '\n');
	if ((rc = write_new(path, &text, 0600)) != CTL_DONE)
		goto out;
	buf_reset(&text);
	buf_printf(&text, "%s ", key->id);
	buf_hex(&text, key->public, sizeof(key->public));
	buf_putc(&text, '\n');
	buf_printf(&name, "%s.pub", path);
	rc = write_new(buf_text(&name), &text, 0644);
	if (rc != CTL_DONE)
		unlink(path);
out:
	buf_free(&text);
	buf_free(&name);
	return rc;
}

enum ctl_exit
seal_key_read(struct seal_key *key, const char *path)
{
	const size_t word = sizeof(KEY_WORD) - 1;
	struct keyfile file;
	struct buf error;
	enum ctl_exit rc = CTL_FAILED;

	buf_init(&error, 0);
	if (keyfile_read(&file, path, &error) == -1)
		ctl_error("%s", buf_text(&error));
	else if (file.len != word + KEY_DIGITS + 1 ||
	    memcmp(file.text, KEY_WORD, word) != 0 ||
	    unhex(file.text + word, key->key, sizeof(key->key)) == -1 ||
	    name_key(key) == -1)
		ctl_error("%s is not a key of \"devcredctl audit key\"", path);
	else
		rc = CTL_DONE;
	keyfile_free(&file);
	buf_free(&error);
	return rc;
}

enum ctl_exit
seal_file_read(struct buf *text, const char *path)
{
	char piece[4096];
	enum ctl_exit rc = CTL_FAILED;
	ssize_t n = -1;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd != -1 && (n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(text, piece, (size_t)n);
	if (n == -1)
		ctl_error("%s: %s", path, strerror(errno));
	else if (!buf_ok(text))
		ctl_error("%s is too large", path);
	else
		rc = CTL_DONE;
	if (fd != -1)
		close(fd);
	return rc;
}

int
seal_public_find(const char *text, const char *id, unsigned char *public)
{
	size_t len = strlen(id);

	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text != 0)
		if (strncmp(text, id, len) == 0 && text[len] == ' ')
			return unhex(text + len + 1, public, SIGN_KEY_SIZE);
	return -1;
}
