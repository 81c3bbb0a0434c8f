#!/usr/bin/perl
# The database is found by name, and the name server falls silent: whoever needs the
# database is told in time to come again, everybody else is served meanwhile, and
# when names are known again all goes on.  In a network of its own, in which the name
# server is this test's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use POSIX ();
use Devcred::Test;
use Devcred::Pair;

plan skip_all => 'a network of its own takes root' if $> != 0;
if (!$ENV{DEVCRED_OWN_NETWORK}) {
	plan skip_all => 'no network of its own can be had here'
	    if system 'unshare -nm ip link set lo up >&2';
	$ENV{DEVCRED_OWN_NETWORK} = 1;
	exec 'unshare', '-nm', '--propagation', 'private', $^X, $0 or die "unshare: $!\n";
}
system('ip', 'link', 'set', 'lo', 'up') == 0 or die "ip failed\n";

my $TIMEOUT = 2;           # seconds, db_timeout
my $RESOLVER = 4;          # seconds that a look-up waits for the name server

my $dir = Devcred::Shell::new_dir();
my $silent = "$dir/silent";

# Knows db.test, and that there is no other; says nothing while there is a file.
sub serve_names {
	my ($socket) = @_;
	while (my $peer = recv $socket, my $query, 512, 0) {
		next if -e $silent;
		my ($id, $rest) = unpack 'n x10 a*', $query;
		my ($labels, $type) = $rest =~ /\A(.*?)\0(..)/s or next;
		my $known = $labels eq "\2db\4test";
		my $answer = $known && unpack('n', $type) == 1;
		send $socket, pack('n n n n n n', $id, $known ? 0x8180 : 0x8183, 1, $answer ? 1 : 0, 0, 0)
		    . substr($rest, 0, length($labels) + 5)
		    . ($answer ? pack('n n n N n C4', 0xc00c, 1, 1, 0, 4, 127, 0, 0, 1) : ''), 0, $peer;
	}
	return;
}
my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1', LocalPort => 53)
    or die "no name server: $@\n";
my $server = fork // die "fork: $!\n";
if ($server == 0) {
	local @SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
	serve_names($socket);
	POSIX::_exit(0);
}
Devcred::Shell::write_file("$dir/resolv.conf",
	"nameserver 127.0.0.1\noptions timeout:$RESOLVER attempts:1\n", 0644);
system('mount', '--bind', "$dir/resolv.conf", '/etc/resolv.conf') == 0 or die "mount failed\n";

my $cluster = Devcred::Cluster->new(options => ['-c listen_addresses=127.0.0.1']);
open my $hba, '>>', "$cluster->{dir}/pg/pg_hba.conf" or die "pg_hba.conf: $!\n";
print {$hba} "host all all 127.0.0.1/32 trust\n";
close $hba or die "pg_hba.conf: $!\n";
my $super = $cluster->connect('postgres');
$super->do('select pg_reload_conf()');
my $database = $cluster->database;
sub conninfo { return "host=$_[0] dbname=$database user=devcred_$_[1]" }

my $site = Devcred::Pair::another($cluster, $database, 'nginx', workers => 1,
	db_timeout => 1000 * $TIMEOUT, app_database => conninfo('db.test', 'service'),
	database => conninfo('db.test', 'operator'));
$site->start_service;
$site->start_web;
my @workers = Devcred::Site::children($site->service_pid);
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
answers(issued($admin), 201, 'a database that is found by name: a device goes the whole way');
is($super->selectrow_array("select count(distinct client_addr) from pg_stat_activity
	where usename = 'devcred_service' and client_addr is not null"), 1, 'over the network');
my $waits = pending($admin);

sub cut {
	$super->do("select pg_terminate_backend(pid) from pg_stat_activity
		where usename like 'devcred_%'");
	return;
}
sub is_served {
	my ($name) = @_;
	my $answer = $site->client->get('/user/currentUser');
	is($answer->status, 401, $name);
	cmp_ok($answer->{seconds}, '<', 1, 'at once');
	return;
}

# Silent --------------------------------------------------------------------------

Devcred::Shell::write_file($silent, '');
eventually(sub { cut(); $device->poll($waits)->status == 503 },
	'the name server is silent: what it told last is good for some seconds');
my $poll = $device->connect;
Devcred::Http::send_all($poll, $device->poll_bytes($waits));
is_served('while a poll waits for the name server, who needs no database is served');
my $answer = Devcred::Answer->read($poll);
refuses($answer, 503, 'general/Service Unavailable', undef, 'the poll is told to come again');
cmp_ok($answer->{seconds}, '<', $TIMEOUT + 1, 'in time');
for my $again (1 .. 2) {
	$answer = $device->poll($waits);
	is($answer->status, 503, 'so is the next one');
	cmp_ok($answer->{seconds}, '<', $TIMEOUT + 1, 'in time, too');
	is_served('and others are served still');
}
my $names = grep { Devcred::Shell::read_file("/proc/$_/comm") eq "devcred-names\n" }
    map { Devcred::Site::children($_) } @workers;
cmp_ok($names, '<=', 3, 'one process a connection looks for it');
my ($status, $text) = $site->ctl('', 'request', 'list');
isnt($status, 0, 'devcredctl fails');
like($text, qr/cannot be reached/, 'and says so');

# Known again ---------------------------------------------------------------------

unlink $silent;
my $start = time;
eventually(sub { $device->poll($waits)->status == 404 }, 'names are known again: polls are served',
	2 * $RESOLVER);
answers($admin->accept_device($waits), 200, 'administrators are');
answers($device->poll($waits), 201, 'and devices get their passwords');
is(($site->ctl('', 'request', 'list'))[0], 0, 'and devcredctl works');
is("@{[Devcred::Site::children($site->service_pid)]}", "@workers",
	'the worker is the same all along');
eventually(sub { !grep { Devcred::Shell::read_file("/proc/$_/comm") eq "devcred-names\n" }
	map { Devcred::Site::children($_) } @workers }, 'and nothing is left of looking for it');

# Several names -------------------------------------------------------------------

$super->disconnect;
for my $hosts ('nowhere.test,db.test', 'db.test,nowhere.test', "nowhere.test,$cluster->{dir}",
    '127.0.0.1') {
	$site->configure(workers => 1, app_database => conninfo($hosts, 'service')
		. ' target_session_attrs=read-write');
	$site->stop_service;
	$site->start_service;
	is($device->poll('nobody')->status, 404, "$hosts: it is found") or diag($site->service_log);
}
$site->configure(workers => 1, app_database => conninfo('nowhere.test', 'service'));
$site->stop_service;
$site->start_service;
is($device->poll('nobody')->status, 503, 'a name that nobody knows: 503');
like($site->service_log, qr/database_lost while=connecting why="no host of this name is known/,
	'and the log says why');
$site->stop;

END {
	my $state = $?;
	if ($server) {
		kill 'KILL', $server;
		waitpid $server, 0;
	}
	system 'umount', '-l', '/etc/resolv.conf' if $server;
	File::Path::remove_tree($dir) if $dir;
	$? = $state;
}
done_testing();
