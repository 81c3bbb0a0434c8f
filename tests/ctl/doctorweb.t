#!/usr/bin/perl
# doctor --url: behind each web server a good site has no fault and no warning;
# and each trap, one at a time, is named with the line that mends it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $dir = $site->{dir};
my $keys = "$dir/keys";
Devcred::Shell::write_file($keys, 'k1 ' . '5a' x 32 . " 2026-01-31\n", 0600);
my %settings = (key_file => $keys);
$site->configure(%settings);
$site->start_service;

# Have a web server of this kind for the while of a test, with its snippet
# edited by a sed script.
sub behind {
	my ($kind, $edit, $test) = @_;
	local $ENV{PRIVATE_WEB_EDIT} = $edit;
	$site->{web} = $kind;
	$site->start_web;
	$test->();
	Devcred::Shell::private('private_web_stop', $dir);
	return;
}

sub asked {
	my ($status, $words, $name, @arg) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return says($site, ['doctor', '--url', $site->base, @arg], $status, $words,
		$name);
}

# Exactly one finding that is no good, with this advice.
sub found {
	my ($name, $finding, $what, $words, $advice, @arg) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $text = asked($finding eq 'FAULT' ? 1 : 0,
		qr/^$finding +\Q$what\E: [^\n]*$words[^\n]*\n(?: +-> [^\n]*\n)*? +-> [^\n]*\Q$advice\E/m,
		$name, @arg);
	my @other = grep { !/^(?:ok|\s|FAULT +\Q$what\E:|warning +(?:PostgreSQL: fsync|\Q$what\E:)|\d+ fault|no fault)/ }
		split /^/, $text;
	ok(!@other, "$name: and nothing else") or diag($text);
	return $text;
}

# Good sites --------------------------------------------------------------------

my $before = $site->dbh->selectrow_array('select count(*) from devcred.event');
for my $kind (qw(lighttpd apache nginx apache-fcgid apache-cgid lighttpd-cgi)) {
	behind($kind, '', sub {
		my $text = asked(0, qr/\nno faults\n\z/, "$kind: a good site");
		my ($name) = $kind =~ /^(\w+)/;
		like($text, qr/^ok +URL: $name answers/im, 'its name is told');
		my @bad = grep { !/fsync|No such file/ } $text =~ /^warning.*/mg;
		ok(!@bad, 'there is no warning') or diag(@bad);
	});
}

# A line for lighttpd, before what its snippet has for our paths.
sub lighttpd_line { return '/^$HTTP\["url"\] =~/i\\' . $_[0] }

# Traps -------------------------------------------------------------------------

