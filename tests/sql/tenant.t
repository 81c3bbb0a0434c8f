#!/usr/bin/perl
# Tenants, their users and roles, who a login is, and that another tenant's
# requests look as if they were not there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $app = $cluster->connect($database, 'devcred_service');
my $owner = $cluster->connect($database, 'devcred_operator');
$owner->do('set role devcred_owner');

sub call_as {
	my ($dbh, $function, @arg) = @_;
	$function = "devcred.$function" if $function !~ /\./;
	my $marks = join ', ', ('?') x @arg;
	return @{ $dbh->selectall_arrayref("select * from $function($marks)",
		{ Slice => {} }, @arg) };
}
sub call { return call_as($app, @_) }
# The outcome of a function of the owner.
sub outcome {
	my ($function, @arg) = @_;
	my ($row) = call_as($owner, $function, @arg);
	return $row->{$function};
}
my $HASH = '$2b$12$' . 'a' x 53;
my $OTHER = '$2b$12$' . 'b' x 53;

# Tenants --------------------------------------------------------------------------------

for my $case (
	['tenant_add', ['n1', undef], 'ok', 'a tenant is added'],
	['tenant_add', ['n1', undef], 'exists', 'but not twice'],
	['tenant_add', ['n2', 'N2.Example.ORG'], 'ok', 'one with a host name too'],
	['tenant_add', ['n3', 'n2.example.org'], 'exists', 'whose host name is taken then'],
	['tenant_add', ['management', undef], 'exists', 'the management tenant is always there'],
	['user_add', ['n1', 'u', $HASH, '{ROLE_DEVICE_CONTROL_READ}'], 'ok', 'a user is added'],
	['user_add', ['n1', 'u', $HASH, '{ROLE_DEVICE_CONTROL_READ}'], 'exists', 'but not twice'],
	['user_add', ['n2', 'u', $HASH, '{ROLE_DEVICE_CONTROL_ADMIN}'], 'ok',
		'another tenant may have one of that name'],
	['user_add', ['n9', 'u', $HASH, '{ROLE_DEVICE_CONTROL_READ}'], 'no_tenant',
		'a user of no tenant is refused'],
	['user_passwd', ['n1', 'u', $OTHER], 'ok', 'a password is replaced'],
	['user_passwd', ['n1', 'nobody', $OTHER], 'absent', 'but not of nobody'],
	['user_passwd', ['n9', 'u', $OTHER], 'absent', 'and not in another tenant'],
	['user_disable', ['n1', 'nobody', 't'], 'absent', 'nobody cannot be disabled'],
) {
	my ($function, $arg, $outcome, $name) = @$case;
	is(outcome($function, @$arg), $outcome, $name);
}
is($super->selectrow_array("select count(*) from devcred.tenant where id = 'n3'"), 0,
	'a refused tenant is not there');
is_deeply([call('tenant_get', 'n2')],
	[{ domain_name => 'n2.example.org', token_policy => 'OPTIONAL' }],
	'a tenant is told with its host name in lower case and its policy');
