#!/usr/bin/perl
# Settings that change what is answered; each on a site of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $shared = Devcred::Site->shared;
my $requests = $Devcred::Http::REQUESTS;

sub site {
	my (%conf) = @_;
	return Devcred::Site->new(database => $shared->{database}, conf => \%conf);
}

# The profile current, and refusals that tell nothing --------------------------------

my $site = site(api_profile => 'current', poll_detail => 'off', retry_after => 11);
my $admin = $site->client('t1/admin');
my ($reader, $users) = map { $site->client("t1/$_") } qw(reader users);
my $device = as_bootstrap($admin);

my $id = pending($admin);
refuses($reader->accept_device($id), 403, 'security/Forbidden', undef,
	'who may only read may not accept');
answers($admin->accept_device($id), 200, 'an administrator may');
my $answer = $admin->remove($id);
answers($answer, 204, 'DELETE answers 204');
is($answer->body, '', 'without a body');
answers($users->remove(registered($admin)), 204, 'an administrator of users may delete');
refuses($users->look(registered($admin)), 403, 'security/Forbidden', undef, 'but not look');
answers(issued($admin), 201, 'credentials are answered 201 all the same');

my $blocked = registered($admin);
$admin->update($blocked, 'BLOCKED');
my $token = pending($admin, token => 'a');
my %unserved = (
	'unknown' => device_id('unknown'), 'waiting' => registered($admin),
	'pending' => pending($admin), 'blocked' => $blocked, 'claimed with a token' => $token,
	'issued' => issued($admin)->field('id'),
);
my %said;
for my $what (sort keys %unserved) {
	my $refused = $device->poll($unserved{$what});
	refuses($refused, 404, 'devicecontrol/Not Found',
		qr/There is no newDeviceRequest.*PENDING_ACCEPTANCE/, "$what: refused in the words clients look for");
	(my $text = $refused->{head} . "\n" . $refused->body) =~ s/\Q$unserved{$what}\E//g;
	# Apache sends the same now in chunks, now as a whole
	$text =~ s/^(?:Date|Content-Length|Transfer-Encoding|X-Request-Id|Retry-After):.*\n//mgi;
	$said{$text}++;
}
is(scalar(keys %said), 1, 'and with poll_detail = off nobody can tell them apart')
    or diag(join "\n", keys %said);
my @told = map { $device->poll($unserved{pending})->header('retry-after') } 1 .. 50;
is(scalar(grep { $_ < 11 || $_ > 22 } @told), 0, 'Retry-After is as the settings say, to twice that');
cmp_ok(keys %{ { map { $_ => 1 } @told } }, '>', 3, 'and not the same for all');
$site->stop;

# The profile classic, for comparison --------------------------------------------------

$admin = $shared->client('t1/admin');
answers($shared->client('t1/reader')->accept_device(pending($admin)), 200,
	'in the profile classic who may read may accept, as the reference says');
refuses($shared->client('t1/users')->remove(registered($admin)), 403, 'security/Forbidden',
	undef, 'and an administrator of users may not delete');

# Links ------------------------------------------------------------------------------------

$site = site(base_url => 'https://devices.example.org:8443/iot');
$answer = $site->client('t1/admin')->register(device_id());
like($answer->header('location'),
	qr{\Ahttps://devices\.example\.org:8443/iot/devicecontrol/newDeviceRequests/device-},
	'base_url decides every link');
is($answer->field('self'), $answer->header('location'), 'in the body too');
$site->stop;

# TLS ----------------------------------------------------------------------------------------

# Behind a proxy on this machine the client's address and scheme are what it
# says, and what it says alone.
$site = site(trusted_proxy => '10.0.0.1 ::ffff:127.0.0.1');
my %from = (
	'a loopback client over HTTP' => [200],
	'a far client over HTTP' => [403, 'X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Proto: http'],
	'somebody over HTTP, behind a proxy that is near' => [403, 'X-Forwarded-Proto: http'],
	'a far client over HTTPS' => [200, 'X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Proto: https'],
	'a far client that claims to be near' =>
	    [403, 'X-Forwarded-For: 127.0.0.1, 203.0.113.9', 'X-Forwarded-Proto: http'],
);
for my $what (sort keys %from) {
	my ($status, @headers) = @{ $from{$what} };
	my $got = $site->client('t1/admin')->get('/user/currentUser', headers => \@headers);
	is($got->status, $status, "$what: $status") or diag($got->told);
	like($got->field('message'), qr/TLS/, 'and it says why') if $status == 403;
}
$answer = $site->client('t1/admin')->register(device_id(),
	headers => ['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Proto: https']);
like($answer->header('location'), qr{\Ahttps://127\.0\.0\.1:}, 'links have the scheme the proxy saw');
is($shared->dbh->selectrow_array("select host(source) from devcred.event where device_id = ?",
	undef, $answer->field('id')), '203.0.113.9', 'and the audit the address it saw');
$site->stop;

my $got = $shared->client('t1/admin')->register(device_id(),
	headers => ['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Proto: https']);
like($got->header('location'), qr{\Ahttp://}, 'without trusted_proxy nobody is believed');
is($shared->dbh->selectrow_array("select host(source) from devcred.event where device_id = ?",
	undef, $got->field('id')), '127.0.0.1', 'not about addresses either');

done_testing();
