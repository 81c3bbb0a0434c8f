#!/usr/bin/perl
# One id ties together the web server's log, the service's log and the audit.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $kind = Devcred::Site::kind_wanted();
my $has_pool = $kind =~ /\A(?:lighttpd|apache|nginx)\z/;
my $site = site_with_logs();
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $db = $site->dbh;

# A site of our own: the service tells all, and the web server's snippet has
# its lines about a log in force.
sub site_with_logs {
	my $site = Devcred::Site->new(start => 0,
		conf => { log_level => 'debug', default_tenant => 't1' });
	my $log = "$site->{dir}/web/tmp/access.log";
	local $ENV{PRIVATE_WEB_EDIT} = join ';',
		's|#access_log [^ ]*|access_log ' . "$log|",
		's|^#LogFormat|LogFormat|', "s|^#CustomLog [^ ]*|CustomLog $log|",
		's|^#\(server.modules.*accesslog\)|\1|',
		's|^#\(accesslog.filename = \).*|\1"' . "$log\"|",
		's|^#accesslog.format|accesslog.format|';
	$site->start_service if $has_pool;
	$site->start_web;
	return $site;
}

my $made = 0;
sub new_id { return join '.', 'test', $$, ++$made }
sub named { return (headers => ["X-Request-Id: $_[0]"]) }
sub id_of { my @id = $_[0]->header('x-request-id'); return @id == 1 ? $id[0] : "@id in @{[scalar @id]}" }

# The ids of a device's events, oldest first, as "operation id".
sub events {
	my ($id) = @_;
	return map { join ' ', map { $_ // 'none' } @$_ } @{ $db->selectall_arrayref(
		'select operation, request_id from devcred.audit where device_id = ? order by seq',
		undef, $id) };
}
sub service_log { return join '', values %{ { $site->logs } } }

# Given --------------------------------------------------------------------------

my $id = device_id();
my $name = new_id();
my $answer = $admin->register($id, named($name));
answers($answer, 201, 'a device is registered by a request that has a name');
is(id_of($answer), $name, 'the answer says it');
is_deeply([events($id)], ["newdevice_create $name"], 'the audit says it');
eventually(sub { service_log() =~
	m{ answered operation=newdevice_create login=t1/admin status=201 request=\Q$name\E$}m },
	"the service's log says it");
if ($has_pool) {
	eventually(sub { Devcred::Shell::read_file("$site->{dir}/web/tmp/access.log")
		=~ m{"POST /devicecontrol/newDeviceRequests HTTP/1.1" 201 .* request=\Q$name\E$}m },
		"the web server's log says it");
}
for my $good ('a', 'A-Z_a.z:0@9', 'x' x 64) {
	is(id_of($admin->look($id, named($good))), $good, 'a name can be ' . substr $good, 0, 12);
}

# Made ---------------------------------------------------------------------------

my $own = qr/\A[A-Za-z0-9._:@-]{16,64}\z/;
my %seen;
for my $answer ($admin->parallel(map { $admin->bytes(GET => '/tenant/currentTenant') } 1 .. 200)) {
	$seen{ id_of($answer) }++;
}
is(keys %seen, 200, 'two hundred requests without a name get names of their own');
is(join(' ', grep { !/$own/ } keys %seen), '', 'that are names');

