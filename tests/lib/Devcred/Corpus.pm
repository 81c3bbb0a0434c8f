package Devcred::Corpus;

# Raw requests and what is answered to them, from a table that says itself how
# it is to be read (tests/hostile/requests.txt).

use strict;
use warnings;
use IO::Select;
use Time::HiRes ();

use Devcred::Http;
use Devcred::Shell;
use Devcred::Site;

# Read a table: { requests => [{ line, answer, except, text, section }...],
# reasons => { name => text } }.
sub read {
	my ($path) = @_;
	my (%table, $section);
	my $line = 0;

	for (split /\n/, Devcred::Shell::read_file($path)) {
		$line++;
		next if /\A\s*(?:#|\z)/;
		if (/\A= (.+)/) {
			$section = $1;
		} elsif (/\Awhy (\w+): (.+)/) {
			$table{reasons}{$1} = $2;
		} elsif (/\A(\w+)\s+(\S+)\s+(.+)\z/) {
			push @{ $table{requests} }, { line => $line, answer => $1,
				except => exceptions($2), text => $3,
				section => $section };
		} else {
			die "$path:$line: not to be understood\n";
		}
	}
	return \%table;
}

# "nginx,apache=own400/why;..." as { kind => [answer, why] }.
sub exceptions {
	my ($text) = @_;
	my %except;

	return \%except if $text eq '-';
	for my $one (split /;/, $text) {
		my ($kinds, $answer, $why) = $one =~ m{\A([\w,-]+)=(\w+)/(\w+)\z}
		    or die "$one: no exception\n";
		$except{$_} = [$answer, $why] for split /,/, $kinds;
	}
	return \%except;
}

# The bytes of a request to a site.
sub bytes {
	my ($site, $text) = @_;
	my %word = (R => $Devcred::Http::REQUESTS, C => $Devcred::Http::CREDENTIALS,
		host => "127.0.0.1:$site->{port}",
		map { $_ => Devcred::Http::basic(Devcred::Site::login("t1/$_")) }
			qw(admin bootstrap));
	my $raw = $text =~ s/\A!//;

	$text =~ s/\\x([0-9a-f]{2})/chr hex $1/ge;
	$text =~ s/\\r/\r/g;
	$text =~ s/\\n/\r\n/g;
	$text =~ s/\{(\d+)\*([^}]+)\}/$2 x $1/ge;
	$text =~ s/\{(\w+)\}/$word{$1} \/\/ die "$1: no such word\n"/ge;
	return $text if $raw;
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my ($first, $more) = split /\r\n/, $head, 2;
	$first .= ' HTTP/1.1' unless $first =~ m{ HTTP/};
	$more = join "\r\n", grep { defined && length } $more;
	my $own = "\n$more";
	my @head = ($first);
	push @head, "Host: $word{host}" unless $own =~ /^Host:/m;
	push @head, "Authorization: $word{admin}" unless $own =~ /^Authorization:/m;
	push @head, 'Connection: close';
	push @head, 'Content-Length: ' . length $body
	    if defined $body && $own !~ /^(?:Content-Length|Transfer-Encoding):/mi;
	push @head, $more if length $more;
	return join("\r\n", @head) . "\r\n\r\n" . ($body // '');
}

# All that comes back until the server closes, or until nothing has come for
# long; our side is closed when half of that has passed, as clients do that
# gave up.
sub answers {
	my ($site, $bytes, $patience) = @_;
	my $socket = Devcred::Http->new(port => $site->{port})->connect;
	my $can = IO::Select->new($socket);
	my ($got, $shut) = ('', 0);

	Devcred::Http::send_all($socket, $bytes);
	for (;;) {
		if ($can->can_read($patience / 2)) {
			last unless sysread $socket, $got, 65536, length $got;
		} else {
			last if $shut++;
			shutdown $socket, 1;
		}
	}
	return $got;
}

# What that is, in a word: the status, with "own" before it if not the service
# has answered; "none"; "two" if more than one answer came.
sub word {
	my ($got) = @_;
	my @status = $got =~ m{(?:\A|(?<=\n)|(?<=\}))HTTP/1\.[01] (\d\d\d)}g;

	@status = grep { $_ >= 200 } @status;
	return $got eq '' ? 'none' : 'own000' unless @status;
	return 'two' if @status > 1;
	return ($got =~ /^X-Request-Id:/im ? '' : 'own') . $status[0];
}

1;
