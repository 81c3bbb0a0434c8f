#!/usr/bin/perl
# The same through every door: what administrators do with requests and
# credentials over HTTP, with devcredctl and in SQL ends the same and leaves the
# same events, but for who did it and from where.  So do plain statements, but
# that what they refuse is undone, and leaves no event.
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
my $sql = $site->dbh('devcred_t1');

sub http {
	my ($method, $path, $body) = @_;
	return $admin->request($method => $path, accept => '*/*', body => $body // '',
		type => 'application/json');
}
sub run_ctl {
	my (@arg) = @_;
	my ($status, $text) = $site->ctl('', @arg);
	$status < 2 or die "devcredctl @arg: $status\n$text";
	return;
}
sub call {
	my ($function, @arg) = @_;
	my $marks = join ', ', ('?') x @arg;
	return $sql->selectall_arrayref("select * from devcred.$function($marks)", undef, @arg);
}
# A plain statement, which may be refused by what it breaks.
sub plain {
	my ($statement, @value) = @_;
	eval { $sql->do($statement, undef, @value); 1 } or $sql->state =~ /^23/ or die $@;
	return;
}
sub csv { return "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
	. "ID\n$_[0]\n\r\n--edge--\r\n" }
my $LIFE = '/devcred/credentials';
my $REQUESTS = $Devcred::Http::REQUESTS;

my $file = Devcred::Shell::new_dir() . '/ids.csv';
my $END = '2099-01-01T00:00:00Z';

