#!/usr/bin/perl
# The ways the program can be started: it finds out itself which one it is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX;
use POSIX ();
use Devcred::Test;
use Devcred::Fcgi;

my $site = Devcred::Site->new(web => 'none', start => 0,
	conf => { workers => 2, socket_mode => '0660' });
my $program = "$Devcred::Shell::BIN/devcred.fcgi";
my $login = Devcred::Site::login('t1/admin');
my $request = Devcred::Fcgi::request('GET', '/user/currentUser', login => $login);
my @started;

# Start the program with a listening socket as descriptor fd; its pid.
sub start {
	my ($path, $fd, %env) = @_;
	my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 5)
	    or die "$path: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>>', "$site->{dir}/devcred.log";
		POSIX::dup2(fileno $listen, $fd) if fileno $listen != $fd;
		POSIX::close($_) for grep { $_ != $fd } 4 .. 20;
		open STDIN, '<', '/dev/null' if $fd != 0;
		%ENV = (%ENV, %env, DEVCRED_CONF => $site->conf_path);
		$ENV{LISTEN_PID} = $$ if $env{LISTEN_FDS};
		exec $program or POSIX::_exit(127);
	}
	push @started, $pid;
	return $pid;
}

sub status_of { return Devcred::Fcgi::exchange($_[0], $request)->{status} }

sub ends {
	my ($pid, $signal, $name) = @_;
	kill $signal, $pid;
	my $ended = Devcred::Shell::until_true(sub { waitpid($pid, POSIX::WNOHANG()) == $pid });
	my $status = $?;
	ok($ended && $status == 0, $name) or diag("status $status");
	@started = grep { $_ != $pid } @started;
	return;
}

# One worker on descriptor 0 --------------------------------------------------

my $path = "$site->{dir}/zero.sock";
my $pid = start($path, 0);
is(status_of($path), 200, 'with a listening socket on descriptor 0 it serves that');
is(status_of($path), 200, 'again and again');
ok(!-e $site->socket_path, 'and makes no socket of its own');
ends($pid, 'TERM', 'TERM ends it in good order');
ok(-e $path, 'the socket of whoever started it stays');

# systemd ------------------------------------------------------------------------

$path = "$site->{dir}/systemd.sock";
my $notify = IO::Socket::UNIX->new(Local => "$site->{dir}/notify.sock",
	Type => SOCK_DGRAM) or die "notify.sock: $!\n";
chmod 0777, "$site->{dir}/notify.sock";
$pid = start($path, 3, LISTEN_FDS => 1, WATCHDOG_USEC => 200_000,
	NOTIFY_SOCKET => "$site->{dir}/notify.sock");
is(status_of($path), 200, 'with a listening socket from systemd it serves that');
my $text = '';
eventually(sub { $notify->recv($text, 4096); $text =~ /READY=1/ },
	'and tells systemd that it is ready');
for my $time (qw(once again)) {
	eventually(sub { $notify->recv($text, 4096); $text eq 'WATCHDOG=1' },
		"and tells its watchdog $time that it is alive");
	$text = '';
}
eventually(sub { 2 == (() = Devcred::Site::children($pid)) }, 'with all its workers');
ends($pid, 'TERM', 'TERM ends it in good order');
ok(-e $path, "systemd's socket stays");

# A pool of its own ----------------------------------------------------------

$site->start_service;
is(status_of($site->socket_path), 200, 'otherwise it is a pool on a socket of its own');
is((stat $site->socket_path)[2] & 07777, 0660, 'which has the mode of the settings');
$site->stop_service;

# CGI --------------------------------------------------------------------------

sub cgi {
	my ($method, $uri, %arg) = @_;
	my %env = (Devcred::Fcgi::variables($method, $uri, login => $login, %arg),
		DEVCRED_CONF => $site->conf_path);
	return Devcred::Shell::run([$program, @{ $arg{argv} || [] }],
		env => \%env, in => $arg{body} // '');
}

my ($status, $out) = cgi('GET', '/user/currentUser');
is($status, 0, 'as a CGI program it serves one request');
like($out, qr/\AStatus: 200 OK\r?\n.*"userName":"admin"/s, 'and answers on its standard output');
($status, $out) = cgi('POST', '/devicecontrol/newDeviceRequests', body => '{"id":"cgi"}');
like($out, qr/\AStatus: 201 /, 'its standard input is the body');
($status, $out) = cgi('POST', '/devicecontrol/newDeviceRequests',
	body => '{"id":"cgi2"}', length => 100);
like($out, qr/\AStatus: 4\d\d /, 'a body shorter than announced is refused');
($status, $out) = cgi('GET', '/user/currentUser', argv => ['--version']);
like($out, qr/\AStatus: 200 /, 'arguments, which may come from the URL, are not looked at');

# By hand ------------------------------------------------------------------------

my $conf = "$site->{dir}/other.conf";
my @table = (
	['is good', '', 0, qr/good/],
	['has an unknown name', "colour = red\n", 1, qr/:1: .*colour/],
	['has a value out of bounds', "\nworkers = 65\n", 1, qr/:2: workers .*0 to 64/],
	['has no address for links', "base_url = devices.example.org\n", 1, qr/:1: base_url .*https:/],
	['has a quote in links', "base_url = https://x\"y\n", 1, qr/:1: base_url/],
	['has a slash behind a prefix', "path_prefix = /iot/\n", 1, qr/:1: path_prefix .*\/iot/],
	['has a name for a proxy', "trusted_proxy = 10.0.0.1 proxy\n", 1, qr/:1: trusted_proxy .*IP/],
	['has a line without "="', "workers\n", 1, qr/:1: /],
	['holds a NUL', "workers = 1\0\n", 1, qr/:1: /],
);
for my $case (@table) {
	my ($name, $lines, $want, $words) = @$case;
	Devcred::Shell::write_file($conf, $lines);
	($status, $out) = Devcred::Shell::run([$program, '-t', '-c', $conf]);
	ok($status == $want && $out =~ $words, "-t with a file that $name: $want")
	    or diag("$status: $out");
}
($status, $out) = Devcred::Shell::run([$program, '-t', '-c', "$conf.missing"]);
ok($status == 1 && $out =~ /missing/, 'a file that is named must be there') or diag($out);
($status, $out) = Devcred::Shell::run([$program, '--sample']);
Devcred::Shell::write_file($conf, $out);
is((Devcred::Shell::run([$program, '-t', '-c', $conf]))[0], 0,
	'the sample file is a good one');
($status, $out) = Devcred::Shell::run([$program, '--version']);
like($out, qr/devcred [0-9.]+/, '--version says which');
is((Devcred::Shell::run([$program, '--wrong']))[0], 2, 'wrong arguments are status 2');

END { kill 'KILL', $_ for @started }
done_testing();
