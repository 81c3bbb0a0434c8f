#!/usr/bin/perl
# A reporting database subscribes to what is no secret, and gets all of that
# and nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Pair;

my $TOP = $Devcred::Shell::TOP;
my $cluster = Devcred::Cluster->new(options => ['-c wal_level=logical']);
my $database = $cluster->database;
my $site = Devcred::Pair::another($cluster, $database, 'nginx');
Devcred::Pair::write_keys("$site->{dir}/shared-keys", 'k1');
$site->configure(key_file => "$site->{dir}/shared-keys", delivery_window => 600,
	crypt_cost => 4);
$site->start_service;
$site->start_web;
my $admin = $site->client('t1/admin');
my $db = $site->dbh;

my $reports = Devcred::Cluster->new;
$reports->connect('postgres')->do('create database reports');
my $there = $reports->connect('reports');
$there->do('set client_min_messages = warning');

sub psql {
	my ($where, $file) = @_;
	my ($status, $text) = Devcred::Shell::run(['psql', '-X', '-q',
		'-v', 'ON_ERROR_STOP=1', '-d', $where, '-f', "$TOP/deploy/postgresql/$file"]);
	is($status, 0, "$file runs") or BAIL_OUT($text);
	return;
}
sub count {
	my ($dbh, $table) = @_;
	return $dbh->selectrow_array("select count(*) from devcred.$table");
}
# Wait until a query answers so on the reporting database.
sub told {
	my ($expected, $name, $query, @value) = @_;
	my $got;
	eventually(sub {
		$got = $there->selectrow_array($query, undef, @value) // 'nothing';
		$got eq $expected;
	}, $name) or diag("it has: $got");
	return;
}

# Some were there before ----------------------------------------------------------

my %secret;	# bytes that must not be found, and what they are
sub with_token {
	my $token = 'token-of-' . device_id();
	my $answer = issued($admin, token => $token);
	$secret{ $answer->field('password') } = 'a password';
	$secret{$token} = 'a security token';
	return $answer->field('id');
}
my $early = with_token();
my $waiting = pending($admin, token => 'token-of-one-that-waits');

psql($cluster->conninfo($database), 'publication.sql');
psql($reports->conninfo('reports'), 'subscriber.sql');
$there->do('create subscription devcred_report connection '
	. $there->quote($cluster->conninfo($database, 'devcred_replica'))
	. ' publication devcred_report');

told(1, 'a device that had its password before is there',
	'select count(*) from devcred.device_credential where device_id = ?', $early);
told('PENDING_ACCEPTANCE', 'so is one that waits',
	'select status from devcred.newdevice_request where id = ?', $waiting);

# What comes, changes and goes ----------------------------------------------------

my $late = with_token();
told(1, 'a device that is issued its password later comes, too',
	'select count(*) from devcred.device_credential where device_id = ?', $late);
told("device_$late", 'with its login',
	'select username from devcred.device_credential where device_id = ?', $late);
told('t1/admin', 'and who accepted it',
	q{select actor from devcred.event where device_id = ?
		and operation = 'newdevice_accept'}, $late);
$admin->update($waiting, 'BLOCKED');
told('BLOCKED', 'a change follows',
	'select status from devcred.newdevice_request where id = ?', $waiting);
