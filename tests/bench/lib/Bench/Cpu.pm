package Bench::Cpu;

# CPU time of processes and all below them, from the kernel's accounting.

use strict;
use warnings;

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return scalar readline($file) // '';
}

# All processes of the trees below these pids, with them.
sub tree {
	my @todo = @_;
	my %seen;

	while (defined(my $pid = shift @todo)) {
		next if $seen{$pid}++;
		push @todo, map { split ' ', slurp($_) } glob "/proc/$pid/task/*/children";
	}
	return keys %seen;
}

# Seconds used by the trees so far: nanoseconds of each thread that runs, and
# what those that ended have left to their parents.
sub used {
	my $sum = 0;
	for my $pid (tree(@_)) {
		for my $path (glob "/proc/$pid/task/*/schedstat") {
			my ($ns) = split ' ', slurp($path);
			$sum += ($ns // 0) / 1e9;
		}
		my @field = split ' ', slurp("/proc/$pid/stat") =~ s/.*\)//sr;
		$sum += (($field[13] // 0) + ($field[14] // 0)) / 100;
	}
	return $sum;
}

# Proportional memory of the trees, in MiB.
sub memory {
	my $sum = 0;
	for my $pid (tree(@_)) {
		$sum += $1 / 1024 if slurp("/proc/$pid/smaps_rollup") =~ /^Pss:\s+(\d+)/m;
	}
	return $sum;
}

1;
