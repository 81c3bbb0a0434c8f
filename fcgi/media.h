/*
 * media: the media types of the API, and what clients say of them.
 */
#ifndef DEVCRED_MEDIA_H
#define DEVCRED_MEDIA_H

#include "buf.h"

enum media {
	MEDIA_NONE,		/* no body */
	MEDIA_NEWDEVICE,
	MEDIA_NEWDEVICE_LIST,
	MEDIA_CREDENTIALS,
	MEDIA_BULK,
	MEDIA_ERROR,
	MEDIA_JSON,		/* plain application/json */
	MEDIA_TEXT,		/* text/plain */
	MEDIA_METRICS,		/* Prometheus's text format */
	MEDIA_FORM		/* what a browser makes of a form */
};

/* The value of Content-Type for a reply of this type. */
const char *media_name(enum media media);

/*
 * Whether a request body with this Content-Type (NULL: none sent) may be
 * taken for the type: the type itself without regard to case or parameters,
 * application/json, or none.
 */
bool	 media_is(const char *content_type, enum media media) MUST_CHECK;

/*
 * Whether an Accept header (NULL or empty: anything) lets the type through:
 * the type itself, application/json, application/ * or * / *, the first of
 * these that is there, with a q-value above zero (RFC 9110, 12.5.1).
 */
bool	 media_accepted(const char *accept, enum media media) MUST_CHECK;

#endif
