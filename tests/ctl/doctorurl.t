#!/usr/bin/perl
# doctor: the URL itself, its certificate, whether TLS is seen, who may use the
# socket, and a login that is tried from end to end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $dir = $site->{dir};
my $certs = Devcred::Shell::new_dir();
END { File::Path::remove_tree($certs) if $certs }
$site->start_service;
my $tls = Devcred::Site::free_port();

# A certificate by our CA, or by itself, for the names.
sub certify {
	my ($name, $names, @how) = @_;
	my $extra = "$certs/$name.ext";
	Devcred::Shell::write_file($extra, "subjectAltName = $names\nbasicConstraints = CA:"
	    . ($name eq 'ca' ? "TRUE\n" : "FALSE\n"));
	for my $command (
		['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
			'-nodes', '-subj', "/CN=$name", '-keyout', "$certs/$name.key",
			'-out', "$certs/$name.csr"],
		['x509', '-req', '-in', "$certs/$name.csr", '-out', "$certs/$name.pem",
			'-extfile', $extra, @how],
	    ) {
		my ($status, $text) = Devcred::Shell::run(['openssl', @$command]);
		die "openssl @$command: $text" if $status;
	}
	return;
}
certify('ca', 'DNS:ca.example', '-days', 2, '-signkey', "$certs/ca.key");
my @signed = ('-CA', "$certs/ca.pem", '-CAkey', "$certs/ca.key", '-CAcreateserial');
certify('good', 'IP:127.0.0.1', '-days', 2, @signed);
certify('other', 'DNS:other.example', '-days', 2, @signed);
certify('self', 'IP:127.0.0.1', '-days', 2, '-signkey', "$certs/self.key");
certify('expired', 'IP:127.0.0.1', '-days', -1, @signed);

# nginx for the while of a test, with TLS on a port of its own and whatever else
# a sed script makes of its snippet.
sub behind {
	my ($name, $edit, $test) = @_;
	local $ENV{PRIVATE_WEB_EDIT} = "s,listen 80;,&\\nlisten 127.0.0.1:$tls ssl;"
	    . "\\nssl_certificate $certs/$name.pem;\\nssl_certificate_key $certs/$name.key;,;$edit";
	$site->{web} = 'nginx';
	$site->start_web;
	$test->();
	Devcred::Shell::private('private_web_stop', $dir);
	return;
}

