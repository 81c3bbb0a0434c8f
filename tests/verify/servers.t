#!/usr/bin/perl
# Real web servers keep a file from everybody but devices: those that ask the
# service, and those that look into the database themselves.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Protected;

# A second service, on TCP: there is a server that knows nothing else.
my @started;
sub on_tcp {
	my ($protected) = @_;
	my $site = $protected->site;
	my @user = $> == 0 ? ('-u', 'www-data', '-g', 'www-data') : ();
	for my $try (1 .. 3) {
		my $port = Devcred::Site::free_port();
		my $pid = fork // die "fork: $!\n";
		if ($pid == 0) {
			open STDERR, '>>', "$site->{dir}/web/error.log";
			local $ENV{DEVCRED_CONF} = $site->conf_path;
			exec 'spawn-fcgi', '-n', @user, '-a', '127.0.0.1',
			    '-p', $port, '--', "$Devcred::Shell::BIN/devcred.fcgi"
			    or POSIX::_exit(127);
		}
		push @started, $pid;
		return "s|127.0.0.1:9010|127.0.0.1:$port|"
		    if Devcred::Shell::until_true(sub {
			IO::Socket::INET->new(PeerAddr => '127.0.0.1',
				PeerPort => $port)
			    || waitpid($pid, 1) == $pid && die 'port taken' });
	}
	die "the service does not run on TCP\n";
}

# The database of the site, for those that look themselves.
sub into_database {
	my ($protected) = @_;
	my $site = $protected->site;
	return "s|/run/postgresql|$site->{cluster}{dir}|;"
	    . "s|dbname=devcred|dbname=$site->{database}|;"
	    . "s|\"devcred\",\$|\"$site->{database}\",|";
}

# Nobody can connect to the site's database, or everybody can again.
sub database_is {
	my ($site, $there) = @_;
	my $super = $site->{cluster}->connect('postgres');
	$super->do("alter database $site->{database} allow_connections "
	    . ($there ? 'true' : 'false'));
	$super->do('select pg_terminate_backend(pid) from pg_stat_activity '
		. 'where datname = ?', undef, $site->{database}) if !$there;
	$super->disconnect;
	return;
}

# away: what is answered when nobody can tell, as the guide says.
# asks: the service takes the login, so first use is seen by it, and an older
# password that still works beside a new one is known.
my %server = (
	'lighttpd-authorizer' => { asks => 1, away => 503 },
	'nginx-auth' => { asks => 1, away => 500, edit => 's|^.*auth_request_set '
	    . '.devcred_device.*|&add_header X-Served-To $devcred_device;|' },
	'apache-authnz' => { asks => 1, away => 401, before => \&on_tcp },
	'apache-authenticator' => { asks => 1, away => 401 },
	# lighttpd 1.4.69 does not connect again, see the guide
	'lighttpd-dbi' => { asks => 0, away => 401, lost => 1,
		before => \&into_database },
	'apache-dbd' => { asks => 0, away => 401, before => \&into_database },
);

sub is_served {
	my ($protected, $login, $name) = @_;
	my $answer = $protected->fetch($login);
	ok($answer->status == 200 && $answer->body eq $Devcred::Protected::TEXT,
	    $name) or diag($answer->told);
	return $answer;
}

sub is_refused {
	my ($protected, $login, $name, $status) = @_;
	my $answer = $protected->fetch($login);
	ok($answer->status == ($status // 401)
		&& $answer->body !~ /$Devcred::Protected::TEXT/
		&& ($answer->status != 401
		    || ($answer->header('www-authenticate') // '') =~ /^Basic /),
	    $name) or diag($answer->told);
	return;
}

sub set_status {
	my ($dbh, $function, $id, @more) = @_;
	$dbh->do("select devcred.credential_$function('t1', 'test', null, 't1', "
	    . join(', ', map { '?' } $id, @more) . ')', undef, $id, @more);
	return;
}

for my $kind (@ARGV ? @ARGV : sort keys %server) {
	my %about = %{ $server{$kind} };
	my $protected = Devcred::Protected->new($kind,
		conf => { crypt_cost => 4 }, edit => $about{edit},
		before => $about{before});
	my $dbh = $protected->site->dbh;
	my $id = device_id();
	my ($user, $password) = $protected->device($id);
	my ($other, $other_password) = $protected->device(device_id());

	is_refused($protected, undef, "$kind: no login, no file");
	is_refused($protected, "$user:x$password", "another password");
	my @window = map { "select $_ from devcred.device_credential where "
	    . 'device_id = ?' } 'sealed is not null', 'failures',
	    'first_used_at is not null';
	my @before = map { $dbh->selectrow_array($_, undef, $id) } @window;
	ok($before[0] && !$before[2], 'the delivery window is open until first use');
	is($before[1], $about{asks} ? 1 : 0, $about{asks}
	    ? 'the failure is counted' : 'it is not told of the failure');
	my $answer = is_served($protected, "$user:$password",
		'the password of the device');
	my @after = map { $dbh->selectrow_array($_, undef, $id) } @window[0, 2];
	is("@after[0, 1]", $about{asks} ? '0 1' : '1 0', $about{asks}
	    ? 'whose first use closes the window' : 'but its use is not told either');
	is($answer->header('x-served-to'), $id, 'who it is, is known there')
	    if $kind eq 'nginx-auth';

	is_refused($protected, "$user:$other_password", 'the password of another');
	is_refused($protected, "t1/device_nobody:$password", 'no such device');
	is_refused($protected, "t1/device_x' or '1'='1:$password",
		'a name that would be SQL');
	my $by_role = $kind =~ /^(?:lighttpd-authorizer|nginx-auth)$/ ? 403 : 401;
	is_refused($protected, Devcred::Site::login('t1/admin'),
		'a person is no device', $by_role);
	is_served($protected, "$other:$other_password", 'the other device');

	my %post = (method => 'POST', body => 'x' x 100,
		type => 'text/plain');
	my @post = map { $protected->fetch($_, %post)->status }
	    "$user:$password", "$user:x$password";
	ok($post[0] =~ /^(?:200|405)$/ && $post[1] == 401,
		'whatever is to be done with the file') or diag("@post");

	set_status($dbh, 'disable', $id, 't');
	is_refused($protected, "$user:$password", 'disabled: at once');
	set_status($dbh, 'disable', $id, 'f');
	is_served($protected, "$user:$password", 'enabled again');
	set_status($dbh, 'revoke', $id);
	is_refused($protected, "$user:$password", 'revoked: at once');
	is_served($protected, "$other:$other_password", 'the other is not');
	is($protected->fetch("$other:$other_password", path => '/protected/none')
		->status, 404, 'what is not there is not there for devices either');
	$dbh->disconnect;
	database_is($protected->site, 0);
	is($protected->fetch("$other:$other_password")->status, $about{away},
		'without the database nobody gets it');
	is(Devcred::Fcgi::exchange($protected->site->socket_path,
		Devcred::Fcgi::request('POST', "/devcred/verify/$_",
			body => Devcred::Http::to_json(username => $other,
				password => $other_password)))->{status}, 503,
		"to $_ neither yes nor no is said")
	    for $about{asks} ? qw(emqx rabbitmq mosquitto) : ();
	database_is($protected->site, 1);
	eventually(sub { $protected->fetch("$other:$other_password")->status
		== 200 }, 'when it is back, who may get it does')
	    unless $about{lost};
	$protected->site->stop;
	for my $pid (splice @started) {
		kill 'TERM', $pid;
		waitpid $pid, 0;
	}
}

END { kill 'TERM', @started if @started }
done_testing();
