#!/usr/bin/perl
# What the service costs the database: polls share statements, an unchanged
# one writes nothing, a login is remembered.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Fcgi;
use Devcred::Test;

# One that tells which statements it was asked for.
my $cluster = Devcred::Cluster->new(options => ['-c log_min_duration_statement=0']);
my $site = Devcred::Site->new(web => 'nginx', cluster => $cluster,
	conf => { workers => 1, login_cache => 60, db_timeout => 20000 });
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $dbh = $site->dbh;

sub of_request {
	my ($id) = @_;
	return join ' ', $dbh->selectrow_array('select ctid, xmin from
		devcred.newdevice_request where id = ?', undef, $id);
}
sub events { return $dbh->selectrow_array('select count(*) from devcred.event') }
sub wal { return $dbh->selectrow_array('select pg_current_wal_insert_lsn()') }

# How often these functions have been called.
sub calls {
	my ($function) = @_;
	return scalar(() = join('', $cluster->log) =~ /^.* from devcred\.$function\(/mg);
}

# Unchanged polls ------------------------------------------------------------

my @pending = map { pending($admin) } 1 .. 3;
$dbh->do('checkpoint');
my $row = of_request($pending[0]);
my $events = events();
my $wal = wal();
my @answers = $device->parallel(map { $device->poll_bytes($_) } (@pending) x 20);
is((grep { $_->status == 404 } @answers), 60, '60 polls are told to come again');
is(of_request($pending[0]), $row, 'an unchanged poll writes no row');
is(events(), $events, 'and no event');
is(wal(), $wal, 'and nothing into the log of the database');

@answers = $device->parallel(map { $device->poll_bytes("unknown-$_") } 1 .. 60);
is((grep { $_->status == 404 } @answers), 60, '60 polls for unknown ids are refused');
is(events(), $events, 'and leave nothing behind');
is(wal(), $wal, 'nothing at all');

# Groups -----------------------------------------------------------------------

# Wait until a statement waits for a lock.
sub waits_for_lock {
	Devcred::Shell::until_true(sub {
		$dbh->selectrow_array("select count(*) from pg_stat_activity
			where wait_event_type = 'Lock'
			and datname = current_database()") > 0
	}) or die "nothing waits for a lock\n";
	return;
}

# Hold up the first statement; all that arrives meanwhile shares the next.
# Returns how many there were of those that look, and of those that issue.
sub held_up {
	my (@bytes) = @_;
	my ($looked, $issued) = map { calls($_) } qw(credential_look credential_issue);
	my $holder = $site->dbh;
	$holder->begin_work;
	$holder->do('lock table devcred.newdevice_request in access exclusive mode');
	my @sockets = map { $device->connect } @bytes;
	Devcred::Http::send_all($sockets[0], shift @bytes);
	waits_for_lock();
	Devcred::Http::send_all($sockets[$_ + 1], $bytes[$_]) for 0 .. $#bytes;
	# they are with the worker when one that came after them is answered
	$admin->get('/nowhere') for 1 .. 3;
	$holder->rollback;
	my @answer = map { Devcred::Answer->read($_) } @sockets;
	return (calls('credential_look') - $looked,
		calls('credential_issue') - $issued, @answer);
}

my ($looks, $issues, @polls) = held_up(map { $device->poll_bytes($_) } (@pending) x 34);
is((grep { $_->status == 404 } @polls), 102, '102 polls that meet are answered');
cmp_ok($looks, '<', 20, "by far fewer statements ($looks)");
is($issues, 0, 'none of which could write');

my @accepted = map { accepted($admin) } 1 .. 50;
($looks, $issues, @polls) = held_up(map { $device->poll_bytes($_) } @accepted);
is((grep { $_->status == 201 } @polls), 50, '50 devices that meet are issued credentials');
my %password = map { $_->field('password') => 1 } @polls;
is(keys %password, 50, 'each has a password of its own');
my $right = grep { $polls[$_]->field('id') eq $accepted[$_] } 0 .. $#accepted;
is($right, 50, 'and each gets what is its own');
cmp_ok($issues, '<', 20, "in far fewer transactions ($issues)");

my $mixed = accepted($admin);
(undef, undef, @polls) = held_up(map { $device->poll_bytes($_) }
	$mixed, $pending[0], 'unknown', $mixed, $mixed, registered($admin));
is(join(' ', map { $_->status } @polls), '201 404 404 404 404 404',
	'in a group each succeeds or fails on its own');

# The login --------------------------------------------------------------------

$dbh->do("update devcred.tenant_user set disabled_at = now()
	where tenant = 'management' and name = 'devicebootstrap'");
is($device->poll($pending[0])->status, 404,
	'a verified bootstrap user is remembered for login_cache seconds');
is($admin->get('/user/currentUser')->status, 200, 'an administrator logs in');
$dbh->do("update devcred.tenant_user set disabled_at = now()
	where tenant = 't1' and name = 'admin'");
is($admin->get('/user/currentUser')->status, 401,
	'who is no bootstrap user is refused at once');
is($device->as('management/devicebootstrap:wrong')->poll($pending[0])->status, 401,
	'but not with another password');

# One login is tried for all who bring it; should its connection go, another
# tries it.
my $holder = $site->dbh;
$holder->begin_work;
$holder->do('lock table devcred.tenant_user in access exclusive mode');
my $request = Devcred::Fcgi::request('GET', '/user/currentUser',
	login => Devcred::Site::login('t1/reader'));
my @sockets = map { Devcred::Fcgi::connect($site->socket_path) } 1 .. 4;
Devcred::Fcgi::send_all($sockets[0], $request);
waits_for_lock();
Devcred::Fcgi::send_all($_, $request) for @sockets[1 .. 3];
close shift @sockets;
$holder->rollback;
is(join(' ', map { Devcred::Fcgi::answer($_)->{status} } @sockets), '200 200 200',
	'when the one that tried a login for others leaves, they are served');

my $strict = Devcred::Site->new(cluster => $cluster, web => 'nginx', database => $site->{database},
	conf => { login_cache => 0 });
is(as_bootstrap($strict->client('t1/admin'))->poll($pending[0])->status, 401,
	'with login_cache = 0 every login is looked up');

done_testing();
