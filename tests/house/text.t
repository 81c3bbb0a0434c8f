#!/usr/bin/perl
# How the C is written: sizes, headers, what is never called, and that the
# build knows every file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Source qw(matching text lines code functions keeps);

my $FILE_MAX = 400;	# lines
my $FUNCTION_MAX = 60;	# lines, with its brackets
my $COLUMNS = 80;

my @c = matching(qr/\.[ch]\z/);
my @headers = grep { /\.h\z/ } @c;

ok(@c > 20, 'there are C files to look at');

# Columns that a line takes, with tabs of eight.
sub width {
	my ($line) = @_;
	my $width = 0;
	utf8::decode($line);
	for my $piece (split /(\t)/, $line) {
		$width = $piece eq "\t" ? $width - $width % 8 + 8
		    : $width + length $piece;
	}
	return $width;
}

keeps("no file has more than $FILE_MAX lines", map {
	my $lines = () = lines($_);
	$lines > $FILE_MAX ? "$_: $lines lines" : ();
} @c);
keeps("no function has more than $FUNCTION_MAX lines", map {
	my $path = $_;
	map { "$path:$_->[1]: $_->[0] has $_->[2] lines" }
		grep { $_->[2] > $FUNCTION_MAX } functions($path);
} grep { /\.c\z/ } @c);
keeps("no line is wider than $COLUMNS columns", map {
	my $path = $_;
	map { "$path:$_->[0]: " . width($_->[1]) . ' columns' }
		grep { width($_->[1]) > $COLUMNS } lines($path);
} @c);

# What is not written, and why.
my @never = (
	[qr/\b(?:strcpy|strcat|sprintf|vsprintf|strncpy|strncat|stpcpy|gets)\s*\(/,
		'no copy without a bound, or that cuts off'],
	[qr/\b(?:strtok|asctime|ctime|gmtime|localtime|strerror_r)\s*\(/,
		'nothing that keeps a state of its own'],
	[qr/\b(?:atoi|atol|atoll|atof|sscanf)\s*\(/,
		'no number is read without looking for errors'],
	[qr/\b(?:system|popen)\s*\(/, 'no shell'],
	[qr/\b(?:alloca|tmpnam|tempnam|mktemp)\s*\(/,
		'no memory of the stack, no name that another may take'],
	[qr/\b(?:sleep|usleep|nanosleep)\s*\(/, 'nothing of ours sleeps',
		qr{^doc/samples/}],	# a device does what Retry-After says
	[qr/\b(?:rand|srand|random|drand48)\s*\(/,
		'no randomness but that of secret.c'],
	[qr/\btypedef\s+(?:struct|union)\b/, 'a struct is called a struct'],
	[qr/\bpthread_\w+|\bthrd_\w+/, 'processes, not threads'],
);
for my $rule (@never) {
	my ($words, $name, $but) = @$rule;
	keeps($name, map {
		my $path = $_;
		map { "$path:$_->[0]: $_->[1]" }
			grep { $_->[1] =~ $words } lines($path, code($path));
	} grep { !$but || !/$but/ } @c);
}

keeps('a header begins by saying what it is',
	map { "$_: has no comment at its head" }
		grep { text($_) !~ m{\A/\*\n \* \w} } @headers);
keeps('a header guards itself against a second time', map {
	my ($guard) = code($_) =~ /\A\s*#ifndef (\w+_H)\n#define \1\n/;
	my $noun = uc s{.*/(\w+)\.h\z}{$1}r;
	!$guard ? "$_: has no guard"
	    : $guard !~ /_\Q$noun\E_H\z/ ? "$_: the guard is called $guard"
	    : code($_) !~ /#endif\s*\z/ ? "$_: the guard ends too early" : ();
} @headers);
keeps('no function has more than one label to leave by', map {
	my $path = $_;
	my @lines = split /\n/, code($path), -1;
	map {
		my ($name, $start, $count) = @$_;
		my %label = map { /^\s?(\w+):\s*\z/ && $1 ne 'default'
			? ($1 => 1) : () }
			@lines[$start - 1 .. $start + $count - 2];
		keys %label > 1 || (keys %label && !$label{out})
		    ? "$path:$start: $name has " . join(', ', sort keys %label)
		    : ();
	} functions($path);
} grep { /\.c\z/ } @c);

# The build ------------------------------------------------------------------

my $makefile = text('Makefile.am') =~ s/\\\n/ /gr;
my ($nodist) = $makefile =~ /^nodist_\w+ = (.*)/m;
my %made = map { $_ => 1 } split ' ', $nodist // '';
my %listed;
while ($makefile =~ /^\w+_SOURCES \+?= *(.*)/mg) {
	$listed{$_} = 1 for grep { !$made{$_} } split ' ', $1;
}
ok(%listed > 20, 'Makefile.am lists sources');
keeps('Makefile.am lists every C file of the programs',
	map { "$_: is not in Makefile.am" }
		grep { !$listed{$_} } matching(qr{^(?:common|ctl|fcgi)/.*\.[ch]\z}));
my %built = map { $_ => 1 } map { split } $makefile =~ /^fuzz_programs = (.*)/m;
keeps('Makefile.am lists every fuzz target',
	map { "$_.c: is not in Makefile.am" } grep { !$built{$_} }
		map { s/\.c\z//r } matching(qr{^tests/fuzz/fuzz_\w+\.c\z}));
keeps('every file that Makefile.am lists is there',
	map { "$_: Makefile.am lists it, but it is not there" }
		grep { !m{\$} && !-e "$Devcred::Source::TOP/$_" }
		sort keys %listed, map { split } $makefile
			=~ /^(?:dist_man_MANS|EXTRA_DIST|sql_files) \+?= *(.*)/mg);

done_testing;
