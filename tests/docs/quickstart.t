#!/usr/bin/perl
# deploy/quickstart can be repeated, survives crashes, keeps what it is told
# to keep, and leaves nothing behind.
use strict;
use warnings;
use Cwd ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Http;
use Devcred::Quickstart;
use Devcred::Shell;

my $quickstart = Devcred::Quickstart->new;
my $dir = $quickstart->{dir};

# Run a command that is to end with a status; its words are shown if not.
sub does {
	my ($status, $name, @command) = @_;
	my ($got, $out) = $quickstart->run(@command);
	is($got, $status, $name) or diag($out);
	return $out;
}

sub login_works {
	my ($name) = @_;
	my $login = join ':', map { $quickstart->env($_) }
	    qw(DEVCRED_ADMIN_USER DEVCRED_ADMIN_PASSWORD);
	my $http = Devcred::Http->new(port => $quickstart->{port}, login => $login);
	is($http->get('/user/currentUser')->status, 200, $name);
	return;
}

like(does(1, 'before it is set up nothing runs', 'status'), qr/nothing in/,
	'and it says so');
does(0, 'it sets everything up', 'up');
login_works('the administrator can log in');
is((stat "$dir/env")[2] & 07777, 0600, 'the file with the logins is for its owner alone');
my @names = Devcred::Shell::read_file("$dir/env") =~ /^(\w+)='.+'$/mg;
my %have = map { $_ => 1 } @names;
is(join(' ', grep { !$have{$_} } map { "DEVCRED_$_" } qw(URL TENANT ADMIN_USER
	ADMIN_PASSWORD BOOTSTRAP_USER BOOTSTRAP_PASSWORD DATABASE APP_DATABASE
	CONF SOCKET)), '', 'it has all that other programs rely on');
is($quickstart->env('DEVCRED_BOOTSTRAP_USER'), 'management/devicebootstrap',
	'devices log in as management/devicebootstrap');
my ($status, $out) = Devcred::Shell::run(['psql', '-XAtc',
	'select count(*) from devcred.tenant', $quickstart->env('DEVCRED_DATABASE')]);
is($out, "2\n", "the owner's connection reads tables");
($status, $out) = Devcred::Shell::run(['psql', '-XAtc',
	'select count(*) from devcred.tenant', $quickstart->env('DEVCRED_APP_DATABASE')]);
like($out, qr/permission denied/, "the service's does not");

my $password = $quickstart->env('DEVCRED_ADMIN_PASSWORD');
my @before = sort $quickstart->processes;
does(0, 'a second time it changes nothing', 'up');
is($quickstart->env('DEVCRED_ADMIN_PASSWORD'), $password, 'not the logins');
is(join(' ', sort $quickstart->processes), "@before", 'not the processes');
SKIP: {
	skip 'only root can be too much', 1 if $> != 0;
	is(join(' ', grep { Devcred::Shell::read_file("/proc/$_/cmdline")
			=~ /devcred\.fcgi/ && (lstat "/proc/$_")[4] == 0 } @before), '',
		'the service does not run as root');
}

# A crash, or the power: all processes are gone, all files are there.
kill 'KILL', $quickstart->processes;
does(1, 'after a crash it says that nothing runs', 'status');
does(0, 'and sets it going again', 'up');
is($quickstart->env('DEVCRED_ADMIN_PASSWORD'), $password, 'with the same logins');
login_works('which still work');

for my $web (qw(nginx apache lighttpd)) {
	does(0, "it takes $web instead", 'up', '--web', $web);
	my $said = does(0, "and the demonstration goes through behind $web", 'demo');
	like($said, qr/201 Created.*404 Not Found.*200 OK.*201 Created.*t1\/admin/s,
		'showing every exchange');
}

my $other = Devcred::Quickstart->new;
$other->{port} = $quickstart->{port};
($status, $out) = $other->run('up');
is($status, 1, 'a port that is taken is not taken twice');
like($out, qr/in use.*--port/, 'and it says what to do');
Devcred::Shell::write_file("$other->{work}/precious", 'mine');
($status, $out) = Devcred::Shell::run(["$Devcred::Shell::TOP/deploy/quickstart",
	'up', '--dir', $other->{work}]);
is($status, 1, 'a folder that is not its own is left alone');
is((Devcred::Shell::run(["$Devcred::Shell::TOP/deploy/quickstart", @$_]))[0], 2,
	"it does not take @$_") for ['sideways'], ['up', '--port', 'x'],
	['up', '--web', 'iis'], ['up', '--dir'];

does(0, 'it stops everything', 'down');
is(join(' ', $quickstart->processes), '', 'so that nothing runs');
does(0, 'it removes everything', 'destroy');
ok(!-e $dir, 'so that nothing is left');

# A folder that others may not enter, with a long name.
my $closed = Devcred::Shell::new_dir();
chmod 0700, $closed;
my $far = Devcred::Quickstart->new(dir => "$closed/" . 'x' x 80);
($status, $out) = $far->run('up');
is($status, 0, 'it works in a folder closed to others, with a long name')
    or diag($out);
my $run = Cwd::realpath("$far->{dir}/run");
($status, $out) = $far->run('destroy');
ok($status == 0 && !-e $far->{dir} && !-e $run, 'and leaves nothing there either')
    or diag($out);
rmdir $closed;

done_testing();