# Hostile: all but a name is replaced, wherever that is done, and is no error;
# what no header may have, the web servers refuse.
for my $case (
	['x' x 65, '65 characters'], ['x' x 3000, '3,000 characters'], ['', 'nothing'], ['evil one', 'a space'],
	['evil"one', 'a quote'], ["evil'--", 'an apostrophe'], ['evil=1', 'an equals sign'],
	['evil, one', 'two in a line'], ['evil/../one', 'slashes'], ['%0d%0aevil', 'codes'],
	['evil\\none', 'a backslash'], ["evil\tone", 'a tab'], ["\xc3\xa9vil", 'UTF-8'],
	["evil\xff", 'no UTF-8'], ['$(evil)', 'a command'], ['<evil>', 'a tag'],
	["evil\rone", 'a carriage return'], ["evil\x1bone", 'an escape'], ["evil\x7f", 'a delete'],
	["evil\0one", 'a NUL'],
    ) {
	my ($bad, $what) = @$case;
	my $id = device_id();
	my $answer = $admin->register($id, named($bad));
	if ($answer->status == 400 && $what =~ /return|escape|delete|NUL|UTF-8/) {
		is_deeply([events($id)], [], "refused by the web server: $what");
		next;
	}
	my $own_name = id_of($answer);
	ok($answer->status == 201 && $own_name =~ /$own/ && $own_name ne $bad
		&& "@{[events($id)]}" eq "newdevice_create $own_name", "replaced: $what")
	    or diag($answer->told, events($id));
}
$id = device_id();
$answer = $admin->register($id, headers => ['X-Request-Id: first', 'X-Request-Id: second']);
like(id_of($answer), qr/$own|\Afirst\z/, 'of two names none, or the first, where that is all nginx hands over');
is_deeply([events($id)], ['newdevice_create ' . id_of($answer)], 'which the audit has');
unlike(service_log(), qr/evil|second|answered(?!.* request=[A-Za-z0-9.:\@_-]{1,64}$)/m,
	"and nothing else is in the service's log");

# Answers of every kind ------------------------------------------------------------

for my $case (
	[400, 'no JSON', sub { $admin->register('', body => '{', @_) }],
	[400, 'not understood', sub { $admin->request(POST => '/tenant/currentTenant', body => '',
		headers => ['X-HTTP-METHOD: BREW', @{ {@_}->{headers} }]) }],
	[401, 'no login', sub { $site->client->get('/tenant/currentTenant', @_) }],
	[401, 'a wrong password', sub { $admin->as('t1/admin:x')->get('/tenant/currentTenant', @_) }],
	[403, 'not allowed', sub { $site->client('t1/reader')->register(device_id(), @_) }],
	[404, 'nothing there', sub { $admin->get('/devicecontrol/nothing', @_) }],
	[404, 'a poll', sub { $device->poll(device_id(), @_) }],
	[405, 'no such method', sub { $admin->request(PATCH => '/tenant/currentTenant', @_) }],
	[413, 'too large', sub { $admin->register('', body => 'x' x 65537, @_) }],
	[422, 'no id', sub { $admin->register('', body => '{}', @_) }],
	[200, 'HEAD', sub { $admin->request(HEAD => '/tenant/currentTenant', @_) }],
	[200, 'GET', sub { $admin->get('/tenant/currentTenant', @_) }],
    ) {
	my ($status, $what, $ask) = @$case;
	my $name = new_id();
	my $answer = $ask->(named($name));
	ok($answer->status == $status && id_of($answer) eq $name, "$status, $what: the answer says its name")
	    or diag($answer->told);
}

# Every step of a device's way -------------------------------------------------------

