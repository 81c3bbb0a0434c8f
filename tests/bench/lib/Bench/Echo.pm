package Bench::Echo;

# The echo responder, built here.

use strict;
use warnings;
use FindBin;

use Bench::Place;
use Devcred::Shell;

my $program;

sub program {
	return $program //= do {
		my $to = "$ENV{DEVCRED_BENCH_TMP}/echo";
		my ($status, $text) = Devcred::Shell::run(['cc', '-O2', '-Wall', '-o', $to,
			"$FindBin::Bin/peers/echo.c", '-lfcgi']);
		die "cc: $text" if $status;
		$to;
	};
}

# Site and pid of an echo behind a web server of this kind.  nginx keeps its
# connections: each needs a process.
sub behind {
	my ($place, $web) = @_;
	return $place->answered($web, 'echo', sub {
		my ($socket) = @_;
		return Bench::Place->start("$ENV{DEVCRED_BENCH_TMP}/echo.log", {}, program(), $socket,
			$web eq 'nginx' ? 64 : 16);
	});
}

1;
