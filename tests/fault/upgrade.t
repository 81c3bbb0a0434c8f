#!/usr/bin/perl
# Two installations of an older version serve devices while the schema is
# migrated under them, and while each is replaced by this version on the same
# listening socket, as systemd does it: no request fails.
#
# Environment: DEVCRED_UPGRADE_DEVICES (how many), DEVCRED_UPGRADE_FROM (a commit
# of an older schema, which is built here).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker qw(none);
use Devcred::Fleet;
use Devcred::Pair;

my $DEVICES = $ENV{DEVCRED_UPGRADE_DEVICES} // 300;
my $FROM = $ENV{DEVCRED_UPGRADE_FROM} // 'aaf1a2b';    # schema 11
my $top = $Devcred::Shell::TOP;
my ($gone) = Devcred::Shell::run(['git', '-C', $top, 'cat-file', '-e', "$FROM^{commit}"]);
plan skip_all => "there is no commit $FROM here" if $gone;

# The older version, built.
my $old = Devcred::Shell::new_dir();
my ($failed, $said) = Devcred::Shell::run(['sh', '-c', 'set -e
	git -C "$1" archive --format=tar "$2" | tar -x -C "$3"
	cd "$3" && ./autogen.sh && ./configure CFLAGS=-O1 && make -j2', 'sh', $top, $FROM, $old]);
is($failed, 0, "the version of $FROM is built") or BAIL_OUT($said);

my $cluster = Devcred::Cluster->new(bare => 1);
{
	local $Devcred::Shell::BIN = $old;
	local $Devcred::Shell::TOP = $old;
	$cluster->prepare;
}
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $version = $super->selectrow_array('select devcred.schema_version()');
my @sites = map { Devcred::Pair::another($cluster, $database, $_, workers => 2,
	key_file => "$cluster->{dir}/shared-keys") } qw(nginx lighttpd);
Devcred::Pair::write_keys("$cluster->{dir}/shared-keys", 'k1');
chown $>, $), "$cluster->{dir}/shared-keys";    # these services run as we do

# The listening sockets, which outlive the services.
my %listen = map {
	my $path = $_->socket_path;
	my $socket = IO::Socket::UNIX->new(Local => $path, Listen => 1024) or die "$path: $!\n";
	chmod 0666, $path;
	($path => $socket)
} @sites;
my %pid;

sub serve {
	my ($site, $bin) = @_;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>>', "$site->{dir}/devcred.log";
		POSIX::dup2(fileno $listen{ $site->socket_path }, 3);
		POSIX::close($_) for 4 .. 63;
		@ENV{qw(LISTEN_FDS LISTEN_PID DEVCRED_CONF)} = (1, $$, $site->conf_path);
		exec "$bin/devcred.fcgi" or POSIX::_exit(127);
	}
	$pid{$pid} = 1;
	return $pid;
}

sub ends {
	my ($pid) = @_;
	kill 'TERM', $pid;
	my $ended = Devcred::Shell::until_true(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 30);
	is($ended && $? == 0 ? 1 : 0, 1, 'the older version ends in peace');
	delete $pid{$pid};
	return;
}

my %serves = map { $_->socket_path => serve($_, $old) } @sites;
my $notes = Devcred::Shell::new_dir();
$_->start_web for @sites;
my $fleet = Devcred::Fleet->new(dir => $notes, clients => 4, seed => time ^ $$,
	ids => [map { "calm-$_-$$" } 1 .. $DEVICES], doors => [map { $_->{port} } @sites],
	lossy => [], patience => 120);
eventually(sub { $_->client('management/devicebootstrap')->poll('x')->status == 404 },
	'the older version serves') for @sites;
$fleet->start($_) for $fleet->names;

sub when {
	my ($share, $what) = @_;
	eventually(sub { $fleet->arrived >= $share * $DEVICES || !$fleet->alive }, $what, 90);
	return;
}
when(0.15, 'devices are issued their passwords by it');
my ($status, $text) = $sites[0]->ctl('', 'migrate');
is($status, 0, 'the schema is migrated under it') or diag($text);
cmp_ok($super->selectrow_array('select devcred.schema_version()'), '>', $version,
	'it is a newer one');
my $share = 0.3;
for my $site (@sites) {
	when($share, 'the older version goes on');
	my $new = serve($site, $Devcred::Shell::BIN);
	eventually(sub { $site->service_log =~ /^devcred\[$new\]: info ready/m },
		'this version begins to serve beside it');
	ends($serves{ $site->socket_path });
	$share += 0.25;
}
cmp_ok($fleet->arrived, '<', $DEVICES, 'devices come all the while');
eventually(sub { !$fleet->alive }, 'all devices arrive', $fleet->{patience});
none('no request failed', map { my $name = $_; map { "$name: @$_" } $fleet->lines($name, 'none') }
	$fleet->names);
my $checker = Devcred::Checker->new(fleet => $fleet, dbh => $super);
$checker->passwords;
$checker->audit;
unlike($_->service_log, qr/ (?:warning|error) /, 'no log has a warning') for @sites;

END {
	my $state = $?;
	kill 'KILL', keys %pid;
	if ($fleet && $$ == $fleet->{owner}) {
		$fleet->stop;
		File::Path::remove_tree($notes, $old, { safe => 1 }) unless $ENV{DEVCRED_TEST_KEEP};
	}
	$? = $state;
}
done_testing();
