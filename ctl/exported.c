#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exported.h"
#include "seal.h"

#define LINES_MAX	((size_t)1024 * 1024)	/* bytes asked about at once */
#define PIECE_SIZE	((size_t)64 * 1024)
#define SEQ_DIGITS	16

static const struct db_statement stmt_list = { "audit_exports",
	"select x.month, x.file, x.first_seq, x.last_seq, x.sha256"
	"  from devcred.audit_export x"
	" where x.dropped_at is not null"
	" order by x.month",
	0 };

static const struct db_statement stmt_lines = { "audit_line_digests",
	"select d.digests from devcred.audit_line_digests($1, $2) d", 2 };

struct export {
	FILE	*file;		/* NULL: lost */
	char	*line;		/* read and not yet asked for, or NULL */
	long	 first;
	long	 last;
};

struct exported {
	struct ctl	*ctl;
	struct export	*list;
	int		 n;
};

enum ctl_exit
exported_digest(const char *path, unsigned char *digest)
{
	struct secret_sum *sum = secret_sum_new();
	FILE *file = fopen(path, "re");
	char *piece = malloc(PIECE_SIZE);
	enum ctl_exit rc = CTL_FAILED;
	size_t n = 0;

	if (file == NULL)
		ctl_error("%s: %s", path, strerror(errno));
	while (file != NULL && piece != NULL && sum != NULL &&
	    (n = fread(piece, 1, PIECE_SIZE, file)) > 0)
		secret_sum_add(sum, piece, n);
	if (file != NULL && piece != NULL && sum != NULL && !ferror(file))
		rc = secret_sum_end(sum, digest) == 0 ? CTL_DONE : CTL_FAILED;
	secret_sum_free(sum);
	free(piece);
	if (file != NULL)
		fclose(file);
	return rc;
}

/* Read the next line of a file. */
static void
next_line(struct export *e)
{
	size_t size = 0;

	free(e->line);
	e->line = NULL;
	if (e->file != NULL && getline(&e->line, &size, e->file) == -1) {
		free(e->line);
		e->line = NULL;
	}
}

/* The seq that a line begins with. */
static long
line_seq(const char *line)
{
	static const char word[] = "{\"seq\":";

	if (strncmp(line, word, sizeof(word) - 1) != 0)
		return 0;
	return strtol(line + sizeof(word) - 1, NULL, 10);
}

/* Open one of them, if it is as recorded. */
static void
open_one(struct export *e, const struct db_rows *rows, int row,
    const char *dir, struct faults *faults)
{
	unsigned char recorded[DIGEST_SIZE];
	unsigned char digest[DIGEST_SIZE];
	struct buf path;

	e->first = db_num(rows, row, 2);
	e->last = db_num(rows, row, 3);
	buf_init(&path, 0);
	buf_printf(&path, "%s/%s", dir, db_text(rows, row, 1));
	if (exported_digest(buf_text(&path), digest) != CTL_DONE) {
		faults_add(faults, "export of %s is missing",
		    db_text(rows, row, 0));
	} else if (db_bytes(rows, row, 4, recorded, DIGEST_SIZE) == -1 ||
	    memcmp(recorded, digest, DIGEST_SIZE) != 0) {
		faults_add(faults, "export of %s is not as it was recorded",
		    db_text(rows, row, 0));
	} else {
		e->file = fopen(buf_text(&path), "re");
	}
	buf_free(&path);
	next_line(e);
}

enum ctl_exit
exported_open(struct ctl *ctl, const char *dir, struct exported **exported,
    struct faults *faults)
{
	struct exported *x;
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = session_call(ctl, &stmt_list, NULL, &rows)) != CTL_DONE)
		return rc;
	*exported = x = calloc(1, sizeof(*x));
	if (x != NULL)
		x->list = calloc((size_t)rows.n + 1, sizeof(*x->list));
	if (x == NULL || x->list == NULL) {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	} else if (rows.n > 0 && dir == NULL) {
		ctl_error("%s was exported and dropped", db_text(&rows, 0, 0));
		ctl_advice("say where exported files are: --exports DIR");
		rc = CTL_FAILED;
	} else {
		x->ctl = ctl;
		for (; x->n < rows.n; x->n++)
			open_one(&x->list[x->n], &rows, x->n, dir, faults);
	}
	db_rows_free(&rows);
	return rc;
}

void
exported_free(struct exported *x)
{
	int i;

	if (x == NULL)
		return;
	for (i = 0; i < x->n; i++) {
		free(x->list[i].line);
		if (x->list[i].file != NULL)
			fclose(x->list[i].file);
	}
	free(x->list);
	free(x);
}

bool
exported_lost(const struct exported *x, long long seq)
{
	int i;

	for (i = 0; i < x->n; i++)
		if (x->list[i].file == NULL && seq >= x->list[i].first &&
		    seq <= x->list[i].last)
			return true;
	return false;
}

/* Ask for the digests of lines. */
static enum ctl_exit
add_lines(struct exported *x, long format, struct buf *lines,
    struct buf *digests)
{
	char room[24];
	const char *const values[] = { room, buf_text(lines) };
	struct db_rows rows;
	enum ctl_exit rc;

	snprintf(room, sizeof(room), "%ld", format);
	rc = session_long(x->ctl, &stmt_lines, values, &rows);
	if (rc == CTL_DONE) {
		if (db_text(&rows, 0, 0) != NULL)
			buf_puts(digests, db_text(&rows, 0, 0));
		db_rows_free(&rows);
	}
	buf_reset(lines);
	return rc;
}

/* In the order of seq; what has the same, in any. */
static int
by_seq(const void *a, const void *b)
{
	return memcmp(a, b, SEQ_DIGITS);
}

enum ctl_exit
exported_add(struct exported *x, long format, long after, long until,
    struct buf *digests)
{
	const size_t before = digests->len;
	enum ctl_exit rc = CTL_DONE;
	struct export *e;
	struct buf lines;
	int i;

	buf_init(&lines, 0);
	for (i = 0; i < x->n && rc == CTL_DONE; i++) {
		e = &x->list[i];
		for (; e->line != NULL && line_seq(e->line) <= until &&
		    rc == CTL_DONE; next_line(e)) {
			if (line_seq(e->line) > after)
				buf_puts(&lines, e->line);
			if (lines.len > LINES_MAX)
				rc = add_lines(x, format, &lines, digests);
		}
	}
	if (rc == CTL_DONE && lines.len > 0)
		rc = add_lines(x, format, &lines, digests);
	buf_free(&lines);
	if (rc == CTL_DONE && !buf_ok(digests)) {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	}
	if (rc == CTL_DONE && digests->len > before)
		qsort(digests->data, digests->len / SEAL_DIGEST, SEAL_DIGEST,
		    by_seq);
	return rc;
}
