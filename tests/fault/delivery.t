#!/usr/bin/perl
# The delivery window, line by line: who may ask again for an issued password,
# for how long, how often, and with which keys.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Fcgi;
use Devcred::Pair;

my $pair = Devcred::Pair->new(conf => { workers => 1, delivery_window => 60,
	delivery_limit => 4, trusted_proxy => '127.0.0.1', require_tls => 'off' });
my ($here, $there) = $pair->sites;
my $dbh = $here->dbh;
my $admin = $here->client('t1/admin');

sub value { return ($dbh->selectrow_array(@_))[0] }
sub events {
	my ($id, $operation, $outcome) = @_;
	return value('select count(*) from devcred.event where device_id = ? and operation = ?
		and outcome = ?', undef, $id, $operation, $outcome // 'ok');
}
sub change {
	my ($id, $set) = @_;
	$dbh->do("update devcred.device_credential set $set where device_id = ?", undef, $id);
	return;
}
sub is_sealed {
	return value('select sealed is not null from devcred.device_credential
		where device_id = ?', undef, $_[0]);
}

# A poll at a site.  Options: as (user), token, from (address).
sub poll {
	my ($site, $id, %arg) = @_;
	return $site->client($arg{as} // 'management/devicebootstrap')->poll($id,
		with => { defined $arg{token} ? (securityToken => $arg{token}) : () },
		headers => [defined $arg{from} ? "X-Forwarded-For: $arg{from}" : ()]);
}

# A device with credentials whose window is open: its id, and the answer.
sub open_window {
	my (%arg) = @_;
	my $id = accepted($admin, %arg);
	my $answer = poll($arg{site} // $here, $id, %arg);
	answers($answer, 201, 'a device is issued its password') or die;
	return ($id, $answer);
}
sub password { return $_[0]->field('password') // 'none' }
sub login {
	my ($site, $id, $password) = @_;
	return $site->client->as("t1/device_$id:$password")->get('/user/currentUser');
}
sub refused {
	my ($answer, $name) = @_;
	return refuses($answer, 404, 'devicecontrol/Not Found', qr/\AThere is no newDeviceRequest /,
		$name);
}

# The same claimant ------------------------------------------------------------

my ($id, $first) = open_window();
is($first->header('cache-control'), 'no-store', 'which nobody may store');
my $again = poll($there, $id);
answers($again, 201, 'the same device gets it again from the other instance');
is(password($again), password($first), 'the same password');
is($again->{body} =~ s/:\d+\//:PORT\//r, $first->{body} =~ s/:\d+\//:PORT\//r,
	'and the same bytes, but for where it asked');
is($again->header('cache-control'), 'no-store', 'which nobody may store');
is(poll($here, $id)->{body}, $first->{body}, 'where it asked first, to the last byte');
is(events($id, 'credential_issue'), 1, 'the audit has one issue');
is(events($id, 'credential_deliver'), 2, 'and each delivery after it');

answers(login($there, $id, password($first)), 200, 'it logs in at the other instance');
is(is_sealed($id), 0, 'that wipes the sealed password');
refused(poll($_, $id), 'and nobody is told it again') for $here, $there;
is(events($id, 'credential_refuse', 'wrong_state'), 1, 'which is audited once a minute');
change($id, "refused_at = now() - interval '61 s'");
refused(poll($here, $id), 'a minute later the device is refused again');
is(events($id, 'credential_refuse', 'wrong_state'), 2, 'and audited again');

# Others -----------------------------------------------------------------------

my $token = 'token of the device';
for my $case (['without the token', $token], ['with another token', $token, token => 'guess'],
    ['with a token where there was none', undef, token => 'guess'],
    ['as another bootstrap user', undef, as => 't1/bootstrap']) {
	my ($who, $has, @how) = @$case;
	my ($device, $told) = open_window(defined $has ? (token => $has) : ());
	refused(poll($_, $device, @how), "who asks $who is refused") for $here, $there, $here;
	is(events($device, 'credential_refuse', 'token_mismatch'), 1, 'audited once');
	is(password(poll($there, $device, defined $has ? (token => $has) : ())), password($told),
		'and the device itself is not in the way of that');
}

($id, $first) = open_window(from => '192.0.2.1');
$again = poll($there, $id, from => '192.0.2.99');
is(password($again), password($first), 'from another address it is told again,');
like($there->service_log, qr/delivered_elsewhere device=\Q$id\E source=192\.0\.2\.99/,
	'which is logged');

# Its ends ---------------------------------------------------------------------

# One after another, or all at once in one group.
for my $case (['one after another', sub { map { poll($_ % 2 ? $here : $there, $_[0]) } 1 .. 8 }],
    ['at once', sub {
	my $device = as_bootstrap($_[0] ? $here->client : ());
	$device->parallel(($device->poll_bytes($_[0])) x 20) }]) {
	my ($how, $polls) = @$case;
	my ($device, $told) = open_window();
	my @answers = $polls->($device);
	is(scalar(grep { $_->status == 201 } @answers), 3,
		"asked $how, it is told delivery_limit times in all");
	is(scalar(grep { $_->status == 201 && password($_) ne password($told) } @answers), 0,
		'the same each time');
	is(value('select deliveries from devcred.device_credential where device_id = ?', undef,
		$device), 4, 'which is what the database has counted');
	is(is_sealed($device), 0, 'and the sealed password is wiped');
	answers(login($here, $device, password($told)), 200, 'the password works');
}

($id, $first) = open_window();
change($id, "delivery_until = now() - interval '1 s'");
refused(poll($there, $id), 'after the window it is told to nobody');
$dbh->do('select devcred.housekeep()');
is(is_sealed($id), 0, 'and housekeeping wipes it');
answers(login($here, $id, password($first)), 200, 'the password works');

for my $case (['disabled', 'select devcred.credential_disable(?, ?, null, null, ?, true)'],
    ['revoked', 'select devcred.credential_revoke(?, ?, null, null, ?)'],
    ['rotated', q{select devcred.credential_rotate(?, ?, null, null, ?,
	decode(repeat('00', 16), 'hex'), sha256('x'), 60)}]) {
	my ($what, $sql) = @$case;
	my ($device) = open_window();
	$dbh->do($sql, undef, 't1', 't1/admin', $device);
	refused(poll($there, $device), "when it was $what it is told to nobody");
}

# A use that cannot be recorded -------------------------------------------------

($id, $first) = open_window();
my $lock = $here->dbh;
$lock->begin_work;
$lock->do('select from devcred.device_credential where device_id = ? for update', undef, $id);
refuses(login($here, $id, password($first)), 503, 'general/Service Unavailable', undef,
	'a first use that cannot be recorded is not acknowledged');
$lock->rollback;
answers(login($here, $id, password($first)), 200, 'it is when it can');
is(is_sealed($id), 0, 'and then the window is closed');

# Reopening --------------------------------------------------------------------

sub reopen {
	my ($device) = @_;
	is(value('select outcome from devcred.credential_reopen(?, ?, null, null, ?, 60)', undef,
		't1', 't1/admin', $device), 'ok', 'an administrator reopens the delivery');
	return;
}

reopen($id);
refused(poll($here, $id, as => 't1/bootstrap'), 'another bootstrap user gets nothing by that');
is(events($id, 'credential_refuse', 'token_mismatch'), 1, 'which is audited');
my $anew = poll($there, $id);
answers($anew, 201, 'the device gets a password');
isnt(password($anew), password($first), 'a new one');
is(password(poll($here, $id)), password($anew), 'and that again, should the answer be lost');
is(events($id, 'credential_reissue'), 1, 'the audit has one new issue');
answers(login($here, $id, password($first)), 200, 'the old one works');
answers(login($there, $id, password($anew)), 200, 'until the new one is used');
is(login($here, $id, password($first))->status, 401, 'and then no more');
is(login($there, $id, password($first))->status, 401, 'anywhere');
refused(poll($here, $id), 'reopened once, it is told once');

reopen($id);
is(value('select delivery from devcred.credential_get(?, ?, ?)', undef, 't1', undef, $id),
	'REOPENED', 'reopened, it is shown so');
change($id, "delivery_until = now() - interval '1 s'");
refused(poll($here, $id), 'a reopened delivery is over after its window, too');
is(value('select delivery from devcred.credential_get(?, ?, ?)', undef, 't1', undef, $id),
	'CLOSED', 'and shown so');
answers(login($here, $id, password($anew)), 200, 'and the password works on');

($id, $first) = open_window();
$dbh->do(q{select devcred.credential_rotate('t1', 't1/admin', null, null, ?,
	decode(repeat('00', 16), 'hex'), sha256('x'), 600)}, undef, $id);
reopen($id);
$anew = poll($here, $id);
answers($anew, 201, 'rotated, not used, and reopened: the device gets a password');
answers(login($here, $id, password($first)), 200, 'what it has works until that is used');

done_testing();
