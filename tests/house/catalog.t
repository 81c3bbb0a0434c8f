#!/usr/bin/perl
# What a migrated database says about itself, and that it understands every
# statement of the programs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Cluster;
use Devcred::Source qw(statements keeps);

# so that the cluster ends with this program, however it ends
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit 1 };

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $db = $cluster->connect($database);

# Rules, as queries for whatever breaks them.
my @rules = (
	['every object has a comment', q{
		select pg_describe_object(o.class, o.id, 0)
		  from (select 'pg_namespace'::regclass, oid
		          from pg_namespace
		         where nspname = 'devcred'
		        union all
		        select 'pg_class', c.oid
		          from pg_class c
		         where c.relnamespace = 'devcred'::regnamespace
		           and (c.relkind in ('r', 'p', 'v', 'm')
		               or c.relkind in ('i', 'I')
		               and not c.relispartition
		               and not exists (select from pg_constraint k
		                   where k.conindid = c.oid))
		        union all
		        select 'pg_proc', oid
		          from pg_proc
		         where pronamespace = 'devcred'::regnamespace
		        union all
		        select 'pg_type', oid
		          from pg_type
		         where typnamespace = 'devcred'::regnamespace
		           and typtype in ('e', 'd', 'r')
		        union all
		        select 'pg_trigger', t.oid
		          from pg_trigger t
		          join pg_class c on c.oid = t.tgrelid
		         where c.relnamespace = 'devcred'::regnamespace
		           and not t.tgisinternal
		           and t.tgparentid = 0) o (class, id)
		 where obj_description(o.id, o.class::text) is null}],
	['every role has a comment', q{
		select rolname
		  from pg_roles
		 where rolname in ('devcred_owner', 'devcred_app', 'devcred_auditor',
		       'devcred_verifier', 'devcred_registrar', 'devcred_tenant')
		   and shobj_description(oid, 'pg_authid') is null}],
	['every column of a table has a comment', q{
		select c.oid::regclass || '.' || a.attname
		  from pg_class c
		  join pg_attribute a on a.attrelid = c.oid
		 where c.relnamespace = 'devcred'::regnamespace
		   and c.relkind in ('r', 'p')
		   and not c.relispartition
		   and a.attnum > 0
		   and not a.attisdropped
		   and col_description(c.oid, a.attnum) is null}],
	['a decoy has every column and every check of a credential', q{
		select a.attname
		  from pg_attribute a
		 where a.attrelid = 'devcred.device_credential'::regclass
		   and a.attnum > 0
		   and not a.attisdropped
		   and not exists (select from pg_attribute d
		       where d.attrelid = 'devcred.decoy'::regclass
		         and (d.attname, d.atttypid) = (a.attname, a.atttypid))
		union all
		select k.conname
		  from pg_constraint k
		 where k.conrelid = 'devcred.device_credential'::regclass
		   and k.contype = 'c'
		   and not exists (select from pg_constraint d
		       where d.conrelid = 'devcred.decoy'::regclass
		         and d.contype = 'c'
		         and pg_get_constraintdef(d.oid) = pg_get_constraintdef(k.oid))}],
	['a function has a search_path of its own, or a body that is bound', q{
		select p.oid::regprocedure::text
		  from pg_proc p
		 where p.pronamespace = 'devcred'::regnamespace
		   and p.prosqlbody is null
		   and not coalesce(p.proconfig, '{}')
		       @> array['search_path=pg_catalog, pg_temp']}],
	['nothing may be executed, read or used by everybody', q{
		select p.oid::regprocedure::text
		  from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
		 where p.pronamespace = 'devcred'::regnamespace
		   and a.grantee = 0
		union all
		select c.oid::regclass::text
		  from pg_class c, aclexplode(c.relacl) a
		 where c.relnamespace = 'devcred'::regnamespace
		   and a.grantee = 0
		union all
		select n.nspname
		  from pg_namespace n, aclexplode(n.nspacl) a
		 where n.nspname = 'devcred'
		   and a.grantee = 0}],
	['what anybody may execute, or records what anybody does, is security definer, and nothing else', q{
		select p.oid::regprocedure::text
		  from pg_proc p
		 where p.pronamespace = 'devcred'::regnamespace
		   -- these are inlined, and stand on a view that the owner reads
		   and p.proname not in ('newdevice_page', 'newdevice_reached')
		   and p.prosecdef <> (exists (select
		           from unnest(array['devcred_app', 'devcred_auditor', 'devcred_verifier',
		               'devcred_registrar', 'devcred_tenant']) role
		          where has_function_privilege(role, p.oid, 'execute'))
		       or exists (select
		           from pg_trigger t
		           join pg_class c on c.oid = t.tgrelid
		          where t.tgfoid = p.oid
		            and (c.relkind = 'v' or p.prosrc ~ 'insert into devcred.(event|outbox)\M')))}],
	['a table with a tenant has row-level security, but for lines on their way in and decoys', q{
		select c.oid::regclass::text
		  from pg_class c
		  join pg_attribute a on a.attrelid = c.oid
		 where c.relnamespace = 'devcred'::regnamespace
		   and c.relkind in ('r', 'p')
		   and not c.relispartition
		   and a.attname = 'tenant'
		   and not a.attisdropped
		   and c.relname not in ('bulk_row', 'decoy')
		   and (not c.relrowsecurity
		       or (select count(*) from pg_policy p where p.polrelid = c.oid) <> 2)}],
	['a view that people read asks with their own rights', q{
		select c.oid::regclass::text
		  from pg_class c
		 where c.relnamespace = 'devcred'::regnamespace
		   and c.relkind = 'v'
		   and c.relname not in ('device_login', 'newdevice_row')
		   and not coalesce(c.reloptions, '{}') && array['security_invoker=true',
		       'security_invoker=on']}],
	['the service reads a view and writes no table, but adds to one', q{
		select c.oid::regclass || ' ' || what
		  from pg_class c, unnest(array['select', 'insert', 'update',
		      'delete', 'truncate', 'references', 'trigger']) what
		 where c.relnamespace = 'devcred'::regnamespace
		   and c.relkind in ('r', 'p', 'v', 'm')
		   and has_table_privilege('devcred_app', c.oid, what)
		   and (c.relname, what) not in (('bulk_row', 'insert'), ('newdevice_row', 'select'))}],
	['the auditor changes nothing', q{
		select c.oid::regclass || ' ' || what
		  from pg_class c, unnest(array['insert', 'update', 'delete', 'truncate',
		      'references', 'trigger']) what
		 where c.relnamespace = 'devcred'::regnamespace
		   and c.relkind in ('r', 'p', 'v', 'm')
		   and has_table_privilege('devcred_auditor', c.oid, what)}],
	['everything belongs to devcred_owner', q{
		select oid::regclass::text
		  from pg_class
		 where relnamespace = 'devcred'::regnamespace
		   and relowner <> 'devcred_owner'::regrole
		union all
		select oid::regprocedure::text
		  from pg_proc
		 where pronamespace = 'devcred'::regnamespace
		   and proowner <> 'devcred_owner'::regrole}],
);
for my $rule (@rules) {
	my ($name, $query) = @$rule;
	keeps($name, @{ $db->selectcol_arrayref($query) });
}

my %statement = statements();
ok(keys %statement > 15, 'the programs have statements');
$db->do('set client_min_messages = warning');
keeps('the database understands every statement', map {
	my ($sql, $count) = @{ $statement{$_} };
	my $role = m{\Actl/} ? 'devcred_owner' : 'devcred_app';
	my $done = eval {
		$db->do("set role $role");
		$db->do("prepare looked_at as $sql");
		1;
	};
	my $why = $done ? '' : $@ =~ s/\s+at \S+ line \d+\.?\s*\z//r;
	my ($taken) = $done ? $db->selectrow_array('select
		cardinality(parameter_types) from pg_prepared_statements
		where name = $$looked_at$$') : $count;
	$db->do('deallocate looked_at') if $done;
	$why ne '' ? "$_: $why\n$sql"
	    : $taken != $count ? "$_: counts $count parameters, has $taken" : ();
} sort keys %statement);

$db->do('reset role');
done_testing;
