#!/usr/bin/perl
# Ten thousand operations in any order at once: devices are registered, accepted,
# blocked, let in again, deleted and issued their passwords by several clients at
# two installations.  The audit has to tell one story that fits all answers.
#
# Environment: DEVCRED_INTERLEAVINGS (how many operations), DEVCRED_FAULT_SEED.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker qw(none);
use Devcred::History;
use Devcred::Line;
use Devcred::Pair;

my $OPERATIONS = $ENV{DEVCRED_INTERLEAVINGS} // 10_000;
my $SEED = $ENV{DEVCRED_FAULT_SEED} // int(time) ^ $$;
my $CLIENTS = 8;
my $DEVICES = 100;
my %SHARE = (register => 3, poll => 8, accept => 5, block => 1, lift => 1, delete => 1);

diag("DEVCRED_INTERLEAVINGS=$OPERATIONS DEVCRED_FAULT_SEED=$SEED");
my $pair = Devcred::Pair->new(cluster => Devcred::Cluster->new, conf => { workers => 2,
	delivery_window => 60, delivery_limit => 5 });
my @sites = $pair->sites;
my $history = Devcred::History->new(seed => $SEED);
my @kinds = map { ($_) x $SHARE{$_} } sort keys %SHARE;
my @ids = map { "busy-$_" } 1 .. $DEVICES;

my $start = time;
$history->crowd($CLIENTS, sub {
	my @lines = map { Devcred::Line->new($_->{port}) } @sites;
	# some devices are at the centre of it, so that clients do meet
	$history->ask($lines[rand @lines], $kinds[rand @kinds], $ids[$DEVICES * rand() ** 2])
	    for 1 .. $OPERATIONS / $CLIENTS;
});
eventually(sub { !$history->busy }, "$OPERATIONS operations by $CLIENTS clients at two installations",
	30 + $OPERATIONS / 50);
diag(sprintf '%.0f s', time - $start);

my $dbh = $sites[0]->dbh;
my $checker = Devcred::Checker->of_history(history => $history, dbh => $dbh);
my %seen;
$seen{"$_->{operation} $_->{status}"}++ for @{ $checker->{entries} };
diag(join ', ', map { "$_: $seen{$_}" } sort keys %seen);
is(scalar(@{ $checker->{entries} }), $OPERATIONS, 'all of them are in the log');
none('none of them got no answer', grep { / (?:0|5..)\z/ } keys %seen);
for my $done ('register 201', 'accept 200', 'block 200', 'lift 200', 'delete 200', 'poll 201',
    'poll 404', 'accept 422', 'accept 404', 'register 422') {
	cmp_ok($seen{$done} // 0, '>', 0, "it came to: $done");
}
my $again = $dbh->selectrow_array('select count(*) from devcred.device_credential
	where generation > 1');
cmp_ok($again, '>', 0, 'devices were issued a password more than once');
$checker->answered(qr/\A(?:404|422)\z/);
$checker->invariants;
$checker->no_secret_in_logs(@sites);

# The password that works is the one told last.
my %last;
for my $entry (sort { $a->{begin} <=> $b->{begin} } grep { defined $_->{password} }
    @{ $checker->{entries} }) {
	$last{ $entry->{id} } = $entry;
}
none('every device logs in with a password it was told', grep {
	my $id = $_;
	!grep { $dbh->selectrow_array('select devcred.verify(?, ?)', undef, "t1/device_$id", $_) }
	    keys %{ $checker->{password}{$id} }
} keys %last);
none('no log has an error', grep { / (?:warning|error) / }
	map { split /\n/, $_->service_log } @sites);

done_testing();
