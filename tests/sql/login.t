#!/usr/bin/perl
# Who guesses passwords is made to wait: by login and source, by source, by
# login; nobody else is, and nothing grows by it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $app = $cluster->connect($database, 'devcred_service');

# As the service does it: ask, and note what it came to if it was looked at.
sub asked {
	my ($login, $source) = @_;
	my ($tenant, $name) = split m{/}, $login, 2;
	return $app->selectrow_hashref('select * from devcred.login_ask(?, null, ?, ?, ?)', undef,
		$tenant, 'management', $name, $source);
}
sub wait_of { return asked(@_)->{wait} }

sub try_login {
	my ($login, $source, $good) = @_;
	my ($tenant, $name) = split m{/}, $login, 2;
	return 'waits' if wait_of($login, $source) > 0;
	$app->do('select devcred.login_note(?, ?, ?, ?)', undef, $tenant, $name, $source,
		$good ? 't' : 'f');
	return 'looked at';
}

# How many of n attempts were looked at.
sub looked_at {
	my ($n, $login, $source) = @_;
	return scalar grep { try_login(ref $login ? $login->($_) : $login,
		ref $source ? $source->($_) : $source) eq 'looked at' } 1 .. $n;
}

# Let so many seconds have passed.
sub later {
	my ($seconds) = @_;
	$super->do("update devcred.login_failure set clear_at = clear_at - make_interval(secs => ?)",
		undef, $seconds);
	return;
}
sub forget { return $super->do('truncate devcred.login_failure, devcred.login_known') }

# A login from a source -----------------------------------------------------------

for my $login ('t1/admin', 't1/nobody', 'nowhere/nobody', '/nobody', 't1/device_nobody') {
	forget();
	is(wait_of($login, '192.0.2.1'), 0, "$login: the first password is looked at");
	is(looked_at(20, $login, '192.0.2.1'), 10, "$login: and nine more");
	my $wait = wait_of($login, '192.0.2.1');
	ok($wait > 0 && $wait <= 30, "$login: the next in half a minute") or diag($wait);
	is(wait_of($login, '192.0.2.2'), 0, "$login: from elsewhere at once");
	is(wait_of("${login}2", '192.0.2.1'), 0, "$login: and so is another login from there");
	is(wait_of($login, undef), 0, "$login: nobody waits whose address is not known");
	later(30);
	is(looked_at(5, $login, '192.0.2.1'), 1, "$login: half a minute later, one is looked at");
	later(300);
	is(looked_at(20, $login, '192.0.2.1'), 10, "$login: and after five minutes all is as before");
}
is(asked('t1/admin', '192.0.2.9')->{tenant}, 't1', 'a login is told with its tenant');
is(asked('t1/nobody', '192.0.2.9')->{tenant}, undef, 'one that nobody has without');
is(asked('t1/nobody', '192.0.2.9')->{named_tenant}, 't1', 'but where it was looked for');

forget();
$super->do("select devcred.login_failed('t1', 'admin', '192.0.2.1') from generate_series(1, 500)");
my $long = wait_of('t1/admin', '192.0.2.1');
ok($long > 3000 && $long <= 3600, 'whatever was tried at once, the wait is an hour at most') or diag($long);

# Sources -------------------------------------------------------------------------

forget();
is(try_login('t1/reader', '192.0.2.3', 1), 'looked at', 'somebody logs in');
is(looked_at(150, sub { "t1/u$_[0]" }, '192.0.2.3'), 100,
	'of one source, a hundred failures of any logins are looked at');
ok(wait_of('t1/admin', '192.0.2.3') > 0, 'then other logins from there have to wait');
is(wait_of('t1/reader', '192.0.2.3'), 0, 'but not the one that is known there');
is(wait_of('t1/admin', '192.0.2.4'), 0, 'nor anybody elsewhere');
later(3);
is(looked_at(5, sub { "t1/v$_[0]" }, '192.0.2.3'), 1, 'three seconds later, one more is looked at');

forget();
is(looked_at(20, 't1/admin', sub { sprintf '2001:db8:0:1::%x', $_[0] }), 10,
	'addresses of one /64 are one source');
is(wait_of('t1/admin', '2001:db8:0:2::1'), 0, 'those of another are not');

