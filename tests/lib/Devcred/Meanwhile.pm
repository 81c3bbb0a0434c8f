package Devcred::Meanwhile;

# Somebody who goes on asking while a test does something else: a process of
# its own, which asks again and again until it is told to stop.

use strict;
use warnings;
use IO::Select;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

my $PAUSE = 0.02;    # seconds between two questions

# ask returns undef if all is well, else what is wrong.
sub start {
	my ($class, $ask) = @_;
	pipe my $stopped, my $stop or die "pipe: $!\n";
	pipe my $from, my $to or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		close $_ for $stop, $from;
		syswrite $to, JSON::PP::encode_json(go_on($ask, $stopped));
		POSIX::_exit(0);
	}
	close $_ for $stopped, $to;
	return bless { pid => $pid, stop => $stop, from => $from, owner => $$ },
	    $class;
}

# Ask until the other end is closed.
sub go_on {
	my ($ask, $stopped) = @_;
	my $end = IO::Select->new($stopped);
	my %seen = (asked => 0, slowest => 0, wrong => []);

	until ($end->can_read($PAUSE)) {
		my $start = Time::HiRes::time();
		my $wrong = eval { $ask->() } // ($@ ? "$@" : undef);
		my $took = Time::HiRes::time() - $start;
		$seen{asked}++;
		$seen{slowest} = $took if $took > $seen{slowest};
		push @{ $seen{wrong} }, substr $wrong, 0, 500
		    if defined $wrong && @{ $seen{wrong} } < 10;
	}
	return \%seen;
}

# What it saw: how often it asked, the slowest answer in seconds, and the
# first ten that were wrong.
sub stop {
	my ($self) = @_;
	local $/;

	close delete $self->{stop};
	my $text = readline $self->{from};
	waitpid delete $self->{pid}, 0;
	return JSON::PP::decode_json($text);
}

sub DESTROY {
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	local ($?, $!);
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	return;
}

1;