sub life {
	my ($what, $id, @more) = @_;
	$db->do("select devcred.credential_$what('t1', 'test', null, 't1', "
		. join(', ', map { '?' } $id, @more) . ')', undef, $id, @more);
	return;
}
life('disable', $late, 't');
told(1, 'so does the end of a login', 'select count(*) from devcred.device_credential
	where device_id = ? and disabled_at is not null', $late);
$db->do(q{select devcred.credential_rotate('t1', 'test', null, 't1', ?,
	'\x53535353535353535353535353535353', sha256('rotated'), 600,
	'$2a$04$' || repeat('c', 53))}, undef, $early);
told(2, 'a rotation', 'select generation from devcred.device_credential
	where device_id = ? and old_until > now()', $early);
my $old = with_token();
life('decommission', $old);
told(1, 'a device that is taken out of service',
	'select count(*) from devcred.decommissioned where device_id = ?', $old);
told(0, 'whose login is gone',
	'select count(*) from devcred.device_credential where device_id = ?', $old);
my $open = with_token();
told(1, 'a login whose password is still sealed', 'select count(*) from
	devcred.device_credential where device_id = ?', $open);
$admin->remove($waiting);
told(0, 'a request that is deleted goes',
	'select count(*) from devcred.newdevice_request where id = ?', $waiting);
$waiting = pending($admin, token => 'token-of-the-next');
told(1, 'and the next comes',
	'select count(*) from devcred.newdevice_request where id = ?', $waiting);
told(count($db, $_), "of $_ there are as many rows", "select count(*) from devcred.$_")
    for qw(tenant tenant_user newdevice_request device_credential decommissioned event);
is($there->selectrow_array('select string_agg(srsubstate, null) from
	pg_subscription_rel'), 'r' x 6, 'six tables are followed');

# Once more, as after an upgrade
psql($cluster->conninfo($database), 'publication.sql');
$there->do('alter subscription devcred_report refresh publication');
my $next = with_token();
told(1, 'when it is published anew, what comes goes on',
	'select count(*) from devcred.device_credential where device_id = ?', $next);

# Parts of the audit trail come and go here
my ($part, $at) = $db->selectrow_array(q{select to_char(m, '"devcred.event_"YYYY_MM'), m at time zone 'UTC' + interval '10 days'
	from (select date_trunc('month', now() at time zone 'UTC') + interval '3 months') t (m)});
$db->do("alter table devcred.event detach partition $part");
$db->do("drop table $part");
is($db->selectrow_array('select devcred.event_partitions()'), 1, 'a month is made anew');
$db->do("insert into devcred.event (tenant, registration, device_id, operation, outcome, actor, at)
	values ('t1', 1, 'in-a-new-part', 'newdevice_create', 'ok', 'db:test', ?)", undef, $at);
told(1, 'an event in a part that was made after it was published comes',
	q{select count(*) from devcred.event where device_id = 'in-a-new-part'});
$db->do("alter table devcred.event detach partition $part");
$db->do("drop table $part");
my $after = with_token();
told(1, 'when it is dropped, what comes goes on',
	'select count(*) from devcred.device_credential where device_id = ?', $after);
told(1, 'and what it had stays in the reporting database',
	q{select count(*) from devcred.event where device_id = 'in-a-new-part'});

# Secrets ---------------------------------------------------------------------------

# Everything the database has that is not to be told, by catalog, not by list.
my @columns = @{ $db->selectall_arrayref(q{
	select a.attrelid::regclass::text, quote_ident(a.attname), a.atttypid = 'bytea'::regtype
	  from pg_attribute a
	  join pg_class c on c.oid = a.attrelid
	 where c.relnamespace = 'devcred'::regnamespace
	   and c.relkind in ('r', 'p')
	   and not c.relispartition
	   and a.attnum > 0
	   and c.relname <> 'schema_migration'
	   and (a.atttypid in ('bytea'::regtype, 'bytea[]'::regtype)
	       or a.attname ~ 'hash|salt|secret')}) };
for (@columns) {
	my ($table, $column) = @$_;
	my $values = $db->selectcol_arrayref("select distinct v::text from
		(select ${column}::text as v from $table) s where v is not null");
	for my $value (@$values) {
		$secret{$_} = "$table.$column"
		    for grep { length >= 12 } $value =~ /([\w\$.\/+]{12,})/g;
	}
}
sub dump_of {
	my ($where) = @_;
	my ($status, $text) = Devcred::Shell::run(['pg_dump', '-d', $where, '--inserts']);
	die $text if $status;
	return $text;
}
sub found {
	my ($text) = @_;
	my %found = map { $secret{$_} => 1 } grep { index($text, $_) >= 0 } keys %secret;
	return join ' ', sort keys %found;
}
my $here = found(dump_of($cluster->conninfo($database)));
like($here, qr/device_credential\.$_\b/, "the database has the column $_")
    for qw(password_hash password_salt sealed claim_token old_hash crypt_hash);
like($here, qr/newdevice_request\.token_hash/, 'and token_hash');
unlike($here, qr/a password|a security token/, 'but no password and no token');
my $dump = dump_of($reports->conninfo('reports'));
like($dump, qr/\Q$late\E/, 'the dump of the reporting database has the devices');
is(found($dump), '', 'and not one of all these');

# The subscriber's login --------------------------------------------------------------

my $replica = $cluster->connect($database, 'devcred_replica');
for my $secret ('password_hash from devcred.device_credential',
    'password_hash from devcred.tenant_user', 'token_hash from devcred.newdevice_request',
    'digest from devcred.claimant') {
	ok(!eval { $replica->do("select $secret"); 1 },
		"the subscriber's login may not select $secret");
}
# a published column without its key would end every update here
is($db->selectrow_array(q{select count(*) from pg_publication_tables
	where pubname = 'devcred_report'}), 6, 'six tables are published');
$replica->disconnect;
$there->do('drop subscription devcred_report');
$_->disconnect for $there, $db;
done_testing();
