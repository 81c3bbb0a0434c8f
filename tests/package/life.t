#!/usr/bin/perl
# The Debian packages in a clean root, as an administrator has them: installed,
# set up as README.Debian says, used, upgraded, removed and purged.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Machine;
use Devcred::Package;
use Devcred::Shell;

plan skip_all => 'only root can make a clean root' if $> != 0;

my $machine = Devcred::Machine->new;
my $SOCKET = '/run/devcred/fcgi.sock';
# who has no login is told so by the service, and by nobody else
my $PROBE = '/user/currentUser';

# What a script says; the test is that it succeeds.
sub does {
	my ($name, $script, %arg) = @_;
	my ($status, $out) = $machine->sh($script, %arg);
	is($status, 0, $name) or diag("$script\n$out");
	return $out;
}

sub install {
	my ($name, @debs) = @_;
	my ($status, $out) = Devcred::Package::install($machine, @debs);
	is($status, 0, $name) or diag($out);
	return;
}

# Processes, by their names, and TCP sockets that listen.
sub processes {
	my $out = $machine->must('cat /proc/[0-9]*/comm 2>/dev/null || true');
	return sort grep { /devcred|lighttpd|apache2|postgres/ } split /\n/, $out;
}

sub listeners {
	my $out = $machine->must('cat /proc/net/tcp /proc/net/tcp6');
	return () = $out =~ /^\s*\d+: \S+ \S+ 0A /mg;
}

# Traces of us: files named so, lines of configuration, files without an owner.
sub traces {
	return $machine->must(<<'SH');
		find / -xdev -name '*devcred*' ! -path '/proc/*'
		find / -xdev '(' -nouser -o -nogroup ')' ! -path '/proc/*'
		grep -rls --exclude='*-' devcred /etc /run /usr/lib/systemd /usr/lib/tmpfiles.d \
		    /usr/lib/sysusers.d /var/lib/systemd /var/lib/apache2 || true
SH
}

my $before = traces();
is($before, '', 'the clean root knows nothing of devcred') or die;

# Installing --------------------------------------------------------------------

install('the packages install', Devcred::Package::debs());
is(join(' ', processes()), '', 'which starts nothing');
is(scalar(listeners()), 0, 'nothing listens');
unlike(traces(), qr{(?:conf-enabled/|\.wants/)}, 'and nothing is enabled');
is($machine->must('stat -c "%U:%G %a" /etc/devcred/devcred.conf'),
	"root:devcred 640\n", 'the settings are readable to the service');
is($machine->must('stat -c "%U:%G %a" /run/devcred'),
	"devcred:devcred 755\n", 'there is a place for its socket');
like($machine->must('getent passwd devcred'),
	qr{\Adevcred:x:\d{1,3}:.*:/usr/sbin/nologin\n\z},
	'it has a user of the system, who cannot log in');
does('its units are in order', 'systemd-analyze verify --man=no devcred.socket '
	. 'devcred.service devcred-housekeep.timer devcred-housekeep.service');
does('its settings are too', 'runuser -u devcred -- '
	. '/usr/libexec/devcred/devcred.fcgi -t -c /etc/devcred/devcred.conf');

# As README.Debian says -----------------------------------------------------------

$machine->must('pg_createcluster 15 main && pg_ctlcluster 15 main start');
my ($password, $out) = Devcred::Package::set_up($machine);
my %password = %$password;
ok($password{'management/devicebootstrap'},
	'with the commands of README.Debian there is a database with users')
    or diag($out);
does('what the timer runs, runs', unit('devcred-housekeep.service', 'ExecStart'));

# The value of a unit's line.
sub unit {
	my ($unit, $name) = @_;
	return $machine->must("cat /lib/systemd/system/$unit")
	    =~ /^$name=(.*)$/m ? $1 : die "$unit: no $name\n";
}

# As systemd would: the socket, and behind it the service.
sub start_service {
	my ($user, $group, $command) = map { unit('devcred.service', $_) }
	    qw(User Group ExecStart);
	my ($path, $owner, $web, $mode) = map { unit('devcred.socket', $_) }
	    qw(ListenStream SocketUser SocketGroup SocketMode);
	$machine->must("rm -f $path; setsid systemd-socket-activate "
	    . "--listen=$path setpriv --reuid=$user --regid=$group "
	    . "--clear-groups --no-new-privs --inh-caps=-all "
	    . "--bounding-set=-all $command </dev/null >/srv/log 2>&1 &");
	Devcred::Shell::until_true(sub {
		($machine->sh("[ -S $path ]"))[0] == 0 });
	$machine->must("chown $owner:$web $path && chmod $mode $path");
	return;
}

sub stop_service {
	$machine->must('kill $(cat /proc/[0-9]*/stat | awk \'$2 == '
	    . '"(devcred.fcgi)" && $4 == 1 { print $1 }\')');
	Devcred::Shell::until_true(sub { !grep { /devcred/ } processes() })
	    or diag($machine->must('cat /srv/log'));
	return;
}

# Status and body of a request.
sub ask {
	my ($login, $method, $path, $body) = @_;
	my $said = $machine->must('curl -s -w "\n%{http_code}" -X ' . $method
	    . ($login ? " -u '$login:$password{$login}'" : '')
	    . (defined $body ? " -H 'Content-Type: application/json' -d '$body'"
		: '') . " 'http://127.0.0.1$path'");
	my ($text, $status) = $said =~ /\A(.*)\n(\d+)\z/s;
	return ($status, $text);
}

