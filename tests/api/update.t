#!/usr/bin/perl
# Changing the status of a request: each state and each status wanted; and
# deleting.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);

my %WAY = (
	'waiting' => sub { registered($admin) },
	'pending' => sub { pending($admin) },
	'accepted' => sub { accepted($admin) },
	'blocked, never asked' => sub { blocked(registered($admin)) },
	'blocked, asked' => sub { blocked(pending($admin)) },
	'blocked, accepted' => sub { blocked(accepted($admin)) },
);
sub blocked {
	my ($id) = @_;
	$admin->update($id, 'BLOCKED');
	return $id;
}
sub status_of { return $admin->look($_[0])->field('status') }

# The status wanted => what becomes of it; "!" where it is refused with 422.
my %WANT = (
	'waiting' => { ACCEPTED => '!', PENDING_ACCEPTANCE => '!',
		WAITING_FOR_CONNECTION => '!', BLOCKED => 'BLOCKED' },
	'pending' => { ACCEPTED => 'ACCEPTED', PENDING_ACCEPTANCE => '!',
		WAITING_FOR_CONNECTION => '!', BLOCKED => 'BLOCKED' },
	'accepted' => { ACCEPTED => '!', PENDING_ACCEPTANCE => '!',
		WAITING_FOR_CONNECTION => '!', BLOCKED => 'BLOCKED' },
	'blocked, never asked' => { ACCEPTED => '!', PENDING_ACCEPTANCE => '!',
		WAITING_FOR_CONNECTION => 'WAITING_FOR_CONNECTION', BLOCKED => 'BLOCKED' },
	'blocked, asked' => { ACCEPTED => '!',
		PENDING_ACCEPTANCE => 'PENDING_ACCEPTANCE',
		WAITING_FOR_CONNECTION => 'WAITING_FOR_CONNECTION', BLOCKED => 'BLOCKED' },
	'blocked, accepted' => { ACCEPTED => '!',
		PENDING_ACCEPTANCE => 'PENDING_ACCEPTANCE',
		WAITING_FOR_CONNECTION => 'WAITING_FOR_CONNECTION', BLOCKED => 'BLOCKED' },
);

for my $state (sort keys %WANT) {
	for my $wanted (sort keys %{ $WANT{$state} }) {
		my $id = $WAY{$state}->();
		my $before = status_of($id);
		my $becomes = $WANT{$state}{$wanted};
		my $answer = $admin->update($id, $wanted);
		if ($becomes eq '!') {
			refuses($answer, 422, 'devicecontrol/Unprocessable Entity',
				$wanted eq 'ACCEPTED'
				? qr/is in state $before, not PENDING_ACCEPTANCE\./ : undef,
				"$state: $wanted is refused");
			is(status_of($id), $before, 'and nothing has changed');
			next;
		}
		is(join(' ', $answer->status, $answer->field('status') // ''),
			"200 $becomes", "$state: $wanted makes it $becomes")
		    or diag($answer->told);
		is(status_of($id), $becomes, 'and so it stays');
	}
	my $id = $WAY{$state}->();
	answers($admin->remove($id), 200, "$state: it can be deleted");
	answers($admin->look($id), 404, 'and is gone');
}

# What devices see of it.
my $id = blocked(accepted($admin));
refuses($device->poll($id), 404, 'devicecontrol/Not Found', qr/BLOCKED/,
	'a blocked device gets nothing, and is told so');
$admin->update($id, 'PENDING_ACCEPTANCE');
answers($admin->accept_device($id), 200, 'when the block is lifted it can be accepted');
answers($device->poll($id), 201, 'and gets its credentials');

# Bodies -----------------------------------------------------------------------

$id = pending($admin);
my $answer = $admin->update($id, 'ACCEPTED', accept => undef);
ok($answer->status == 200 && $answer->body eq '', 'without Accept there is no body')
    or diag($answer->told);
is($admin->look($id)->field('status'), 'ACCEPTED', 'but it is done');

$id = pending($admin);
$answer = $admin->update($id, 'ACCEPTED', with => { type => 'c8y_Linux', id => 'other',
	owner => 'x', groupId => 'g', tenantId => 't2' });
is(join(' ', map { $answer->field($_) // '-' } qw(status type id tenantId groupId)),
	"ACCEPTED c8y_Linux $id t1 -", 'a type may be given; the rest stays as it is');

for my $case (
	['{}', 'undefined/validationError', qr/mandatory fields.*status/, 'no status'],
	['{"status":null}', 'undefined/validationError', qr/mandatory fields.*status/, 'null'],
	['{"status":"accepted"}', 'undefined/validationError', qr/accepted/, 'another case'],
	['{"status":"DONE"}', 'undefined/validationError', qr/DONE/, 'an unknown status'],
	['{"status":""}', 'undefined/validationError', undef, 'nothing'],
	['{"status":1}', 'undefined/validationError', qr/status/, 'a number'],
	['{"status":"ACCEPTED","securityToken":7}', 'undefined/validationError',
		qr/securityToken/, 'a token that is a number'],
    ) {
	my ($body, $error, $words, $what) = @$case;
	my $pending = pending($admin);
	refuses($admin->update($pending, undef, body => $body), 422, $error, $words,
		"refused: $what");
	is(status_of($pending), 'PENDING_ACCEPTANCE', 'and nothing has changed');
}
my $unknown = device_id('unknown');
for my $answer ($admin->accept_device($unknown), $admin->remove($unknown), $admin->look($unknown)) {
	refuses($answer, 404, 'devicecontrol/Not Found',
		qr/Could not find newDeviceRequest by ID \Q$unknown\E/, 'an unknown id is not found');
}

done_testing();
