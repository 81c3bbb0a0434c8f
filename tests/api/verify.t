#!/usr/bin/perl
# Whoever has the login of a device in hand can ask whether it is good: web
# servers with the header, brokers with a body.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $nobody = $site->client;

sub login_of {
	my ($issued) = @_;
	return join('/', map { $issued->field($_) } qw(tenantId username)),
	    $issued->field('password');
}
# beyond ASCII: what stands in a header is encoded
my $id = device_id("d\xc3\xa4nisch");
my ($user, $password) = login_of(issued($admin, id => $id));
(my $encoded = $id) =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
my ($other, $other_password) = login_of(issued($admin));
my $people = 't1/admin';
my $secret = Devcred::Cluster::password($people);
my $bootstrap = 'management/devicebootstrap';

# The endpoint for proxies ----------------------------------------------------

my $path = '/devcred/verify';
my $answer = $nobody->as("$user:$password")->get($path);
answers($answer, 204, 'the login of a device is good');
is($answer->header('x-devcred-tenant'), 't1', 'and its tenant is told');
is($answer->header('x-devcred-device'), $encoded, 'its id, encoded');
is($answer->header('x-devcred-user'), "t1/device_$encoded", 'and its user');
like($answer->header('cache-control') // '', qr/no-store/, 'to be kept nowhere');
is($answer->body, '', 'there is no body');
answers($nobody->as("$user:$password")->get($path, accept => 'image/png',
	headers => ['X-Forwarded-Method: POST']), 204,
	'whatever it is that the device wants to have');
refuses($nobody->as("$user:x$password")->get($path), 401,
	'security/Unauthorized', undef, 'another password is not');
like($nobody->get($path)->header('cache-control') // '', qr/no-store/,
	'a refusal is kept nowhere too');
refuses($nobody->get($path), 401, 'security/Unauthorized', undef,
	'no login is not one');
refuses($nobody->as(Devcred::Site::login($_))->get($path), 403,
	'security/Forbidden', undef, "$_ is no device") for $people, $bootstrap;
refuses($nobody->as("$user:$password")->request('POST', $path, body => '{}',
	type => 'application/json'), 405, 'general/Method Not Allowed', undef,
	'it is asked with GET');

# What brokers send -----------------------------------------------------------

sub form {
	my (%field) = @_;
	return join '&', map {
		(my $value = $field{$_}) =~
		    s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
		"$_=$value"
	} sort keys %field;
}
my %type = (form => 'application/x-www-form-urlencoded',
	json => 'application/json');
sub ask {
	my ($dialect, $kind, %field) = @_;
	return $nobody->request('POST', "$path/$dialect", type => $type{$kind},
		body => $kind eq 'form' ? form(%field)
		    : Devcred::Http::to_json(%field));
}

my @logins = (
	['the login of a device', 1, username => $user, password => $password,
		clientid => 'c1'],
	['another password', 0, username => $user, password => "$password."],
	['the password of another device', 0, username => $user,
		password => $other_password],
	['no such device', 0, username => 't1/device_nobody',
		password => $password],
	['a person', 0, username => $people, password => $secret],
	['the bootstrap user', 0, username => $bootstrap,
		password => Devcred::Cluster::password($bootstrap)],
	['an empty password', 0, username => $user, password => ''],
	['no password', 0, username => $user],
	['no user', 0, password => $password],
	['nothing', 0],
	['a colon in the user', 0, username => "$user:$password",
		password => $password],
	['a password of 600 bytes', 0, username => $user, password => 'x' x 600],
);
# status and body of yes and no
my %dialect = (
	emqx => [[200, '{"result":"allow"}'], [200, '{"result":"deny"}']],
	rabbitmq => [[200, 'allow'], [200, 'deny']],
	mosquitto => [[200, 'ok'], [401, undef]],
);
for my $dialect (sort keys %dialect) {
	for my $case (@logins) {
		my ($name, $good, %field) = @$case;
		my ($status, $body) = @{ $dialect{$dialect}[$good ? 0 : 1] };
		for my $kind ('form', 'json') {
			next if $kind eq 'form' && !%field;
			my $got = ask($dialect, $kind, %field);
			my $right = $got->status == $status && $got->{whole}
			    && (!defined $body || $got->body eq $body)
			    && ($got->header('cache-control') // '') eq 'no-store';
			ok($right, "$dialect, $kind: $name is "
				. ($good ? 'allowed' : 'denied'))
			    or diag($got->told);
		}
	}
}
is(ask('emqx', 'json', username => $user, password => $password)->media,
	'application/json', 'EMQX is answered in JSON');
is(ask('rabbitmq', 'form', username => $user, password => $password)->media,
	'text/plain', 'RabbitMQ in text');

# A body that cannot be read is no answer.
for my $case (['no JSON', 'application/json', '{"username":', 400],
    ['a bad code in a form', $type{form}, 'username=%zz&password=x', 400],
    ['NUL in a form', $type{form}, 'username=%00&password=x', 400],
    ['another type', 'text/csv', 'x', 415]) {
	my ($name, $type, $body, $status) = @$case;
	answers($nobody->request('POST', "$path/emqx", type => $type,
		body => $body), $status, "$name is refused, not denied");
}
answers(ask('emqx', 'json', username => $user, password => [1]), 200,
	'a password that is a list is none');
is($nobody->request('POST', "$path/emqx", type => $type{json},
	headers => ['Authorization: ' . Devcred::Http::basic("$user:$password")],
	body => '{}')->body, '{"result":"deny"}',
	'the body counts, and no header');

# What is not the present any more ----------------------------------------------

my $dbh = $site->dbh;
sub all_say {
	my ($good, $name) = @_;
	my @wrong = grep {
		my ($status, $body) = @{ $dialect{$_}[$good ? 0 : 1] };
		my $got = ask($_, 'form', username => $other,
			password => $other_password);
		$got->status != $status || defined $body && $got->body ne $body
	} sort keys %dialect;
	push @wrong, 'the endpoint for proxies'
	    if $nobody->as("$other:$other_password")->get($path)->status
		!= ($good ? 204 : 401);
	is("@wrong", '', $name);
	return;
}
my ($other_id) = $other =~ m{/device_(.*)};
all_say(1, 'a device may pass');
$dbh->do(q{select devcred.credential_disable('t1', 'test', null, 't1', ?, ?)},
	undef, $other_id, 't');
all_say(0, 'and no more when it is disabled, at once');
$dbh->do(q{select devcred.credential_disable('t1', 'test', null, 't1', ?, ?)},
	undef, $other_id, 'f');
all_say(1, 'when it is enabled, it may again');
$dbh->do(q{select devcred.credential_revoke('t1', 'test', null, 't1', ?)},
	undef, $other_id);
all_say(0, 'and never when it is revoked');

done_testing();
