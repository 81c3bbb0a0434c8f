#!/usr/bin/perl
# Every query of devcred-sql(7) answers its question: run as an auditor, after
# a story that the service was told.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Pair;

my $manual = Devcred::Shell::read_file("$Devcred::Shell::TOP/doc/devcred-sql.7");
my %query = $manual =~ /^\.Ss (.*)\n(?:(?!\.Ss)(?!\.Bd).*\n)*\.Bd -literal.*\n((?:(?!\.Ed).*\n)+)\.Ed$/mg;

my $database = Devcred::Cluster->shared->database;
my $site = Devcred::Pair::another(Devcred::Cluster->shared, $database, 'nginx');
Devcred::Pair::write_keys("$site->{dir}/shared-keys", 'k1');
$site->configure(key_file => "$site->{dir}/shared-keys", delivery_window => 600);
$site->start_service;
$site->start_web;
my $admin = $site->client('t1/admin');
my $db = $site->dbh;

# The story -------------------------------------------------------------------------

sub log_in { return $admin->as("t1/device_$_[0]:$_[1]")->get('/user/currentUser')->status }
sub credential {
	my ($id, $method, $what, $body) = @_;
	my $answer = $admin->request($method => "/devcred/credentials/$id$what",
		accept => '*/*', body => $body // '', type => 'application/json');
	die $answer->told if $answer->status >= 300;
	return;
}
# Time that has passed, which nobody can play.
sub aged {
	my ($table, $what, $id, $by) = @_;
	my $key = $table eq 'device_credential' || $table eq 'event' ? 'device_id' : 'id';
	my ($column, $more) = split / /, $what, 2;
	$db->begin_work;
	$db->do('set local session_replication_role = replica');
	$db->do("update devcred.$table set $column = $column - ?::interval
		where $key = ? " . ($more // ''), undef, $by, $id);
	$db->commit;
	return;
}

my $used = issued($admin, id => '1234');
log_in('1234', $used->field('password')) == 200 or die 'login';
log_in('1234', 'wrong') for 1 .. 3;
aged('event', "at and operation = 'newdevice_claim'", '1234', '2 hours');
registered($admin, id => 'never-seen');
aged('newdevice_request', 'created_at', 'never-seen', '60 days');
pending($admin, id => 'waiting', token => 'right');
$admin->accept_device('waiting', with => { securityToken => 'wrong' });
as_bootstrap($admin)->poll('waiting', with => { securityToken => 'other' });
pending($admin, id => 'blocked');
$admin->update('blocked', 'BLOCKED');
pending($admin, id => 'wanted');
$site->client('t1/bootstrap')->poll('wanted');
issued($admin, id => 'unused');
aged('device_credential', 'issued_at', 'unused', '40 days');
my $twice = issued($admin, id => 'twice');
as_bootstrap($admin)->poll('twice');
$site->client('t1/bootstrap')->poll('twice');
issued($admin, id => 'ends');
credential('ends', PUT => '', '{"expires":"'
	. $db->selectrow_array(q{select devcred.iso_time(now() + '7 days')}) . '"}');
issued($admin, id => 'rotated');
credential('rotated', POST => '/rotate');
issued($admin, id => 'back');
credential('back', POST => '/decommission');
registered($admin, id => 'back');
$db->do(q{select devcred.newdevice_create('t1', 'db:postgres', null, 'by-hand', null, null,
	null, null)});
my $lines = join "\n", 'ID;TYPE', map { "bulk-$_;pump" } 1 .. 12;
my $edge = 'edge-of-a-form';
my $bulk = $admin->request(POST => '/devicecontrol/bulkNewDeviceRequests', accept => '*/*',
	type => "multipart/form-data; boundary=$edge",
	body => "--$edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
	    . "$lines\r\n--$edge--\r\n");
$bulk->status == 201 or die $bulk->told;

# The answers -----------------------------------------------------------------------

# Question => a row that must be there (columns and patterns), and how many
# rows there are, if that is known.
my %expected = (
	'Who accepted a device, and from where' => [1, { tenant => 't1',
		accepted_by => 't1/admin', accepted_from => '127.0.0.1', issued_to => '127.0.0.1' }],
	'Everything that happened to a device' => [5, { operation => 'newdevice_accept',
		actor => 't1/admin', status_before => 'PENDING_ACCEPTANCE',
		status_after => 'ACCEPTED' }],
	'How long devices waited to be accepted' => [undef, { tenant => 't1', devices => 6,
		average => qr/\A00:20/, median => qr/\A00:00:0/, slowest_5_percent => qr/\A01:3/ }],
	'Who waits now' => [2, { id => 'wanted', tenant => 't1', claimed_from => '127.0.0.1' }],
	'What was refused or blocked' => [undef, { device_id => 'blocked',
		operation => 'newdevice_block', outcome => 'ok' }, { device_id => 'waiting',
		operation => 'newdevice_accept', outcome => 'token_mismatch' }],
	'Wrong security tokens' => [undef, { device_id => 'waiting', at_acceptance => 1,
		at_polls => 1 }],
	'Device ids that more than one asks for' => [undef, { device_id => 'wanted',
		actor => 't1/bootstrap' }, { device_id => 'wanted',
		actor => 'management/devicebootstrap' }],
	'Ids that more than one asked for, ever' => [undef, { device_id => 'wanted',
		others => 1 }],
	'Credentials that were never used' => [1, { device_id => 'unused',
		accepted_by => 't1/admin' }],
	'Rotated, and not used since' => [1, { device_id => 'rotated', generation => 2 }],
	'Passwords that were delivered more than once' => [1, { device_id => 'twice',
		again => 1 }],
	'Deliveries that were refused' => [undef, { device_id => 'twice',
		actor => 't1/bootstrap' }],
	'Credentials that end soon' => [1, { device_id => 'ends' }],
	'Devices that fail to log in' => [1, { device_id => '1234', failures => 3 }],
	'What an administrator did' => [undef, { device_id => 'blocked',
		operation => 'newdevice_block', source => '127.0.0.1' },
		{ device_id => 'back', operation => 'credential_decommission' }],
	'Who changed the settings of a tenant' => [1, { tenant => 't1', setting => 'token_policy',
		value_before => 'OPTIONAL', value_after => 'IGNORED', actor => 't1/admin' }],
	'What database users did' => [1, { db_user => 'postgres', actor => 'db:postgres',
		operation => 'newdevice_create', count => 1 }],
	'Registered, and never seen' => [1, { id => 'never-seen', owner => 't1/admin' }],
	'Taken out of service, and back' => [1, { device_id => 'back', retired_by => 't1/admin',
		request => 'WAITING_FOR_CONNECTION' }],
	'How many devices come and go' => [undef, { tenant => 't1', registered => 24,
		issued => 6, ended => 1 }],
	'Bulk uploads' => [undef, { actor => 't1/admin', tenant => 't1',
		devices => qr/\A(?:1[2-9]|2\d)\z/ }],
);
is_deeply([sort keys %query], [sort keys %expected],
	'the manual has these questions, each with a query');

$admin->request(PUT => '/tenant/options/device-registration/security-token.policy', accept => '*/*',
	type => 'application/json', body => '{"value":"IGNORED"}');
my $auditor = $site->dbh('devcred_reader');
sub fits {
	my ($row, $wanted) = @_;
	for my $column (keys %$wanted) {
		my ($is, $must) = ($row->{$column} // 'null', $wanted->{$column});
		return 0 unless ref $must ? $is =~ $must : $is eq $must;
	}
	return 1;
}
for my $question (grep { $query{$_} } sort keys %expected) {
	my ($count, @wanted) = @{ $expected{$question} };
	my $rows = eval { $auditor->selectall_arrayref($query{$question}, { Slice => {} }) };
	ok($rows, "$question: an auditor may ask") or diag($@), next;
	my $told = join "\n", map { my $row = $_;
		join ', ', map { "$_=" . ($row->{$_} // 'null') } sort keys %$row } @$rows;
	my $good = !grep { my $wanted = $_; !grep { fits($_, $wanted) } @$rows } @wanted;
	ok($good, "$question: and is told") or diag($told);
	is(scalar @$rows, $count, "$question: that, and no more") or diag($told)
	    if defined $count;
}

# The views -------------------------------------------------------------------------

my ($views) = $manual =~ /^\.Sh VIEWS\n(.*?)^\.Sh/ms;
my %told = $views =~ /^\.It Li devcred\.(\w+)\n((?:(?!\.It).*\n)*)/mg;
my $columns = $auditor->selectall_arrayref(q{
	select c.relname, array_agg(a.attname::text order by a.attnum)
	  from pg_class c
	  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
	 where c.relnamespace = 'devcred'::regnamespace
	   and c.relkind = 'v'
	   and has_table_privilege(c.oid, 'select')
	 group by 1});
is(join(' ', sort keys %told), join(' ', sort map { $_->[0] } @$columns),
	'the manual has every view that an auditor reads');
for my $view (@$columns) {
	my ($name, $has) = @$view;
	my $text = $told{$name} // '';
	is(join(' ', grep { $text !~ /\b$_\b/ } @$has), '', "and every column of $name");
}
$_->disconnect for $db, $auditor;
done_testing();
