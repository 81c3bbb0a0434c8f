#!/usr/bin/perl
# The same through every door: what administrators do with requests and
# credentials over HTTP, with devcredctl and in SQL ends the same and leaves the
# same events, but for who did it and from where.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'nginx');
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $db = $site->dbh;
my $operator = $site->dbh('devcred_operator');
my ($SALT, $HASH) = map { '\x' . '07' x $_ } 16, 32;

sub http {
	my ($method, $path, $body) = @_;
	return $admin->request($method => $path, accept => '*/*', body => $body // '',
		type => 'application/json');
}
sub run_ctl { my (@arg) = @_; return $site->ctl('', @arg) }
sub sql {
	my ($function, @arg) = @_;
	my $marks = join ', ', "'t1'", "'db:me'", 'null', ('?') x @arg;
	return $operator->selectall_arrayref("select * from devcred.$function($marks)", undef, @arg);
}
my $LIFE = '/devcred/credentials';
my $REQUESTS = $Devcred::Http::REQUESTS;

# Every action, through each door; of SQL the tenant stands before the id.
my %DOOR = (
	HTTP => {
		create => sub { http(POST => $REQUESTS, qq({"id":"$_[0]"})) },
		(map { my $status = $_->[1];
			($_->[0] => sub { http(PUT => "$REQUESTS/$_[0]", qq({"status":"$status"})) })
		} ['accept', 'ACCEPTED'], ['block', 'BLOCKED'], ['lift', 'PENDING_ACCEPTANCE']),
		delete => sub { http(DELETE => "$REQUESTS/$_[0]") },
		disable => sub { http(PUT => "$LIFE/$_[0]", '{"status":"DISABLED"}') },
		enable => sub { http(PUT => "$LIFE/$_[0]", '{"status":"ACTIVE"}') },
		expire => sub { http(PUT => "$LIFE/$_[0]", '{"expires":"2099-01-01T00:00:00Z"}') },
		revoke => sub { http(DELETE => "$LIFE/$_[0]") },
		map { my $what = $_; ($what => sub { http(POST => "$LIFE/$_[0]/$what") }) }
			qw(rotate reopen decommission),
	},
	devcredctl => {
		create => sub { run_ctl(qw(request add), $_[0], qw(--tenant t1)) },
		(map { my $verb = $_; ($verb => sub { run_ctl('request', $verb, $_[0]) }) }
			qw(accept block lift delete)),
		expire => sub { run_ctl(qw(credential expire), $_[0], '2099-01-01T00:00:00Z') },
		map { my $verb = $_; ($verb => sub { run_ctl('credential', $verb, $_[0]) }) }
			qw(disable enable rotate reopen revoke decommission),
	},
	SQL => {
		create => sub { sql('newdevice_create', $_[0], undef, undef, undef, undef) },
		(map { my $status = $_->[1];
			($_->[0] => sub { sql('newdevice_update', $_[0], $status) })
		} ['accept', 'ACCEPTED'], ['block', 'BLOCKED'], ['lift', 'PENDING_ACCEPTANCE']),
		delete => sub { sql('newdevice_delete', $_[0]) },
		disable => sub { sql('credential_disable', undef, $_[0], 't') },
		enable => sub { sql('credential_disable', undef, $_[0], 'f') },
		expire => sub { sql('credential_expire', undef, $_[0], '2099-01-01T00:00:00Z') },
		rotate => sub { sql('credential_rotate', undef, $_[0], $SALT, $HASH, 86_400) },
		reopen => sub { sql('credential_reopen', undef, $_[0], 900) },
		revoke => sub { sql('credential_revoke', undef, $_[0]) },
		decommission => sub { sql('credential_decommission', undef, $_[0]) },
	},
);
$operator->do('set role devcred_owner');

# What a device has come to: its request, its credential, its events.
sub state_of {
	my ($id) = @_;
	my ($request) = $db->selectrow_array('select status from devcred.request where id = ?', undef, $id);
	my $credential = $db->selectrow_arrayref('select status, generation, deliveries, expires_at,
		old_until is not null from devcred.credential where device_id = ?', undef, $id);
	my $events = $db->selectall_arrayref('select operation, outcome, tenant, status_before,
		status_after from devcred.event where device_id = ? order by seq', undef, $id);
	return join "\n", map { join ' ', map { $_ // '-' } @$_ } [$request], $credential // [], @$events;
}

# Sequences, also of what is not allowed; "poll" is the device itself.
my @ACTIONS = sort keys %{ $DOOR{SQL} };
srand($ENV{DEVCRED_TEST_SEED} // 20_261_123);
my @sequences = (
	[qw(create create accept poll accept accept poll reopen poll rotate disable enable expire revoke)],
	[qw(create poll block accept lift accept block lift accept poll decommission create poll accept poll)],
	[qw(create delete delete disable revoke rotate reopen decommission)],
	map { [map { rand() < 0.35 ? 'poll' : $ACTIONS[rand @ACTIONS] } 1 .. 12] } 1 .. 12,
);
for my $sequence (@sequences) {
	my %is;
	for my $door (sort keys %DOOR) {
		my $id = device_id();
		for my $action (@$sequence) {
			$action eq 'poll' ? $device->poll($id) : $DOOR{$door}{$action}->($id);
		}
		$is{$door} = state_of($id) =~ s/\Q$id\E/ID/gr;
	}
	is($is{devcredctl}, $is{HTTP}, "devcredctl does as HTTP: @$sequence");
	is($is{SQL}, $is{HTTP}, 'and so does SQL');
}
is_deeply($db->selectcol_arrayref("select distinct case when actor like 'db:%' then 'a login of the database'
	else actor end from devcred.event order by 1"),
	['a login of the database', 'management/devicebootstrap', 't1/admin'],
	'who did it is known');

done_testing;
