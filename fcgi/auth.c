#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "addr.h"
#include "auth.h"
#include "clock.h"
#include "exchange.h"
#include "login.h"
#include "text.h"

/* Logins remembered, by a worker: SETS * WAYS. */
#define SETS	64
#define WAYS	4

/* Places of those whose logins failed lately, who share them by chance. */
#define SUSPECTS	1024
#define SUSPECT_TIME	60000	/* ms; the database lets one by in half of it */

enum entry_state { ENTRY_FREE, ENTRY_TRYING, ENTRY_KNOWN };

struct auth_entry {
	enum entry_state	 state;
	unsigned char		 digest[DIGEST_SIZE];	/* of the header */
	unsigned char		 stored[DIGEST_SIZE];	/* of the stored hash */
	bool			 checked;	/* stored was found to fit */
	struct login		*login;
	int64_t			 fresh_until;	/* clock_ms() */
	int64_t			 used;
	struct exchange_list	 waiting;
};

struct auth {
	const struct conf	*conf;
	struct secret_key	*key;
	struct auth_entry	 entry[SETS][WAYS];
	struct exchange_list	 ready;		/* their wait is over */
	int64_t			 suspect[SUSPECTS];	/* until, clock_ms() */
};

struct auth *
auth_new(const struct conf *conf)
{
	struct auth *auth;
	int i;
	int k;

	if ((auth = calloc(1, sizeof(*auth))) == NULL)
		return NULL;
	if ((auth->key = secret_key_new()) == NULL) {
		free(auth);
		return NULL;
	}
	auth->conf = conf;
	TAILQ_INIT(&auth->ready);
	for (i = 0; i < SETS; i++)
		for (k = 0; k < WAYS; k++)
			TAILQ_INIT(&auth->entry[i][k].waiting);
	return auth;
}

static void
entry_clear(struct auth_entry *entry)
{
	free(entry->login);
	entry->login = NULL;
	entry->checked = false;
	entry->state = ENTRY_FREE;
}

void
auth_free(struct auth *auth)
{
	int i;
	int k;

	if (auth == NULL)
		return;
	for (i = 0; i < SETS; i++)
		for (k = 0; k < WAYS; k++)
			entry_clear(&auth->entry[i][k]);
	secret_key_free(auth->key);
	free(auth);
}

/*
 * The entry of a digest, or one to put it into: the least recently used that
 * nobody waits for; NULL if there is none.
 */
static struct auth_entry *
entry_find(struct auth *auth, const unsigned char *digest)
{
	struct auth_entry *set = auth->entry[digest[0] % SETS];
	struct auth_entry *best = NULL;
	int i;

	for (i = 0; i < WAYS; i++)
		if (set[i].state != ENTRY_FREE &&
		    secret_equal(set[i].digest, digest, DIGEST_SIZE))
			return &set[i];
	for (i = 0; i < WAYS; i++) {
		if (set[i].state == ENTRY_TRYING)
			continue;
		if (best == NULL || set[i].state == ENTRY_FREE ||
		    (best->state != ENTRY_FREE && set[i].used < best->used))
			best = &set[i];
	}
	if (best == NULL)
		return NULL;
	entry_clear(best);
	memcpy(best->digest, digest, DIGEST_SIZE);
	return best;
}

/* Until when who sends x is suspect; NULL: it is not known who that is. */
static int64_t *
suspect_until(const struct exchange *x)
{
	return x->login_try.for_client || x->rq.source[0] == '\0' ? NULL :
	    &x->cx->auth->suspect[addr_bucket(x->rq.source, SUSPECTS)];
}

static bool
is_suspect(const struct exchange *x)
{
	const int64_t *until = suspect_until(x);

	return until != NULL && clock_ms() < *until;
}

/* Remember where a login comes from that failed. */
static void
suspect(const struct exchange *x, enum verdict verdict)
{
	int64_t *until = suspect_until(x);

	if (until != NULL && (verdict == VERDICT_NO || verdict == VERDICT_WAIT))
		*until = clock_ms() + SUSPECT_TIME;
}

/*
 * Digest of all that a verdict depends on: the header, and where it names no
 * tenant the host and default that name one.
 */
