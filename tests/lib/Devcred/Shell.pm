package Devcred::Shell;

# Where things are, and the doors to other programs.

use strict;
use warnings;
use Cwd ();
use File::Basename ();
use File::Temp ();
use Time::HiRes ();

our $TOP = Cwd::realpath(File::Basename::dirname(__FILE__) . '/../../..');
our $BIN = $ENV{DEVCRED_BINDIR} // $TOP;

# Run a program to its end.  Options: in (its input), env (hash), where
# (folder for its output; default: a folder of its own).  Returns its exit
# status (256 and the signal, if one ended it) and what it wrote.
sub run {
	my ($command, %arg) = @_;
	my $out = File::Temp->new;
	my $in  = File::Temp->new;

	binmode $in;
	print {$in} $arg{in} // '' or die "write: $!\n";
	$in->flush;
	seek $in, 0, 0;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDIN, '<', "$in" or die "$in: $!\n";
		open STDOUT, '>', "$out" or die "$out: $!\n";
		open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
		local %ENV = (%ENV, %{ $arg{env} || {} });
		exec { $command->[0] } @$command
		    or print STDERR "$command->[0]: $!\n";
		POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my $status = $? & 127 ? 256 + ($? & 127) : $? >> 8;
	open my $file, '<', "$out" or die "$out: $!\n";
	local $/;
	my $text = <$file> // '';
	return ($status, $text);
}

# Call a function of deploy/lib/private.sh; dies with its words on failure.
sub private {
	my ($function, @arg) = @_;
	my %env = (DEVCRED_BINDIR => $BIN);
	%env = (%env, %{ pop @arg }) if ref $arg[-1];
	my ($status, $text) = run(
		['bash', '-c', 'set -euo pipefail; . "$1"; shift; "$@"', 'bash',
			"$TOP/deploy/lib/private.sh", $function, @arg],
		env => \%env);
	die "$function @arg failed ($status):\n$text" if $status;
	return $text;
}

# devcredctl with a settings file; returns its exit status and what it wrote.
sub ctl {
	my ($conf, $in, @arg) = @_;
	return run(["$BIN/devcredctl", '-c', $conf, @arg], in => $in);
}

# How much of something a test does: so much, or in the long form (make
# check-long) that much.
sub short_or_long {
	my ($short, $long) = @_;
	return $ENV{DEVCRED_LONG} ? $long : $short;
}

# Wait until a condition holds; returns what it returned, false when the
# deadline (in seconds) has passed.
sub until_true {
	my ($condition, $deadline) = @_;
	my $end = Time::HiRes::time() + ($deadline // 15);

	for (;;) {
		my $is = $condition->();
		return $is if $is || Time::HiRes::time() > $end;
		select undef, undef, undef, 0.01;
	}
}

# A new folder for a server and its socket, which other users may enter.
sub new_dir {
	my $parent = $ENV{DEVCRED_TEST_TMP} // '/tmp';
	my $dir = File::Temp::tempdir('dcXXXXXX', DIR => $parent);
	chmod 0755, $dir;
	return $dir;
}

sub write_file {
	my ($path, $text, $mode) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print {$file} $text or die "$path: $!\n";
	close $file or die "$path: $!\n";
	chmod $mode, $path if defined $mode;
	return;
}

sub read_file {
	my ($path) = @_;
	open my $file, '<:raw', $path or return '';
	local $/;
	return <$file> // '';
}

require POSIX;
1;
