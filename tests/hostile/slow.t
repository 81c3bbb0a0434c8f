#!/usr/bin/perl
# Clients that send half of what they announce, that send a byte at a time, and
# that do not read what they asked for: four times as many of each as there are
# workers, and others are served within the time that a request may take.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Meanwhile;

my $WORKERS = 2;
my $SLOW = 4 * $WORKERS;    # clients of each sort
my $DEADLINE = 3;           # seconds a request may take to arrive or to leave
my $requests = $Devcred::Http::REQUESTS;

# A client that takes no more than fits into a small buffer.
sub small {
	my ($http) = @_;
	my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";
	setsockopt $socket, SOL_SOCKET, SO_RCVBUF, 4096 or die "setsockopt: $!\n";
	connect $socket, pack_sockaddr($http->{port}) or die "connect: $!\n";
	return $socket;
}
sub pack_sockaddr { return Socket::pack_sockaddr_in($_[0], Socket::inet_aton('127.0.0.1')) }

for my $kind (Devcred::Site::kinds()) {
	my $site = Devcred::Site->new(web => $kind,
		conf => { workers => $WORKERS, body_timeout => 1000 * $DEADLINE });
	my $admin = $site->client('t1/admin');
	my $quick = sub { return $admin->get('/user/currentUser', timeout => 60) };
	# a list of some megabytes
	registered($admin, with => { customProperties => { x => 'y' x 50_000 } }) for 1 .. 60;
	is($quick->()->status, 200, "$kind: it serves");

	my $half = $admin->bytes('POST', $requests, type => 'newDeviceRequest', keep => 1,
		length => 20_000, body => '{"id":"slow","x":"' . 'y' x 9_000);
	my @half = map { $admin->connect } 1 .. $SLOW;
	Devcred::Http::send_all($_, $half) for @half;
	my @trickle = map { $admin->connect } 1 .. $SLOW;
	Devcred::Http::send_all($_, $half) for @trickle;
	my $tick = Devcred::Meanwhile->start(sub {
		local $SIG{PIPE} = 'IGNORE';
		syswrite $_, 'y' for @trickle;
		return undef;
	});
	my @deaf = map { small($admin) } 1 .. $SLOW;
	Devcred::Http::send_all($_, $admin->bytes('GET', "$requests?pageSize=2000"))
	    for @deaf;

	my ($served, $slowest) = (0, 0);
	my $end = time + $DEADLINE + 1;
	while (time < $end) {
		my $start = time;
		$served++ if $quick->()->status == 200;
		my $took = time - $start;
		$slowest = $took if $took > $slowest;
	}
	cmp_ok($served, '>', 0, "$kind: meanwhile others are served");
	cmp_ok($slowest, '<=', $DEADLINE + 1,
		"$kind: within the time that a request may take");
	diag(sprintf '%s: %d quick ones, the slowest %.2f s', $kind, $served, $slowest);
	$tick->stop;
	close $_ for @half, @trickle, @deaf;
	is($admin->look('slow')->status, 404, "$kind: nothing is made of a half body");
	$site->stop;
}

done_testing();
