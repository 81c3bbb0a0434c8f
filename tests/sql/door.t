#!/usr/bin/perl
# What administrators do in SQL, with functions and with plain statements.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $boss = $cluster->connect($database, 'devcred_boss');
my $t1 = $cluster->connect($database, 'devcred_t1');
my $number = 0;

sub id { return 'door-' . ++$number }
# A statement: rows changed or the SQLSTATE; and the first row of a query.
sub done {
	my ($dbh, $sql, @value) = @_;
	my $rows = eval { $dbh->do($sql, undef, @value) };
	return defined $rows ? $rows + 0 : $dbh->state;
}
sub row { my ($dbh, $sql, @value) = @_; return join ' ', map { $_ // '-' } $dbh->selectrow_array($sql, undef, @value) }
sub rows { my ($dbh, $sql, @value) = @_; return join ', ', map { join ' ', map { $_ // '-' } @$_ }
	@{ $dbh->selectall_arrayref($sql, undef, @value) } }
# A poll of a device, with a security token if one is given.
sub poll {
	my ($id, $token) = @_;
	return row($super, "select outcome, status from testing.poll(array[?], '{management}', '{management/b}',
		array[inet '192.0.2.7'], array[devcred.token_digest(?, ?)], array[decode(repeat('01', 16), 'hex')],
		array[decode(repeat('02', 32), 'hex')])", $id, $id, $token);
}
sub events { return rows($super, 'select operation, outcome, actor from devcred.event
	where device_id = ? order by seq', $_[0]) }
sub call { my ($dbh, $function, @arg) = @_;
	return row($dbh, "select outcome, tenant, status from devcred.$function(" . join(', ', ('?') x @arg) . ')', @arg) }

# Functions -----------------------------------------------------------------------

my $id = id();
is(call($t1, 'request_create', $id), 'ok t1 WAITING_FOR_CONNECTION', 'a device is registered');
is(call($t1, 'request_create', $id), 'exists t1 -', 'once');
is(call($t1, 'request_create', 'a b'), 'invalid - -', 'an id that no device can have is told');
is(call($t1, 'request_accept', $id), 'wrong_state t1 WAITING_FOR_CONNECTION', 'nobody has asked yet');
poll($id);
is(call($t1, 'request_block', $id), 'ok t1 BLOCKED', 'it is blocked');
is(call($t1, 'request_lift', $id), 'ok t1 PENDING_ACCEPTANCE', 'the block is lifted');
is(call($t1, 'request_accept', $id), 'ok t1 ACCEPTED', 'it is accepted');
like(poll($id), qr/^ok /, 'and issued');
is(row($t1, 'select outcome, status from devcred.credential_disable(?)', $id), 'ok DISABLED', 'it is disabled');
is(row($t1, 'select outcome, status from devcred.credential_enable(?)', $id), 'ok ACTIVE', 'and enabled');
is(row($t1, "select outcome, expires from devcred.credential_expire(?, '2099-01-01Z')", $id),
	'ok 2099-01-01T00:00:00.000+00:00', 'it has an end');
my ($outcome, $name, $password) = $t1->selectrow_array(
	'select outcome, username, password from devcred.credential_rotate(?)', undef, $id);
like("$outcome $name $password", qr/\Aok device_\Q$id\E [A-Za-z0-9]{32}\z/, 'a new password is told');
is(row($super, 'select devcred.verify(?, ?)', "t1/device_$id", $password), '1', 'which works');
isnt($t1->selectrow_array('select password from devcred.credential_rotate(?)', undef, $id), $password,
	'the next one is another');
is(row($t1, 'select outcome from devcred.credential_reopen(?)', $id), 'ok', 'delivery is reopened');
is(row($t1, 'select outcome from devcred.credential_revoke(?)', $id), 'ok', 'it is revoked');
is(row($t1, 'select outcome from devcred.credential_revoke(?)', $id), '', 'once');
is(events($id) =~ s/ db:devcred_t1//gr, join(', ', 'newdevice_create ok', 'newdevice_accept wrong_state',
		'newdevice_claim ok management/b', 'newdevice_block ok', 'newdevice_lift ok', 'newdevice_accept ok',
		'credential_issue ok management/b', 'credential_disable ok', 'credential_enable ok',
		'credential_expire ok', 'credential_rotate ok', "credential_confirm ok t1/device_$id",
		'credential_rotate ok', 'credential_reopen ok', 'credential_revoke ok'),
	'all of it is audited, what administrators do in the name of their login');

$id = id();
call($t1, 'request_create', $id);
poll($id, 'sesame');
is(call($t1, 'request_accept', $id, 'wrong'), 'token_mismatch t1 PENDING_ACCEPTANCE', 'a wrong token is refused');
is($super->selectrow_array('select token_failures from devcred.newdevice_request where id = ?', undef, $id), 1,
	'and counted');
is(call($t1, 'request_accept', $id, 'sesame'), 'ok t1 ACCEPTED', 'the right one is taken');
is(call($boss, 'request_create', id(), 't2'), 'ok t2 WAITING_FOR_CONNECTION', 'an administrator of all names a tenant');
is(call($boss, 'request_create', id()), 'ok management WAITING_FOR_CONNECTION', 'or has the first');
is(row($t1, 'select outcome from devcred.request_delete(?)', $id), 'ok', 'a request is withdrawn');
my @many = map { my $one = id(); call($t1, 'request_create', $one); poll($one); $one } 1 .. 3;
my $foreign = id();
call($boss, 'request_create', $foreign, 't2');
poll($foreign);
is(rows($boss, "select outcome, id from devcred.request_accept_all('t1') order by id"),
	join(', ', map { "ok $_" } sort @many), 'all that wait in a tenant are accepted');
like(rows($boss, 'select outcome, id from devcred.request_accept_all()'), qr/\bok \Q$foreign\E\b/, 'or in all');

# Bulk ----------------------------------------------------------------------------

my @new = map { id() } 1 .. 3;
is(rows($t1, 'select line, outcome, id, tenant from devcred.request_load(array[?, ?, ?, ?, ?])',
		$new[0], 'a b', $new[1], $many[0], $new[0]),
	"2 invalid a b t1, 4 exists $many[0] t1, 5 exists $new[0] t1",
	'of many the ones that cannot be registered are told by their place');
is($t1->selectrow_array('select count(*) from devcred.request where id = any (?)', undef, \@new), 2,
	'and the others are');
is(rows($t1, "select line, outcome from devcred.credential_load(array[?, ?, 'a b', ?], array[?, 'short', ?, ?])",
		@new, 'Password1', 'Password2', 'Password3'), '2 invalid, 3 invalid',
	'devices that have passwords already are taken in');
is(row($super, 'select devcred.verify(?, ?)', "t1/device_$new[0]", 'Password1'), '1', 'and can log in');
is($super->selectrow_array('select count(*) from devcred.bulk_row'), 0, 'nothing is left on the way');

# Plain statements -------------------------------------------------------------------

$id = id();
my $INSERT = 'insert into devcred.request (id, type, group_id, custom_properties) values (?, ?, ?, ?)';
is(join(' ', $t1->selectrow_array("$INSERT returning tenant, status, owner, created_at is not null", undef,
	$id, 'c8y_Linux', '7', '{"a":1}')), 't1 WAITING_FOR_CONNECTION db:devcred_t1 1', 'insert registers a device');
is(row($super, 'select type, group_id, custom_properties from devcred.newdevice_request where id = ?', $id),
	'c8y_Linux 7 {"a": 1}', 'with all that was said');
is(done($t1, $INSERT, $id, undef, undef, undef), '23505', 'one that is there is an error');
is(done($t1, $INSERT, "a\tb", undef, undef, undef), '23514', 'so is an id that no device can have');
is(done($t1, $INSERT, undef, undef, undef, undef), '23514', 'and none');
for my $column (['status', 'ACCEPTED'], ['owner', 'me'], ['created_at', '2020-01-01'], ['registration', 1],
	['accepted_by', 'me'], ['claimed_at', '2020-01-01'], ['has_token', 'f'], ['claimants', 0]) {
	is(done($t1, "insert into devcred.request (id, $column->[0]) values (?, ?)", id(), $column->[1]), '23514',
		"$column->[0] is not for inserting");
}
my $UPDATE = 'update devcred.request set status = ? where id = ?';
is(done($t1, $UPDATE, 'ACCEPTED', $id), '23514', 'what nobody has asked for is not accepted');
poll($id);
is(done($t1, $UPDATE, $_->[0], $id), $_->[1], "update: $_->[2]") for
	['WAITING_FOR_CONNECTION', '23514', 'no move that the state machine does not know'],
	['PENDING_ACCEPTANCE', 1, 'what it is already is no move'],
	['BLOCKED', 1, 'block'], ['ACCEPTED', '23514', 'not while it is blocked'], ['PENDING_ACCEPTANCE', 1, 'lift'];
is(done($t1, "update devcred.request set status = 'ACCEPTED', type = 'other' where id = ?", $id), 1,
	'accept, and set the type');
is(row($super, 'select status, type, accepted_by from devcred.newdevice_request where id = ?', $id),
	'ACCEPTED other db:devcred_t1', 'which is done');
for my $set ("id = 'x'", "tenant = 't2'", "owner = 'x'", "accepted_by = 'x'", "type = 'x'", 'has_token = true',
	'created_at = now()', "custom_properties = '{}'", 'token_failures = 7') {
	is(done($t1, "update devcred.request set $set where id = ?", $id), '23514', "update does not set $set");
}
is(done($t1, 'delete from devcred.request where id = ?', $id), 1, 'delete withdraws');
is(events($id), 'newdevice_create ok db:devcred_t1, newdevice_claim ok management/b, '
	. join(', ', map { "newdevice_$_ ok db:devcred_t1" } qw(block lift accept delete)),
	'what was done is audited; what was refused was undone');

$id = id();
call($t1, 'request_create', $id);
poll($id, 'sesame');
is(done($t1, $UPDATE, 'ACCEPTED', $id), '23514', 'a device with a token is not accepted by a plain update');
poll($_) for map { call($t1, 'request_create', $_); $_ } my @two = (id(), id());
is(done($t1, "update devcred.request set status = 'ACCEPTED' where id in (?, ?, ?)", @two, $id), '23514',
	'of several in one statement all are accepted');
is($t1->selectrow_array("select count(*) from devcred.request where status = 'ACCEPTED' and id = any (?)",
	undef, \@two), 0, 'or none');
is(done($t1, "update devcred.request set status = 'ACCEPTED' where status = 'PENDING_ACCEPTANCE' and not has_token"),
	2, 'a condition picks those that can be');

$t1->do('copy devcred.request (id, type) from stdin');
my @copied = map { id() } 1 .. 500;
$t1->pg_putcopydata("$_\tcopied\n") for @copied;
$t1->pg_putcopyend;
is($t1->selectrow_array("select count(*) from devcred.request where type = 'copied'"), 500, 'copy registers devices');
is($super->selectrow_array("select count(*) from devcred.event where device_id = any (?) and actor = 'db:devcred_t1'",
	undef, \@copied), 500, 'each with its event');
$t1->do('copy devcred.request (id) from stdin');
$t1->pg_putcopydata("$_\n") for 'door-copy', $copied[0];
ok(!eval { $t1->pg_putcopyend; 1 }, 'a line that cannot be registered ends it');
is($t1->selectrow_array("select count(*) from devcred.request where id = 'door-copy'"), 0,
	'and nothing of it is registered');

# Credentials --------------------------------------------------------------------------

like(poll($two[0]), qr/^ok /, 'a device is issued its password');
$UPDATE = 'update devcred.credential set ';
is(done($t1, "$UPDATE status = 'DISABLED' where device_id = ?", $two[0]), 1, 'update disables');
is(done($t1, "$UPDATE status = 'ACTIVE', expires_at = now() - interval '1 s' where device_id = ?", $two[0]), 1,
	'and enables, and sets an end');
is(row($t1, 'select status from devcred.credential where device_id = ?', $two[0]), 'EXPIRED', 'which has come');
is(done($t1, "$UPDATE status = 'ACTIVE' where device_id = ?", $two[0]), '23514', 'that is not undone by saying so');
is(done($t1, "$UPDATE status = 'ACTIVE', expires_at = null where device_id = ?", $two[0]), 1, 'but by taking the end away');
is(done($t1, "$UPDATE $_ where device_id = ?", $two[0]), '23514', "update does not set $_")
    for "status = 'EXPIRED'", "status = 'x'", "tenant = 't2'", "username = 'x'", 'generation = 7', 'failures = 7',
    'disabled_at = now()', 'first_used_at = now()', 'delivery_open = true';
is(done($t1, "insert into devcred.credential (device_id) values ('x')"), '42501', 'no credential comes by insert');
is(done($t1, 'delete from devcred.credential where device_id = ?', $two[0]), 1, 'delete revokes');
is(events($two[0]) =~ s/.*credential_issue ok \S+ //r,
	join(', ', map { "credential_$_ ok db:devcred_t1" } qw(disable expire enable expire revoke)), 'all is audited');

# Tenants -----------------------------------------------------------------------------

is(done($t1, "update devcred.customer set token_policy = 'REQUIRED'"), 1, 'a login of a tenant sets its policy');
is(rows($boss, "select id, token_policy from devcred.customer where token_policy <> 'OPTIONAL'"), 't1 REQUIRED',
	'and no other one\'s');
is(done($t1, "update devcred.customer set $_"), '23514', "but not $_")
    for 'device_limit = 5', "domain_name = 'x.example.org'", "id = 'x'", 'created_at = now()';
is(done($boss, "update devcred.customer set token_policy = 'OPTIONAL', device_limit = 5,
	domain_name = 'X.example.org' where id = 't1'"), 1, 'an administrator of all sets more');
is(done($boss, "update devcred.customer set device_limit = null, domain_name = null where id = 't1'"), 1,
	'and takes it away');
is(done($boss, "update devcred.customer set domain_name = 'x y' where id = 't1'"), '23514', 'by the rules');
is(done($boss, "update devcred.customer set id = 'x' where id = 't1'"), '23514', 'never the id');
is(rows($t1, 'select setting, value_before, value_after, actor from devcred.setting order by seq, setting'),
	join(', ', 'token_policy OPTIONAL REQUIRED db:devcred_t1', 'domain_name - x.example.org db:devcred_boss',
		'token_policy REQUIRED OPTIONAL db:devcred_boss', 'device_limit - 5 db:devcred_boss',
		'domain_name x.example.org - db:devcred_boss', 'device_limit 5 - db:devcred_boss'),
	'each change is recorded');
is(done($super, $_), '42501', "nobody: $_") for 'delete from devcred.setting_event',
    "update devcred.setting_event set actor = 'x'", 'truncate devcred.setting_event';

# The tables themselves -------------------------------------------------------------------

for my $who ($boss, $t1) {
	is(done($who, $_), '42501', "nobody: $_") for
		"insert into devcred.newdevice_request (id, tenant, owner) values ('x', 't1', 'x')",
		"update devcred.newdevice_request set status = 'BLOCKED'", 'delete from devcred.newdevice_request',
		'truncate devcred.newdevice_request', "update devcred.device_credential set disabled_at = null",
		'delete from devcred.event', "update devcred.event set actor = 'x'",
		"copy devcred.event from program 'true'", 'alter view devcred.request set (security_invoker = false)',
		"create or replace view devcred.request as select 1", 'set session authorization postgres';
}

# Who may write them is recorded, too: a superuser, and a member of devcred_owner.
my $operator = $cluster->connect($database, 'devcred_operator');
for my $case ([$super, 'db:postgres'], [$operator, 'db:devcred_operator']) {
	my ($who, $actor) = @$case;
	my ($waiting, $device) = (id(), id());
	$who->do('copy devcred.newdevice_request (id, tenant) from stdin');
	$who->pg_putcopydata("$_\tt1\n") for $waiting, $device;
	$who->pg_putcopyend;
	poll($device);
	is(done($who, "update devcred.newdevice_request set status = 'ACCEPTED' where id = ?", $device), '23514',
		"$actor accepts in the name of somebody");
	my $set = 'update devcred.newdevice_request set status = ?, accepted_at = null, accepted_by = null where id = ?';
	is(done($who, $set, 'BLOCKED', $device), 1, 'blocks');
	is(done($who, $set, 'ACCEPTED', $device), '23514', 'does not accept what is blocked');
	is(done($who, $set, 'PENDING_ACCEPTANCE', $device), 1, 'lifts the block');
	is(done($who, "update devcred.newdevice_request set status = 'ACCEPTED', accepted_at = now(), accepted_by = ?
		where id = ?", $actor, $device), 1, 'accepts');
	like(poll($device), qr/^ok /, 'which is issued');
	is(done($who, 'delete from devcred.newdevice_request where id = ?', $waiting), 1, 'withdraws a request');
	my $credential = 'update devcred.device_credential set';
	is(done($who, "$credential disabled_at = now(), expires_at = now() where device_id = ?", $device), 1, 'disables');
	is(done($who, "$credential disabled_at = null where device_id = ?", $device), 1, 'enables');
	is(done($who, "$credential failures = 0, password_hash = sha256('x') where device_id = ?", $device), 1,
		'sets a password');
	is(done($who, 'delete from devcred.device_credential where device_id = ?', $device), 1, 'revokes');
	is(events($waiting), join(', ', map { "newdevice_$_ ok $actor" } qw(create delete)), 'all is recorded');
	is(events($device), "newdevice_create ok $actor, newdevice_claim ok management/b, "
		. join(', ', map { "newdevice_$_ ok $actor" } qw(block lift accept))
		. ', credential_issue ok management/b, '
		. join(', ', map { "credential_$_ ok $actor" } qw(disable expire enable rotate revoke)), 'in the name of the login');
}

done_testing;
