#!/usr/bin/perl
# Scripts are free of known faults, and the tests at least compile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Source qw(files matching text lines keeps output);

my (@bash, @sh, @perl);
for my $path (files()) {
	my ($first) = text($path) =~ /\A(.*)/;
	if ($first =~ m{^#!.*\bbash\b} || $path =~ /\.bash\z/) {
		push @bash, $path;
	} elsif ($first =~ m{^#!/bin/sh\b}) {
		push @sh, $path;
	} elsif ($path =~ /\.sh\z/) {
		push @bash, $path;	# to be sourced
	} elsif ($first =~ m{^#!.*\bperl\b} || $path =~ /\.(?:t|pm|pl)\z/) {
		push @perl, $path;
	}
}
ok(@bash > 2, 'there are scripts for bash');
ok(@perl > 5, 'there are programs in Perl');

sub complaints {
	my ($path, @command) = @_;
	my ($status, $told) = output(@command, $path);
	return $status ? "$path:\n$told" : ();
}

keeps('bash reads its scripts without complaint',
	map { complaints($_, 'bash', '-n') } @bash);
keeps('sh reads its scripts without complaint',
	map { complaints($_, 'sh', '-n') } @sh);
SKIP: {
	my ($status) = output('shellcheck', '--version');
	skip 'shellcheck is not installed', 1 if $status;
	keeps('shellcheck finds nothing',
		map { complaints($_, 'shellcheck', '-x') } @bash, @sh);
}
keeps('bash scripts that are run stop at the first failure', map {
	-x "$Devcred::Source::TOP/$_" && text($_) !~ /^set -euo pipefail$/m
	    ? "$_: has no set -euo pipefail" : ()
} @bash);
keeps('scripts for sh stop at the first failure', map {
	text($_) !~ /^set -eu?$/m ? "$_: has no set -e" : ()
} @sh);

keeps('Perl compiles without a warning', map {
	my ($status, $told) = output($^X, '-Itests/lib', '-Itests/bench/lib', '-wc', $_);
	$status || $told ne "$_ syntax OK\n" ? "$_:\n$told" : ();
} @perl);
keeps('Perl is strict', map {
	text($_) =~ /^use strict;\nuse warnings;$/m ? ()
	    : "$_: has no use strict; use warnings;"
} @perl);

# A pause is either too short or a waste.  What waits for a condition, here and
# in Devcred::Shell::until_true(), is the only one that may take a breath.
# So may a client of ours that was told when to come again, and a device.
my %breath = ('deploy/lib/private.sh' => 1, 'tests/lib/Devcred/Fleet.pm' => 1,
	'doc/samples/shell/device.sh' => 2);
keeps('no test or script sleeps', map {
	my $path = $_;
	my @pauses = grep { $_->[1] =~ m{^[^#]*\bsleep(?:\s+["\$\d.]|\s*\(\s*[\$\d.])} }
		lines($path);
	@pauses > ($breath{$path} // 0)
	    ? map { "$path:$_->[0]: $_->[1]" } @pauses : ();
} @bash, @sh, @perl);

# The packages --------------------------------------------------------------

my $PACKAGES = 'deploy/lib/packages';
my $name = qr/[a-z0-9][a-z0-9.+-]+/;
my (@faults, %seen, %kind);
for (lines($PACKAGES)) {
	my ($number, $line) = @$_;
	next if $line =~ /^(?:#.*)?\z/;
	if ($line !~ /^([a-z]+(?:-[a-z]+)?):((?: $name(?:\|$name)*)+)\z/) {
		push @faults, "$PACKAGES:$number: $line";
		next;
	}
	$kind{$1} = 1;
	for my $package (split ' ', $2) {
		push @faults, "$PACKAGES:$number: $package is there twice"
		    if $seen{"$1 $package"}++;
	}
}
keeps('every line of the packages is KIND: PACKAGE...', @faults,
	map { "$PACKAGES: there is no $_" } grep { !$kind{$_} }
		qw(build run test));
keeps('every kind of package that is asked for is there', map {
	my $path = $_;
	map { "$path: there are no packages $_" } grep { !$kind{$_} }
		map { grep { /\A[a-z-]+\z/ } split }
		text($path) =~ /^\s*install_missing((?: [\w-]+)+)/mg;
} @bash);

done_testing;
