package Bench;

# Results: what was measured, against what, and whether that is enough.

use strict;
use warnings;
use Exporter qw(import);
use JSON::PP ();

our @EXPORT_OK = qw(result median note quick rounds seconds finish);

my (@results, $case, $quick, $json);
my $coder = JSON::PP->new->canonical->allow_nonref;

# Begin: options quick, json (a file).
sub setup {
	my ($class, %arg) = @_;
	$quick = $arg{quick};
	if (defined $arg{json}) {
		open $json, '>', $arg{json} or die "$arg{json}: $!\n";
		$json->autoflush;
	}
	return;
}

# The case that results are of from now on.
sub case_is { $case = $_[1]; return }

sub quick { return $quick }

# How many rounds to take, and how long each: for a case that wants so many.
sub rounds { return $quick ? ($_[0] > 2 ? 2 : $_[0]) : $_[0] }
sub seconds { return $quick ? 2 : $_[0] }

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return undef unless @sorted;
	my $half = int(@sorted / 2);
	return @sorted % 2 ? $sorted[$half] : ($sorted[$half - 1] + $sorted[$half]) / 2;
}

# What somebody who waits may like to know.
sub note { print STDERR "   @_\n"; return }

# A result: metric; ours, reference (lists of rounds, or a number each; the
# ratio is the median of the rounds' ratios); target "<= 1.2" of the ratio, or
# of ours if there is no reference; none: only told.
sub result {
	my ($metric, %arg) = @_;
	my @ours = ref $arg{ours} ? @{ $arg{ours} } : ($arg{ours});
	my @reference = ref $arg{reference} ? @{ $arg{reference} }
		: defined $arg{reference} ? ($arg{reference}) x @ours : ();
	my $ratio = @reference
		? median(map { $reference[$_] ? $ours[$_] / $reference[$_] : () } 0 .. $#ours) : undef;
	my %result = (case => $case, metric => $metric, ours => round(median(@ours)),
		reference => round(median(@reference)), ratio => round($ratio),
		target => $arg{target}, met => undef);

	if (defined $arg{target}) {
		my ($how, $bound) = $arg{target} =~ /\A(<=|>=) ([\d.]+)\z/
		    or die "$metric: what target is $arg{target}?\n";
		my $value = @reference ? $ratio : median(@ours);
		$result{met} = !defined $value ? JSON::PP::false
			: ($how eq '<=' ? $value <= $bound : $value >= $bound)
				? JSON::PP::true : JSON::PP::false;
	}
	push @results, \%result;
	print {$json} $coder->encode(\%result), "\n" if $json;
	note(line(\%result));
	return;
}

sub round {
	my ($value) = @_;
	return undef unless defined $value;
	return 0 + sprintf '%.*f', abs($value) >= 1000 ? 0 : abs($value) >= 10 ? 1 : 3, $value;
}

sub line {
	my ($r) = @_;
	return sprintf '%-11s %-58s %10s %10s %7s  %-8s %s', $r->{case}, $r->{metric},
	    (map { $_ // '-' } @$r{qw(ours reference ratio)}), $r->{target} // '',
	    !defined $r->{met} ? '' : $r->{met} ? 'met' : 'MISSED';
}

# The table of all results; returns how many targets were missed.
sub finish {
	my $head = sprintf '%-11s %-58s %10s %10s %7s  %-8s', qw(case metric ours reference ratio
		target);
	print join("\n", $head, map { line($_) } @results), "\n";
	return scalar grep { defined $_->{met} && !$_->{met} } @results;
}

1;
