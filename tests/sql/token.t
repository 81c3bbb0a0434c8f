#!/usr/bin/perl
# Security tokens: what a tenant asks of them, wrong ones counted, and that
# nobody reads them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA ();
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $app = $cluster->connect($database, 'devcred_service');

sub call {
	my ($function, @arg) = @_;
	$function = "devcred.$function" if $function !~ /\./;
	my $marks = join ', ', ('?') x @arg;
	return @{ $app->selectall_arrayref("select * from $function($marks)",
		{ Slice => {} }, @arg) };
}
sub digest {
	my ($id, $token) = @_;
	return undef unless defined $token;
	return '\x' . Digest::SHA::sha256_hex("devcred security token\n$id\n$token");
}
sub policy {
	my ($policy) = @_;
	$super->do("update devcred.tenant set token_policy = ? where id = 'token'", undef, $policy);
	return;
}
sub poll {
	my ($id, $token) = @_;
	my ($row) = call('testing.poll', [$id], ['token'], ['token/device'],
		['192.0.2.9'], [digest($id, $token)], ['\x' . '01' x 16], ['\x' . '02' x 32]);
	return "$row->{outcome} $row->{status}";
}
sub update {
	my ($id, $status, $token, $attempts) = @_;
	my ($row) = call('newdevice_update', 'token', 'token/admin', undef, $id, $status,
		undef, digest($id, $token), $attempts // 5);
	return "$row->{outcome} $row->{status}";
}
sub create {
	my $id = device_id();
	call('newdevice_create', 'token', 'token/admin', undef, $id, undef, undef, undef, undef);
	return $id;
}
sub claimed {
	my ($token) = @_;
	my $id = create();
	poll($id, $token);
	return $id;
}
sub failures {
	return $super->selectrow_array('select token_failures from devcred.newdevice_request
		where id = ?', undef, $_[0]);
}
sub last_event {
	return join ' ', map { $_ // 'null' } $super->selectrow_array('select operation, outcome,
		status_before, status_after from devcred.event where device_id = ?
		order by seq desc limit 1', undef, $_[0]);
}
sub has {
	my ($column, $id) = @_;
	my ($table, $name) = split /\./, $column;
	return ($super->selectrow_array("select count(*) from devcred.$table where $name = ?",
		undef, $id))[0];
}
sub said { return defined $_[0] ? "token $_[0]" : 'no token' }

my ($W, $P, $A, $B) = qw(WAITING_FOR_CONNECTION PENDING_ACCEPTANCE ACCEPTED BLOCKED);

is($super->selectrow_array("select token_policy from devcred.tenant where id = 'token'"),
	'OPTIONAL', 'a new tenant has the policy OPTIONAL');
is($super->selectrow_array("select devcred.token_digest('a', 'b')"),
	pack('H*', substr digest('a', 'b'), 2), 'the digest has the id and a purpose in it');

# What the device sent, what the administrator gave --------------------------------

for my $case (
	# policy, device's, administrator's, acceptance, failures after; none given is no guess
	['IGNORED', undef, undef, "ok $A", 0],
	['IGNORED', undef, 'x', "ok $A", 0],
	['IGNORED', 'x', undef, "ok $A", 0],
	['IGNORED', 'x', 'y', "ok $A", 0],
	['OPTIONAL', undef, undef, "ok $A", 0],
	['OPTIONAL', undef, 'x', "ok $A", 0],
	['OPTIONAL', 'x', 'x', "ok $A", 0],
	['OPTIONAL', 'x', undef, "token_mismatch $P", 0],
	['OPTIONAL', 'x', 'y', "token_mismatch $P", 1],
	['OPTIONAL', 'x', 'X', "token_mismatch $P", 1],
	['OPTIONAL', 'x', '', "token_mismatch $P", 1],
	['OPTIONAL', '', '', "ok $A", 0],
	['OPTIONAL', '', undef, "token_mismatch $P", 0],
	['REQUIRED', undef, undef, "wrong_state $B", 0],
	['REQUIRED', undef, 'x', "wrong_state $B", 0],
	['REQUIRED', 'x', 'x', "ok $A", 0],
	['REQUIRED', 'x', undef, "token_mismatch $P", 0],
	['REQUIRED', 'x', 'y', "token_mismatch $P", 1],
) {
	my ($policy, $sent, $given, $answer, $failures) = @$case;
	policy($policy);
	my $id = claimed($sent);
	my $name = "$policy, device sent " . said($sent) . ', administrator '
	    . said($given);
	is(update($id, $A, $given), $answer, "$name: $answer");
	my ($outcome, $after) = split ' ', $answer;
	my $before = $outcome eq 'wrong_state' ? $B : $P;
	is(last_event($id) . ' ' . failures($id),
		"newdevice_accept $outcome $before $after $failures", 'so it is audited and counted');
}

# Polls that follow -----------------------------------------------------------------

for my $case (
	# policy, first, next; answers while pending, then while accepted
	['IGNORED', 'x', 'y', "wrong_state $P", "ok $A"],
	['OPTIONAL', undef, undef, "wrong_state $P", "ok $A"],
	['OPTIONAL', 'x', 'x', "wrong_state $P", "ok $A"],
	['OPTIONAL', 'x', 'y', "wrong_state $P", "token_mismatch $A"],
	['OPTIONAL', 'x', undef, "wrong_state $P", "token_mismatch $A"],
	['OPTIONAL', undef, 'y', "wrong_state $P", "token_mismatch $A"],
	['REQUIRED', 'x', 'x', "wrong_state $P", "ok $A"],
	['REQUIRED', 'x', 'y', "wrong_state $P", "token_mismatch $A"],
	['REQUIRED', 'x', undef, "wrong_state $P", "token_mismatch $A"],
) {
	my ($policy, $first, $next, $pending, $accepted) = @$case;
	my $name = "$policy, claimed with " . said($first) . ', polled with ' . said($next);
	policy($policy);
	my $id = claimed($first);
	is(poll($id, $next), $pending, "$name while pending: $pending");
	is(last_event($id), $accepted =~ /mismatch/ ? "newdevice_refuse token_mismatch $P $P"
		: ($first // '') eq ($next // '') ? "newdevice_claim ok $W $P"
		: "newdevice_claim_other ok $P $P", 'audited if refused');
	$id = claimed($first);
	update($id, $A, $first);
	is(poll($id, $next), $accepted, "and while accepted: $accepted");
	is(last_event($id), $accepted =~ /mismatch/ ? "newdevice_refuse token_mismatch $A $A"
		: "credential_issue ok $A null", 'audited as what it was');
	is(join(' ', map { has($_, $id) } qw(newdevice_request.id device_credential.device_id)),
		$accepted =~ /mismatch/ ? '1 0' : '0 1', 'and there is the request or the credential');
}

policy('OPTIONAL');
my $wanted = claimed('x');
update($wanted, $A, 'x');
# only the first refusal of a minute writes, which must not be what protects
is_deeply([map { poll($wanted, 'y') } 1 .. 3], [("token_mismatch $A") x 3],
	'a stranger who asks for an accepted device is refused time and again');
is(has('device_credential.device_id', $wanted), 0, 'and no credential is made');
is(poll($wanted, 'x'), "ok $A", 'which the device itself gets');

policy('OPTIONAL');
my $id = claimed('x');
# So the first of them is recorded, and the look settles the others.
sub settled {
	my ($id, $token) = @_;
	my ($row) = call('testing.look', [$id], ['token'], [digest($id, $token)],
		'token/device', '192.0.2.9');
	return "$row->{status} " . (defined $row->{settled}
		? $row->{settled} ? 'settled' : 'open' : 'neither');
}
for my $state ('PENDING_ACCEPTANCE', 'ACCEPTED') {
	my $claimed = claimed('mine');
	update($claimed, 'ACCEPTED', 'mine') if $state eq 'ACCEPTED';
	is(settled($claimed, 'theirs'), "$state open", "$state: another token is to be recorded");
	poll($claimed, 'theirs');
	is(settled($claimed, 'theirs'), $state eq 'ACCEPTED' ? "$state open" : "$state settled",
		$state eq 'ACCEPTED' ? 'and counted, each time' : 'once a minute');
	is(settled($claimed, undef), "$state settled", 'none at all, once a minute');
	is(settled($claimed, 'mine'), $state eq 'ACCEPTED' ? "$state open" : "$state settled",
		'which settles nothing for the right one');
	$super->do("update devcred.newdevice_request set refused_at = now() - interval '61 seconds'
		where id = ?", undef, $claimed);
	is(settled($claimed, 'theirs'), "$state open", 'and again after a minute');
}

my $refused = 'select count(*) from devcred.event where device_id = ? and operation = ?';
poll($id, 'y') for 1 .. 5;
is($super->selectrow_array($refused, undef, $id, 'newdevice_refuse'), 1,
	'five refused polls within a minute are one event');
$super->do("update devcred.newdevice_request set refused_at = now() - interval '61 seconds'
	where id = ?", undef, $id);
poll($id, 'y') for 1 .. 5;
is($super->selectrow_array($refused, undef, $id, 'newdevice_refuse'), 2,
	'after a minute they are another');
is(failures($id), 0, 'a stranger who polls uses up no attempt');
is(update($id, $A, 'x'), "ok $A", 'and stops nothing');
is(poll($id, 'x'), "ok $A", 'who came first gets the credentials');

policy('REQUIRED');
$id = create();
is(poll($id, undef), "wrong_state $B", 'a device without the token required is blocked');
is(last_event($id), "newdevice_claim ok $W $B", 'which is audited');
policy('OPTIONAL');
$id = claimed(undef);
policy('REQUIRED');
is(update($id, $A, 'x'), "token_blocked $B",
	'one that connected before the policy was made stricter is blocked when it is accepted');
is(last_event($id), "newdevice_accept token_blocked $P $B", 'which is audited too');

# Attempts ----------------------------------------------------------------------------

policy('OPTIONAL');
for my $limit (1, 2, 5) {
	$id = claimed('x');
	my @answers = map { update($id, $A, 'y', $limit) } 1 .. $limit + 1;
	is_deeply(\@answers, [("token_mismatch $P") x ($limit - 1), "token_blocked $B",
		"wrong_state $B"], "with $limit attempts the last wrong token blocks");
	is($super->selectrow_array('select count(*) from devcred.event where device_id = ? and
		operation = ? and outcome <> ?', undef, $id, 'newdevice_accept', 'ok'),
		$limit + 1, 'and every attempt is audited');
}
is(update($id, $P), "ok $P", 'a block can be lifted');
is(failures($id), 0, 'and the count starts anew');
is(update($id, $A, 'y', 5), "token_mismatch $P", 'so that there are attempts again');
is(update($id, $A, 'x', 5), "ok $A", 'and the token is the same as before');
$id = claimed('x');
update($id, $A, 'y') for 1 .. 4;
is(update($id, $A, 'x'), "ok $A", 'the right token after four wrong ones is accepted');
$id = claimed('x');
update($id, $B);
update($id, $W);
is(poll($id, 'y'), "wrong_state $P", 'after going back to waiting another device may come');
is(update($id, $A, 'x'), "token_mismatch $P", 'whose token is not the old one');
is(update($id, $A, 'y'), "ok $A", 'but its own');

# Nobody reads them ---------------------------------------------------------------------

$id = claimed('seekrit');
my $auditor = $cluster->connect($database, 'devcred_reader');
for my $relation (qw(audit registration request credential login customer)) {
	my $text = join "\n", map { @$_ } @{ $auditor->selectall_arrayref(
		"select to_jsonb(v)::text from devcred.$relation v") };
	my $hex = substr digest($id, 'seekrit'), 2;
	ok($text ne '' || $relation eq 'credential', "view $relation shows something")
	    and unlike($text, qr/seekrit|\Q$hex\E/, 'but neither token nor digest');
}
is($auditor->selectrow_array('select has_token from devcred.request where id = ?', undef,
	$id), 1, 'the auditor sees that there is a token');
ok(!eval { $_->selectrow_array('select token_hash from devcred.newdevice_request'); 1 },
	'the table with the digests is closed') for $app, $auditor;
ok(!eval { $_->selectrow_array("select devcred.token_digest('a', 'b')"); 1 },
	'and nobody is helped to guess') for $app, $auditor;

policy('REQUIRED');
my $both = create();
my @rows = call('testing.poll', map { [$_, $_] } $both, 'token', 'token/device',
	'192.0.2.9', undef, '\x' . '01' x 16, '\x' . '02' x 32);
is(join(' ', map { $_->{status} } @rows), 'BLOCKED BLOCKED',
	'the first in a group claims, without a token');
$both = create();
@rows = call('testing.poll', [$both, $both], map { [$_->[0], $_->[-1]] } ['token'],
	['token/device'], ['192.0.2.9'], [undef, digest($both, 'x')],
	['\x' . '01' x 16], ['\x' . '02' x 32]);
is(join(' ', map { $_->{status} } @rows), 'BLOCKED BLOCKED',
	'and the next one is told what became of that, not of its own');

done_testing;
