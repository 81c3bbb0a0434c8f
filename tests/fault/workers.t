#!/usr/bin/perl
# Workers are killed five times a second while devices are being issued their
# passwords; then the manager of one installation is killed, whose processes leave,
# while the other one goes on without a failed request.
#
# Environment: DEVCRED_FAULT_SEED.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker qw(none);
use Devcred::Fleet;
use Devcred::History;
use Devcred::Line;
use Devcred::Pair;

my ($DEVICES, $SECONDS) = Devcred::Shell::short_or_long([200, 8], [2000, 60])->@*;
my $SEED = $ENV{DEVCRED_FAULT_SEED} // int(time) ^ $$;
my $EVERY = 0.2;           # seconds between two kills
my $WORKERS = 4;           # of each of the two
my $LEAVE = 10;            # seconds until nothing is left of a killed manager

srand $SEED;
diag("DEVCRED_FAULT_SEED=$SEED: $DEVICES devices, a worker killed every $EVERY s for $SECONDS s");
my $cluster = Devcred::Cluster->new;

# Two installations, and a fleet of so many devices.
my $notes = Devcred::Shell::new_dir();
my $fleets = 0;
my ($here, $there, $fleet);
sub start_fleet {
	my ($devices) = @_;
	my $pair = Devcred::Pair->new(cluster => $cluster, conf => { workers => $WORKERS,
		delivery_window => 600, delivery_limit => 50 });
	($here, $there) = $pair->sites;
	my $dir = "$notes/" . ++$fleets;
	mkdir $dir or die "$dir: $!\n";
	$fleet = Devcred::Fleet->new(dir => $dir, clients => 8, seed => $SEED, lossy => [],
		ids => [map { "calm-$fleets-$_-$SEED" } 1 .. $devices],
		doors => [map { $_->{port} } $here, $there], patience => 120 + $devices / 10);
	$fleet->start($_) for $fleet->names;
	return;
}
sub judge {
	my ($name) = @_;
	eventually(sub { !$fleet->alive }, "all devices arrive $name", $fleet->{patience});
	my $checker = Devcred::Checker->new(fleet => $fleet, dbh => $here->dbh);
	$checker->passwords;
	$checker->audit;
	$checker->invariants;
	$checker->no_secret_in_logs($here, $there);
	$_->stop for $here, $there;
	return;
}
sub workers { return Devcred::Site::children($_[0]->service_pid) }

# Processes of an installation, whoever their parent is.
sub processes {
	my ($site) = @_;
	my $conf = $site->conf_path;
	return map { m{/(\d+)/} ? $1 : () } grep {
		Devcred::Shell::read_file($_) =~ /\Q$conf\E/ } glob '/proc/[0-9]*/cmdline';
}

# Workers -------------------------------------------------------------------------

start_fleet($DEVICES);
my $start = time;
my $kills = 0;
while (time < $start + $SECONDS) {
	my $due = $start + $EVERY * ($kills + 1);
	Devcred::Shell::until_true(sub { time >= $due });
	my @all = map { workers($_) } $here, $there;
	kill 'KILL', $all[rand @all] if @all;
	$kills++;
}
my $arrived = $fleet->arrived;
my $over = time;
eventually(sub { workers($here) == $WORKERS && workers($there) == $WORKERS },
	'afterwards all workers are there again', 10);
diag(sprintf '%d kills; %d of %d devices arrived meanwhile; all workers back %.1f s later', $kills,
	$arrived, $DEVICES, time - $over);
cmp_ok($kills, '>=', 4 * $SECONDS, 'workers were killed');
cmp_ok($arrived, '>', 0, 'and some devices arrived all the same');
judge('when workers are killed');

# The manager ---------------------------------------------------------------------

start_fleet($DEVICES);
eventually(sub { $fleet->arrived >= 0.3 * $DEVICES }, 'devices are issued their passwords', 60);
my $manager = $here->service_pid;
my @family = processes($here);
cmp_ok(scalar(@family), '>', $WORKERS, 'an installation is a manager, its workers, and more');
my $probe = Devcred::History->new(seed => $SEED);
my $stop = "$notes/stop";
$probe->crowd(2, sub {
	my $line = Devcred::Line->new($there->{port});
	$probe->ask($line, 'poll', "nobody-$_[0]") until -e $stop;
});
kill 'KILL', $manager;
my $killed = time;
# children of children are processes of that name, too
eventually(sub { !processes($here) }, 'without their manager the workers leave, and all they had',
	$LEAVE);
diag(sprintf 'all gone after %.1f s', time - $killed);
Devcred::Shell::write_file($stop, '');
eventually(sub { !$probe->busy }, 'meanwhile the other installation was asked');
my %seen;
$seen{ $_->{status} }++ for $probe->entries;
is(join(' ', keys %seen), '404', "all $seen{404} times it answered");
$here->start_service;
judge('when a manager is killed');

done_testing();
