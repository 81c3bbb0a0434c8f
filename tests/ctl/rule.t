#!/usr/bin/perl
# rule add, list, try, apply, enable, disable, delete; and what tenant set has
# of time and numbers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'nginx');
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);

says($site, ['rule', 'list'], 0, qr/\ARULE\s+ID\s+SOURCE.*\n\z/, 'at first there are no rules');
my $id = pending($admin, id => 'pump-1');
says($site, [qw(rule add t1/pumps --id pump-* --source 127.0.0.0/8 --until 2099-01-01T00:00:00Z --quota 3)], 0,
	qr/\Arule t1\/pumps added\n\z/, 'a rule is added');
says($site, ['rule', 'list', 't1'], 0,
	qr{^t1/pumps\s+pump-\*\s+127\.0\.0\.0/8\s.*\s2099-01-01T00:00:00Z\s+0 of 3\s+on$}m, 'and listed');
says($site, ['rule', 'try', 't1/pumps'], 0, qr/^pump-1\s+PENDING_ACCEPTANCE\s.*\s-$/m, 'it tells what it would accept');
is($admin->look($id)->field('status'), 'PENDING_ACCEPTANCE', 'without doing it');
says($site, ['rule', 'apply', 't1/pumps', '--yes'], 0, qr/\A1 accepted, 0 refused\n\z/, 'applied, it does');
is($device->poll($id)->status, 201, 'so that the device gets its password');
registered($admin, id => 'pump-2');
is($device->poll('pump-2')->status, 404, 'a device that fits asks');
is($device->poll('pump-2')->status, 201, 'and has its password the second time, without an administrator');
says($site, ['rule', 'disable', 't1/pumps'], 0, qr/accepts nothing/, 'a rule is switched off');
pending($admin, id => 'pump-3');
is($admin->look('pump-3')->field('status'), 'PENDING_ACCEPTANCE', 'then the next one waits');
says($site, ['rule', 'try', 't1/pumps'], 0, qr/^pump-3\s.*\sdisabled$/m, 'and one is told why');
says($site, ['rule', 'enable', 't1/pumps'], 0, qr/accepts\n/, 'and on');
says($site, [qw(rule add t1/pumps --id p*)], 0, qr/changed/, 'a rule of the same name takes its place');
says($site, ['rule', 'delete', 't1/pumps', '--yes'], 0, qr/deleted/, 'and it is deleted');
says($site, ['rule', $_, 't1/pumps', /apply|delete/ ? '--yes' : ()], 1, qr/there is no rule t1\/pumps/, "$_ needs one that is there")
    for qw(try apply enable disable delete);
for my $case ([['add', 't1/x'], 2, qr/--id/], [['add', 'x', '--id', '*'], 1, qr/./], [['add', 't9/x', '--id', '*'], 1,
	qr/no tenant t9/], [['add', 't1/x', '--id', '*', '--quota', 'x'], 2, qr/a number/],
	[['add', 't1/x', '--id', '*', '--source', 'here'], 1, qr/cidr/], [['add', 't1/Upper', '--id', '*'], 1, qr/plain_word/],
	[['list', 't9'], 1, qr/no tenant t9/]) {
	says($site, ['rule', @{ $case->[0] }], $case->[1], $case->[2], "refused: rule @{ $case->[0] }");
}

# Tenants -----------------------------------------------------------------------------

says($site, [qw(tenant set t1 --waiting-expiry 30d --pending-expiry 12h --request-quota 5 --outbox on)], 0, qr/set/,
	'a tenant has its times and numbers');
is(join(' ', $site->dbh->selectrow_array("select waiting_expiry, pending_expiry, request_quota, outbox
	from devcred.customer where id = 't1'")), '30 days 12:00:00 5 1', 'which are kept');
registered($admin) for 1 .. 4;
refuses($admin->register(device_id()), 422, 'devicecontrol/Unprocessable Entity', qr/as many new device requests/,
	'over HTTP one more is refused');
says($site, ['request', 'add', 'x', '--tenant', 't1'], 1, qr/./, 'and by devcredctl');
says($site, [qw(tenant set t1 --waiting-expiry none --pending-expiry none --request-quota none --outbox off)], 0, qr/set/,
	'none takes them away');
is(join(' ', map { $_ // '-' } $site->dbh->selectrow_array("select waiting_expiry, pending_expiry, request_quota, outbox
	from devcred.customer where id = 't1'")), '- - - 0', 'all of them');
says($site, ['tenant', 'set', 't1', @$_], 2, qr/such as 90m|a number|on or off/, "not @$_")
    for ['--waiting-expiry', '30'], ['--pending-expiry', '1w'], ['--waiting-expiry', 'd'], ['--request-quota', '-1'],
    ['--outbox', 'maybe'];
says($site, ['housekeep'], 0, qr/0 requests withdrawn/, 'housekeep tells what it withdrew');

done_testing;
