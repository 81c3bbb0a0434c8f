#!/usr/bin/perl
# Everything has its place, and nothing is in the tree that does not belong
# there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Source qw(@TOP_FILES @ROOMS files matching text lines keeps);

my $top = $Devcred::Source::TOP;

my @programs = qw(.ci/run autogen.sh deploy/quickstart tests/run
	tests/fuzz/run);
keeps('the rooms and files at the top are there',
	(map { "$_: there is no such room" } grep { !-d "$top/$_" } @ROOMS),
	map { "$_: there is no such file" }
		grep { !-f "$top/$_" } @TOP_FILES, @programs);
keeps('what is to be run by hand is executable',
	map { "$_: is not executable" }
		grep { -f "$top/$_" && !-x "$top/$_" } @programs);

my %known = map { $_ => 1 } @ROOMS, @TOP_FILES;
keeps('nothing else stands at the top',
	map { "$_: is neither a room nor a file of the top" }
		grep { !$known{s{/.*}{}r} } files());

my ($suites) = text("tests/run") =~ /^suites='\n(.*?)^'/ms;
my %suite = map { $_ => 1 } ($suites // "") =~ /^([a-z]+) /mg;
keeps('tests/run runs every program of tests',
	map { "$_: its folder is no suite of tests/run" }
		grep { !$suite{(split m{/})[1]} } matching(qr{^tests/.*\.t\z}));

my $generated = qr{(?:
	(?:^|/)(?:configure|config\.(?:h(?:\.in)?|log|status)|aclocal\.m4
		|Makefile(?:\.in)?|stamp-h1|embedded\.c|core)
	|\.(?:o|a|so|log|trs|tmp|orig|rej|bak|swp|gcda|gcno|pyc)|~
)\z|(?:^|/)(?:autom4te\.cache|build-aux|\.deps|node_modules|__pycache__)/}x;
keeps('no generated file is kept',
	map { "$_: is made by a program" } matching($generated));
# what the fuzz targets are given is no text; see below
my $SEEDS = 'tests/fuzz/corpus';
my @texts = grep { !m{^$SEEDS/} } files();
keeps('no binary file is kept',
	map { "$_: has a NUL byte" } grep { text($_) =~ /\0/ } @texts);
keeps('no file is empty, and each ends with a line',
	map { "$_: does not end with a newline" }
		grep { text($_) !~ /\n\z/ } @texts);

# Lines that break a rule: paths the rule is for, what must not be found (the
# brackets keep this file itself from being found), and what is told.
my $tabbed = qr{(?:\.(?:[ch]|sh|pl|pm|t|am)|^tests/run|^tests/fuzz/run|^\.ci/run
	|^deploy/quickstart|^tests/lib/suite)\z}x;
my @rules = (
	['no work is left as a mark in a file', qr/./,
		qr/\b(?:TO[D]O|FIX[M]E|X[X]X)\b/],
	['no path of a machine it was written on', qr/./,
		qr{(?<![\w.\}\)*\$-])/(?:home|work|root|Users)/\w}],
	['no white space at the end of a line', qr/./, qr/[ \t\r]\z/],
	['programs are indented with tabs', $tabbed, qr/^(?: {8}|\t* +\t)/],
	['SQL has no tabs', qr/\.sql\z/, qr/\t/],
	['no character that cannot be seen', qr/./,
		qr/[\x01-\x08\x0b-\x1f\x7f]|\xe2\x80[\x8b-\x8f\xaa-\xae]/],
);
for my $rule (@rules) {
	my ($name, $where, $fault) = @$rule;
	keeps($name, map {
		my $path = $_;
		map { "$path:$_->[0]: $_->[1]" }
			grep { $_->[1] =~ $fault } lines($path);
	} grep { /$where/ } @texts);
}

# The fuzz targets and what they are given -------------------------------------

my $SEED_MAX = 1024;	# bytes
my $SEEDS_MAX = 80;	# of a target
my $CORPUS_MAX = 300 * 1024;	# bytes, of all

my %target = map { m{/fuzz_(\w+)\.c\z} => 1 } matching(qr{^tests/fuzz/fuzz_\w+\.c\z});
my (%seeds, @faults);
my $total = 0;
for my $path (matching(qr{^$SEEDS/})) {
	my ($name) = $path =~ m{^$SEEDS/(\w+)/[a-z0-9-]+\z};
	push @faults, "$path: is not $SEEDS/TARGET/NAME"
	    if !$name || !$target{$name};
	my $size = -s "$top/$path";
	push @faults, "$path: has $size bytes" if $size > $SEED_MAX;
	$total += $size;
	$seeds{$name // ''}++;
}
ok(keys %target > 10, 'there are fuzz targets');
keeps('what they are given is small, and somebody\'s', @faults,
	$total > $CORPUS_MAX ? "$SEEDS: has $total bytes" : (),
	map { "$SEEDS/$_: has $seeds{$_} files" }
		grep { $seeds{$_} > $SEEDS_MAX } sort keys %seeds);
keeps('every one of them has something to begin with',
	map { "$SEEDS/$_: has no file" } grep { !$seeds{$_} } sort keys %target);
keeps('a dictionary is that of a target',
	map { m{/(\w+)\.dict\z} && $target{$1} ? () : "$_: is of no target" }
		matching(qr{^tests/fuzz/dict/}));

done_testing;
