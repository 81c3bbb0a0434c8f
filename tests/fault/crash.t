#!/usr/bin/perl
# Backends and the postmaster are killed with signal 9 while devices are being
# issued their passwords by two installations.  Nobody gets an answer other than
# "not yet" and "later", commits in doubt end as they should, and the service is
# back within seconds.
#
# Environment: DEVCRED_CRASH_DEVICES (how many), DEVCRED_FAULT_SEED.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(shuffle);
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker qw(none);
use Devcred::Fleet;
use Devcred::Pair;

my ($DEVICES, $BACKENDS, $ROUNDS) = Devcred::Shell::short_or_long([250, 4, 2],
	[$ENV{DEVCRED_CRASH_DEVICES} // 10_000, 20, 10])->@*;
my $SEED = $ENV{DEVCRED_FAULT_SEED} // int(time) ^ $$;
my $BACK = 5;              # seconds, at most, from when the database is back to an answer

srand $SEED;
diag("DEVCRED_FAULT_SEED=$SEED: $DEVICES devices, $BACKENDS backends and $ROUNDS postmasters killed");

# A commit takes a while, so that there are some to be cut short.
my $cluster = Devcred::Cluster->new(options => ['-c fsync=on', '-c commit_delay=10000',
	'-c commit_siblings=0', '-c recovery_init_sync_method=syncfs']);
my $pair = Devcred::Pair->new(cluster => $cluster, conf => { workers => 2,
	delivery_window => 600, delivery_limit => 50 });
my @sites = $pair->sites;
my $notes = Devcred::Shell::new_dir();
my $fleet = Devcred::Fleet->new(dir => $notes, clients => 8, seed => $SEED,
	ids => [map { ($_ % 20 ? 'calm' : 'quiet') . "-$_-$SEED" } 1 .. $DEVICES],
	doors => [map { $_->{port} } @sites], lossy => [], patience => 120 + $DEVICES / 5);
my $waits = pending($sites[0]->client('t1/admin'), id => "waits-$SEED");
$sites[0]->client('t1/admin')->update($waits, 'BLOCKED');
my @workers = map { Devcred::Site::children($_->service_pid) } @sites;

sub postmaster {
	my ($pid) = Devcred::Shell::read_file("$cluster->{dir}/pg/postmaster.pid") =~ /\A(\d+)/;
	return $pid;
}

# Polls that ask the database, at each installation, until it answers: seconds
# since the database lets anybody in; what else came is noted.
my %seen;
my $slowest = 0;
sub back {
	Devcred::Shell::until_true(sub { eval { $cluster->connect('postgres') } }, 30)
	    or die "the database does not come back\n";
	my $start = time;
	for my $site (@sites) {
		my $device = as_bootstrap($site->client);
		Devcred::Shell::until_true(sub {
			my $answer = $device->poll($waits);
			$seen{ $answer->{whole} ? $answer->status : 'broken' }++;
			$slowest = $answer->{seconds} if $answer->{seconds} > $slowest;
			return $answer->status == 404;
		}, 30) or die "it does not come back\n";
	}
	return time - $start;
}

# Statements that were sent and whose answer did not come.
sub in_doubt {
	return scalar map { $_->service_log =~ /database_lost while=calling/g } @sites;
}

# Kill a backend that is issuing; PostgreSQL starts all others anew by itself.
sub kill_backend {
	my $super = Devcred::Shell::until_true(sub { eval { $cluster->connect('postgres') } })
	    or die "no connection\n";
	$super->{PrintWarn} = 0;    # of its end
	my $killed = Devcred::Shell::until_true(sub {
		my ($pid) = $super->selectrow_array("select pid from pg_stat_activity
			where usename = 'devcred_service' and state = 'active'
			and query like '%credential_issue%' limit 1");
		return $pid && kill 'KILL', $pid;
	}, 20);
	# it may be lost already
	eval { $super->disconnect };
	return $killed;
}

my @late;
my $kills = 0;
my %fault = (
	backend => sub {
		$kills++ if kill_backend();
		push @late, back();
	},
	postmaster => sub {
		my $pid = postmaster();
		my @all = ($pid, Devcred::Site::children($pid));
		# alone, its children go on until they notice
		kill 'KILL', rand() < 0.5 ? @all : $pid;
		for my $site (@sites) {
			my $answer = as_bootstrap($site->client)->poll($waits);
			$seen{ $answer->{whole} ? $answer->status : 'broken' }++;
			$slowest = $answer->{seconds} if $answer->{seconds} > $slowest;
		}
		Devcred::Shell::until_true(sub { !grep { kill 0, $_ } @all }, 20)
		    or die "the database lives on\n";
		$cluster->start;
		push @late, back();
	},
);

my @kinds = shuffle(('backend') x $BACKENDS, ('postmaster') x $ROUNDS);
my $start = time;
$fleet->start($_) for $fleet->names;
for my $n (1 .. @kinds) {
	my $when = 0.9 * $DEVICES * $n / (@kinds + 1);
	Devcred::Shell::until_true(sub { $fleet->arrived >= $when || !$fleet->alive },
		$fleet->{patience}) or die "only " . $fleet->arrived . " devices arrived\n";
	$fault{ $kinds[$n - 1] }->();
}
my $arrived = $fleet->arrived;
cmp_ok($arrived, '<', $DEVICES, 'some had not got theirs when the last one was killed');
eventually(sub { !$fleet->alive }, "all $DEVICES devices arrive", $fleet->{patience});
my $seconds = time - $start;
is($kills, $BACKENDS, 'every backend that was to be killed was issuing');
my @by_time = sort { $a <=> $b } @late;
cmp_ok($by_time[-1], '<', $BACK, "after each the service is back within $BACK s");
none('nothing but "not yet" and "later" was answered', grep { !/\A(?:404|503)\z/ } keys %seen);
cmp_ok($slowest, '<', 6, 'and nothing later than its deadline');
is("@{[map { Devcred::Site::children($_->service_pid) } @sites]}", "@workers",
	'and the workers are the same all along');

my $dbh = $cluster->connect($pair->{database});
$sites[0]->client('t1/admin')->remove($waits);
my $checker = Devcred::Checker->new(fleet => $fleet, dbh => $dbh);
my $doubts = in_doubt();
diag(sprintf '%d devices in %.0f s; back after %.2f s, at most %.2f s; %d calls in doubt, of '
	. 'which %d had told a password; slowest answer %.2f s', $DEVICES, $seconds,
	$by_time[@by_time / 2], $by_time[-1], $doubts, $checker->unknown_deliveries, $slowest);
cmp_ok($doubts, '>=', $BACKENDS, 'calls were in doubt');
$checker->passwords;
$checker->audit;
$checker->invariants;
$checker->no_secret_in_logs(@sites);

done_testing();
