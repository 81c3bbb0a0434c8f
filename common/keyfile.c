#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyfile.h"
#include "secret.h"

#define TEXT_SIZE	(KEYFILE_MAX + 1)	/* with NUL */

/*
 * Whether the open file is one that may hold keys.  Looked at after it was
 * opened, so that it cannot be another one than the one that is read.
 */
static bool
may_hold_keys(const struct stat *st, const char *path, struct buf *error)
{
	if (!S_ISREG(st->st_mode))
		buf_printf(error, "%s is not a regular file", path);
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		buf_printf(error, "%s belongs to somebody else: its owner "
		    "must be root, or the user that reads it", path);
	else if ((st->st_mode & 0007) != 0)
		buf_printf(error, "%s is open to others (mode %04o): give it "
		    "mode 0600, or 0640", path,
		    (unsigned int)(st->st_mode & 07777));
	else if ((st->st_mode & 0030) != 0)
		buf_printf(error, "%s is more to its group than readable "
		    "(mode %04o): give it mode 0600, or 0640", path,
		    (unsigned int)(st->st_mode & 07777));
	else
		return true;
	return false;
}

/* Read to the end; one byte more than allowed tells that it is too large. */
static int
read_whole(struct keyfile *file, int fd, const char *path, struct buf *error)
{
	ssize_t n;

	do {
		n = read(fd, file->text + file->len, TEXT_SIZE - file->len);
		if (n > 0)
			file->len += (size_t)n;
	} while ((n == -1 && errno == EINTR) ||
	    (n > 0 && file->len < TEXT_SIZE));
	if (n == -1) {
		buf_printf(error, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (file->len > KEYFILE_MAX) {
		buf_printf(error, "%s is larger than %d bytes", path,
		    KEYFILE_MAX);
		return -1;
	}
	file->text[file->len] = '\0';
	return 0;
}

int
keyfile_read(struct keyfile *file, const char *path, struct buf *error)
{
	struct stat st;
	int rc = -1;
	int fd;

	memset(file, 0, sizeof(*file));
	/* the opening of a FIFO would wait */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		buf_printf(error, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!may_hold_keys(&st, path, error))
		goto out;
	file->uid = st.st_uid;
	file->gid = st.st_gid;
	file->mode = st.st_mode & 07777;
	if ((file->text = secret_alloc(TEXT_SIZE)) == NULL)
		buf_printf(error, "%s: no memory for its keys", path);
	else
		rc = read_whole(file, fd, path, error);
out:
	if (fd != -1)
		close(fd);
	if (rc == -1)
		keyfile_free(file);
	return rc;
}

void
keyfile_free(struct keyfile *file)
{
	secret_free(file->text, TEXT_SIZE);
	file->text = NULL;
	file->len = 0;
}
