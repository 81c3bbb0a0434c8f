#!/usr/bin/perl
# The samples for authors of devices, in doc/samples, do what they and
# doc/device.md say: each of them, against the real service.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Devcred::Test;
use Devcred::Lossy;
use Devcred::Pair;

my $samples = "$Devcred::Shell::TOP/doc/samples";
my $work = Devcred::Shell::new_dir();
my $bootstrap = Devcred::Cluster::password('management/devicebootstrap');
my $token = 'token "of" the \\ device';

# Build what is to be built, as doc/device.md says -----------------------------

my ($status, $said) = Devcred::Shell::run(['sh', '-c',
	"cc -Wall -Wextra -Werror -o '$work/device' '$samples/c/device.c' "
	. '$(pkg-config --cflags --libs libcurl json-c)']);
is($status, 0, 'the sample in C compiles without a warning')
    or BAIL_OUT($said);
my %sample = (
	C => ["$work/device"],
	Python => ['python3', "$samples/python/device.py"],
	shell => ['sh', "$samples/shell/device.sh"],
);
my @languages = sort keys %sample;

# A curl that writes down what everybody can see of it, or its own user: its
# arguments and its environment.
mkdir "$work/bin" or die "$work/bin: $!\n";
my ($curl) = grep { -x } map { "$_/curl" } split /:/, $ENV{PATH};
Devcred::Shell::write_file("$work/bin/curl", <<"END", 0755);
#!/bin/sh
{ printf '%s\\n' "\$@"; env; } >>'$work/seen'
exec '$curl' "\$@"
END
local $ENV{PATH} = "$work/bin:$ENV{PATH}";
delete local @ENV{qw(http_proxy https_proxy)};

# The service, over TLS too ----------------------------------------------------

my $tls = Devcred::Site::free_port();
($status, $said) = Devcred::Shell::run([qw(openssl req -x509 -newkey rsa:2048
	-nodes -days 2 -subj /CN=localhost -addext), 'subjectAltName=IP:127.0.0.1',
	'-keyout', "$work/key.pem", '-out', "$work/cert.pem"]);
is($status, 0, 'there is a certificate') or BAIL_OUT($said);
my $site = Devcred::Site->new(web => 'nginx', start => 0);
Devcred::Shell::private('private_prepare', $site->{dir});
Devcred::Pair::write_keys("$site->{dir}/shared-keys", 'k1');
$site->configure(retry_after => 1, workers => 1,
	key_file => "$site->{dir}/shared-keys");
$site->start_service;
{
	local $ENV{PRIVATE_WEB_EDIT} = 's|listen 80;|listen 80; '
	    . "listen 127.0.0.1:$tls ssl; ssl_certificate $work/cert.pem; "
	    . "ssl_certificate_key $work/key.pem;|";
	$site->start_web;
}
my $admin = $site->client('t1/admin');
my $dbh = $site->dbh;

# Devices ----------------------------------------------------------------------

my $count = 0;

