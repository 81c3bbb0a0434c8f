#!/usr/bin/perl
# The benchmark itself; tests/bench/run installs and builds what it needs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Getopt::Long ();

use Bench;
use Bench::Place;

# In their order; the last only by name.
my @cases = qw(poll issue first_poll create list login memory overload peers bulk);
my @by_name = qw(size);

my ($quick, $json, $devices);
Getopt::Long::GetOptions('quick' => \$quick, 'json=s' => \$json, 'devices=i' => \$devices)
    or exit 2;
my %known = map { $_ => 1 } @cases, @by_name;
for my $case (@ARGV) {
	next if $known{$case};
	print STDERR "there is no case $case; there are @cases @by_name\n";
	exit 2;
}
$SIG{INT} = $SIG{TERM} = sub { exit 2 };
Bench->setup(quick => $quick, json => $json);
my $place;
my $missed = 1;
for my $case (@ARGV ? @ARGV : @cases) {
	$place //= Bench::Place->new(devices => $devices // ($quick ? 200_000 : 1_000_000));
	print STDERR "-- $case\n";
	require "$FindBin::Bin/cases/$case.pm";
	Bench->case_is($case);
	"Bench::Case::$case"->can('run')->($place);
}
$missed = Bench::finish();

END {
	my $status = $?;
	undef $place;
	Devcred::Site::stop_all();
	$? = $status;
}
exit($missed ? 1 : 0);