# A login from everywhere -----------------------------------------------------------

forget();
is(try_login('t1/admin', '192.0.2.5', 1), 'looked at', 'an administrator logs in');
is(looked_at(150, 't1/admin', sub { "198.51.100.$_[0]" }), 100,
	'a hundred passwords of strangers are looked at, wherever they are');
ok(wait_of('t1/admin', '203.0.113.1') > 0, 'then strangers have to wait');
is(wait_of('t1/admin', '192.0.2.5'), 0, 'the administrator does not');
is(wait_of('t1/reader', '203.0.113.1'), 0, 'and strangers may try another login');
is($app->selectrow_array("select known from devcred.login_ask('t1', null, null, 'admin', '192.0.2.5')"),
	1, 'what is known need not be noted again');
is(asked('t1/admin', '192.0.2.6')->{known}, 0, 'what is not, has to be');

forget();
is(looked_at(150, 'management/devicebootstrap', sub { "198.51.100.$_[0]" }), 150,
	'nobody is strange to the bootstrap login');
is(looked_at(20, 'management/devicebootstrap', '198.51.100.1'), 9,
	'but from one address, its password cannot be guessed either');

# Devices -----------------------------------------------------------------------------

$super->do("insert into devcred.device_credential (tenant, device_id, password_salt,
	password_hash, registration, accepted_at, accepted_by, issued_to)
	select 't1', 'd' || n, decode(repeat('01', 16), 'hex'),
	       sha256('secret'::bytea || decode(repeat('01', 16), 'hex')), 900 + n, now(), 't1/admin',
	       '192.0.2.7'
	  from generate_series(1, 2) n");
sub verify {
	my ($device, $password, $source) = @_;
	return $app->selectrow_array('select devcred.verify(?, ?, ?)', undef, "t1/device_$device",
		$password, $source) ? 1 : 0;
}
forget();
is(join('', map { verify('d1', 'wrong', '192.0.2.8') } 1 .. 10), '0' x 10,
	'verify() says no to wrong passwords');
is(verify('d1', 'secret', '192.0.2.8'), 0, 'and after ten, to the right one from there');
is(verify('d2', 'secret', '192.0.2.8'), 1, 'not to that of another device');
is(verify('d1', 'secret', '192.0.2.9'), 1, 'nor to the right one from elsewhere');
is(verify('d1', 'secret', undef), 1, 'nor if it is not told where from');
my $failures = "select failures from devcred.device_credential where device_id = 'd1'";
is($super->selectrow_array($failures), 10, 'what is not looked at is not counted');
verify('d1', 'wrong', "198.51.100.$_") for 1 .. 100;
is(verify('d1', 'secret', '203.0.113.2'), 0, 'when strangers guess, strangers have to wait');
is(verify('d1', 'secret', '192.0.2.7'), 1, 'but not where the device was issued its password');

# Room ----------------------------------------------------------------------------------

forget();
$super->do("select devcred.login_failed('t1', 'x' || n, '10.0.0.0'::inet + n)
	from generate_series(1, 2000) n");
is($super->selectrow_array('select count(*) between 5900 and 6000 from devcred.login_failure'), 1,
	'a failure is three rows');
$super->do("insert into devcred.login_failure
	select n, sha256('other'::bytea), now() + interval '1 hour' from generate_series(0, 262143) n
	on conflict (slot) do update set digest = excluded.digest, clear_at = excluded.clear_at");
is(looked_at(20, 't1/admin', '192.0.2.1'), 10, 'where all slots are taken, the newest has its own');
is($super->selectrow_array('select count(*) from devcred.login_failure'), 262_144,
	'and there are never more');
forget();
$super->do("insert into devcred.login_known select sha256(n::text::bytea), now() - interval '91 days'
	from generate_series(1, 3) n");
try_login('t1/admin', '192.0.2.1', 1);
$app->do('select devcred.housekeep(10)');
is($super->selectrow_array('select count(*) from devcred.login_known'), 1,
	'what was known long ago is forgotten');
ok(!$app->selectrow_array("select has_table_privilege('devcred.login_failure', 'select')
	or has_table_privilege('devcred.login_salt', 'select')"), 'the service reads none of the tables');

done_testing();
