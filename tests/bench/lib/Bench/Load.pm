package Bench::Load;

# Load: wrk for HTTP, pgbench for the database; each run tells its rate, its
# times, and the CPU time that groups of processes spent on a request.

use strict;
use warnings;
use Exporter qw(import);
use FindBin;

use Bench::Cpu;
use Devcred::Shell;

our @EXPORT_OK = qw(wrk pgbench);

my ($PGBENCH) = (reverse(sort glob '/usr/lib/postgresql/*/bin/pgbench'), 'pgbench');

# Run wrk.  Options: port; seconds; clients (64); groups (name => pids);
# script (load/ids.lua), env for it.  Returns requests, rate, failed (by status
# 4xx and 5xx), broken, p50, p99, max (ms), and cpu: microseconds by group.
sub wrk {
	my (%arg) = @_;
	my $groups = $arg{groups} // {};
	my @command = ('wrk', '-t', 1, '-c', $arg{clients} // 64, '-d', "$arg{seconds}s",
		'--latency', '--timeout', '5s', '-s', $arg{script} // "$FindBin::Bin/load/ids.lua",
		"http://127.0.0.1:$arg{port}/");
	my %before = map { $_ => Bench::Cpu::used(@{ $groups->{$_} }) } keys %$groups;
	my ($status, $text) = Devcred::Shell::run(\@command, env => $arg{env});
	my %after = map { $_ => Bench::Cpu::used(@{ $groups->{$_} }) } keys %$groups;
	my @got = $text =~ /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m;

	die "wrk failed ($status):\n$text" if $status || !@got || !$got[0];
	return {
		requests => $got[0], rate => $got[0] / ($got[1] / 1e6), failed => $got[2],
		broken => $got[3] + $got[4], p50 => $got[5] / 1e3, p99 => $got[6] / 1e3,
		max => $got[7] / 1e3,
		cpu => { map { $_ => ($after{$_} - $before{$_}) / $got[0] * 1e6 } keys %$groups },
	};
}

# CPU of all groups together.
sub cpu {
	my ($run) = @_;
	my $sum = 0;
	$sum += $_ for values %{ $run->{cpu} };
	return $sum;
}

# Run pgbench with this script.  Options: conninfo, seconds, clients (8), set
# (variables), file (where to put the script), transactions (a client, instead
# of seconds).  Returns transactions and rate.
sub pgbench {
	my ($script, %arg) = @_;
	Devcred::Shell::write_file($arg{file}, $script, 0644);
	my ($status, $text) = Devcred::Shell::run([$PGBENCH, '-n', '-M', 'prepared',
		'-c', $arg{clients} // 8, '-j', 1, '-f', $arg{file},
		defined $arg{transactions} ? ('-t', $arg{transactions}) : ('-T', $arg{seconds}),
		(map { ('-D', "$_=$arg{set}{$_}") } sort keys %{ $arg{set} // {} }), $arg{conninfo}]);
	my ($n) = $text =~ /^number of transactions actually processed: (\d+)/m;
	my ($rate) = $text =~ /^tps = ([\d.]+)/m;

	die "pgbench failed ($status):\n$text" if $status || !defined $rate;
	return { transactions => $n, rate => $rate };
}

1;
