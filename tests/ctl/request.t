#!/usr/bin/perl
# request add, accept, block, lift, delete, list: what the API does, with the same
# audit.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $REQUESTS = '/devicecontrol/newDeviceRequests';
my $site = Devcred::Site->new(web => 'none', start => 0,
	conf => { token_attempts => 2 });
my $dbh = $site->dbh('devcred_reader');

# The API, as an administrator of t1 and as a device.
sub api {
	my ($method, $id, $body) = @_;
	return cgi($site, $method,
		$method eq 'POST' ? $REQUESTS : "$REQUESTS/$id",
		login => Devcred::Site::login('t1/admin'), body => $body);
}

sub poll {
	my ($id, $token) = @_;
	return cgi($site, 'POST', '/devicecontrol/deviceCredentials',
		login => Devcred::Site::login('t1/bootstrap'),
		body => Devcred::Http::to_json(id => $id,
			defined $token ? (securityToken => $token) : ()));
}

sub ctl {
	my ($verb, $id, @more) = @_;
	my ($status, $text) = $site->ctl('', 'request', $verb, $id, @more);
	return $status;
}

# What the audit has about a device, but for times and who it was.
sub story {
	my ($id) = @_;
	return $dbh->selectall_arrayref("select tenant, operation, outcome,
		status_before, status_after from devcred.audit
		where device_id = ? order by seq", undef, $id);
}

sub status_of {
	my ($id) = @_;
	my ($text) = says($site, ['request', 'list'], 0,
		qr/^\Q$id\E +\S+ +[A-Z]/m, "$id is in the list");
	return $text =~ /^\Q$id\E +\S+ +([A-Z_]+)/m ? $1 : 'absent';
}

# The same story, told by the API and by devcredctl -----------------------------

my ($api, $ctl) = (device_id('api'), device_id('ctl'));
for my $step (
	['add', 'POST', sub { Devcred::Http::to_json(id => $_[0]) },
		['--tenant', 't1']],
	['accept', 'PUT', sub { '{"status":"ACCEPTED"}' }, [], 'refused'],
	['poll'],
	['block', 'PUT', sub { '{"status":"BLOCKED"}' }, []],
	['accept', 'PUT', sub { '{"status":"ACCEPTED"}' }, [], 'refused'],
	['lift', 'PUT', sub { '{"status":"PENDING_ACCEPTANCE"}' }, []],
	['lift', 'PUT', sub { '{"status":"PENDING_ACCEPTANCE"}' }, [], 'refused'],
	['block', 'PUT', sub { '{"status":"BLOCKED"}' }, []],
	['lift', 'PUT', sub { '{"status":"WAITING_FOR_CONNECTION"}' }, ['--forget']],
	['delete', 'DELETE', sub { undef }, ['--yes']],
	['delete', 'DELETE', sub { undef }, ['--yes'], 'refused'],
	['add', 'POST', sub { Devcred::Http::to_json(id => $_[0]) },
		['--tenant', 't1']],
	['add', 'POST', sub { Devcred::Http::to_json(id => $_[0]) },
		['--tenant', 't1'], 'refused'],
	['poll'],
	['accept', 'PUT', sub { '{"status":"ACCEPTED"}' }, []],
	['poll'],
	['delete', 'DELETE', sub { undef }, ['--yes'], 'refused'],
    ) {
	my ($verb, $method, $body, $options, $refused) = @$step;
	if ($verb eq 'poll') {
		is(poll($ctl), poll($api), 'the device polls, with the same answer');
		next;
	}
	my $answer = api($method, $api, $body->($api));
	my $status = ctl($verb, $ctl, @$options);
	is($status, $refused ? 1 : 0, "$verb" . ($refused ? ' is refused' : ''));
	is($answer =~ /\A2/ ? 0 : 1, $status, "as by the API ($answer)");
}
is_deeply(story($ctl), story($api), 'the audit has the same story of both')
    or diag(explain(story($ctl), story($api)));
is_deeply($dbh->selectcol_arrayref("select distinct actor || '|'
	|| coalesce(host(source), 'no address') || '|' || db_user
	from devcred.audit where device_id = ? and operation ~ '^newdevice_[^c]'",
	undef, $ctl), ['db:devcred_operator|no address|devcred_operator'],
	'the actor is the login of devcredctl');

# Words -------------------------------------------------------------------------

my $id = device_id();
says($site, ['request', 'add', $id, '--tenant', 't1', '--type', 'a type',
	'--group', 'g1'], 0,
	qr/\A$id is WAITING_FOR_CONNECTION, for the tenant t1\n\z/,
	'add says what is now');
says($site, ['request', 'list', '--tenant', 't1'], 0,
	qr/^$id +t1 +WAITING_FOR_CONNECTION +db:devcred_operator +\S+Z +a type +g1$/m,
	'and the list shows it');
says($site, ['request', 'add', $id], 1, qr/request $id already\n-> /,
	'an id is registered once');
says($site, ['request', 'accept', $id], 1,
	qr/WAITING_FOR_CONNECTION.*\n-> the device has to ask/,
	'accept says what has to come first');
says($site, ['request', 'block', $id], 0, qr/\A$id is BLOCKED\n\z/, 'block');
says($site, ['request', 'block', $id], 0, qr/is BLOCKED/, 'block again');
says($site, ['request', 'accept', $id], 1,
	qr/BLOCKED, not PENDING.*\n-> devcredctl request lift $id\n/,
	'accept says how to lift the block');
says($site, ['request', 'lift', $id], 1, qr/no device has asked.*\n-> .*lift $id --forget/,
	'lift says what to do where no device has asked');
says($site, ['request', 'lift', $id, '--forget'], 0,
	qr/\A$id is WAITING_FOR_CONNECTION\n\z/, 'which works');
says($site, ['request', 'lift', $id], 1, qr/WAITING_FOR_CONNECTION, not BLOCKED\n\z/,
	'what is not blocked is not lifted');
$site->dbh->do("update devcred.tenant set device_limit = 0 where id = 't1'");
my $full = device_id('full');
ctl('add', $full, '--tenant', 't1');
poll($full);
says($site, ['request', 'accept', $full], 1,
	qr/t1 has as many devices.*\n-> .*tenant set t1 --device-limit/,
	'a tenant that is full says so');
$site->dbh->do("update devcred.tenant set device_limit = null where id = 't1'");
says($site, ['request', 'delete', $id, '--yes'], 0, qr/\A$id deleted; .* stay\n\z/,
	'delete says what stays');
for my $verb (qw(accept block lift delete)) {
	says($site, ['request', $verb, $id, $verb eq 'delete' ? '--yes' : ()], 1,
		qr/no new device request $id\n-> devcredctl request list\n\z/,
		"$verb: an unknown device");
}
says($site, ['request', 'add', device_id()], 0, qr/for the tenant management$/,
	'without --tenant it is for management');
for my $case (
	[['a b'], qr/see its byte 2/, 'a space'], [[''], qr/it is empty/, 'nothing'],
	[['a:b'], qr/see its byte 2/, 'a colon'],
	[["a\nb"], qr/see its byte 2/, 'a newline'],
	[['x' x 1001], qr/too long/, '1001 characters'],
	[["\xff"], qr/not UTF-8/, 'bytes that are not UTF-8'],
	[['fine', '--tenant', 'nobody'], qr/no tenant nobody\n-> /,
		'an unknown tenant'],
	[['fine', '--type', "\xff"], qr/the type is not UTF-8/,
		'a type that is not UTF-8'],
	[['fine', '--group', "\xff"], qr/the group is not UTF-8/,
		'a group that is not UTF-8'],
    ) {
	my ($args, $words, $name) = @$case;
	says($site, ['request', 'add', @$args], 1, $words, "refused: $name");
}
my $odd = device_id("-\xc3\xbc'\"%;\$1" =~ s/\$//r);
says($site, ['request', 'add', '--', $odd], 0, qr/\A\Q$odd\E is WAITING/,
	'characters that shells and SQL know do no harm');
says($site, ['request', 'add', device_id('red'), '--type', "\e[31m", '--group',
	"\xe2\x80\xaeright"], 0, qr/WAITING/, 'control characters in other fields');
says($site, ['request', 'list'], 0, qr/\?\[31m +\?right$/m,
	'are shown as question marks');

# List --------------------------------------------------------------------------

my $newest = device_id('newest');
ctl('add', $newest, '--tenant', 't2');
says($site, ['request', 'list', '--limit', 1], 0,
	qr/\AID .*\n$newest .*\n.*more than 1; see --limit\n\z/,
	'--limit takes the newest and says that there are more');
says($site, ['request', 'list', '--tenant', 't2'], 0,
	qr/\AID .*\n$newest .*\n\z/, '--tenant takes those of a tenant');
says($site, ['request', 'list', '--tenant', 'management'], 0,
	qr/\A(?:(?!$newest).)*\z/s, 'management has requests of its own');
ctl('block', $newest);
says($site, ['request', 'list', '--status', 'blocked'], 0,
	qr/\AID .*\n$newest .*\n\z/, '--status takes those in a state');
says($site, ['request', 'list', '--status', 'block'], 0,
	qr/\AID .*\n$newest .*\n\z/, 'and its beginning will do');
for my $case (
	[['--limit', 0], qr/from 1 to/], [['--limit', 'x'], qr/from 1 to/],
	[['--limit', 100001], qr/from 1 to/], [['--status', 'DONE'], qr/a status is/],
	[['--status', ''], qr/a status is/], [['--status', 'blocked2'], qr/a status is/],
    ) {
	says($site, ['request', 'list', @{ $case->[0] }], 2, $case->[1],
		"@{ $case->[0] } makes no sense");
}
says($site, ['request', 'list', '--tenant', 'nobody'], 1, qr/no tenant nobody/,
	'list: an unknown tenant');

# Security tokens ---------------------------------------------------------------

my $token = "t\xc3\xb6ken";
sub pending_with_token {
	my $device = device_id('token');
	ctl('add', $device, '--tenant', 't1');
	poll($device, $token);
	return $device;
}
my @stdin = ('--token-stdin');
$id = pending_with_token();
says($site, ['request', 'accept', $id], 1,
	qr/$id sent a security token.*\n-> devcredctl request accept $id --token-stdin/,
	'a device that sent a token is not accepted without it');
says($site, ['request', 'accept', $id, @stdin], 0, qr/$id is ACCEPTED/,
	'with the token on standard input it is', in => "$token\nmore\n");
is(poll($id, $token), 201, 'and gets its credentials');
$id = pending_with_token();
says($site, ['request', 'accept', $id, @stdin], 1, qr/not the one $id sent/,
	'a wrong token is refused', in => "wrong\n");
says($site, ['request', 'accept', $id, @stdin], 1, qr/$id is BLOCKED now/,
	'after token_attempts of them the request is blocked', in => "wrong\n");
is(status_of($id), 'BLOCKED', 'and stays so');
$id = pending_with_token();
for my $case (['', qr/no security token/, 'nothing'],
    ["\n", qr/empty/, 'an empty line'], ["\xff\n", qr/UTF-8/, 'no UTF-8'],
    ["a\x{0}b\n", qr/NUL/, 'a NUL'], ['x' x 2000, qr/longer than/, '2000 bytes']) {
	my ($in, $words, $name) = @$case;
	says($site, ['request', 'accept', $id, @stdin], 1, $words,
		"no token: $name", in => $in);
}
my ($status, $shown) = typed($site, ['request', 'accept', $id, @stdin],
	qr/security token: / => "$token\n");
ok($status == 0 && $shown !~ /\Q$token\E/,
	'on a terminal it can be typed, and is not shown') or diag($shown);

done_testing;
