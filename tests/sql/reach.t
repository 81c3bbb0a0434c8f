#!/usr/bin/perl
# Logins of tenants: what they see is what their tenant has, in every table,
# view and function, and nothing tells them of others.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my %login = map { ($_ => $cluster->connect($database, "devcred_$_")) }
	qw(reader boss t1 t1_reader t2 both service);

sub all { my ($dbh, $sql, @value) = @_; return $dbh->selectcol_arrayref($sql, undef, @value) }
# What a statement comes to: its first value, or how it is refused.
sub comes_to {
	my ($dbh, $sql, @value) = @_;
	my @row;
	return eval { @row = $dbh->selectrow_array($sql, undef, @value); 1 }
	    ? @row ? $row[0] // 'null' : 'no row' : $dbh->state;
}

# Rules, what was put out, settings that were changed.
$super->do("select devcred.accept_rule_set('$_', 'x', 'rule', 'none', null, null, false, null, null, null)"),
    $super->do("insert into devcred.outbox (tenant, registration, device_id, operation, actor) values ('$_', 1, 'x', 'x', 'x')")
    for 't1', 't2';
$super->do("select devcred.tenant_set('$_', 'x', null, null, null, '7')") for 't1', 't2';

# One story in each tenant: a request with a claimant, a credential, an id taken
# out of service.
for my $tenant ('t1', 't2') {
	my $do = sub { $super->do(@_) };
	$do->("select devcred.newdevice_create('$tenant', '$tenant/admin', null, '$tenant-$_', null, null, null, null)")
	    for qw(waiting pending issued gone);
	for my $id (qw(pending issued gone)) {
		my $poll = "select testing.poll('{$tenant-$id}', '{$tenant}', '{$tenant/bootstrap}',
			array[inet '192.0.2.7'], array[sha256('token')], array[decode(repeat('01', 16), 'hex')],
			array[decode(repeat('02', 32), 'hex')])";
		$do->($poll);
		next if $id eq 'pending';
		$do->("select devcred.newdevice_update('$tenant', '$tenant/admin', null, '$tenant-$id', 'ACCEPTED', null,
			sha256('token'))");
		$do->($poll);
	}
	$do->("select devcred.credential_decommission('$tenant', '$tenant/admin', null, null, '$tenant-gone')");
}
cmp_ok($super->selectrow_array("select count(*) from devcred.device_credential"), '==', 2,
	'each tenant has a credential');

# Tables and views --------------------------------------------------------------

