#!/usr/bin/perl
# Functions of administrators, and the state machine: what every action
# answers in every state, what it leaves, and the event that tells of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $app = $cluster->connect($database, 'devcred_service');

my @WHO = ('t1/admin', '192.0.2.7');
my %STATUS = (W => 'WAITING_FOR_CONNECTION', P => 'PENDING_ACCEPTANCE',
	A => 'ACCEPTED', B => 'BLOCKED');

# Call a function as the service does; returns its rows.
sub call {
	my ($function, @arg) = @_;
	$function = "devcred.$function" if $function !~ /\./;
	my $marks = join ', ', ('?') x @arg;
	return @{ $app->selectall_arrayref(
		"select * from $function($marks)", { Slice => {} }, @arg) };
}
sub status_of {
	my ($id) = @_;
	return $super->selectrow_array('select status from devcred.newdevice_request
		where id = ?', undef, $id);
}
sub events_of {
	my ($id) = @_;
	return @{ $super->selectall_arrayref('select * from devcred.event
		where device_id = ? order by seq', { Slice => {} }, $id) };
}

my %ACTION = (
	create => sub { call('newdevice_create', 't1', @WHO, $_[0], undef, undef, undef, undef) },
	poll => sub {
		call('testing.poll', [$_[0]], ['t1'], [$WHO[0]], [$WHO[1]],
			[undef], ['\x' . '01' x 16], ['\x' . '02' x 32]);
	},
	delete => sub { call('newdevice_delete', 't1', @WHO, $_[0]) },
	map {
		my $status = $STATUS{$_->[1]};
		($_->[0] => sub { call('newdevice_update', 't1', @WHO, $_[0], $status) })
	} ['accept', 'A'], ['block', 'B'], ['to_pending', 'P'], ['to_waiting', 'W'],
);
my %OPERATION = (create => 'newdevice_create', accept => 'newdevice_accept',
	block => 'newdevice_block', to_pending => 'newdevice_lift',
	to_waiting => 'newdevice_lift', delete => 'newdevice_delete');

# The actions that lead into a state.
my %WAY = (
	'none' => [],
	'waiting' => ['create'],
	'pending' => ['create', 'poll'],
	'accepted' => ['create', 'poll', 'accept'],
	'blocked when waiting' => ['create', 'block'],
	'blocked when pending' => ['create', 'poll', 'block'],
	'blocked when accepted' => ['create', 'poll', 'accept', 'block'],
	'issued' => ['create', 'poll', 'accept', 'poll'],
	'deleted' => ['create', 'delete'],
);
sub id_in {
	my ($state) = @_;
	my $id = device_id();
	$ACTION{$_}->($id) for @{ $WAY{$state} };
	return $id;
}

# Every state and every action: outcome > status after, "!" if it is an event.
# "-" is no row; after ">" a "." is no request.
my $MACHINE = <<'END';
state                 | create | poll           | accept         | block | to_pending     | to_waiting     | delete
none                  | ok>W!  | ->.            | ->.            | ->.   | ->.            | ->.            | ->.
waiting               | exists>W | wrong_state>P! | wrong_state>W! | ok>B! | wrong_state>W! | wrong_state>W! | ok>.!
pending               | exists>P | wrong_state>P  | ok>A!          | ok>B! | wrong_state>P! | wrong_state>P! | ok>.!
accepted              | exists>A | ok>.!          | wrong_state>A! | ok>B! | wrong_state>A! | wrong_state>A! | ok>.!
blocked when waiting  | exists>B | wrong_state>B  | wrong_state>B! | ok>B! | wrong_state>B! | ok>W!          | ok>.!
blocked when pending  | exists>B | wrong_state>B  | wrong_state>B! | ok>B! | ok>P!          | ok>W!          | ok>.!
blocked when accepted | exists>B | wrong_state>B  | wrong_state>B! | ok>B! | ok>P!          | ok>W!          | ok>.!
issued                | ok>W!  | absent>.!      | ->.            | ->.   | ->.            | ->.            | ->.
deleted               | ok>W!  | ->.            | ->.            | ->.   | ->.            | ->.            | ->.
END
my ($head, @lines) = map { [split /\s*\|\s*/, $_] } split /\n/, $MACHINE;
my (undef, @actions) = @$head;

is_deeply([sort map { $_->[0] } @lines], [sort keys %WAY],
	'the table has every state');
for my $line (@lines) {
	my ($state, @cells) = @$line;
	try($state, $actions[$_], $cells[$_]) for 0 .. $#actions;
}

sub try {
	my ($state, $action, $cell) = @_;
	my ($outcome, $after, $event) = $cell =~ /\A(.*)>(.)(!?)\z/
	    or die "not a cell: $cell\n";
	my $id = id_in($state);
	my $before = status_of($id);
	my $known = events_of($id);
	my ($row) = $ACTION{$action}->($id);
	my @new = events_of($id);
	splice @new, 0, $known;

	is(($row ? $row->{outcome} : '-') . '>' . (status_of($id) // 'gone'),
		"$outcome>" . ($STATUS{$after} // 'gone'),
		"$action in state $state is $outcome");
	my $operation = $OPERATION{$action}
	    // { accepted => 'credential_issue', issued => 'credential_refuse' }->{$state}
	    // 'newdevice_claim';
	# a claim is done, though the device has to come again; a window is closed
	my $ended = { newdevice_claim => 'ok', credential_refuse => 'wrong_state' }->{$operation}
	    // $outcome;
	is_deeply([map { told($_) } @new],
		$event ? [told({ operation => $operation, outcome => $ended,
			actor => $WHO[0], source => $WHO[1], tenant => 't1',
			db_user => 'devcred_service', status_before => $before,
			status_after => $STATUS{$after} })] : [],
		$event ? 'and audited once' : 'and not audited')
	    or diag("$action in state $state");
	return;
}
sub told {
	my ($event) = @_;
	return join ' ', map { "$_=" . ($event->{$_} // 'null') } qw(operation
		outcome actor source tenant db_user status_before status_after);
}

# The rows ---------------------------------------------------------------------

my $id = device_id();
my ($row) = call('newdevice_create', 't1', @WHO, $id, undef, 'g 1', 'c8y_Type', '{"a": [1]}');
my $created = delete $row->{created};
is_deeply($row, { outcome => 'ok', id => $id, tenant => 't1', status => $STATUS{W},
	owner => 't1/admin', group_id => 'g 1', type => 'c8y_Type',
	custom_properties => '{"a": [1]}' }, 'a created request is told as it was asked for');
like($created, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00\z/,
	'with its time in UTC and milliseconds');
is_deeply([call('newdevice_get', 't1', $id)], [{ %$row, created => $created }],
	'and found again just so');
($row) = call('newdevice_create', 't1', @WHO, $id, undef, undef, 'other', undef);
is($row->{outcome}, 'exists', 'the same id again is refused');
is((call('newdevice_get', 't1', $id))[0]{type}, 'c8y_Type', 'and changes nothing');

($row) = call('newdevice_create', 'management', @WHO, device_id(), 'nowhere', undef, undef, undef);
is($row->{outcome}, 'no_tenant', 'a request for a tenant that is not there is refused');

($row) = call('newdevice_update', 't1', @WHO, $id, 'BLOCKED', 'new type');
is($row->{type}, 'new type', 'an update may name the type');
($row) = call('newdevice_update', 't1', @WHO, $id, 'ACCEPTED', 'third type');
is($row->{type}, 'new type', 'a refused update does not change the type');
($row) = call('newdevice_update', 't1', @WHO, $id, 'WAITING_FOR_CONNECTION');
is($row->{type}, 'new type', 'nor does one that names none');

$id = id_in('accepted');
is(join(' ', $super->selectrow_array('select accepted_by, accepted_at between
	claimed_at and clock_timestamp() from devcred.newdevice_request where id = ?',
	undef, $id)), 't1/admin 1', 'a request knows who accepted it and when');
$ACTION{block}->($id);
$ACTION{to_waiting}->($id);
is($super->selectrow_array('select num_nulls(claimed_at, claimed_from, last_seen_at,
	token_hash, accepted_at, accepted_by) from devcred.newdevice_request where id = ?',
	undef, $id), 6, 'back to waiting it knows nothing of a device or an acceptance');

my ($start) = $super->selectrow_array('select clock_timestamp()');
$id = id_in('pending');
is($super->selectrow_array('select count(*) from devcred.event where device_id = ?
	and at between ? and clock_timestamp()', undef, $id, $start), 2,
	'events carry the time of the database');

my $old = id_in('deleted');
$ACTION{create}->($old);
is($super->selectrow_array('select count(distinct registration) from devcred.event
	where device_id = ?', undef, $old), 2, 'an id registered again is another registration');
is($super->selectrow_array('select count(*) from devcred.newdevice_request r
	join devcred.event e on e.registration = r.seq where r.id = ?', undef, $old), 1,
	'whose events are its own');

# The list ---------------------------------------------------------------------

sub list {
	my (%arg) = @_;
	return call('newdevice_list', $arg{scope} // 'list', $arg{status}, $arg{prefix},
		$arg{limit} // 100, $arg{offset} // 0, $arg{count} // 'f');
}
sub ids { return join ' ', map { $_->{id} // 'nobody' } @_ }

is(ids(list()), 'nobody', 'an empty list is one row without an id');
is((list(count => 't'))[0]{total}, 0, 'which counts none');
call('newdevice_create', 'list', @WHO, $_, undef, undef, undef, undef)
    for qw(x1 x2 x_3 y4);
call('newdevice_update', 'list', @WHO, 'x2', 'BLOCKED');

for my $case (
	[{}, 'y4 x_3 x2 x1', 'the list is newest first'],
	[{ limit => 2 }, 'y4 x_3', 'a page has its size'],
	[{ limit => 2, offset => 2 }, 'x2 x1', 'the next page goes on where it ended'],
	[{ offset => 4 }, 'nobody', 'past the end is nothing'],
	[{ status => 'BLOCKED' }, 'x2', 'a status narrows the list'],
	[{ prefix => 'x' }, 'x_3 x2 x1', 'so does the beginning of the id'],
	[{ prefix => 'x_' }, 'x_3', 'in which _ is no wildcard'],
	[{ prefix => '%' }, 'nobody', 'nor is %'],
	[{ prefix => 'x', status => 'BLOCKED' }, 'x2', 'both narrow it together'],
) {
	my ($arg, $ids, $name) = @$case;
	is(ids(list(%$arg)), $ids, $name);
}
is((list(limit => 1, count => 't', prefix => 'x'))[0]{total}, 3,
	'the total counts what is narrowed, not the page');
is((list(offset => 9, count => 't'))[0]{total}, 4, 'past the end it is told too');
is((list())[0]{total}, undef, 'it is counted on request only');

# The function for a page and nothing else tells the same of it.
for my $arg (
	[undef, undef, 3, 0, undef, undef], [undef, undef, 3, 3, undef, undef],
	[undef, undef, 2, 0, (list())[1]{seq}, undef], [undef, undef, 2, 0, undef, (list())[3]{seq}],
	['BLOCKED', undef, 9, 0, undef, undef], [undef, 'x_', 9, 0, undef, undef],
	[undef, 'z', 9, 0, undef, undef],
) {
	my ($status, $prefix, $limit, $offset, @between) = @$arg;
	for my $scope (qw(list management)) {
		my @page = call('newdevice_page', $scope, @$arg);
		my @list = call('newdevice_list', $scope, @$arg[0 .. 3], 'f', @between, undef);
		@list = () if !defined $list[0]{id};
		for my $row (@list) {
			delete @$row{qw(last_seen claimed_from claimants has_token)};
			($row->{created}) = $super->selectrow_array("select date_part('epoch', created_at)
				from devcred.newdevice_request where id = ?", undef, $row->{id});
		}
		is_deeply(\@page, \@list, "a page is as in the list: $scope " . join ' ', map { $_ // '-' } @$arg);
	}
}

done_testing;
