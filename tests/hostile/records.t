#!/usr/bin/perl
# Nothing that arrives on the socket can crash, block or pin a worker.
#
# Environment: DEVCRED_LONG (mutate 100,000 times), DEVCRED_HOSTILE_SEED
# (to repeat what was decided by chance).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Fcgi;
use Devcred::Hostile qw(seed mutated any);
use Devcred::Meanwhile;

my $ROUNDS = Devcred::Shell::short_or_long(6000, 100_000);
seed();
my $site = Devcred::Site->new(web => 'none',
	conf => { workers => 2, body_timeout => 1000 });
my $path = $site->socket_path;
my $login = Devcred::Site::login('t1/admin');
my $bootstrap = Devcred::Site::login('t1/bootstrap');
my @workers;

sub workers {
	my @pids = sort { $a <=> $b }
	    Devcred::Site::children($site->service_pid);
	return @pids;
}
eventually(sub { (@workers = workers()) == 2 }, 'two workers run');

sub good {
	my $socket = Devcred::Fcgi::connect($path);
	Devcred::Fcgi::send_all($socket, Devcred::Fcgi::request('GET',
		'/user/currentUser', login => $login));
	return Devcred::Fcgi::answer($socket);
}

# All the while, somebody is served.
my $meanwhile = Devcred::Meanwhile->start(sub {
	my $answer = good();
	return $answer->{status} == 200 ? undef : "status $answer->{status}";
});

# Each worker does, when the others cannot.
sub each_serves {
	my @serve = grep {
		my $one = $_;
		my @others = grep { $_ != $one } @workers;
		kill 'STOP', @others;
		my $status = good()->{status};
		kill 'CONT', @others;
		$status == 200
	} @workers;
	return "@serve";
}

sub record { return Devcred::Fcgi::record(@_) }
my $begin = Devcred::Fcgi::begin(1);
my $whole = Devcred::Fcgi::request('GET', '/user/currentUser', login => $login);
my $params = Devcred::Fcgi::pairs(Devcred::Fcgi::variables('GET', '/'));

