#!/usr/bin/perl
# credential: what an operator does with logins that were issued; request show,
# housekeep.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'nginx');
my $admin = $site->client('t1/admin');
my $db = $site->dbh;

sub ctl {
	my ($args, $status, $words, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return says($site, [@$args], $status, $words, $name);
}
sub login {
	my ($id, $password) = @_;
	return $admin->as("t1/device_$id:$password")->get('/user/currentUser')->status;
}
sub event {
	return join ' ', map { $_ // 'null' } $db->selectrow_array('select operation, outcome, actor,
		source from devcred.event where device_id = ? order by seq desc limit 1', undef, $_[0]);
}
my $BY = 'db:devcred_operator null';

my $id = accepted($admin);
my $password = as_bootstrap($admin)->poll($id)->field('password');
my $second = accepted($admin);
as_bootstrap($admin)->poll($second);

# Look ------------------------------------------------------------------------------

ctl(['credential', 'list'], 0, qr/\AID +TENANT +STATUS.*\n\Q$second\E +t1 +ACTIVE.*\n\Q$id\E +t1 /,
	'the list has the newest first');
ctl(['credential', 'list', $second], 0, qr/\AID.*\n\Q$second\E .*\n\z/, 'the start of an id narrows it');
ctl(['credential', 'list', '--limit', 1], 0, qr/there are more than 1/, 'it says when there are more');
ctl(['credential', 'list', '--status', 'disabled'], 0, qr/\AID.*\n\z/, 'a status narrows it, too');
ctl(['credential', 'list', '--status', 'act', $second], 0, qr/\AID.*\n\Q$second\E .*\n\z/, 'or its beginning');
ctl(['credential', 'list', '--status', 'x'], 2, qr/a status is ACTIVE, DISABLED or EXPIRED/,
	'it must be one');
ctl(['credential', 'list', '--tenant', 'nowhere'], 1, qr/no tenant nowhere/, 'so must a tenant');
my $shown = ctl(['credential', 'show', $id], 0,
	qr/^login +device_\Q$id\E\n.*^delivery +CLOSED\n.*^accepted by +t1\/admin\n/ms,
	'a credential is shown');
unlike($shown, qr/\Q$password\E|first used|expires/, 'but for what is secret, or is not');
ctl(['credential', 'show', 'nobody'], 1, qr/no credential of device nobody.*\n-> .* credential list/,
	'or is not there');

# Change ----------------------------------------------------------------------------

ctl(['credential', 'disable', $id], 0, qr/\A\Q$id\E of the tenant t1 is DISABLED\n\z/,
	'a credential is disabled');
is(login($id, $password), 401, 'and does not work');
is(event($id), "credential_disable ok $BY", 'which is audited, with who did it');
ctl(['credential', 'enable', $id], 0, qr/is enabled/, 'it is enabled');
is(login($id, $password), 200, 'and works');
ctl(['credential', 'expire', $id, '2020-01-01T00:00:00Z'], 0,
	qr/expires 2020-01-01T00:00:00\.000\+00:00/, 'an end is set');
is(login($id, $password), 401, 'in the past, it does not work');
ctl(['credential', 'expire', $id, 'never'], 0, qr/does not expire/, 'the end is taken away');
ctl(['credential', 'expire', $id, 'rubbish'], 1, qr/rubbish/, 'a time must be one');
ctl(['credential', 'expire', $id], 2, qr/TIME/, 'and be there');

my ($new) = ctl(['credential', 'rotate', $id], 0, qr/\A[A-Za-z0-9]{32}\n\z/,
	'a new password is shown, alone') =~ /(\w+)/;
is(login($id, $password), 200, 'the old one works');
is(login($id, $new), 200, 'until the new one');
is(login($id, $password), 401, 'is used');
my ($at_once) = ctl(['credential', 'rotate', $id, '--overlap', 0, '--yes'], 0, qr/\A\w+\n\z/,
	'without overlap') =~ /(\w+)/;
is(login($id, $new) . login($id, $at_once), '401200', 'the old one ends at once');
ctl(['credential', 'rotate', $id, '--overlap', 'x'], 2, qr/number of seconds/, 'it is a number');

ctl(['credential', 'reopen', $id], 0, qr/may ask once more, within 900 s/, 'the delivery is reopened');
answers(as_bootstrap($admin)->poll($id), 201, 'the device gets a password');
$db->do('update devcred.device_credential set claimed_by = null where device_id = ?', undef, $id);
ctl(['credential', 'reopen', $id], 1, qr/nothing to deliver again/,
	'what was given by hand is not delivered');
is(event($id), "credential_reopen wrong_state $BY", 'which is audited, too');

ctl(['credential', 'revoke', $id, '--yes'], 0, qr/has no credential any more/, 'a credential is revoked');
ctl(['credential', 'revoke', $id, '--yes'], 1, qr/no credential/, 'once');
is(event($id), "credential_revoke ok $BY", 'it is audited');
ctl(['credential', 'decommission', $second, '--yes'], 0, qr/is decommissioned/, 'a device is decommissioned');
is(event($second), "credential_decommission ok $BY", 'that is audited');
pending($admin, id => $second);
ctl(['request', 'show', $second], 0, qr/^status +PENDING_ACCEPTANCE\n.*^claimants +1\n^decommissioned +20/ms,
	'should it come again, its request says so');

# Of an id in two tenants, one has to be named.
for my $tenant ('t1', 't2') {
	$db->do("insert into devcred.device_credential (tenant, device_id, password_salt, password_hash,
		registration, accepted_at, accepted_by) values (?, 'twin', decode(repeat('00', 16), 'hex'),
		decode(repeat('00', 32), 'hex'), nextval('devcred.newdevice_request_seq_seq'), now(), 'x')",
		undef, $tenant);
}
ctl(['credential', 'revoke', 'twin', '--yes'], 1, qr/or several: then name its --tenant/, 'an id in two tenants');
ctl(['credential', 'revoke', 'twin', '--tenant', 't2', '--yes'], 0, qr/of the tenant t2/, 'needs a tenant');

# request show, housekeep -------------------------------------------------------------

my $claimed = pending($admin);
$admin->as(Devcred::Site::login('management/devicebootstrap'))->request(
	POST => '/devicecontrol/deviceCredentials', body => qq({"id":"$claimed"}),
	headers => ["User-Agent: \e[31mred"]);
ctl(['request', 'show', $claimed], 0,
	qr/^id +\Q$claimed\E\n.*^CLAIMED +SOURCE.*\n.*127\.0\.0\.1.*\n.*\?\[31mred\n\z/ms,
	'a request is shown with who has asked for it, harmlessly');
ctl(['request', 'show', 'nobody'], 1, qr/no new device request nobody/, 'or is not there');
ctl(['housekeep'], 0, qr/\A\d+ delivery windows closed, \d+ old passwords ended, /,
	'housekeep says what it wiped');

done_testing;
