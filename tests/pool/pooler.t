#!/usr/bin/perl
# Behind PgBouncer in transaction mode, as deploy/pgbouncer has it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;
use Devcred::Pooler;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $pooler = Devcred::Pooler->new($cluster, $database, 4);
my $site = Devcred::Site->new(web => 'nginx', database => $database, conf => {
	db_prepare => 'off',
	app_database => $pooler->conninfo,
});
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);

my $issued = issued($admin);
answers($issued, 201, 'the whole way to credentials works');
answers($admin->as(join '', $issued->field('tenantId'), '/',
	$issued->field('username'), ':', $issued->field('password'))
	->get('/user/currentUser'), 200, 'the device logs in');

my @pending = map { pending($admin) } 1 .. 4;
my @accepted = map { accepted($admin) } 1 .. 20;
my @answers = $device->parallel(map { $device->poll_bytes($_) }
	@accepted, (@pending) x 10);
is((grep { $_->status == 201 } @answers[0 .. 19]), 20,
	'20 devices that meet are issued credentials');
is((grep { $_->status == 404 } @answers[20 .. 59]), 40,
	'while 40 polls are told to come again');

# Administration ----------------------------------------------------------------------

sub credential {
	my ($id, $method, $what, $body) = @_;
	return $admin->request($method => "/devcred/credentials/$id$what", accept => '*/*',
		body => $body // '', type => 'application/json');
}
sub login { return $admin->as("t1/device_$_[0]:$_[1]")->get('/user/currentUser')->status }

my ($id, $password) = map { $issued->field($_) } qw(id password);
my $requests = '/devicecontrol/newDeviceRequests';
for my $case (
    ['a list of requests', 200, sub { $admin->get($requests) }],
    ['one request', 200, sub { $admin->look($pending[0]) }],
    ['a block', 200, sub { $admin->update($pending[0], 'BLOCKED') }],
    ['a block that is lifted', 200, sub { $admin->update($pending[0], 'PENDING_ACCEPTANCE') }],
    ['a request that is deleted', 200, sub { $admin->remove($pending[1]) }],
    ['acceptAll', 200, sub { $admin->request(POST => "$requests/acceptAll", length => 0,
	accept => '*/*') }],
    ['a list of credentials', 200, sub { $admin->get('/devcred/credentials', accept => '*/*') }],
    ['one credential', 200, sub { credential($id, GET => '') }],
    ['an end that is set', 200, sub { credential($id, PUT => '',
	'{"expires":"2099-01-01T00:00:00Z"}') }],
    ['a login that is disabled', 200, sub { credential($id, PUT => '', '{"status":"DISABLED"}') }]) {
	my ($name, $status, $ask) = @$case;
	answers($ask->(), $status, "through the pooler: $name");
}
eventually(sub { login($id, $password) == 401 }, 'the device is refused');
answers(credential($id, PUT => '', '{"status":"ACTIVE"}'), 200, 'until it is enabled');
eventually(sub { login($id, $password) == 200 }, 'and works again');
my $rotated = credential($id, POST => '/rotate');
answers($rotated, 200, 'a rotation');
is(login($id, $rotated->field('password')), 200, 'whose password works');
answers(credential($id, DELETE => ''), 204, 'a login that is revoked');
my $old = issued($admin)->field('id');
answers(credential($old, POST => '/decommission'), 204, 'a device that is taken out of service');

my $edge = 'edge-of-a-form';
my $lines = join "\n", 'ID;TYPE', map { "bulk-$$-$_;pump" } 1 .. 6000;
my $bulk = $admin->request(POST => '/devicecontrol/bulkNewDeviceRequests', accept => '*/*',
	type => "multipart/form-data; boundary=$edge", body => "--$edge\r\nContent-Disposition: "
	. "form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n$lines\r\n--$edge--\r\n");
answers($bulk, 201, 'a bulk upload of several batches');
is($bulk->field('numberOfSuccessful'), 6000, 'takes in every line');
is($cluster->connect($database)->selectrow_array('select count(*) from devcred.bulk_row'), 0,
	'and leaves none behind');
unlike($site->service_log, qr/error|26000|42P05/, 'and the log has no error');

# The doctor ---------------------------------------------------------------------------

my %through = (app_database => $pooler->conninfo);
for my $case ([on => 1, qr/^FAULT +pooler: .*loses prepared.*\n +-> .*db_prepare = off$/m],
    [off => 0, qr/^ok +pooler: app_database goes through one, by transactions/m]) {
	my ($prepare, $status, $words) = @$case;
	$site->configure(%through, db_prepare => $prepare);
	says($site, ['doctor'], $status, $words, "doctor, with db_prepare = $prepare")
	    for 1 .. 3;
}
$site->configure;
says($site, ['doctor'], 0, qr/^ok +pooler: none/m, 'doctor, without pooler');

done_testing();
