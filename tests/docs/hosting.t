#!/usr/bin/perl
# devcred in an account of a shared host, with the files of doc/hosting.md:
# Apache runs them as CGI and under mod_fcgid, with suexec and without.
#
# suexec has the folders /var/www and /var/log/apache2 built in.  They are there
# in a mount namespace of this Apache alone; the system's are not touched.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Devcred::Test;

plan skip_all => 'only root can be several users'
    if $> != 0 || (Devcred::Shell::run(['unshare', '-m', 'true']))[0];
my $SUEXEC = '/usr/lib/apache2/suexec-pristine';
my $page = Devcred::Shell::read_file("$Devcred::Shell::TOP/doc/hosting.md");
my ($program) = $page =~ /^```shell\n(.*?)^```$/ms;
my ($htaccess) = $page =~ /^```apache\n(.*?)^```$/ms;
my ($rule) = $page =~ /^    (RewriteRule \.\* .*)$/m;
ok($program && $htaccess && $rule, 'the guide has its files') or BAIL_OUT('no files');

# The host: a database elsewhere, and the account of a user -----------------------

my $cluster = Devcred::Cluster->new;
chmod 0755, $cluster->{dir};
my $database = $cluster->database;
my $work = Devcred::Shell::new_dir();
my $account = "$work/www/alice";
my (undef, undef, $uid, $gid) = getpwnam 'nobody';

sub run { my ($status, $text) = Devcred::Shell::run([@_]); $status and die "@_:\n$text"; return }
sub put {
	my ($path, $text, $mode) = @_;
	Devcred::Shell::write_file("$account/$path", $text, $mode);
	chown $uid, $gid, "$account/$path";
	return;
}

run('mkdir', '-p', "$work/log", map { "$account/$_" }
	qw(public_html/iot devcred/etc/devcred devcred/libexec/devcred));
run('cp', "$Devcred::Shell::BIN/devcred.fcgi", "$account/devcred/libexec/devcred");
run('chown', '-R', "$uid:$gid", $account);
# the service has a password there
my $secret = 'of the service';
my $hba = "$cluster->{dir}/pg/pg_hba.conf";
my $super = $cluster->connect('postgres');
$super->do("alter role devcred_service password '$secret'");
Devcred::Shell::write_file($hba, "local all devcred_service scram-sha-256\n"
	. Devcred::Shell::read_file($hba));
$super->do('select pg_reload_conf()');
put('devcred/etc/pgpass', "*:*:*:devcred_service:$secret\n", 0600);
my $settings = 'app_database = ' . $cluster->conninfo($database, 'devcred_service')
    . " passfile=/var/www/alice/devcred/etc/pgpass\ndatabase = " . $cluster->conninfo($database, 'devcred_operator')
    . "\ndefault_tenant = t1\nkey_file = /var/www/alice/devcred/etc/keys\n";
put('devcred/etc/keys', 'k1 ' . 'ab' x 32 . " 2026-01-01\n", 0600);

# Start the host's Apache; with suexec, programs run as the account's user.
my ($apache, $port);
sub start {
	my ($suexec) = @_;
	$port = Devcred::Site::free_port();
	my $modules = join '', map { "LoadModule ${_}_module /usr/lib/apache2/modules/mod_$_.so\n" }
	    qw(mpm_event authn_core authz_core alias env mime rewrite cgid fcgid),
	    $suexec ? 'suexec' : ();
	Devcred::Shell::write_file("$work/apache.conf", <<"END");
$modules
ServerName 127.0.0.1
Listen 127.0.0.1:$port
ServerRoot "$work"
DefaultRuntimeDir "$work"
PidFile "$work/apache.pid"
ErrorLog "$work/error.log"
TypesConfig /dev/null
ScriptSock "$work/cgid.sock"
FcgidIPCDir "$work"
FcgidProcessTableFile "$work/fcgid"
User www-data
Group www-data
@{[ $suexec ? 'SuexecUserGroup nobody nogroup' : '' ]}
DocumentRoot /var/www/alice/public_html
<Directory /var/www/alice/public_html>
	AllowOverride AuthConfig FileInfo Options
	Require all granted
</Directory>
END
	run('chown', 'www-data:www-data', $work);
	$apache = fork // die "fork: $!\n";
	if ($apache == 0) {
		local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
		exec 'unshare', '-m', 'sh', '-ec', 'mount --bind "$1/www" /var/www
			mount -t tmpfs none /var/log
			mkdir /var/log/apache2
			mount --bind "$1/log" /var/log/apache2
			exec apache2 -D FOREGROUND -f "$1/apache.conf"', 'sh', $work
		    or POSIX::_exit(127);
	}
	return eventually(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port) }, 'the host has Apache' . ($suexec ? ' with suexec' : ''));
}

sub stop {
	my $pid = $apache or return;
	undef $apache;
	kill 'TERM', $pid;
	waitpid $pid, 0;
	return;
}

