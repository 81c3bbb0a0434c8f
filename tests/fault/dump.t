#!/usr/bin/perl
# A dump that is made while devices are being issued their passwords is of one
# moment: restored, every password in it works, it has all that was acknowledged
# before it was begun, and devices that were on their way go on from there.
#
# Environment: DEVCRED_DUMP_DEVICES (how many), DEVCRED_FAULT_SEED.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Checker qw(none rows_of);
use Devcred::Fleet;
use Devcred::Pair;

my $DEVICES = $ENV{DEVCRED_DUMP_DEVICES} // Devcred::Shell::short_or_long(200, 4000);
my $SEED = $ENV{DEVCRED_FAULT_SEED} // int(time) ^ $$;
my @PARTS = (0.3, 0.6);    # of the devices, when a dump is made

diag("DEVCRED_DUMP_DEVICES=$DEVICES DEVCRED_FAULT_SEED=$SEED");
my $cluster = Devcred::Cluster->new;
my $pair = Devcred::Pair->new(cluster => $cluster, conf => { workers => 1,
	delivery_window => 600, delivery_limit => 50 });
my @sites = $pair->sites;
my $notes = Devcred::Shell::new_dir();
my $fleet = Devcred::Fleet->new(dir => $notes, clients => 4, seed => $SEED,
	ids => [map { ($_ % 4 ? 'calm' : 'quiet') . "-$_-$SEED" } 1 .. $DEVICES],
	doors => [map { $_->{port} } @sites], lossy => [], patience => 90 + $DEVICES / 10);

# What has been acknowledged so far: word => { id => 1 }.
sub acknowledged {
	my %done;
	for my $name ($fleet->names) {
		for my $word (qw(registered accepted got in)) {
			$done{$word}{ $_->[0] } = 1 for $fleet->lines($name, $word);
		}
	}
	return \%done;
}

my @dumps;
$fleet->start($_) for $fleet->names;
for my $part (@PARTS) {
	eventually(sub { $fleet->arrived >= $part * $DEVICES || !$fleet->alive },
		'devices are issued their passwords', 90);
	my $before = acknowledged();
	# of this moment, however long it takes the program to start
	my $now = $cluster->connect($pair->{database});
	$now->begin_work;
	$now->do('set transaction isolation level repeatable read, read only');
	my $snapshot = $now->selectrow_array('select pg_export_snapshot()');
	my $file = "$notes/dump" . @dumps;
	my ($status, $text) = Devcred::Shell::run(['pg_dump', '-Fc', '--snapshot', $snapshot, '-d',
		$cluster->conninfo($pair->{database}), '-f', $file]);
	$now->rollback;
	$now->disconnect;
	is($status, 0, 'meanwhile the database is dumped') or diag($text);
	push @dumps, { file => $file, before => $before };
}
eventually(sub { !$fleet->alive }, "all $DEVICES devices arrive", $fleet->{patience});
my $checker = Devcred::Checker->new(fleet => $fleet, dbh => $cluster->connect($pair->{database}));
$checker->passwords;
$checker->audit;
none('no request failed for it', map { my $name = $_; map { "$name: @$_" } $fleet->lines($name, 'none') }
	$fleet->names);

for my $n (0 .. $#dumps) {
	my ($file, $before) = @{ $dumps[$n] }{qw(file before)};
	my $name = "restored_$n";
	$cluster->connect('postgres')->do("create database $name owner devcred_owner");
	my ($status, $text) = Devcred::Shell::run(['pg_restore', '--exit-on-error', '-d',
		$cluster->conninfo($name), $file]);
	is($status, 0, "dump $n is restored") or diag($text);
	my $there = $cluster->connect($name);
	my %known = %{ $checker->{sole} };
	my %held = map { $_->{device_id} => 1 }
	    rows_of($there, 'select device_id from devcred.device_credential');
	diag(sprintf 'dump %d: %d passwords, of which %d had been told', $n, scalar keys %held,
		scalar keys %{ $before->{got} });
	cmp_ok(keys %held, '<', $DEVICES, 'it is of a moment in the middle');
	none('every password that was told before is there', grep { !$held{$_} } keys %{ $before->{got} });
	my @refused = map { $_->[0] } @{ $there->selectall_arrayref(
		'select u.name from unnest(?::text[], ?::text[]) u (name, password)
		where not devcred.verify(u.name, u.password)', undef,
		[map { "t1/device_$_" } sort keys %held], [map { $known{$_} } sort keys %held]) };
	none('and every password that is there works', @refused);
	# verify() was the first use of some; what is judged is as it was dumped
	for my $word (['registered', 'newdevice_create'], ['accepted', 'newdevice_accept'],
	    ['in', 'credential_confirm']) {
		my %there = map { $_->{device_id} => 1 } rows_of($there, "select distinct device_id
			from devcred.event where operation = ? and outcome = 'ok'", $word->[1]);
		none("so is every $word->[1] that was acknowledged",
			grep { !$there{$_} } keys %{ $before->{ $word->[0] } });
	}
	Devcred::Checker->of_database(dbh => $there,
		password => { map { $_ => $known{$_} } keys %held })->invariants;

	# a service on it: who was accepted gets a password, and a new one comes
	my $site = Devcred::Pair::another($cluster, $name, 'nginx', key_file => $pair->{key_file},
		workers => 1, delivery_window => 600);
	$site->start_service;
	$site->start_web;
	my ($admin, $device) = map { $site->client($_) } 't1/admin', 'management/devicebootstrap';
	my @rest = map { $_->{id} } rows_of($there,
		"select id from devcred.newdevice_request where status = 'ACCEPTED' limit 5");
	none('who was accepted gets a password', map { $_->told } grep { $_->status != 201 }
		map { $device->poll($_) } @rest);
	answers(issued($admin), 201, 'a new device goes the whole way');
	$site->stop;
	$there->disconnect;
}

done_testing();
