#!/usr/bin/perl
# A hot standby has what the primary has, verifies logins, and takes over
# without losing what was acknowledged.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Standby;

my $primary = Devcred::Cluster->new;
my $database = $primary->database;
my $standby = Devcred::Standby->new($primary, 'second');
# doc/databases.md: the hosts in one string, and whoever takes writes is it
my $hosts = "host=$primary->{dir},$standby->{dir} dbname=$database "
    . 'target_session_attrs=read-write';
my $site = Devcred::Site->new(cluster => $primary, database => $database,
	web => 'nginx', conf => { app_database => "$hosts user=devcred_service",
		database => "$hosts user=devcred_operator" });
my $admin = $site->client('t1/admin');

# A device with its password: id, user, password.
sub device {
	my $answer = issued($admin, @_);
	return ($answer->field('id'), 't1/' . $answer->field('username'),
		$answer->field('password'));
}
sub login { return $admin->as("$_[0]:$_[1]")->get('/user/currentUser')->status }

# Reading -------------------------------------------------------------------------

my ($id, $user, $password) = device();
my ($used, $used_user, $used_password) = device();
is(login($used_user, $used_password), 200, 'a device uses its password');
ok($standby->has_all_of($primary), 'the standby replays what the primary wrote');

my $here = $standby->connect($database);
my $reader = $standby->connect($database, 'devcred_reader');
for my $view (qw(audit registration request claim credential login customer)) {
	my $count = "select count(*) from devcred.$view";
	is(eval { $reader->selectrow_array($count) },
		$primary->connect($database)->selectrow_array($count),
		"auditors read devcred.$view there");
}
is($reader->selectrow_array('select accepted_by from devcred.registration
	where device_id = ?', undef, $id), 't1/admin', 'and see who accepted a device');

# Verification --------------------------------------------------------------------

my $web = $standby->connect($database, 'devcred_checker');
sub verify {
	my $is = eval {
		($web->selectrow_array('select devcred.verify(?, ?, ?)', undef,
			@_, '192.0.2.7'))[0] ? 'yes' : 'no' };
	return $is // "error: $@";
}
for my $case (['a password that was used', 'yes', $used_user, $used_password],
    ['one that was not yet', 'yes', $user, $password],
    ['another password', 'no', $user, "x$password"],
    ['a device that is not there', 'no', 't1/device_nobody', $password]) {
	my ($name, $expected, @login) = @$case;
	is(verify(@login), $expected, "verify() on the standby: $name: $expected");
}
is($web->selectrow_array('select count(*) from devcred.device_login
	where login = ?', undef, $user), 1, 'and those that compare themselves see the login');
my $there = $primary->connect($database);
is($there->selectrow_array('select count(*) from devcred.device_credential
	where device_id = ? and first_used_at is null and failures = 0', undef, $id), 1,
	'what the standby verifies is recorded nowhere');

my $salt = 'S' x 16;
$there->do("select devcred.credential_rotate('t1', 'test', null, 't1', ?,
	convert_to(?, 'UTF8'), sha256(convert_to(?, 'UTF8')), 600)", undef, $used, $salt,
	"new password$salt");
$standby->has_all_of($primary);
is(verify($used_user, $_), 'yes', 'after a rotation old and new work there')
    for $used_password, 'new password';
$there->do("select devcred.credential_disable('t1', 'test', null, 't1', ?, true)",
	undef, $used);
$standby->has_all_of($primary);
is(verify($used_user, 'new password'), 'no', 'and neither when it is disabled');

# What is not there ---------------------------------------------------------------

$there->do(q{insert into devcred.bulk_row (device_id, bulk, batch, line,
	custom_properties) values ('staged', 1, 1, 1, '{}')});
$standby->has_all_of($primary);
ok(!eval { $here->do('select count(*) from devcred.bulk_row'); 1 },
	'lines of bulk uploads are not on the standby');
like($@, qr/cannot access temporary or unlogged relations during recovery/,
	'as their table is not logged');
ok(!eval { $here->do("select devcred.newdevice_create('t1', 't1/admin', null,
	'no', 't1', null, null, '{}')"); 1 }, 'nothing is registered there');
is($here->state, '25006', 'because it is read-only');

# Takeover ------------------------------------------------------------------------

# from here on an answer waits for the standby, so none can be lost
$there->do(q{alter system set synchronous_standby_names = 'second'});
$there->do('select pg_reload_conf()');
eventually(sub { $there->selectrow_array(q{select sync_state = 'sync'
	from pg_stat_replication where application_name = 'second'}) },
	'the standby is synchronous');
my @devices = map { [device()] } 1 .. 5;
my $pending = pending($admin);
my $accepted = accepted($admin);
$_->disconnect for $here, $reader, $web, $there;

my ($postmaster) = Devcred::Shell::read_file("$primary->{dir}/pg/postmaster.pid")
    =~ /\A(\d+)/;
kill 'KILL', $postmaster or die "kill: $!\n";
eventually(sub { as_bootstrap($admin)->poll($pending)->status == 503 },
	'the primary is killed: devices are told to come again');
ok($standby->promote, 'the standby is promoted');
eventually(sub { as_bootstrap($admin)->poll($pending)->status == 404 },
	'and polls go on');

my $new = $standby->connect($database);
is($new->selectrow_array('select count(*) from devcred.device_credential
	where device_id = any (?)', undef, [map { $_->[0] } @devices]), 5,
	'no acknowledged issue is lost');
is("@{[map { login($_->[1], $_->[2]) } @devices]}", '200 200 200 200 200',
	'and every device logs in');
answers(as_bootstrap($admin)->poll($accepted), 201,
	'what was accepted before is issued after');
answers($admin->accept_device($pending), 200, 'what was pending is accepted');
answers(as_bootstrap($admin)->poll($pending), 201, 'and issued');
answers(issued($admin), 201, 'a new device goes the whole way');
my ($status, $text) = $site->ctl('', 'request', 'list');
is($status, 0, 'devcredctl finds it by the same hosts') or diag($text);
is($new->selectrow_array('select count(*) from devcred.bulk_row'), 0,
	'the new primary begins with no line of a bulk upload');
is($new->selectrow_array('select count(*) from (select seq from devcred.event
	group by seq having count(*) > 1) twice'), 0, 'no number of an event is used twice');

$new->disconnect;
done_testing();