# What a record layer without suspicion crashes on, waits for, or believes.
my %hostile = (
	'nothing at all' => '',
	'a single byte' => "\1",
	'a header without its content' => substr($begin, 0, 8),
	'version 0' => record('begin', 1, "\0\1\0\0\0\0\0\0", version => 0),
	'HTTP instead of FastCGI' => "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	'PARAMS before BEGIN_REQUEST' => record('params', 1, $params),
	'STDIN before BEGIN_REQUEST' => record('stdin', 1, 'x'),
	'BEGIN_REQUEST of request 0' => Devcred::Fcgi::begin(0),
	'a short BEGIN_REQUEST' => record('begin', 1, "\0\1"),
	'a long BEGIN_REQUEST' => record('begin', 1, "\0\1" . "\0" x 600),
	'two BEGIN_REQUESTs' => $begin . $begin,
	'an unknown role' => Devcred::Fcgi::begin(1, role => 9),
	'the filter role' => Devcred::Fcgi::begin(1, role => 3),
	'ABORT_REQUEST' => $begin . record('abort', 1, ''),
	'GET_VALUES' => record('get_values', 0, Devcred::Fcgi::pairs(
		FCGI_MAX_CONNS => '', FCGI_MPXS_CONNS => '')),
	'GET_VALUES with more names than libfcgi has room for' =>
	    record('get_values', 0, Devcred::Fcgi::pairs(map { $_ => '' }
		('FCGI_MPXS_CONNS') x 40)),
	'GET_VALUES with lengths beyond its end' =>
	    record('get_values', 0, pack 'NN', 0xffffffff, 0xffffffff),
	'GET_VALUES in the middle of a request' => $begin
	    . record('get_values', 0, '') . record('params', 1, ''),
	'an unknown management record' => record(77, 0, 'x' x 100),
	'an unknown record of the request' => $begin . record(200, 1, 'x'),
	'DATA for a responder' => $begin . record('data', 1, 'x'),
	'another request id in between' => $begin . record('params', 2, $params),
	'a name longer than its record' =>
	    $begin . record('params', 1, "\x7f\x01ab") . record('params', 1, ''),
	'a length of 2^31 - 1' => $begin
	    . record('params', 1, pack('NN', 0xffffffff, 0xffffffff) . 'ab')
	    . record('params', 1, '') . record('stdin', 1, ''),
	'lengths that add up to 0 in 32 bits' => $begin
	    . record('params', 1, pack('NN', 0x80000001, 0xffffffff) . 'ab')
	    . record('params', 1, '') . record('stdin', 1, ''),
	'lengths of 0x40000000 each' => $begin
	    . record('params', 1, pack('NN', 0xc0000000, 0xc0000000) . 'ab')
	    . record('params', 1, '') . record('stdin', 1, ''),
	'a content length beyond its end' => $begin
	    . record('params', 1, $params, length => 65535)
	    . record('params', 1, ''),
	'padding beyond its end' => $begin . pack('CCnnCC', 1, 4, 1, 0, 255, 0),
	'100,000 PARAMS' => $begin . join('', map {
		record('params', 1, Devcred::Fcgi::pairs(("A$_" => '') x 1000))
	} 1 .. 100) . record('params', 1, '') . record('stdin', 1, ''),
	'100,000 PARAMS without a name' => $begin
	    . join('', map { record('params', 1, "\0\0" x 20_000) } 1 .. 5)
	    . record('params', 1, '') . record('stdin', 1, ''),
	'ABORT_REQUEST in the middle of a body' => $begin
	    . record('params', 1, Devcred::Fcgi::pairs(Devcred::Fcgi::variables(
		'POST', '/devicecontrol/newDeviceRequests', login => $login,
		body => '{"id":"aborted"}'))) . record('params', 1, '')
	    . record('stdin', 1, '{"id"') . record('abort', 1, ''),
	'an empty BEGIN_REQUEST' => record('begin', 1, ''),
	'END_REQUEST, STDOUT and STDERR of a peer' => join('', map {
		$begin . record($_, 1, 'x' x 8) } 'end', 'stdout', 'stderr'),
	'version 2 in the second record' => $begin
	    . record('params', 1, $params, version => 2),
	'an answer of somebody else' => record('stdout', 1,
		"Status: 200 OK\r\n\r\n") . record('end', 1, "\0" x 8),
	'PARAMS that end inside a length' => $begin
	    . record('params', 1, "\x80\x00") . record('params', 1, '')
	    . record('stdin', 1, ''),
	'PARAMS without end' => $begin
	    . record('params', 1, Devcred::Fcgi::pairs(A => 'x' x 60000)) x 8,
	'no PARAMS at all' => $begin . record('params', 1, '')
	    . record('stdin', 1, ''),
	'PARAMS after their end' => $begin . record('params', 1, $params)
	    . record('params', 1, '') . record('params', 1, $params),
	'half a request' => substr($whole, 0, length($whole) / 2),
	'a request but for its last byte' => substr($whole, 0, -1),
	'a NUL in a name' => $begin
	    . record('params', 1, Devcred::Fcgi::pairs("REQUEST_METHOD\0X", 'GET'))
	    . record('params', 1, '') . record('stdin', 1, ''),
	'a name with "=" in it' => $begin
	    . record('params', 1, Devcred::Fcgi::pairs('A=B', 'C'))
	    . record('params', 1, '') . record('stdin', 1, ''),
	'random bytes' => join('', map { chr int rand 256 } 1 .. 4000),
);

for my $name (sort keys %hostile) {
	# once with the connection closed behind it, once left open
	my $socket = Devcred::Fcgi::connect($path);
	Devcred::Fcgi::send_all($socket, $hostile{$name});
	my $answer = Devcred::Fcgi::exchange($path, $hostile{$name}, finish => 1);
	my $after = good();
	ok($after->{status} == 200 && "@workers" eq join(' ', workers())
		&& ($answer->{status} == 0 || $answer->{status} >= 400),
	    "$name harms no worker")
	    or diag("answer: $answer->{out}\nafter: $after->{out}");
	close $socket;
}

