/*
 * repr: the door to json-c, and the JSON texts of the API.
 */
#ifndef DEVCRED_REPR_H
#define DEVCRED_REPR_H

#include "buf.h"
#include "model.h"

struct repr;	/* a parsed object */

enum repr_found {
	REPR_FOUND,
	REPR_ABSENT,	/* no such field, or null */
	REPR_WRONG	/* a field of another type */
};

/*
 * Parse a request body: one JSON object of UTF-8 with nothing but white space
 * after it.  A comma before '}' is forgiven, as the reference's examples
 * have one.  Depth REPR_DEPTH at most; no NUL, no lone surrogate, no number
 * that would not come out as it went in.  NULL, with *why saying what is
 * wrong (static text), for anything else.  Free with repr_free().
 */
#define REPR_DEPTH	16
struct repr *repr_parse(const char *text, size_t len, const char **why)
	    MUST_CHECK;
void	 repr_free(struct repr *obj);

/* A string field; *value, NULL unless found, lives as long as obj. */
enum repr_found repr_string(const struct repr *obj, const char *field,
	    const char **value);

/* The JSON text of an object field; *value as above. */
enum repr_found repr_object(const struct repr *obj, const char *field,
	    const char **value);

/* {"error":…,"message":…,"info":…} */
void	 repr_error(struct buf *out, const char *error, const char *message);

/*
 * A request; review, unless it is NULL, is told with it.  base is the start
 * of links ("https://host") and ends without a slash.
 */
void	 repr_newdevice(struct buf *out, const struct newdevice *nd,
	    const struct newdevice_review *review, const char *base);

/* Whether there is such a field, be it null. */
bool	 repr_has(const struct repr *obj, const char *field) MUST_CHECK;

/* An issued credential; password, if not NULL, is told with it. */
void	 repr_issued(struct buf *out, const struct credential *c,
	    const char *password, const char *base);

/* Who has asked for a device id; source and agent may be NULL. */
void	 repr_claim(struct buf *out, bool another, const char *claimed,
	    const char *source, const char *agent, bool has_token,
	    const char *actor);

/* An event; another: not the first of a list. */
void	 repr_event(struct buf *out, bool another, const struct event *event);

/* Credentials; custom_properties may be NULL. */
void	 repr_credentials(struct buf *out, const char *id, const char *tenant,
	    const char *password, const char *custom_properties,
	    const char *base);

#endif
