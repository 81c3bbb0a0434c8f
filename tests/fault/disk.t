#!/usr/bin/perl
# The disk is full: first for data, then for the write-ahead log.  Nobody is told
# that something was done which was not, what was acknowledged stays, and when
# there is room again the service goes on by itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Checker;
use Devcred::Pair;

plan skip_all => 'a small disk takes root' if $> != 0;

my @mounted;

# A file system of so many megabytes, of PostgreSQL's user.
sub small_disk {
	my ($at, $megabytes) = @_;
	my ($uid, $gid) = (getpwnam 'postgres')[2, 3];
	mkdir $at or die "$at: $!\n";
	my ($status, $text) = Devcred::Shell::run(['mount', '-t', 'tmpfs', '-o',
		"size=${megabytes}m,uid=$uid,gid=$gid,mode=0700", 'tmpfs', $at]);
	push @mounted, $at unless $status;
	return $status ? $text : '';
}

sub unmount {
	for my $at (splice @mounted) {
		Devcred::Shell::run(['umount', '-l', $at]);
	}
	return;
}

# Leave nothing free there; or give it back.
sub fill {
	my ($at) = @_;
	open my $file, '>', "$at/filler" or die "$at: $!\n";
	my $all = 'x' x 4096;
	1 while syswrite $file, $all;
	return;
}
sub empty { return unlink "$_[0]/filler" }

# Register until it is refused: ids that were acknowledged, and the refusal.
sub register_until_refused {
	my ($admin, $most) = @_;
	my @done;
	for (1 .. $most) {
		my $id = device_id();
		my $answer = $admin->register($id);
		return (\@done, $answer) if $answer->status != 201;
		push @done, $id;
	}
	return (\@done, undef);
}

sub all_there {
	my ($dbh, $ids, $name) = @_;
	is($dbh->selectrow_array('select count(*) from devcred.newdevice_request
		where id = any (?)', undef, $ids), scalar @$ids, $name);
	return;
}

my $cluster = Devcred::Cluster->new(options => ['-c max_wal_size=32MB', '-c min_wal_size=32MB']);
my $why = small_disk("$cluster->{dir}/small", 40);
plan skip_all => "no file system can be mounted here: $why" if $why;
END { my $status = $?; unmount(); $? = $status }

# For data -----------------------------------------------------------------------

my $super = $cluster->connect('postgres');
$super->do("create tablespace small location '$cluster->{dir}/small'");
$super->do('create database small template devcred_template tablespace small');
my $site = Devcred::Pair::another($cluster, 'small', 'nginx', workers => 1);
$site->start_service;
$site->start_web;
my $admin = $site->client('t1/admin');
my $waits = pending($admin);
my $there = $cluster->connect('small');

fill("$cluster->{dir}/small");
my ($done, $refused) = register_until_refused($admin, 5000);
refuses($refused, 503, 'general/Service Unavailable', undef,
	'without room for data a registration is refused');
like($site->service_log, qr/sqlstate=53100/, 'the log says why');
all_there($there, $done, 'what was acknowledged is there');
is($there->selectrow_array('select count(*) from devcred.newdevice_request'), @$done + 1,
	'and nothing else');
is(as_bootstrap($admin)->poll($waits)->status, 404, 'a device that waits is told to wait');
empty("$cluster->{dir}/small");
eventually(sub { $admin->register(device_id())->status == 201 },
	'when there is room again, the service goes on');
my $issued = issued($admin);
answers($issued, 201, 'a device goes the whole way');
Devcred::Checker->of_database(dbh => $there,
	password => { $issued->field('id') => $issued->field('password') })->invariants;
$site->stop;
$there->disconnect;

# For the write-ahead log ------------------------------------------------------------

$super->disconnect;
$cluster->stop;
my $wal = "$cluster->{dir}/wal";
is(small_disk($wal, 80), '', 'the write-ahead log has a disk of its own');
Devcred::Shell::run(['sh', '-c', 'cp -a "$1/pg/pg_wal/." "$2/" && rm -r "$1/pg/pg_wal" &&
	ln -s "$2" "$1/pg/pg_wal"', 'sh', $cluster->{dir}, $wal]);
$cluster->start;
my $database = $cluster->database;
$site = Devcred::Pair::another($cluster, $database, 'nginx', workers => 1);
$site->start_service;
$site->start_web;
my @workers = Devcred::Site::children($site->service_pid);
$admin = $site->client('t1/admin');
my $early = accepted($admin);
fill($wal);
my @seen;
my $last;
for (1 .. 100) {
	# other people's work, and more at once than checkpoints make room for
	eval { $cluster->connect('postgres')->do(q{select count(pg_logical_emit_message(false,
		'x', repeat('x', 1000000))) from generate_series(1, 100)}) };
	my $id = device_id();
	$last = $admin->register($id);
	push @seen, $id if $last->status == 201;
	last if $last->status != 201;
}
refuses($last, 503, 'general/Service Unavailable', undef,
	'without room for the log a registration is refused');
refuses(as_bootstrap($admin)->poll($early), 503, 'general/Service Unavailable', undef,
	'and no password is told');
like(join('', $cluster->log), qr/PANIC: .*No space left on device/, 'the database is down');
empty($wal);
# it may have recovered by itself, or given up
Devcred::Shell::until_true(sub { eval { $cluster->connect('postgres') } }, 3)
    or $cluster->start;
eventually(sub { $admin->register(device_id())->status == 201 },
	'when there is room again, the service goes on', 20);
all_there($cluster->connect($database), \@seen, 'what was acknowledged is there');
my $told = as_bootstrap($admin)->poll($early);
answers($told, 201, 'who was accepted gets the password');
Devcred::Checker->of_database(dbh => $cluster->connect($database),
	password => { $early => $told->field('password') })->invariants;
is("@{[Devcred::Site::children($site->service_pid)]}", "@workers", 'the worker is the same');
$site->stop;
$cluster->stop;

done_testing();
