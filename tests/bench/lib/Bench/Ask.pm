package Bench::Ask;

# One client that asks one thing after the other, and what each took.

use strict;
use warnings;
use Exporter qw(import);
use IO::Socket::INET;
use Time::HiRes qw(time);

use Bench;
use Devcred::Answer;

our @EXPORT_OK = qw(times_of slowest);

# Milliseconds of so many requests, bytes each or a function that makes them,
# over one connection that is kept.  Dies if a status is not the one expected.
sub times_of {
	my ($port, $bytes, $n, $status) = @_;
	my $socket = open_to($port);
	my @ms;

	for (1 .. $n) {
		my $request = ref $bytes ? $bytes->() : $bytes;
		my $start = time;
		my $answer = ask($socket, $request);
		if (!$answer) {	# a web server may end what it has kept
			$socket = open_to($port);
			$answer = ask($socket, $request) // die "closed without an answer\n";
		}
		push @ms, (time - $start) * 1e3;
		die $answer->told if !$answer->{whole} || $answer->status != $status;
		$socket = open_to($port) if ($answer->header('connection') // '') =~ /close/i;
	}
	return @ms;
}

# Nothing if the connection is closed before an answer begins.
sub ask {
	my ($socket, $request) = @_;
	local $SIG{PIPE} = 'IGNORE';
	return unless syswrite $socket, $request;
	my $answer = Devcred::Answer->read($socket, timeout => 30);
	return $answer->{whole} || length $answer->{head} ? $answer : undef;
}

sub open_to {
	my ($port) = @_;
	return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 10)
	    || die "port $port: $@\n";
}

# The time that so many of a hundred do not exceed.
sub slowest {
	my ($percent, @ms) = @_;
	my @sorted = sort { $a <=> $b } @ms;
	return $sorted[ int(($#sorted) * $percent / 100) ];
}

1;
