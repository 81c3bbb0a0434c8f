package Devcred::Fcgi;

# A FastCGI client (FastCGI Specification 1.0) that writes what it is told to,
# straight to a Unix socket, as a web server that is broken or hostile would.

use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use MIME::Base64 ();
use Time::HiRes ();

use Devcred::Http;

our %TYPE = (begin => 1, abort => 2, end => 3, params => 4, stdin => 5,
	stdout => 6, stderr => 7, data => 8, get_values => 9);
our $TIMEOUT = 15;

sub connect {
	my ($path) = @_;
	return IO::Socket::UNIX->new(Peer => $path, Type => SOCK_STREAM)
	    // die "$path: $!\n";
}

# One record; the type by name or number.
sub record {
	my ($type, $id, $content, %arg) = @_;
	my $padding = $arg{padding} // 0;
	return pack('CCnnCC', $arg{version} // 1, $TYPE{$type} // $type, $id,
		$arg{length} // length $content, $padding, 0)
	    . $content . "\0" x $padding;
}

sub begin {
	my ($id, %arg) = @_;
	return record('begin', $id,
		pack('nCx5', $arg{role} // 1, $arg{keep} ? 1 : 0),
		padding => $arg{padding});
}

sub pairs {
	my (@pair) = @_;
	my $bytes = '';
	while (my ($name, $value) = splice @pair, 0, 2) {
		$bytes .= join '', map {
			length $_ < 128 ? pack('C', length $_)
			    : pack('N', 0x80000000 | length $_)
		} $name, $value;
		$bytes .= $name . $value;
	}
	return $bytes;
}

# The variables of a request as a web server passes them, in order; more has
# others, or other values.
sub variables {
	my ($method, $uri, %arg) = @_;
	my $body = $arg{body} // '';
	my %more = %{ $arg{more} || {} };
	my @usual = (
		GATEWAY_INTERFACE => 'CGI/1.1', SERVER_PROTOCOL => 'HTTP/1.1',
		REQUEST_METHOD => $method, REQUEST_URI => $uri,
		SERVER_NAME => '127.0.0.1', SERVER_PORT => 80,
		REMOTE_ADDR => '127.0.0.1', HTTP_HOST => '127.0.0.1',
		QUERY_STRING => $uri =~ /\?(.*)/s ? $1 : '',
		(length $body ? (CONTENT_LENGTH => $arg{length} // length $body,
			CONTENT_TYPE => 'application/json') : ()),
		(defined $arg{login} ? (HTTP_AUTHORIZATION => 'Basic '
			. MIME::Base64::encode_base64($arg{login}, '')) : ()),
	);
	my @all;
	while (my ($name, $value) = splice @usual, 0, 2) {
		push @all, $name => delete $more{$name} // $value;
	}
	return (@all, map { $_ => $more{$_} } sort keys %more);
}

# A whole request.  Options: id, keep, body, login, length, more.
sub request {
	my ($method, $uri, %arg) = @_;
	my $id = $arg{id} // 1;
	my $body = $arg{body} // '';
	return begin($id, keep => $arg{keep})
	    . record('params', $id, pairs(variables($method, $uri, %arg)))
	    . record('params', $id, '')
	    . (length $body ? record('stdin', $id, $body) : '')
	    . record('stdin', $id, '');
}

# Write it all; false if the peer closed first.
sub send_all { return Devcred::Http::send_all(@_) }

# Read exactly n bytes, or what came before the peer closed or the deadline.
sub read_bytes {
	my ($socket, $n, $deadline) = @_;
	my $bytes = '';
	while (length $bytes < $n) {
		my $left = $deadline - Time::HiRes::time();
		last if $left <= 0
		    || !IO::Select->new($socket)->can_read($left);
		last unless sysread $socket, $bytes, $n - length $bytes,
		    length $bytes;
	}
	return $bytes;
}

# Read one answer: { whole, status, head, body }.
sub answer {
	my ($socket, %arg) = @_;
	my $deadline = Time::HiRes::time() + ($arg{timeout} // $TIMEOUT);
	my %answer = (whole => 0, status => 0, out => '');

	while (length(my $head = read_bytes($socket, 8, $deadline)) == 8) {
		my (undef, $type, undef, $length, $padding) =
		    unpack 'CCnnC', $head;
		my $content = read_bytes($socket, $length + $padding,
			$deadline);
		last if length $content < $length + $padding;
		$answer{out} .= substr $content, 0, $length
		    if $type == $TYPE{stdout};
		if ($type == $TYPE{end}) {
			$answer{whole} = 1;
			last;
		}
	}
	@answer{qw(head body)} = split /\r\n\r\n/, $answer{out}, 2;
	$answer{status} = ($answer{head} // '') =~ /^Status: (\d+)/m ? $1
	    : length $answer{out} ? 200 : 0;
	return \%answer;
}

# Send bytes on a connection of their own and read the answer.
sub exchange {
	my ($path, $bytes, %arg) = @_;
	my $socket = Devcred::Fcgi::connect($path);
	send_all($socket, $bytes);
	shutdown $socket, 1 if $arg{finish};
	my $answer = answer($socket, %arg);
	close $socket;
	return $answer;
}

1;
