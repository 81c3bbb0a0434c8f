#!/usr/bin/perl
# Two sessions at one request: the first holds it, the second waits, and what
# it is told depends on how the first one ends.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use DBD::Pg ':async';
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my ($A, $B) = map { $cluster->connect($database, 'devcred_service') } 1, 2;

my $POLL = "select outcome, status from testing.poll(array[?], array['t1'],
	array['t1/bootstrap'], array[inet '192.0.2.7'], array[null]::bytea[],
	array[decode(repeat('01', 16), 'hex')], array[decode(repeat('02', 32), 'hex')])";
sub update_to {
	my ($status) = @_;
	return "select outcome, status from devcred.newdevice_update('t1', 't1/admin', null, ?, '$status')";
}
my %CALL = (
	create => "select outcome, status from devcred.newdevice_create('t1', 't1/admin', null, ?,
		null, null, null, null)",
	poll => $POLL,
	accept => update_to('ACCEPTED'),
	block => update_to('BLOCKED'),
	lift => update_to('PENDING_ACCEPTANCE'),
	delete => "select outcome, null from devcred.newdevice_delete('t1', 't1/admin', null, ?)",
);
my %WAY = (
	none => [],
	waiting => ['create'],
	pending => ['create', 'poll'],
	accepted => ['create', 'poll', 'accept'],
	blocked => ['create', 'poll', 'block'],
);

