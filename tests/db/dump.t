#!/usr/bin/perl
# A dump that is restored in another cluster is the same installation: every
# login works, and what comes next does not collide with what was.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Pair;

my $from = Devcred::Cluster->shared;
my $database = $from->database;
my $site = Devcred::Pair::another($from, $database, 'nginx');
my @conf = (key_file => "$site->{dir}/shared-keys", delivery_window => 600);
Devcred::Pair::write_keys("$site->{dir}/shared-keys", 'k1');
$site->configure(@conf);
$site->start_service;
$site->start_web;
my $admin = $site->client('t1/admin');

sub run {
	my ($name, @command) = @_;
	my ($status, $text) = Devcred::Shell::run(\@command);
	is($status, 0, $name) or BAIL_OUT($text);
	return $text;
}
sub login {
	my ($http, $user, $password) = @_;
	return $http->as("t1/$user:$password")->get('/user/currentUser')->status;
}

my @logins = map { my $answer = issued($admin);
	[$answer->field('id'), $answer->field('username'), $answer->field('password')] } 1 .. 5;
is(login($admin, @{ $logins[0] }[1, 2]), 200, 'a device has used its password');
my $pending = pending($admin);
my $accepted = accepted($admin);
my $db = $site->dbh;
my ($last_event, $last_request) = $db->selectrow_array('select (select max(seq) from
	devcred.event), (select max(registration) from devcred.event)');

my @audit = ('--public', "$site->{dir}/audit.key.pub");
is(($site->ctl('', 'audit', 'key', "$site->{dir}/audit.key"))[0], 0, 'there is a key for seals');
is(($site->ctl('', 'audit', 'seal', '--key', "$site->{dir}/audit.key"))[0], 0, 'the audit trail is sealed');

# Dump and restore, as doc/databases.md has it ------------------------------------

my $dump = "$site->{dir}/devcred.dump";
run('pg_dump', 'pg_dump', '-Fc', '-d', $from->conninfo($database), '-f', $dump);
$site->stop_service;

my $to = Devcred::Cluster->new(bare => 1);
my $restored = 'restored';
my $roles = run('pg_dumpall --roles-only', 'pg_dumpall', '--roles-only', '-d', $from->conninfo('postgres'));
for my $role (qw(devcred_owner devcred_app devcred_auditor devcred_verifier)) {
	like($roles, qr/^CREATE ROLE $role;/m, "it has the role $role");
}
Devcred::Shell::write_file("$site->{dir}/roles.sql", $roles);
# the superuser is there already, which psql tells and goes on
run('psql', 'psql', '-X', '-q', '-d', $to->conninfo('postgres'), '-f', "$site->{dir}/roles.sql");
$to->connect('postgres')->do("create database $restored owner devcred_owner");
run('pg_restore', 'pg_restore', '--exit-on-error', '-d', $to->conninfo($restored), $dump);

my $new = Devcred::Pair::another($to, $restored, 'nginx', @conf);
my ($status, $text) = $new->ctl('', 'migrate', '--status');
is($status, 0, 'devcredctl migrate --status finds nothing to do') or diag($text);
unlike($text, qr/pending|changed|missing/i, 'and nothing changed');
$new->start_service;
$new->start_web;
# as root, it would find fault with the key file of a service that is not root
$new->configure;
($status, $text) = $new->ctl('', 'doctor');
is($status, 0, 'devcredctl doctor finds nothing wrong') or diag($text);

($status, $text) = $new->ctl('', 'audit', 'verify', @audit);
ok($status == 0 && $text =~ /^1 seals over [1-9]\d* events: 0 faults; 0 events are not sealed/, 'seals hold in another database')
    or diag($text);

# It is the same -------------------------------------------------------------------

my $there = $new->client('t1/admin');
is(join(' ', map { login($there, @$_[1, 2]) } @logins), '200 200 200 200 200',
	'every login that was issued works');
answers(as_bootstrap($there)->poll($pending), 404, 'what was pending is');
my $answer = as_bootstrap($there)->poll($accepted);
answers($answer, 201, 'what was accepted is issued');
is(as_bootstrap($there)->poll($accepted)->field('password'), $answer->field('password'),
	'and delivered again, as its key came with it');
my $fresh = issued($there);
answers($fresh, 201, 'a new device goes the whole way');
my $newer = $new->dbh;
is($newer->selectrow_array('select count(*) from devcred.event where seq > ?
	and device_id = ?', undef, $last_event, $fresh->field('id')), 4,
	'its events come after all others');
is($newer->selectrow_array('select registration > ? from devcred.device_credential
	where device_id = ?', undef, $last_request, $fresh->field('id')), 1,
	'so does the number of its registration');
for my $case (['devcred_reader', 'select count(*) from devcred.audit', 1],
    ['devcred_service', 'select count(*) from devcred.event', 0],
    ['devcred_reader', 'select password_hash from devcred.device_credential', 0],
    ['devcred_checker', 'select count(*) from devcred.device_login', 1]) {
	my ($role, $query, $may) = @$case;
	my $dbh = $new->dbh($role);
	is(eval { $dbh->do($query); 1 } // 0, $may,
		$may ? "$role may $query" : "$role may still not $query");
	$dbh->disconnect;
}
ok(!eval { $newer->do('delete from devcred.event'); 1 } && $@ =~ /append-only/,
	'events are still append-only');
my $comments = q{select count(*) from pg_description d join pg_class c on c.oid = d.objoid
	where c.relnamespace = 'devcred'::regnamespace};
is($newer->selectrow_array($comments), $db->selectrow_array($comments),
	'every comment came along');
$_->disconnect for $db, $newer;
done_testing();
