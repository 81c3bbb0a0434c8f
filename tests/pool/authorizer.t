#!/usr/bin/perl
# A web server may ask in the role of a FastCGI authorizer whether it may let
# somebody in.  What it asks for is its own business; the login is ours.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Fcgi;

my $site = Devcred::Site->new(web => 'nginx');
my $path = $site->socket_path;
my $issued = issued($site->client('t1/admin'));
my ($device, $password) = map { $issued->field($_) } qw(id password);
my $user = "t1/device_$device";
my $admin = 't1/admin';

# Variables, and what there is besides them.
sub authorize {
	my (%arg) = @_;
	my $id = $arg{id} // 1;
	return Devcred::Fcgi::begin($id, role => $arg{role} // 2,
		keep => $arg{keep})
	    . Devcred::Fcgi::record('params', $id, Devcred::Fcgi::pairs(
		Devcred::Fcgi::variables($arg{method} // 'GET',
			$arg{uri} // '/protected/x', login => $arg{login}),
		@{ $arg{more} || [] }), padding => $arg{padding} // 0)
	    . Devcred::Fcgi::record('params', $id, '')
	    . ($arg{stdin} // '');
}
sub answer { return Devcred::Fcgi::exchange($path, authorize(@_)) }
my $end = Devcred::Fcgi::record('stdin', 1, '');
my @login = (login => "$user:$password");
my @given = (more => [REMOTE_USER => $user, REMOTE_PASSWD => $password]);

my $answer = answer(@login);
ok($answer->{status} == 200 && $answer->{whole}, 'the login of a device is good')
    or diag($answer->{out});
for my $variable (['REMOTE_USER', $user], ['DEVCRED_TENANT', 't1'],
    ['DEVCRED_DEVICE', $device]) {
	my ($name, $value) = @$variable;
	like($answer->{head}, qr/^Variable-\Q$name\E: \Q$value\E\r?$/m,
		"$name is told");
}
is($answer->{body}, '', 'there is no body that could be taken for content');

for my $case (
	['a POST whose body the web server keeps', 200, @login, method => 'POST',
		more => [CONTENT_LENGTH => 77, CONTENT_TYPE => 'text/csv']],
	['a method of which we know nothing', 200, @login, method => 'PROPFIND'],
	['a path that we would refuse', 200, @login, uri => '/a//b/../%zz'],
	['a path of ours', 200, @login, uri => '/devicecontrol/newDeviceRequests'],
	['no path', 200, @login, uri => ''],
	['a host that is none', 200, @login, more => [HTTP_X_HTTP_METHOD => 'BREW']],
	['a type that we do not give', 200, @login, more => [HTTP_ACCEPT => 'image/png']],
	['an empty STDIN, as some send', 200, @login, stdin => $end],
	['padding', 200, @login, padding => 5],
	['a login that the web server took apart', 200, @given],
	['a wrong one', 401, more => [REMOTE_USER => $user, REMOTE_PASSWD => 'x']],
	['a user without a password', 401, more => [REMOTE_USER => $user]],
	['another password', 401, login => "$user:x$password"],
	['no login', 401],
	['a person', 403, login => Devcred::Site::login($admin)],
	['a person, taken apart', 403, more => [REMOTE_USER => $admin,
		REMOTE_PASSWD => Devcred::Cluster::password($admin)]],
) {
	my ($name, $status, %arg) = @$case;
	my $got = answer(%arg);
	ok($got->{status} == $status && $got->{whole}, "$name: $status")
	    or diag($got->{out});
	like($got->{head}, qr/^WWW-Authenticate: Basic /m,
		"$name: it is said how to log in") if $status == 401;
	unlike($got->{head}, qr/^Variable-/m, "$name: nobody is named")
	    if $status != 200;
}

# The role is that of the records: no variable makes an authorizer.
for my $name ('FCGI_ROLE', 'HTTP_FCGI_ROLE') {
	my @claim = (role => 1, stdin => $end, uri => '/user/currentUser');
	is(answer(@claim, more => [$name => 'AUTHORIZER', REMOTE_USER => $user,
		REMOTE_PASSWD => $password])->{status}, 401,
		"$name of a responder's request makes no authorizer");
	unlike(answer(@claim, @login, more => [$name => 'AUTHORIZER'])->{out},
		qr/^Variable-/m, 'nor has it the answer of one');
}
is(answer(role => 1, stdin => $end, uri => '/user/currentUser',
	@given)->{status}, 401, 'REMOTE_PASSWD counts for an authorizer alone');

# The connection of an authorizer is not kept: an empty STDIN may yet come.
my $socket = Devcred::Fcgi::connect($path);
Devcred::Fcgi::send_all($socket, authorize(@login, keep => 1));
is(Devcred::Fcgi::answer($socket)->{status}, 200, 'one that is to be kept');
is(sysread($socket, my $byte, 1), 0, 'is closed after the answer');

# Ids of requests are the peer's to choose.
$socket = Devcred::Fcgi::connect($path);
Devcred::Fcgi::send_all($socket, authorize(@login, id => 0x1234));
my $head = Devcred::Fcgi::read_bytes($socket, 4, time + 10);
is(unpack('x2n', $head), 0x1234, 'the answer has the id of the request');

# In pieces of any size it is the same request.
my $bytes = authorize(@login);
my $wrong = 0;
for (my $at = 1; $at < length $bytes; $at += 11) {
	$socket = Devcred::Fcgi::connect($path);
	Devcred::Fcgi::send_all($socket, substr $bytes, 0, $at);
	Devcred::Fcgi::send_all($socket, substr $bytes, $at);
	$wrong++ if Devcred::Fcgi::answer($socket)->{status} != 200;
}
is($wrong, 0, 'a request may come in two pieces, wherever it is cut');

# Without TLS where it is required.
$site->configure(require_tls => 'on');
$site->stop_service;
$site->start_service;
is(answer(@login, more => [REMOTE_ADDR => '127.0.0.1'])->{status}, 200,
	'who is on this machine needs no TLS');
$site->stop;

done_testing();
