#!/usr/bin/perl
# doc/openapi.yaml and the running service say the same: every operation is
# driven into every answer that it has, and check.mjs holds what was sent and
# answered against the document.
#
# Behind Apache, but which web server it is makes no difference: the suite api
# holds all of them against the same tests.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp;
use JSON::PP ();
use Devcred::Source qw(operations);
use Devcred::Test;

my $folder = $ENV{DEVCRED_TEST_NODE} // $FindBin::Bin;
my $requests = $Devcred::Http::REQUESTS;
my $json = JSON::PP->new->canonical->ascii;
my $log = File::Temp->new;

# Every exchange of these clients goes into the log.
package Recorded {
	our @ISA = ('Devcred::Http');

	sub as {
		my ($self, $login) = @_;
		return bless $self->SUPER::as($login), ref $self;
	}

	sub raw {
		my ($self, $bytes, %arg) = @_;
		return main::record($self->SUPER::raw($bytes, %arg));
	}
}

sub record {
	my ($answer) = @_;
	die "no whole answer\n" . $answer->told unless $answer->{whole};
	print {$log} $json->encode({ status => 0 + $answer->status,
		request => substr($answer->{request}, 0, 100_000),
		answer => "$answer->{head}\r\n\r\n$answer->{body}" }), "\n"
	    or die "$log: $!\n";
	return $answer;
}

# Sites ------------------------------------------------------------------------

my $site = site({}, trusted_proxy => '127.0.0.1');

sub site {
	my ($with, %conf) = @_;
	return Devcred::Site->new(web => 'apache', conf => \%conf, %$with,
		$site ? (database => $site->{database}) : ());
}

sub client {
	my ($user) = @_;
	return bless $site->client($user), 'Recorded';
}

