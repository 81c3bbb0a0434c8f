#!/usr/bin/perl
# Who may do what in the database: every role and every object.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $app = $cluster->connect($database, 'devcred_service');
my $auditor = $cluster->connect($database, 'devcred_reader');
my $checker = $cluster->connect($database, 'devcred_checker');
my $boss = $cluster->connect($database, 'devcred_boss');
my $t1 = $cluster->connect($database, 'devcred_t1');

# Somebody who may log in and was granted nothing: what PUBLIC may.
my $stranger = "stranger_$$";
$super->do("create role $stranger login");
my $nobody = $cluster->connect($database, $stranger);
END {
	$nobody->disconnect if $nobody;
	$super->do("drop role $stranger") if $super;
}

# What administrators do in SQL.
my @DOOR = qw(credential_decommission credential_disable credential_enable credential_expire
	credential_load credential_reopen credential_revoke credential_rotate outbox_take request_accept
	request_accept_all request_block request_create request_delete request_lift request_load rule_apply rule_delete rule_enable rule_set
	rule_try);
my %MAY_EXECUTE = (
	devcred_service => [qw(bulk_begin credential_decommission credential_disable
		credential_expire credential_get credential_issue credential_list
		credential_load credential_look credential_reopen credential_revoke
		credential_rotate credential_use event_count event_list housekeep login_ask login_note
		newdevice_accept_all
		newdevice_claims newdevice_create newdevice_delete newdevice_get
		newdevice_limit newdevice_list newdevice_load newdevice_page
		newdevice_reached newdevice_update
		request_totals schema_version seal_keys tenant_get tenant_option_set user_login verify)],
	devcred_checker => ['verify'],
	devcred_reader => [],
	devcred_boss => [@DOOR],
	devcred_t1 => [@DOOR, 'reach'],
	$stranger => [],
);
my @VIEWS = qw(audit claim credential customer login registration request
	retired rule setting);
# Tables without secrets, which the views stand on.
my @OPEN = qw(accept_rule decommissioned event outbox setting_event tenant tenant_login);
my %MAY_SELECT = (
	# what the list tells, for the function that is inlined
	devcred_service => ['newdevice_row'],
	devcred_reader => [sort @VIEWS, @OPEN, 'schema_migration'],
	devcred_boss => [sort @VIEWS, @OPEN, 'schema_migration'],
	devcred_t1 => [sort @VIEWS, @OPEN],
	devcred_checker => ['device_login'],
	$stranger => [],
);
# lines of a file on their way in: added by the service, read by nobody
my %MAY_INSERT = (devcred_service => ['bulk_row'], map { ($_ => ['request']) }
	qw(devcred_boss devcred_t1));
my %MAY_CHANGE = map { ($_ => [qw(credential customer request)]) } qw(devcred_boss devcred_t1);
# Of tables with secrets, the columns that are none.
my %OPEN_COLUMNS = map { ($_ => [qw(claimant device_credential newdevice_request tenant_user)]) }
	qw(devcred_reader devcred_boss devcred_t1);
my @PRIVILEGES = qw(SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER);

sub column { return $super->selectcol_arrayref(@_) }

