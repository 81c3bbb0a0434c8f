#!/usr/bin/perl
# Secrets are in no log, no argument, no environment; not even at log level
# debug and with a database that logs every statement with its parameters.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 ();
use Devcred::Test;

my $cluster = Devcred::Cluster->new(options => ['-c log_statement=all',
	'-c log_parameter_max_length=-1']);
my $site = Devcred::Site->new(cluster => $cluster, web => 'nginx',
	conf => { log_level => 'debug' });
my $admin = $site->client('token/admin');
my $device = as_bootstrap($admin);
my $token = 'TokenOfTheDevice4711';
my $wrong = 'WrongPassword0815';

my $issued = issued($admin, token => $token);
my $password = $issued->field('password');
my $own = join '', $issued->field('tenantId'), '/', $issued->field('username'),
	":$password";
answers($admin->as($own)->get('/user/currentUser'), 200, 'the device logs in');
answers($admin->as("token/admin:$wrong")->get('/user/currentUser'), 401,
	'a wrong password is refused');
# the same in bodies, as brokers send them
my $name = join '/', map { $issued->field($_) } qw(tenantId username);
for my $case ([$password, 'allow'], [$wrong, 'deny']) {
	my ($sent, $said) = @$case;
	my %as = (json => Devcred::Http::to_json(username => $name,
		password => $sent), 'x-www-form-urlencoded' =>
		"username=$name&password=$sent");
	is($admin->as(undef)->request('POST', '/devcred/verify/rabbitmq',
		type => "application/$_", body => $as{$_})->body, $said,
		"a login in a body ($_): $said") for sort keys %as;
}
my $pending = pending($admin, token => $token);
answers($admin->accept_device($pending, with => { securityToken => "$token-x" }),
	422, 'a wrong token is refused');
$admin->poll($pending, body => '{"id":"' . $token . '"');

my $bootstrap = Devcred::Cluster::password('management/devicebootstrap');
my %secret = (
	"the device's password" => $password,
	'the security token' => $token,
	"the administrator's password" => Devcred::Cluster::password('token/admin'),
	'the bootstrap password' => $bootstrap,
	'a wrong password' => $wrong,
	'an Authorization header' => MIME::Base64::encode_base64(
		"management/devicebootstrap:$bootstrap", ''),
);
my %place = (
	"the service's log" => $site->service_log,
	"the web server's log" => Devcred::Shell::read_file("$site->{dir}/web/error.log"),
	"the database's log" => join('', $cluster->log),
);
my @processes = ($site->service_pid);
push @processes, map { Devcred::Site::children($_) } @processes;
push @processes, map { Devcred::Site::children($_) } @processes[1 .. $#processes];
$place{'arguments and environment'} = join '', map {
	Devcred::Shell::read_file("/proc/$_/cmdline"),
	Devcred::Shell::read_file("/proc/$_/environ")
} @processes;

for my $place (sort keys %place) {
	cmp_ok(length $place{$place}, '>', 0, "there is something in $place")
	    unless $place =~ /web/;
	my @found = grep { index($place{$place}, $secret{$_}) >= 0 } sort keys %secret;
	is("@found", '', "none of the secrets is in $place");
}

# The cluster's log does show what the service sends; so it would be seen.
like($place{"the database's log"}, qr/credential_issue\(.*\n?.*\Q@{[$issued->field('id')]}\E/,
	'although parameters of statements are logged');

SKIP: {
	skip 'a sanitized program leaves the mark to the sanitizer', 1
	    if `nm -D $Devcred::Shell::BIN/devcred.fcgi 2>/dev/null` =~ /__asan/;
	my @open = grep { (stat "/proc/$_/environ")[4] != 0 } @processes;
	is("@open", '', 'nor can its memory be read by others of the same user, or dumped');
}

done_testing();
