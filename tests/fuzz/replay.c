/*
 * replay: a fuzz target without a fuzzer.  Tries what is kept of earlier runs,
 * and every beginning of it; speaks TAP.
 *
 *     fuzz_NAME [FILE | FOLDER]...
 *
 * Without an argument it is the folder tests/fuzz/corpus/NAME of the sources,
 * which are in $srcdir or here.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../unit/fixture.h"
#include "fuzz.h"

#define FILE_MAX	((size_t)1024 * 1024)	/* bytes */

static int ntests;

static void
bail_out(const char *path, const char *why)
{
	printf("Bail out! %s: %s\n", path, why);
	exit(1);
}

/* Hand over what there is, in a block of just its size. */
static void
try(const char *data, size_t len)
{
	uint8_t *copy = exact(data, len);

	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void
replay_file(const char *path)
{
	static char data[FILE_MAX];
	FILE *file = fopen(path, "re");
	size_t len;
	size_t n;

	if (file == NULL)
		bail_out(path, "cannot be opened");
	len = fread(data, 1, sizeof(data), file);
	if (ferror(file) || !feof(file))
		bail_out(path, "cannot be read, or is too large");
	fclose(file);
	/* the last words, should it end here */
	printf("# %s\n", path);
	fflush(stdout);
	try(data, len);
	for (n = 0; n < len; n++)
		try(data, n);
	printf("ok %d - %s and its beginnings\n", ++ntests, path);
}

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay(const char *path)
{
	struct dirent **entry;
	struct buf file;
	struct stat st;
	int n;
	int i;

	if (stat(path, &st) == -1)
		bail_out(path, "is not there");
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	if ((n = scandir(path, &entry, is_seed, alphasort)) < 1)
		bail_out(path, "has no file");
	buf_init(&file, 0);
	for (i = 0; i < n; i++) {
		buf_reset(&file);
		buf_printf(&file, "%s/%s", path, entry[i]->d_name);
		replay_file(buf_text(&file));
		free(entry[i]);
	}
	free(entry);
	buf_free(&file);
}

int
main(int argc, char **argv)
{
	static const char prefix[] = "fuzz_";
	const char *srcdir = getenv("srcdir");
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	struct buf path;
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc < 2) {
		if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
			bail_out(name, "is not called fuzz_NAME");
		buf_init(&path, 0);
		buf_printf(&path, "%s/tests/fuzz/corpus/%s",
		    srcdir != NULL ? srcdir : ".", name + sizeof(prefix) - 1);
		replay(buf_text(&path));
		buf_free(&path);
	}
	printf("1..%d\n", ntests);
	return 0;
}