# Every action, through each door.
my %DOOR = (
	HTTP => {
		create => sub { http(POST => $REQUESTS, qq({"id":"$_[0]"})) },
		bulk => sub { $admin->request(POST => '/devicecontrol/bulkNewDeviceRequests', accept => '*/*',
			type => 'multipart/form-data; boundary=edge', body => csv($_[0])) },
		(map { my $status = $_->[1];
			($_->[0] => sub { http(PUT => "$REQUESTS/$_[0]", qq({"status":"$status"})) })
		} ['accept', 'ACCEPTED'], ['block', 'BLOCKED'], ['lift', 'PENDING_ACCEPTANCE'],
			['forget', 'WAITING_FOR_CONNECTION']),
		delete => sub { http(DELETE => "$REQUESTS/$_[0]") },
		disable => sub { http(PUT => "$LIFE/$_[0]", '{"status":"DISABLED"}') },
		enable => sub { http(PUT => "$LIFE/$_[0]", '{"status":"ACTIVE"}') },
		expire => sub { http(PUT => "$LIFE/$_[0]", qq({"expires":"$END"})) },
		revoke => sub { http(DELETE => "$LIFE/$_[0]") },
		map { my $what = $_; ($what => sub { http(POST => "$LIFE/$_[0]/$what") }) }
			qw(rotate reopen decommission),
	},
	devcredctl => {
		create => sub { run_ctl(qw(request add), $_[0], qw(--tenant t1)) },
		bulk => sub { Devcred::Shell::write_file($file, "ID\n$_[0]\n");
			run_ctl('import', $file, qw(--tenant t1)) },
		(map { my $verb = $_; ($verb => sub { run_ctl('request', $verb, $_[0]) }) }
			qw(accept block lift)),
		delete => sub { run_ctl(qw(request delete --yes), $_[0]) },
		forget => sub { run_ctl('request', 'lift', $_[0], '--forget') },
		expire => sub { run_ctl(qw(credential expire), $_[0], $END) },
		(map { my $verb = $_; ($verb => sub { run_ctl('credential', $verb, $_[0]) }) }
			qw(disable enable rotate reopen)),
		(map { my $verb = $_; ($verb => sub { run_ctl('credential', $verb, $_[0], '--yes') }) }
			qw(revoke decommission)),
	},
	functions => {
		bulk => sub { call('request_load', [$_[0]]) },
		forget => sub { call('request_lift', $_[0], 't') },
		expire => sub { call('credential_expire', $_[0], $END) },
		(map { my $verb = $_; ($verb => sub { call("request_$verb", $_[0]) }) }
			qw(create accept block lift delete)),
		map { my $verb = $_; ($verb => sub { call("credential_$verb", $_[0]) }) }
			qw(disable enable rotate reopen revoke decommission),
	},
);
my $UPDATE = 'update devcred.request set status = ? where id = ?';
$DOOR{statements} = {
	%{ $DOOR{functions} },		# not everything is a statement
	create => sub { plain('insert into devcred.request (id) values (?)', $_[0]) },
	bulk => sub { $sql->do('copy devcred.request (id) from stdin');
		$sql->pg_putcopydata("$_[0]\n");
		eval { $sql->pg_putcopyend; 1 } or $sql->state eq '23505' or die $@ },
	(map { my $status = $_->[1]; ($_->[0] => sub { plain($UPDATE, $status, $_[0]) }) }
		['accept', 'ACCEPTED'], ['block', 'BLOCKED'], ['lift', 'PENDING_ACCEPTANCE'],
		['forget', 'WAITING_FOR_CONNECTION']),
	delete => sub { plain('delete from devcred.request where id = ?', $_[0]) },
	(map { my $status = $_->[1];
		($_->[0] => sub { plain('update devcred.credential set status = ? where device_id = ?', $status, $_[0]) })
	} ['disable', 'DISABLED'], ['enable', 'ACTIVE']),
	expire => sub { plain('update devcred.credential set expires_at = ? where device_id = ?', $END, $_[0]) },
	revoke => sub { plain('delete from devcred.credential where device_id = ?', $_[0]) },
};

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
my @ACTIONS = sort keys %{ $DOOR{functions} };
srand($ENV{DEVCRED_TEST_SEED} // 20_261_123);
my @sequences = (
	[qw(create create accept poll accept accept poll reopen poll rotate disable enable expire revoke)],
	[qw(create poll block accept lift accept block forget poll accept poll decommission create poll accept poll)],
	[qw(create delete delete disable revoke rotate reopen decommission)],
	map { ['create', map { rand() < 0.4 ? 'poll' : $ACTIONS[rand @ACTIONS] } 1 .. 3 + rand 4] }
		1 .. $ENV{DEVCRED_TEST_SEQUENCES} // 2_000,
);
# A block of a blocked request is an event over HTTP, and no change for a statement.
sub without_refusals {
	return join "\n", grep { !/^\w+_\w+ (?:wrong_state|token_\w+|decommissioned) /
		&& !/^newdevice_block ok t1 BLOCKED BLOCKED/ } split /\n/, $_[0];
}
for my $sequence (@sequences) {
	my %is;
	for my $door (sort keys %DOOR) {
		my $id = device_id();
		for my $action (@$sequence) {
			$action eq 'poll' ? $device->poll($id) : $DOOR{$door}{$action}->($id);
		}
		$is{$door} = state_of($id) =~ s/\Q$id\E/ID/gr;
	}
	my @other = grep { $is{$_} ne $is{HTTP} } qw(devcredctl functions);
	push @other, 'statements' if without_refusals($is{statements}) ne without_refusals($is{HTTP});
	is("@other", '', "the same through every door: @$sequence")
	    or diag(map { "$_:\n$is{$_}\n" } 'HTTP', @other);
}
# What a tenant makes of security tokens.
my $policy = '/tenant/options/device-registration/security-token.policy';
my %SET = (
	HTTP => sub { http(PUT => $policy, qq({"value":"$_[0]"})) },
	devcredctl => sub { run_ctl(qw(tenant set t1 --token-policy), $_[0]) },
	statements => sub { plain('update devcred.customer set token_policy = ?', $_[0]) },
);
for my $value (qw(IGNORED IGNORED REQUIRED OPTIONAL)) {
	my %is = map {
		$SET{$_}->('OPTIONAL');
		my ($before) = $db->selectrow_array('select coalesce(max(seq), 0) from devcred.setting');
		$SET{$_}->($value);
		($_ => $db->selectrow_array("select string_agg(concat_ws(' ', tenant, setting, value_before, value_after), ',')
			from devcred.setting where seq > ?", undef, $before) // 'nothing');
	} sort keys %SET;
	is(join("\n", map { $is{$_} } sort keys %is), join("\n", ($is{HTTP}) x 3),
		"the policy $value is set the same through every door");
}
is_deeply($db->selectcol_arrayref("select distinct actor from devcred.event order by 1"),
	['db:devcred_operator', 'db:devcred_t1', 'management/devicebootstrap', 't1/admin'],
	'who did it is known');

done_testing;
