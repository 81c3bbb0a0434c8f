#!/usr/bin/perl
# RabbitMQ asks the service whether a device may log in.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $bin = '/usr/lib/rabbitmq/bin';
plan(skip_all => 'rabbitmq-server is not installed; it is large')
    if !-x "$bin/rabbitmq-server";

my $site = Devcred::Site->new(web => 'nginx');
my $issued = issued($site->client('t1/admin'));
my ($id, $password) = map { $issued->field($_) } qw(id password);
my $user = "t1/device_$id";
my $dir = "$site->{dir}/rabbitmq";
my ($amqp, $distribution, $epmd) = map { Devcred::Site::free_port() } 1 .. 3;

mkdir $_ or die "$_: $!\n" for $dir, map { "$dir/$_" } qw(data log home);
my $conf = Devcred::Shell::read_file(
	"$Devcred::Shell::TOP/deploy/rabbitmq/devcred.conf");
$conf =~ s{http://127\.0\.0\.1/}{http://127.0.0.1:$site->{port}/}g;
Devcred::Shell::write_file("$dir/rabbitmq.conf",
	"listeners.tcp.1 = 127.0.0.1:$amqp\n$conf");
Devcred::Shell::write_file("$dir/plugins", "[rabbitmq_auth_backend_http].\n");
my $node = 'devcred@localhost';
local @ENV{qw(HOME RABBITMQ_NODENAME RABBITMQ_DIST_PORT ERL_EPMD_PORT
	RABBITMQ_MNESIA_BASE RABBITMQ_LOG_BASE RABBITMQ_CONFIG_FILE
	RABBITMQ_ENABLED_PLUGINS_FILE RABBITMQ_PID_FILE)} = ("$dir/home", $node,
	$distribution, $epmd, map { "$dir/$_" } qw(data log rabbitmq.conf plugins
	pid));

my $pid = fork // die "fork: $!\n";
if ($pid == 0) {
	setpgrp;
	open STDOUT, '>', "$dir/out" or die "$dir/out: $!\n";
	open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
	exec "$bin/rabbitmq-server" or POSIX::_exit(127);
}
END {
	my $status = $?;
	if ($pid) {
		kill 'TERM', -$pid;
		waitpid $pid, 0;
		# the daemon that the first node starts, on a port of ours
		Devcred::Shell::run(['epmd', '-port', $epmd, '-kill']);
		diag(Devcred::Shell::read_file("$dir/out")) if $status;
	}
	$? = $status;
}
eventually(sub { Devcred::Shell::read_file("$dir/out") =~ /completed with/ },
	'RabbitMQ starts', 120);

sub tries {
	my (@login) = @_;
	my ($status, $text) = Devcred::Shell::run(["$bin/rabbitmqctl", '-n',
		$node, 'authenticate_user', @login]);
	return $status == 0 ? 'in' : $text =~ /Denied by the backing HTTP service/
	    ? 'out' : $text;
}
is(tries($user, $password), 'in', 'the password of a device lets it in');
is(tries($user, "x$password"), 'out', 'another does not');
is(tries('t1/admin', Devcred::Cluster::password('t1/admin')), 'out',
	'nor is a person let in');
$site->dbh->do(
	q{select devcred.credential_revoke('t1', 'test', null, 't1', ?)},
	undef, $id);
is(tries($user, $password), 'out', 'revoked: at once');

done_testing();
