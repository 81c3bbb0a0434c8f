#!/usr/bin/perl
# The bench knows its cases, doc/performance.md tells of each, and what is
# written down of a result is what was measured.  It is not run here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../bench/lib";
use File::Basename ();
use File::Temp ();
use JSON::PP ();
use Test::More;

use Bench;
use Devcred::Shell;

my $top = $Devcred::Shell::TOP;
my @cases = map { File::Basename::basename($_, '.pm') } glob "$top/tests/bench/cases/*.pm";

# Cases ------------------------------------------------------------------------

my ($status, $help) = Devcred::Shell::run(["$top/tests/bench/run", '--help']);
is($status, 0, 'tests/bench/run has help, without installing anything');
my ($named) = $help =~ /^Cases: (.*?)\.\s/ms;
is_deeply([sort grep { !/^(?:and|which|takes|an|hour|12|GB|is|run|only|if|it|named)$/ }
	($named // '') =~ /\w+/g], [sort @cases], 'it names each case that there is');
($status, my $text) = Devcred::Shell::run(['perl', "$top/tests/bench/bench.pl", 'nonsense']);
is($status, 2, 'a case that there is not is a mistake');
like($text, qr/no case nonsense; there are poll /, 'which says what there is');
my $page = Devcred::Shell::read_file("$top/doc/performance.md");
my @missing = grep { $page !~ /^\| \Q$_\E \|/m } @cases;
is("@missing", '', 'doc/performance.md tells what came of each');

# Results ----------------------------------------------------------------------

my $file = File::Temp->new;
{
	# what it tells who waits
	open my $kept, '>&', \*STDERR or die "dup: $!\n";
	open STDERR, '>', '/dev/null' or die "null: $!\n";
	Bench->setup(json => "$file");
	Bench->case_is('example');
	Bench::result('less is better', ours => [10, 30, 11], reference => [10, 10, 10],
		target => '<= 1.2');
	Bench::result('more is better', ours => 0.8, target => '>= 0.85');
	Bench::result('only told', ours => [1, 2]);
	open STDERR, '>&', $kept or die "dup: $!\n";
}
my @told = map { JSON::PP::decode_json($_) } split /\n/, Devcred::Shell::read_file("$file");
is_deeply([sort keys %{ $told[0] }],
	[qw(case met metric ours ratio reference target)], 'a result is what the head of run says');
is($told[0]{ratio}, 1.1, 'the ratio is the median of those of the rounds');
ok($told[0]{met} && !$told[1]{met}, 'a target is met, or not');
is($told[2]{met}, undef, 'where there is none it is only told');
is($told[2]{ours}, 1.5, 'of rounds the median');

done_testing;
