#!/usr/bin/perl
# Rules that accept without an administrator, requests that end by themselves,
# quotas, and the outbox.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $t1 = $cluster->connect($database, 'devcred_t1');
my $boss = $cluster->connect($database, 'devcred_boss');
my $number = 0;

sub row { my ($dbh, $sql, @value) = @_; return join ' ', map { $_ // '-' } $dbh->selectrow_array($sql, undef, @value) }
sub rows { my ($dbh, $sql, @value) = @_; return join ', ', map { join ' ', map { $_ // '-' } @$_ }
	@{ $dbh->selectall_arrayref($sql, undef, @value) } }
sub made {
	my ($id, $type, $tenant) = @_;
	$super->do("select devcred.newdevice_create(?, 'x', null, ?, null, null, ?, null)", undef, $tenant // 't1',
		$id, $type);
	return $id;
}
# Polls of devices at once: from where, and with a token if there is one.
sub poll {
	my ($ids, %arg) = @_;
	my $n = @$ids;
	return rows($super, "select outcome, status from testing.poll(?, array_fill('management'::text, array[$n]),
		array_fill('management/b'::text, array[$n]), array_fill(?::inet, array[$n]),
		array_fill(" . ($arg{token} ? "sha256('$arg{token}')" : 'null::bytea') . ", array[$n]),
		array_fill(decode(repeat('01', 16), 'hex'), array[$n]), array_fill(decode(repeat('02', 32), 'hex'), array[$n]))
		order by n", $ids, $arg{from} // '192.0.2.7');
}
sub status { return $super->selectrow_array('select status from devcred.request where id = ?', undef, $_[0]) }
# What becomes of a new device that asks.
sub asked {
	my ($id, %arg) = @_;
	made($id, $arg{type}, $arg{tenant});
	poll([$id], %arg);
	return status($id);
}
sub rule {
	my ($name, $pattern, %arg) = @_;
	my @names = sort keys %arg;
	return $t1->selectrow_array('select devcred.rule_set(?, ?' . join('', map { ", p_$_ => ?" } @names) . ')',
		undef, $name, $pattern, @arg{@names});
}

# Accepting ----------------------------------------------------------------------------

is(asked('pump-0'), 'PENDING_ACCEPTANCE', 'without a rule a device waits');
is(rule('pumps', 'pump-*'), 'ok', 'a rule is made');
is(status('pump-0'), 'PENDING_ACCEPTANCE', 'which does nothing to what waits already');
is(asked('pump-1'), 'ACCEPTED', 'a device that fits is accepted when it asks');
is(poll(['pump-1']), 'ok ACCEPTED', 'and issued the next time');
is(rows($super, "select operation, outcome, actor, status_before, status_after from devcred.event
	where device_id = 'pump-1' order by seq"),
	'newdevice_create ok x - WAITING_FOR_CONNECTION, '
	. 'newdevice_claim ok management/b WAITING_FOR_CONNECTION PENDING_ACCEPTANCE, '
	. 'newdevice_accept ok rule:pumps PENDING_ACCEPTANCE ACCEPTED, credential_issue ok management/b ACCEPTED -',
	'all of it is audited, and by which rule');
is(asked('valve-1'), 'PENDING_ACCEPTANCE', 'one that does not fit waits');
is(asked('pump-t2', tenant => 't2'), 'PENDING_ACCEPTANCE', 'so does one of another tenant');
is(asked('pump-2', token => 'sesame'), 'PENDING_ACCEPTANCE', 'and one with a token, which a rule cannot compare');
rule('tokens', 'pump-*', needs_token => 't');
is(asked('pump-3', token => 'sesame'), 'ACCEPTED', 'unless a rule wants one');
is(poll(['pump-3'], token => 'other'), 'token_mismatch ACCEPTED', 'then it is for that one only');
is(poll(['pump-3'], token => 'sesame'), 'ok ACCEPTED', 'which is issued');
poll(['pump-0'], from => '192.0.2.99');
is(status('pump-0'), 'PENDING_ACCEPTANCE', 'who asks second for an id is no newcomer');

for my $case (
	['a?c', 'abc', 1], ['a?c', 'ac', 0], ['a*', 'a', 1], ['*', 'anything', 1], ['a%', 'axx', 0], ['a%', 'a%', 1],
	['a_c', 'a_c', 1], ['a_c', 'abc', 0], ['A*', 'abc', 0], ['a', 'ab', 0], ['*é?', 'caféx', 1], ['a.*', 'abc', 0],
	['*a*b*c*', 'xxaxxbxxc', 1], ['[ab]*', 'a1', 0],
) {
	my ($pattern, $id, $fits) = @$case;
	is($super->selectrow_array('select ?::text like devcred.rule_like(?)', undef, $id, $pattern) ? 1 : 0, $fits,
		"$pattern fits $id: " . ($fits ? 'yes' : 'no'));
}
rule('pumps', 'pump-*', source => '10.0.0.0/8', type => 'c8y_Pump', valid_until => '2099-01-01Z');
for my $case (['10.1.2.3', 'c8y_Pump', 'ACCEPTED'], ['10.1.2.3', undef, 'PENDING_ACCEPTANCE'],
	['11.1.2.3', 'c8y_Pump', 'PENDING_ACCEPTANCE'], ['2001:db8::1', 'c8y_Pump', 'PENDING_ACCEPTANCE'],
	['10.1.2.3', 'c8y_Valve', 'PENDING_ACCEPTANCE']) {
	my ($from, $type, $is) = @$case;
	is(asked('pump-' . (10 + $number++), from => $from, type => $type), $is,
		"from $from, of type " . ($type // 'none') . ": $is");
}
for my $time (['valid_until', '2020-01-01Z'], ['valid_from', '2099-01-01Z']) {
	rule('pumps', 'pump-*', @$time);
	is(asked('pump-' . (10 + $number++)), 'PENDING_ACCEPTANCE', "not with $time->[0] $time->[1]");
}
rule('pumps', 'pump-*');
is(row($t1, "select devcred.rule_enable('pumps', false)"), 'ok', 'a rule is switched off');
is(asked('pump-off'), 'PENDING_ACCEPTANCE', 'and accepts nothing');
is(row($t1, "select devcred.rule_enable('pumps')"), 'ok', 'and on again');
rule('aaa', '*', type => 'first');
asked('pump-two', type => 'first');
is($super->selectrow_array("select accepted_by from devcred.request where id = 'pump-two'"), 'rule:aaa',
	'of two that fit the first by name accepts');

# What rules do not get round ---------------------------------------------------------------

asked('pump-old');
$super->do("select devcred.credential_decommission('t1', 'x', null, null, 'pump-old')");
is(asked('pump-old'), 'PENDING_ACCEPTANCE', 'what was decommissioned waits for an administrator');
$super->do("update devcred.tenant set device_limit = devcred.device_count('t1') + 1 where id = 't1'");
is(asked('pump-lim1') . ' ' . asked('pump-lim2'), 'ACCEPTED PENDING_ACCEPTANCE', 'nor does a rule pass the limit of devices');
$super->do("update devcred.tenant set device_limit = null, token_policy = 'REQUIRED' where id = 't1'");
is(asked('pump-req'), 'BLOCKED', 'nor the want of a token');
$super->do("update devcred.tenant set token_policy = 'OPTIONAL' where id = 't1'");

# Quota ---------------------------------------------------------------------------------------

rule('few', 'few-*', quota => 2);
my @few = map { made("few-$_") } 1 .. 5;
poll(\@few);
is(rows($super, "select status, count(*) from devcred.request where id like 'few-%' group by 1 order by 1"),
	'PENDING_ACCEPTANCE 3, ACCEPTED 2', 'of many at once a rule accepts as many as it may');
is($t1->selectrow_array("select used from devcred.rule where name = 'few'"), 2, 'and counts them');
is(rows($t1, "select id, lacks from devcred.rule_try('few')"), 'few-3 quota, few-4 quota, few-5 quota',
	'a dry run tells what others lack');
rule('few', 'few-*', quota => 2, source => '198.51.100.0/24');
made('few-6');
is(rows($t1, "select id, lacks from devcred.rule_try('few')"), 'few-6 -, few-3 source, few-4 source, few-5 source',
	'and which would be accepted');
is(status('few-6'), 'WAITING_FOR_CONNECTION', 'without doing it');
rule('few', 'few-*', quota => 2);
is(rows($t1, "select * from devcred.rule_apply('few')"), 'ok few-3, ok few-4', 'applied, it accepts what is pending');
is($super->selectrow_array("select accepted_by from devcred.request where id = 'few-3'"), 'db:devcred_t1',
	'in the name of the login');

# Two that apply a rule at once share its quota.
rule('one', 'one-*');
row($t1, "select devcred.rule_enable('one', false)");
my @one = map { made("one-$_") } 1, 2;
poll(\@one);
rule('one', 'one-*', quota => 1);
my $second = $cluster->connect($database, 'devcred_t1');
$t1->begin_work;
is(rows($t1, "select outcome, id from devcred.rule_apply('one')"), 'ok one-1', 'up to its quota a rule is applied');
$t1->commit;
is(rows($second, "select outcome, id from devcred.rule_apply('one')"), '', 'finds nothing left of it');
is($t1->selectrow_array("select used from devcred.rule where name = 'one'"), 1, 'nor passes it');

# Rules themselves ----------------------------------------------------------------------------

for my $bad (['Upper', '*'], ['a b', '*'], ['', '*'], ['x' x 65, '*'], ['ok', ''], ['ok', '*', quota => -1],
	['ok', '*', valid_from => '2030-01-01Z', valid_until => '2029-01-01Z'], ['ok', '*', source => '10.0.0.1/8']) {
	my ($name, $pattern, @more) = @$bad;
	ok(!eval { rule($name, $pattern, @more); 1 }, 'no rule: ' . join ' ', map { length > 20 ? 'long' : "'$_'" } @$bad);
}
is(row($t1, "select devcred.rule_set('x', '*', 't2')"), 'no_tenant', 'nor for another tenant');
is(row($boss, "select devcred.rule_set('x', '*', 't2')"), 'ok', 'who reaches all makes it');
is(rows($t1, "select distinct tenant from devcred.rule"), 't1', 'which t1 does not see');
is(row($t1, "select devcred.rule_delete('x')"), 'absent', 'nor reach');
is(row($boss, "select devcred.rule_delete('x', 't2')"), 'ok', 'it is taken away');
is(rows($super, "select setting, value_before, value_after, actor from devcred.setting where tenant = 't2' order by seq"),
	'rule:x - {"enabled": true, "id_pattern": "*", "needs_token": false} db:devcred_boss, '
	. 'rule:x {"enabled": true, "id_pattern": "*", "needs_token": false} - db:devcred_boss', 'each change is recorded');

# Time ------------------------------------------------------------------------------------------

sub set { my ($setting, $value) = @_;
	$boss->do("update devcred.customer set $setting = ? where id = 'life'", undef, $value) }
sub housekeep { return $super->selectrow_array('select requests from devcred.housekeep()') }
sub aged {
	my ($id, $column) = @_;
	$super->do("update devcred.newdevice_request set $column = $column - interval '2 days' where id = ?", undef, $id);
}
made($_, undef, 'life') for qw(wait-old wait-new pend-old pend-new);
poll(['pend-old', 'pend-new']);
aged('wait-old', 'created_at');
aged('pend-old', 'last_seen_at');
aged('pend-new', 'created_at');
is(housekeep(), 0, 'without a setting nothing ends');
set(waiting_expiry => '1 day');
is(housekeep(), 1, 'what waited too long is withdrawn');
is(rows($super, "select id from devcred.request where tenant = 'life' order by 1"), 'pend-new, pend-old, wait-new',
	'and nothing else');
set(pending_expiry => '36 hours');
is(housekeep(), 1, 'so is a device that was silent for too long');
is(rows($super, "select operation, outcome, actor, status_before from devcred.event where device_id in ('wait-old', 'pend-old')
	and operation = 'newdevice_expire' order by seq"), 'newdevice_expire ok devcred WAITING_FOR_CONNECTION, '
	. 'newdevice_expire ok devcred PENDING_ACCEPTANCE', 'which is audited');
aged('wait-new', 'created_at');
$super->do("select devcred.newdevice_update('life', 'x', null, 'wait-new', 'BLOCKED')");
is(housekeep(), 0, 'a blocked one stays');
$super->do("select devcred.newdevice_update('life', 'x', null, 'wait-new', 'WAITING_FOR_CONNECTION')");
is(housekeep(), 0, 'and waits anew when the block is lifted');
is(rows($boss, "select setting, value_after from devcred.setting where tenant = 'life' order by seq"),
	'waiting_expiry 1 day, pending_expiry 36:00:00', 'settings are recorded');
ok(!eval { set(waiting_expiry => '5 seconds'); 1 }, 'less than a minute is a mistake');

# How many requests ------------------------------------------------------------------------------

set(request_quota => 3);
sub create { return row($super, "select outcome from devcred.newdevice_create('life', 'x', null, ?, null, null, null, null)", $_[0]) }
is(create('quota-1'), 'ok', 'up to the quota requests are taken');
is(create('quota-2'), 'limit_reached', 'and no more');
is(create('quota-1'), 'exists', 'what is there already is told as such');
is($super->selectrow_array("select count(*) from devcred.request where tenant = 'life'"), 3, 'so there are three');
set(request_quota => 5);
is(rows($boss, "select line, outcome from devcred.request_load(array['q1', 'q1', 'quota-1', 'q2', 'q3', 'q3'], 'life')"),
	'2 exists, 3 exists, 5 limit_reached, 6 limit_reached', 'of many, those beyond are told by their lines');
is($super->selectrow_array("select count(*) from devcred.request where tenant = 'life'"), 5, 'and there are five');
set(request_quota => undef);

# Outbox --------------------------------------------------------------------------------------------

is($super->selectrow_array('select count(*) from devcred.outbox'), 0, 'unless a tenant wants it nothing is put out');
$boss->do("update devcred.customer set outbox = true where id = 't1'");
$t1->do('listen devcred_outbox');
asked('out-1');
asked('out-t2', tenant => 't2');
$super->do("select devcred.newdevice_update('t1', 'x', null, 'out-1', 'BLOCKED')");
my ($heard) = eventually(sub { $t1->ping; my $n = $t1->pg_notifies; $n && "$n->[0] $n->[2]" }, 'a listener is woken up');
is(rows($t1, 'select device_id, operation, status_after from devcred.outbox_take(1)'),
	'out-1 newdevice_claim PENDING_ACCEPTANCE', 'the oldest is taken');
$t1->begin_work;
is(rows($t1, 'select device_id, operation, actor from devcred.outbox_take()'), 'out-1 newdevice_block x', 'then the others');
my $other = $cluster->connect($database, 'devcred_t1');
is(rows($other, 'select device_id from devcred.outbox_take()'), '', 'which nobody else gets meanwhile');
$t1->rollback;
is(rows($other, 'select device_id from devcred.outbox_take()'), 'out-1', 'unless that failed');
is(rows($t1, 'select * from devcred.outbox_take()'), '', 'each once');
is(rows($cluster->connect($database, 'devcred_t2'), 'select * from devcred.outbox_take()'), '', 'others have their own');
asked('out-2');
$super->do("update devcred.outbox set at = at - interval '31 days'");
housekeep();
is($super->selectrow_array('select count(*) from devcred.outbox'), 0, 'what nobody takes for 30 days goes');

done_testing;
