/*
 * model: the things devcred is about, as plain values.
 */
#ifndef DEVCRED_MODEL_H
#define DEVCRED_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define DEVICE_ID_CHARS	1000		/* characters of a device id */
#define DEVICE_ID_SIZE	(4 * DEVICE_ID_CHARS + 1)	/* bytes, with NUL */
#define TENANT_SIZE	33		/* bytes, with NUL */
#define LOGIN_NAME_SIZE	(DEVICE_ID_SIZE + 7)	/* "device_" and an id */
#define ADDR_SIZE	46		/* INET6_ADDRSTRLEN */
#define DIGEST_SIZE	32		/* SHA-256 */
#define SALT_SIZE	16
#define PASSWORD_CHARS	32		/* of an issued password */
#define CLAIMANT_SIZE	16		/* digest of who asks */
#define AGENT_MAX	200		/* bytes kept of a User-Agent */

/* Names are those of the reference; see request_status_name(). */
enum request_status {
	WAITING_FOR_CONNECTION,
	PENDING_ACCEPTANCE,
	ACCEPTED,
	BLOCKED,
	REQUEST_STATUS_NONE	/* none of them */
};

/* How an operation ended; the same words as the SQL type devcred.outcome. */
enum outcome {
	OUTCOME_OK,
	OUTCOME_ABSENT,
	OUTCOME_EXISTS,
	OUTCOME_WRONG_STATE,
	OUTCOME_TOKEN_MISMATCH,
	OUTCOME_TOKEN_BLOCKED,
	OUTCOME_NO_TENANT,
	OUTCOME_LIMIT_REACHED,
	OUTCOME_UPDATED,
	OUTCOME_REDELIVERED,
	OUTCOME_DECOMMISSIONED,
	OUTCOME_INVALID,
	OUTCOME_UNKNOWN		/* a word this program does not know */
};

/* Roles, as bits; ROLE_ANY is what everybody has who is logged in. */
enum role {
	ROLE_ANY = 0,
	ROLE_DEVICE_CONTROL_ADMIN = 1,
	ROLE_DEVICE_CONTROL_READ = 2,
	ROLE_DEVICE_BOOTSTRAP = 4,
	ROLE_USER_MANAGEMENT_ADMIN = 8,
	ROLE_DEVICE = 16,
	ROLE_NONE = 32		/* no login: who may ask, an address says */
};

/* A new device request, as a row tells it; strings belong to the row. */
struct newdevice {
	const char *id;
	const char *tenant;
	const char *status;		/* its name */
	const char *owner;
	const char *created;		/* ISO 8601 */
	const char *group_id;		/* or NULL */
	const char *type;		/* or NULL */
	const char *custom_properties;	/* a JSON object */
};

/* What to look at before a request is accepted. */
struct newdevice_review {
	const char *last_seen;		/* ISO 8601, or NULL */
	const char *claimed_from;	/* address, or NULL */
	long	    claimants;
	bool	    has_token;
};

/* An issued credential, as a row tells it; strings belong to the row. */
struct credential {
	const char *id;
	const char *tenant;
	const char *username;
	const char *status;		/* ACTIVE, DISABLED or EXPIRED */
	long	    generation;
	const char *issued;		/* ISO 8601, as all times */
	const char *issued_to;		/* address, or NULL */
	const char *first_used;		/* or NULL */
	const char *expires;		/* or NULL */
	const char *delivery;		/* OPEN, REOPENED or CLOSED */
	long	    deliveries;
	long	    failures;
	const char *accepted_by;
	const char *custom_properties;	/* a JSON object, or NULL */
};

/* An event, as a row tells it; strings belong to the row. */
struct event {
	long	    seq;
	const char *at;			/* ISO 8601 */
	const char *tenant;
	const char *id;
	const char *operation;
	const char *outcome;
	const char *actor;
	const char *source;		/* address, or NULL */
	const char *before;		/* status, or NULL */
	const char *after;		/* status, or NULL */
	const char *request;		/* id of the HTTP request, or NULL */
};

/* The name of a status, and the status of a name. */
const char *request_status_name(enum request_status status);
enum request_status request_status_of(const char *name);

/* Whether a device may have this id; else why says what is wrong with it. */
bool	 device_id_check(const char *id, struct buf *why) MUST_CHECK;

/* The outcome of a word. */
enum outcome outcome_of(const char *word);

/*
 * The roles in a list of names separated by spaces (unknown ones are left
 * out), and the name of one role.
 */
unsigned int role_bits(const char *names);
const char *role_name(unsigned int bit);

#endif
