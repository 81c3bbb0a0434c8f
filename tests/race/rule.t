#!/usr/bin/perl
# Devices that ask at once, in many sessions: rules accept as many as they may,
# and hold up nobody whom they do not fit.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use DBD::Pg ':async';
use Devcred::Test;

my $SESSIONS = 8;
my $DEVICES = 12;	# a session, in groups of three
my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $t1 = $cluster->connect($database, 'devcred_t1');

sub made { $super->do("select devcred.newdevice_create('t1', 'x', null, ?, null, null, null, null)", undef, $_[0]) }
sub rule {
	my ($name, $pattern, $quota) = @_;
	my ($outcome) = $t1->selectrow_array('select devcred.rule_set(?, ?, p_quota => ?)', undef, $name, $pattern, $quota);
	die "rule_set: $outcome\n" if $outcome ne 'ok';
	return;
}
my %asking;
sub poll {
	my ($dbh, @ids) = @_;
	my $n = @ids;
	$asking{$dbh} = $dbh->prepare("select outcome from testing.poll(?, array_fill('t1'::text, array[$n]),
		array_fill('t1/bootstrap'::text, array[$n]), array_fill('192.0.2.7'::inet, array[$n]),
		array_fill(null::bytea, array[$n]), array_fill(decode(repeat('01', 16), 'hex'), array[$n]),
		array_fill(decode(repeat('02', 32), 'hex'), array[$n]))", { pg_async => PG_ASYNC });
	$asking{$dbh}->execute(\@ids);
	return;
}
sub accepted_by {
	my ($by) = @_;
	return scalar $super->selectrow_array("select count(*) from devcred.newdevice_request
		where status = 'ACCEPTED' and accepted_by = ?", undef, $by);
}
sub used { return scalar $t1->selectrow_array('select used from devcred.rule where name = ?', undef, $_[0]) }

# A quota that many share.
rule('a-first', 'q*', 20);
rule('b-second', 'q*', 30);
my @sessions = map { my $s = $_; { dbh => $cluster->connect($database, 'devcred_service'),
	ids => [map { "q$s-$_" } 1 .. $DEVICES] } } 1 .. $SESSIONS;
made($_) for map { @{ $_->{ids} } } @sessions;
for my $turn (1 .. $DEVICES / 3) {
	# different orders: sessions must not wait for each other in a ring
	poll($_->{dbh}, reverse splice @{ $_->{ids} }, 0, 3) for @sessions;
	$_->{dbh}->pg_result for @sessions;
}
is(accepted_by('rule:a-first'), 20, 'a rule accepts as many as it may, and not one more');
is(accepted_by('rule:b-second'), 30, 'the next rule takes on from there');
is(join(' ', map { used($_) } 'a-first', 'b-second'), '20 30', 'both have counted right');
is($super->selectrow_array("select count(*) from devcred.newdevice_request where id like 'q%'
	and status = 'PENDING_ACCEPTANCE'"), $SESSIONS * $DEVICES - 50, 'the others wait');

# Who is not concerned does not wait for who is.
my ($A, $B) = map { $_->{dbh} } @sessions;
rule('held', 'held-*', 5);
made($_) for qw(held-1 free-1);
$A->begin_work;
poll($A, 'held-1');
$A->pg_result;
poll($B, 'free-1');
eventually(sub { $B->pg_ready }, 'a device that no rule fits is answered while a rule is held');
$B->pg_result;
$A->commit;
is(used('held'), 1, 'which then has been used');

# A rule that comes meanwhile.
rule('late', 'late-*', 1);
$t1->do("select devcred.rule_enable('late', false)");
made($_) for qw(late-1 late-2);
$t1->begin_work;
$t1->do("select devcred.rule_enable('late', true)");
poll($A, 'late-1');
eventually(sub { $A->pg_ready }, 'one that is not there yet for others is not waited for');
$A->pg_result;
$t1->commit;
poll($B, 'late-2');
$B->pg_result;
is(join(' ', map { scalar $super->selectrow_array('select status from devcred.newdevice_request where id = ?',
	undef, $_) } qw(late-1 late-2)), 'PENDING_ACCEPTANCE ACCEPTED', 'and accepts from then on');
done_testing();
