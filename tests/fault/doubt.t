#!/usr/bin/perl
# What the database did not confirm is not told: a synchronous wait that is cut
# short, a backend that stops, a server that has no connection left, and one
# that is killed again and again.  The answer is 503 in time, the workers live
# on, and asking again is safe.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker;
use Devcred::Pair;

my $TIMEOUT = 2;           # seconds, db_timeout
my $ROUNDS = $ENV{DEVCRED_FAULT_ROUNDS} // Devcred::Shell::short_or_long(2, 10);

my $cluster = Devcred::Cluster->new(options => ['-c max_connections=20']);
my $database = $cluster->database;
my $site = Devcred::Pair::another($cluster, $database, 'nginx', workers => 1,
	db_timeout => 1000 * $TIMEOUT, key_file => "$cluster->{dir}/shared-keys");
Devcred::Pair::write_keys("$cluster->{dir}/shared-keys", 'k1');
$site->start_service;
$site->start_web;
my $super = $cluster->connect($database);
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my @workers = Devcred::Site::children($site->service_pid);

sub value { return ($super->selectrow_array(@_))[0] }

# Answered with 503, no later than when the deadline has passed.
sub refused_in_time {
	my ($how, $name) = @_;
	my $start = time;
	my $answer = $how->();
	refuses($answer, 503, 'general/Service Unavailable', undef, $name);
	like($answer->header('Retry-After'), qr/\A\d+\z/, 'to be asked again');
	cmp_ok(time - $start, '<', $TIMEOUT + 1, 'and soon');
	return;
}