my $relations = column("select relname from pg_class where relnamespace = 'devcred'::regnamespace
	and relkind in ('r', 'v', 'p', 'm') order by 1");
my $functions = column("select oid::regprocedure::text from pg_proc
	where pronamespace = 'devcred'::regnamespace order by 1");
cmp_ok(@$relations, '>', @VIEWS + 4, 'there are tables and views');
cmp_ok(@$functions, '>', 10, 'and functions');

for my $role (sort keys %MAY_EXECUTE) {
	my $may = column("select distinct proname from pg_proc
		where pronamespace = 'devcred'::regnamespace
		and has_function_privilege(?, oid, 'EXECUTE') order by 1", undef, $role);
	is_deeply($may, [sort @{ $MAY_EXECUTE{$role} }],
		"$role executes what it needs and nothing else");

	for my $privilege (@PRIVILEGES) {
		my $open = column("select relname from pg_class
			where relnamespace = 'devcred'::regnamespace and relkind in ('r', 'v', 'p', 'm')
			and has_table_privilege(?, oid, ?) order by 1", undef, $role, $privilege);
		is_deeply($open, { SELECT => $MAY_SELECT{$role},
				INSERT => $MAY_INSERT{$role}, UPDATE => $MAY_CHANGE{$role},
				DELETE => [grep { $_ ne 'customer' } @{ $MAY_CHANGE{$role} // [] }] }->{$privilege} // [],
			"$role has $privilege on what is meant for it");
	}
	my $columns = column("select c.relname || '.' || a.attname from pg_class c
		join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
		where c.relnamespace = 'devcred'::regnamespace and c.relkind in ('r', 'v', 'p', 'm')
		and not c.relname = any (?)
		and has_column_privilege(?, c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES')",
		undef, [@{ $MAY_SELECT{$role} }, @{ $MAY_INSERT{$role} // [] }], $role);
	my %open = map { s/\..*//r => 1 } @$columns;
	is_deeply([sort keys %open], $OPEN_COLUMNS{$role} // [],
		"$role has columns of no other table than it should");
	is_deeply([grep { /salt|hash|sealed|digest|claimants|(?<!has_)token\z/ } @$columns], [],
		'and none of them is a secret');
	is_deeply(column("select relname from pg_class
		where relnamespace = 'devcred'::regnamespace and case when relkind = 'S'
		then has_sequence_privilege(?, oid, 'USAGE, SELECT, UPDATE') end", undef, $role), [],
		"$role has no sequence");
	is(join(' ', @{ column("select has_schema_privilege(?, 'devcred', p)
		from unnest(array['USAGE', 'CREATE']) p", undef, $role) }),
		$role eq $stranger ? '0 0' : '1 0', "$role makes nothing in the schema");
	is_deeply(column("select rolname from pg_roles where rolname in ('devcred_owner',
		'devcred_app', 'devcred_auditor', 'devcred_verifier', 'devcred_registrar', 'devcred_tenant',
		'postgres') and pg_has_role(?, oid, 'MEMBER')
		order by 1", undef, $role),
		{ devcred_service => ['devcred_app'], devcred_reader => ['devcred_auditor'],
			devcred_checker => ['devcred_verifier'], devcred_boss => ['devcred_registrar'],
			devcred_t1 => ['devcred_tenant'], $stranger => [] }->{$role}, "$role is no more than it should be");
}

is_deeply(column("select rolname from pg_roles where rolname like 'devcred\\_%'
	and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication)"), [],
	'no role of devcred has power over the server');
is_deeply(column("select rolname from pg_roles where rolcanlogin and rolname in
	('devcred_owner', 'devcred_app', 'devcred_auditor', 'devcred_verifier', 'devcred_registrar',
	'devcred_tenant')"), [], 'the roles themselves do not log in');
is_deeply(column("select relname from pg_class where relnamespace = 'devcred'::regnamespace
	and pg_get_userbyid(relowner) <> 'devcred_owner' union all select proname from pg_proc
	where pronamespace = 'devcred'::regnamespace
	and pg_get_userbyid(proowner) <> 'devcred_owner'"), [], 'the owner owns everything');
is_deeply(column("select proname from pg_proc where pronamespace = 'devcred'::regnamespace
	and prosecdef and not coalesce(proconfig::text like '%search_path=pg_catalog, pg_temp%',
	false)"), [], 'what runs as the owner looks nowhere else for names');

# What the catalog says is what happens ------------------------------------------------

for my $case (['service', $app], ['reader', $auditor], ['stranger', $nobody],
	['checker', $checker], ['boss', $boss], ['t1', $t1]) {
	my ($who, $dbh) = @$case;
	my $people = $who =~ /\A(?:reader|boss|t1)\z/;
	for my $relation (@$relations) {
		my $open = $people ? grep { $_ eq $relation } @VIEWS, @OPEN, $who ne 't1' ? 'schema_migration' : ()
		    : grep { $_ eq $relation } @{ $MAY_SELECT{"devcred_$who"} // [] };
		my $read = eval { $dbh->do("select * from devcred.$relation"); 1 };
		is($read ? 'read' : $dbh->state, $open ? 'read' : '42501',
			"the $who " . ($open ? 'reads' : 'does not read') . " $relation");
		for my $change ("delete from devcred.$relation", "insert into devcred.$relation
			default values", "truncate devcred.$relation") {
			my $done = eval { $dbh->do($change); 1 };
			my ($verb) = $change =~ /(\w+)/;
			# a view that cannot be written says so before it asks who it is;
			# where the service may insert, nothing but defaults is no row
			like($done ? 'done' : $dbh->state, $who eq 'service' && $relation eq 'bulk_row'
				&& $verb eq 'insert' ? qr/\A23502\z/
				: $who =~ /\A(?:boss|t1)\z/ && $relation eq 'request' && $verb eq 'insert'
				? qr/\A23514\z/
				: $who =~ /\A(?:boss|t1)\z/ && $relation =~ /\A(?:request|credential)\z/
				&& $verb eq 'delete' ? qr/\Adone\z/
				: qr/\A(?:42501|55000|42809|428C9)\z/,
				"the $who does not $verb $relation");
		}
	}
}
my @secrets = grep { /hash|salt|password_(?!at)|token$|secret/ } @{ column("select
	c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
	and a.attnum > 0 where c.relnamespace = 'devcred'::regnamespace and c.relkind = 'v'") };
is_deeply([sort grep { !/^device_login\./ } @secrets], ['claim.has_token', 'newdevice_row.has_token', 'request.has_token', 'rule.needs_token'],
	'no view has a column with a secret, but for whether there is a token');
for my $statement ('set role devcred_owner', 'create table devcred.mine ()',
	'create table public.mine ()', 'create function devcred.f() returns int language sql as $$select 1$$',
	'alter table devcred.event disable trigger all', 'set session_replication_role = replica',
	"select pg_read_file('/etc/passwd')", 'drop schema devcred cascade') {
	for my $case (['service', $app], ['reader', $auditor], ['stranger', $nobody],
		['boss', $boss], ['t1', $t1]) {
		my ($who, $dbh) = @$case;
		ok(!eval { $dbh->do($statement); 1 }, "the $who cannot: $statement");
	}
}

# A function of the service cannot be led astray by what a session sets up.
$app->do('create temporary table newdevice_request (id text)');
$app->do('set search_path = pg_temp');
is($app->selectrow_array("select outcome from devcred.newdevice_create('t1', 't1/a', null,
	'trap', null, null, null, null)"), 'ok', 'a table in the way does not mislead a function');
is($super->selectrow_array("select count(*) from devcred.newdevice_request where id = 'trap'"),
	1, 'which wrote where it should');

# The question of the auditor --------------------------------------------------------------

$super->do("select devcred.newdevice_create('t1', 't1/admin', '192.0.2.1', '1234', null, null, null, null)");
my $poll = "select outcome from testing.poll('{1234}', '{t1}', '{t1/bootstrap}',
	array[inet '192.0.2.7'], '{NULL}', array[decode(repeat('01', 16), 'hex')],
	array[decode(repeat('02', 32), 'hex')])";
$super->do($poll);
my $QUESTION = "select accepted_by, accepted_at, accepted_from, issued_at, issued_to
	from devcred.registration where device_id = '1234' order by registration";
is_deeply($auditor->selectall_arrayref($QUESTION), [[(undef) x 5]],
	'before the acceptance nobody accepted device 1234');
$super->do("select devcred.newdevice_update('t1', 't1/boss', '192.0.2.8', '1234', 'ACCEPTED')");
is($super->selectrow_array($poll), 'ok', 'device 1234 gets its credentials');
my ($accepted, $issued) = map { $super->selectrow_array("select at from devcred.event
	where device_id = '1234' and operation = ?", undef, $_) }
	qw(newdevice_accept credential_issue);
is_deeply($auditor->selectall_arrayref($QUESTION),
	[['t1/boss', $accepted, '192.0.2.8', $issued, '192.0.2.7']],
	'one SELECT tells who accepted device 1234, when, from where, and when it got its credentials');
$super->do("select devcred.newdevice_create('t1', 't1/admin', null, '1234', null, null, null, null)");
is_deeply($auditor->selectall_arrayref($QUESTION),
	[['t1/boss', $accepted, '192.0.2.8', $issued, '192.0.2.7'], [(undef) x 5]],
	'and of a device registered again it tells each story on its own');
$super->do("select devcred.newdevice_delete('t1', 't1/other', null, '1234')");
is_deeply($auditor->selectrow_arrayref("select deleted_by, created_by from devcred.registration
	where device_id = '1234' order by registration desc limit 1"), ['t1/other', 't1/admin'],
	'also who deleted it');

done_testing;