sub file_of {
	my ($text, $name) = @_;
	my $path = "$work/" . ($name // 'given' . ++$count);
	Devcred::Shell::write_file($path, "$text\n", 0600);
	return $path;
}
my $login_file = file_of("management/devicebootstrap:$bootstrap");

# A device of each language, each with an id of its own; it is not started.
sub devices {
	return map {
		my $id = device_id(lc $_);
		{ language => $_, id => $id, file => "$work/$id.login",
			log => "$work/$id.log" }
	} @languages;
}

# Start a device.  Options: port, url, bootstrap (path), more (arguments),
# cut (it dies when it writes the first byte to a file).
sub start {
	my ($device, %arg) = @_;
	my $url = $arg{url} // 'http://127.0.0.1:' . ($arg{port} // $site->{port});
	my @command = (@{ $sample{$device->{language}} }, '-u', $url,
		'-i', $device->{id}, '-b', $arg{bootstrap} // $login_file,
		'-o', $device->{file}, '-s', 0, @{ $arg{more} // [] });
	my $log = $arg{cut} ? '/dev/null' : $device->{log};

	# not with the curl that writes
	@command = ('sh', '-c', 'PATH=${PATH#*:}; ulimit -f 0; exec "$@"', 'sh',
		@command) if $arg{cut};
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDOUT, '>>', $log or die "$log: $!\n";
		open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
		setpgrp;
		exec @command or POSIX::_exit(127);
	}
	$device->{pid} = $pid;
	return;
}

# Wait until a device has ended; its exit status, 256 and the signal if one
# ended it, undef if it does not end.
sub ended {
	my ($device) = @_;
	my $pid = delete $device->{pid} or return;
	my $status;
	Devcred::Shell::until_true(sub {
		my $is = waitpid($pid, POSIX::WNOHANG()) == $pid;
		$status = $? & 127 ? 256 + ($? & 127) : $? >> 8 if $is;
		$is }, 40) or kill 'KILL', -$pid;
	return $status;
}

sub ends_with {
	my ($status, $device, $name) = @_;
	is(ended($device), $status, "$device->{language}: $name")
	    or diag(Devcred::Shell::read_file($device->{log}));
	return;
}

sub says {
	my ($words, $device, $name) = @_;
	return eventually(sub { Devcred::Shell::read_file($device->{log}) =~ $words },
		"$device->{language}: $name");
}

sub kept { return Devcred::Shell::read_file($_[0]{file}) }

# The device keeps a login, safely, and it works.
sub is_kept {
	my ($device) = @_;
	my ($login, $language) = (kept($device), $device->{language});
	like($login, qr{\At1/device_\Q$device->{id}\E:\w{32}\n\z},
		"$language: keeps its login");
	is((stat $device->{file})[2] & 07777, 0600, "$language: for itself alone");
	ok(!-e "$device->{file}.new", "$language: and nothing else");
	is($site->client->as($login =~ s/\n\z//r)->get('/user/currentUser')->status, 200,
		"$language: it is good");
	return;
}

sub accept_it {
	my ($device, %with) = @_;
	Devcred::Shell::until_true(sub { $admin->accept_device($device->{id},
		with => \%with)->status == 200 })
	    or die "$device->{id} cannot be accepted\n";
	return;
}

# From the first request to the login, over TLS, with a token ------------------

my @devices = devices();
my @more = ('-t', file_of($token), '-c', "$work/cert.pem");
start($_, url => "https://127.0.0.1:$tls", more => \@more) for @devices;
says(qr/404 .*There is no newDeviceRequest/, $_, 'not registered, it asks on')
    for @devices;
registered($admin, id => $_->{id}) for @devices;
says(qr/404 .*PENDING_ACCEPTANCE/, $_, 'registered, it asks on') for @devices;
accept_it($_, securityToken => $token) for @devices;
for my $device (@devices) {
	ends_with(0, $device, 'accepted, it has its login');
	is_kept($device);
	says(qr{logged in as t1/device_\Q$device->{id}\E$}m, $device, 'logs in');
	is($dbh->selectrow_array('select first_used_at is not null from
		devcred.credential where device_id = ?', undef, $device->{id}), 1,
		"$device->{language}: which the service has seen");
	my ($password) = kept($device) =~ /:(.*)/;
	for my $place ($device->{log}, "$work/seen") {
		my $text = Devcred::Shell::read_file($place);
		ok(!(grep { index($text, $_) >= 0 } $password, $bootstrap, $token),
			"$device->{language}: no secret in " . $place =~ s{.*/}{}r);
	}
}
my $nonsense = file_of('management/devicebootstrap:wrong');
start($_, bootstrap => $nonsense) for @devices;
ends_with(0, $_, 'started again, it uses what it has kept') for @devices;
my @untrusting = devices();
start($_, url => "https://127.0.0.1:$tls") for @untrusting;
for (@untrusting) {
	says(qr/no answer|certificate/, $_, 'tells nothing to who has no good certificate');
	kill 'KILL', -$_->{pid};
	ended($_);
}

# What is lost -----------------------------------------------------------------

for my $device (devices()) {
	my $notes = "$work/$device->{id}.lost";
	my $proxy = Devcred::Lossy->new(port => $site->{port}, share => 1,
		most => 1, seed => 1, log => $notes);
	start($device, port => $proxy->{port});
	registered($admin, id => $device->{id});
	accept_it($device);
	ends_with(0, $device, 'the answer lost, it has its login');
	is_kept($device);
	my ($password) = kept($device) =~ /:(.*)/;
	is(Devcred::Shell::read_file($notes), "lost $device->{id} $password\n",
		"$device->{language}: the one that was lost");
	$proxy->stop;
}

@devices = devices();
accepted($admin, id => $_->{id}) for @devices;
for my $device (@devices) {
	start($device, cut => 1);
	isnt(ended($device), 0, "$device->{language}: it dies while it writes");
	ok(!-e $device->{file}, "$device->{language}: and has kept nothing");
	start($device);
	ends_with(0, $device, 'started again, it has its login');
	is_kept($device);
	is(join(' ', $dbh->selectrow_array('select count(*) filter (where operation
		= $$credential_issue$$), count(*) filter (where operation =
		$$credential_deliver$$) from devcred.event where device_id = ?', undef,
		$device->{id})), '1 1', "$device->{language}: delivered twice");
}

# The database is away for a moment.
@devices = devices();
accepted($admin, id => $_->{id}) for @devices;
my $super = $site->{cluster}->connect('postgres');
$super->do("alter database $site->{database} allow_connections false");
$super->do('select pg_terminate_backend(pid) from pg_stat_activity
	where datname = ?', undef, $site->{database});
start($_) for @devices;
says(qr/^device: 503 /m, $_, 'is told that it cannot be told now') for @devices;
$super->do("alter database $site->{database} allow_connections true");
ends_with(0, $_, 'and asks on until it can') for @devices;
is_kept($_) for @devices;
$dbh = $site->dbh;

# What asking again does not change --------------------------------------------

my @refused = devices();
start($_, bootstrap => $nonsense) for @refused;
ends_with(3, $_, 'a wrong bootstrap login ends it') for @refused;
my $people = file_of(Devcred::Site::login('t1/admin'));
start($_, bootstrap => $people) for @refused;
ends_with(3, $_, 'so does one of a person') for @refused;
my @wrong = map { { %$_, id => "two words $_->{id}" } } devices();
start($_) for @wrong;
ends_with(4, $_, 'so does an id that cannot be') for @wrong;
$dbh->do(q{select devcred.credential_disable('t1', 't1/admin', null, null, ?, true)},
	undef, $_->{id}) for @devices;
for my $device (@devices) {
	my $before = kept($device);
	start($device);
	ends_with(5, $device, 'so does a login of its own that is refused');
	is(kept($device), $before, "$device->{language}: which it keeps");
}
for my $case ([2, 'passwords over plain HTTP', url => 'http://192.0.2.1:80'],
    [2, 'an argument too many', more => ['x']],
    [1, 'no bootstrap login', bootstrap => "$work/none"]) {
	my ($status, $name, @how) = @$case;
	for my $device (devices()) {
		start($device, @how);
		ends_with($status, $device, $name);
	}
}
for my $device (map { { %$_, file => "$work/none/$_->{id}" } } devices()) {
	start($device);
	ends_with(1, $device, 'it asks for nothing that it could not keep');
}

END {
	my $status = $?;
	kill 'KILL', -$_ for grep { $_ } map { $_->{pid} } @devices, @refused;
	File::Path::remove_tree($work, { safe => 1 }) if $work;
	$? = $status;
}
done_testing();