is_deeply([call('tenant_get', 'n9')], [], 'one that is not there is no row');
is($super->selectrow_array("select password_at > created_at from devcred.tenant_user
	where tenant = 'n1' and name = 'u'"), 1, 'a new password has its time');

# Logins -----------------------------------------------------------------------------------

$super->do("insert into devcred.device_credential (tenant, device_id, password_salt,
	password_hash, registration, accepted_at, accepted_by) values ('n2', 'dev',
	decode(repeat('01', 16), 'hex'), decode(repeat('02', 32), 'hex'), 900, now(), 'n2/u')");
for my $case (
	# tenant named, host, default, name; who it is
	['n1', undef, 'n2', 'u', 'n1 ROLE_DEVICE_CONTROL_READ', 'the tenant named counts'],
	['n1', 'n2.example.org', 'n2', 'u', 'n1 ROLE_DEVICE_CONTROL_READ', 'more than the host'],
	[undef, 'n2.example.org', 'n1', 'u', 'n2 ROLE_DEVICE_CONTROL_ADMIN',
		'the host counts if none is named'],
	[undef, 'N2.Example.Org', 'n1', 'u', 'n2 ROLE_DEVICE_CONTROL_ADMIN', 'in any case'],
	[undef, 'elsewhere', 'n1', 'u', 'n1 ROLE_DEVICE_CONTROL_READ', 'else the default'],
	[undef, undef, 'n1', 'u', 'n1 ROLE_DEVICE_CONTROL_READ', 'also without a host'],
	['n9', 'n2.example.org', 'n1', 'u', '', 'a tenant that is not there has no users'],
	['n1', undef, 'n1', 'nobody', '', 'nobody cannot log in'],
	['n1', undef, 'n1', 'U', '', 'names have their case'],
	['t1', undef, 't1', 'gone', '', 'nor can a disabled user'],
	['n2', undef, 'n1', 'device_dev', 'n2 ROLE_DEVICE', 'a device logs in'],
	[undef, 'n2.example.org', 'n1', 'device_dev', 'n2 ROLE_DEVICE', 'by its host too'],
	['n1', undef, 'n2', 'device_dev', '', 'but not in another tenant'],
	['n2', undef, 'n2', 'device_', '', 'nor without an id'],
	['n2', undef, 'n2', 'dev', '', 'nor by its bare id'],
	['t1', undef, 't1', 'admin', 't1 ROLE_DEVICE_CONTROL_ADMIN ROLE_DEVICE_CONTROL_READ',
		'all roles are told'],
) {
	my ($tenant, $host, $default, $name, $is, $why) = @$case;
	my @rows = call('user_login', $tenant, $host, $default, $name);
	is(join(', ', map { "$_->{tenant} $_->{roles}" } @rows), $is,
		"login " . join('/', $tenant // '(none)', $name) . ": $why");
}
my ($user) = call('user_login', 'n1', undef, 'n1', 'u');
is_deeply([@$user{qw(password_hash device_salt device_hash)}], [$OTHER, undef, undef],
	'a user has the hash of the new password and none of a device');
my ($device) = call('user_login', 'n2', undef, 'n2', 'device_dev');
is_deeply([@$device{qw(password_hash device_salt device_hash)}],
	[undef, "\x01" x 16, "\x02" x 32], 'a device has salt and digest and no slow hash');

is(outcome('user_disable', 'n1', 'u', 't'), 'ok', 'a user is disabled');
is_deeply([call('user_login', 'n1', undef, 'n1', 'u')], [], 'and cannot log in');
my $since = "select disabled_at from devcred.tenant_user where tenant = 'n1' and name = 'u'";
my ($first) = $super->selectrow_array($since);
is(outcome('user_disable', 'n1', 'u', 't'), 'ok', 'again is no mistake');
is($super->selectrow_array($since), $first, 'and keeps the time');
is(scalar(call('user_login', 'n2', undef, 'n2', 'u')), 1,
	'the one of that name in the other tenant still can');
is(outcome('user_disable', 'n1', 'u', 'f'), 'ok', 'enabled again');
is(scalar(call('user_login', 'n1', undef, 'n1', 'u')), 1, 'he can too');

# Foreign tenants ----------------------------------------------------------------------------

my @WHO = ('x/admin', '192.0.2.7');
my %CALL = (
	newdevice_get => sub { call('newdevice_get', @_) },
	newdevice_delete => sub { call('newdevice_delete', $_[0], @WHO, $_[1]) },
	credential_look => sub { call('testing.look', [$_[1]], [$_[0]], [undef]) },
	credential_issue => sub {
		call('testing.poll', [$_[1]], [$_[0]], [$WHO[0]], [$WHO[1]], [undef],
			['\x' . '01' x 16], ['\x' . '02' x 32]);
	},
	map {
		my $status = $_;
		("newdevice_update to $status" => sub {
			call('newdevice_update', $_[0], @WHO, $_[1], $status);
		})
	} qw(ACCEPTED BLOCKED PENDING_ACCEPTANCE WAITING_FOR_CONNECTION),
);
sub state_of {
	my ($id) = @_;
	return join ' ', map { $_ // 'null' } $super->selectrow_array('select r::text, (select count(*)
		from devcred.event) from devcred.newdevice_request r where id = ?', undef, $id);
}
my ($theirs, $nobodys) = map { device_id() } 1 .. 2;
call('newdevice_create', 't2', @WHO, $theirs, undef, undef, undef, undef);
for my $state ('waiting', 'pending', 'accepted') {
	$CALL{credential_issue}->('t2', $theirs) if $state eq 'pending';
	$CALL{'newdevice_update to ACCEPTED'}->('t2', $theirs) if $state eq 'accepted';
	my $before = state_of($theirs);
	for my $name (sort keys %CALL) {
		is_deeply([$CALL{$name}->('t1', $theirs)], [$CALL{$name}->('t1', $nobodys)],
			"$name: a request of another tenant that is $state is as one that is not there");
	}
	is(state_of($theirs), $before, 'and stays as it is, without an event');
}
is_deeply([map { [@$_{qw(id total)}] } call('newdevice_list', 't1', undef, $theirs, 5, 0, 't')],
	[[undef, 0]], 'nor is it in the list or its total');
is((call('newdevice_list', 'management', undef, $theirs, 5, 0, 't'))[0]{id}, $theirs,
	'the management tenant sees it');
is((call('newdevice_get', 'management', $theirs))[0]{tenant}, 't2', 'as what it is');
is((call('newdevice_create', 't1', @WHO, $theirs, undef, undef, undef, undef))[0]{outcome},
	'exists', 'an id is taken over all tenants');

for my $case (
	# who creates, for whom; for whom it is
	['t1', undef, 'ok t1', 'a tenant creates for itself'],
	['t1', 't2', 'ok t1', 'whomever it names'],
	['management', 't2', 'ok t2', 'the management tenant creates for others'],
	['management', undef, 'ok management', 'or for itself'],
	['management', 'n9', 'no_tenant n9', 'but not for nobody'],
	['n9', undef, 'no_tenant n9', 'and nobody creates nothing'],
) {
	my ($scope, $for, $is, $name) = @$case;
	my ($row) = call('newdevice_create', $scope, @WHO, device_id(), $for, undef, undef, undef);
	is("$row->{outcome} $row->{tenant}", $is, $name);
}
my ($row) = $CALL{credential_issue}->('management', $theirs);
is("$row->{outcome} $row->{tenant}", 'ok t2',
	'the shared bootstrap user gets credentials of the tenant of the request');
is_deeply($super->selectcol_arrayref('select tenant from devcred.device_credential
	where device_id = ?', undef, $theirs), ['t2'], 'which are that tenant\'s');

done_testing;
