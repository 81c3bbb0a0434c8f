#!/usr/bin/perl
# The commands in README.md and the guides do what they say: they are run, in
# the order they stand there, against what deploy/quickstart has set up.
use strict;
use warnings;
use Cwd qw(realpath);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;

my $top = realpath(dirname(__FILE__) . '/../..');
my $dir = tempdir('dcXXXXXX', DIR => $ENV{DEVCRED_TEST_TMP} // '/tmp',
	CLEANUP => 0) . '/q';
chmod 0755, dirname($dir);

# A port that was free a moment ago.
sub free_port {
	my $sock = IO::Socket::INET->new(
		Listen    => 1,
		LocalAddr => '127.0.0.1',
		ReuseAddr => 1,
	) or die "no free port: $!";
	return $sock->sockport;
}

sub quickstart {
	my (@args) = @_;
	my $out = qx(cd '$top' && deploy/quickstart @args --dir '$dir' 2>&1);
	return ($?, $out);
}

# The sh blocks of a file, in order.
sub blocks {
	my ($file) = @_;
	open my $in, '<', "$top/$file" or die "$file: $!";
	my $text = do { local $/; <$in> };
	return $text =~ /^```sh\n(.*?)^```$/gms;
}

# Run blocks in one shell, as a reader would paste them.
sub run_blocks {
	my (@blocks) = @_;
	my $script = File::Temp->new(DIR => dirname($dir));
	print $script "set -eu\nDEVCRED_ENV='$dir/env'\n", @blocks;
	close $script;
	my $out = qx(bash '$script' 2>&1);
	return ($?, $out);
}

my $port = free_port();
my ($status, $out) = quickstart('up', '--port', $port);
is($status, 0, 'deploy/quickstart succeeds') or BAIL_OUT($out);
is((stat "$dir/env")[2] & 07777, 0600, 'its env file is for its owner alone');

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

($status, $out) = quickstart('demo');
is($status, 0, 'deploy/quickstart demo plays it through') or diag($out);
($status, $out) = quickstart('up', '--port', $port);
is($status, 0, 'a second deploy/quickstart changes nothing') or diag($out);
($status, $out) = quickstart('status');
is($status, 0, 'deploy/quickstart status says that all runs') or diag($out);
($status, $out) = quickstart('down');
is($status, 0, 'deploy/quickstart down stops it') or diag($out);
($status, $out) = quickstart('status');
isnt($status, 0, 'then status says that nothing runs');

END {
	my $rc = $?;
	if (-d $dir) {
		my ($failed, $said) = quickstart('destroy', '--yes');
		diag($said) if $failed;
	}
	rmdir dirname($dir);
	$? = $rc;
}
done_testing();
