#!/usr/bin/perl
# What devices ask for: polls that write nothing, claims, credentials issued,
# and groups of them in one call.
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
my @WHO = ('t1/bootstrap', '192.0.2.7');

sub call {
	my ($function, @arg) = @_;
	$function = "devcred.$function" if $function !~ /\./;
	my $marks = join ', ', ('?') x @arg;
	return @{ $app->selectall_arrayref(
		"select * from $function($marks) order by 1",
		{ Slice => {} }, @arg) };
}
sub hex_of { return '\x' . unpack 'H*', $_[0] }

# Polls in one call: each an id, or a hash with id, scope, token, secret.
sub polls {
	my @poll = map { ref $_ ? $_ : { id => $_ } } @_;
	return map { { scope => 't1', secret => 's', %$_ } } @poll;
}
sub look {
	my @poll = polls(@_);
	return call('testing.look', map { my $key = $_; [map { $_->{$key} } @poll] }
		qw(id scope token));
}
sub issue {
	my @poll = polls(@_);
	return call('testing.poll', [map { $_->{id} } @poll],
		[map { $_->{scope} } @poll], [($WHO[0]) x @poll], [($WHO[1]) x @poll],
		[map { $_->{token} } @poll], [map { hex_of(substr $_->{secret} x 16, 0, 16) } @poll],
		[map { hex_of(Digest::SHA::sha256($_->{secret})) } @poll]);
}
sub create {
	my ($id, $properties) = @_;
	call('newdevice_create', 't1', 't1/admin', '192.0.2.1', $id, undef, undef, undef,
		$properties);
	return $id;
}
sub update { call('newdevice_update', 't1', 't1/admin', '192.0.2.1', @_) }

my %STATE = (
	none => sub { device_id() },
	waiting => sub { create(device_id()) },
	pending => sub { my $id = create(device_id()); issue($id); $id },
	accepted => sub { my $id = $_[0]{pending}->(); update($id, 'ACCEPTED'); $id },
	blocked => sub { my $id = $_[0]{pending}->(); update($id, 'BLOCKED'); $id },
);
sub id_in { return $STATE{$_[0]}->(\%STATE) }

