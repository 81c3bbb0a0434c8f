#!/usr/bin/perl
# doctor: a good installation has no faults; each fault has its line, with what
# to do below it, and exit status 1.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM SOCK_NONBLOCK AF_UNIX pack_sockaddr_un);
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $cluster = $site->{cluster};
my $path = $site->socket_path;
my $dbh = $site->dbh;
$dbh->do('set client_min_messages = warning');

# Run doctor with these settings; every bad line must have advice below it.
sub checked {
	my ($name, $status, $words, %conf) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$site->configure(%conf);
	my $text = says($site, ['doctor'], $status, $words, $name);
	my @bare = $text =~ /^((?:FAULT|warning) .*)\n(?! +-> |FAULT +configuration:)/mg;
	ok(!@bare, "$name: with advice") or diag(join "\n", @bare);
	return $text;
}

sub fault {
	my ($name, $what, $words, $advice, %conf) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return checked($name, 1,
		qr/^FAULT +\Q$what\E: [^\n]*$words[^\n]*(?:\nFAULT[^\n]*)*\n +-> [^\n]*$advice/m,
		%conf);
}

# The database with a change for the while of a test.
sub changed {
	my ($do, $undo, $test) = @_;
	$dbh->do($_) for @$do;
	$test->();
	$dbh->do($_) for @$undo;
	return;
}

# A good installation -----------------------------------------------------------

my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 5)
    or die "$path: $!\n";
chmod 0666, $path;
my $good = checked('a good installation', 0, qr/\nno faults\n\z/);
unlike($good, qr/FAULT/, 'has no fault');
for my $what ('configuration', 'socket', 'PostgreSQL', 'roles', 'app_database',
    'schema', 'database', 'migrations', 'users') {
	like($good, qr/^ok +\Q$what\E: /m, "and is told that $what is good");
}

# The key file --------------------------------------------------------------------

my $keys = "$site->{dir}/keys";
like($good, qr/^warning +delivery: single shot/m, 'and that answers are not repeated');
fault('a key file that is not there', 'key file', qr/No such file/, qr/key add/,
	key_file => $keys);
Devcred::Shell::write_file($keys, 'k1 ' . '5a' x 32 . " 2026-01-31\n", 0600);
like(checked('a key file', 0, qr/no faults/, key_file => $keys),
	qr/^ok +key file: \Q$keys\E has 1, of which k1 seals$/m, 'its key is named');
chmod 0644, $keys;
my $lax = fault('a key file that others can read', 'key file', qr/\Q$keys\E/, qr/key file/,
	key_file => $keys);
checked('a window of no time', 0, qr/^warning +delivery: single shot/m,
	key_file => $keys, delivery_window => 0);

# Settings ----------------------------------------------------------------------

fault('a setting out of bounds', 'configuration',
	'devcred\.conf:\d+: workers must be a number from 0 to 64',
	'the rest was not looked at', workers => 65);
my $text = fault('a setting that does not exist', 'configuration',
	'there is no setting wokers', 'see devcred.conf', wokers => 2, poll_detail => 'x');
like($text, qr/poll_detail must be off or on.*\n2 faults\n\z/s,
	'all of them are told at once, and counted');
unlike($text, qr/password|database:/, 'and nothing else is looked at');
for my $case (
	[trusted_proxy => '127.0.0.1 10.0.0.0/33', 'IP addresses'],
	[trusted_proxy => 'proxy.example.org', 'IP addresses'],
	[base_url => 'devices.example.org', 'such as https:'],
	[path_prefix => 'iot', 'such as /iot'],
	[path_prefix => '/iot/', 'without a slash at its end'],
    ) {
	my ($setting, $value, $words) = @$case;
	fault("$setting = $value", 'configuration', "$setting must be .*$words",
		'correct that first', $setting => $value);
}
fault('a default tenant that is none', 'default_tenant', 'no tenant nobody',
	'tenant add nobody', default_tenant => 'nobody');
checked('require_tls = off is a warning', 0, qr/^warning +require_tls: /m,
	require_tls => 'off');
checked('users with another hash are a warning', 0,
	qr/^warning +password_scheme: \d+ users.*\n.*user passwd/m,
	password_scheme => 'bcrypt');

my $secret = $cluster->conninfo($site->{database}, 'devcred_service')
    . ' password=hidden';
$text = fault('a password that everybody can read', 'file mode',
	'has mode 0644', 'chmod 0640', app_database => $secret);
unlike($text, qr/hidden/, 'is not told');
chmod 0640, $site->conf_path;
says($site, ['doctor'], 0, qr/^ok +file mode: .* 0640$/m,
	'with mode 0640 it is good');

# The socket --------------------------------------------------------------------

chmod 0600, $path;
fault('another mode', 'socket', 'has mode 0600, not socket_mode 0666',
	'restart devcred.fcgi');
chmod 0666, $path;
fault('another group', 'socket', 'another group than socket_group daemon',
	'a member of daemon', socket_group => 'daemon');
