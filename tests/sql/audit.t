#!/usr/bin/perl
# The audit trail in parts: made ahead of time, by whoever comes first, closed
# by themselves, and with the rows of before.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA ();
use File::Temp ();
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
$super->do('set client_min_messages = error');
$super->do("set lock_timeout = '10s'");

my $EVENT = "insert into devcred.event (tenant, registration, device_id, operation, outcome, actor";
my $VALUES = "values ('t1', 1, ?, 'newdevice_create', 'ok', 'db:test'";

# The table an event is in.
sub part_of {
	my ($dbh, $id) = @_;
	return join ' ', @{ $dbh->selectcol_arrayref("select tableoid::regclass::text from devcred.event
		where device_id = ? order by seq", undef, $id) };
}
sub parts {
	my ($dbh) = @_;
	return $dbh->selectcol_arrayref("select inhrelid::regclass::text from pg_inherits
		where inhparent = 'devcred.event'::regclass order by 1");
}
# The months that there have to be, as names of tables.
sub months {
	my ($dbh) = @_;
	return $dbh->selectcol_arrayref(q{select to_char(date_trunc('month', now() at time zone 'UTC')
		+ make_interval(months => i), '"devcred.event_"YYYY_MM') from generate_series(0, 3) i order by i});
}
sub refused {
	my ($dbh, $statement, $words, $name) = @_;
	ok(!eval { $dbh->do($statement); 1 } && $@ =~ $words, $name) or diag($@ // '');
	return;
}

# Made ahead ------------------------------------------------------------------------

my $months = months($super);
is_deeply(parts($super), [@$months, 'devcred.event_rest'],
	'migrate made this month, the next three, and one for the rest');
is($super->selectrow_array('select devcred.event_partitions()'), 0, 'so there is nothing to make');
my $id = device_id();
$super->do("$EVENT) $VALUES)", undef, $id);
is(part_of($super, $id), $months->[0], 'an event is in its month');
for my $case (["date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'", 0, 'the first moment of a month'],
	["(date_trunc('month', now() at time zone 'UTC') + interval '1 month') at time zone 'UTC' - interval '1 us'",
		0, 'so is the last'],
	["(date_trunc('month', now() at time zone 'UTC') + interval '1 month') at time zone 'UTC'", 1,
		'the next moment is in the next']) {
	my ($at, $month, $name) = @$case;
	$id = device_id();
	$super->do("set timezone = 'Pacific/Auckland'");
	$super->do("$EVENT, at) $VALUES, $at)", undef, $id);
	$super->do('reset timezone');
	is(part_of($super, $id), $months->[$month], "$name is in it, in UTC");
}
$id = device_id();
$super->do("$EVENT, at) $VALUES, now() + interval '2 years')", undef, $id);
is(part_of($super, $id), 'devcred.event_rest', 'an event of no month that there is, is in the rest');

$super->do("alter table devcred.event detach partition $months->[3]");
$super->do("drop table $months->[3]");
my $app = $cluster->connect($database, 'devcred_service');
$app->do("set timezone = 'Pacific/Auckland'");
$app->do('select * from devcred.housekeep()');
is_deeply(parts($super), [@$months, 'devcred.event_rest'], 'housekeeping by the service makes what is missing');
is($super->selectrow_array("select pg_get_expr(relpartbound, oid) from pg_class where oid = ?::regclass",
	undef, $months->[3]) =~ /-01 00:00:00\+00'\) TO \('\S+-01 00:00:00\+00'/, 1, 'with bounds in UTC');
is($super->selectrow_array("select count(*) from pg_class where oid = any (?::regclass[])
	and pg_get_userbyid(relowner) = 'devcred_owner'", undef, $months), 4, 'and the owner owns it');

# Others at work --------------------------------------------------------------------

sub drop_last {
	$super->do("alter table devcred.event detach partition $months->[3]");
	$super->do("drop table $months->[3]");
	return;
}
drop_last();
my $other = $cluster->connect($database);
$other->begin_work;
$other->do("$EVENT) $VALUES)", undef, device_id());
$other->do('select count(*) from devcred.event where at > now()');
is($super->selectrow_array('select devcred.event_partitions()'), 0,
	'while somebody reads all of it, nothing is made, and nobody waits');
is_deeply(parts($super), [@$months[0 .. 2], 'devcred.event_rest'], 'nor is half of it');
$other->rollback;
is($super->selectrow_array('select devcred.event_partitions()'), 1, 'the next time it is');
is($super->selectrow_array('select pg_get_userbyid(relowner) from pg_class where oid = ?::regclass', undef, $months->[3]),
	'devcred_owner', "and the owner's, whoever made it");

drop_last();
$other->begin_work;
$other->do("$EVENT) $VALUES)", undef, device_id());
is($super->selectrow_array('select devcred.event_partitions()'), 1, 'somebody who writes is not in the way');
$other->rollback;

drop_last();
$super->begin_work;
$super->do('select devcred.event_partitions()');
$app->do("set statement_timeout = '5s'");
ok(eval { $app->do('select * from devcred.housekeep()'); 1 }, 'two at once do not wait for each other')
    or diag($@);
$super->commit;
is_deeply(parts($super), [@$months, 'devcred.event_rest'], 'and it is made once');

drop_last();
$id = device_id();
$super->do("$EVENT, at) $VALUES, (date_trunc('month', now() at time zone 'UTC') + interval '3 months 10 days')
	at time zone 'UTC')", undef, $id);
is($super->selectrow_array('select devcred.event_partitions()'), 0, 'a month that the rest has begun stays there');
is(part_of($super, $id), 'devcred.event_rest', 'and so do its events');

# Append-only -------------------------------------------------------------------------

$super->do("$EVENT) $VALUES)", undef, device_id());
for my $part ('devcred.event', $months->[0], 'devcred.event_rest') {
	refused($super, "update $part set actor = 'x'", qr/append-only/, "of $part nobody changes an event");
	refused($super, "delete from $part", qr/append-only/, 'nor removes one');
	refused($super, "truncate $part", qr/append-only/, 'nor all');
}
refused($super, "truncate $months->[2]", qr/append-only/, 'a month that housekeeping made is no exception');
refused($super, "alter table devcred.event add constraint x unique (seq)", qr/./, 'a key has to contain the time');
for my $role (qw(devcred_reader devcred_boss devcred_t1 devcred_service devcred_checker)) {
	my $dbh = $cluster->connect($database, $role);
	refused($dbh, "select from $_", qr/permission denied/, "$role does not see $_")
	    for $months->[0], $months->[2], 'devcred.event_rest';
}
$super->do('grant select on all tables in schema devcred to devcred_checker');
is($cluster->connect($database, 'devcred_checker')->selectrow_array("select count(*) from $months->[0]"), 0,
	'and who is granted it by mistake sees no row');

# What comes later is for all parts --------------------------------------------------------

$super->do('alter table devcred.event add column later text');
$super->do('alter table devcred.event drop constraint event_operation_is_known');
$super->do("alter table devcred.event add constraint event_operation_is_known check (operation <> 'x')");
is_deeply($super->selectrow_arrayref("select count(*) filter (where pg_get_constraintdef(oid) like '%<>%'), count(*)
	from pg_constraint where conname = 'event_operation_is_known'"), [5, 5],
	'a migration changes a check of all parts at once');

# The rows of before ------------------------------------------------------------------------

my $dir = File::Temp->newdir;
my $name = "audit_$$";
$super->do("create database $name template template0 owner devcred_owner");
my $conf = "$dir/conf";
Devcred::Shell::write_file($conf, 'database = ' . $cluster->conninfo($name, 'devcred_operator') . "\n");
my ($status, $script) = Devcred::Shell::ctl($conf, '', 'migrate', '--dry-run');
is($status, 0, 'there is a script') or diag($script);
my ($older) = $script =~ m{\A(.*?)^-- migrations/\d+_audit\.sql\n}ms;
# one view is enough; the others may show what came later
my ($views) = $script =~ m{^(create or replace view devcred\.audit\n.*?;\n)}ms;
my $before = $cluster->connect($name);
$before->do('set client_min_messages = error');
$before->do("$older${views}commit;");
is($before->selectrow_array("select relkind from pg_class where oid = 'devcred.event'::regclass"), 'r',
	'before there was one table');
$before->do(qq{insert into devcred.event (tenant, registration, device_id, operation, outcome, actor, at, source,
	status_before, status_after, request_id) select 'management', i, 'd' || i % 100, 'newdevice_claim', 'ok', 'x/' || i,
	timestamptz '2025-11-30T23:59:59Z' + i * interval '1 hour', '192.0.2.1', 'WAITING_FOR_CONNECTION',
	'PENDING_ACCEPTANCE', 'r-' || i from generate_series(0, 4999) i});
$before->do("insert into devcred.event (tenant, registration, device_id, operation, outcome, actor, at)
	values ('management', 1, 'odd', 'newdevice_create', 'ok', 'x', '$_')") for '1970-01-01', 'infinity', '0044-03-15 BC';
my $DIGEST = q{select count(*), md5(string_agg(e::text, '|' order by e.seq)) from devcred.event e};
my $was = $before->selectrow_arrayref($DIGEST);
$before->do('create view public.of_a_dba as select count(*) from devcred.audit');
$before->do('create publication of_a_dba for table devcred.event');
my $said;
($status, $said) = Devcred::Shell::ctl($conf, '', 'migrate');
is($status, 0, 'a table with rows is migrated') or diag($said);
is_deeply($before->selectrow_arrayref($DIGEST), $was, 'every row is as it was');
is($before->selectrow_array("select count(*) from pg_inherits where inhparent = 'devcred.event'::regclass"),
	1 + $before->selectrow_array("select count(*) from (select distinct date_trunc('month', at at time zone 'UTC')
	from devcred.event where at between '2000-01-01' and '3000-01-01' union select date_trunc('month', now() at time zone 'UTC')
	+ make_interval(months => i) from generate_series(0, 3) i) m"), 'each month that had events has its part');
is(part_of($before, 'odd'), join(' ', ('devcred.event_rest') x 3), 'what has no sensible month is in the rest');
is($before->selectrow_array("select tableoid::regclass from devcred.event where registration = 0"),
	'devcred.event_2025_11', 'and months are those of UTC');
$before->do("insert into devcred.event (tenant, registration, device_id, operation, outcome, actor)
	values ('management', 1, 'next', 'newdevice_create', 'ok', 'x')");
is($before->selectrow_array("select seq from devcred.event where device_id = 'next'"), 5004,
	'what comes next is numbered on');
is($before->selectrow_array('select * from public.of_a_dba'), 5004, 'views of others on our views go on');
is($before->selectrow_array("select count(*) from pg_class where relname like 'event_whole%'"), 0,
	'nothing is left of the old table');
refused($before, 'truncate devcred.event_2025_11', qr/append-only/, 'months of before are append-only, too');
my $plan = join "\n", @{ $before->selectcol_arrayref("explain (costs off) select * from devcred.event
	order by seq desc limit 10") };
unlike($plan, qr/\bSort\b(?! Key)|Seq Scan/, 'the newest events are found by index');
$before->disconnect;

done_testing();