# A device gets its credentials, and can log in with them.
sub device {
	my ($id) = @_;
	my @admin = 't1/admin';
	my @device = ('management/devicebootstrap', 'POST',
		'/devicecontrol/deviceCredentials', qq({"id":"$id"}));
	my $path = '/devicecontrol/newDeviceRequests';
	my ($status, $text) = ask(@admin, 'POST', $path, qq({"id":"$id"}));
	is($status, 201, "an administrator registers the device $id")
	    or diag($text, $machine->must('cat /srv/log'));
	is((ask(@device))[0], 404, 'the device asks, and is to come again');
	is((ask(@admin, 'PUT', "$path/$id", '{"status":"ACCEPTED"}'))[0], 200,
		'the administrator accepts it');
	($status, $text) = ask(@device);
	is($status, 201, 'the device asks, and gets its credentials');
	my ($user) = $text =~ /"username":"([^"]+)"/;
	($password{"t1/$user"}) = $text =~ /"password":"([^"]+)"/;
	is((ask("t1/$user", 'GET', '/user/currentUser'))[0], 200,
		'it logs in with them');
	return;
}

# A web server's line in step 5, without systemd.
sub enable {
	my ($web, $nth) = @_;
	my $command = Devcred::Package::step_web($machine, $web, $nth)
	    =~ s/\s*&&\s*systemctl restart \S+\z//r;
	return does("$web is told as README.Debian says", $command);
}

# Start a web server, do something with it, and stop it.
my %start = (lighttpd => 'lighttpd -f /etc/lighttpd/lighttpd.conf',
	apache2 => 'apachectl start');
my %stop = (lighttpd => 'kill $(cat /run/lighttpd.pid)',
	apache2 => 'apachectl stop');

sub behind {
	my ($web, $what) = @_;
	does("$web starts", $start{$web});
	Devcred::Shell::until_true(sub {
		($machine->sh('curl -s http://127.0.0.1/'))[0] == 0 });
	$what->();
	$machine->must($stop{$web});
	Devcred::Shell::until_true(sub { !grep { /\A$web/ } processes() });
	return;
}

# Using it ----------------------------------------------------------------------

start_service();
for my $web (qw(lighttpd apache2)) {
	behind($web, sub {
		is((ask('', 'GET', $PROBE))[0], 404,
			"$web does not hand over what was not enabled");
	});
	enable($web, 0);
	behind($web, sub {
		is((ask('', 'GET', $PROBE))[0], 401,
			"behind $web the service answers");
		device("behind-$web");
		unlike((ask('', 'GET', '/'))[1], qr{js/main\.js},
			'the page is not shown yet');
	});
	enable($web, 1);
	behind($web, sub {
		my ($status, $text) = ask('', 'GET', '/');
		like($text, qr{js/main\.js}, "$web shows the page when told so");
		is((ask('', 'GET', '/js/main.js'))[0], 200, 'and its parts');
	});
}
like($machine->must("stat -c '%U:%G %a' $SOCKET"), qr/\Adevcred:www-data 660$/,
	'only web servers reach the service');
is($machine->must('ps -o user= -C devcred.fcgi | sort -u || true'), "devcred\n",
	'it runs as its own user') if $machine->must('command -v ps || true');
# who asks over the local socket is who the database sees
for my $case (['root', 'app_database'], ['devcred', 'database']) {
	my ($user, $other) = @$case;
	($_, $out) = $machine->sh("runuser -u $user -- devcredctl doctor");
	ok($out !~ /^FAULT/m && $out =~ /^warning +$other: not tried/m,
		"asked by $user, devcredctl doctor finds no fault, and cannot try"
		. ' the login of the other') or diag($out);
}
stop_service();

# Upgrade -----------------------------------------------------------------------

my @later = Devcred::Package::later('0.1.0+test');
install('a later version installs over it', @later);
like($machine->must('tail -n 1 /etc/devcred/devcred.conf'),
	qr/\Akey_file = /, 'the settings are kept');
is($machine->must('stat -c "%U:%G %a" /etc/devcred/devcred.conf'),
	"root:devcred 640\n", 'and their owner');
is($machine->must('ls /etc/apache2/conf-enabled | grep devcred'),
	"devcred-page.conf\ndevcred.conf\n", 'and what was enabled');
start_service();
behind('lighttpd', sub { device('upgraded') });
stop_service();

# Removal -----------------------------------------------------------------------

does('the packages are removed', "apt-get -q -y remove @Devcred::Package::NAMES");
is($machine->must('ls /etc/*/conf-enabled | grep devcred || true'), '',
	'no web server is told of them any more');
like($machine->must('tail -n 1 /etc/devcred/devcred.conf'),
	qr/\Akey_file = /, 'the settings are kept');
behind($_, sub {
	is((ask('', 'GET', $PROBE))[0], 404, "and $_ goes on without");
}) for qw(lighttpd apache2);
install('they can be installed again', Devcred::Package::debs());
start_service();
enable('lighttpd', 0);
behind('lighttpd', sub { device('again') });
stop_service();

$machine->must('rm /srv/log');
does('they are purged', "apt-get -q -y purge @Devcred::Package::NAMES");
is(traces(), '', 'and nothing is left');
is($machine->must('getent passwd devcred || getent group devcred || true'), '',
	'not the user');
behind($_, sub {
	is((ask('', 'GET', $PROBE))[0], 404, "and $_ goes on without");
}) for qw(lighttpd apache2);
is($machine->must("psql -XAtc 'select count(*) from devcred.device_login' devcred"),
	"4\n", 'but the database is');

done_testing;
