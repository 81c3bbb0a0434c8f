#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exported.h"
#include "result.h"
#include "seal.h"

#define SEQ_DIGITS	16		/* of a digest, in the beginning */

static const struct db_statement stmt_next = { "audit_next",
	"select s.number, s.format, s.after_seq, s.until_seq, s.event_count,"
	"       encode(s.digests, 'hex'), s.previous,"
	"       to_char(s.sealed_at at time zone 'UTC',"
	"           'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
	"       s.key_id, s.signature"
	"  from devcred.audit_seal s"
	" where s.number > $1"
	" order by s.number"
	" limit 1",
	1 };

static const struct db_statement stmt_now = { "audit_now",
	"select d.digests"
	"  from devcred.audit_digests($1, $2, $3, null) d",
	3 };

static const struct db_statement stmt_rest = { "audit_rest",
	"select count(*)"
	"  from devcred.event e"
	" where e.seq > $1",
	1 };

static const char sql_patient[] = "set local statement_timeout = 0";

/* One run of it. */
struct verifying {
	struct ctl	*ctl;
	struct buf	 public;	/* public halves of keys */
	struct buf	 against;	/* seals that were kept elsewhere */
	const char	*against_path;	/* or NULL */
	struct exported	*exported;	/* months that were dropped */
	long		 number;	/* of the seal looked at last */
	long		 until;		/* where it ended */
	unsigned char	 digest[DIGEST_SIZE];	/* of its text */
	long		 seals;
	long		 events;
	struct faults	 faults;
	long		 lost;		/* events, perhaps in lost exports */
};

static void
seal_fault(struct verifying *v, long number, const char *what)
{
	faults_add(&v->faults, "seal %ld %s", number, what);
}

/* The seq that a digest begins with. */
static long long
seq_of(const char *digest)
{
	char seq[SEQ_DIGITS + 1];

	memcpy(seq, digest, SEQ_DIGITS);
	seq[SEQ_DIGITS] = '\0';
	return (long long)strtoull(seq, NULL, 16);
}

static void
event_fault(struct verifying *v, const char *digest, const char *what,
    long number)
{
	faults_add(&v->faults, "event %lld %s (seal %ld)", seq_of(digest),
	    what, number);
}

/* Which of two digests comes first; -1, 0 or 1.  The end comes last. */
static int
order_of(const char *a, const char *b)
{
	if (*a == '\0' || *b == '\0')
		return *a == '\0' ? 1 : -1;
	return (seq_of(a) > seq_of(b)) - (seq_of(a) < seq_of(b));
}

/* Name the events in which two lists differ. */
static void
compare(struct verifying *v, long number, const char *sealed, const char *now)
{
	int order;

	if (strcmp(sealed, now) == 0)
		return;
	while (*sealed != '\0' || *now != '\0') {
		order = order_of(sealed, now);
		if (order < 0 && exported_lost(v->exported, seq_of(sealed)))
			v->lost++;
		else if (order < 0)
			event_fault(v, sealed, "is missing", number);
		else if (order > 0)
			event_fault(v, now, "was inserted", number);
		else if (memcmp(sealed, now, SEAL_DIGEST) != 0)
			event_fault(v, sealed, "was changed", number);
		sealed += order <= 0 ? SEAL_DIGEST : 0;
		now += order >= 0 ? SEAL_DIGEST : 0;
	}
}