my $paths = '(devicecontrol|tenant|user|devcred|s)';
for my $case (
	[lighttpd => 'a path that is not mapped', 's/|devcred|s)/|s)/', 'FAULT',
		'paths', '/devcred is answered 404 by lighttpd', "\"^/$paths(/|\$)\""],
	[apache => 'a path that is not mapped', 's/|devcred|s)/|s)/', 'FAULT',
		'paths', '/devcred is answered 404 by Apache',
		"<LocationMatch \"^/$paths(/|\$)\">"],
	[nginx => 'a path that is not mapped', 's/|devcred|s)/|s)/', 'FAULT',
		'paths', '/devcred is answered 404 by nginx',
		"location ~ ^/$paths(/|\$) {"],
	[nginx => 'a redirect', 's,client_max.*,return 301 https://example.org$request_uri;,',
		'FAULT', 'paths', 'sends to https://example.org/devicecontrol',
		'base_url ='],
	[lighttpd => 'another socket', 's/fcgi.sock/other.sock/', 'FAULT',
		'web server', 'lighttpd answers 503', "\"socket\" => \"$dir/fcgi.sock\""],
	[apache => 'another socket', 's/fcgi.sock/other.sock/', 'FAULT',
		'web server', 'Apache answers 503',
		"SetHandler \"proxy:unix:$dir/fcgi.sock|fcgi://devcred/\""],
	[nginx => 'another socket', 's/fcgi.sock/other.sock/', 'FAULT',
		'web server', 'nginx answers 502', "server unix:$dir/fcgi.sock"],
	[apache => 'no Authorization', '/CGIPassAuth/d', 'FAULT', 'logins',
		'does not come through', 'Apache: CGIPassAuth On'],
	['apache-fcgid' => 'no Authorization', '/CGIPassAuth/d', 'FAULT', 'logins',
		'does not come through', 'Apache: CGIPassAuth On'],
	['apache-cgid' => 'no Authorization', '/CGIPassAuth/d', 'FAULT', 'logins',
		'does not come through', 'Apache: CGIPassAuth On'],
	[nginx => 'no Authorization', 's/fastcgi_keep_conn.*/fastcgi_param HTTP_AUTHORIZATION "";/',
		'FAULT', 'logins', 'does not come through',
		'fastcgi_param HTTP_AUTHORIZATION $http_authorization;'],
	[lighttpd => 'no Authorization',
		lighttpd_line('server.modules += ("mod_setenv")\nsetenv.set-request-header = ("Authorization" => "")'),
		'FAULT', 'logins', 'does not come through', 'setenv.set-request-header'],
	[apache => 'refused slashes', '/AllowEncodedSlashes/d', 'FAULT', 'ids',
		'%2F is answered 404 by Apache', 'AllowEncodedSlashes NoDecode'],
	[lighttpd => 'refused slashes',
		lighttpd_line('server.http-parseopts = ("url-path-2f-decode" => "disable", "url-path-2f-reject" => "enable")'),
		'FAULT', 'ids', '%2F is answered 400 by lighttpd', 'url-path-2f-reject'],
	[nginx => 'decoded paths', 's/REQUEST_URI $request_uri/REQUEST_URI $uri/',
		'FAULT', 'ids', 'reaches the service decoded',
		'fastcgi_param REQUEST_URI $request_uri;'],
	[nginx => 'short addresses', 's/listen 80;/&\nlarge_client_header_buffers 4 4k;/',
		'FAULT', 'ids', 'an id of 7,500 bytes is answered 414 by nginx',
		'large_client_header_buffers 4 16k;'],
	[apache => 'short addresses', '1i\LimitRequestLine 4000', 'FAULT', 'ids',
		'is answered 414 by Apache', 'LimitRequestLine 16380'],
	[lighttpd => 'short addresses', lighttpd_line('server.max-request-field-size = 4096'),
		'FAULT', 'ids', 'is answered 431 by lighttpd',
		'server.max-request-field-size = 16384'],
	[nginx => 'small bodies only', '/client_max_body_size/d', 'FAULT', 'bodies',
		'64 MiB is answered 413 by nginx', 'client_max_body_size 65m;'],
	[nginx => 'smaller bodies only', 's/client_max_body_size.*/client_max_body_size 16k;/',
		'FAULT', 'bodies', 'a body of 64 KiB is answered 413 by nginx',
		'client_max_body_size 65m;'],
	[lighttpd => 'small bodies only', lighttpd_line('server.max-request-size = 1024'), 'FAULT',
		'bodies', '64 MiB is answered 413 by lighttpd',
		'server.max-request-size = 66560'],
	['apache-cgid' => 'small bodies only', 's/CGIPassAuth On/&\nLimitRequestBody 1000000/',
		'FAULT', 'bodies', '64 MiB is answered 413 by Apache',
		'LimitRequestBody 68157440'],
	['apache-fcgid' => 'small bodies only', '/FcgidMaxRequestLen/d', 'FAULT',
		'bodies', '64 MiB is answered 500 by Apache',
		'FcgidMaxRequestLen 68157440'],
	[nginx => 'no PUT', 's/client_max_body_size.*/&\nlimit_except GET POST DELETE { deny all; }/',
		'FAULT', 'methods', 'PUT is answered 403 by nginx', 'no limit_except'],
	[apache => 'no DELETE',
		's,Require all granted,Require method GET POST PUT,', 'FAULT',
		'methods', 'DELETE is answered 403 by Apache', 'Require method'],
	[lighttpd => 'no PUT',
		lighttpd_line('server.modules += ("mod_access")\n$HTTP["request-method"] == "PUT" { url.access-deny = ("") }'),
		'FAULT', 'methods', 'PUT is answered 403 by lighttpd', 'url.access-deny'],
	[nginx => 'no X-HTTP-METHOD',
		's/fastcgi_keep_conn.*/fastcgi_param HTTP_X_HTTP_METHOD "";/', 'FAULT',
		'methods', 'X-HTTP-METHOD does not come through',
		'fastcgi_param HTTP_X_HTTP_METHOD $http_x_http_method;'],
	[nginx => 'another request id', 's/X_REQUEST_ID $devcred_request_id/X_REQUEST_ID $request_id/',
		'warning', 'request id', 'does not come through',
		'fastcgi_param HTTP_X_REQUEST_ID $devcred_request_id;'],
	[apache => 'no request id', 's/CGIPassAuth On/&\nHeader always unset X-Request-Id/',
		'warning', 'request id', 'answers have no X-Request-Id',
		'no Header always unset X-Request-Id'],
	[nginx => 'pages of its own',
		's/fastcgi_keep_conn.*/fastcgi_intercept_errors on; error_page 401 \/index.html;/',
		'FAULT', 'paths', 'are answered 401 by nginx', 'fastcgi_intercept_errors off;'],
    ) {
	my ($kind, $name, $edit, @finding) = @$case;
	behind($kind, $edit, sub { found("$kind: $name", @finding) });
}
is($site->dbh->selectrow_array('select count(*) from devcred.event'), $before,
	'nothing was recorded by all that');

done_testing;