sub issued_of { return value('select count(*) from devcred.event where device_id = ?
	and operation = ? and outcome = ?', undef, @_, 'ok') }

# A synchronous standby that is not there ---------------------------------------

sub standby_is {
	my ($name) = @_;
	$super->do("alter system set synchronous_standby_names = '$name'");
	$super->do('select pg_reload_conf()');
	Devcred::Shell::until_true(sub { value('show synchronous_standby_names') eq $name })
	    or die "the setting is not taken\n";
	return;
}

# Do it while somebody cancels the first backend that waits for a standby.
sub with_cancelled_wait {
	my ($how) = @_;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		my $other = $cluster->connect('postgres');
		my $done = Devcred::Shell::until_true(sub { $other->selectrow_array(
			"select pg_cancel_backend(pid) from pg_stat_activity
			  where wait_event = 'SyncRep' limit 1") });
		POSIX::_exit($done ? 0 : 1);
	}
	my $answer = $how->();
	waitpid $pid, 0;
	is($?, 0, 'the wait for the standby is cancelled');
	return $answer;
}

my $id = accepted($admin);
my $pending = pending($admin);
standby_is('nobody');
refused_in_time(sub { with_cancelled_wait(sub { $device->poll($id) }) },
	'a device whose issue waited in vain is told no password');
like($site->service_log, qr/database_warning sqlstate=01000 text="?canceling wait for synchronous/,
	'the log says why');
refused_in_time(sub { with_cancelled_wait(sub { $admin->accept_device($pending) }) },
	'an acceptance that waited in vain is not acknowledged');
my $by_hand = pending_before();
my ($exit, $said) = @{ with_cancelled_wait(sub { [$site->ctl('', 'request', 'accept', $by_hand)] }) };
is($exit, 1, 'nor is it by devcredctl');
like($said, qr/\A[^\n]*not (?:certain|known)[^\n]*\n.*look whether/s, 'which says that it is in doubt');
unlike($said, qr/accepted/i, 'and nothing else');
my $late = accepted_before();
refused_in_time(sub { $device->poll($late) }, 'nor is a password told that waits for too long');
standby_is('');
for my $done ($id, $late) {
	eventually(sub { $device->poll($done)->status == 201 },
		'when the standby is not wanted any more, the device gets its password');
	is(issued_of($done, 'credential_issue'), 1, 'which was issued once');
}
refuses($admin->accept_device($pending), 422, 'devicecontrol/Unprocessable Entity',
	qr/ is in state ACCEPTED/, 'accepted again, it is said to have been');
is(issued_of($pending, 'newdevice_accept'), 1, 'and was accepted once');

# One that was accepted, or polled, before the standby was missed.
sub before {
	my ($how) = @_;
	standby_is('');
	my $device = $how->($admin);
	standby_is('nobody');
	return $device;
}
sub accepted_before { return before(\&accepted) }
sub pending_before { return before(\&pending) }

# A backend that stops ----------------------------------------------------------

$id = pending($admin);
my @backends = @{ $super->selectcol_arrayref("select pid from pg_stat_activity
	where usename = 'devcred_service'") };
cmp_ok(scalar(@backends), '>', 0, 'the service is connected');
kill 'STOP', @backends;
refused_in_time(sub { $device->poll($id) }, 'a backend that stopped is given up');
eventually(sub { $device->poll($id)->status == 404 }, 'another one serves', 5);
is("@{[Devcred::Site::children($site->service_pid)]}", "@workers", 'the worker is the same');
kill 'CONT', @backends;

# A postmaster that stops --------------------------------------------------------

# Who interrupts a command asks the postmaster to end what it waits for.
my $holder = $cluster->connect($database);
$holder->begin_work;
$holder->do('lock table devcred.event in access share mode');
my $command = fork // die "fork: $!\n";
if ($command == 0) {
	open STDOUT, '>', "$site->{dir}/said";
	open STDERR, '>&', \*STDOUT;
	exec "$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, 'migrate'
	    or POSIX::_exit(127);
}
Devcred::Shell::until_true(sub { value('select count(*) from pg_locks where not granted') > 0 })
    or die "the command does not wait\n";
my ($postmaster) = Devcred::Shell::read_file("$cluster->{dir}/pg/postmaster.pid") =~ /\A(\d+)/;
kill 'STOP', $postmaster;
kill 'INT', $command;
eventually(sub { Devcred::Site::children($command) > 0 },
	'a command is interrupted, and asks a postmaster that is silent');
$holder->rollback;
my $ended = eventually(sub { waitpid($command, POSIX::WNOHANG()) == $command },
	'it does not wait for that, and ends');
kill 'KILL', $command unless $ended;
kill 'CONT', $postmaster;
$holder->disconnect;

# No connection left --------------------------------------------------------------

$super->do("select pg_terminate_backend(pid) from pg_stat_activity
	where usename = 'devcred_service'");
my @taken;
1 while eval { push @taken, $cluster->connect($database, 'devcred_operator'); 1 };
cmp_ok(scalar(@taken), '>', 5, 'others take all connections');
eventually(sub { $device->poll($id)->status == 503 }, 'the service has none');
refused_in_time(sub { $device->poll($id) }, 'a device is told to come again');
$_->disconnect for splice @taken;
my $free = time;
eventually(sub { $device->poll($id)->status == 404 }, 'one is free again');
cmp_ok(time - $free, '<', 3, 'and is found soon');

# Killed again and again ------------------------------------------------------------

$super->disconnect;
my %seen;
my $slowest = 0;
for my $round (1 .. $ROUNDS) {
	($postmaster) = Devcred::Shell::read_file("$cluster->{dir}/pg/postmaster.pid")
	    =~ /\A(\d+)/;
	my @all = ($postmaster, Devcred::Site::children($postmaster));
	kill 'KILL', $round % 2 ? @all : $postmaster;
	my $poll = sub {
		my $start = time;
		my $status = $device->poll($id)->status;
		$slowest = time - $start if time - $start > $slowest;
		$seen{$status}++;
		return $status;
	};
	$poll->() for 1 .. 20;
	Devcred::Shell::until_true(sub { !grep { kill 0, $_ } @all }, 20)
	    or die "the database lives on\n";
	$cluster->start;
	my $start = time;
	eventually(sub { $poll->() == 404 }, "round $round: the service comes back by itself");
	cmp_ok(time - $start, '<', 5, "round $round: soon");
}
is(join(' ', sort keys %seen), '404 503', 'nothing but "not yet" and "later" was answered');
cmp_ok($slowest, '<', $TIMEOUT + 1, 'each in time');
is("@{[Devcred::Site::children($site->service_pid)]}", "@workers",
	'and the worker is the same all along');
Devcred::Checker->of_database(dbh => $cluster->connect($database))->invariants;

done_testing();
