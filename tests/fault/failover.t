#!/usr/bin/perl
# The primary dies, or falls silent, while devices are being issued their
# passwords by two installations: a synchronous standby is promoted, both find
# it by themselves, and nothing that was acknowledged is lost.
#
# Environment: DEVCRED_FAILOVER_DEVICES (how many), DEVCRED_FAULT_SEED.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker;
use Devcred::Fleet;
use Devcred::Pair;
use Devcred::Standby;

my $DEVICES = $ENV{DEVCRED_FAILOVER_DEVICES} // Devcred::Shell::short_or_long(200, 4000);
my $SEED = $ENV{DEVCRED_FAULT_SEED} // time ^ $$;
my $OUTAGE = 2;            # seconds after the promotion, as doc/databases.md promises
my $SILENCE = 3;           # seconds, db_timeout

diag("DEVCRED_FAILOVER_DEVICES=$DEVICES DEVCRED_FAULT_SEED=$SEED");

# Two nodes, of which the first is waited for by every commit; and what stands
# before them.
sub nodes {
	my $primary = Devcred::Cluster->new;
	my $database = $primary->database;
	my $standby = Devcred::Standby->new($primary, 'second');
	my $super = $primary->connect('postgres');

	$super->do(q{alter system set synchronous_standby_names = 'second'});
	$super->do('select pg_reload_conf()');
	Devcred::Shell::until_true(sub { $super->selectrow_array(q{select sync_state = 'sync'
		from pg_stat_replication where application_name = 'second'}) })
	    or die "the standby does not follow\n";
	my @sites = map {
		my $site = Devcred::Pair::another($primary, $database, $_, workers => 2,
			db_timeout => 1000 * $SILENCE, app_database => 'host='
			. "$primary->{dir},$standby->{dir} dbname=$database user=devcred_service "
			. 'target_session_attrs=read-write', key_file => "$primary->{dir}/shared-keys");
		$site;
	} qw(nginx lighttpd);
	Devcred::Pair::write_keys("$primary->{dir}/shared-keys", 'k1');
	for my $site (@sites) {
		$site->start_service;
		$site->start_web;
	}
	return ($primary, $standby, $database, @sites);
}

# The processes of a cluster.
sub processes {
	my ($cluster) = @_;
	my ($postmaster) = Devcred::Shell::read_file("$cluster->{dir}/pg/postmaster.pid")
	    =~ /\A(\d+)/;
	return ($postmaster, Devcred::Site::children($postmaster));
}

# Seconds until each of the sites answers a poll that asks the database.
sub back {
	my ($id, @sites) = @_;
	my $start = time;

	for my $site (@sites) {
		my $device = as_bootstrap($site->client);
		Devcred::Shell::until_true(sub { $device->poll($id)->status == 404 }, 30)
		    or die "it does not come back\n";
	}
	return time - $start;
}

# Killed -----------------------------------------------------------------------

my ($primary, $standby, $database, @sites) = nodes();
my $notes = Devcred::Shell::new_dir();
my $fleet = Devcred::Fleet->new(dir => $notes, clients => 4, seed => $SEED,
	ids => [map { "calm-$_-$SEED" } 1 .. $DEVICES], doors => [map { $_->{port} } @sites],
	lossy => [], patience => 90 + $DEVICES / 10);
# one that nobody accepts: polls for it say whether the database is there
my $waits = pending($sites[0]->client('t1/admin'), id => "waits-$SEED");
$sites[0]->client('t1/admin')->update($waits, 'BLOCKED');
$fleet->start($_) for $fleet->names;
eventually(sub { $fleet->arrived >= 0.4 * $DEVICES || !$fleet->alive },
	'devices are issued their passwords', 90);
my $arrived = $fleet->arrived;
cmp_ok($arrived, '<', $DEVICES, 'some have not yet got theirs');
kill 'KILL', processes($primary);
ok($standby->promote, 'the primary is killed, and the standby promoted');
my $outage = back($waits, @sites);
diag(sprintf 'service back %.2f s after the promotion, with %d of %d devices done', $outage,
	$arrived, $DEVICES);
cmp_ok($outage, '<', $OUTAGE, "both installations serve within $OUTAGE s of it");
eventually(sub { !$fleet->alive }, 'all devices arrive', $fleet->{patience});
my $there = $standby->connect($database);
$sites[0]->client('t1/admin')->remove($waits);
my $checker = Devcred::Checker->new(fleet => $fleet, dbh => $there);
$checker->passwords;
$checker->audit;
$checker->invariants;
is($there->selectrow_array('select count(*) from (select seq from devcred.event
	group by seq having count(*) > 1) twice'), 0, 'no number of an event is used twice');
$there->disconnect;
$_->stop for @sites;

# Silent -----------------------------------------------------------------------

# As a machine that hangs or is cut off: connections stand, and nobody answers.
($primary, $standby, $database, @sites) = nodes();
$waits = pending($sites[0]->client('t1/admin'));
back($waits, @sites);
my @stopped = processes($primary);
kill 'STOP', @stopped;
my $began = time;
is(as_bootstrap($_->client)->poll($waits)->status, 503, 'a primary that is silent: 503')
    for @sites;
cmp_ok(time - $began, '<', 2 * $SILENCE + 2, 'after the deadline');
ok($standby->promote, 'the standby is promoted');
$outage = back($waits, @sites);
diag(sprintf 'service back %.2f s after the promotion', $outage);
# an attempt at the silent host, in each of the workers
cmp_ok($outage, '<', 2 * $SILENCE + 2, 'both find it though the first of the hosts is silent');
like($_->service_log, qr/database_silent host=\Q$primary->{dir}\E/, 'and say who was') for @sites;
# each lane of each worker finds out by itself that its connection is no more
eventually(sub { eval { issued($sites[1]->client('t1/admin')); 1 } },
	'a device goes the whole way', 30);
$_->stop for @sites;

END {
	my $status = $?;
	kill 'KILL', @stopped;
	$? = $status;
}
done_testing();
