#!/usr/bin/perl
# What the workers count together, whichever of them is asked, and whatever
# becomes of them; and when the service calls itself ready.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Devcred::Test;

my $cluster = Devcred::Cluster->new;
my $site = Devcred::Site->new(cluster => $cluster, web => 'nginx', start => 0);
my %conf = (workers => 2, key_file => "$site->{dir}/keys", trusted_proxy => '127.0.0.1',
	health_from => '192.0.2.0/25', ready_from => '192.0.2.1 127.0.0.1', metrics_from => '::/0');
Devcred::Shell::write_file("$site->{dir}/keys", 'k1 ' . '5a' x 32 . " 2026-01-31\n", 0644);
chmod 0600, "$site->{dir}/keys" or die "chmod: $!\n";
$site->configure(%conf);
$site->start_service;
$site->start_web;
my $admin = $site->client('t1/admin');
my $nobody = $site->client;

sub from {
	my ($what, $addr) = @_;
	return $nobody->get("/devcred/$what", headers => ["X-Forwarded-For: $addr"]);
}

# Figures as a hash: name and labels => value.
sub figures {
	my $answer = $nobody->get('/devcred/metrics');
	die $answer->told unless $answer->status == 200;
	return map { /\A(\S+) (\S+)\z/ ? ($1 => $2) : () } split /\n/, $answer->body;
}

sub promtool {
	my ($text, @with) = @_;
	return join ' ', Devcred::Shell::run(['promtool', @with], in => $text);
}

# Who may ask ------------------------------------------------------------------

answers(from('health', '192.0.2.127'), 200, 'an address of a network that is listed may ask');
answers(from('health', '192.0.2.128'), 404, 'its neighbour may not');
answers(from('health', '127.0.0.1'), 404, 'nor who is near, if that is not listed');
answers(from('ready', '192.0.2.1'), 200, 'each question has a list of its own');
answers(from('ready', '192.0.2.2'), 404, 'which alone counts');
answers(from('metrics', '203.0.113.7'), 200, 'all may be listed');

# Counters ---------------------------------------------------------------------

