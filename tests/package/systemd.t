#!/usr/bin/perl
# The units, as systemd runs them, with all that they forbid.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Machine;
use Devcred::Package;
use Devcred::Shell;

plan skip_all => 'only root can make a clean root' if $> != 0;
my $machine = Devcred::Machine->new;
plan skip_all => 'there are no control groups of version 2'
    unless $machine->{cgroup};

my ($status, $out) = Devcred::Package::install($machine, Devcred::Package::debs());
is($status, 0, 'the packages install') or diag($out);
ok($machine->boot, 'systemd runs') or BAIL_OUT('no systemd');

# Properties of a unit, as NAME=VALUE words.
sub show {
	my ($unit, @names) = @_;
	return join ' ', split /\n/, $machine->must("systemctl show $unit "
		. join ' ', map { "-p $_" } @names);
}

sub main_pid {
	return show('devcred.service', 'MainPID') =~ s/.*=//r;
}

sub words {
	return $machine->must('systemctl status --no-pager devcred.service '
		. 'devcred.socket; journalctl --no-pager -u devcred | tail -n 40 '
		. '|| true') =~ s/^/ /mgr;
}

my %password;

# The status of a request for an operation that asks the database.
sub ask {
	my ($status, $said) = $machine->sh('curl -s -o /srv/said -w "%{http_code}" '
		. "-u 't1/admin:$password{'t1/admin'}' "
		. 'http://127.0.0.1/devicecontrol/newDeviceRequests');
	return $said;
}

sub becomes {
	my ($condition, $name, $deadline) = @_;
	my $is = Devcred::Shell::until_true($condition, $deadline);
	ok($is, $name) or diag(words());
	return;
}

is(show('devcred.service', 'UnitFileState', 'ActiveState'),
	'ActiveState=inactive UnitFileState=disabled', 'devcred was not started');
$machine->must('pg_createcluster 15 main && pg_ctlcluster 15 main start');
%password = %{ (Devcred::Package::set_up($machine))[0] };

# The steps that need systemd, as they stand in README.Debian.
for my $command (Devcred::Package::step($machine, 4),
    map { Devcred::Package::step_web($machine, 'lighttpd', $_) } 0, 1) {
	($status, $out) = $machine->sh($command);
	is($status, 0, $command =~ s/\n//gr) or diag($out, words());
}
is(show('devcred.service', qw(UnitFileState ActiveState Type)),
	'Type=notify ActiveState=active UnitFileState=enabled',
	'the service has told that it is ready') or diag(words());
becomes(sub { ask() eq '200' }, 'and answers, in its sandbox');
is($machine->must('stat -c "%U:%G %a" /run/devcred/fcgi.sock'),
	"devcred:www-data 660\n", 'only web servers reach its socket');

my $pid = main_pid();
($status, $out) = $machine->sh('systemctl reload devcred');
is($status, 0, 'it reloads') or diag($out);
becomes(sub { show('devcred.service', 'ActiveState') =~ /=active/ },
	'and tells when it has');
is(main_pid(), $pid, 'which is no restart');

# While it is away its socket is there: a request waits for it.
($status, $out) = $machine->sh('systemctl restart --no-block devcred; '
	. 'for i in 1 2 3 4 5 6 7 8 9 10; do curl -s -o /srv/said '
	. "-w '%{http_code} ' -u 't1/admin:$password{'t1/admin'}' "
	. 'http://127.0.0.1/devicecontrol/newDeviceRequests; done');
is($out, '200 ' x 10, 'a restart loses no request') or diag(words());
isnt(main_pid(), $pid, 'and it was one');

# A manager that does not go on.
$machine->must("mkdir -p /run/systemd/system/devcred.service.d && "
	. "printf '[Service]\\nWatchdogSec=1\\n' "
	. '>/run/systemd/system/devcred.service.d/test.conf && '
	. 'systemctl daemon-reload && systemctl restart devcred');
$pid = main_pid();
my $told = show('devcred.service', 'WatchdogTimestampMonotonic');
for my $time (qw(once again)) {
	becomes(sub { my $was = $told;
		$told = show('devcred.service', 'WatchdogTimestampMonotonic');
		$told ne $was }, "the manager tells its watchdog $time");
}
is(main_pid(), $pid, 'which is content');
$machine->must("kill -STOP $pid");
becomes(sub { my $now = main_pid(); $now != $pid && $now != 0 },
	'a manager that stands still is replaced', 30);
becomes(sub { ask() eq '200' }, 'and the service answers again');
$machine->must('rm -r /run/systemd/system/devcred.service.d && '
	. 'systemctl daemon-reload');

# A database that is away is no reason to be.
$machine->must('pg_ctlcluster 15 main stop -m immediate');
$machine->must('systemctl restart devcred');
is(show('devcred.service', 'ActiveState'), 'ActiveState=active',
	'it starts without its database');
is(ask(), '503', 'and says so to those who ask');
$machine->must('pg_ctlcluster 15 main start');
becomes(sub { ask() eq '200' }, 'it answers when there is one');

($status, $out) = $machine->sh('systemctl start devcred-housekeep.service');
is($status, 0, 'the housekeeping does its work, in its sandbox')
    or diag($out, $machine->must('journalctl --no-pager -u devcred-housekeep'));
$machine->must('systemctl enable --now devcred-housekeep.timer');

# Packages -----------------------------------------------------------------------

$pid = main_pid();
$machine->must('while [ ! -e /srv/enough ]; do curl -s -o /dev/null '
	. "-w '%{http_code}\n' -u 't1/admin:$password{'t1/admin'}' "
	. 'http://127.0.0.1/devicecontrol/newDeviceRequests; '
	. 'done >/srv/codes 2>&1 &');
($status, $out) = Devcred::Package::install($machine,
	Devcred::Package::later('0.1.0+test'));
is($status, 0, 'a later version installs over it') or diag($out);
unlike(main_pid(), qr/\A(?:0|$pid)\z/, 'and runs then');
is(ask(), '200', 'and answers');
$machine->must('touch /srv/enough');
is($machine->must('sort -u /srv/codes'), "200\n",
	'no request was lost meanwhile');
($status, $out) = $machine->sh("apt-get -q -y purge @Devcred::Package::NAMES");
is($status, 0, 'the packages are purged') or diag($out);
is($machine->must('systemctl list-units --all --plain --no-legend "devcred*"; '
	. 'find /etc/systemd /var/lib/systemd /run/devcred -name "*devcred*" '
	. '2>/dev/null || true'), '', 'no unit and no trace of one is left');
is($machine->must('cat /proc/[0-9]*/comm 2>/dev/null | grep devcred || true'),
	'', 'and no process');

done_testing;