static enum ctl_exit
check_events(struct verifying *v, const struct seal *seal)
{
	char room[3][24];
	const char *const values[] = { room[0], room[1], room[2] };
	struct db_rows rows;
	struct buf now;
	enum ctl_exit rc;

	if (strlen(seal->digests) % SEAL_DIGEST != 0) {
		seal_fault(v, seal->number, "has half a digest");
		return CTL_DONE;
	}
	if (seal->format != SEAL_FORMAT) {
		seal_fault(v, seal->number, "has a format that this "
		    "devcredctl does not know");
		return CTL_DONE;
	}
	snprintf(room[0], sizeof(room[0]), "%ld", seal->format);
	snprintf(room[1], sizeof(room[1]), "%ld", seal->after);
	snprintf(room[2], sizeof(room[2]), "%ld", seal->until);
	if ((rc = session_long(v->ctl, &stmt_now, values, &rows)) != CTL_DONE)
		return rc;
	buf_init(&now, 0);
	if (db_text(&rows, 0, 0) != NULL)
		buf_puts(&now, db_text(&rows, 0, 0));
	db_rows_free(&rows);
	rc = exported_add(v->exported, seal->format, seal->after, seal->until,
	    &now);
	if (rc == CTL_DONE)
		compare(v, seal->number, seal->digests, buf_text(&now));
	buf_free(&now);
	return rc;
}

/* The number of a seal in the file that was kept elsewhere; the next text. */
static const char *
kept_next(const char *at, long *number)
{
	static const char word[] = "\nnumber ";

	if ((at = strstr(at, word)) == NULL)
		return NULL;
	at += sizeof(word) - 1;
	*number = strtol(at, NULL, 10);
	return at;
}

/* Whether the seal is the one that was kept elsewhere, if it is there. */
static void
check_kept(struct verifying *v, long number, const struct buf *text)
{
	const char *at = buf_text(&v->against);
	long other;

	while ((at = kept_next(at, &other)) != NULL)
		if (other == number &&
		    strstr(buf_text(&v->against), buf_text(text)) == NULL) {
			seal_fault(v, number, "is not the one that was kept "
			    "elsewhere");
			return;
		}
}

/* Its text, signature, and how it follows the one before. */
static enum ctl_exit
check_seal(struct verifying *v, const struct seal *seal)
{
	unsigned char public[SIGN_KEY_SIZE];
	struct buf text;
	enum ctl_exit rc = CTL_DONE;
	size_t len;

	while (++v->number < seal->number) {
		seal_fault(v, v->number, "is missing");
		memset(v->digest, 0, sizeof(v->digest));
		v->until = -1;
	}
	if (v->until >= 0 && (seal->after != v->until ||
	    memcmp(seal->previous, v->digest, DIGEST_SIZE) != 0))
		seal_fault(v, seal->number, "does not follow the one before");
	buf_init(&text, 0);
	if (seal_text(seal, &text, &len) == -1 ||
	    secret_digest(buf_text(&text), text.len, v->digest) == -1) {
		ctl_error("out of memory");
		rc = CTL_FAILED;
	} else if (seal_public_find(buf_text(&v->public), seal->key,
	    public) == -1) {
		seal_fault(v, seal->number, "was signed with a key that is "
		    "not in the file of public keys");
	} else if (!secret_signed(public, buf_text(&text), len,
	    seal->signature)) {
		seal_fault(v, seal->number, "was altered: the signature is "
		    "not its own");
	}
	if (rc == CTL_DONE)
		check_kept(v, seal->number, &text);
	buf_free(&text);
	v->until = seal->until;
	v->seals++;
	v->events += seal->count;
	return rc;
}

/* All seals in their order, each with its events. */
static enum ctl_exit
check_all(struct verifying *v)
{
	char room[24];
	const char *const values[] = { room };
	struct db_rows rows;
	struct seal seal;
	enum ctl_exit rc;
	bool more = true;

	while (more) {
		snprintf(room, sizeof(room), "%ld", v->number);
		rc = session_long(v->ctl, &stmt_next, values, &rows);
		if (rc != CTL_DONE)
			return rc;
		more = rows.n > 0;
		if (more && seal_take(&seal, &rows, 0) == -1) {
			ctl_error("a seal cannot be read");
			rc = CTL_FAILED;
		}
		if (more && rc == CTL_DONE)
			rc = check_seal(v, &seal);
		if (more && rc == CTL_DONE)
			rc = check_events(v, &seal);
		db_rows_free(&rows);
		if (rc != CTL_DONE)
			return rc;
	}
	return CTL_DONE;
}