# A row in short; nothing if there is none.
sub short { return $_[0] ? join ' ', grep { defined } @{ $_[0] } : 'no request' }
sub call {
	my ($dbh, $call, $id) = @_;
	return short($dbh->selectrow_arrayref($CALL{$call}, undef, $id));
}
sub state_of {
	my ($id) = @_;
	my ($status) = $super->selectrow_array('select status from devcred.newdevice_request
		where id = ?', undef, $id);
	my ($issued) = $super->selectrow_array('select count(*) from devcred.device_credential
		where device_id = ?', undef, $id);
	return ($status // 'gone') . ($issued ? " $issued issued" : '');
}

# Call as B without waiting for the answer; returns a function that reads it.
sub begin_call {
	my ($call, $id) = @_;
	my $sth = $B->prepare($CALL{$call}, { pg_async => PG_ASYNC });
	$sth->execute($id);
	return sub {
		Devcred::Shell::until_true(sub { $B->pg_ready }) or return 'no answer';
		$B->pg_result;
		my $row = $sth->fetchrow_arrayref;
		return short($row);
	};
}
sub waits {
	my ($name) = @_;
	return eventually(sub {
		$super->selectrow_array('select 1 from pg_stat_activity where pid = ?
			and wait_event_type = ? and ? = any (pg_blocking_pids(pid))', undef,
			$B->{pg_pid}, 'Lock', $A->{pg_pid});
	}, $name, 1.5);
}

my ($PENDING, $ACCEPTED, $BLOCKED, $WAITING) = qw(PENDING_ACCEPTANCE ACCEPTED BLOCKED
	WAITING_FOR_CONNECTION);

for my $case (
	# state, A's call, B's; B's answer and the state in the end if A commits, and if not
	['none', 'create', 'create', 'exists', $WAITING, "ok $WAITING", $WAITING],
	['waiting', 'poll', 'poll', "wrong_state $PENDING", $PENDING,
		"wrong_state $PENDING", $PENDING],
	['waiting', 'poll', 'accept', "ok $ACCEPTED", $ACCEPTED,
		"wrong_state $WAITING", $WAITING],
	['waiting', 'delete', 'poll', 'no request', 'gone', "wrong_state $PENDING", $PENDING],
	['waiting', 'delete', 'create', "ok $WAITING", $WAITING, 'exists', $WAITING],
	['pending', 'accept', 'accept', "wrong_state $ACCEPTED", $ACCEPTED,
		"ok $ACCEPTED", $ACCEPTED],
	['pending', 'accept', 'delete', 'ok', 'gone', 'ok', 'gone'],
	['pending', 'delete', 'accept', 'no request', 'gone', "ok $ACCEPTED", $ACCEPTED],
	['pending', 'delete', 'delete', 'no request', 'gone', 'ok', 'gone'],
	['pending', 'accept', 'block', "ok $BLOCKED", $BLOCKED, "ok $BLOCKED", $BLOCKED],
	['pending', 'block', 'accept', "wrong_state $BLOCKED", $BLOCKED,
		"ok $ACCEPTED", $ACCEPTED],
	['pending', 'block', 'poll', "wrong_state $BLOCKED", $BLOCKED,
		"wrong_state $PENDING", $PENDING],
	['pending', 'accept', 'poll', "ok $ACCEPTED", 'gone 1 issued',
		"wrong_state $PENDING", $PENDING],
	['accepted', 'block', 'poll', "wrong_state $BLOCKED", $BLOCKED,
		"ok $ACCEPTED", 'gone 1 issued'],
	['accepted', 'poll', 'poll', 'absent', 'gone 1 issued',
		"ok $ACCEPTED", 'gone 1 issued'],
	['accepted', 'poll', 'block', 'no request', 'gone 1 issued', "ok $BLOCKED", $BLOCKED],
	['accepted', 'poll', 'delete', 'no request', 'gone 1 issued', 'ok', 'gone'],
	['accepted', 'delete', 'poll', 'no request', 'gone', "ok $ACCEPTED", 'gone 1 issued'],
	['accepted', 'poll', 'create', "ok $WAITING", "$WAITING 1 issued", 'exists', $ACCEPTED],
	['blocked', 'lift', 'accept', "ok $ACCEPTED", $ACCEPTED,
		"wrong_state $BLOCKED", $BLOCKED],
) {
	my ($state, $first, $second, @end) = @$case;
	for my $end ('commit', 'rollback') {
		my ($answer, $after) = splice @end, 0, 2;
		my $id = device_id();
		call($super, $_, $id) for @{ $WAY{$state} };
		my $name = "$second during $first of one that is $state";
		$A->begin_work;
		call($A, $first, $id);
		my $read = begin_call($second, $id);
		waits("$name waits");
		$A->$end;
		is($read->(), $answer, "and after the $end is told: $answer");
		is(state_of($id), $after, "and leaves it: $after");
		story($id);
	}
}

# The events of a device are one chain: each starts where the last one ended.
sub story {
	my ($id) = @_;
	my $events = $super->selectall_arrayref('select operation, outcome, status_before,
		status_after from devcred.event where device_id = ? order by seq', undef, $id);
	my ($at, @wrong) = 'none';
	for my $event (@$events) {
		my ($operation, $outcome, $before, $after) = map { $_ // 'none' } @$event;
		push @wrong, "$operation starts at $before after $at" if $before ne $at;
		$at = $after;
	}
	is_deeply(\@wrong, [], 'and the events tell it in order');
	return;
}

# Groups that ask for the same devices in opposite order ------------------------------

my @ids = map { device_id() } 1 .. 30;
for my $id (@ids) {
	call($super, $_, $id) for @{ $WAY{accepted} };
}
my $group = "select outcome from testing.poll(?, array_fill('t1'::text, array[30]),
	array_fill('t1/b'::text, array[30]), array_fill(null::inet, array[30]),
	array_fill(null::bytea, array[30]),
	array_fill(decode(repeat('01', 16), 'hex'), array[30]),
	array_fill(decode(repeat('02', 32), 'hex'), array[30]))";
my %group = map { $_->[0] => $_->[1]->prepare($group, { pg_async => PG_ASYNC }) }
    ['forth', $A], ['back', $B];
my $holder = $cluster->connect($database);
$holder->begin_work;
$holder->do('select from devcred.newdevice_request where id = ? for update', undef, $ids[15]);
$group{forth}->execute(\@ids);
$group{back}->execute([reverse @ids]);
eventually(sub {
	$super->selectrow_array('select count(*) = 2 from pg_stat_activity where pid in (?, ?)
		and wait_event_type = ?', undef, $A->{pg_pid}, $B->{pg_pid}, 'Lock');
}, 'two groups of the same devices in opposite order wait', 1.5);
$holder->rollback;
my %rows;
for my $name (sort keys %group) {
	my $dbh = $group{$name}{Database};
	Devcred::Shell::until_true(sub { $dbh->pg_ready });
	$rows{$name} = eval { $dbh->pg_result;
		grep { $_->[0] eq 'ok' } @{ $group{$name}->fetchall_arrayref } } // $@;
}
is(join(' ', sort { $a <=> $b } values %rows), '0 30',
	'and one gets all credentials, the other none, without a deadlock')
    or diag(explain(\%rows));

done_testing;
