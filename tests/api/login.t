#!/usr/bin/perl
# Logins: what is taken, what is refused and how, and which tenant is meant.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(encode_base64);
use Devcred::Test;

my $site = Devcred::Site->shared;
my $anybody = $site->client;
my $who = '/user/currentUser';
my ($login, $password) = Devcred::Site::login('t1/admin') =~ /\A(.*?):(.*)\z/;

# Ask who we are with this Authorization header; more lines may follow.
sub ask {
	my ($header, @more) = @_;
	return $anybody->request('GET', $who, headers => ["Authorization: $header", @more]);
}
sub basic { return 'Basic ' . encode_base64($_[0], '') }

# Who it is: tenant and name, or the status.
sub is_who {
	my ($answer, $want, $name) = @_;
	my $got = $answer->status == 200
	    ? join '/', map { $answer->field($_) } qw(tenantId userName) : $answer->status;
	is($got, $want, $name) or diag($answer->told);
	return;
}

is_who(ask(basic("$login:$password")), 't1/admin', 'tenant, name and password');
is_who(ask('basic  ' . encode_base64("$login:$password", '')), 't1/admin',
	'the scheme in any case, with more space');
is_who(ask(basic("$login:$password") =~ s/=+\z//r), 't1/admin', 'without padding');

# Refused with 401 and the scheme that works.
for my $case (
	['wrong password', basic("$login:$password-")], ['no password', basic("$login:")],
	['empty', basic('')], ['a colon alone', basic(':')], ['no colon', basic('t1/admin')],
	['unknown user', basic("t1/nobody:$password")],
	['unknown tenant', basic("nowhere/admin:$password")],
	["another tenant's user", basic("t2/operator:$password")],
	['disabled user', basic(Devcred::Site::login('t1/gone'))],
	['unknown device', basic("t1/device_nobody:$password")],
	['a name with a slash', basic("t1/a/admin:$password")],
	['a NUL in the password', basic("$login:$password\0")],
	['a NUL in the name', basic("t1/admin\0:$password")],
	['a password that is no UTF-8', basic("$login:\xff")],
	['a name of 5,000 bytes', basic('t1/' . 'x' x 4990 . ':y')],
	['a password of 600 bytes', basic("$login:" . 'x' x 600)],
	['no base64', 'Basic !!!!'], ['base64 with wrong padding', 'Basic Zg='],
	['the scheme alone', 'Basic'], ['another scheme', 'Bearer abc'],
	['a digest', 'Digest username="x", realm="y"'],
	['SQL', basic("t1/admin' or '1'='1:x")],
    ) {
	my ($what, $header) = @$case;
	refuses(ask($header), 401, 'security/Unauthorized', undef, "refused: $what");
}
refuses($anybody->get($who), 401, 'security/Unauthorized', qr/login is needed/, 'refused: none');
my %told = map {
	my $answer = ask($_);
	# Apache sends the same now in chunks, now as a whole
	(my $head = $answer->{head})
	    =~ s/^(?:Date|Content-Length|Transfer-Encoding|X-Request-Id):.*\n//mgi;
	($head . $answer->body => 1)
} basic("$login:x"), basic('t1/nobody:x'), basic('nowhere/admin:x'), basic('t1/device_x:x'),
    basic(Devcred::Site::login('t1/gone'));
is(scalar(keys %told), 1, 'a wrong password and an unknown user are told alike')
    or diag(join "\n", keys %told);

# Several headers.
my %server = (any => [400]);
one_of(ask(basic("$login:$password") . ', ' . basic('t1/reader:x')), 400, 'general/Bad Request',
	\%server, 'two logins in one header are refused');
one_of(ask(basic("$login:$password"), 'Authorization: ' . basic('t1/reader:x')), 400,
	'general/Bad Request', \%server, 'so are two headers');
one_of(ask('Basic ' . 'QUFB' x 20_000), 401, 'security/Unauthorized', { any => [400, 413, 431, 0] },
	'a header of 80,000 bytes is refused');

# Texts of passwords.
my $dbh = $site->dbh;
for my $text ('a:b:c:d:e', ' spaces ', "\xc3\xbc\xe6\xbc\xa2\xe5\xad\x97", 'x' x 500, '"\'\\%&=+/') {
	my $name = 'user' . unpack('H*', substr $text, 0, 8) . $$;
	my ($status, $out) = $site->ctl("$text\n", 'user', 'add', "t1/$name", '--role', 'READ', '--stdin');
	is($status, 0, 'a password may be ' . (length $text > 20 ? 'long' : "'$text'")) or diag($out);
	is_who(ask(basic("t1/$name:$text")), "t1/$name", 'and logs in');
}

# Tenants ------------------------------------------------------------------------------

my $t2 = Devcred::Cluster::password('t2/admin');
sub at {
	my ($host, $text) = @_;
	return $anybody->request('GET', $who, host => $host,
		headers => ['Authorization: ' . basic($text)]);
}
is_who(ask(basic("admin:$password")), 't1/admin', 'without a tenant it is the default one');
is_who(at('t2.example.org', "admin:$t2"), 't2/admin', 'or the one whose host name it is');
is_who(at('T2.Example.Org:8443', "admin:$t2"), 't2/admin', 'in any case, at any port');
is_who(at('t2.example.org', "$login:$password"), 't1/admin', 'a tenant that is named wins');
is_who(at('t2.example.org', "admin:$password"), 401, "the password is not the other tenant's");
my $answer = $anybody->request('GET', '/tenant/currentTenant', host => 't2.example.org',
	headers => ['Authorization: ' . basic("t2/admin:$t2")]);
is_deeply($answer->json, { name => 't2', domainName => 't2.example.org' },
	'a tenant knows its name and host name');
is(ask(basic("$login:$password"))->field('tenantId'), 't1', 'after all this the right one logs in');

done_testing();
