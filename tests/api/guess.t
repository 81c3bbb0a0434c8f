#!/usr/bin/perl
# Who guesses passwords is made to wait, by all instances, and nobody else is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $dbh = $site->dbh;
my $admin = $site->client('t1/admin');
my $name = 'guess' . device_id();
END { $dbh->do('truncate devcred.login_failure') if $dbh }

# The logins of people are counted by the source that the web server tells,
# which is one for all of this test: the names are its own.
sub as { return $admin->as($_[0]) }
sub user { return $_[0]->get('/user/currentUser') }

is(join(' ', map { user(as("t1/$name:wrong$_"))->status } 1 .. 10), join(' ', (401) x 10),
	'ten wrong passwords are looked at');
my $later = user(as("t1/$name:wrong"));
is($later->status, 429, 'the next is not');
is($later->field('error'), 'general/Too Many Requests', 'and says why');
like($later->header('Retry-After'), qr/\A(?:[1-9]|[12][0-9]|30)\z/, 'and when to come again');
is(user(as("t2/$name:wrong"))->status, 401, 'the same name in another tenant is another login');
is(user($admin)->status, 200, 'others are not in the way');

SKIP: {
	skip 'CGI has no instances', 2 if $site->{web} =~ /cgi\z/ && $site->{web} ne 'apache-fcgid';
	my $other = Devcred::Site->new(web => 'lighttpd', database => $site->{database});
	is(user(as("t1/$name:wrong"))->status, 429, 'the one instance counts');
	is(user($other->client->as("t1/$name:wrong"))->status, 429, 'for the other');
	$other->stop;
}

# Devices.
my @device = map { issued($admin) } 1, 2;
sub device {
	my ($answer, $password) = @_;
	return as('t1/' . $answer->field('username') . ':' . ($password // $answer->field('password')));
}
is(join(' ', map { user(device($device[0], "wrong$_"))->status } 1 .. 10), join(' ', (401) x 10),
	'ten wrong passwords of a device are looked at');
is(user(device($device[0]))->status, 429, 'then not even the right one is, from there');
is(user(device($device[1]))->status, 200, 'another device logs in');
is(device($device[0])->get('/devcred/verify')->status, 401, 'who asks for a login is told no');
is(device($device[0])->request('POST', '/devcred/verify/rabbitmq',
	type => 'application/json', body => Devcred::Http::to_json(
		username => 't1/' . $device[0]->field('username'),
		password => $device[0]->field('password')))->body, 'allow',
	'but a broker, who does not say for whom it asks, is told yes');
is(as('t1/device_nobody' . device_id() . ':x')->get('/user/currentUser')->status, 401,
	'a device that does not exist has its ten as well');
$dbh->do("update devcred.login_failure set clear_at = clear_at - interval '30 s'");
is(user(device($device[0]))->status, 200, 'half a minute later the right one is looked at');

done_testing();
