package Devcred::Answer;

# One answer of an HTTP server, read from a socket as the protocol says.

use strict;
use warnings;
use IO::Select;
use JSON::PP ();
use Time::HiRes ();

# Read one answer.  status is 0 if none came; seconds says how long it took.
sub read {
	my ($class, $socket, %arg) = @_;
	my $self = bless {
		status => 0, reason => '', head => '', headers => [],
		body   => '', whole => 0, why => '',
		start  => Time::HiRes::time(),
		until  => Time::HiRes::time() + ($arg{timeout} // 30),
		socket => $socket, rest => ${ $arg{rest} // \'' },
	}, $class;

	if ($self->read_head) {
		$self->{whole} = $self->read_body($arg{head});
	}
	$self->{seconds} = Time::HiRes::time() - $self->{start};
	${ $arg{rest} } = $self->{rest} if $arg{rest};
	delete $self->{socket};
	return $self;
}

# Get more bytes; false at the end, or when it took too long.
sub more {
	my ($self) = @_;
	my $left = $self->{until} - Time::HiRes::time();
	my $n    = 0;

	if ($left > 0 && IO::Select->new($self->{socket})->can_read($left)) {
		$n = sysread $self->{socket}, $self->{rest}, 65536,
		    length $self->{rest};
		$self->{why} = defined $n ? 'closed' : "$!";
	} else {
		$self->{why} = 'timeout';
	}
	return $n;
}

sub read_head {
	my ($self) = @_;

	do {
		while ($self->{rest} !~ /\r?\n\r?\n/) {
			return 0 unless $self->more;
		}
		$self->{rest} =~ s/\A(.*?)\r?\n\r?\n//s;
		$self->{head} = $1;
		my ($first, @lines) = split /\r?\n/, $self->{head};
		return 0 unless $first =~ m{\AHTTP/1\.[01] (\d\d\d) ?(.*)};
		($self->{status}, $self->{reason}) = ($1, $2);
		$self->{headers} =
		    [map { /\A([^:]+):\s*(.*?)\s*\z/ ? [lc $1, $2] : () } @lines];
	} while ($self->{status} =~ /\A1/);
	return 1;
}

# Read the body that was announced; true if it came whole.
sub read_body {
	my ($self, $head_only) = @_;
	my $length = $self->header('content-length');

	if ($head_only || $self->{status} =~ /\A(?:204|304)\z/) {
		return 1;
	}
	if (lc($self->header('transfer-encoding') // '') eq 'chunked') {
		return $self->read_chunks;
	}
	if (!defined $length) {
		1 while $self->more;
		$self->{body} = $self->{rest};
		$self->{rest} = '';
		return $self->{why} eq 'closed';
	}
	while (length $self->{rest} < $length) {
		last unless $self->more;
	}
	$self->{body} = substr $self->{rest}, 0, $length, '';
	return length $self->{body} == $length;
}

sub read_chunks {
	my ($self) = @_;

	for (;;) {
		while ($self->{rest} !~ /\n/) {
			return 0 unless $self->more;
		}
		return 0 unless $self->{rest} =~ s/\A([0-9A-Fa-f]+)[^\n]*\n//;
		my $size = hex $1;
		while (length $self->{rest} < $size + 2) {
			return 0 unless $self->more;
		}
		$self->{body} .= substr $self->{rest}, 0, $size, '';
		$self->{rest} =~ s/\A\r?\n//;
		return 1 if $size == 0;
	}
}

sub status { return $_[0]{status} }
sub body   { return $_[0]{body} }

# The first header of a name, or undef; all of them in a list.
sub header {
	my ($self, $name) = @_;
	my @found = map { $_->[1] } grep { $_->[0] eq lc $name }
	    @{ $self->{headers} };
	return wantarray ? @found : $found[0];
}

# Its media type in lower case (Apache makes it so), without parameters.
sub media {
	my ($self) = @_;
	my $type = $self->header('content-type');
	return '' unless defined $type;
	$type =~ s/\s*;.*//s;
	return lc $type;
}

# The TYPE of a media type of the reference, in lower case.
sub type {
	my ($self) = @_;
	return $self->media =~ m{\Aapplication/vnd\.com\.nsn\.cumulocity\.(.+)\+json\z}
	    ? $1 : $self->media;
}

# The body as a Perl structure with strings of UTF-8 bytes; undef if it is
# not JSON.
sub json {
	my ($self) = @_;
	return $self->{json} if exists $self->{json};
	my $json = eval { JSON::PP->new->utf8->decode($self->{body}) };
	return $self->{json} = as_bytes($json);
}

sub as_bytes {
	my ($value) = @_;
	if (ref $value eq 'HASH') {
		return { map { (as_bytes($_) => as_bytes($value->{$_})) }
			keys %$value };
	}
	return [map { as_bytes($_) } @$value] if ref $value eq 'ARRAY';
	if (defined $value && !ref $value) {
		my $copy = "$value";
		utf8::encode($copy);
		return $copy;
	}
	return $value;
}

# A field of the body, or undef.
sub field {
	my ($self, $name) = @_;
	my $json = $self->json;
	return ref $json eq 'HASH' ? $json->{$name} : undef;
}

# The exchange as text for people, without logins.
sub told {
	my ($self) = @_;
	my $text = '';

	if (defined $self->{request}) {
		my $request = substr $self->{request}, 0, 2000;
		$request =~ s/^(Authorization: \w+ ).*$/$1.../mg;
		$text .= join '', map { "> $_\n" } split /\r?\n/, $request;
	}
	$text .= join '', map { "< $_\n" }
	    split /\r?\n/, "$self->{head}\n\n" . substr $self->{body}, 0, 2000;
	$text .= "(the answer is not whole: $self->{why})\n"
	    unless $self->{whole};
	$text =~ s/([^\n -~])/sprintf '\\x%02x', ord $1/ge;
	return $text;
}

1;
