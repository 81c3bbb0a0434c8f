#!/usr/bin/perl
# How many requests waited and were pending day by day: what there is now, less
# what the events say has come since.  So whatever happens to a request, each
# event has to tell what it was and what it became, once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $app = $cluster->connect($database, 'devcred_service');
my @WHO = ('t1/admin', '192.0.2.1');

sub call {
	my ($function, @arg) = @_;
	my $marks = join ', ', ('?') x @arg;
	return @{ $app->selectall_arrayref("select * from $function($marks)",
		{ Slice => {} }, @arg) };
}
sub poll {
	my ($id, $token) = @_;
	return call('testing.poll', [$id], ['t1'], ['t1/bootstrap'], ['192.0.2.7'],
		[$token], ['\\x' . '00' x 16], ['\\x' . '11' x 32]);
}
sub update { return call('devcred.newdevice_update', 't1', @WHO, @_) }
sub made {
	my $id = device_id();
	call('devcred.newdevice_create', 't1', @WHO, $id, undef, undef, undef, '{}');
	return $id;
}
sub asking { my ($token) = @_; my $id = made(); poll($id, $token); return $id }
sub done_with { my $id = asking(); update($id, 'ACCEPTED'); poll($id); return $id }
sub remove { return call('devcred.newdevice_delete', 't1', @WHO, @_) }

my $TOKEN = '\\x' . 'ab' x 32;
my @ways = (
	['nothing', sub { }],
	['it waits', \&made],
	['it is pending', \&asking],
	['two clients ask for it', sub { my $id = asking(); poll($id, $TOKEN) }],
	['it is issued', \&done_with],
	['it is issued a second time', sub { my $id = done_with();
		call('devcred.newdevice_create', 't1', @WHO, $id, undef, undef, undef, '{}');
		poll($id) }],
	['it is blocked before it asks', sub { update(made(), 'BLOCKED') }],
	['its block is lifted', sub { my $id = asking(); update($id, 'BLOCKED');
		update($id, 'PENDING_ACCEPTANCE') }],
	['it is accepted too early', sub { update(made(), 'ACCEPTED') }],
	['its token is wrong', sub { update(asking($TOKEN), 'ACCEPTED', undef, '\\x' . 'cd' x 32, 5) }],
	['its token is wrong too often', sub { update(asking($TOKEN), 'ACCEPTED', undef,
		'\\x' . 'cd' x 32, 1) }],
	['all are accepted', sub { asking() for 1 .. 3;
		call('devcred.newdevice_accept_all', 't1', @WHO) }],
	['it is deleted', sub { remove(made()); remove(asking()) }],
	['a statement makes it', sub { $super->do("insert into devcred.newdevice_request
		(id, tenant, owner) values (?, 't1', 'db:test')", undef, device_id()) }],
	['a statement deletes it', sub { $super->do('delete from devcred.newdevice_request
		where id = ?', undef, asking()) }],
	['a rule accepts it', sub {
		$cluster->connect($database, 'devcred_t1')->do("select devcred.rule_set('all', 'ruled*')");
		call('devcred.newdevice_create', 't1', @WHO, 'ruled-1', undef, undef, undef, '{}');
		poll('ruled-1') for 1 .. 2 }],
	['it ends by itself', sub { my $id = made();
		$super->do("update devcred.tenant set waiting_expiry = '1 day' where id = 't1'");
		$super->do("update devcred.newdevice_request set created_at = created_at - interval '2 days'
			where id = ?", undef, $id);
		call('devcred.housekeep', 100) }],
);
for my $way (@ways) {
	my ($name, $happens) = @$way;
	$happens->();
	my @is = $super->selectrow_array("select
		count(*) filter (where status = 'WAITING_FOR_CONNECTION'),
		count(*) filter (where status = 'PENDING_ACCEPTANCE')
		from devcred.newdevice_request where tenant = 't1'");
	my @day = call('devcred.event_count', 't1', 3);
	is(join(' ', map { "@$_{qw(waiting pending)}" } @day[0, -1]), "0 0 @is",
		"$name: it is counted now, and was not the day before yesterday");
}
is(join(' ', map { "@$_{qw(waiting pending)}" } call('devcred.event_count', 't2', 3)),
	'0 0 0 0 0 0', 'another tenant has its own');

# Yesterday three were registered, of which one asks today.
my @old = map { device_id() } 1 .. 3;
$super->do('set session_replication_role = replica');
$super->do("insert into devcred.newdevice_request (id, tenant, owner) values (?, 't2', 't2/admin')",
	undef, $_) for @old;
$super->do('reset session_replication_role');
$super->do("insert into devcred.event (tenant, registration, device_id, operation, outcome, actor,
		status_after, at)
	select tenant, seq, id, 'newdevice_create', 'ok', owner, status, now() - interval '1 day'
	  from devcred.newdevice_request
	 where tenant = 't2'");
call('testing.poll', [$old[0]], ['t2'], ['t2/bootstrap'], ['192.0.2.7'], [undef],
	['\\x' . '00' x 16], ['\\x' . '11' x 32]);
is(join(' ', map { "@$_{qw(waiting pending)}" } call('devcred.event_count', 't2', 3)),
	'0 0 3 0 2 1', 'what was yesterday is told as it was');

done_testing;