# What a web server sends: each of these is served, and then mutated.  They are
# from an address of their own: who sends logins gone wrong has to wait.
my %from = (more => { REMOTE_ADDR => '192.0.2.9', HTTPS => 'on' });
my $upload = join "\r\n", '--x', 'Content-Disposition: form-data; name="file"', '',
    "ID;PATH\nrecords-1;a\nrecords-2;b", '--x--', '';
my %sent = (
	'a question' => Devcred::Fcgi::request('GET', '/user/currentUser', login => $login, %from),
	'two on one connection' => Devcred::Fcgi::request('GET', '/user/currentUser',
		login => $login, keep => 1, %from) x 2,
	'a poll' => Devcred::Fcgi::request('POST', $Devcred::Http::CREDENTIALS,
		login => $bootstrap, body => '{"id":"records-0","securityToken":"x"}', %from),
	'a change' => Devcred::Fcgi::request('PUT', "$Devcred::Http::REQUESTS/records-0",
		login => $login, body => '{"status":"ACCEPTED"}', %from),
	'an upload' => Devcred::Fcgi::begin(1) . join('', map { record(@$_) }
		['params', 1, Devcred::Fcgi::pairs(
			CONTENT_TYPE => 'multipart/form-data; boundary=x',
			grep({ $_ ne 'CONTENT_TYPE' && $_ ne 'application/json' }
			Devcred::Fcgi::variables('POST', '/devicecontrol/bulkNewDeviceRequests',
				login => $login, body => $upload, %from)))],
		['params', 1, ''], (map { ['stdin', 1, $_] } unpack '(a40)*', $upload),
		['stdin', 1, '']),
	'a question whether to let in' => Devcred::Fcgi::begin(1, role => 2)
	    . record('params', 1, Devcred::Fcgi::pairs(
		Devcred::Fcgi::variables('GET', '/', login => $login, %from)))
	    . record('params', 1, '') . record('stdin', 1, ''),
);
my %status = ('a poll' => 404, 'a change' => 404, 'an upload' => 201,
	'a question whether to let in' => 403);
is(Devcred::Fcgi::exchange($path, $sent{$_})->{status}, $status{$_} // 200,
	"as it should be, $_ is served") for sort keys %sent;
my @sent = map { $sent{$_} } sort keys %sent;

# Some stay open for a while, and with some the peer is gone before the answer.
my @open;
for my $round (1 .. $ROUNDS) {
	my $peer = Devcred::Fcgi::connect($path);
	Devcred::Fcgi::send_all($peer, mutated(any(@sent)));
	shutdown $peer, 1 if rand 4 < 1;
	push @open, $peer if rand 8 < 1;
	shift @open if @open > 20;
}
@open = ();
is(join(' ', workers()), "@workers",
	"after $ROUNDS mutated requests the workers are the same");
is(each_serves(), "@workers", 'and each of them serves');

# Every split of a request into two pieces is the same request.
my $wrong = 0;
for (my $at = 1; $at < length $whole; $at += 7) {
	my $socket = Devcred::Fcgi::connect($path);
	Devcred::Fcgi::send_all($socket, substr $whole, 0, $at);
	Devcred::Fcgi::send_all($socket, substr $whole, $at);
	$wrong++ if Devcred::Fcgi::answer($socket)->{status} != 200;
}
is($wrong, 0, 'a request may come in two pieces, wherever it is cut');

