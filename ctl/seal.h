/*
 * seal: a signed checkpoint over events, as text, and the files of its keys.
 *
 * The text is lines of a name and a value, the last of them the signature of
 * all others; every seal has the digest of the text before it.
 */
#ifndef DEVCREDCTL_SEAL_H
#define DEVCREDCTL_SEAL_H

#include "ctl.h"
#include "secret.h"

#define SEAL_FORMAT	1
#define SEAL_EVENTS	100000		/* of one seal, at most */
#define SEAL_DIGEST	48		/* hexadecimal digits of each event */
#define SEAL_KEY_ID	(16 + 1)	/* bytes of a key's id, with NUL */
#define SEAL_FILE_MAX	((size_t)64 * 1024 * 1024)	/* bytes */

struct seal {
	long		 number;
	long		 format;
	long		 after;		/* < seq of events <= until */
	long		 until;
	long		 count;
	const char	*digests;	/* SEAL_DIGEST digits of each event */
	const char	*at;		/* ISO 8601 with microseconds */
	char		 key[SEAL_KEY_ID];
	unsigned char	 previous[DIGEST_SIZE];
	unsigned char	 signature[SIGNATURE_SIZE];
};

struct seal_key {
	unsigned char	 key[SIGN_KEY_SIZE];
	unsigned char	 public[SIGN_KEY_SIZE];
	char		 id[SEAL_KEY_ID];
};

/*
 * Make a key, in a new file that is its owner's alone, and the file of its
 * public half beside it, path.pub.  The reason of a failure is told.
 */
enum ctl_exit seal_key_make(struct seal_key *key, const char *path) MUST_CHECK;

/* Read a key, from a file that keeps its secrets; wiped by the caller. */
enum ctl_exit seal_key_read(struct seal_key *key, const char *path) MUST_CHECK;

/* Read a file, whoever may read it; the reason of a failure is told. */
enum ctl_exit seal_file_read(struct buf *text, const char *path) MUST_CHECK;

/* Find a public half in the text of a file of them; -1 if it is not there. */
int	 seal_public_find(const char *text, const char *id,
	    unsigned char *public) MUST_CHECK;

/*
 * Take a seal from a row of its columns as the table has them, digests as
 * text in hex and sealed_at in ISO 8601; it lives as long as the row.
 */
int	 seal_take(struct seal *seal, const struct db_rows *rows, int row)
	    MUST_CHECK;

/* Sign: fills in key and signature, and adds the whole text. */
int	 seal_sign(struct seal *seal, const struct seal_key *key,
	    struct buf *text) MUST_CHECK;

/* Add the whole text of a seal; signed: how much of it is signed. */
int	 seal_text(const struct seal *seal, struct buf *text, size_t *is_signed)
	    MUST_CHECK;

#endif