fault('an unknown group', 'socket', 'no group nobody-has-it', 'www-data',
	socket_group => 'nobody-has-it');
fault('a path that is too long', 'socket', 'this one 200', 'shorter',
	socket => '/' . 'x' x 199);
fault('no path', 'socket', 'this one 0', 'shorter', socket => '');
fault('something that is no socket', 'socket', 'something else than a socket',
	'another path', socket => $site->conf_path);
checked('no socket is a warning: the web server may have it', 0,
	qr/^warning +socket: .*No such file.*\n +-> start devcred.fcgi/m,
	socket => "$site->{dir}/none");

my @client;
for (1 .. 100) {
	socket my $client, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0;
	connect $client, pack_sockaddr_un($path) or last;
	push @client, $client;
}
checked('a queue that is full is a warning', 0,
	qr/^warning +socket: more clients wait/m);
close $_ for @client, $listener;
fault('nobody listens', 'socket', 'nobody listens', 'start devcred.fcgi');
unlink $path;
$listener = IO::Socket::UNIX->new(Local => $path, Listen => 500)
    or die "$path: $!\n";
chmod 0666, $path;

# The logins --------------------------------------------------------------------

sub as {
	my ($user, $database) = @_;
	return $cluster->conninfo($database // $site->{database}, $user);
}
my $login = "doctor_$$";
for my $setting (qw(app_database database)) {
	fault("$setting out of reach", $setting, 'No such file',
		"see $setting in .*devcred.conf", $setting => "host=$site->{dir}/none");
	fault("$setting with a login that does not exist", $setting,
		"role \"$login\" does not exist", 'lets this login in',
		$setting => as($login));
}
fault('the service is superuser', 'app_database', 'postgres is a superuser',
	'create role devcred_service', app_database => as('postgres'));
fault('the service has the operator\'s login', 'app_database',
	'may act as devcred_owner', 'revoke devcred_owner from devcred_operator',
	app_database => as('devcred_operator'));
fault('the operator has the service\'s login', 'database',
	'devcred_service may not act', 'grant devcred_owner to devcred_service',
	database => as('devcred_service'));
$dbh->do("create role $login login noinherit");
fault('the service\'s login has no rights', 'app_database',
	'does not have the rights', "grant devcred_app to $login",
	app_database => as($login));
$dbh->do("grant devcred_app to $login");
fault('the service\'s login does not inherit them', 'app_database',
	'does not have the rights', "alter role $login inherit",
	app_database => as($login));
$dbh->do("alter role $login inherit");
checked('then it is good', 0, qr/$login may execute functions, and read no table/,
	app_database => as($login));
$dbh->do("grant select on devcred.tenant_user to $login");
fault('the service reads a table', 'app_database',
	'reaches the table or view devcred\.tenant_user', 'revoke all',
	app_database => as($login));
$dbh->do($_) for "drop owned by $login", "drop role $login";

# The database ------------------------------------------------------------------

fault('two different databases', 'database', 'is not the database that',
	'the same', database => as('devcred_operator', 'postgres'));
fault('a database without schema', 'schema', 'does not exist',
	'devcredctl migrate', app_database => as('devcred_service', 'postgres'),
	database => as('devcred_operator', 'postgres'));
my $super = $cluster->connect('postgres');
my $ascii = "devcred_ascii_$$";
$super->do("create database $ascii template template0 encoding 'SQL_ASCII'
	lc_collate 'C' lc_ctype 'C'");
fault('another encoding', 'PostgreSQL', "$ascii is SQL_ASCII",
	'--encoding=UTF8', app_database => as('devcred_service', $ascii));
Devcred::Shell::until_true(sub { eval { $super->do("drop database $ascii"); 1 } });

my $save = 'create table public.saved as select * from devcred.schema_migration';
my @restore = ('delete from devcred.schema_migration',
	'insert into devcred.schema_migration select * from public.saved',
	'drop table public.saved');
changed([$save, 'delete from devcred.schema_migration'], \@restore, sub {
	my $is = fault('a pending migration', 'migrations', '\d+ pending',
		'devcredctl migrate');
	like($is, qr/^FAULT +schema: version 0, but \d+ is needed/m,
		'the service would miss it');
});
changed([$save, "update devcred.schema_migration set sha256 = repeat('0', 64)
	where version = 1"], \@restore, sub {
	fault('a migration that is not ours', 'migrations', 'not the files of this',
		'migrate --status');
});
changed([$save, "insert into devcred.schema_migration (version, name, sha256)
	values (9999, '9999_later.sql', repeat('0', 64))"], \@restore, sub {
	checked('a newer schema is a warning', 0,
		qr/^warning +migrations: .*9999, this devcredctl knows \d+/m);
});

for my $case (
	['ROLE_DEVICE_CONTROL_ADMIN', 'nobody can register', '--role ADMIN'],
	['ROLE_DEVICE_BOOTSTRAP', 'no login for devices', '--role BOOTSTRAP'],
    ) {
	my ($role, $words, $advice) = @$case;
	changed(["create table public.off as select tenant, name
			from devcred.tenant_user where disabled_at is null
			and '$role' = any (roles)",
		'update devcred.tenant_user u set disabled_at = now()
			from public.off o where (u.tenant, u.name) = (o.tenant, o.name)'],
		['update devcred.tenant_user u set disabled_at = null
			from public.off o where (u.tenant, u.name) = (o.tenant, o.name)',
		'drop table public.off'],
		sub { fault("no user with $role", 'users', $words, $advice) });
}

# The audit trail in months ------------------------------------------------------------

my $next = $dbh->selectrow_array(q{select to_char(date_trunc('month',
	now() at time zone 'UTC') + interval '1 month', 'YYYY_MM')});
changed(["alter table devcred.event detach partition devcred.event_$next",
	"drop table devcred.event_$next"], ["select devcred.event_partitions()"], sub {
	checked('a month that nobody made', 0,
		qr/^warning +audit: the next month.*\n +-> devcredctl housekeep/m);
});
$dbh->do("insert into devcred.event (at, tenant, registration, device_id, operation, outcome, actor)
	values ('2031-05-06T00:00:00Z', 't1', 1, 'late', 'newdevice_create', 'ok', 'system')");
checked('an event without a month', 0,
	qr/^warning +audit: devcred\.event_rest holds events of 2031-05,.*\n +-> .*doc\/dba\.md/m);
my ($recipe) = Devcred::Shell::read_file("$Devcred::Shell::TOP/doc/dba.md")
    =~ /^```sql\n(begin;\n[^`]*detach partition[^`]*)^```/ms;
$recipe =~ s/2026_01/2031_05/g;
$recipe =~ s/2026-01/2031-05/g;
$recipe =~ s/2026-02/2031-06/g;
$dbh->do($recipe);
is($dbh->selectrow_array('select count(*) from devcred.event_2031_05'), 1,
	'the guide gives it one');
ok(!eval { $dbh->do('delete from devcred.event_2031_05'); 1 }, 'which is append-only');
ok(!eval { $dbh->do('truncate devcred.event_rest'); 1 }, 'as the new rest is');
checked('and then all is good', 0, qr/^ok +audit: every event has its month$/m);

# An empty cluster, as a new administrator has it ---------------------------------

my $dir = Devcred::Shell::new_dir();
my $pid = $$;
END {
	if ($dir && $pid == $$) {
		local $?;
		eval { Devcred::Shell::private('private_pg_stop', $dir) };
		File::Path::remove_tree($dir);
	}
}
Devcred::Shell::private('private_pg_start', $dir,
	{ PRIVATE_PG_OPTIONS => '-c fsync=off' });
my %fresh = map { $_ => "host=$dir dbname=postgres user=postgres" }
	qw(app_database database);
$text = fault('no roles', 'roles',
	'missing: devcred_owner devcred_app devcred_auditor devcred_verifier', 'devcredctl migrate',
	%fresh);
like($text, qr/^warning +PostgreSQL: fsync is off/m,
	'a server that may forget is a warning');

# PostgreSQL asks the system who connects ------------------------------------------

SKIP: {
	skip 'only root can be several users', 7 if $> != 0;
	Devcred::Shell::private('private_pg_stop', $dir);
	Devcred::Shell::private('private_pg_start', $dir,
		{ PRIVATE_PG_PEERS => "root root\npostgres postgres\nwww-data www-data" });
	Devcred::Shell::private('private_as', 'postgres', 'psql', '-qh', $dir,
		'-c', 'create role root login createrole', '-c', 'create role "www-data" login',
		'-c', 'grant create on database postgres to root', 'postgres');
	my %peer = map { $_ => "host=$dir dbname=postgres" } qw(app_database database);
	$site->configure(%peer);
	my ($status, $out) = $site->ctl('', 'migrate');
	is($status, 0, 'root migrates') or diag($out);
	Devcred::Shell::private('private_as', 'root', 'psql', '-qh', $dir,
		'-c', 'grant devcred_app to "www-data"', 'postgres');
	checked('root is not the service, and does not judge its login', 1,
		qr/^warning +app_database: not tried: [^\n]*you are root\n +-> runuser -u devcred -- devcredctl -c \S+ doctor$/m,
		%peer);
	chown scalar getpwnam('www-data'), -1, $path;
	checked('but knows from the socket who is', 1,
		qr/-> runuser -u www-data -- devcredctl/, %peer);
	$out = Devcred::Shell::private('private_as', 'www-data', 'bash', '-c', '"$@" || true',
		'bash', "$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, 'doctor');
	like($out, qr/^warning +database: not tried: .*you are www-data$/m,
		'the service is not who migrates');
	like($out, qr/^ok +app_database: the login \W?www-data/m,
		'and knows that its own login is good');
	chown 0, -1, $path;
}

checked('in the end all is as it was', 0, qr/\nno faults\n\z/);

done_testing;
