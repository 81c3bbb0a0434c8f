#!/usr/bin/perl
# Media types: what is taken, what is answered.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $vnd = 'application/vnd.com.nsn.cumulocity.';
my $requests = $Devcred::Http::REQUESTS;

# Content-Type of a POST; undef: none.
for my $case (
	["${vnd}newDeviceRequest+json", 201], ["${vnd}newDeviceRequest+json;ver=0.9", 201],
	["${vnd}newDeviceRequest+json; charset=UTF-8; ver=0.9", 201],
	["${vnd}newDeviceRequest+json ;ver=0.9;charset=utf-8", 201],
	["${vnd}NewDeviceRequest+json", 201], [uc "${vnd}newdevicerequest+json", 201],
	['application/json', 201], ['application/json;charset=UTF-8', 201], ['Application/JSON', 201],
	[undef, 201], ["${vnd}deviceCredentials+json", 415], ["${vnd}newDeviceRequest", 415],
	["${vnd}newDeviceRequestCollection+json", 415], ['text/plain', 415], ['text/json', 415],
	['application/xml', 415], ['application/x-www-form-urlencoded', 415], ['*/*', 415],
	['application/jsonp', 415], ['application/jso', 415], ['json', 415],
    ) {
	my ($type, $status) = @$case;
	my $answer = $admin->request('POST', $requests, accept => 'newDeviceRequest',
		body => Devcred::Http::to_json(id => device_id()),
		headers => [defined $type ? "Content-Type: $type" : ()]);
	my $name = 'Content-Type ' . ($type // '(none)') . ": $status";
	$status == 415 ? refuses($answer, 415, 'general/Unsupported Media Type', qr/newDeviceRequest/, $name)
	    : answers($answer, $status, $name);
}

# Accept of a GET; undef: none.
for my $case (
	["${vnd}newDeviceRequestCollection+json", 200],
	["${vnd}newDeviceRequestCollection+json;ver=0.9;charset=UTF-8", 200],
	["${vnd}newdevicerequestcollection+JSON", 200], ['application/json', 200],
	['application/*', 200], ['*/*', 200], ['text/html, */*;q=0.1', 200], [undef, 200],
	['text/html,application/json;q=0.5', 200], ['application/json;q=0.001', 200],
	["text/html;q=0.3 , ${vnd}newDeviceRequestCollection+json ; q=1", 200],
	['text/html', 406], ['text/*', 406], ['application/xml', 406], ['application/json;q=0', 406],
	['*/*;q=0', 406], ["${vnd}newDeviceRequestCollection+json;q=0, */*", 406],
	["${vnd}deviceCredentials+json", 406], ['application/jsonp', 406],
    ) {
	my ($accept, $status) = @$case;
	my $answer = $admin->request('GET', "$requests?pageSize=1",
		headers => [defined $accept ? "Accept: $accept" : ()]);
	my $name = 'Accept ' . ($accept // '(none)') . ": $status";
	$status == 406 ? refuses($answer, 406, 'general/Not Acceptable', qr/Collection/, $name)
	    : answers($answer, $status, $name);
	is($answer->type, 'newdevicerequestcollection', 'and answers the type of the API')
	    if $status == 200;
}

# The types that are answered, with their parameters.
my $id = pending($admin);
for my $case (
	['newDeviceRequest', $admin->look($id)],
	['newDeviceRequest', $admin->update($id, 'ACCEPTED', accept => 'application/json')],
	['deviceCredentials', $device->poll($id)],
	['error', $admin->look(device_id('none'))],
    ) {
	my ($type, $answer) = @$case;
	my $got = $answer->header('content-type');
	is(lc $got, lc "$vnd$type+json;charset=UTF-8;ver=0.9", "$type has its type and parameters");
}

# Without Accept: no body where the reference says so, and only there.
$id = device_id();
my $answer = $admin->register($id, accept => undef);
ok($answer->status == 201 && $answer->body eq '', 'POST without Accept: no body') or diag($answer->told);
like($answer->header('location'), qr/\Q$id\E\z/, 'but the place');
ok(!defined $answer->header('content-type') || $answer->body eq '', 'and no type of nothing');
$device->poll($id);
$answer = $admin->accept_device($id, accept => undef);
ok($answer->status == 200 && $answer->body eq '', 'PUT without Accept: no body') or diag($answer->told);
$answer = $device->poll($id, accept => undef);
ok($answer->status == 201 && $answer->field('password'), 'credentials without Accept: a body all the same');
is($admin->request('GET', $requests)->type, 'newdevicerequestcollection',
	'GET without Accept: a body');

# Errors have a body whatever is accepted.
for my $accept (undef, 'text/html', 'application/json;q=0', 'image/png') {
	my @accept = defined $accept ? (accept => $accept) : (accept => undef);
	refuses($admin->register('', @accept, body => '{'), defined $accept && $accept ne '' ? 406 : 400,
		defined $accept ? 'general/Not Acceptable' : 'devicecontrol/Bad Request', undef,
		'an error has its body, with Accept ' . ($accept // '(none)'));
}
refuses($site->client->request('GET', $requests, accept => 'text/html'), 401,
	'security/Unauthorized', undef, 'also before it is known who asks');
refuses($admin->request('GET', '/devicecontrol/nothing', accept => 'text/html'), 404,
	'devicecontrol/Not Found', undef, 'and where nothing is');

done_testing();