# A peer that asks whether it can write, as Apache does, is told that it cannot
# while a quarter of the socket's buffer lies unread.  Send as much as it may
# before anybody looks.
sub send_politely {
	my ($socket, $bytes, $piece) = @_;
	my $can = IO::Select->new($socket);
	local $SIG{PIPE} = 'IGNORE';
	kill 'STOP', @workers;
	while (length $bytes && $can->can_write(0.1)) {
		syswrite $socket, substr $bytes, 0, $piece, '';
	}
	kill 'CONT', @workers;
	while (length $bytes) {
		return 0 unless $can->can_write(5)
		    && syswrite $socket, substr $bytes, 0, $piece, '';
	}
	return 1;
}
for my $case ([60_000, 8192], [60_000, 1000], [20_000, 100], [300, 1]) {
	my ($size, $piece) = @$case;
	my $body = '{"id":"x y","x":"' . 'y' x $size . '"}';
	my $served = grep {
		my $socket = Devcred::Fcgi::connect($path);
		my $bytes = Devcred::Fcgi::begin(1) . join '', map { record(@$_) }
		    ['params', 1, Devcred::Fcgi::pairs(Devcred::Fcgi::variables('POST',
			'/devicecontrol/newDeviceRequests', login => $login, body => $body))],
		    ['params', 1, ''], (map { ['stdin', 1, $_] } unpack '(a8192)*', $body),
		    ['stdin', 1, ''];
		send_politely($socket, $bytes, $piece)
		    && Devcred::Fcgi::answer($socket)->{status} == 422;
	} 1 .. 3;
	is($served, 3, "a request of $size bytes may come in pieces of $piece");
}

# Padding of every record, PARAMS in pieces of one byte.
my $tiny = $begin . join('', map { record('params', 1, $_, padding => 3) }
	split //, Devcred::Fcgi::pairs(Devcred::Fcgi::variables('GET',
		'/user/currentUser', login => $login)))
    . record('params', 1, '', padding => 8) . record('stdin', 1, '');
is(Devcred::Fcgi::exchange($path, $tiny)->{status}, 200,
    'PARAMS may come in records of one byte, and padded');

# Padding where libfcgi takes none: behind the start, and behind PARAMS.
my $variables = Devcred::Fcgi::pairs(Devcred::Fcgi::variables('GET',
	'/user/currentUser', login => $login));
for my $padding ([5, 0], [0, 8]) {
	my ($start, $end) = @$padding;
	is(Devcred::Fcgi::exchange($path,
		Devcred::Fcgi::begin(1, padding => $start)
		. record('params', 1, $variables)
		. record('params', 1, '', padding => $end)
		. record('stdin', 1, ''))->{status}, 200,
	    "$start bytes of padding behind the start, $end behind PARAMS");
}

# A body that does not come.
my $slow = Devcred::Fcgi::request('POST', '/devicecontrol/newDeviceRequests',
	login => $login, body => '{"id":"slow"}');
my $socket = Devcred::Fcgi::connect($path);
Devcred::Fcgi::send_all($socket, substr $slow, 0, -12);
my $started = time;
my $answer = Devcred::Fcgi::answer($socket, timeout => 10);
ok(time - $started < 8 && $answer->{status} != 201,
    'a body that stops is given up after body_timeout');

# Connections that are kept open starve nobody.
my @kept = map {
	my $kept = Devcred::Fcgi::connect($path);
	Devcred::Fcgi::send_all($kept, Devcred::Fcgi::request('GET',
		'/user/currentUser', login => $login, keep => 1));
	$kept
} 1 .. 300;
is(scalar(grep { Devcred::Fcgi::answer($_)->{status} == 200 } @kept), 300,
    '300 connections are served and kept');
is(good()->{status}, 200, 'one more is served at once');
Devcred::Fcgi::send_all($kept[$_], Devcred::Fcgi::request('GET',
	'/user/currentUser', login => $login, keep => 1)) for 0, 299;
is(Devcred::Fcgi::answer($kept[$_])->{status}, 200,
    "kept connection $_ is served again") for 0, 299;

# In the end.
my $seen = $meanwhile->stop;
cmp_ok($seen->{asked}, '>', 20, 'all the while somebody has been asking');
is_deeply($seen->{wrong}, [], 'and was served each time');
is(each_serves(), "@workers", 'the workers are those of the start, and all serve');

done_testing();
