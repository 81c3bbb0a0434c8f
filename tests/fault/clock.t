#!/usr/bin/perl
# The clock of the service's machine is wrong, and jumps while devices are being
# issued their passwords: what ends when, is for the database's clock to say.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Checker;
use Devcred::Fleet;
use Devcred::Pair;

my ($library) = glob '/usr/lib/*/faketime/libfaketime.so.1';
plan skip_all => 'libfaketime is not installed' unless $library;

my $cluster = Devcred::Cluster->shared;
my $site = Devcred::Pair::another($cluster, $cluster->database, 'lighttpd', workers => 1,
	key_file => "$cluster->{dir}/clock-keys", delivery_window => 60);
Devcred::Pair::write_keys("$cluster->{dir}/clock-keys", 'k1');
my $clock = "$site->{dir}/clock";

# Have the service's clock run from here on.
sub clock_is { return Devcred::Shell::write_file($clock, "$_[0]\n", 0644) }

clock_is('-1d');
{
	# only the service is to believe it
	mkdir "$site->{dir}/bin" or die "bin: $!\n";
	Devcred::Shell::write_file("$site->{dir}/bin/devcred.fcgi", <<"END", 0755);
#!/bin/sh
LD_PRELOAD='$library' FAKETIME_TIMESTAMP_FILE='$clock' FAKETIME_NO_CACHE=1 \\
FAKETIME_DONT_FAKE_MONOTONIC=1 exec '$Devcred::Shell::BIN/devcred.fcgi' "\$@"
END
	$site->start_service("$site->{dir}/bin");
}
$site->start_web;
my $dbh = $site->dbh;
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);

sub change {
	my ($id, $set) = @_;
	return $dbh->do("update devcred.device_credential set $set where device_id = ?", undef, $id);
}
sub login {
	my ($answer) = @_;
	return $admin->as('t1/' . join ':', map { $answer->field($_) } qw(username password))
	    ->get('/user/currentUser')->status;
}

my ($started) = $admin->get('/devcred/metrics')->body
    =~ /^devcred_start_time_seconds (\d+)/m;
cmp_ok(abs(time - 86_400 - ($started // 0)), '<', 600, 'the service believes that it is yesterday');

my @before;
for my $when ('-1d', '+1y', '-2d', '-30y', '+0') {
	clock_is($when);
	my $id = pending($admin);
	my $wait = $device->poll($id)->header('Retry-After');
	ok($wait >= 5 && $wait <= 10, "$when: a device is told to wait as ever") or diag($wait);
	$admin->accept_device($id);
	my $first = $device->poll($id);
	answers($first, 201, "$when: it is issued its password");
	my $again = $device->poll($id);
	is($again->status == 201 && $again->field('password'), $first->field('password'),
		"$when: and told again while the window is open");
	for my $old (@before) {
		is($device->poll($old->field('id'))->status, 201,
			"$when: so is a device of before the jump");
	}
	@before = ($first);
	is($dbh->selectrow_array('select abs(extract(epoch from delivery_until - now()) - 60) < 5
		from devcred.device_credential where device_id = ?', undef, $id), 1,
		"$when: its end is by the database's clock");
	my $over = issued($admin);
	change($over->field('id'), "delivery_until = now() - interval '1 s'");
	is($device->poll($over->field('id'))->status, 404, "$when: and when that says so, it is over");
	is(login($over), 200, "$when: the password works");
	change($over->field('id'), "expires_at = now() - interval '1 s'");
	is(login($over), 401, "$when: until its end, by the same clock");
	change($over->field('id'), "expires_at = now() + interval '60 s'");
	is(login($over), 200, "$when: and not before");
}

# Jumps, back and forth, while a fleet is issued its passwords --------------------

my ($DEVICES, $EVERY) = (Devcred::Shell::short_or_long(100, 2000), 3);
my $notes = Devcred::Shell::new_dir();
# by itself in its database
$dbh->do('truncate devcred.device_credential, devcred.newdevice_request, devcred.claimant');
my $fleet = Devcred::Fleet->new(dir => $notes, clients => 4, seed => $$, lossy => [],
	ids => [map { ($_ % 5 ? 'calm' : 'quiet') . "-jump-$_" } 1 .. $DEVICES],
	doors => [$site->{port}], patience => 90 + $DEVICES / 10);
$fleet->start($_) for $fleet->names;
my $jumps = 0;
while ($fleet->alive && $jumps < $DEVICES) {
	my $next = $EVERY * ++$jumps;
	clock_is((qw(-1d +1y -1h -30y +0 -2d))[rand 6]);
	Devcred::Shell::until_true(sub { $fleet->arrived >= $next || !$fleet->alive },
		$fleet->{patience}) or last;
}
eventually(sub { !$fleet->alive }, 'all devices arrive while the clock jumps', $fleet->{patience});
diag("$jumps jumps of the clock among $DEVICES devices");
cmp_ok($jumps, '>', 20, 'which it did');
my $checker = Devcred::Checker->new(fleet => $fleet, dbh => $dbh);
$checker->passwords;
is($dbh->selectrow_array("select count(*) from devcred.device_credential
	where delivery_until - issued_at not between interval '59 s' and interval '61 s'"), 0,
	'every window is as long as it should be, by the clock of the database');
$checker->no_secret_in_logs($site);
unlike($site->service_log, qr/ended|watchdog|error/, 'nothing of it is in the log');
$site->stop;

done_testing();
