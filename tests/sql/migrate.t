#!/usr/bin/perl
# devcredctl migrate: once, twice, two at once, and what it refuses.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use Devcred::Test;

# A cluster as it is after initdb.
{
	package Devcred::BareCluster;
	our @ISA = ('Devcred::Cluster');
	sub prepare { return }
}

my $LOCK = '28259056820053348';	# what migrations lock: "devcred" as a number

my $cluster = Devcred::Cluster->shared;
my $super = $cluster->connect('postgres');
my $dir = File::Temp->newdir;
my $count = 0;

# An empty database; returns its name and that of a settings file for it.
sub empty {
	my (%arg) = @_;
	my $name = "migrate_$$" . '_' . ++$count;
	$super->do("create database $name template template0 owner devcred_owner "
		. ($arg{options} // ''));
	return ($name, settings($cluster->conninfo($name, $arg{user} // 'devcred_operator')));
}
sub settings {
	my ($conninfo) = @_;
	my $path = "$dir/" . ++$count . '.conf';
	Devcred::Shell::write_file($path, "database = $conninfo\n");
	return $path;
}

# migrate ends with this status and these words, and without those of unlike.
sub migrates {
	my ($conf, $args, $status, $words, $name) = @_;
	my ($is, $text) = Devcred::Shell::ctl($conf, '', 'migrate', @$args);
	ok($is == $status && $text =~ $words, $name)
	    or diag("exit status $is, expected $status\n", substr($text, 0, 2000),
		    "\nexpected $words");
	return $text;
}

# Everything the schema is made of, as text; without the times of migrations.
my @PARTS = (
	"select nspname, nspacl, pg_get_userbyid(nspowner), obj_description(oid)
		from pg_namespace where nspname in ('devcred', 'public') order by 1",
	"select c.relname, c.relkind, c.relacl, pg_get_userbyid(c.relowner), a.attname,
		format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
		pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum),
		obj_description(c.oid), case c.relkind when 'v' then pg_get_viewdef(c.oid) end
		from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
		left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
		where c.relnamespace = 'devcred'::regnamespace order by 1, a.attnum",
	"select conname, conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
		where connamespace = 'devcred'::regnamespace order by 2, 1",
	"select oid::regprocedure::text, pg_get_functiondef(oid), proacl,
		pg_get_userbyid(proowner), obj_description(oid) from pg_proc
		where pronamespace = 'devcred'::regnamespace order by 1",
	"select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1, 2",
	"select t.typname, e.enumlabel from pg_enum e join pg_type t on t.oid = e.enumtypid
		order by t.typname, e.enumsortorder",
	"select version, name, sha256 from devcred.schema_migration order by 1",
	"select id, token_policy from devcred.tenant order by 1",
);
sub catalog {
	my ($name) = @_;
	my $dbh = $cluster->connect($name);
	return [] unless $dbh->selectrow_array("select to_regnamespace('devcred')");
	return [map { @{ $dbh->selectall_arrayref($_) } } @PARTS];
}
sub history {
	my ($name) = @_;
	return $cluster->connect($name)->selectall_arrayref(
		'select *, xmin from devcred.schema_migration order by 1');
}

# Fresh, and again ---------------------------------------------------------------------------

my ($first, $conf) = empty();
migrates($conf, ['--status'], 1, qr/^\s*1\s+0001_schema\.sql\s+pending/m,
	'--status of an empty database says what is pending, and that not all is done');
my $script = migrates($conf, ['--dry-run'], 0, qr/^create table devcred\.tenant/m,
	'--dry-run says what would be done');
is_deeply(catalog($first), [], 'and does nothing');
migrates($conf, [], 0, qr{^applied migrations/0001_schema\.sql$}m, 'an empty database is migrated');
my $catalog = catalog($first);
cmp_ok(@$catalog, '>', 100, 'and has the schema');
migrates($conf, ['--status'], 0, qr/^\s*1\s+0001_schema\.sql\s+applied\s+2\S+Z\s+devcred_operator/m,
	'--status tells what was applied, when and by whom');

my $history = history($first);
my $before = migrates($conf, [], 0, qr/^nothing to migrate/m, 'again there is nothing to do');
unlike($before, qr/^applied/m, 'and nothing is applied');
is_deeply(catalog($first), $catalog, 'everything is as it was');
is_deeply(history($first), $history, 'the history too');
migrates($conf, ['--dry-run'], 0, qr/\A(?!.*^create table)/ms,
	'--dry-run of a migrated database makes no table');

my ($by_hand) = empty();
my $psql = $cluster->connect($by_hand);
$psql->do('set client_min_messages = error');
ok(eval { $psql->do($script); 1 }, 'what --dry-run prints can be run by hand') or diag($@);
is_deeply(catalog($by_hand), $catalog, 'and makes the same schema');

# Data, and what was changed by hand --------------------------------------------------------

my $owner = $cluster->connect($first);
$owner->do("insert into devcred.newdevice_request (id, tenant, owner) values ('d', 'management', 'x')");
$owner->do('grant select on devcred.newdevice_request to devcred_app');
$owner->do('grant execute on function devcred.tenant_get(text) to public');
migrates($conf, [], 0, qr/grants re-applied/, 'a database with data is migrated again');
is($owner->selectrow_array('select count(*) from devcred.newdevice_request'), 1,
	'its data are kept');
$owner->do("delete from devcred.newdevice_request");
is_deeply(catalog($first), $catalog, 'and rights given by hand are taken back');

# Two at once ---------------------------------------------------------------------------------

my ($both, $both_conf) = empty();
my $holder = $cluster->connect($both);
$holder->begin_work;
$holder->do("select pg_advisory_xact_lock($LOCK)");
my @out = map { File::Temp->new } 1 .. 2;
my @pids = map { start($both_conf, "$_") } @out;
sub start {
	my ($settings, $path) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	open STDOUT, '>', $path or POSIX::_exit(126);
	open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
	exec "$Devcred::Shell::BIN/devcredctl", '-c', $settings, 'migrate' or POSIX::_exit(127);
}
eventually(sub {
	2 == grep { Devcred::Shell::read_file("$_") =~ /another migration .* is running; waiting/ } @out;
}, 'two migrations that find a third running wait and say so');
is_deeply(catalog($both), [], 'and do nothing meanwhile');
$holder->rollback;
my @status = map { waitpid($_, 0); $? >> 8 } @pids;
is("@status", '0 0', 'then both succeed')
    or diag(map { Devcred::Shell::read_file("$_") } @out);
is((grep { Devcred::Shell::read_file("$_") =~ /^applied/m } @out), 1, 'one of them applied it');
is_deeply(catalog($both), $catalog, 'and the schema is whole');

# Refused ---------------------------------------------------------------------------------------

for my $case (
	# how it was spoilt; status, words of migrate, of --status
	["update devcred.schema_migration set sha256 = repeat('0', 64)", 1,
		qr{migrations/0001_schema\.sql is not the file that was applied},
		qr/0001_schema\.sql\s+CHANGED/, 'a migration changed after it was applied'],
	["insert into devcred.schema_migration (version, name, sha256)
		values (9999, '9999_next.sql', repeat('0', 64))", 1,
		qr/schema version 9999, this devcredctl knows versions up to \d+/,
		qr/9999\s+9999_next\.sql\s+unknown/, 'a database newer than the program'],
	["alter schema devcred owner to postgres", 1,
		qr/schema devcred belongs to postgres, not to devcred_owner/, undef,
		'a schema of somebody else'],
) {
	my ($spoil, $status, $words, $state, $name) = @$case;
	my $database = $cluster->database;
	my $settings = settings($cluster->conninfo($database, 'devcred_operator'));
	$cluster->connect($database)->do($spoil);
	my $as_is = catalog($database);
	migrates($settings, [], $status, $words, "$name is refused");
	is_deeply(catalog($database), $as_is, 'and left as it is');
	migrates($settings, ['--dry-run'], $status, $words, 'also by --dry-run');
	migrates($settings, ['--status'], 1, $state, 'and --status shows it') if $state;
}

my ($latin, $latin_conf) = empty(options => "encoding 'LATIN1' locale 'C'");
migrates($latin_conf, [], 1, qr/encoding is LATIN1, but UTF8 is needed/,
	'a database of another encoding is refused');
is_deeply(catalog($latin), [], 'and left as it is');

for my $user ('devcred_service', 'devcred_reader') {
	my ($name, $settings) = empty(user => $user);
	migrates($settings, [], 1, qr/as a superuser: grant devcred_owner to $user;/,
		"$user, who has no rights, is told whom to ask for what");
	is_deeply(catalog($name), [], 'and makes nothing');
	my $ready = settings($cluster->conninfo($first, $user));
	migrates($ready, [], 1, qr/grant devcred_owner to $user;/,
		"nor does $user change a database that is there");
}
is_deeply(catalog($first), $catalog, 'which is as it was');
migrates(settings($cluster->conninfo($first, 'devcred_reader')), ['--status'], 0,
	qr/0001_schema\.sql\s+applied/, 'an auditor may ask for the status');
migrates(settings($cluster->conninfo($first, 'devcred_service')), ['--status'], 1,
	qr/only members of devcred_owner and devcred_auditor may look/,
	'the service may not, and is told who may');

for my $case (
	["host=$dir dbname=x user=x", 'without a server'],
	[$cluster->conninfo('no_such_database', 'devcred_operator'), 'without a database'],
	[$cluster->conninfo($first, 'no_such_role'), 'without a role'],
) {
	my ($conninfo, $name) = @$case;
	my $settings = settings($conninfo);
	migrates($settings, $_, 3, qr/the database cannot be reached: \S/,
		"$name the exit status of migrate @$_ is 3") for [], ['--status'], ['--dry-run'];
}
migrates($conf, ['--status', '--dry-run'], 2, qr/not both/, 'a contradiction is wrong usage');
migrates($conf, ['--force'], 2, qr/./, 'so is an option that is not there');

# A migration that fails leaves nothing of itself ------------------------------------------------

my ($broken, $broken_conf) = empty();
my $foreign = $cluster->connect($broken);
$foreign->do('create schema devcred authorization devcred_owner');
$foreign->do('create table devcred.event (mine int)');
$foreign->do('alter table devcred.event owner to devcred_owner');
migrates($broken_conf, [], 1, qr/the database is as it was before/,
	'a migration that finds a table in its way says that nothing was done');
is_deeply($foreign->selectcol_arrayref("select relname from pg_class
	where relnamespace = 'devcred'::regnamespace and relkind = 'r'"), ['event'],
	'and nothing was');

# A server that has not even the roles -------------------------------------------------------------

my $bare = Devcred::BareCluster->new;
my $dba = $bare->connect('postgres');
$dba->do("create role $_->[0] login $_->[1]") for ['maker', 'createrole'], ['poor', ''];
$dba->do("create database $_ template template0 owner $_") for qw(maker poor);
my $poor = settings($bare->conninfo('poor', 'poor'));
migrates($poor, [], 1, qr/may not create the roles that are missing: devcred_owner devcred_app/,
	'who may not make the roles is told which are missing');
migrates($poor, ['--dry-run'], 0, qr/create role/, 'and --dry-run prints how a superuser makes them');
migrates(settings($bare->conninfo('maker', 'maker')), [], 0, qr/^applied/m,
	'who may make roles migrates on a server without them');
migrates(settings($bare->conninfo('postgres', 'postgres')), [], 0, qr/^applied/m,
	'so does a superuser in the next database');

done_testing;
