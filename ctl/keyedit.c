#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyedit.h"

#define LOCK_SECONDS	10	/* a change takes milliseconds */

static void
on_alarm(int sig)
{
	(void)sig;	/* flock() ends with EINTR */
}

static enum ctl_exit
failed(const char *path)
{
	ctl_error("%s: %s", path, strerror(errno));
	return CTL_FAILED;
}

/*
 * Where the file itself is: what takes its place must not take that of a
 * link to it.  A link to nowhere stays what it is, and is refused later.
 */
static char *
real_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *whole = realpath(path, NULL);
	char *folder;
	char *real = NULL;

	if (whole != NULL || errno != ENOENT)
		return whole;
	folder = slash == NULL ? strdup(".") : slash == path ? strdup("/") :
	    strndup(path, (size_t)(slash - path));
	if (folder != NULL && (real = realpath(folder, NULL)) != NULL &&
	    asprintf(&whole, "%s/%s", real, name) == -1)
		whole = NULL;
	free(folder);
	free(real);
	return whole;
}

/* Open and lock the folder of edit->path, and name the new file in it. */
static enum ctl_exit
lock_folder(struct keyedit *edit)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct sigaction old;
	const char *slash = strrchr(edit->path, '/');
	struct buf folder;
	int rc = -1;

	buf_init(&folder, 0);
	buf_add(&folder, edit->path, (size_t)(slash - edit->path) + 1);
	buf_printf(&edit->beside, "%s.%s.new", buf_text(&folder), slash + 1);
	edit->lock = open(buf_text(&folder),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (edit->lock != -1) {
		sigaction(SIGALRM, &act, &old);
		alarm(LOCK_SECONDS);
		rc = flock(edit->lock, LOCK_EX);
		alarm(0);
		sigaction(SIGALRM, &old, NULL);
	}
	if (rc == -1 && errno == EINTR)
		ctl_error("%s: somebody else holds the lock of this folder",
		    buf_text(&folder));
	else if (rc == -1)
		(void)failed(buf_text(&folder));
	buf_free(&folder);
	return rc == 0 ? CTL_DONE : CTL_FAILED;
}

enum ctl_exit
keyedit_begin(struct keyedit *edit, const char *path, bool may_miss)
{
	struct buf error;
	struct stat st;

	memset(edit, 0, sizeof(*edit));
	buf_init(&edit->beside, 0);
	edit->lock = -1;
	if ((edit->path = real_path(path)) == NULL)
		return failed(path);
	if (lock_folder(edit) != CTL_DONE)
		return CTL_FAILED;
	/* now, and not before: another one may just have made it */
	edit->fresh = may_miss && lstat(edit->path, &st) == -1 &&
	    errno == ENOENT;
	buf_init(&error, 0);
	if (edit->fresh ||
	    keyfile_read(&edit->file, edit->path, &error) == 0)
		edit->ring = keyring_parse(edit->fresh ? "" : edit->file.text,
		    edit->file.len, edit->path, &error);
	if (edit->ring == NULL)
		ctl_error("%s", buf_text(&error));
	buf_free(&error);
	return edit->ring != NULL ? CTL_DONE : CTL_FAILED;
}

/* Write all of it to the disk; -1 with errno. */
static int
write_whole(int fd, const struct buf *text)
{
	size_t done = 0;
	ssize_t n;

	while (done < text->len) {
		n = write(fd, text->data + done, text->len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		done += (size_t)n;
	}
	return fsync(fd);
}

/* Give the open file the owner, group and mode of the old one. */
static int
own_alike(int fd, const struct keyfile *old)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if ((st.st_uid != old->uid || st.st_gid != old->gid) &&
	    fchown(fd, old->uid, old->gid) == -1)
		return -1;
	return fchmod(fd, old->mode);
}

/* Write the new file and put it in the place of the old one. */
static enum ctl_exit
replace(struct keyedit *edit, const struct buf *text)
{
	const char *beside = buf_text(&edit->beside);
	enum ctl_exit rc = CTL_FAILED;
	int fd;

	/* under the lock nobody else makes it: it was left by a program that
	 * was killed */
	(void)unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return failed(beside);
	if (!edit->fresh && own_alike(fd, &edit->file) == -1)
		ctl_error("%s: its owner, group and mode cannot be kept: %s",
		    edit->path, strerror(errno));
	else if (write_whole(fd, text) == -1 ||
	    rename(beside, edit->path) == -1)
		(void)failed(beside);
	else
		rc = CTL_DONE;
	close(fd);
	if (rc != CTL_DONE) {
		(void)unlink(beside);
		return rc;
	}
	if (fsync(edit->lock) == -1) {	/* for the name to last as well */
		ctl_error("%s is changed, but may not be after a power cut: "
		    "%s", edit->path, strerror(errno));
		return CTL_FAILED;
	}
	return CTL_DONE;
}

enum ctl_exit
keyedit_replace(struct keyedit *edit, const struct buf *text)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGTSTP };
	struct keyring *ring;
	struct buf error;
	sigset_t set;
	sigset_t old;
	enum ctl_exit rc = CTL_FAILED;
	size_t i;

	/* half way, a file with keys would be left to lie about */
	sigemptyset(&set);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	/* what this program cannot read must not become the file */
	buf_init(&error, 0);
	ring = keyring_parse(buf_text(text), text->len, edit->path, &error);
	if (ring != NULL)
		rc = replace(edit, text);
	else
		ctl_error("%s", buf_text(&error));
	buf_free(&error);
	keyring_free(ring);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}

void
keyedit_end(struct keyedit *edit)
{
	keyring_free(edit->ring);
	keyfile_free(&edit->file);
	buf_free(&edit->beside);
	free(edit->path);
	if (edit->lock != -1)
		close(edit->lock);
}
