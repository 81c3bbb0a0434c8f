#!/usr/bin/perl
# How long a refusal takes tells nothing: of a login, whether there is such a
# user; of a poll, with poll_detail off, whether there is such a device.  Both
# sides are asked in turns, so that whatever else the machine does slows both.
#
# Environment: DEVCRED_LONG (2,000 of each, and the medians within 5 %).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Fcgi;
use Devcred::Hostile qw(median);

my $ROUNDS = Devcred::Shell::short_or_long(200, 2000);
my $SHARE = Devcred::Shell::short_or_long(0.25, 0.05);    # that medians may differ by
my $TRIES = 3;    # a machine that is busy may spoil one

my $site = Devcred::Site->new(web => 'none', conf => { workers => 1, poll_detail => 'off' });
my $path = $site->socket_path;
my $dbh = $site->dbh;
my $count = 0;

# An address that has not failed before.
sub anywhere {
	my $n = ++$count;
	return (HTTPS => 'on',
		REMOTE_ADDR => sprintf '10.%d.%d.%d', $n >> 16, $n >> 8 & 255, $n & 255);
}

# The answer, and how long it took.
sub timed {
	my ($method, $uri, %arg) = @_;
	my $bytes = Devcred::Fcgi::request($method, $uri, %arg);
	my $socket = Devcred::Fcgi::connect($path);
	my $start = time;
	Devcred::Fcgi::send_all($socket, $bytes);
	my $answer = Devcred::Fcgi::answer($socket);
	return ($answer, time - $start);
}

# What an answer says, without the id that was asked for, and what is each its own.
sub told {
	my ($answer, $id) = @_;
	(my $text = $answer->{out}) =~ s/\Q$id\E/ID/g;
	$text =~ s/^(X-Request-Id|Retry-After): .*$/$1/mg;
	return $text;
}

# Whether two ways to ask take the same time; each is told its round, and
# answers with seconds.
sub same_time {
	my ($name, $one, $other, $rounds) = @_;
	my ($differ, @medians);

	for my $try (1 .. $TRIES) {
		my (@one, @other);
		for my $round (1 .. $rounds) {
			# neither is always the first
			if ($round % 2) {
				push @one, $one->($round);
				push @other, $other->($round);
			} else {
				push @other, $other->($round);
				push @one, $one->($round);
			}
			# or somebody would have to wait
			$dbh->do('truncate devcred.login_failure') if $round % 40 == 0;
		}
		@medians = (median(@one), median(@other));
		$differ = abs($medians[0] - $medians[1]) / ($medians[0] + $medians[1]) * 2;
		last if $differ <= $SHARE;
	}
	cmp_ok($differ, '<=', $SHARE, $name);
	diag(sprintf '%s: medians %.3f and %.3f ms, %.1f %%', $name,
		(map { 1000 * $_ } @medians), 100 * $differ);
	return;
}

# Logins ---------------------------------------------------------------------------

my $admin = Devcred::Site->new(web => 'lighttpd', database => $site->{database})->client('t1/admin');
my $issued = issued($admin);
sub login {
	my ($login) = @_;
	return sub {
		my ($answer, $took) = timed('GET', '/user/currentUser', login => $login,
			more => { anywhere() });
		die "status $answer->{status}\n" if $answer->{status} != 401;
		return $took;
	};
}
my %wrong = (
	'a person and nobody' => ['t1/admin:wrong', 't1/nobody:wrong'],
	'a person and one who was let go' => ['t1/admin:wrong', 't1/gone:wrong'],
	'a person and one of no tenant' => ['t1/admin:wrong', 'none/admin:wrong'],
	'a device and none' => ['t1/' . $issued->field('username') . ':wrong', 't1/device_none:wrong'],
);
for my $what (sort keys %wrong) {
	same_time("a wrong password of $what takes the same time",
		(map { login($_) } @{ $wrong{$what} }),
		# a slow hash is slow
		$what =~ /device/ ? $ROUNDS : Devcred::Shell::short_or_long(50, 2000));
	my @told = map {
		my ($answer) = timed('GET', '/user/currentUser', login => $_, more => { anywhere() });
		told($answer, 'ID')
	} @{ $wrong{$what} };
	is($told[0], $told[1], 'and is answered the same');
}

# Polls ----------------------------------------------------------------------------

my $bootstrap = Devcred::Site::login('management/devicebootstrap');
sub poll {
	my ($id, $token) = @_;
	my $more = defined $token ? qq(,"securityToken":"$token") : '';
	return timed('POST', $Devcred::Http::CREDENTIALS, login => $bootstrap,
		body => qq({"id":"$id"$more}));
}
my %device = (
	'one that waits to be let in' => [pending($admin)],
	'one that is blocked' => [do { my $id = pending($admin); $admin->update($id, 'BLOCKED'); $id }],
	'one that is pending, with another token' => [pending($admin, token => 'right'), 'wrong'],
	'one that is accepted, without its token' => [accepted($admin, token => 'right')],
	'one that has its password' => [issued($admin)->field('id')],
);
my $none = 'x' x length((values %device)[0][0]);
for my $what (sort keys %device) {
	my ($id, $token) = @{ $device{$what} };
	my ($first) = poll($id, $token);    # what it writes, it writes once
	my ($there) = poll($id, $token);
	my ($nothing) = poll($none, $token);
	is($first->{status}, 404, "$what is refused");
	is(told($_, $id), told($nothing, $none), "$what is answered as one that is not there")
	    for $first, $there;
	same_time("$what takes the same time as one that is not there",
		sub { my (undef, $took) = poll($id, $token); $took },
		sub { my (undef, $took) = poll($none, $token); $took }, $ROUNDS);
}

done_testing();