# Every relation with a tenant; those that nobody reads are found by who may.
my %HAS = map { ($_->[0] => $_->[1]) } @{ $super->selectall_arrayref("
	select c.relname, case when c.relname in ('tenant', 'customer') then 'id' else 'tenant' end
	  from pg_class c
	  join pg_attribute a on a.attrelid = c.oid
	 where c.relnamespace = 'devcred'::regnamespace
	   and c.relkind in ('r', 'p', 'v')
	   and not c.relispartition
	   and (a.attname = 'tenant' or c.relname in ('tenant', 'customer') and a.attname = 'id')
	   and has_column_privilege('devcred_t1', c.oid, a.attnum, 'select')
	 order by 1") };
cmp_ok(scalar(keys %HAS), '>=', 15, 'there is much to see');
my $see = sub {
	my ($dbh, $relation) = @_;
	return join ' ', @{ all($dbh, "select distinct $HAS{$relation} from devcred.$relation
		where $HAS{$relation} in ('t1', 't2') order by 1") };
};
for my $relation (sort keys %HAS) {
	for my $case (['t1', 't1'], ['t1_reader', 't1'], ['t2', 't2'], ['both', 't1 t2'],
		['boss', 't1 t2'], ['reader', 't1 t2']) {
		my ($who, $what) = @$case;
		is($see->($login{$who}, $relation), $what, "of $relation $who sees what belongs to: $what");
	}
	is_deeply(all($login{t1}, "select count(*) from devcred.$relation where $HAS{$relation} <> 't1'"),
		[0], "and t1 counts nobody else's");
}
is(comes_to($login{t1}, "select count(*) from devcred.newdevice_request where seq > 0"), 2,
	'an index over all tenants does not help to see more');
{
	my @heard;
	local $SIG{__WARN__} = sub { push @heard, @_ };
	$login{t1}->do("create function pg_temp.tell(text) returns bool language plpgsql cost 0.0001 as
		\$\$ begin raise warning 'shown %', \$1; return true; end \$\$");
	$login{t1}->do('select * from devcred.request where pg_temp.tell(id)');
	my $shown = join '', @heard;
	like($shown, qr/shown t1-pending/, 'a function of their own is shown their rows');
	unlike($shown, qr/t2-/, 'and none of others');
}

# Functions -------------------------------------------------------------------------

# Every function that a tenant may call, on what is another's and on what is
# nowhere: the same answer.
my %ASK = (
	request_accept => sub { "'$_[0]'" },
	request_accept_all => sub { "'t1'" },
	request_block => sub { "'$_[0]'" },
	request_lift => sub { "'$_[0]'" },
	request_delete => sub { "'$_[0]'" },
	credential_rotate => sub { "'$_[0]'" },
	credential_disable => sub { "'$_[0]'" },
	credential_enable => sub { "'$_[0]'" },
	credential_expire => sub { "'$_[0]', now()" },
	credential_reopen => sub { "'$_[0]'" },
	credential_revoke => sub { "'$_[0]'" },
	credential_decommission => sub { "'$_[0]'" },
	request_create => sub { "'x$_[0]', 't2'" },
	request_load => sub { "array['x$_[0]'], 't2'" },
	credential_load => sub { "array['x$_[0]'], array['password'], 't2'" },
	reach => sub { '' },
	rule_set => sub { "'x$_[0]', '*', 't2'" },
	rule_enable => sub { "'x$_[0]', true, 't2'" },
	rule_delete => sub { "'rule', 't2'" },
	rule_try => sub { "'rule', 't2'" },
	rule_apply => sub { "'rule', 't2'" },
	outbox_take => sub { "10, 't2'" },
);
is_deeply([sort keys %ASK], all($super, "select distinct proname from pg_proc
	where pronamespace = 'devcred'::regnamespace and has_function_privilege('devcred_t1', oid, 'execute')
	order by 1"), 'every function that a tenant may call is asked here');
sub rows_of_t2 {
	return join "\n", @{ all($super, "select r::text from devcred.newdevice_request r where tenant = 't2'
		union all select c::text from devcred.device_credential c where tenant = 't2' order by 1") };
}
my $before = rows_of_t2();
for my $function (sort keys %ASK) {
	next if $function =~ /\A(?:rule_|outbox_)/;
	my ($foreign, $none) = map { my $id = $_;
		my $of = $function =~ /^credential_/ ? "$id-issued" : "$id-pending";
		comes_to($login{t1}, "select outcome::text || coalesce(' ' || tenant, '') from devcred.$function("
			. $ASK{$function}->($of) . ')') } 't2', 't9' unless $function =~ /\A(?:reach|request_delete)\z/;
	is($foreign, $none, "$function tells of another's device what it tells of none: " . ($none // '-'));
}
is(comes_to($login{t1}, "select outcome from devcred.request_delete('t2-pending')"), 'no row',
	'request_delete does not reach it');
for my $function (grep { /^(?:rule|outbox)_/ } sort keys %ASK) {
	like(comes_to($login{t1}, "select " . ($function =~ /try|take|apply/ ? '1 from' : '') . " devcred.$function("
		. $ASK{$function}->('') . ')'), qr/\A(?:no_tenant|absent|no row)\z/, "$function reaches nothing of another tenant");
}
is($super->selectrow_array("select count(*) from devcred.outbox where tenant = 't2'"), 1, 'nor takes anything');
is(comes_to($login{t1}, 'select devcred.reach()::text'), '{t1}', 'reach tells what is granted');
is(rows_of_t2(), $before, 'and nothing of the other tenant has changed');
is($login{t1}->do("$_->[0] $_->[1]"), '0E0', "nor does $_->[0] reach it")
    for ["update devcred.request set status = 'BLOCKED'", "where tenant = 't2'"],
    ['delete from devcred.request', "where id like 't2%'"],
    ["update devcred.credential set status = 'DISABLED'", "where device_id = 't2-issued'"],
    ['delete from devcred.credential', "where tenant = 't2'"];
is(comes_to($login{t1}, "insert into devcred.request (id, tenant) values ('mine', 't2')"), '23503',
	'nothing is registered for another tenant');
is(comes_to($login{t1}, "insert into devcred.request (id) values ('t2-pending')"), '23505',
	'an id that another has is taken, and that is all that is told');

# What cannot be called: functions that believe what they are told.
for my $who (qw(t1 boss reader)) {
	is(comes_to($login{$who}, $_), '42501', "$who may not: $_")
	    for "select devcred.newdevice_delete('t2', 'x', null, 't2-pending')",
	    "select devcred.credential_revoke('management', 'x', null, null, 't2-issued')",
	    "select devcred.login_grant('t2', 'devcred_$who', false)",
	    "insert into devcred.tenant_login values ('devcred_$who', 't2', false)",
	    "select devcred.newdevice_list('t2', null, null, 10, 0, false)",
	    "update devcred.newdevice_request set status = 'ACCEPTED'",
	    'select * from devcred.device_login', 'select password_hash from devcred.device_credential';
}

# Roles -------------------------------------------------------------------------------

is(comes_to($login{t1_reader}, $_), '42501', "who sees only, may not: $_")
    for "select devcred.request_block('t1-pending')", "insert into devcred.request (id) values ('r')",
    "update devcred.request set status = 'BLOCKED'", 'delete from devcred.credential';
is(comes_to($login{both}, "select outcome from devcred.request_create('both-1')"), 'no_tenant',
	'who has two tenants names one');
is(comes_to($login{both}, "select tenant from devcred.request_create('both-1', 't2')"), 't2', 'and gets it');
is(comes_to($login{both}, "select tenant from devcred.request_block('both-1')"), 't2',
	'a device says itself whose it is');
$super->do("create role devcred_person_$$ login in role devcred_t1");
my $person = $cluster->connect($database, "devcred_person_$$");
is(comes_to($person, 'select devcred.reach()::text'), '{t1}', 'a member of a login sees what the login sees');
is(comes_to($person, "select outcome from devcred.request_block('t1-pending')"), 'ok', 'and does what it does');
is($super->selectrow_array('select actor from devcred.event order by seq desc limit 1'),
	"db:devcred_person_$$", 'in their own name');
$person->disconnect;
$super->do("drop role devcred_person_$$");
$super->do("create role devcred_dba_$$ login in role devcred_registrar, devcred_t1");
my $dba = $cluster->connect($database, "devcred_dba_$$");
is($see->($dba, 'request'), 't1 t2', 'an administrator sees all');
$dba->do('set role devcred_t1');
is($see->($dba, 'request'), 't1', 'and as a tenant what the tenant sees');
is(comes_to($dba, "select outcome from devcred.request_block('t2-pending')"), 'no row', 'and reaches no more');
is(comes_to($dba, "select outcome from devcred.request_block('t1-pending')"), 'ok', 'but that');
is($super->selectrow_array('select actor from devcred.event order by seq desc limit 1'),
	"db:devcred_dba_$$", 'in the name of the one who logged in');
$dba->disconnect;
$super->do("drop role devcred_dba_$$");

# Granting ------------------------------------------------------------------------------

my $conf = "$cluster->{dir}/reach.$$.conf";
Devcred::Shell::write_file($conf, 'database = ' . $cluster->conninfo($database, 'devcred_operator') . "\n");
sub ctl {
	my ($status, $text) = Devcred::Shell::ctl($conf, '', @_);
	return "$status $text";
}
my $guest = qq(odd "one's %I $$);
my $quoted = $super->quote_identifier($guest);
$super->do("create role $quoted login");
like(ctl('tenant', 'grant-login', 't1', $guest), qr/\A0 /, 'a tenant is granted, whatever the name of the login');
$super->do("grant $quoted to devcred_both");
$super->do("delete from devcred.tenant_login where login = 'devcred_both'");
is($see->($login{both}, 'request'), 't1', 'and seen at once');
like(ctl('tenant', 'grant-login', 't1', $guest, '--read-only'), qr/\A0 /, 'it is granted again');
is(comes_to($login{both}, "select devcred.request_block('t1-pending')"), '42501', 'now for looking only');
like(ctl('tenant', 'revoke-login', 't1', $guest), qr/\A0 /, 'it is revoked');
is($see->($login{both}, 'request'), '', 'and nothing is seen any more');
for my $case ([['grant-login', 't9', $guest], qr/no tenant t9/],
	[['grant-login', 't1', 'nobody at all'], qr/no database login nobody at all/],
	[['revoke-login', 't1', $guest], qr/not granted/],
	[['grant-login', 'management', $guest], qr/devcred_registrar/]) {
	my $answer = ctl('tenant', @{ $case->[0] });
	like($answer, qr/\A1 /, "refused: tenant @{ $case->[0] }");
	like($answer, $case->[1], 'with the reason');
}
like(ctl('tenant', 'grant-login', 't1', $guest), qr/\A0 /, 'a login that has a tenant');
$super->do("drop role $quoted");
is(comes_to($login{t1}, 'select devcred.reach()::text'), '{t1}', 'may be dropped, and is in nobody\'s way');

done_testing;