my %before = figures();
my $device = as_bootstrap($admin);
my $id = issued($admin)->field('id');
$device->poll($id);
$device->poll(device_id()) for 1 .. 20;
my $blocked = pending($admin);
$admin->update($blocked, 'BLOCKED');
$device->poll($blocked);
my $token = accepted($admin, token => 'right');
$device->poll($token, with => { securityToken => 'wrong' });
my %after = figures();
sub grown { return ($after{ $_[0] } // 0) - ($before{ $_[0] } // 0) }

my %polls = (not_found => 20, pending => 3, blocked => 1, token_mismatch => 1, issued => 1,
	redelivered => 1);
is(grown(qq(devcred_polls_total{outcome="$_"})), $polls{$_}, "polls are counted that are $_")
    for sort keys %polls;
is(grown('devcred_requests_total{operation="credential_issue",status="404"}'), 25,
	'requests are counted by operation and status');
is(grown('devcred_requests_total{operation="credential_issue",status="201"}'), 2,
	'whichever it is');
is(grown('devcred_request_duration_seconds_count{operation="credential_issue"}'), 27,
	'and their time is taken');
cmp_ok(grown('devcred_request_duration_seconds_sum{operation="credential_issue"}'), '>', 0,
	'which is some');
cmp_ok(grown('devcred_database_calls_total{lane="poll"}'), '>=', 25, 'calls are counted');
is($after{'devcred_new_device_requests{status="BLOCKED"}'}, 1, 'what there is, is counted');
is($after{'devcred_new_device_requests{status="ACCEPTED"}'}, 1, 'by status');
is($after{devcred_workers}, 2, 'there are two workers');
cmp_ok($after{devcred_database_connections}, '>=', 1, 'with connections to the database');
cmp_ok($after{devcred_connections}, '>=', 1, 'and to the web server');
cmp_ok($after{devcred_worker_busy_seconds_total}, '>', 0, 'which had something to do');
is($after{devcred_requests_in_flight}, $after{devcred_workers_busy},
	'the one that is being answered is not counted as two');
like($_, qr/\A[a-z_]+(?:\{[a-z]+="[\w.+-]+"(?:,[a-z]+="[\w.+-]+")*\})?\z/,
	"$_ tells nothing of anybody") for grep { !/_bucket/ } sort keys %after;

is(promtool($nobody->get('/devcred/metrics')->body, 'check', 'metrics'), '0 ',
	'promtool has nothing to say against it');

# The samples speak of what there is.
my %family = map { s/\{.*//r => 1 } keys %after;
my $samples = "$Devcred::Shell::TOP/deploy/prometheus";
for my $name (qw(devcred-rules.yml grafana-dashboard.json)) {
	my %used = map { $_ => 1 } Devcred::Shell::read_file("$samples/$name") =~ /\b(devcred_\w+)/g;
	cmp_ok(keys %used, '>', 5, "$name has figures");
	is(join(' ', grep { !$family{$_} && !$family{"${_}_count"} } sort keys %used), '', 'and all of them exist');
}
ok(JSON::PP::decode_json(Devcred::Shell::read_file("$samples/grafana-dashboard.json"))->{panels},
	'the dashboard can be read');
for my $check (['check', 'rules', "$samples/devcred-rules.yml"],
	['check', 'config', "$samples/prometheus.yml"]) {
	like(promtool('', @$check), qr/\A0 .*SUCCESS/s, "promtool @$check[0, 1]");
}
my $test = Devcred::Shell::read_file("$FindBin::Bin/rules.test.yml")
    =~ s{RULES}{$samples/devcred-rules.yml}r;
Devcred::Shell::write_file("$site->{dir}/rules.test.yml", $test, 0644);
like(promtool('', 'test', 'rules', "$site->{dir}/rules.test.yml"), qr/\A0 .*SUCCESS/s,
	'rules alert of each fault, and of nothing else');

# One of them dies, all are replaced -------------------------------------------

my ($victim) = Devcred::Site::children($site->service_pid);
kill KILL => $victim;
eventually(sub { my %now = eval { figures() };
	($now{devcred_worker_starts_total} // 0) == 3 && $now{devcred_workers} == 2 },
	'a worker that dies is replaced, and the start is counted');
my %now = figures();
my @fallen = grep { /_(?:total|count|sum|bucket)\b/ && $now{$_} < ($after{$_} // 0) } keys %now;
is("@fallen", '', 'no counter falls');

# Have it read its settings again.  Nothing may be asked meanwhile: a worker that
# is to go waits until no connection of the web server is in use.
sub reload {
	my %old = map { $_ => 1 } Devcred::Site::children($site->service_pid);
	kill HUP => $site->service_pid;
	return Devcred::Shell::until_true(sub {
		!grep { $old{$_} } Devcred::Site::children($site->service_pid) });
}

ok(reload(), 'after a reload the old ones are gone');
%now = figures();
is($now{devcred_worker_starts_total}, 5, 'the new ones are counted as starts');
is($now{devcred_workers}, 2, 'and are two');
@fallen = grep { /_(?:total|count|sum|bucket)\b/ && $now{$_} < ($after{$_} // 0) } keys %now;
is("@fallen", '', 'and no counter has fallen');

# Ready or not -----------------------------------------------------------------

$site->dbh->do("update devcred.device_credential set seal_key = 'k2' where device_id = ?",
	undef, $id);
refuses($nobody->get('/devcred/ready'), 503, 'general/Service Unavailable',
	qr/\AKey k2 is not in key_file; 1 /, 'a key that an open window needs is named');
$site->dbh->do("update devcred.device_credential set seal_key = 'k1' where device_id = ?",
	undef, $id);
answers($nobody->get('/devcred/ready'), 200, 'it is ready when it has the key');
my $db = $site->dbh;
$db->do('create temp table rest as select * from devcred.schema_migration
	where version > 1');
$db->do('delete from devcred.schema_migration where version > 1');
$db->do(q(select pg_terminate_backend(pid) from pg_stat_activity
	where usename = 'devcred_service'));
eventually(sub { $nobody->get('/devcred/ready')->status == 503 },
	'with another schema it is not ready');
$db->do('insert into devcred.schema_migration select * from rest');
eventually(sub { $nobody->get('/devcred/ready')->status == 200 }, 'with the right one it is');

$cluster->stop;
eventually(sub { $nobody->get('/devcred/ready')->status == 503 },
	'without its database it is not ready');
refuses($nobody->get('/devcred/ready'), 503, 'general/Service Unavailable',
	qr/\AThe database cannot be asked/, 'and says why');
answers(from('health', '192.0.2.1'), 200, 'but it is alive');
my $answer = $nobody->get('/devcred/metrics');
answers($answer, 200, 'and still tells its figures');
like($answer->body, qr/^devcred_database_up 0$/m, 'that the database is down, too');
like($answer->body, qr/^devcred_database_errors_total\{lane="poll"\} [1-9]/m, 'and the errors');
unlike($answer->body, qr/new_device_requests/, 'but not what nobody knows');
is(promtool($answer->body, 'check', 'metrics'), '0 ', 'promtool likes that, too');
$cluster->start;
eventually(sub { $nobody->get('/devcred/ready')->status == 200 }, 'it is ready again by itself');

# Nobody is listed -------------------------------------------------------------

$site->configure(%conf, health_from => '', ready_from => '', metrics_from => '');
ok(reload(), 'it is told that nobody is listed');
answers($nobody->get("/devcred/$_"), 404, "nobody may ask for $_") for qw(health ready metrics);
done_testing();