sub value { return ($super->selectrow_array(@_))[0] }
sub request {
	my ($id) = @_;
	return join ' ', $super->selectrow_array('select ctid, xmin, xmax from
		devcred.newdevice_request where id = ?', undef, $id);
}
sub events { return value('select count(*) from devcred.event') }
sub credential {
	my ($id) = @_;
	return $super->selectrow_hashref('select * from devcred.device_credential
		where tenant = ? and device_id = ?', undef, 't1', $id);
}
# Rows of an answer in short: place, outcome or settled, status.
sub short {
	return join ', ', map { join ' ', $_->{n}, $_->{outcome}
		// ($_->{settled} ? 'settled' : 'open'), $_->{status} // '' } @_;
}
# Whether calls, in a transaction of their own, would write anything.
sub writes {
	my ($calls) = @_;
	$app->begin_work;
	$calls->();
	my ($xid) = $app->selectrow_array('select pg_current_xact_id_if_assigned()');
	$app->commit;
	return defined $xid ? 'wrote' : 'wrote nothing';
}

# Looking ------------------------------------------------------------------------

my $TOKEN = hex_of('t' x 32);
for my $case (
	['none', undef, '', 'an id that is not there has no row'],
	['waiting', undef, '1 open WAITING_FOR_CONNECTION', 'a first poll has to be recorded'],
	['pending', undef, '1 settled PENDING_ACCEPTANCE', 'a pending one is settled'],
	['pending', $TOKEN, '1 open PENDING_ACCEPTANCE', 'but not with another token'],
	['accepted', undef, '1 open ACCEPTED', 'an accepted one is to be issued'],
	['blocked', undef, '1 settled BLOCKED', 'a blocked one is settled'],
	['blocked', $TOKEN, '1 settled BLOCKED', 'with any token'],
) {
	my ($state, $token, $short, $name) = @$case;
	is(short(look({ id => id_in($state), token => $token })), $short, $name);
}
for my $state (qw(none waiting pending accepted blocked)) {
	my $id = id_in($state);
	my ($row, $events) = (request($id), events());
	is(writes(sub { look($id) for 1 .. 10 }), 'wrote nothing',
		"ten looks at one that is $state need no transaction id");
	is(request($id) . ' ' . events(), "$row $events", 'and leave its row and the events');
}

# Polls for ids that are not there, unchanged polls -------------------------------

my $events = events();
my $sizes = "select string_agg(pg_relation_size(c.oid)::text, ' ' order by c.oid)
	from pg_class c where c.relnamespace = 'devcred'::regnamespace";
my $size = value($sizes);
is(short(issue(map { "unknown-$_" } 1 .. 500)), '', '500 unknown ids are answered by no row');
is(events(), $events, 'and leave no event');
is(value($sizes), $size, 'and no table or index grows');
is(writes(sub { issue('unknown') }), 'wrote nothing', 'not even a transaction id is used');
is(value('select count(*) from devcred.newdevice_request where id like ?', undef,
	'unknown%'), 0, 'and no request was made');

my $id = id_in('pending');
my $ctid = value('select ctid from devcred.newdevice_request where id = ?', undef, $id);
$events = events();
is(short(issue($id)), '1 wrong_state PENDING_ACCEPTANCE', 'an unchanged poll is not yet served');
is(value('select ctid from devcred.newdevice_request where id = ?', undef, $id), $ctid,
	'even where it was not looked at first, its row is not rewritten');
is(events(), $events, 'and there is no event');

$super->do("update devcred.newdevice_request set last_seen_at = now() - interval '61 seconds'
	where id = ?", undef, $id);
is(short(look($id)), '1 open PENDING_ACCEPTANCE', 'after a minute it is to be seen again');
issue($id);
is(short(look($id)), '1 settled PENDING_ACCEPTANCE', 'and then settled for another minute');
$super->do("update devcred.newdevice_request set claimed_at = now() - interval '12 hours',
	last_seen_at = now() - interval '29 minutes' where id = ?", undef, $id);
is(short(look($id)), '1 settled PENDING_ACCEPTANCE', 'who has asked for half a day is written down every half hour');
$ctid = value('select ctid from devcred.newdevice_request where id = ?', undef, $id);
issue($id);
is(value('select ctid from devcred.newdevice_request where id = ?', undef, $id), $ctid,
	'also where it was not looked at first');
$super->do("update devcred.newdevice_request set last_seen_at = now() - interval '31 minutes'
	where id = ?", undef, $id);
is(short(look($id)), '1 open PENDING_ACCEPTANCE', 'and then again');
$super->do("update devcred.newdevice_request set claimed_at = now() - interval '30 days',
	last_seen_at = now() - interval '61 minutes' where id = ?", undef, $id);
is(short(look($id)), '1 open PENDING_ACCEPTANCE', 'but every hour at least');
issue($id);
is(short(look($id)), '1 settled PENDING_ACCEPTANCE', 'which it is');
is(events(), $events, 'seeing a device is no event');

# Issuing ------------------------------------------------------------------------

$id = create(device_id(), '{"k": "v"}');
my ($row) = issue($id);
is(join(' ', $super->selectrow_array('select claimed_from, claimed_at between
	created_at and clock_timestamp(), num_nulls(claimed_at, last_seen_at) from devcred.newdevice_request where id = ?', undef, $id)),
	'192.0.2.7 1 0', 'a claim is kept with its address and time');
update($id, 'ACCEPTED');
my $accepted_at = value('select accepted_at from devcred.newdevice_request where id = ?',
	undef, $id);
my $seq = value('select seq from devcred.newdevice_request where id = ?', undef, $id);
is_deeply([issue({ id => $id, secret => 'first' })], [{ n => 1, outcome => 'ok',
	status => 'ACCEPTED', tenant => 't1', custom_properties => '{"k": "v"}' }],
	'an accepted device gets its credentials');
my $credential = credential($id);
is($credential->{username}, "device_$id", 'its login is made of its id');
is($credential->{password_hash}, Digest::SHA::sha256('first'), 'its hash is the one given');
is(join(' ', @$credential{qw(generation registration issued_to accepted_by accepted_at)}),
	"1 $seq 192.0.2.7 t1/admin $accepted_at",
	'it tells of its registration, its acceptance and where it went');
is(short(issue($id)), '1 absent ', 'who asks again is told of no request');
is_deeply({ %{ credential($id) }, refused_at => undef }, $credential, 'and the credential stays');

create($id);
issue($id);
update($id, 'ACCEPTED');
is(credential($id)->{password_hash}, Digest::SHA::sha256('first'),
	'until a device registered again gets its password, the old one is valid');
$app->begin_work;
issue({ id => $id, secret => 'second' });
is(credential($id)->{password_hash}, Digest::SHA::sha256('first'), 'and up to the commit');
$app->rollback;
is(credential($id)->{generation}, 1, 'a rollback leaves the old one');
is(short(look($id)), '1 open ACCEPTED', 'and the request accepted');
issue({ id => $id, secret => 'second' });
is(join(' ', credential($id)->{generation}, value('select count(*) from
	devcred.device_credential where device_id = ?', undef, $id)), '2 1',
	'then there is one credential still, of the second generation');
is(credential($id)->{password_hash}, Digest::SHA::sha256('second'), 'with the new password');
update(create(device_id()), 'BLOCKED');
call('newdevice_delete', 't1', 't1/admin', undef, create($id));
is(credential($id)->{generation}, 2, 'deleting a request leaves what was issued before');

# Groups ---------------------------------------------------------------------------

sub group_of { return map { $_ => id_in($_) } qw(none waiting pending accepted blocked) }
my %in = group_of();
is(short(look(map { $in{$_} } qw(blocked none pending waiting accepted pending))),
	'1 settled BLOCKED, 3 settled PENDING_ACCEPTANCE, 4 open WAITING_FOR_CONNECTION, '
	. '5 open ACCEPTED, 6 settled PENDING_ACCEPTANCE',
	'a group is looked at each on its own');
$events = events();
is(short(issue(map { $in{$_} } qw(blocked none pending waiting accepted pending))),
	'1 wrong_state BLOCKED, 3 wrong_state PENDING_ACCEPTANCE, '
	. '4 wrong_state PENDING_ACCEPTANCE, 5 ok ACCEPTED, 6 wrong_state PENDING_ACCEPTANCE',
	'and answered each on its own');
is(events(), $events + 2, 'a claim and an issue are two events');

$id = id_in('accepted');
is(short(issue({ id => $id, secret => 'a' }, { id => $id, secret => 'b' },
	{ id => $id, secret => 'c' })),
	'1 ok ACCEPTED, 2 absent , 3 absent ',
	'of one device asking thrice in a group the first gets the credentials, the others look again');
is(credential($id)->{password_hash}, Digest::SHA::sha256('a'), 'those of its own place');
is(credential($id)->{password_salt}, 'a' x 16, 'hash and salt');

$id = id_in('waiting');
$events = events();
issue($id, $id, $id);
is(events(), $events + 1, 'a device that connects thrice in a group is claimed once');

my @many = map { id_in('accepted') } 1 .. 20;
my @rows = issue(map { { id => $many[$_], secret => chr(65 + $_) } } 0 .. $#many);
is((grep { $_->{outcome} eq 'ok' } @rows), 20, 'twenty devices are issued in one call');
is_deeply([map { credential($_)->{password_salt} } @many],
	[map { chr(65 + $_) x 16 } 0 .. $#many], 'each with the password of its place');

($id, my $other) = (id_in('accepted'), id_in('accepted'));
is(short(issue({ id => $id, scope => 't2' }, { id => $other, scope => 'management' })),
	'2 ok ACCEPTED', 'in a group every device has the reach of its own login');
is(short(look($id)), '1 open ACCEPTED', 'what was out of reach is as it was');
my $mine = id_in('accepted');
is(short(issue({ id => $mine, scope => 't2' }, { id => $mine })), '2 ok ACCEPTED',
	'and a stranger in front does not take its place');
$id = create(device_id());
issue({ id => $id, token => $TOKEN });
update($id, 'ACCEPTED', undef, $TOKEN);
is(short(issue({ id => $id }, { id => $id, token => $TOKEN })),
	'1 token_mismatch ACCEPTED, 2 ok ACCEPTED', 'nor does one with another token');
is(join(' ', look(), issue()), '', 'an empty group is no row');

done_testing;
