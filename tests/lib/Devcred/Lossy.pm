package Devcred::Lossy;

# A proxy that loses answers: it reads some of them wholly (those 201, or of a
# status that it is told), notes what they said, and closes the connection instead
# of passing them on.  What they told had been committed by then.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();

# Start one before a port in a process of its own.  Options: port, log (path),
# share (of the answers), most (of them; any number), seed, lose (pattern of the
# statuses; 201).
sub new {
	my ($class, %arg) = @_;
	my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		Listen => 64) or die "no proxy: $@\n";
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		local @SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
		local $SIG{PIPE} = 'IGNORE';
		srand $arg{seed};
		eval { serve({ %arg, listen => $listen }); 1 } or warn $@;
		POSIX::_exit(1);
	}
	return bless { pid => $pid, port => $listen->sockport }, $class;
}

sub stop {
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	kill 'KILL', $pid;
	waitpid $pid, 0;
	return;
}

# Everything below is in the proxy's process.
sub serve {
	my ($self) = @_;
	my $select = IO::Select->new($self->{listen});
	my %peer;    # by socket: { to, out, text }; out: towards the client

	open $self->{out}, '>>', $self->{log} or die "$self->{log}: $!\n";
	for (;;) {
		for my $socket ($select->can_read) {
			if ($socket == $self->{listen}) {
				join_sockets($self, $select, \%peer);
				next;
			}
			my $side = $peer{$socket} or next;
			next if pass($self, $socket, $side);
			$select->remove($socket, $side->{to});
			delete @peer{$socket, $side->{to}};
			close $_ for $socket, $side->{to};
		}
	}
}

sub join_sockets {
	my ($self, $select, $peer) = @_;
	my $client = $self->{listen}->accept or return;
	my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $self->{port});

	if (!$server) {
		close $client;
		return;
	}
	$peer->{$client} = { to => $server, out => 0, text => '' };
	$peer->{$server} = { to => $client, out => 1, text => '' };
	$select->add($client, $server);
	return;
}

# Pass on what came; false if the connection is to end.
sub pass {
	my ($self, $socket, $side) = @_;
	my $n = sysread $socket, $side->{text}, 65536, length $side->{text};

	return 0 unless $n;
	if ($side->{out}) {
		return 1 unless is_whole($side->{text});
		my ($status) = $side->{text} =~ m{\AHTTP/1\.1 (\d+) };
		return 0 if $status =~ ($self->{lose} // qr/\A201\z/)
		    && rand() < $self->{share} && ($self->{most} // 1)
		    && note($self, $side->{text});
	}
	my $text = $side->{text};
	$side->{text} = '';
	while (length $text) {
		my $sent = syswrite $side->{to}, $text or return 0;
		substr $text, 0, $sent, '';
	}
	return 1;
}

# Whether an answer has come to its end.
sub is_whole {
	my ($head, $body) = split /\r\n\r\n/, $_[0], 2;
	return 0 unless defined $body;
	return length $body >= $1 if $head =~ /^content-length: *(\d+)/mi;
	return $body =~ /(?:\A|\r\n)0\r\n\r\n\z/
	    if $head =~ /^transfer-encoding: *chunked/mi;
	return 1;
}

sub note {
	my ($self, $text) = @_;
	my ($json) = $text =~ /(\{.*\})/s;
	my $said = $json ? JSON::PP->new->utf8->decode($json) : {};

	$self->{most}-- if defined $self->{most};
	syswrite $self->{out}, defined $said->{password} ?
	    "lost $said->{id} $said->{password}\n" :
	    'gone ' . substr($text, 9, 3) . "\n";
	return 1;
}

1;
