package Devcred::Http;

# A client of the HTTP server under test.  It writes exactly the bytes it is
# told to, because much of what is tested is what other clients would refuse
# to send.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 ();
use Time::HiRes ();

use Devcred::Answer;

our $TIMEOUT = 30;    # seconds until an answer is given up
our $VENDOR  = 'application/vnd.com.nsn.cumulocity.';

# A client; login is "tenant/user:password" or undef.
sub new {
	my ($class, %arg) = @_;
	return bless { port => $arg{port}, login => $arg{login} }, $class;
}

# The same server, with another login.
sub as {
	my ($self, $login) = @_;
	return __PACKAGE__->new(port => $self->{port}, login => $login);
}

sub connect {
	my ($self) = @_;
	my $socket = IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => $self->{port},
		Timeout  => $TIMEOUT,
	) or die "port $self->{port}: $@\n";
	return $socket;
}

sub basic {
	my ($login) = @_;
	return 'Basic ' . MIME::Base64::encode_base64($login, '');
}

# The bytes of a request.  Options: body; type and accept (a TYPE of the
# reference such as "newDeviceRequest", or any media type with a slash);
# headers (list of lines); login (overrides the client's; undef: none);
# host; length (announced, if not the body's; undef: no header); keep.
sub bytes {
	my ($self, $method, $path, %arg) = @_;
	my $login = exists $arg{login} ? $arg{login} : $self->{login};
	my $host = exists $arg{host} ? $arg{host} : "127.0.0.1:$self->{port}";
	my @head = ("$method $path HTTP/1.1");

	push @head, "Host: $host" if defined $host;
	push @head, 'Authorization: ' . basic($login) if defined $login;
	push @head, 'Content-Type: ' . media($arg{type}) if defined $arg{type};
	push @head, 'Accept: ' . media($arg{accept}) if defined $arg{accept};
	my $length = exists $arg{length} ? $arg{length}
	    : defined $arg{body} ? length $arg{body} : undef;
	push @head, "Content-Length: $length" if defined $length;
	push @head, @{ $arg{headers} || [] };
	push @head, 'Connection: close' unless $arg{keep};
	return join("\r\n", @head) . "\r\n\r\n" . ($arg{body} // '');
}

sub media {
	my ($type) = @_;
	return $type =~ m{[/*]} ? $type : "$VENDOR$type+json;ver=0.9";
}

# Send a request on a connection of its own and read the answer.
sub request {
	my ($self, $method, $path, %arg) = @_;
	return $self->raw($self->bytes($method, $path, %arg),
		head => $method eq 'HEAD');
}

# Send any bytes and read one answer.  Options: head (no body follows);
# finish (close our side after sending).
sub raw {
	my ($self, $bytes, %arg) = @_;
	my $socket = $self->connect;
	my $sent   = send_all($socket, $bytes);

	shutdown $socket, 1 if $arg{finish};
	my $answer = Devcred::Answer->read($socket,
		head => $arg{head}, timeout => $arg{timeout} // $TIMEOUT);
	$answer->{request} = $bytes;
	$answer->{unsent}  = 1 unless $sent;
	close $socket;
	return $answer;
}

# Write it all; false if the peer closed first, which it may.
sub send_all {
	my ($socket, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';

	while (length $bytes) {
		my $n = syswrite $socket, $bytes;
		return 0 unless defined $n;
		substr $bytes, 0, $n, '';
	}
	return 1;
}

# Many requests at once: all are sent before the first answer is read.
sub parallel {
	my ($self, @bytes) = @_;
	my @sockets = map { $self->connect } @bytes;

	send_all($sockets[$_], $bytes[$_]) for 0 .. $#bytes;
	return map {
		my $answer = Devcred::Answer->read($_, timeout => $TIMEOUT);
		close $_;
		$answer
	} @sockets;
}

# What the reference's clients do -------------------------------------------

our $REQUESTS    = '/devicecontrol/newDeviceRequests';
our $CREDENTIALS = '/devicecontrol/deviceCredentials';

sub get {
	my ($self, $path, %arg) = @_;
	return $self->request('GET', $path, %arg);
}

# Create a request; body is JSON text, or made of id and more fields.
sub register {
	my ($self, $id, %arg) = @_;
	my $body = delete $arg{body} // to_json(id => $id, %{ $arg{with} || {} });
	return $self->request('POST', $REQUESTS, type => 'newDeviceRequest',
		accept => 'newDeviceRequest', body => $body, %arg);
}

sub look {
	my ($self, $id, %arg) = @_;
	return $self->request('GET', path_of($id),
		accept => 'newDeviceRequest', %arg);
}

# Change the status of a request; more fields in with.
sub update {
	my ($self, $id, $status, %arg) = @_;
	my $body = delete $arg{body}
	    // to_json(status => $status, %{ $arg{with} || {} });
	return $self->request('PUT', path_of($id), type => 'newDeviceRequest',
		accept => 'newDeviceRequest', body => $body, %arg);
}

sub accept_device {
	my ($self, $id, %arg) = @_;
	return $self->update($id, 'ACCEPTED', %arg);
}

sub remove {
	my ($self, $id, %arg) = @_;
	return $self->request('DELETE', path_of($id), %arg);
}

# What a device sends to get its credentials, as bytes and as a request.
sub poll_bytes {
	my ($self, $id, %arg) = @_;
	my $body = delete $arg{body} // to_json(id => $id, %{ $arg{with} || {} });
	return $self->bytes('POST', $CREDENTIALS, type => 'deviceCredentials',
		accept => 'deviceCredentials', body => $body, %arg);
}

sub poll {
	my ($self, $id, %arg) = @_;
	return $self->raw($self->poll_bytes($id, %arg));
}

sub path_of {
	my ($id) = @_;
	(my $escaped = $id) =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
	return "$REQUESTS/$escaped";
}

# A JSON object of these fields in UTF-8; values are bytes already.
sub to_json {
	my (%field) = @_;
	require JSON::PP;
	my $json = JSON::PP->new->canonical;
	return $json->encode(\%field);
}

1;
