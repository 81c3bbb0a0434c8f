#!/usr/bin/perl
# What administrators do with credentials that were issued.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $other = $site->client('t2/admin');
my $management = $site->client('management/admin');
my $db = $site->dbh;
my $CREDENTIALS = '/devcred/credentials';

sub at {
	my ($id, $what) = @_;
	return join '/', $CREDENTIALS, Devcred::Http::path_of($id) =~ s{.*/}{}r, $what // ();
}
sub ask {
	my ($http, $method, $path, %arg) = @_;
	return $http->request($method => $path, accept => '*/*', $method eq 'POST' ? (body => '') : (),
		%arg);
}
sub put { my ($http, $id, $json) = @_; return ask($http, PUT => at($id), body => $json, type => 'application/json') }
sub login {
	my ($id, $password) = @_;
	return $admin->as("t1/device_$id:$password")->get('/user/currentUser')->status;
}
# The last event of a device, as operation, outcome and actor.
sub event {
	return join ' ', $db->selectrow_array('select operation, outcome, actor from devcred.event
		where device_id = ? order by seq desc limit 1', undef, $_[0]);
}

# Look ------------------------------------------------------------------------------

my $id = accepted($admin);
my $password = as_bootstrap($admin)->poll($id)->field('password');
my $answer = ask($admin, GET => at($id));
answers($answer, 200, 'an administrator looks at a credential');
is_deeply({ map { $_ => $answer->field($_) } qw(id tenantId username status generation issuedTo
	delivery deliveries failures acceptedBy customProperties self) },
	{ id => $id, tenantId => 't1', username => "device_$id", status => 'ACTIVE', generation => 1,
	issuedTo => '127.0.0.1', delivery => 'CLOSED', deliveries => 1, failures => 0,
	acceptedBy => 't1/admin', customProperties => {}, self => $site->base . at($id) },
	'and sees what there is to see');
unlike($answer->body, qr/\Q$password\E|hash|salt|"firstUsed"/, 'but for what is secret, or is not');
is(login($id, $password), 200, 'it is used');
like(ask($admin, GET => at($id))->field('firstUsed'), qr/\A\d{4}-.*\+00:00\z/, 'and that is seen');
answers(ask($site->client('t1/reader'), GET => at($id)), 200, 'readers look, too');
refuses(ask($site->client('t1/reader'), DELETE => at($id)), 403, 'security/Forbidden', undef,
	'and change nothing');
refuses(ask(as_bootstrap($admin), GET => at($id)), 403, 'security/Forbidden', undef,
	'devices do not look');

# As one that is not there: another tenant's.
my %ask = (get => [GET => ''], disable => [PUT => '', '{"status":"DISABLED"}'],
	expire => [PUT => '', '{"expires":"2030-01-01T00:00:00Z"}'], revoke => [DELETE => ''],
	map { $_ => [POST => $_] } qw(rotate reopen decommission));
for my $what (sort keys %ask) {
	my ($method, $path, $body) = @{ $ask{$what} };
	my %arg = $body ? (body => $body, type => 'application/json') : ();
	my ($theirs, $none) = map { ask($other, $method => at($_, $path || undef), %arg) } $id, 'nobody';
	refuses($theirs, 404, 'devicecontrol/Not Found', qr/There is no credential of device \Q$id\E/,
		"$what: another tenant's credential is not there");
	is($theirs->body =~ s/\Q$id\E/nobody/r, $none->body, 'as one that is not');
}
is(login($id, $password), 200, 'all of which changed nothing');

# The list ---------------------------------------------------------------------------

my $stem = device_id('listed');
my @listed = map { issued($admin, id => "$stem-$_"); "$stem-$_" } 1 .. 7;
$answer = ask($admin, GET => "$CREDENTIALS?q=$stem&pageSize=3&withTotalPages=true&withTotalElements=true");
is_deeply([map { $_->{id} } @{ $answer->field('credentials') }], [reverse @listed[4 .. 6]],
	'the list has the newest first');
is_deeply($answer->field('statistics'), { currentPage => 1, pageSize => 3, totalPages => 3,
	totalElements => 7 }, 'and counts if asked');
my @seen;
for (my $next = "$CREDENTIALS?q=$stem&pageSize=3"; $next;) {
	$answer = ask($admin, GET => $next);
	push @seen, map { $_->{id} } @{ $answer->field('credentials') };
	$next = ($answer->field('next') // '') =~ s/\A\Q${\$site->base}\E//r;
}
is_deeply(\@seen, [reverse @listed], 'following next, all are seen once');
put($admin, $listed[0], '{"status":"DISABLED"}');
is_deeply([map { $_->{id} } @{ ask($admin, GET => "$CREDENTIALS?q=$stem&status=DISABLED")
	->field('credentials') }], [$listed[0]], 'a status narrows it');
is_deeply(ask($other, GET => "$CREDENTIALS?q=$stem")->field('credentials'), [],
	'others have an empty list');
refuses(ask($admin, GET => "$CREDENTIALS?status=NONE"), 422, 'undefined/validationError', qr/status/,
	'a status that is none is refused');

# Disable, enable, expire --------------------------------------------------------------

answers($answer = put($admin, $id, '{"status":"DISABLED"}'), 200, 'a credential is disabled');
is($answer->field('status') . ' ' . login($id, $password), 'DISABLED 401', 'and does not work');
is(event($id), 'credential_disable ok t1/admin', 'which is audited');
put($admin, $id, '{"status":"ACTIVE"}');
is(login($id, $password), 200, 'enabled, it works');
answers(put($admin, $id, '{"expires":"2020-01-01T00:00:00+02:00"}'), 200, 'an end is set');
is(ask($admin, GET => at($id))->field('status') . ' ' . login($id, $password), 'EXPIRED 401',
	'in the past, it does not work');
is(ask($admin, GET => at($id))->field('expires'), '2019-12-31T22:00:00.000+00:00', 'the end is told');
answers(put($admin, $id, '{"expires":null}'), 200, 'and taken away');
is(login($id, $password), 200, 'it works again');
for my $row (['{}', 'nothing'], ['{"status":"ACTIVE","expires":null}', 'both'],
	['{"status":"EXPIRED"}', 'a status of its own'], ['{"status":1}', 'a status of another type'],
	['{"expires":"tomorrow"}', 'a time in words'], ['{"expires":"2020-01-01"}', 'a date alone'],
	['{"expires":"2020-01-01T00:00:00"}', 'a time of no zone'], ['{"expires":12}', 'a number'],
	['{"expires":"2020-13-01T00:00:00Z"}', 'a month that is none']) {
	refuses(put($admin, $id, $row->[0]), 422, 'undefined/validationError', undef,
		"refused: $row->[1]");
}

# Rotate -------------------------------------------------------------------------------

$answer = ask($admin, POST => at($id, 'rotate'));
answers($answer, 200, 'a credential is rotated');
my $new = $answer->field('password') // '';
like($new, qr/\A[A-Za-z0-9]{32}\z/, 'the new password is told, once');
is($answer->header('cache-control'), 'no-store', 'and kept nowhere');
is($answer->field('generation'), 2, 'it is another generation');
is(login($id, $password), 200, 'the old one works');
is(login($id, $new), 200, 'until the new one');
is(login($id, $password), 401, 'is used');
is($db->selectrow_array('select count(*) from devcred.event where device_id = ? and
	operation = ?', undef, $id, 'credential_rotate'), 1, 'it is audited');

# Reopen -------------------------------------------------------------------------------

refuses(as_bootstrap($admin)->poll($id), 404, 'devicecontrol/Not Found', undef,
	'the delivery is closed');
answers($answer = ask($admin, POST => at($id, 'reopen')), 200, 'it is reopened');
is($answer->field('delivery'), 'REOPENED', 'which is told');
answers($answer = as_bootstrap($admin)->poll($id), 201, 'the device gets a password');
is(login($id, $answer->field('password')), 200, 'which works');
refuses(as_bootstrap($admin)->poll($id), 404, 'devicecontrol/Not Found', undef, 'once');
$db->do('update devcred.device_credential set claimed_by = null where device_id = ?', undef, $id);
refuses(ask($admin, POST => at($id, 'reopen')), 422, 'devicecontrol/Unprocessable Entity',
	qr/did not get its password by asking/, 'one that was given by hand is not delivered');

# The end ------------------------------------------------------------------------------

answers(ask($admin, DELETE => at($id)), 204, 'a credential is revoked');
refuses(ask($admin, DELETE => at($id)), 404, 'devicecontrol/Not Found', undef, 'once');
is(event($id), 'credential_revoke ok t1/admin', 'it is audited');
my $both = accepted($admin);
my $pass = as_bootstrap($admin)->poll($both)->field('password');
registered($admin, id => $both);
answers(ask($admin, POST => at($both, 'decommission')), 204, 'a device is decommissioned');
is(login($both, $pass) . ' ' . $admin->look($both)->status, '401 404',
	'its credential and its request are gone');
is(event($both), 'credential_decommission ok t1/admin', 'it is audited');

# Accept all means all of a tenant: here one that no other test has requests in.
my $life = $site->client('life/admin');
my $again = accepted($life);
as_bootstrap($life)->poll($again);
answers(ask($life, POST => at($again, 'decommission')), 204, 'a device of another tenant is, too');
pending($life, id => $again);
my $all = ask($life, POST => "$Devcred::Http::REQUESTS/acceptAll")->json->[0];
is($all->{id} . ' ' . ($all->{successful} ? 'yes' : 'no'), "$again no",
	'should it come again, accept all leaves it out');
like($all->{error}{message} // '', qr/decommissioned/, 'and says why');
answers($life->accept_device($again), 200, 'accepted by itself, it is');

# Several tenants, and claims ------------------------------------------------------------

my $shared = device_id();
for my $tenant ('t1', 't2') {
	$db->do("insert into devcred.device_credential (tenant, device_id, password_salt, password_hash,
		registration, accepted_at, accepted_by) values (?, ?, decode(repeat('00', 16), 'hex'),
		decode(repeat('00', 32), 'hex'), nextval('devcred.newdevice_request_seq_seq'), now(), 'x')",
		undef, $tenant, $shared);
}
refuses(ask($management, DELETE => at($shared)), 404, 'devicecontrol/Not Found', undef,
	'of an id in two tenants the management tenant has to name one');
answers(ask($management, DELETE => at($shared) . '?tenant=t2'), 204, 'as it then does');
is(ask($management, GET => at($shared))->field('tenantId'), 't1', 'the other one is left');

my $claimed = pending($admin);
$admin->as(Devcred::Site::login('management/devicebootstrap'))->request(
	POST => '/devicecontrol/deviceCredentials', body => qq({"id":"$claimed"}),
	headers => ['User-Agent: another/1.0']);
my $claims = ask($admin, GET => "/devcred/newDeviceRequests/$claimed/claims")->json->{claims};
is_deeply([map { [@$_{qw(source agent actor)}, $_->{hasToken} ? 1 : 0] } @$claims],
	[['127.0.0.1', undef, 'management/devicebootstrap', 0],
	 ['127.0.0.1', 'another/1.0', 'management/devicebootstrap', 0]],
	'who has asked for an id is told, one by one');
is_deeply(ask($other, GET => "/devcred/newDeviceRequests/$claimed/claims")->json->{claims}, [],
	'but not to others');

done_testing;