/* Seals that are elsewhere and not here any more, after the last. */
static enum ctl_exit
check_end(struct verifying *v)
{
	const char *at = buf_text(&v->against);
	long last = 0;
	long number;

	while ((at = kept_next(at, &number)) != NULL) {
		if (number > v->number)
			seal_fault(v, number, "is missing");
		last = number;
	}
	if (v->against_path != NULL && last == 0) {
		ctl_error("%s has no seals", v->against_path);
		return CTL_FAILED;
	}
	return CTL_DONE;
}

/* Tell how it ended. */
static enum ctl_exit
tell(struct verifying *v, long unsealed)
{
	static const struct result_column columns[] = {
		{ "seals", NULL, RESULT_NUM },
		{ "event_count", NULL, RESULT_NUM },
		{ "unsealed", NULL, RESULT_NUM },
		{ "lost", NULL, RESULT_NUM },
		{ "faults", NULL, RESULT_JSON },
		RESULT_END
	};
	struct result r;

	result_init(&r, v->ctl, columns);
	result_add_num(&r, v->seals);
	result_add_num(&r, v->events);
	result_add_num(&r, unsealed);
	result_add_num(&r, v->lost);
	result_add(&r, faults_array(&v->faults));
	return result_one(&r, "%ld seals over %ld events: %ld faults; %ld "
	    "events are not sealed yet\n", v->seals, v->events, v->faults.n,
	    unsealed);
}

static enum ctl_exit
run(struct verifying *v, const char *exports)
{
	char room[24];
	const char *const values[] = { room };
	enum db_status status;
	struct db_rows rows;
	enum ctl_exit rc;

	if ((rc = session_begin(v->ctl)) != CTL_DONE)
		return rc;
	status = db_run_script(v->ctl->db, sql_patient, SESSION_LONG);
	if (status != DB_OK)
		return session_failed(v->ctl, status);
	rc = exported_open(v->ctl, exports, &v->exported, &v->faults);
	if (rc != CTL_DONE || (rc = check_all(v)) != CTL_DONE ||
	    (rc = check_end(v)) != CTL_DONE)
		return rc;
	if (v->lost > 0 && !v->ctl->json)
		printf("%ld events are missing that these exports had\n",
		    v->lost);
	snprintf(room, sizeof(room), "%ld", v->until);
	if ((rc = session_long(v->ctl, &stmt_rest, values, &rows)) != CTL_DONE)
		return rc;
	rc = tell(v, db_num(&rows, 0, 0));
	db_rows_free(&rows);
	return rc == CTL_DONE && v->faults.n > 0 ? CTL_FAILED : rc;
}

enum ctl_exit
audit_verify(struct ctl *ctl)
{
	const char *public = NULL;
	const char *exports = NULL;
	struct verifying v;
	const struct ctl_option options[] = {
		{ "public", NULL, &public, NULL },
		{ "against", NULL, &v.against_path, NULL },
		{ "exports", NULL, &exports, NULL },
		{ NULL, NULL, NULL, NULL }
	};
	enum ctl_exit rc;

	memset(&v, 0, sizeof(v));
	v.ctl = ctl;
	if ((rc = ctl_args(ctl, options, 0, 0)) != CTL_DONE)
		return rc;
	if (public == NULL)
		return ctl_usage(ctl, "--public is missing");
	faults_init(&v.faults, ctl);
	buf_init(&v.public, SEAL_FILE_MAX);
	buf_init(&v.against, SEAL_FILE_MAX);
	rc = seal_file_read(&v.public, public);
	if (rc == CTL_DONE && v.against_path != NULL)
		rc = seal_file_read(&v.against, v.against_path);
	if (rc == CTL_DONE)
		rc = run(&v, exports);
	exported_free(v.exported);
	faults_free(&v.faults);
	buf_free(&v.against);
	buf_free(&v.public);
	return rc;
}
