#!/usr/bin/perl
# Security tokens over HTTP, under each policy of a tenant.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('token/admin');
my $device = as_bootstrap($admin);
my $dbh = $site->dbh;

sub policy {
	my ($policy) = @_;
	$dbh->do("update devcred.tenant set token_policy = ? where id = 'token'", undef, $policy);
	return;
}
sub with { return defined $_[0] ? (with => { securityToken => $_[0] }) : () }

# Policy, token of the first poll, token of the acceptance, its status, token
# of the second poll, its status.
for my $case (
	['IGNORED', undef, undef, 200, undef, 201], ['IGNORED', 'a', undef, 200, undef, 201],
	['IGNORED', 'a', 'b', 200, 'c', 201], ['OPTIONAL', undef, undef, 200, undef, 201],
	['OPTIONAL', undef, 'b', 200, undef, 201], ['OPTIONAL', 'a', 'a', 200, 'a', 201],
	['OPTIONAL', 'a', undef, 422, 'a', 404], ['OPTIONAL', 'a', 'b', 422, 'a', 404],
	['OPTIONAL', 'a', 'a', 200, 'b', 404], ['OPTIONAL', 'a', 'a', 200, undef, 404],
	['OPTIONAL', undef, undef, 200, 'a', 404], ['REQUIRED', 'a', 'a', 200, 'a', 201],
	['REQUIRED', 'a', 'b', 422, 'a', 404], ['REQUIRED', undef, 'a', 422, undef, 404],
    ) {
	my ($policy, $claim, $given, $accept, $again, $poll) = @$case;
	policy($policy);
	my $id = registered($admin);
	$device->poll($id, with($claim));
	my @got = ($admin->accept_device($id, with($given))->status,
		$device->poll($id, with($again))->status);
	is("@got", "$accept $poll", sprintf '%s: claimed with %s, accepted with %s, polled with %s',
		$policy, map { $_ // 'none' } $claim, $given, $again);
}

# Guesses ----------------------------------------------------------------------

policy('OPTIONAL');
my $id = pending($admin, token => 'right');
for my $try (1 .. 4) {
	refuses($admin->accept_device($id, with("wrong $try")), 422,
		'devicecontrol/Unprocessable Entity',
		qr/\AProvided security key does not match key stored for device \Q$id\E\.\z/,
		"wrong token $try of 5 is refused");
}
refuses($admin->accept_device($id), 422, 'devicecontrol/Unprocessable Entity',
	qr/does not match/, 'none at all is refused, and is no guess');
refuses($admin->accept_device($id, with('wrong 5')), 422, 'devicecontrol/Unprocessable Entity',
	qr/maximum number of failed attempts.*BLOCKED/, 'the fifth blocks, and says so');
is($admin->look($id)->field('status'), 'BLOCKED', 'and so it is');
refuses($admin->accept_device($id, with('right')), 422, 'devicecontrol/Unprocessable Entity',
	qr/in state BLOCKED/, 'then the right one comes too late');
answers($admin->update($id, 'PENDING_ACCEPTANCE'), 200, 'an administrator lifts the block');
answers($admin->accept_device($id, with('right')), 200, 'and the right token is good again');

# Somebody else polls with another token --------------------------------------------

$id = pending($admin, token => 'mine');
refuses($device->poll($id, with('theirs')), 404, 'devicecontrol/Not Found', undef,
	'a poll with another token gets nothing');
$admin->accept_device($id, with('mine'));
my @answers = $device->parallel($device->poll_bytes($id, with('theirs')),
	$device->poll_bytes($id), $device->poll_bytes($id, with('mine')));
is(join(' ', map { $_->status } @answers), '404 404 201',
	'nor in the same moment as the right one, which gets its credentials');
is($dbh->selectrow_array("select count(*) from devcred.audit where device_id = ?
	and operation = 'newdevice_refuse'", undef, $id) > 0, 1, 'and it is audited');

# Texts of tokens ------------------------------------------------------------------

for my $token ('', ' ', "\xc3\xbc\xe6\xbc\xa2", 'x' x 4000, '"\\/') {
	my $secret = pending($admin, token => $token);
	is($admin->accept_device($secret, with($token))->status, 200,
		'a token may be ' . (length $token > 9 ? 'long' : "'$token'"));
}
my $answer = $admin->get("/tenant/options/device-registration/security-token.policy");
answers($answer, 200, 'the policy can be read');
is_deeply($answer->json, { category => 'device-registration', key => 'security-token.policy',
	value => 'OPTIONAL' }, 'as a tenant option');
ok(!(grep { $_->body =~ /mine|right/ } $admin->get("$Devcred::Http::REQUESTS?pageSize=2000"),
	@answers), 'no answer shows a token');

# The policy itself ------------------------------------------------------------------

my $option = '/tenant/options/device-registration/security-token.policy';
my $life = $site->client('life/admin');
sub set { my ($http, $body) = @_; return $http->request(PUT => $option, accept => 'application/json',
	type => 'application/json', body => $body) }
$answer = set($life, '{"value":"REQUIRED"}');
answers($answer, 200, 'an administrator sets the policy of the tenant');
is($answer->json->{value}, 'REQUIRED', 'and is told what it is now');
my $bare = registered($life);
as_bootstrap($life)->poll($bare);
is($life->look($bare)->field('status'), 'BLOCKED', 'which counts at once');
is($admin->get($option)->json->{value}, 'OPTIONAL', 'other tenants have their own');
set($life, '{"value":"REQUIRED"}');
is_deeply($dbh->selectall_arrayref("select setting, value_before, value_after, actor, source, request_id
	from devcred.setting where tenant = 'life'"), [['token_policy', 'OPTIONAL', 'REQUIRED', 'life/admin',
	'127.0.0.1', $answer->header('X-Request-Id')]], 'the change is recorded, and only a change');
for my $body ('{"value":"required"}', '{"value":null}', '{"value":7}', '{}', '{"value":"OPTIONAL "}') {
	refuses(set($life, $body), 422, 'undefined/validationError', qr/IGNORED, OPTIONAL or REQUIRED/, "not $body");
}
refuses(set($site->client($_), '{"value":"IGNORED"}'), 403, 'security/Forbidden', undef, "not by $_")
    for 't1/reader', 't1/bootstrap', 't1/users';
answers(set($life, '{"value":"OPTIONAL"}'), 200, 'and back');

done_testing();
