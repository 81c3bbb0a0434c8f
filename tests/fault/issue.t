#!/usr/bin/perl
# Thousands of devices get their passwords from two installations while answers
# are lost and everything is killed now and then.  What has to be true at the
# end is found out from what the devices wrote down and from the database, not
# from what the service believes.
#
# Environment: DEVCRED_FAULT_DEVICES (how many), DEVCRED_FAULT_SEED (to repeat
# what was decided by chance; the rest is up to the machine).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(shuffle sum0);
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker qw(none rows_of);
use Devcred::Fleet;
use Devcred::Lossy;
use Devcred::Pair;

my $DEVICES = $ENV{DEVCRED_FAULT_DEVICES} // Devcred::Shell::short_or_long(600, 10_000);
my $SEED = $ENV{DEVCRED_FAULT_SEED} // time ^ $$;
my $LOST = 0.3;            # of the answers 201 of every other device
my %FAULTS = (             # among 2,000 devices
	worker => 10, manager => 3, instance => 4, backends => 6, database => 4,
	client => 10, admin => 2,
);

srand $SEED;
diag("DEVCRED_FAULT_DEVICES=$DEVICES DEVCRED_FAULT_SEED=$SEED");

my $cluster = Devcred::Cluster->new;
my $pair = Devcred::Pair->new(cluster => $cluster, conf => {
	workers => 2, delivery_window => 60, delivery_limit => 50 });
my @sites = $pair->sites;
my $notes = Devcred::Shell::new_dir();
my @ids = map {
	my $kind = $_ % 2 ? 'lossy' : $_ % 20 ? 'calm' : 'quiet';
	"$kind-$_-$SEED"
} 1 .. $DEVICES;
my @proxies = map {
	Devcred::Lossy->new(port => $sites[$_]{port}, share => $LOST,
		seed => $SEED + $_, log => "$notes/lost$_.log")
} 0 .. $#sites;
my $fleet = Devcred::Fleet->new(dir => $notes, ids => \@ids, clients => 8,
	doors => [map { $_->{port} } @sites], lossy => [map { $_->{port} } @proxies],
	seed => $SEED, patience => 90 + $DEVICES / 10);

# Faults -----------------------------------------------------------------------

sub any { return $_[rand @_] }

# A process and all below it.
sub family {
	my ($pid) = @_;
	return ($pid, map { family($_) } Devcred::Site::children($pid));
}

sub kill_and_start {
	my ($site, @pid) = @_;
	kill 'KILL', @pid;
	$site->start_service;
	return;
}

