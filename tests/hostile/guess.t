#!/usr/bin/perl
# A thousand wrong passwords, from one place and from everywhere, at two
# instances; a thousand wrong security tokens: few are looked at, and those who
# have the right ones do not notice.
#
# Environment: DEVCRED_LONG (a thousand of everything).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Meanwhile;
use Devcred::Pair;

my $GUESSES = 1000;  # of a person and of a token
my $OTHERS = Devcred::Shell::short_or_long(300, 1000);
my $AT_ONCE = 20;    # may pass before the first of them is counted
my $TIME = 60;       # seconds a thousand guesses take at most
my $HOME = '192.0.2.1';

my @sites = Devcred::Pair->new(conf => { trusted_proxy => '127.0.0.1', workers => 1 })->sites;
my @http = map { $_->client } @sites;
my $admin = $sites[0]->client('t1/admin');
my $dbh = $sites[0]->dbh;

sub from { return (headers => ["X-Forwarded-For: $_[0]",
	'X-Forwarded-Proto: https']) }
sub user {
	my ($http, $login, $source) = @_;
	return $http->as($login)->get('/user/currentUser', from($source));
}

# Send all of these to both instances in turns; counts of the statuses.
sub storm {
	my (@requests) = @_;
	my %count;
	my $start = time;

	for (my $turn = 0; my @some = splice @requests, 0, $AT_ONCE; $turn++) {
		$count{ $_->status }++ for $http[$turn % 2]->parallel(@some);
	}
	return (\%count, time - $start);
}

# Guesses of a login; how many were looked at, and whether in time.
sub guesses {
	my ($guesses, $name, $of, $source, $least, $most) = @_;
	my ($count, $took) = storm(map {
		$http[0]->bytes('GET', '/user/currentUser', login => "$of:guess$_",
			from(ref $source ? $source->($_) : $source))
	} 1 .. $guesses);
	my $looked = $count->{401} // 0;

	is($looked + ($count->{429} // 0), $guesses, "$name: all are refused")
	    or diag(explain($count));
	cmp_ok($looked, '<=', $most + $AT_ONCE,
		"$name: $most are looked at, and what came with the last");
	cmp_ok($looked, '>=', $least, "$name: and not less than $least");
	cmp_ok($took, '<', $TIME, "$name: in $TIME seconds");
	return;
}

my @device = map { issued($admin, id => device_id()) } 1, 2;
my @login = map { 't1/' . $_->field('username') . ':' . $_->field('password') } @device;
my $owner = Devcred::Site::login('t1/admin');
my $bootstrapper = Devcred::Site::login('management/devicebootstrap');
is(user($http[0], $owner, $HOME)->status, 200, 'an administrator logs in at home');
is(user($http[1], $login[1], $HOME)->status, 200, 'and a device');
$dbh->do('truncate devcred.login_failure');

# Others, and the owner at home, all the while.
my $meanwhile = Devcred::Meanwhile->start(sub {
	for my $login ($login[1], $bootstrapper, $owner) {
		for my $http (@http) {
			my $start = time;
			my $answer = user($http, $login, $HOME);
			my $took = time - $start;
			return 'status ' . $answer->status if $answer->status != 200;
			return "$took s" if $took > 1 && $login ne $owner;
		}
	}
	return undef;
});
guesses($GUESSES, 'of a person, from one address', 't1/admin', '198.51.100.1', 10, 10);
guesses($OTHERS, 'of nobody', 't1/nobody', '198.51.100.2', 10, 10);
guesses($OTHERS, 'of a device', 't1/' . $device[0]->field('username'), '198.51.100.3', 10, 10);
guesses($OTHERS, 'of devices\' first login', 'management/devicebootstrap', '198.51.100.6', 10, 10);
# those from one address have counted, too
guesses($OTHERS, 'of a person, from everywhere', 't1/admin',
	sub { '203.0.' . ($_[0] >> 8) . '.' . ($_[0] & 255) }, 100 - 10 - $AT_ONCE, 90);
# one may be due again, but not two in half a minute
user($http[0], 't1/admin:guess', "203.0.112.$_") for 1, 2;
is(user($_, $owner, '203.0.113.77')->status, 429,
	'then a stranger waits, at each instance') for @http;
is(user($_, $bootstrapper, '198.51.100.6')->status, 429,
	'nor is the right one of all devices told to who guessed it, though it is in use') for @http;
is(user($http[0], $login[0], '198.51.100.3')->status, 429,
	'and where a device was guessed, even the right password');
is(user($http[0], $login[0], '127.0.0.1')->status, 200,
	'not where the device got its own');
my $seen = $meanwhile->stop;
is_deeply($seen->{wrong}, [],
	'all the while others log in within a second, and the owner at home does');
cmp_ok($seen->{asked}, '>', 10, 'again and again');
is($dbh->selectrow_array('select count(*) < 5000 from devcred.login_failure'), 1,
	'and little is kept of it');

# Tokens ---------------------------------------------------------------------------

$dbh->do('truncate devcred.login_failure');
my $bootstrap = as_bootstrap($http[0]);
sub poll {
	my ($id, $token, $source) = @_;
	return $bootstrap->poll($id, with => { securityToken => $token }, from($source));
}
my $id = registered($admin);
is(poll($id, 'right', $HOME)->status, 404, 'a device asks, with its token');
answers($admin->accept_device($id, with => { securityToken => 'right' }), 200, 'it is accepted');
my ($count, $took) = storm(map {
	$bootstrap->poll_bytes($id, with => { securityToken => "guess$_" }, from('198.51.100.4'))
} 1 .. $GUESSES);
is_deeply($count, { 404 => $GUESSES }, 'a thousand tokens of a stranger are refused');
cmp_ok($took, '<', $TIME, "in $TIME seconds");
my $answer = poll($id, 'right', '198.51.100.4');
is($answer->status, 404, 'the right one, were it among them, is not looked at');
like($answer->field('message'), qr/too many wrong ones/, 'and that is said');
like($answer->header('Retry-After'), qr/\A\d+\z/, 'with when to come again');
is($admin->look($id)->field('status'), 'ACCEPTED', 'the request is not blocked by it');
answers(poll($id, 'right', $HOME), 201, 'and the device gets its password');
($count) = storm(map {
	$bootstrap->poll_bytes($id, with => { securityToken => "guess$_" }, from('198.51.100.5'))
} 1 .. $OTHERS);
is_deeply($count, { 404 => $OTHERS }, 'nor is it told to who guesses now');
is(poll($id, 'right', '198.51.100.5')->status, 404, 'whatever they come to');
answers(poll($id, 'right', $HOME), 201, 'but again to the device');
my @guess = map { $admin->accept_device($_, with => { securityToken => 'guess' })->status }
    (pending($admin, token => 'right')) x 6;
is("@guess", '422 422 422 422 422 422', 'an administrator who guesses has five');

done_testing();