# Everything a device and an administrator do, in a folder.
sub works {
	my ($name, $folder) = @_;
	my $says = sub { $name . ': ' . shift };
	my $requests = "$folder/devicecontrol/newDeviceRequests";
	my $client = Devcred::Http->new(port => $port);
	my $as = sub { $client->as(Devcred::Site::login(shift)) };
	my $poll = sub { $as->('management/devicebootstrap')->request('POST',
		"$folder/devicecontrol/deviceCredentials", type => 'application/json',
		body => qq({"id":"$_[0]"})) };
	my $id = device_id();

	answers($client->get("$folder/user/currentUser"), 401, $says->('a login is needed')) or return;
	my $made = $as->('t1/admin')->request('POST', $requests,
		type => 'newDeviceRequest', body => qq({"id":"$id"}));
	answers($made, 201, $says->('a device is registered'));
	like($made->header('location') // '', qr{:\d+\Q$requests/$id\E\z}, $says->('its link leads there'));
	answers($poll->($id), 404, $says->('it asks'));
	answers($as->('t1/admin')->request('PUT', "$requests/$id", type => 'newDeviceRequest',
		body => '{"status":"ACCEPTED"}'), 200, $says->('it is accepted'));
	my @told = map { $poll->($id) } 1, 2;
	answers($told[0], 201, $says->('it gets its login'));
	return ($id, @told, $client, $folder);
}

sub is_repeated {
	my ($name, $id, $first, $again, $client, $folder) = @_;
	return unless $again;
	is($again->field('password'), $first->field('password'), "$name: the answer is repeated");
	answers($client->as("t1/device_$id:" . $first->field('password'))
		->get("$folder/user/currentUser"), 200, "$name: it works");
	return;
}

# A kind of installation in the account.
sub install {
	my ($handler, $folder, $htaccess, %arg) = @_;
	put('devcred/etc/devcred/devcred.conf', $settings . "path_prefix = $folder\n"
		. ($arg{settings} // ''), $arg{mode} // 0600);
	put("public_html$folder/devcred.cgi", $program, 0755);
	put("public_html$folder/.htaccess", $htaccess =~ s/cgi-script/$handler/r, 0644);
	return;
}
my $ruled = $htaccess =~ s/^CGIPassAuth On\n//mr =~ s/^RewriteEngine On\n\K/$rule\n/mr;

# Programs run as the account's user ------------------------------------------------

SKIP: {
	skip "$SUEXEC is not installed", 1 unless -x $SUEXEC;
	start(1) or BAIL_OUT(Devcred::Shell::read_file("$work/error.log"));
	for my $case (['cgi-script', '', $htaccess, 'CGI'], ['cgi-script', '/iot', $htaccess,
	    'CGI in a subfolder'], ['cgi-script', '', $ruled, 'CGI without CGIPassAuth'],
	    ['fcgid-script', '', $htaccess, 'mod_fcgid'],
	    ['fcgid-script', '', $ruled, 'mod_fcgid without CGIPassAuth']) {
		my ($handler, $folder, $text, $name) = @$case;
		install($handler, $folder, $text);
		is_repeated("$name, suexec", works("$name, suexec", $folder));
	}
	like(Devcred::Shell::read_file("$work/log/suexec.log"), qr/uid: \(\S*nobody/,
		'it was suexec that started them');
	# what .htaccess sets does not come through
	install('cgi-script', '', $htaccess . "SetEnv DEVCRED_API_PROFILE nonsense\n");
	answers(Devcred::Http->new(port => $port)->get('/user/currentUser'), 401,
		'suexec lets no setting through');
	stop();
}

# Programs run as the web server's user ---------------------------------------------

start(0);
$settings =~ s/^key_file.*\n//m;
$settings =~ s/devcred_service/devcred_operator/;
install('cgi-script', '', $htaccess, mode => 0644);
works('one login for all of the database', '');
$settings =~ s/devcred_operator/devcred_service/;
install('cgi-script', '', $htaccess, mode => 0644);
is(Devcred::Http->new(port => $port, login => Devcred::Site::login('t1/admin'))
	->get('/user/currentUser')->status, 503, "a password file of another user's is no use");
$settings =~ s/passfile=\S+/password='$secret'/;
for my $case (['cgi-script', 'CGI'], ['fcgid-script', 'mod_fcgid']) {
	my ($handler, $name) = @$case;
	install($handler, '', $htaccess, mode => 0644);
	my (undef, undef, $again) = works("$name, no suexec", '');
	is($again && $again->status, 404, "$name, no suexec: without a key file told once");
}
install('cgi-script', '', $htaccess . "SetEnv DEVCRED_REQUIRE_TLS on\n"
	. "SetEnv DEVCRED_TRUSTED_PROXY 127.0.0.1\n", mode => 0644);
my $answer = Devcred::Http->new(port => $port, login => Devcred::Site::login('t1/admin'))
    ->get('/user/currentUser', headers => ['X-Forwarded-For: 192.0.2.1']);
refuses($answer, 403, 'security/Forbidden', qr/TLS only/, 'without it .htaccess has settings;');
install('cgi-script', '', $htaccess, mode => 0644, settings => "key_file = /var/www/alice/devcred/etc/keys\n");
is(Devcred::Http->new(port => $port)->get('/user/currentUser')->status, 503,
	'a key file of another user is not taken');
like(Devcred::Shell::read_file("$work/error.log"), qr{devcred/etc/keys}, 'and the log says so');
stop();

END {
	my $status = $?;
	diag(Devcred::Shell::read_file("$work/error.log") =~ s/.*(?=(?:.*\n){15}\z)//sr)
	    if $work && !Test::More->builder->is_passing;
	stop();
	File::Path::remove_tree($work, { safe => 1 }) if $work;
	$? = $status;
}
done_testing();