sub asked {
	my ($url, $status, $words, $name, %arg) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return says($site, ['doctor', '--url', $url, @{ $arg{more} // [] }], $status,
		$words, $name, in => $arg{in});
}
my $https = "https://127.0.0.1:$tls";
my @ca = ('--ca', "$certs/ca.pem");

# Nobody is there -----------------------------------------------------------------

my $free = Devcred::Site::free_port();
asked("http://127.0.0.1:$free", 1,
	qr/^FAULT +URL: .*nobody accepts connections.*\n +-> start the web server/m,
	'a port where nobody listens');
asked('http://devcred.invalid', 1,
	qr/^FAULT +URL: .*the name is not known.*\n +-> .*DNS/m, 'a name of nobody');
my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
asked('http://127.0.0.1:' . $mute->sockport, 1,
	qr/^FAULT +URL: .*no answer in time.*\n +-> .*firewall/m, 'somebody who says nothing');

# Somebody unknown: the lines for all web servers, and a clock that is wrong.
my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5);
my $child = fork // die "fork: $!\n";
if ($child == 0) {
	$SIG{TERM} = 'DEFAULT';
	while (my $client = $other->accept) {
		my $head = '';
		1 while $head !~ /\r\n\r\n/ && sysread $client, $head, 4096, length $head;
		print {$client} "HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
		    . "Content-Length: 5\r\nConnection: close\r\n\r\n\e[31m\n";
		close $client;
	}
	POSIX::_exit(0);
}
my $strange = asked('http://127.0.0.1:' . $other->sockport, 1,
	qr/^FAULT +paths: \/devicecontrol, .*\/devcred are answered 404 by the web server, not by devcred
 +-> lighttpd: .*\n +-> Apache: .*\n +-> nginx: /m, 'somebody unknown');
like($strange, qr/^warning +clock: the web server's is \d+ s behind this machine's\n +-> .*NTP/m,
	'and a clock that is wrong');
kill 'TERM', $child;
waitpid $child, 0;

# Certificates ----------------------------------------------------------------------

behind('good', '', sub {
	my $text = asked($https, 0, qr/^ok +URL: .*with a valid certificate$/m,
		'a good certificate', more => \@ca);
	unlike($text, qr/^warning  (?!PostgreSQL|delivery)/m, 'and no warning');
	like($text, qr/^ok +TLS: asked from this machine, .*another/m,
		'but that nobody can tell from here whether TLS is seen');
	asked($https, 1, qr/^FAULT +URL: .*a CA that is not trusted.*\n +-> .*--ca/m,
		'a CA that the system does not know');
	asked($https, 1, qr/^FAULT +URL: .*file of --ca cannot be used/m,
		'a CA that is no file', more => ['--ca', "$certs/none.pem"]);
	asked("https://127.0.0.1:$site->{port}", 1,
		qr/^FAULT +URL: .*no TLS connection.*\n +-> .*TLS/m, 'a port without TLS');
	asked("http://127.0.0.1:$tls", 1, qr/^FAULT +URL: .*asked without TLS.*\n +-> .*https:/m,
		'a port with TLS, asked without');
});
for my $case (['expired', 'the certificate has expired', 'renew it'],
    ['other', 'that of another name', 'with this name'],
    ['self', 'signed by itself', 'of a CA']) {
	my ($name, $words, $advice) = @$case;
	behind($name, '', sub {
		asked($https, 1, qr/^FAULT +URL: .*$words.*\n +-> .*$advice/m,
			"a certificate: $words", more => $name eq 'self' ? [] : \@ca);
	});
}

# Whether TLS is seen: from elsewhere, as loopback addresses need none ----------------

my $elsewhere = 's/REMOTE_ADDR .*/REMOTE_ADDR 192.0.2.7;/;';
behind('good', "$elsewhere/fastcgi_param HTTPS/d;/REQUEST_SCHEME/d", sub {
	asked($https, 1, qr/^FAULT +TLS: the service does not see.*
 +-> nginx: fastcgi_param HTTPS \$https if_not_empty;
 +-> .*trusted_proxy =.*X-Forwarded-Proto/m,
		'TLS that the service does not see', more => \@ca);
});
behind('good', $elsewhere, sub {
	my $text = asked($https, 0, qr/^ok +logins: /m, 'TLS that it sees', more => \@ca);
	asked($site->base, 1, qr/^FAULT +TLS: no login is taken.*plain HTTP.*\n +-> .*https:/m,
		'plain HTTP');
});

# A login -----------------------------------------------------------------------------

my $password = Devcred::Cluster::password('t1/admin');
behind('good', '', sub {
	my @user = ('--stdin', '--user');
	my $url = $site->base;
	asked("$url/", 0, qr/^ok +links: begin with \Q$url\E\nok +login: t1\/admin logs in/m,
		'a login', more => [@user, 't1/admin'], in => "$password\n");
	my $text = asked($url, 1, qr/^FAULT +login: t1\/admin and this password.*\n +-> .*user passwd t1\/admin/m,
		'a wrong password', more => [@user, 't1/admin'], in => "not-$password\n");
	unlike($text, qr/\Q$password/, 'is not told');
	asked($url, 1, qr/^FAULT +login: .*devicebootstrap may not GET/m, 'a login without rights',
		more => [@user, 'management/devicebootstrap'],
		in => Devcred::Cluster::password('management/devicebootstrap') . "\n");
	my ($status, $shown) = typed($site, ['doctor', '--url', $url, '--user', 't1/admin'],
		qr/Password of t1\/admin: /, "$password\n");
	ok($status == 0 && $shown =~ /^ok +login: /m, 'the terminal is asked for it')
	    or diag($shown);
	unlike($shown, qr/\Q$password/, 'and does not show it');
	$site->configure(base_url => 'https://old.example.org');
	asked($url, 0, qr/^warning +base_url: links begin with https:\/\/old\.example.*\n +-> .*base_url = \Q$url/m,
		'another base_url');
	$site->configure;
});
behind('good', 's/HTTP_HOST .*/HTTP_HOST "other.example.org";/', sub {
	asked($site->base, 1,
		qr/^FAULT +links: lead to http:\/\/other\.example.*\n.*base_url = .*\n.*nginx: fastcgi_param HTTP_HOST \$http_host;/m,
		'a host that is lost', more => ['--stdin', '--user', 't1/admin'],
		in => "$password\n");
});

# The socket --------------------------------------------------------------------------

behind('good', '', sub {
	my $path = $site->socket_path;
	SKIP: {
		skip 'only root can take the socket away', 1 if $> != 0;
		chown 0, 0, $path;
		chmod 0660, $path;
		asked($site->base, 1, qr/^FAULT +web server: nginx answers 502.*
 +-> devcred.conf: socket_group = www-data,.*runs as www-data/m,
			'a socket that the web server may not use');
	}
	$site->stop_service;
	asked($site->base, 1, qr/^FAULT +web server: nginx answers 502.*\n +-> start devcred/m,
		'a service that does not run');
});

done_testing;
