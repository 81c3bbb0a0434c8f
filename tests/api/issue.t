#!/usr/bin/perl
# Devices asking for credentials: all that is not in the reference's own flow.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $dbh = $site->dbh;

# Properties go with the credentials.
my $answer = issued($admin, with => { customProperties => { site => 'north', n => [1, 2] } });
is_deeply($answer->field('customProperties'), { site => 'north', n => [1, 2] },
	'custom properties are handed over with the credentials');
$answer = issued($admin);
ok(!exists $answer->json->{customProperties}, 'where there are none, nothing is');
is_deeply([sort keys %{ $answer->json }], [sort qw(id tenantId username password self)],
	'and the fields are those of the reference');

# Registered again.
my $id = $answer->field('id');
my $first = $answer->field('password');
my $login = "t1/device_$id";
registered($admin, id => $id);
$device->poll($id);
answers($admin->as("$login:$first")->get('/user/currentUser'), 200,
	'registered again, the old password works until there is a new one');
$admin->accept_device($id);
$answer = $device->poll($id);
answers($answer, 201, 'then it is issued again');
my $second = $answer->field('password');
isnt($second, $first, 'with a new password');
answers($admin->as("$login:$second")->get('/user/currentUser'), 200, 'which works');
refuses($admin->as("$login:$first")->get('/user/currentUser'), 401, 'security/Unauthorized',
	undef, 'and the old one does not');
is($dbh->selectrow_array('select generation from devcred.credential where device_id = ?',
	undef, $id), 2, 'there is one credential, of the second generation');

# Deleting the request does not touch what was issued.
registered($admin, id => $id);
$admin->remove($id);
answers($admin->as("$login:$second")->get('/user/currentUser'), 200,
	'deleting a request leaves issued credentials alone');

# Passwords are as random as they look.
my @accepted = map { accepted($admin) } 1 .. 20;
my %seen;
for my $answer ($device->parallel(map { $device->poll_bytes($_) } @accepted)) {
	$seen{ $answer->field('password') // 'none' }++;
}
is(scalar(keys %seen), 20, 'twenty devices have twenty passwords');
ok(!grep({ !/\A[A-Za-z0-9]{32}\z/ } keys %seen), 'of 32 letters and digits');

# Tenants of bootstrap users.
my $own = $admin->as(Devcred::Site::login('t1/bootstrap'));
my $other = $admin->as(Devcred::Site::login('t2/bootstrap'));
$id = registered($admin);
refuses($other->poll($id), 404, 'devicecontrol/Not Found', qr/There is no newDeviceRequest/,
	"another tenant's bootstrap user sees no request");
is($admin->look($id)->field('status'), 'WAITING_FOR_CONNECTION', 'and claims nothing');
refuses($own->poll($id), 404, 'devicecontrol/Not Found', qr/PENDING_ACCEPTANCE/,
	"the tenant's own claims it");
$admin->accept_device($id);
refuses($other->poll($id), 404, 'devicecontrol/Not Found', qr/There is no newDeviceRequest/,
	'nor does the other one get the credentials');
$answer = $device->poll($id);
answers($answer, 201, 'the shared bootstrap user may');
is($answer->field('tenantId'), 't1', 'for the tenant that registered it');

# Ids that are no ids, and bodies that are none.
for my $case (
	['{}', 422, qr/mandatory fields.*id/, 'no id'], ['{"id":7}', 422, qr/id/, 'a number'],
	['{"id":"a b"}', 422, undef, 'a space'], ['{"id":"a/b"}', 422, undef, 'a slash'],
	['{"id":"' . 'x' x 1001 . '"}', 422, undef, '1,001 characters'],
	['', 400, undef, 'nothing'], ['{"id":"x"', 400, undef, 'half an object'],
	['[]', 400, undef, 'an array'], ["{'id':'x'}", 400, undef, 'single quotes'],
	['{"id":"x","securityToken":5}', 422, qr/securityToken/, 'a token that is a number'],
    ) {
	my ($body, $status, $words, $what) = @$case;
	refuses($device->poll('', body => $body), $status,
		$status == 400 ? 'devicecontrol/Bad Request' : 'undefined/validationError',
		$words, "refused: $what");
}
my $rows = 'select count(*) from devcred.newdevice_request r where r.id like ?';
my $unknown = device_id('stranger');
$device->poll("$unknown-$_") for 1 .. 3;
is($dbh->selectrow_array($rows, undef, "$unknown%"), 0, 'unknown ids leave nothing behind');
is($dbh->selectrow_array('select count(*) from devcred.event where device_id like ?', undef,
	"$unknown%"), 0, 'not even an event');

done_testing();
