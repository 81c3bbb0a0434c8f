#!/usr/bin/perl
# Two instances behind the balancer of doc/instances.md: devices go on while
# one is killed, or its service is, and nobody notices which one answers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Devcred::Test;
use Devcred::Pair;

my $work = Devcred::Shell::new_dir();
my $front = Devcred::Site::free_port();
my $pair = Devcred::Pair->new(webs => ['nginx', 'apache'], conf => {
	trusted_proxy => '127.0.0.1', base_url => 'https://devices.example.org',
	retry_after => 1, workers => 1 });
my ($one, $two) = $pair->sites;
my $dbh = $one->dbh;

# The balancer ------------------------------------------------------------------

my ($status, $said) = Devcred::Shell::run([qw(openssl req -x509 -newkey rsa:2048
	-nodes -days 2 -subj /CN=localhost -addext), 'subjectAltName=IP:127.0.0.1',
	'-keyout', "$work/devices.key", '-out', "$work/devices.pem"]);
is($status, 0, 'there is a certificate') or BAIL_OUT($said);
my ($snippet) = Devcred::Shell::read_file("$Devcred::Shell::TOP/doc/instances.md")
    =~ /^```nginx\n(.*?)^```$/ms;
ok($snippet, 'the guide has a balancer') or BAIL_OUT('no balancer');
for my $change (["192.0.2.11:80", "127.0.0.1:$one->{port}"],
    ["192.0.2.12:80", "127.0.0.1:$two->{port}"],
    ["listen 443 ssl;", "listen 127.0.0.1:$front ssl;\n\tlisten 127.0.0.1:%d;"],
    ['/etc/ssl/devices', "$work/devices"]) {
	my ($from, $to) = @$change;
	ok($snippet =~ s/\Q$from\E/$to/g, "it has $from");
}
my $plain = Devcred::Site::free_port();
Devcred::Shell::write_file("$work/nginx.conf", join '',
	($> == 0 ? "user www-data;\n" : ''),
	"daemon off; pid $work/nginx.pid; error_log $work/error.log;\n",
	"events { }\nhttp {\naccess_log off;\n",
	(map { "${_}_temp_path $work/$_;\n" } qw(client_body fastcgi proxy scgi uwsgi)),
	sprintf($snippet, $plain), "}\n");
my $balancer = fork // die "fork: $!\n";
if ($balancer == 0) {
	local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
	exec 'nginx', '-e', "$work/error.log", '-c', "$work/nginx.conf"
	    or POSIX::_exit(127);
}
eventually(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $front) },
	'it runs') or BAIL_OUT(Devcred::Shell::read_file("$work/error.log"));
my $admin = Devcred::Http->new(port => $plain, login => Devcred::Site::login('t1/admin'));
my $device = as_bootstrap($admin);

# Nobody notices which one answers ------------------------------------------------

sub source_of {
	return ($dbh->selectrow_array('select host(source), request_id from devcred.event
		where device_id = ? and operation = ?', undef, @_));
}

my $id = device_id();
my $made = $admin->register($id);
answers($made, 201, 'a device is registered through it');
like($made->header('location'), qr{\Ahttps://devices\.example\.org/devicecontrol/},
	'links have the name that all know');
my ($source, $request) = source_of($id, 'newdevice_create');
is($source, '127.0.0.1', "the client's address is recorded");
is($request, $made->header('x-request-id'), 'with the id of the request');
$device->poll($id);
$admin->accept_device($id);
my @told = map { $device->poll($id) } 1 .. 6;
is(join(' ', map { $_->status } @told), join(' ', (201) x 6), 'the answer is repeated');
my %password = map { $_->field('password') => 1 } @told;
is(scalar keys %password, 1, 'by whichever instance, the same password');



# One is killed -------------------------------------------------------------------

my $login = "$work/bootstrap.login";
Devcred::Shell::write_file($login, Devcred::Site::login('management/devicebootstrap') . "\n", 0600);
my %device = map { my $name = device_id('many');
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>', "$work/$name.log";
		exec 'python3', "$Devcred::Shell::TOP/doc/samples/python/device.py",
		    '-u', "https://127.0.0.1:$front", '-c', "$work/devices.pem", '-i', $name,
		    '-b', $login, '-o', "$work/$name.login", '-s', 0 or POSIX::_exit(127);
	}
	($name => $pid) } 1 .. 12;
registered($admin, id => $_) for keys %device;
sub pending_now { return $dbh->selectrow_array(q{select count(*) from devcred.request
	where status = 'PENDING_ACCEPTANCE' and id like 'many-%'}) }
eventually(sub { pending_now() == 12 }, 'twelve devices wait');

sub family {
	my ($pid) = @_;
	return ($pid, map { family($_) } Devcred::Site::children($pid));
}
my ($web) = Devcred::Shell::read_file("$one->{dir}/web.pid") =~ /(\d+)/;
kill 'KILL', family($web), family($one->service_pid);
answers($device->poll(device_id()), 404, 'one killed, the other one answers');
answers($admin->get('/user/currentUser'), 200, 'administrators, too');
answers($admin->accept_device($_), 200, "$_ is accepted") for sort keys %device;
for my $name (sort keys %device) {
	my $ended = Devcred::Shell::until_true(sub {
		waitpid($device{$name}, POSIX::WNOHANG()) == $device{$name} }, 40);
	is($ended ? $? : 'still running', 0, "$name has its login, and it works")
	    or diag(Devcred::Shell::read_file("$work/$name.log"));
	delete $device{$name} if $ended;
}

# Its web server is there again, its service is not ---------------------------------

$one->{serving} = 0;
local $ENV{PRIVATE_WEB_EDIT} = '';
Devcred::Shell::private('private_web_start', 'nginx', $one->{dir}, $one->{port});
$one->{serving} = 1;
my @status = map { $device->poll(device_id())->status } 1 .. 20;
is(join(' ', grep { $_ != 404 } @status), '', 'a service that is away is passed over');
$one->start_service;
eventually(sub { $one->client->get('/user/currentUser')->status == 401 }, 'it is back');

# Each reloads in its turn, while devices ask ---------------------------------------

for my $site ($one, $two) {
	my $manager = $site->service_pid;
	my ($before) = Devcred::Site::children($manager);
	kill 'HUP', $manager;
	my @while;
	Devcred::Shell::until_true(sub {
		push @while, $device->poll(device_id())->status;
		!grep { $_ == $before } Devcred::Site::children($manager) }, 30);
	is(join(' ', grep { $_ != 404 } @while), '', 'no question is lost while one reloads');
}
eventually(sub { $dbh->selectrow_array(q{select count(*) from pg_stat_activity
	where datname = current_database() and usename = 'devcred_service'}) <= 2 * 3 },
	'each worker has three connections at most');

END {
	my $status = $?;
	kill 'KILL', values %device;
	kill 'TERM', $balancer if $balancer;
	File::Path::remove_tree($work, { safe => 1 }) if $work;
	$? = $status;
}
done_testing();