static int
header_digest(const struct exchange *x, unsigned char *digest)
{
	const struct request *rq = &x->rq;
	struct buf text;
	int rc = -1;

	buf_init(&text, 0);
	buf_puts(&text, rq->authorization);
	buf_putc(&text, '\n');
	buf_puts(&text, rq->host != NULL ? rq->host : "");
	buf_putc(&text, '\n');
	buf_puts(&text, rq->default_tenant);
	if (buf_ok(&text))
		rc = secret_mac(x->cx->auth->key, buf_text(&text), text.len,
		    digest);
	buf_free(&text);
	return rc;
}

enum verdict
auth_begin(struct exchange *x, bool *wait)
{
	struct auth *auth = x->cx->auth;
	struct login_try *try = &x->login_try;
	unsigned char digest[DIGEST_SIZE];
	struct auth_entry *entry;
	enum verdict verdict;

	*wait = false;
	if (x->rq.authorization == NULL)
		return VERDICT_ABSENT;
	/* several headers, joined by the web server */
	if (strncasecmp(x->rq.authorization, "Basic", 5) == 0 &&
	    strchr(x->rq.authorization, ',') != NULL)
		return VERDICT_MALFORMED;
	if (header_digest(x, digest) == -1)
		return VERDICT_LATER;
	entry = entry_find(auth, digest);
	if (entry != NULL) {
		entry->used = clock_ms();
		if (entry->state == ENTRY_KNOWN &&
		    entry->used < entry->fresh_until && !is_suspect(x)) {
			x->login = *entry->login;
			return VERDICT_YES;
		}
		try->entry = entry;
		if (entry->state == ENTRY_TRYING) {
			TAILQ_INSERT_TAIL(&entry->waiting, x, link);
			*wait = true;
			return VERDICT_NONE;
		}
	}
	verdict = login_ask(x);
	if (verdict == VERDICT_NONE && entry != NULL) {
		entry->state = ENTRY_TRYING;
		try->leads = true;
	} else {
		try->entry = NULL;
	}
	return verdict;
}

/* What the verdict on x is for w, who has brought the same login. */
static enum verdict
verdict_for(const struct exchange *w, const struct exchange *x,
    enum verdict verdict)
{
	if ((verdict == VERDICT_WAIT ||
	    (verdict == VERDICT_YES && is_suspect(w))) &&
	    strcmp(w->rq.source, x->rq.source) != 0)
		return VERDICT_NONE;	/* it depends on where it comes from */
	return verdict;
}

/* The login of x is decided: remember it and wake those who wait. */
static enum verdict
settle(struct exchange *x, enum verdict verdict)
{
	struct auth *auth = x->cx->auth;
	struct login_try *try = &x->login_try;
	struct auth_entry *entry = try->entry;
	struct exchange *w;

	if (verdict == VERDICT_YES)
		x->login = try->found;
	suspect(x, verdict);
	if (entry == NULL || !try->leads)
		return verdict;
	while ((w = TAILQ_FIRST(&entry->waiting)) != NULL) {
		TAILQ_REMOVE(&entry->waiting, w, link);
		w->login = x->login;
		w->login_try.entry = NULL;
		w->login_try.wait = try->wait;
		w->login_try.verdict = verdict_for(w, x, verdict);
		suspect(w, w->login_try.verdict);
		TAILQ_INSERT_TAIL(&auth->ready, w, link);
	}
	try->entry = NULL;
	try->leads = false;
	if (verdict != VERDICT_YES && verdict != VERDICT_NO &&
	    entry->login != NULL) {
		/* nothing was learned: ask again, but keep what was checked */
		entry->state = ENTRY_KNOWN;
		if (verdict != VERDICT_WAIT)
			entry->fresh_until = 0;
		return verdict;
	}
	if (verdict != VERDICT_YES || auth->conf->login_cache == 0) {
		entry_clear(entry);
		return verdict;
	}
	if (entry->login == NULL)
		entry->login = malloc(sizeof(*entry->login));
	if (entry->login == NULL) {
		entry_clear(entry);
		return verdict;
	}
	*entry->login = x->login;
	entry->state = ENTRY_KNOWN;
	/* who else it is, the database is asked; a slow hash is not repeated */
	entry->fresh_until = x->login.roles != ROLE_DEVICE_BOOTSTRAP ? 0 :
	    clock_ms() + auth->conf->login_cache * 1000;
	return verdict;
}