my $admin = client('t1/admin');
my $management = client('management/admin');
my $device = as_bootstrap($admin);
sub body { return (type => $_[0], body => Devcred::Http::to_json(@_[1 .. $#_])) }

# Operations -------------------------------------------------------------------

my $bulk = '/devicecontrol/bulkNewDeviceRequests';
my $life = '/devcred/credentials';
my $form = 'multipart/form-data; boundary=edge';
sub file {
	my ($csv) = @_;
	return "--edge\r\nContent-Disposition: form-data; name=\"file\"; "
	    . "filename=\"a.csv\"\r\n\r\n$csv\r\n--edge--\r\n";
}

# A request of each operation that is granted: who asks, method, path, more.
my %good = (
	newdevice_create => sub { $admin, 'POST', $requests,
		body('newDeviceRequest', id => device_id()) },
	newdevice_list => sub { $admin, 'GET', $requests },
	newdevice_get => sub { $admin, 'GET', path_of(registered($admin)) },
	newdevice_update => sub { $admin, 'PUT', path_of(pending($admin)),
		body('newDeviceRequest', status => 'ACCEPTED') },
	newdevice_delete => sub { $admin, 'DELETE', path_of(registered($admin)) },
	newdevice_accept_all => sub { $admin, 'POST', "$requests/acceptAll" },
	newdevice_limit => sub { $admin, 'GET', "$requests/limit" },
	credential_issue => sub { $device, 'POST', $Devcred::Http::CREDENTIALS,
		body('deviceCredentials', id => accepted($admin)) },
	smartrest => sub { $device, 'POST', '/s', type => 'text/plain',
		body => '61,' . accepted($admin) },
	tenant_current => sub { $admin, 'GET', '/tenant/currentTenant' },
	tenant_option => sub { $admin, 'GET',
		'/tenant/options/device-registration/security-token.policy' },
	tenant_option_set => sub { client('token/admin'), 'PUT',
		'/tenant/options/device-registration/security-token.policy',
		body('application/json', value => 'OPTIONAL') },
	user_current => sub { $admin, 'GET', '/user/currentUser' },
	bulk_create => sub { $admin, 'POST', $bulk,
		type => $form, body => file("ID\n" . device_id() . "\n") },
	credential_list => sub { $admin, 'GET', $life },
	credential_get => sub { $admin, 'GET', life_of(issued($admin)) },
	credential_update => sub { $admin, 'PUT', life_of(issued($admin)),
		body('application/json', status => 'DISABLED') },
	credential_revoke => sub { $admin, 'DELETE', life_of(issued($admin)) },
	(map { my $what = $_; ("credential_$what" => sub { $admin, 'POST',
		life_of(issued($admin)) . "/$what", body => '' }) }
		qw(rotate reopen decommission)),
	event_list => sub { $admin, 'GET', '/devcred/audit' },
	event_count => sub { $admin, 'GET', '/devcred/statistics' },
	newdevice_review => sub { $admin, 'GET', '/devcred/newDeviceRequests' },
	newdevice_claims => sub { $admin, 'GET',
		'/devcred/newDeviceRequests/' . pending($admin) . '/claims' },
	(map { my $what = $_; ($what => sub { $admin->as(undef), 'GET', "/devcred/$what" }) }
		qw(health ready metrics)),
	verify => sub { login_of(issued($admin)), 'GET', '/devcred/verify' },
	(map { my $what = $_; ("verify_$what" => sub { $admin->as(undef), 'POST',
		"/devcred/verify/$what", type => 'application/x-www-form-urlencoded',
		body => 'username=t1%2Fdevice_x&password=x' }) }
		qw(emqx rabbitmq mosquitto)),
);
sub life_of { return "$life/" . $_[0]->field('id') }
sub login_of {
	return $admin->as('t1/' . join ':', map { $_[0]->field($_) } qw(username password));
}
sub path_of { return Devcred::Http::path_of(@_) }

# Ask for an operation, with changes to what would be granted.
sub ask {
	my ($operation, %change) = @_;
	my ($who, $method, $path, %arg) = $good{$operation}->();
	return bytes_to($change{at} // $site, $who, $method, $path, accept => '*/*',
		%arg, %change);
}

sub bytes_to {
	my ($at, $who, $method, $path, %arg) = @_;
	delete $arg{at};
	my $http = bless { %$who, port => $at->{port} }, ref $who;
	return $http->raw($http->bytes($method, $path, %arg), head => $method eq 'HEAD');
}

my ($operations) = operations();
is_deeply([sort keys %good], [sort keys %$operations],
	'this test knows how every operation is granted');

# What is done to a request of every operation: name, changes.  Which answers
# that leads to, the document says.
my @changes = (
	['as it should be'],
	['no login', login => undef],
	['two logins', login => undef,
		headers => ['Authorization: Basic eDp5, Basic eDp5']],
	['a login without the role', login => Devcred::Site::login('t1/users')],
	['plain HTTP', headers => ['X-Forwarded-For: 203.0.113.9',
		'X-Forwarded-Proto: http']],
	['an unknown method instead', headers => ['X-HTTP-METHOD: BREW']],
	['an answer of another type', accept => 'text/html'],
	['a body of another type', type => 'text/html', body => '<p>'],
	['a body that is too large', body => 'x' x 70_000],
	['no JSON', body => '{'],
	['no field', body => '{}'],
);
for my $change (@changes) {
	my ($name, %change) = @$change;
	ask($_, %change) for sort keys %good;
}
# logins that fail, each from an address of its own, and one after ten had
my $far = 0;
sub from { return (headers => ["X-Forwarded-For: $_[0]", 'X-Forwarded-Proto: https']) }
ask($_, login => 't1/admin:wrong', from('198.51.100.' . ++$far)) for sort keys %good;
my $guesser = $admin->as('t1/guessed:wrong');
$guesser->get('/user/currentUser', from('203.0.113.7')) for 1 .. 10;
ask($_, login => 't1/guessed:wrong', from('203.0.113.7')) for sort keys %good;
login_of($_)->get('/devcred/verify', from('203.0.113.8')),
    $admin->as("t1/device_" . $_->field('id') . ':wrong')->get('/devcred/verify', from('203.0.113.8'))
    for (issued($admin)) x 11;
for my $operation (grep { $operations->{$_}{method} eq 'GET' } sort keys %good) {
	my ($who, undef, $path) = $good{$operation}->();
	$who->request('HEAD', $path);
}
$admin->request('POST', path_of(registered($admin)), headers => ['X-HTTP-METHOD: DELETE']);
my $away = site({}, app_database => "host=$site->{dir} dbname=none");
ask($_, at => $away) for sort keys %good;
$away->stop;
my $current = site({}, api_profile => 'current');
ask($_, at => $current) for sort keys %good;
$current->stop;

# Bodies that do not come; all at once, as each takes its time.  Behind nginx
# told to hand them over as they come: it also passes an answer on that comes
# before the body has ended.  The other web servers do one or the other.
my $slow = do {
	local $ENV{PRIVATE_NGINX_OPTIONS} = 'fastcgi_request_buffering off;';
	site({ web => 'nginx' }, body_timeout => 200);
};
my @late = map {
	my ($who, $method, $path, %arg) = @$_;
	$who->bytes($method, $path, accept => '*/*', %arg, length => 10_000)
} (map { [$good{$_}->()] } sort keys %good),
    [$admin, 'POST', '/devicecontrol/nothing'],
    [$admin, 'POST', $bulk, type => $form, body => "--edge\r\n"];
my @answers = $slow->client->parallel(@late);
for my $i (0 .. $#late) {
	$answers[$i]{request} = $late[$i];
	record($answers[$i]);
}
$slow->stop;

# What only some operations answer ----------------------------------------------

# Requests, with every field.
my $id = device_id();
my %more = (type => 'c8y_Pump', groupId => '12', customProperties => { site => 'North' });
$management->register($id, with => { %more, tenantId => 't1' });
$admin->look($id);
$device->poll($id, with => { securityToken => 'blue' });
$admin->update($id, 'ACCEPTED', with => { type => 'c8y_Valve', securityToken => $_ })
    for 'red', 'blue';
$device->poll($id, with => { securityToken => 'blue' });
$admin->request('POST', $requests, body('newDeviceRequest', id => device_id()));
my $plain = device_id();
$admin->request('POST', $requests, accept => 'application/json',
	body('application/json', id => $plain));
$admin->register($plain);
$device->request('POST', $Devcred::Http::CREDENTIALS, body('application/json', id => $plain));
$admin->request('PUT', path_of($plain), body('application/json', status => 'ACCEPTED'));
$device->request('POST', $Devcred::Http::CREDENTIALS, body('application/json', id => $plain));
$device->poll($plain);
$admin->update($plain, 'ACCEPTED');
$admin->look('nobody');
$admin->remove('nobody');
my $blocked = pending($admin, with => \%more);
$admin->update($blocked, $_) for qw(BLOCKED PENDING_ACCEPTANCE BLOCKED NONSENSE);
registered($admin);
accepted($admin);

# Lists.
for my $list ($requests, '/devcred/newDeviceRequests') {
	$admin->get("$list?$_") for 'withTotalPages=true&withTotalElements=true',
	    'pageSize=2&currentPage=2', 'pageSize=1&before=1000000', 'pageSize=1&after=1', 'before=0', "status=BLOCKED&q=device", 'pageSize=2000', 'pageSize=none',
	    map { "status=$_" } qw(WAITING_FOR_CONNECTION PENDING_ACCEPTANCE ACCEPTED);
}

# Many at once: one that is accepted, and one whose device sent a token.
my $all = client('all/admin');
pending($all);
pending($all, token => 'blue');
$all->request('POST', "$requests/acceptAll");

# A tenant's settings.
$site->ctl('', qw(tenant set limit --device-limit 0));
client('limit/admin')->get("$requests/limit");
for my $policy (qw(IGNORED REQUIRED)) {
	$site->ctl('', qw(tenant set token --token-policy), $policy);
	ask('tenant_option', login => Devcred::Site::login('token/admin'));
	ask('tenant_option_set', body('application/json', value => $policy));
}
ask('tenant_current', login => Devcred::Site::login('t2/admin'));
my $issued = issued($admin);
ask('user_current', login => $_) for
    (map { Devcred::Site::login($_) } qw(t1/reader t1/users t1/bootstrap)),
    't1/' . $issued->field('username') . ':' . $issued->field('password');

# SmartREST.
ask('smartrest', body => $_) for '60,x', '61', '61,nobody', '61,a b', '';

# Files: one of requests that fail with and without an id, one of credentials.
ask('bulk_create', body => file("ID\n$id-1\n$plain\n$plain\n")) for 1, 2;
ask('bulk_create', body => file("ID;PATH\n;x\n"));
ask('bulk_create', body => file("ID;CREDENTIALS\n$id-2;long enough\n$id-3;long-enough\n")) for 1, 2;
ask('bulk_create', body => file("NAME\nx\n"));
ask('bulk_create', body => "--edge\r\n");
ask('bulk_create', body => file('x' x 67_200_000));

# The life of credentials.
my $old = issued($admin, with => \%more);
login_of($old)->get('/user/currentUser');
my $at = life_of($old);
$management->request('PUT', "$at?tenant=t1", accept => '*/*', body('application/json', %$_))
    for { status => 'DISABLED' }, { expires => '2020-01-01T00:00:00Z' };
$admin->get("$life?$_") for 'withTotalPages=true&withTotalElements=true&pageSize=3',
    'pageSize=2&currentPage=2', 'pageSize=1&before=1000000', 'pageSize=1&after=1', 'before=0', 'q=device', 'pageSize=2000', 'pageSize=none',
    map { "status=$_" } qw(ACTIVE DISABLED EXPIRED);
$admin->request('PUT', $at, accept => '*/*', body('application/json', status => 'ACTIVE'));
$admin->get($at);
$admin->request('PUT', $at, accept => '*/*', body('application/json', expires => undef));
$admin->request('POST', "$at/reopen", accept => '*/*', body => '');
$admin->get($at);
$admin->request('PUT', $at, accept => '*/*',
	body('application/json', expires => '2099-01-01T00:00:00Z'));
$admin->request(GET => "$at?tenant=t1", accept => '*/*');
$admin->request(POST => "$at/$_?tenant=t1", accept => '*/*', body => '')
    for qw(reopen rotate decommission);
my $last = issued($admin);
$admin->request('DELETE', life_of($last) . '?tenant=t1', accept => '*/*');
for my $what ([GET => ''], [DELETE => ''], [PUT => '', body('application/json', status => 'ACTIVE')],
	map { [POST => "/$_", body => ''] } qw(rotate reopen decommission)) {
	my ($method, $path, %arg) = @$what;
	$management->request($method, "$life/$_", accept => '*/*', %arg)
	    for "nobody$path", "nobody$path?tenant=t1", "nobody$path?tenant=%zz";
}
$site->dbh->do("update devcred.device_credential set claimed_by = null where device_id = ?", undef,
	(my $given = issued($admin))->field('id'));
$admin->request('POST', life_of($given) . '/reopen', accept => '*/*', body => '');
my $sealed = issued($admin);
$site->dbh->do("update devcred.device_credential set seal_key = 'k', sealed = 'x', delivery_until =
	now() + interval '1 hour', delivery_limit = 9 where device_id = ?", undef, $sealed->field('id'));
$admin->get(life_of($sealed));
$device->request('POST', $Devcred::Http::CREDENTIALS, body('application/json', id => $_),
	headers => ['User-Agent: sensor/1.0']) for my $asked = registered($admin);
$device->poll($asked, with => { securityToken => 'blue' });
$admin->get("/devcred/newDeviceRequests/$asked/claims");

# The audit.
$admin->get("/devcred/audit?$_") for "id=$asked&pageSize=1", "id=$asked&before=1000000", 'pageSize=2000',
    'pageSize=none', 'id=%zz', 'before=0';
$admin->get("/devcred/statistics?days=$_") for 1, 367;

# Logins in a body.
my $good = issued($admin);
my %given = (username => 't1/' . $good->field('username'), password => $good->field('password'));
for my $broker (qw(emqx rabbitmq mosquitto)) {
	$admin->as(undef)->request('POST', "/devcred/verify/$broker", accept => '*/*', @$_)
	    for [type => 'application/json', body => '{'], [body('application/json', %given)], [type => 'application/x-www-form-urlencoded',
		body => join '&', map { "$_=$given{$_}" } sort keys %given];
}

# What belongs to no operation.
$admin->get($_) for '/devicecontrol/nothing', "$requests/../x";
my %path = map { $_->{path} => 1 } values %$operations;
for my $path (sort keys %path) {
	my @allowed = map { $_->{method} } grep { $_->{path} eq $path } values %$operations;
	for my $method (qw(GET POST PUT DELETE PATCH)) {
		next if grep { $_ eq $method } @allowed;
		# an id that is spelled as another path is that path
		$admin->request($method, $path =~ s/\{id\}/nobody/r, body => '');
	}
}

# Do they say the same? ------------------------------------------------------------

my %profile = (classic => 0, current => 1);
my %source;
for my $operation (values %$operations) {
	my @roles = map { [grep { $_ ne 'ROLE_ANY' } split /\s*\|\s*/, s/\A\s+|\s+\z//gr] }
	    split /,/, $operation->{roles};
	$source{ $operation->{name} } = { method => $operation->{method},
		path => $operation->{path},
		roles => { map { $_ => $roles[$profile{$_}] } keys %profile } };
}
my $source = File::Temp->new;
print {$source} $json->encode(\%source);
$_->flush for $source, $log;
my ($status, $out) = Devcred::Shell::run(['node', "$folder/check.mjs",
	"$Devcred::Shell::TOP/doc/openapi.yaml", "$log", "$source"]);
my @checks = $out =~ /^(?:not )?ok \d+ - .*\n(?:# .*\n)*/mg;
for my $check (@checks) {
	my ($first, $told) = split /\n/, $check, 2;
	my ($not, $name) = $first =~ /^(not )?ok \d+ - (.*)/;
	ok(!$not, $name) or diag($told =~ s/^# //gmr);
}
ok($status == 0 && $out =~ /^1\.\.${\scalar @checks}$/m, 'check.mjs runs to its end')
    or diag($out);
my ($version) = Devcred::Shell::read_file("$Devcred::Shell::TOP/configure.ac")
    =~ /^AC_INIT\(\[devcred\], \[([^\]]+)\]/m;
like(Devcred::Shell::read_file("$Devcred::Shell::TOP/doc/openapi.yaml"),
	qr/^  version: \Q$version\E$/m, 'the document is of this version');

done_testing();
