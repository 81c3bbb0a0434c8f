#include <string.h>
#include <strings.h>

#include "doctor.h"

#define PATHS	"(devicecontrol|tenant|user|devcred|s)(/|$)"
#define NOTHING	"lighttpd does that by itself: look for what keeps it from it "

/*
 * The lines, with @SOCKET@ and @PREFIX@ to be replaced.  NULL: that
 * server has no such trap.
 */
static const char *const cures[][SERVER_OTHER] = {
	[TRAP_PATHS] = {
		"$HTTP[\"url\"] =~ \"^@PREFIX@/" PATHS "\" { around "
		    "fastcgi.server",
		"<LocationMatch \"^@PREFIX@/" PATHS "\"> around SetHandler",
		"location ~ ^@PREFIX@/" PATHS " { around fastcgi_pass",
	},
	[TRAP_SOCKET] = {
		"\"socket\" => \"@SOCKET@\", in fastcgi.server",
		"SetHandler \"proxy:unix:@SOCKET@|fcgi://devcred/\"",
		"server unix:@SOCKET@ max_fails=0; in upstream",
	},
	[TRAP_PAGES] = {
		"server.error-intercept = \"disable\"",
		"ProxyErrorOverride Off",
		"fastcgi_intercept_errors off;",
	},
	[TRAP_LOGIN] = {
		NOTHING "(setenv.set-request-header with \"Authorization\")",
		"CGIPassAuth On, in <LocationMatch>",
		"fastcgi_param HTTP_AUTHORIZATION $http_authorization;",
	},
	[TRAP_SLASH] = {
		"\"url-path-2f-reject\" => \"disable\", in "
		    "server.http-parseopts",
		"AllowEncodedSlashes NoDecode, in the server or <VirtualHost>",
		"no URI behind the host in proxy_pass, if there is one",
	},
	[TRAP_RAW] = {
		NOTHING "(setenv.set-environment with \"REQUEST_URI\")",
		"SetHandler \"proxy:unix:@SOCKET@|fcgi://devcred/\" and no "
		    "ProxyPass, or that with nocanon",
		"fastcgi_param REQUEST_URI $request_uri;",
	},
	[TRAP_LONG] = {
		"server.max-request-field-size = 16384",
		"LimitRequestLine 16380, in the server or <VirtualHost>",
		"large_client_header_buffers 4 16k;",
	},
	[TRAP_BODY] = {
		"server.max-request-size = 66560",
		"LimitRequestBody 68157440, in <LocationMatch>",
		"client_max_body_size 65m;",
	},
	[TRAP_BODY_FCGID] = {
		NULL,
		"FcgidMaxRequestLen 68157440",
		NULL,
	},
	[TRAP_METHOD] = {
		"no url.access-deny there, whatever $HTTP[\"request-method\"] "
		    "it is in",
		"no <Limit>, <LimitExcept>, AllowMethods or Require method "
		    "there",
		"no limit_except there",
	},
	[TRAP_OVERRIDE] = {
		NOTHING "(setenv.set-request-header with \"X-HTTP-METHOD\")",
		"no RequestHeader unset X-HTTP-METHOD",
		"fastcgi_param HTTP_X_HTTP_METHOD $http_x_http_method;",
	},
	[TRAP_TLS] = {
		"no setenv.set-environment with \"HTTPS\" or "
		    "\"REQUEST_SCHEME\"",
		"no SetEnv or ProxyFCGISetEnvIf with HTTPS or REQUEST_SCHEME",
		"fastcgi_param HTTPS $https if_not_empty;",
	},
	[TRAP_HOST] = {
		NOTHING "(setenv.set-request-header with \"Host\")",
		"ProxyPreserveHost On, if there is a ProxyPass",
		"fastcgi_param HTTP_HOST $http_host;",
	},
	[TRAP_ID_IN] = {
		"no setenv.set-request-header with \"X-Request-Id\"",
		"no RequestHeader with X-Request-Id",
		"fastcgi_param HTTP_X_REQUEST_ID $devcred_request_id;",
	},
	[TRAP_ID_OUT] = {
		"no setenv.set-response-header with \"X-Request-Id\"",
		"no Header always unset X-Request-Id",
		"no fastcgi_hide_header X-Request-Id;",
	},
};

static const char *const names[] = {
	[SERVER_LIGHTTPD] = "lighttpd",
	[SERVER_APACHE] = "Apache",
	[SERVER_NGINX] = "nginx",
	[SERVER_OTHER] = "the web server",
};

/* What begins error pages, should the Server header say nothing. */
static const struct {
	const char	*text;
	enum server	 server;
} pages[] = {
	{ "<center>nginx", SERVER_NGINX },
	{ "<address>Apache", SERVER_APACHE },
	{ "-//IETF//DTD HTML 2.0//EN", SERVER_APACHE },
	{ "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>", SERVER_LIGHTTPD },
};

enum server
doctor_server(const struct web_answer *answer)
{
	size_t i;

	for (i = 0; i < SERVER_OTHER; i++)
		if (strncasecmp(answer->server, names[i], strlen(names[i])) ==
		    0)
			return (enum server)i;
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strstr(answer->body, pages[i].text) != NULL)
			return pages[i].server;
	return SERVER_OTHER;
}

const char *
doctor_server_name(enum server server)
{
	return names[server];
}

static void
add_cure(struct doctor *d, enum server server, const char *line)
{
	const struct conf *conf = &d->ctl->conf;
	const struct {
		const char *mark, *value;
	} marks[] = {
		{ "@SOCKET@", conf->socket },
		{ "@PREFIX@", conf->path_prefix },
	};
	struct buf text;
	size_t i;

	buf_init(&text, 0);
	while (*line != '\0') {
		for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			if (strncmp(line, marks[i].mark,
			    strlen(marks[i].mark)) == 0)
				break;
		if (i == sizeof(marks) / sizeof(marks[0])) {
			buf_putc(&text, *line++);
			continue;
		}
		buf_puts(&text, marks[i].value);
		line += strlen(marks[i].mark);
	}
	doctor_todo(d, "%s: %s", names[server], buf_text(&text));
	buf_free(&text);
}

void
doctor_cure(struct doctor *d, enum trap trap)
{
	int i;

	for (i = 0; i < SERVER_OTHER; i++)
		if ((d->server == SERVER_OTHER || (int)d->server == i) &&
		    cures[trap][i] != NULL)
			add_cure(d, (enum server)i, cures[trap][i]);
}
