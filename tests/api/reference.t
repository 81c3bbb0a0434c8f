#!/usr/bin/perl
# The flow of the reference, with its own request bodies byte for byte (each
# has a comma before the brace) and its media types.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $dbh = $site->dbh;

# The reference registers 1234 and 12345; so do we, unless another kind of web
# server did before.
my $id = '1234';
$dbh->do('delete from devcred.newdevice_request where id = ?', undef, $id);

my $create = qq({\n  "id" : "$id",\n});
my $accept = qq({\n  "status" : "ACCEPTED",\n});
my @request = (type => 'application/vnd.com.nsn.cumulocity.newDeviceRequest+json;ver=...',
	accept => 'application/vnd.com.nsn.cumulocity.newDeviceRequest+json;ver=...');
my @credentials = (type => 'application/vnd.com.nsn.cumulocity.deviceCredentials+json;ver=...',
	accept => 'application/vnd.com.nsn.cumulocity.deviceCredentials+json;ver=...');
my $self = $site->base . "/devicecontrol/newDeviceRequests/$id";

# Whether the collection has the device.
sub listed {
	my $list = $admin->get("/devicecontrol/newDeviceRequests?pageSize=2000",
		accept => 'application/vnd.com.nsn.cumulocity.newDeviceRequestCollection+json;ver=...');
	answers($list, 200, 'the collection is listed') or return;
	is($list->type, 'newdevicerequestcollection', 'as a collection');
	return scalar grep { $_->{id} eq $id } @{ $list->field('newDeviceRequests') };
}

# The fields that the reference shows, and the type of the answer.
sub shows {
	my ($answer, $type, $want, $name) = @_;
	is($answer->type, $type, "$name: its type");
	is_deeply({ map { $_ => $answer->field($_) } keys %$want }, $want, $name);
	return;
}

my $answer = $device->request('POST', '/devicecontrol/deviceCredentials', @credentials,
	body => $create);
refuses($answer, 404, 'devicecontrol/Not Found',
	qr/There is no newDeviceRequest for device id 1234/, 'a device nobody registered');

$answer = $admin->request('POST', '/devicecontrol/newDeviceRequests', @request, body => $create);
answers($answer, 201, 'create');
shows($answer, 'newdevicerequest', { id => $id, self => $self,
	status => 'WAITING_FOR_CONNECTION' }, 'create answers the request');
is($answer->header('location'), $self, 'and where it is');
ok(listed(), 'the list shows it');

$answer = $admin->request('PUT', "/devicecontrol/newDeviceRequests/$id", @request, body => $accept);
refuses($answer, 422, 'devicecontrol/Unprocessable Entity', qr/is in state WAITING_FOR_CONNECTION/,
	'it cannot be accepted before the device asks');

for my $time ('first', 'second') {
	$answer = $device->request('POST', '/devicecontrol/deviceCredentials', @credentials,
		body => $create);
	refuses($answer, 404, 'devicecontrol/Not Found', qr/PENDING_ACCEPTANCE/,
		"the device asks for the $time time: not yet");
	like($answer->header('retry-after'), qr/\A\d+\z/, 'and it is told when to come again');
}

$answer = $admin->get("/devicecontrol/newDeviceRequests/$id", @request[2, 3]);
answers($answer, 200, 'get');
shows($answer, 'newdevicerequest', { id => $id, self => $self,
	status => 'PENDING_ACCEPTANCE' }, 'get answers the request');

$answer = $admin->request('PUT', "/devicecontrol/newDeviceRequests/$id", @request, body => $accept);
answers($answer, 200, 'accept');
shows($answer, 'newdevicerequest', { id => $id, self => $self, status => 'ACCEPTED' },
	'accept answers the request');

$answer = $device->request('POST', '/devicecontrol/deviceCredentials', @credentials, body => $create);
answers($answer, 201, 'the device asks again: here they are');
shows($answer, 'devicecredentials', { id => $id, tenantId => 't1', username => "device_$id" },
	'the credentials');
like($answer->field('password'), qr/\A[A-Za-z0-9]{32}\z/, 'with a password');
like($answer->field('self'), qr{\Ahttp://127\.0\.0\.1:\d+/}, 'and a link');
is($answer->header('cache-control'), 'no-store', 'nobody on the way is to keep them');
my $login = "t1/device_$id:" . $answer->field('password');

ok(!listed(), 'the list does not show it any more');
refuses($admin->get("/devicecontrol/newDeviceRequests/$id"), 404, 'devicecontrol/Not Found',
	qr/Could not find newDeviceRequest by ID 1234/, 'nor is it found');
refuses($device->poll($id), 404, 'devicecontrol/Not Found', qr/There is no newDeviceRequest/,
	'they are handed out once');

$answer = $admin->as($login)->get('/user/currentUser');
answers($answer, 200, 'the device logs in with them');
is($answer->field('userName'), "device_$id", 'as itself');
is($answer->json->{effectiveRoles}[0]{id}, 'ROLE_DEVICE', 'with the role of a device');
refuses($admin->as($login)->get('/devicecontrol/newDeviceRequests'), 403,
	'security/Forbidden', undef, 'which is nobody who may see requests');
refuses($admin->as("$login-")->get('/user/currentUser'), 401, 'security/Unauthorized', undef,
	'another password is refused');

# Another one, deleted.
my $other = device_id();
registered($admin, id => $other);
$answer = $admin->request('DELETE', "/devicecontrol/newDeviceRequests/$other");
answers($answer, 200, 'delete');
is($answer->body, '', 'without a body');
refuses($admin->remove($other), 404, 'devicecontrol/Not Found', undef, 'once');
refuses($device->poll($other), 404, 'devicecontrol/Not Found', qr/There is no newDeviceRequest/,
	'then the device is unknown');

# The one question of the auditor.
my $audit = $site->dbh('devcred_reader')->selectrow_hashref('select accepted_by, accepted_from,
	accepted_at <= issued_at as in_order, issued_to from devcred.registration
	where device_id = ? order by registration desc limit 1', undef, $id);
is_deeply($audit, { accepted_by => 't1/admin', accepted_from => '127.0.0.1', in_order => 1,
	issued_to => '127.0.0.1' }, 'one SELECT tells who accepted it, whence, and when it was issued');

done_testing();
