#!/usr/bin/perl
# Secrets are in no log, no argument, no environment, no list of what the database
# is doing, no answer that tells of an error and no dump; not even at log level
# debug and with a database that logs every statement with its parameters.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 ();
use Devcred::Test;
use Devcred::Meanwhile;
use Devcred::Pair;

my $cluster = Devcred::Cluster->new(options => ['-c log_statement=all',
	'-c log_parameter_max_length=-1', '-c log_min_error_statement=debug5']);
my $site = Devcred::Site->new(cluster => $cluster, web => 'nginx', start => 0);
Devcred::Shell::private('private_prepare', $site->{dir});
Devcred::Pair::write_keys("$site->{dir}/shared-keys", 'k1');
my $to_database = 'PasswordOfTheService2342';
$site->configure(log_level => 'debug', workers => 2, key_file => "$site->{dir}/shared-keys",
	app_database => $cluster->conninfo($site->{database}, 'devcred_service')
	    . " password=$to_database");
$site->start_service;
{
	local $ENV{PRIVATE_WEB_EDIT} = 's|#access_log .*devcred.log|access_log '
	    . "$site->{dir}/web/access.log|";
	$site->start_web;
}
my $admin = $site->client('token/admin');

# What the database's processes are doing, looked at all the while.
my $doing = "$site->{dir}/doing";
my $watcher = Devcred::Meanwhile->start(do {
	my $dbh;
	sub {
		$dbh //= $site->dbh;
		open my $file, '>>', $doing or die "$doing: $!\n";
		print {$file} map { "$_\n" } @{ $dbh->selectcol_arrayref(
			'select a::text from pg_stat_activity a where pid <> pg_backend_pid()') };
		close $file or die "$doing: $!\n";
		return undef;
	}
});
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
$device->poll($issued->field('id'), with => { securityToken => $token })->status == 404
    or die "a password that was used is delivered again\n";

# What goes wrong, and what is said of it.
my $long = 'x' x 7000;
my @errors = map { $_->{head} . $_->{body} } (
	$admin->poll($pending, body => qq({"id":"$pending","securityToken":"$token"$long)),
	$admin->as("token/admin:$wrong")->get('/user/currentUser'),
	$admin->as("$own,$own")->get('/user/currentUser'),
	$device->poll($pending, with => { securityToken => $token }, headers => ['Content-Length: 1']),
	$device->poll($pending, with => { securityToken => $token }, accept => 'text/html'),
	$admin->get("/devcred/nothing?password=$long"), $admin->request('BREW', '/'),
	$device->poll('a/b', with => { securityToken => $token }),
);

my $bootstrap = Devcred::Cluster::password('management/devicebootstrap');
my %secret = (
	"the device's password" => $password,
	'the security token' => $token,
	"the administrator's password" => Devcred::Cluster::password('token/admin'),
	'the bootstrap password' => $bootstrap,
	'a wrong password' => $wrong,
	'an Authorization header' => MIME::Base64::encode_base64(
		"management/devicebootstrap:$bootstrap", ''),
	"the service's password" => $to_database,
	'the key' => (Devcred::Shell::read_file("$site->{dir}/shared-keys") =~ /^k1 (\S+)/m)[0],
);
# A worker that crashes leaves a line in the log, and no more.
my ($worker) = Devcred::Site::children($site->service_pid);
my $where = readlink "/proc/$worker/cwd";
kill 'ABRT', $worker;
eventually(sub { $site->service_log =~ /worker_died/ }, 'a worker that crashes is noticed');
eventually(sub { Devcred::Site::children($site->service_pid) == 2 }, 'and replaced');
is(join(' ', grep { /core/ } map { glob "$_/core*" } $where, $site->{dir}, "$site->{dir}/web"), '',
	'it leaves no dump');
my %place = (
	"the service's log" => $site->service_log,
	"the web server's error log" => Devcred::Shell::read_file("$site->{dir}/web/error.log"),
	"the web server's access log" => Devcred::Shell::read_file("$site->{dir}/web/access.log"),
	"the database's log" => join('', $cluster->log),
);
my @processes = ($site->service_pid);
push @processes, map { Devcred::Site::children($_) } @processes;
push @processes, map { Devcred::Site::children($_) } @processes[1 .. $#processes];
$place{'arguments and environment'} = join '', map {
	Devcred::Shell::read_file("/proc/$_/cmdline"),
	Devcred::Shell::read_file("/proc/$_/environ")
} @processes;

# The database goes away; what is said then, and what is looked at meanwhile.
is_deeply($watcher->stop->{wrong}, [], 'the database was looked at all the while');
$place{'what the database was doing'} = Devcred::Shell::read_file($doing);
$cluster->stop;
push @errors, map { $_->{head} . $_->{body} } $device->poll($pending,
	with => { securityToken => $token }), $admin->get('/user/currentUser');
like($errors[-1], qr/^HTTP\S+ 503/, 'without a database it is 503');
$place{'what is answered when something is wrong'} = join '', @errors;
$place{"the service's log"} .= $site->service_log;
unlike($place{'what is answered when something is wrong'},
	qr/\Q$cluster->{dir}\E|\Q$site->{dir}\E|devcred_service|SQLSTATE|ERROR:|libpq|PGSQL/,
	'nor do errors tell how it is made');

for my $place (sort keys %place) {
	cmp_ok(length $place{$place}, '>', 0, "there is something in $place")
	    unless $place =~ /error log/;
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
