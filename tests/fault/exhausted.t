#!/usr/bin/perl
# There is nothing left to take: connections of the database, for more workers than
# it has any for, and places in the queue of the service's socket.  Everybody is
# told in time to come again, and when something is free all goes on within
# seconds.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM pack_sockaddr_un);
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker qw(none);
use Devcred::History;
use Devcred::Line;
use Devcred::Pair;

my $WORKERS = 16;
my $CLIENTS = 24;
my $TIMEOUT = 3;           # seconds, db_timeout
my $RECOVERY = 3;          # seconds, at most

my $cluster = Devcred::Cluster->new(options => ['-c max_connections=10']);
my $database = $cluster->database;
my $site = Devcred::Pair::another($cluster, $database, 'nginx', workers => $WORKERS,
	db_timeout => 1000 * $TIMEOUT, key_file => "$cluster->{dir}/shared-keys",
	delivery_window => 600, delivery_limit => 50);
Devcred::Pair::write_keys("$cluster->{dir}/shared-keys", 'k1');
$site->start_service;
$site->start_web;
my @workers = Devcred::Site::children($site->service_pid);
is(scalar(@workers), $WORKERS, "there are $WORKERS workers for ten connections");
# of which others have some; workers have taken one each already
my $super = $cluster->connect('postgres');
$super->do("select pg_terminate_backend(pid) from pg_stat_activity
	where usename = 'devcred_service'");
my @taken;
Devcred::Shell::until_true(sub {
	push @taken, eval { $cluster->connect($database, 'devcred_operator') } // ();
	@taken == 4;
}) or die "no connections to take\n";
$super->disconnect;

my $history = Devcred::History->new;
my @ids = map { "squeezed-$_" } 1 .. 96;

# Several clients take each device of their share the whole way, asking again
# whenever they are told to.
sub go_all_the_way {
	my ($n) = @_;
	my $line = Devcred::Line->new($site->{port});
	my @mine = grep { defined } map { $ids[$_] } grep { $_ % $CLIENTS == $n - 1 } 0 .. $#ids;
	my %until = (register => qr/201|422/, poll => qr/404/, accept => qr/200|422/);
	for my $id (@mine) {
		for my $step (qw(register poll accept)) {
			Devcred::Shell::until_true(sub {
				$history->ask($line, $step, $id)->status =~ $until{$step};
			}, 60) or die "$step of $id does not succeed\n";
		}
		Devcred::Shell::until_true(sub {
			$history->ask($line, 'poll', $id)->status == 201;
		}, 60) or die "$id gets no password\n";
	}
	return;
}

# Fewer connections than workers ------------------------------------------------------

# all at once, so that every worker has its turn
my $device = as_bootstrap($site->client);
my @first = $device->parallel(($device->poll_bytes('nobody')) x 128);
none('everybody of a crowd is told to come again, for one reason or the other', map { $_->told }
	grep { $_->status != 404 && ($_->status != 503 || !$_->header('retry-after')) } @first);
$history->crowd($CLIENTS, \&go_all_the_way);
my %seen;
eventually(sub {
	%seen = ();
	$seen{ $_->{status} }++ for $history->entries;
	return ($seen{503} // 0) > 200;
}, 'clients are told again and again that there is no connection', 30);

# Room again ------------------------------------------------------------------------

$_->disconnect for splice @taken;
$cluster->stop;
$cluster->{options} .= ' -c max_connections=200';
$cluster->start;
my $freed = time;
my @again;
eventually(sub {
	@again = $device->parallel(($device->poll_bytes('nobody')) x 64);
	!grep { $_->status != 404 } @again;
}, 'when there are more, nobody has to come again');
my $seconds = time - $freed;
diag(sprintf '%.2f s after there were more', $seconds);
cmp_ok($seconds, '<', $RECOVERY, "within $RECOVERY s");

eventually(sub { !$history->busy }, 'every device gets its password', 60);
my @entries = $history->entries;
%seen = ();
$seen{ $_->{status} }++ for @entries;
my ($slowest) = sort { $b <=> $a } map { $_->{end} - $_->{begin} } @entries;
diag(sprintf '%d devices: %s; slowest %.2f s', scalar @ids,
	join(', ', map { "$seen{$_} times $_" } sort keys %seen), $slowest);
none('everybody was answered all along', grep { !/\A(?:200|201|404|422|503)\z/ } keys %seen);
cmp_ok($slowest, '<', 2 * $TIMEOUT + 1, 'in time');
like($site->service_log, qr/too many (?:clients|connections)|remaining connection slots/,
	'and the log says why');
my $checker = Devcred::Checker->of_history(history => $history, dbh => $site->dbh);
$checker->answered(qr/\A(?:404|422)\z/);
$checker->invariants;
$checker->no_secret_in_logs($site);

# Others have all of them ---------------------------------------------------------------

$super = $cluster->connect('postgres');
$super->do('alter role devcred_service connection limit 0');
$super->do("select pg_terminate_backend(pid) from pg_stat_activity
	where usename = 'devcred_service'");
my @refused = $device->parallel(($device->poll_bytes('nobody')) x 64);
none('without any, everybody is told to come again',
	map { $_->told } grep { $_->status != 503 || ($_->header('retry-after') // '') !~ /\A\d+\z/ }
	@refused);
none('and soon', grep { $_ > $TIMEOUT + 1 } map { $_->{seconds} } @refused);
$super->do('alter role devcred_service connection limit -1');
$freed = time;
eventually(sub {
	!grep { $_->status != 404 } $device->parallel(($device->poll_bytes('nobody')) x 64);
}, 'when they are back, all goes on');
$seconds = time - $freed;
diag(sprintf '%.2f s after there were any', $seconds);
cmp_ok($seconds, '<', $RECOVERY, "within $RECOVERY s");

# The queue is full --------------------------------------------------------------------

kill 'STOP', @workers;
# one that has no connection to them yet
Devcred::Shell::private('private_web_stop', $site->{dir});
$site->start_web;
$device = as_bootstrap($site->client);
my @waiting;
until (@waiting > 5000) {
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Blocking => 0) or die "socket: $!\n";
	connect $socket, pack_sockaddr_un($site->socket_path) or last;
	push @waiting, $socket;
}
cmp_ok(scalar(@waiting), '>', 1000, 'more than a thousand wait to be let in, and then no more');
my $answer = $device->raw($device->poll_bytes('nobody'), timeout => 10);
diag("the web server says $answer->{status} in $answer->{seconds} s");
like($answer->status, qr/\A50[234]\z/, 'the web server says that it cannot be served');
cmp_ok($answer->{seconds}, '<', 5, 'at once');
kill 'CONT', @workers;
close $_ for splice @waiting;
$freed = time;
eventually(sub {
	!grep { $_->status != 404 } $device->parallel(($device->poll_bytes('nobody')) x 64);
}, 'when there is room again, all goes on');
cmp_ok(time - $freed, '<', $RECOVERY, "within $RECOVERY s");
is("@{[sort { $a <=> $b } Devcred::Site::children($site->service_pid)]}",
	"@{[sort { $a <=> $b } @workers]}", 'and the workers are the same all along');
$super->disconnect;

END {
	my $status = $?;
	kill 'CONT', @workers if $site && $$ == $site->{pid};
	$? = $status;
}
done_testing();