# What happens to one kind of victim.
my %fault = (
	worker => sub {
		kill 'KILL', grep { $_ }
		    any(Devcred::Site::children(any(@sites)->service_pid));
	},
	manager => sub {
		my $site = any(@sites);
		kill_and_start($site, $site->service_pid);
	},
	instance => sub {
		my $site = any(@sites);
		kill_and_start($site, family($site->service_pid));
	},
	backends => sub {
		$cluster->connect('postgres')->do("select pg_terminate_backend(pid)
			from pg_stat_activity
			where usename = 'devcred_service' and random() < 0.7");
	},
	database => sub {
		my ($pid) = Devcred::Shell::read_file(
			"$cluster->{dir}/pg/postmaster.pid") =~ /\A(\d+)/;
		kill 'QUIT', $pid;    # it stops at once, as in a crash
		Devcred::Shell::until_true(sub {
			Devcred::Shell::read_file("/proc/$pid/cmdline") eq '' }, 30)
		    or die "the database does not stop\n";
		$cluster->start;
	},
	client => sub {
		my $name = any(grep { $_ ne 'admin' } $fleet->alive) // return;
		$fleet->strike($name);
		$fleet->start($name);
	},
	admin => sub {
		grep { $_ eq 'admin' } $fleet->alive or return;
		$fleet->strike('admin');
		$fleet->start('admin');
	},
);

# Which fault is due when so many devices have arrived: [number, kind]...
sub faults_due {
	my @kinds = map {
		my $times = $FAULTS{$_} * $DEVICES / 2000;
		($_) x ($times < 1 ? 1 : $times)
	} sort keys %FAULTS;
	my @when = sort { $a <=> $b } map { int rand 0.95 * $DEVICES } @kinds;
	my @order = shuffle @kinds;
	return map { [$when[$_], $order[$_]] } 0 .. $#order;
}

my $start = time;
$fleet->start($_) for $fleet->names;
for my $due (faults_due()) {
	my ($when, $kind) = @$due;
	Devcred::Shell::until_true(
		sub { $fleet->arrived >= $when || !$fleet->alive }, $fleet->{patience})
	    or die "only " . $fleet->arrived . " of $DEVICES devices arrived\n";
	$fault{$kind}->();
}
eventually(sub { !$fleet->alive }, "all $DEVICES devices arrive", $fleet->{patience});
my $seconds = time - $start;
$_->stop for @proxies;

# What became of them -----------------------------------------------------------

my $dbh = $cluster->connect($pair->{database});
my $checker = Devcred::Checker->new(fleet => $fleet, dbh => $dbh);
my %sole = %{ $checker->{sole} };
my $lost = $checker->{lost};
my @clients = $checker->clients;

diag(sprintf '%d devices in %.0f s, %d answers lost of %d devices', $DEVICES,
	$seconds, sum0(values %$lost), scalar keys %$lost);
cmp_ok(keys %$lost, '>', $DEVICES / 10, 'answers were lost');
$checker->passwords;
$checker->audit;
$checker->invariants;

# Where there must be no password ----------------------------------------------

my $bin = Devcred::Shell::private('private_pg_bin', $cluster->{dir}) =~ s/\n//r;
my $dump = "$notes/dump";
my $conninfo = $cluster->conninfo($pair->{database});

sub check_secrets {
	my @open = map { $_->{device_id} }
	    rows_of($dbh, "select device_id from devcred.device_credential where sealed is not null
		and delivery_until > now()");
	cmp_ok(@open, '>', 0, 'windows are open still');
	my ($status, $text) = Devcred::Shell::run(
		["$bin/pg_dump", '-d', $conninfo, '-f', $dump]);
	is($status, 0, 'the database is dumped') or diag($text);
	is(scalar($checker->betrayed(glob "$notes/client*.log")), scalar(@clients),
		'passwords are found where they are');
	none('but not in the dump', $checker->betrayed($dump));
	none('nor in what the service and the web servers wrote',
		$checker->betrayed(map { glob "$_->{dir}/*.log $_->{dir}/web/*.log" } @sites));
	none('nor in any file of the database, its log, or its write-ahead log',
		$checker->betrayed("$cluster->{dir}/pg", glob "$cluster->{dir}/pg*.log"));
	return @open;
}

# A dump that is restored where the keys are not.
sub check_restored {
	my @open = splice @{ [@_] }, 0, 20;
	my $name = "restored_$$";
	$dbh->do("create database $name");
	my ($status, $text) = Devcred::Shell::run(["$bin/psql", '-X', '-q', '-v',
		'ON_ERROR_STOP=1', '-d', $cluster->conninfo($name), '-f', $dump]);
	is($status, 0, 'the dump is restored') or diag($text);
	my $there = $cluster->connect($name);
	my $windows = sub {
		$there->do("update devcred.device_credential set delivery_until
			= now() + interval '$_[0]' where sealed is not null");
	};

	my $other = "$notes/other-keys";
	chmod 0711, $notes;
	for my $case (['no key file', {}, 'k1'],
	    ['keys of other ids', { key_file => $other }, 'k1', 'k9'],
	    ['another key of this id', { key_file => $other }, undef, ['k1', 'guessed']]) {
		my ($with, $conf, $missing, @keys) = @$case;
		my $site = Devcred::Pair::another($cluster, $name, 'nginx', %$conf);
		Devcred::Pair::write_keys($other, @keys);
		$windows->('1 hour');
		if ($missing) {
			my ($is, $log) = Devcred::Pair::starts($site);
			ok(!$is && $log =~ /key_missing key="?$missing\b/,
				"restored with $with: it does not start, and names the key")
			    or diag($log);
			$windows->('-1 hour');    # so that it does
		}
		Devcred::Pair::starts($site);
		$windows->('1 hour');
		my $device = $site->client('management/devicebootstrap');
		my @answers = map { $device->poll($_) } @open;
		none("restored with $with: no poll gets a password, though windows are open",
			map { $_->told } grep { $_->status !~ /\A(?:404|503)\z/ } @answers);
		ok((grep { $_->status == 503 } @answers), 'and it says that it cannot');
		none('nor do its logs', $checker->betrayed(glob "$site->{dir}/*.log"));
		$site->stop;
	}
	$there->disconnect;
	return;
}

check_restored(check_secrets());

# When the windows are over ----------------------------------------------------

$dbh->do("update devcred.device_credential set delivery_until = now() - interval '1 s'
	where sealed is not null");
my @quiet = grep { /\Aquiet-/ } @ids;
my @polls = map { any(@sites)->client('management/devicebootstrap')->poll($_) } @quiet[0 .. 4];
none('nobody gets a password after the window',
	map { $_->told } grep { $_->status != 404 } @polls);
$dbh->do('select devcred.housekeep()');
is((rows_of($dbh, 'select count(*) as n from devcred.device_credential where sealed is not null
	or seal_key is not null'))[0]{n}, 0, 'and no seal remains');
my @refused = map { $_->[0] } @{ $dbh->selectall_arrayref(
	'select u.name from unnest(?::text[], ?::text[]) u (name, password)
	where not devcred.verify(u.name, u.password)', undef,
	[map { "t1/device_$_" } sort keys %sole], [map { $sole{$_} } sort keys %sole]) };
none('every password works, that of devices that had not used it too', @refused);
my $as = any(@sites)->client->as("t1/device_$quiet[0]:$sole{$quiet[0]}");
answers($as->get('/user/currentUser'), 200, 'over HTTP as well');

END {
	my $status = $?;
	if ($fleet && $$ == $fleet->{owner}) {
		$_->stop for @proxies;
	}
	$? = $status;
}
done_testing();
