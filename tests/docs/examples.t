#!/usr/bin/perl
# The commands in README.md and the guides do what they say: they are run, in
# the order they stand there, against what deploy/quickstart has set up.
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Quickstart;
use Devcred::Shell;

my $top = $Devcred::Shell::TOP;
my $quickstart = Devcred::Quickstart->new;

# The sh blocks of a file, in order.
sub blocks {
	my ($file) = @_;
	return Devcred::Shell::read_file("$top/$file") =~ /^```sh\n(.*?)^```$/gms;
}

# Run blocks in one shell, as a reader would paste them.
sub run_blocks {
	my (@blocks) = @_;
	my $script = File::Temp->new;
	print $script "set -eu\ncd '$quickstart->{work}'\n", @blocks;
	close $script;
	return Devcred::Shell::run(['bash', "$script"]);
}

my ($status, $out) = $quickstart->run('up');
is($status, 0, 'deploy/quickstart succeeds') or BAIL_OUT($out);

# guides name files as of the top
symlink "$top/doc", "$quickstart->{work}/doc" or die "doc: $!\n";

# the three commands it prints are to be pasted as they are
my $pasted = join '', grep { !/^\s*\d/ }
    map { "$_\n" } $out =~ /^\s*((?:\. |curl ).*?(?:\\\n.*?)*)$/gm;
my ($rc, $answer) = run_blocks($pasted);
is($rc, 0, 'the commands that quickstart prints work when pasted')
    or diag($pasted, $answer);
like($answer, qr/"status":"WAITING_FOR_CONNECTION"/,
    'the first of them registers a device');

my @all = blocks('README.md');
my @readme = grep { !m{^(?:deploy/quickstart|tests/run)$}m } @all;
is(@all - @readme, 2,
    'README.md has its two commands, which are run here and by tests/run');
($rc, $answer) = run_blocks(@readme);
is($rc, 0, 'the commands of README.md succeed') or diag($answer);
like($answer, qr/201 Created.*404 Not Found.*200 OK.*201 Created/s,
    'they show the answers README.md describes');
like($answer, qr/"username":"device_1234","password":"\w{32}"/,
    'the device has its credentials');
like($answer, qr{t1/admin}, 'the DBA sees who accepted it');

for my $guide (map { s{^\Q$top/\E}{}r } sort glob "$top/doc/*.md") {
	my @guide = blocks($guide) or next;
	($rc, $answer) = run_blocks(@guide);
	is($rc, 0, "the commands of $guide succeed") or diag($answer);
	unlike($answer, qr/"error":"(?!devicecontrol.Not Found)/,
	    "the service finds nothing wrong with those of $guide");
}

done_testing();
