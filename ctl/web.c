#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "secret.h"
#include "web.h"

#define DEADLINE	5000	/* ms for a request */
#define PATIENCE	1000	/* ms for a refusal of a body */
#define BODY_KEPT	((size_t)32 * 1024)

/* What CURLINFO_SSL_VERIFYRESULT says: X509_V_ERR_* of OpenSSL. */
enum {
	X509_UNSET = 1, X509_EARLY = 9, X509_EXPIRED = 10, X509_SELF = 18,
	X509_SELF_CHAIN = 19, X509_NO_ISSUER = 20, X509_NO_LEAF = 21,
	X509_NAME = 62
};

struct web {
	CURL		*curl;
	const char	*url;
	const char	*ca;
	struct buf	 target;
	struct buf	 body;
	size_t		 left;	/* of the body to be sent */
	size_t		 end;	/* what give() says then */
	char		 reason[CURL_ERROR_SIZE];
};

struct web *
web_new(const char *url, const char *ca)
{
	struct web *web;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (web = calloc(1, sizeof(*web))) == NULL)
		return NULL;
	web->url = url;
	web->ca = ca;
	buf_init(&web->target, 0);
	buf_init(&web->body, 0);
	if ((web->curl = curl_easy_init()) == NULL) {
		free(web);
		return NULL;
	}
	return web;
}

void
web_free(struct web *web)
{
	if (web == NULL)
		return;
	curl_easy_cleanup(web->curl);
	buf_free(&web->target);
	buf_free(&web->body);
	free(web);
}

/* Keep the start of an answer; what comes then is of no interest. */
static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	struct buf *body = arg;
	size_t i;

	(void)size;	/* 1, always */
	if (body->len + n > BODY_KEPT)
		return 0;
	for (i = 0; i < n; i++)
		buf_putc(body, data[i] != '\0' ? data[i] : '?');
	return n;
}

/* The next bytes of a body. */
static size_t
give(char *data, size_t size, size_t n, void *arg)
{
	struct web *web = arg;

	n *= size;
	if (web->left == 0)
		return web->end;
	if (n > web->left)
		n = web->left;
	memset(data, ' ', n);
	web->left -= n;
	return n;
}

static enum web_result
cert_result(long verify)
{
	switch (verify) {
	case X509_EXPIRED:
		return WEB_CERT_EXPIRED;
	case X509_EARLY:
		return WEB_CERT_EARLY;
	case X509_SELF:
		return WEB_CERT_SELF;
	case X509_SELF_CHAIN:
	case X509_NO_ISSUER:
	case X509_NO_LEAF:
		return WEB_CERT_UNKNOWN;
	case X509_NAME:
	case X509_UNSET:	/* libcurl compares names itself */
	case 0:
		return WEB_CERT_NAME;
	default:
		return WEB_CERT_OTHER;
	}
}

/* Why there was no answer. */
static enum web_result
failure(struct web *web, CURLcode code)
{
	long verify = 0;

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return WEB_NO_NAME;
	case CURLE_COULDNT_CONNECT:
		return WEB_REFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return WEB_SLOW;
	case CURLE_PEER_FAILED_VERIFICATION:
		curl_easy_getinfo(web->curl, CURLINFO_SSL_VERIFYRESULT,
		    &verify);
		return cert_result(verify);
	case CURLE_SSL_CACERT_BADFILE:
		return WEB_NO_CA;
	case CURLE_SSL_CONNECT_ERROR:
		return WEB_NO_TLS;
	default:
		return WEB_FAILED;
	}
}

/* A header of the answer; "" if there is none. */
static const char *
header(struct web *web, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(web->curl, name, 0, CURLH_HEADER, -1, &found) !=
	    CURLHE_OK)
		return "";
	return found->value;
}

static bool
is_loopback(const char *address)
{
	return address != NULL && (strncmp(address, "127.", 4) == 0 ||
	    strcmp(address, "::1") == 0);
}

/* What is the same for every request. */
static void
prepare(struct web *web)
{
	CURL *curl = web->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, web->reason);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)DEADLINE);
	curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, (long)PATIENCE);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "devcredctl/" VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &web->body);
	if (web->ca != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, web->ca);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
}

static void
prepare_body(struct web *web, const struct web_ask *ask)
{
	CURL *curl = web->curl;

	if (ask->announced == 0)
		return;
	web->left = ask->sent;
	if (ask->sent < ask->announced)
		web->end = ask->waits ? CURL_READFUNC_PAUSE :
		    CURL_READFUNC_ABORT;
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, web);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
	    (curl_off_t)ask->announced);
	if (web->end == CURL_READFUNC_PAUSE)
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
		    (long)(2 * PATIENCE));
}

/* libcurl copies headers, and one of them may be a login. */
static void
free_headers(struct curl_slist *headers)
{
	struct curl_slist *h;

	for (h = headers; h != NULL; h = h->next)
		secret_wipe(h->data, strlen(h->data));
	curl_slist_free_all(headers);
}

static struct curl_slist *
make_headers(const struct web_ask *ask)
{
	struct curl_slist *headers = NULL;
	struct curl_slist *more;
	int i;

	for (i = 0; i < WEB_HEADERS && ask->header[i] != NULL; i++) {
		if ((more = curl_slist_append(headers, ask->header[i])) ==
		    NULL)
			break;
		headers = more;
	}
	return headers;
}

static void
read_answer(struct web *web, CURLcode code, struct web_answer *answer)
{
	char *address = NULL;
	long status = 0;

	curl_easy_getinfo(web->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(web->curl, CURLINFO_PRIMARY_IP, &address);
	answer->loopback = is_loopback(address);
	answer->status = (int)status;
	answer->server = header(web, "Server");
	answer->date = header(web, "Date");
	answer->type = header(web, "Content-Type");
	answer->location = header(web, "Location");
	answer->request_id = header(web, "X-Request-Id");
	answer->body = buf_text(&web->body);
	answer->reason = web->reason[0] != '\0' ? web->reason :
	    curl_easy_strerror(code);
	answer->at = time(NULL);
	answer->dated = curl_getdate(answer->date, NULL);
	/* one that was cut, by us or by them, is an answer all the same */
	if (status >= 200)
		answer->result = WEB_ANSWERED;
	else if (code == CURLE_ABORTED_BY_CALLBACK ||
	    (code == CURLE_OPERATION_TIMEDOUT && web->end != 0))
		answer->result = WEB_TAKEN;
	else
		answer->result = failure(web, code);
}

void
web_send(struct web *web, const struct web_ask *ask,
    struct web_answer *answer)
{
	struct curl_slist *headers = make_headers(ask);
	CURLcode code;

	memset(answer, 0, sizeof(*answer));
	web->reason[0] = '\0';
	web->left = 0;
	web->end = 0;
	buf_reset(&web->body);
	buf_reset(&web->target);
	buf_printf(&web->target, "%s%s", web->url, ask->path);
	prepare(web);
	prepare_body(web, ask);
	curl_easy_setopt(web->curl, CURLOPT_URL, buf_text(&web->target));
	curl_easy_setopt(web->curl, CURLOPT_HTTPHEADER, headers);
	if (ask->method != NULL)
		curl_easy_setopt(web->curl, CURLOPT_CUSTOMREQUEST,
		    ask->method);
	code = curl_easy_perform(web->curl);
	read_answer(web, code, answer);
	curl_easy_setopt(web->curl, CURLOPT_HTTPHEADER, NULL);
	free_headers(headers);
}