/* The columns of login_ask that are about everybody. */
enum { COL_TENANT = 0, COL_ROLES, COL_PASSWORD_HASH, COL_NAMED_TENANT = 10,
	COL_WAIT, COL_KNOWN };

static void
take_found(struct exchange *x, const struct db_rows *rows)
{
	struct login_try *try = &x->login_try;
	struct login *found = &try->found;
	const char *tenant = db_text(rows, 0, COL_NAMED_TENANT);
	size_t len = strlen(tenant);

	try->wait = db_num(rows, 0, COL_WAIT);
	found->tenant[0] = '\0';
	try->known = db_true(rows, 0, COL_KNOWN);
	if (str_copy(found->tenant, sizeof(found->tenant), tenant, len) == -1 ||
	    db_text(rows, 0, COL_TENANT) == NULL)
		return;
	/* both parts fit: the name was measured, the tenant just now */
	memcpy(found->actor, tenant, len);
	found->actor[len] = '/';
	memcpy(found->actor + len + 1, try->name, strlen(try->name) + 1);
	found->roles = role_bits(db_text(rows, 0, COL_ROLES));
	try->exists = true;
}

/* A person's login: is the stored hash the one that was checked before? */
static enum verdict
check_person(struct exchange *x, const char *hash)
{
	struct login_try *try = &x->login_try;
	struct auth_entry *entry = try->entry;
	unsigned char stored[DIGEST_SIZE];

	if (str_copy(try->hash, sizeof(try->hash), hash, strlen(hash)) == -1)
		return VERDICT_LATER;
	if (entry == NULL || !try->exists)
		return VERDICT_NONE;
	if (secret_digest(hash, strlen(hash), stored) == -1)
		return VERDICT_LATER;
	if (entry->checked && secret_equal(stored, entry->stored, DIGEST_SIZE))
		return VERDICT_YES;
	memcpy(entry->stored, stored, DIGEST_SIZE);
	entry->checked = false;
	return VERDICT_NONE;
}

enum verdict
auth_rows(struct exchange *x, enum db_status status,
    const struct db_rows *rows)
{
	struct login_try *try = &x->login_try;
	enum verdict verdict;

	/* a use that is not recorded would leave the window open */
	if (x->call.id == STORE_CREDENTIAL_USE)
		return settle(x, status == DB_OK ||
		    try->verdict != VERDICT_YES ? try->verdict : VERDICT_LATER);
	if (x->call.id == STORE_LOGIN_NOTE)
		return settle(x, try->verdict);
	if (status == DB_REFUSED)	/* no text that can be a name */
		return settle(x, VERDICT_NO);
	if (status != DB_OK)
		return settle(x, VERDICT_LATER);
	if (rows->n == 1)
		take_found(x, rows);
	if (try->wait > 0)
		verdict = VERDICT_WAIT;
	else if (strncmp(try->name, "device_", 7) != 0)
		verdict = check_person(x, try->exists ?
		    db_text(rows, 0, COL_PASSWORD_HASH) :
		    secret_slow_dummy(x->cx->conf->password_scheme));
	else
		verdict = login_check_device(x, rows);
	return verdict == VERDICT_NONE || verdict == VERDICT_RECORD ? verdict :
	    settle(x, verdict);
}

enum verdict
auth_hashed(struct exchange *x, bool match)
{
	struct login_try *try = &x->login_try;

	match = match && try->exists;
	if (match && try->entry != NULL)
		try->entry->checked = true;
	try->verdict = match ? VERDICT_YES : VERDICT_NO;
	if (match && try->known)
		return settle(x, try->verdict);
	return login_record(x) == VERDICT_RECORD ? VERDICT_RECORD :
	    settle(x, try->verdict);
}

struct exchange *
auth_next(struct auth *auth, enum verdict *verdict)
{
	struct exchange *x = TAILQ_FIRST(&auth->ready);

	if (x == NULL)
		return NULL;
	TAILQ_REMOVE(&auth->ready, x, link);
	*verdict = x->login_try.verdict;
	return x;
}

void
auth_forget(struct exchange *x, enum verdict others)
{
	struct login_try *try = &x->login_try;

	if (try->leads)
		settle(x, others);
	else if (try->entry != NULL) {
		TAILQ_REMOVE(&try->entry->waiting, x, link);
		try->entry = NULL;
	}
}
