#!/usr/bin/perl
# The pool under signals and killed processes: nothing in flight is lost, and
# all of it is there again afterwards.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Fcgi;

my $site = Devcred::Site->new(web => 'nginx', conf => { workers => 2 });
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $manager = $site->service_pid;

# Their pids; in scalar context, how many there are.
sub workers {
	my @pids = sort { $a <=> $b } Devcred::Site::children($manager);
	return @pids;
}
sub alive { return kill 0, $_[0] }
sub log_has { return $site->service_log =~ $_[0] }

# Hold the row of a request, so that its poll is in flight; returns what ends
# that.
sub hold {
	my ($id) = @_;
	my $dbh = $site->dbh;
	$dbh->begin_work;
	$dbh->selectrow_array('select 1 from devcred.newdevice_request'
		. ' where id = ? for update', undef, $id);
	return sub { $dbh->rollback };
}

# Send a poll and wait until it waits for the row.
sub poll_in_flight {
	my ($id) = @_;
	my $socket = $device->connect;
	Devcred::Http::send_all($socket, $device->poll_bytes($id));
	my $dbh = $site->dbh;
	Devcred::Shell::until_true(sub {
		$dbh->selectrow_array("select count(*) from pg_stat_activity
			where wait_event_type = 'Lock'
			and datname = current_database()") > 0
	}) or die "the poll of $id does not wait\n";
	return $socket;
}

# HUP --------------------------------------------------------------------------

my $pending = pending($admin);
my $id = accepted($admin);
my $release = hold($id);
my $socket = poll_in_flight($id);
my @before = workers();
$site->configure(workers => 3, retry_after => 70);
kill 'HUP', $manager;
eventually(sub { 3 <= grep { my $pid = $_; !grep { $_ == $pid } @before } workers() },
	'after HUP there are as many new workers as the new settings say');
$release->();
is(Devcred::Answer->read($socket)->status, 201,
	'what the old workers had in flight is answered');
eventually(sub { ($device->poll($pending)->header('retry-after') // 0) >= 70 },
	'the new ones go by the new settings');
eventually(sub { !grep { alive($_) } @before }, 'and the old ones leave');

$site->configure(workers => 3, retry_after => 'soon');
@before = workers();
kill 'HUP', $manager;
eventually(sub { log_has(qr/reload_refused.*retry_after/) },
	'settings that are wrong are refused, and the log names the fault');
is(join(' ', workers()), "@before", 'and the workers go on as before');
$site->configure(workers => 2);

# A reload under load.
my ($asked, $refused) = (0, 0);
for my $round (1 .. 15) {
	kill 'HUP', $manager;
	for my $answer ($device->parallel(($device->poll_bytes($pending)) x 40)) {
		$asked++;
		$refused++ if $answer->status != 404
		    || ($answer->field('message') // '') !~ /PENDING_ACCEPTANCE/;
	}
}
is($refused, 0, "none of $asked polls during fifteen reloads is refused");
eventually(sub { workers() == 2 }, 'and two workers remain');

# Kills ------------------------------------------------------------------------

for my $round (1 .. 3) {
	my ($victim) = workers();
	kill 'KILL', $victim;
	eventually(sub { $device->poll($pending)->status == 404 },
		'a worker is killed: polls are served');
	eventually(sub { workers() == 2 && !grep { $_ == $victim } workers() },
		'and it is replaced');
}

# The hash is slow enough to be killed in the middle of: every login is new.
for my $round (1 .. 10) {
	my @verifiers = map { Devcred::Site::children($_) } workers();
	my $name = "u$round";
	$site->ctl("of $name, which is long\n", 'user', 'add', "t1/$name", '--role', 'READ', '--stdin');
	my $login = $admin->connect;
	Devcred::Http::send_all($login, $admin->as("t1/$name:of $name, which is long")
		->bytes('GET', '/user/currentUser'));
	kill 'KILL', @verifiers;
	answers(Devcred::Answer->read($login), 200, 'verifiers are killed: the login goes on');
}

# TERM -------------------------------------------------------------------------

$id = accepted($admin);
$release = hold($id);
$socket = poll_in_flight($id);
kill 'TERM', $manager;
eventually(sub { log_has(qr/stopping/) }, 'TERM is heard');
ok(alive($manager), 'the pool does not leave before what is in flight');
$release->();
my $answer = Devcred::Answer->read($socket);
answers($answer, 201, 'the request in flight is answered');
eventually(sub { !alive($manager) }, 'then the pool leaves');
eventually(sub { !-e $site->socket_path }, 'and takes its socket with it');
like($site->service_log, qr/stopped/, 'and says so');

# The manager is killed.
$site->start_service;
$manager = $site->service_pid;
eventually(sub { workers() == 2 }, 'the pool starts again');
@before = workers();
kill 'KILL', $manager;
eventually(sub { !grep { alive($_) } @before },
	'without their manager the workers leave too');
$site->start_service;
answers($device->poll($pending), 404,
	'a new pool takes over the socket that was left behind');

my ($status, $text) = Devcred::Shell::run(
	["$Devcred::Shell::BIN/devcred.fcgi", '-c', $site->conf_path]);
is($status, 1, 'a second pool on the same socket does not start');
like($text, qr/socket_failed.*in use|listens/, 'and says why');
answers($device->poll($pending), 404, 'while the first one goes on');

done_testing();
