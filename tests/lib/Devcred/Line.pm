package Devcred::Line;

# A connection to a web server that is kept, and made anew when it is gone, as
# the clients of a fleet have it.

use strict;
use warnings;

use Devcred::Answer;
use Devcred::Http;

my $PATIENCE = 12;    # seconds; the service gives up before that

sub new {
	my ($class, $port) = @_;
	return bless { port => $port, rest => '' }, $class;
}

# What makes the bytes of requests, for a login.
sub client {
	my ($self, $login) = @_;
	return Devcred::Http->new(port => $self->{port}, login => $login);
}

sub opened {
	my ($self) = @_;
	$self->{socket} //= eval { $self->client->connect };
	return $self->{socket};
}

sub drop {
	my ($self) = @_;
	close $self->{socket} if $self->{socket};
	@$self{qw(socket rest)} = (undef, '');
	return;
}

# Send a request and read its answer; status is 0 if it was lost.
sub ask {
	my ($self, $bytes) = @_;
	$self->send($bytes);
	return $self->receive;
}

# The two halves of that.
sub send {
	my ($self, $bytes) = @_;
	$self->{sent} = $self->opened && Devcred::Http::send_all($self->{socket}, $bytes);
	return;
}
sub receive {
	my ($self) = @_;
	my $answer = { status => 0, whole => 0 };

	if ($self->{sent}) {
		$answer = Devcred::Answer->read($self->{socket},
			rest => \$self->{rest}, timeout => $PATIENCE);
	}
	$answer->{status} = 0 unless $answer->{whole};
	$self->drop if !$answer->{status}
	    || ($answer->header('connection') // '') =~ /close/i;
	return bless $answer, 'Devcred::Answer';
}

# Send a request and do not wait for the answer.
sub ask_and_leave {
	my ($self, $bytes) = @_;
	Devcred::Http::send_all($self->{socket}, $bytes) if $self->opened;
	$self->drop;
	return;
}

1;
