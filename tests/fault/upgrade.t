#!/usr/bin/perl
# Two installations serve devices while the schema is migrated under them, and while
# each is replaced by the next version on the same listening socket, as systemd does
# it: no request fails.
#
# The next version is this one with one more migration, after which the functions that
# are called most have one more column.  Or this is the next version of an older one:
#
# Environment: DEVCRED_UPGRADE_FROM (a commit of an older schema, which is built
# here), DEVCRED_UPGRADE_DEVICES (how many).
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

my $DEVICES = $ENV{DEVCRED_UPGRADE_DEVICES} // Devcred::Shell::short_or_long(400, 3000);
my $FROM = $ENV{DEVCRED_UPGRADE_FROM};
my $top = $Devcred::Shell::TOP;
my $other = Devcred::Shell::new_dir();    # the tree of the version that is not ours

sub other_file { return Devcred::Shell::read_file("$other/$_[0]") }
sub change {
	my ($file, $from, $to) = @_;
	my $text = other_file($file);
	$text =~ s/$from/$to->()/e or die "$file is not as it was thought to be\n";
	Devcred::Shell::write_file("$other/$file", $text);
	return;
}

# Make a next version of the tree.
sub make_next {
	my ($number) = map { m{/(\d+)_[^/]*\z} } (sort glob "$other/migrations/*.sql")[-1];
	my $file = sprintf 'migrations/%04d_next.sql', $number + 1;
	Devcred::Shell::write_file("$other/$file", "-- As any may be.\n"
		. "alter table devcred.newdevice_request add column next int;\n"
		. "alter table devcred.device_credential add column next int;\n");
	change('Makefile.am', qr{^(sql_files = \\\n(?:\tmigrations/.*\n)+)}m, sub { "$1\t$file \\\n" });
	change('common/store.h', qr/^(#define STORE_SCHEMA\t)\d+/m, sub { $1 . ($number + 1) });
	Devcred::Shell::write_file("$other/sql/grants.sql", other_file('sql/grants.sql') . <<'END');

do $$
declare
	f record;
begin
	for f in
		select p.oid::regprocedure as is, p.proname, p.pronargs,
			pg_get_function_arguments(p.oid) as arguments,
			substr(rtrim(pg_get_function_result(p.oid), ')'), 7) as columns
		from pg_proc p
		where p.pronamespace = 'devcred'::regnamespace
		and p.proname in ('credential_look', 'credential_issue', 'newdevice_list')
	loop
		execute format('alter function %s rename to %I', f.is, f.proname || '_before');
		execute format('create function devcred.%I(%s) returns table (%s, next int) language sql
			security definer set search_path = pg_catalog, pg_temp
			as $f$ select b.*, 1 from devcred.%I(%s) b $f$', f.proname, f.arguments, f.columns,
			f.proname || '_before',
			(select string_agg('$' || n, ', ' order by n) from generate_series(1, f.pronargs) n));
		execute format('revoke execute on all functions in schema devcred from public');
		execute format('grant execute on function devcred.%I to devcred_app', f.proname);
	end loop;
end
$$;
END
	return;
}

my ($status, $text) = Devcred::Shell::run(['sh', '-c', 'set -e
	if [ -n "$2" ]; then git -C "$1" archive --format=tar "$2"
	else tar -C "$1" --exclude=.git -cf - autogen.sh configure.ac Makefile.am common fcgi ctl \
		sql migrations doc deploy debian www tests/unit README.md NEWS HACKING.md LICENSE
	fi | tar -x -C "$3"', 'sh', $top, $FROM // '', $other]);
is($status, 0, 'there is another version') or BAIL_OUT($text);
make_next() unless $FROM;
($status, $text) = Devcred::Shell::run(['sh', '-c', 'cd "$1" &&
	./autogen.sh && ./configure CFLAGS=-O1 && make -j2 devcred.fcgi devcredctl', 'sh', $other]);
is($status, 0, 'which is built') or BAIL_OUT($text);
my ($old, $new) = map { { bin => $_->[0], top => $_->[1] } }
    $FROM ? ([$other, $other], [$Devcred::Shell::BIN, $top])
    : ([$Devcred::Shell::BIN, $top], [$other, $other]);

my $cluster = Devcred::Cluster->new(bare => 1);
{
	local $Devcred::Shell::BIN = $old->{bin};
	local $Devcred::Shell::TOP = $old->{top};
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

my %serves = map { $_->socket_path => serve($_, $old->{bin}) } @sites;
my $notes = Devcred::Shell::new_dir();
$_->start_web for @sites;
my $fleet = Devcred::Fleet->new(dir => $notes, clients => 4, seed => time ^ $$,
	ids => [map { "calm-$_-$$" } 1 .. $DEVICES], doors => [map { $_->{port} } @sites],
	lossy => [], patience => 120 + $DEVICES / 10);
eventually(sub { $_->client('management/devicebootstrap')->poll('x')->status == 404 },
	'the older version serves') for @sites;

# The next quarter of the devices comes: what is done now is done under load.
my ($administrator, @names) = $fleet->names;
$fleet->start($administrator);
my $came = 0;
sub more_come {
	my ($what) = @_;
	$fleet->start(shift @names);
	eventually(sub { $fleet->arrived >= ($came + 0.1) * $DEVICES }, $what, 90);
	$came += 0.25;
	return;
}
more_come('devices are issued their passwords by it');
{
	local $Devcred::Shell::BIN = $new->{bin};
	($status, $text) = $sites[0]->ctl('', 'migrate');
}
is($status, 0, 'the schema is migrated under it') or diag($text);
cmp_ok($super->selectrow_array('select devcred.schema_version()'), '>', $version,
	'it is a newer one');
for my $site (@sites) {
	more_come('the older version goes on');
	my $next = serve($site, $new->{bin});
	eventually(sub { $site->service_log =~ /^devcred\[$next\]: info ready/m },
		'the newer version begins to serve beside it');
	ends($serves{ $site->socket_path });
}
more_come('devices come when it is over');
eventually(sub { !$fleet->alive }, 'all devices arrive', $fleet->{patience});
none('no request failed', map { my $name = $_; map { "$name: @$_" } $fleet->lines($name, 'none') }
	$fleet->names);
my $checker = Devcred::Checker->new(fleet => $fleet, dbh => $super);
$checker->passwords;
$checker->audit;
$checker->invariants;
$checker->no_secret_in_logs(@sites);
# whoever lost against the migration was asked again
unlike($_->service_log =~ s/^.* sqlstate=40P01 .*\n//mgr, qr/ (?:warning|error) /,
	'no log has a warning of anything else than a lock') for @sites;

END {
	my $state = $?;
	kill 'KILL', keys %pid;
	File::Path::remove_tree($other, { safe => 1 })
	    if $fleet && $$ == $fleet->{owner} && !$ENV{DEVCRED_TEST_KEEP};
	$? = $state;
}
done_testing();