my @way;
my $way = device_id();
my ($password, $path) = (undef, "/devcred/credentials/$way");
sub step {
	my ($ask, @operations) = @_;
	my $name = new_id();
	my $answer = $ask->(named($name));
	push @way, map { "$_ $name" } @operations;
	$answer->status < 300 || $operations[0] eq 'newdevice_claim' or diag($answer->told);
	return $answer;
}
sub change {
	my ($method, $to, $json) = @_;
	return sub { $admin->request($method => $path . $to, accept => '*/*', body => $json // '',
		$json ? (type => 'application/json') : (), @_) };
}
step(sub { $admin->register($way, @_) }, 'newdevice_create');
step(sub { $device->poll($way, @_) }, 'newdevice_claim');
step(sub { $admin->update($way, 'BLOCKED', @_) }, 'newdevice_block');
step(sub { $admin->update($way, 'PENDING_ACCEPTANCE', @_) }, 'newdevice_lift');
step(sub { $admin->accept_device($way, @_) }, 'newdevice_accept');
$password = step(sub { $device->poll($way, @_) }, 'credential_issue')->field('password');
step(sub { $admin->as("t1/device_$way:$password")->get('/user/currentUser', @_) }, 'credential_confirm');
step(change(POST => '/rotate'), 'credential_rotate');
step(change(PUT => '', '{"status":"DISABLED"}'), 'credential_disable');
step(change(PUT => '', '{"status":"ACTIVE"}'), 'credential_enable');
step(change(PUT => '', '{"expires":"2090-01-01T00:00:00Z"}'), 'credential_expire');
step(change(POST => '/reopen'), 'credential_reopen');
step(sub { $device->poll($way, @_) }, 'credential_reissue');
step(change(DELETE => ''), 'credential_revoke');
step(sub { $admin->register($way, @_) }, 'newdevice_create');
step(change(POST => '/decommission'), 'newdevice_delete', 'credential_decommission');
is_deeply([events($way)], \@way, 'every step of a device is recorded under its own request');

# Many at once share statements, and keep their names.
my %name = map { (registered($admin), new_id()) } 1 .. 40;
$device->parallel(map { $device->poll_bytes($_, named($name{$_})) } keys %name);
is(join(' ', grep { "@{[(events($_))[-1]]}" ne "newdevice_claim $name{$_}" } keys %name), '',
	'of forty devices that come at once each is recorded under its own request');
$name = new_id();
answers($admin->request(POST => "$Devcred::Http::REQUESTS/acceptAll", body => '', accept => '*/*',
	named($name)), 200, 'all are accepted');
is(join(' ', grep { "@{[(events($_))[-1]]}" ne "newdevice_accept $name" } keys %name), '',
	'which is one request');

# A file is one request.
for my $csv ("ID;PATH\n%s;x\n%s;y\n", "ID;CREDENTIALS\n%s;a-password\n%s;b-password\n") {
	my @id = (device_id(), device_id());
	my $name = new_id();
	my $form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"
	    . sprintf($csv, @id) . "\r\n--b--\r\n";
	my $answer = $admin->request(POST => '/devicecontrol/bulkNewDeviceRequests', body => $form,
		type => 'multipart/form-data; boundary=b', accept => '*/*', named($name));
	ok($answer->status == 201 && id_of($answer) eq $name, 'a file is taken in') or diag($answer->told);
	is(join(' ', map { scalar events($_) } @id), '1 1', 'with an event for each device');
	is(join(' ', map { (events($_))[0] =~ s/\w+ //r } @id), "$name $name", 'under the name of the file');
}

# Who does not come by HTTP has no request.
$id = device_id();
$site->ctl('', qw(request add), $id, '--tenant', 't1');
is_deeply([events($id)], ['newdevice_create none'], 'devcredctl is no request');

# Too late -------------------------------------------------------------------------------

$db->begin_work;
$db->do('lock table devcred.newdevice_request');
$name = new_id();
$answer = $admin->look($way, named($name));
$db->rollback;
ok($answer->status == 503 && id_of($answer) eq $name, 'what took too long says its name')
    or diag($answer->told);
eventually(sub { service_log() =~ /: warning answered .*status=503 .*request=\Q$name\E$/m },
	"and is a warning in the service's log");

# Without a database ------------------------------------------------------------------

my $super = $site->{cluster}->connect('postgres');
$super->do("alter database $site->{database} allow_connections false");
$super->do('select pg_terminate_backend(pid) from pg_stat_activity where datname = ?', undef, $site->{database});
$name = new_id();
$answer = $admin->get('/tenant/currentTenant', named($name));
refuses($answer, 503, 'general/Service Unavailable', undef, 'without the database it is 503');
is(id_of($answer), $name, 'which says its name');
eventually(sub { service_log() =~ / answered operation=\w+ status=503 request=\Q$name\E$/m },
	"which the service's log has");
$super->do("alter database $site->{database} allow_connections true");

done_testing();
