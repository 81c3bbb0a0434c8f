#!/usr/bin/perl
# What the tables refuse whoever asks, and what they let happen: plain
# statements of the owner and of a superuser.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my %DOOR = (
	owner => $cluster->connect($database, 'devcred_operator'),
	superuser => $cluster->connect($database),
);
$DOOR{owner}->do('set role devcred_owner');

my %STATUS = (W => 'WAITING_FOR_CONNECTION', P => 'PENDING_ACCEPTANCE',
	A => 'ACCEPTED', B => 'BLOCKED');

# What a row must have in a state, beside the status.
my %WITH = (
	W => 'claimed_at = null, claimed_from = null, last_seen_at = null, token_hash = null,
		accepted_at = null, accepted_by = null',
	P => "claimed_at = now(), last_seen_at = now(), accepted_at = null, accepted_by = null",
	A => "claimed_at = now(), last_seen_at = now(), accepted_at = now(), accepted_by = 'a/b'",
	B => 'accepted_at = null, accepted_by = null',
);
my %WAY = (W => '', P => 'P', A => 'PA', B => 'B');

# Try a statement and take it back.  Returns undef if it was done, else the
# message and its class.
sub try {
	my ($dbh, @statements) = @_;
	$dbh->begin_work;
	my $done = eval { $dbh->do($_) for @statements; 1 };
	my $wrong = $done ? undef : $dbh->state . ' ' . $dbh->errstr;
	$dbh->rollback;
	return $wrong;
}
sub create {
	my ($id) = @_;
	return "insert into devcred.newdevice_request (id, tenant, owner)
		values ('$id', 't1', 't1/admin')";
}
sub move {
	my ($to) = @_;
	return "update devcred.newdevice_request set status = '$STATUS{$to}', $WITH{$to}
		where id = 'd'";
}

# The moves of the state machine: every pair -----------------------------------------

my %allowed = map { $_ => 1 } qw(WP PA WB PB AB BP BW WW PP AA BB);
for my $door (sort keys %DOOR) {
	for my $from (qw(W P A B)) {
		for my $to (qw(W P A B)) {
			my $wrong = try($DOOR{$door}, create('d'),
				(map { move($_) } split //, $WAY{$from}), move($to));
			if ($allowed{"$from$to"}) {
				is($wrong, undef, "$door: $from may become $to");
			} else {
				like($wrong // 'done',
					qr/\A23514 .*does not go from $STATUS{$from} to $STATUS{$to}/,
					"$door: $from never becomes $to");
			}
		}
	}
	for my $start (qw(P A B)) {
		# but for that it could be: no check finds fault with it
		my $accepted = $start eq 'A' ? "now(), 'x'" : 'null, null';
		like(try($DOOR{$door}, "insert into devcred.newdevice_request (id, tenant, owner, status,
			claimed_at, last_seen_at, accepted_at, accepted_by)
			values ('d', 't1', 'x', '$STATUS{$start}', now(), now(), $accepted)")
			// 'done', qr/starts as WAITING_FOR_CONNECTION/,
			"$door: no request starts as $start");
	}
	for my $from (qw(W P A B)) {
		is(try($DOOR{$door}, create('d'), (map { move($_) } split //, $WAY{$from}),
			"delete from devcred.newdevice_request where id = 'd'"), undef,
			"$door: one that is $from may be deleted");
	}
}

# Statements that are refused, and by which rule ---------------------------------------

sub request_with { return (create('d'), "update devcred.newdevice_request set $_[0] where id = 'd'") }
sub pending_with { return (create('d'), move('P'), "update devcred.newdevice_request set $_[0] where id = 'd'") }
my %CREDENTIAL = (
	tenant => "'t1'", device_id => "'c'", password_salt => "decode(repeat('01', 16), 'hex')",
	password_hash => "decode(repeat('02', 32), 'hex')", registration => '77',
	accepted_at => 'now()', accepted_by => "'t1/admin'",
);
sub credential {
	my %value = (%CREDENTIAL, @_);
	my @column = sort grep { defined $value{$_} } keys %value;
	return 'insert into devcred.device_credential (' . join(', ', @column) . ') values ('
	    . join(', ', @value{@column}) . ')';
}
my $HASH = '$2b$12$' . 'a' x 53;
sub user {
	my %value = (tenant => 't1', name => 'n', password_hash => $HASH,
		roles => '{ROLE_DEVICE_CONTROL_READ}', @_);
	return "insert into devcred.tenant_user (tenant, name, password_hash, roles) values ("
	    . join(', ', map { $DOOR{owner}->quote($value{$_}) }
		qw(tenant name password_hash roles)) . ')';
}
sub tenant {
	my ($id, $host) = @_;
	return 'insert into devcred.tenant (id, domain_name) values ('
	    . join(', ', map { $DOOR{owner}->quote($_) } $id, $host) . ')';
}
my $EVENT = "insert into devcred.event (tenant, registration, device_id, operation, outcome,
	actor) values ('t1', 1, 'e', 'newdevice_create', 'ok', 't1/admin')";

my @refused = (
	(map { ["a device id of $_", qr/id_is_no_dot_segment/, create($_)] } '.', '..'),
	(map {
		my ($name, $id) = @$_;
		["a device id with $name", qr/id_has_no_forbidden_character/,
			'insert into devcred.newdevice_request (id, tenant, owner) values ('
			. $DOOR{owner}->quote($id) . ", 't1', 'x')"],
		["a credential for an id with $name", qr/id_has_no_forbidden_character/,
			credential(device_id => $DOOR{owner}->quote($id))],
	} ['no character', ''], ['1001 characters', 'x' x 1001], ['a space', 'a b'],
		['a tab', "a\tb"], ['a line end', "a\n"], ['a slash', 'a/b'], ['a backslash', 'a\\b'],
		['a plus', 'a+b'], ['a dollar', 'a$b'], ['a colon', 'a:b'], ['a control', "a\x01b"],
		['DEL', "a\x7fb"]),
	['a request of no tenant', qr/newdevice_request_tenant_fkey/,
		"insert into devcred.newdevice_request (id, tenant, owner) values ('d', 'nobody', 'x')"],
	['the same id twice', qr/newdevice_request_pkey/, create('d'), create('d')],
	['another id', qr/keeps its id, tenant and seq/, request_with("id = 'e'")],
	['another tenant', qr/keeps its id, tenant and seq/, request_with("tenant = 't2'")],
	['another seq', qr/column "seq" can only be updated to DEFAULT/, request_with('seq = 1')],
	['a fresh seq', qr/keeps its id, tenant and seq/, request_with('seq = default')],
	['properties that are a list', qr/properties_is_an_object/,
		request_with("custom_properties = '[]'")],
	['no properties', qr/null value in column "custom_properties"/,
		request_with('custom_properties = null')],
	['a token kept as it is', qr/token_is_a_digest/, pending_with("token_hash = 'token'")],
	['failures below none', qr/token_failures_is_a_count/, request_with('token_failures = -1')],
	['a waiting request that was claimed', qr/waiting_is_unclaimed/,
		request_with('claimed_at = now(), last_seen_at = now()')],
	['a waiting request with a token', qr/waiting_is_unclaimed/,
		request_with("token_hash = decode(repeat('01', 32), 'hex')")],
	['a pending request nobody claimed', qr/pending_is_claimed/, pending_with('claimed_at = null')],
	['a pending request nobody saw', qr/pending_is_claimed/, pending_with('last_seen_at = null')],
	['an accepted request nobody accepted', qr/accepted_by_somebody/,
		pending_with("status = 'ACCEPTED'")],
	['an acceptance without a name', qr/accepted_by_somebody/,
		pending_with("status = 'ACCEPTED', accepted_at = now()")],
	['a pending request that was accepted', qr/accepted_by_somebody/,
		pending_with("accepted_at = now(), accepted_by = 'x'")],
	['a credential without a hash', qr/null value in column "password_hash"/,
		credential(password_hash => undef)],
	['a credential without a salt', qr/null value in column "password_salt"/,
		credential(password_salt => undef)],
	['a credential with a short hash', qr/password_is_a_digest/,
		credential(password_hash => "'secret'")],
	['a credential with a short salt', qr/password_is_salted/, credential(password_salt => "'s'")],
	['a credential of no tenant', qr/device_credential_tenant_fkey/,
		credential(tenant => "'nobody'")],
	['two credentials of one device', qr/device_credential_pkey/, credential(),
		credential(registration => 78)],
	['two credentials for one registration', qr/issued_once_per_registration/, credential(),
		credential(device_id => "'other'")],
	['a credential nobody accepted', qr/null value in column "accepted_by"/,
		credential(accepted_by => undef)],
	['a generation of none', qr/generation_is_a_count/, credential(generation => 0)],
	['a login of another device', qr/cannot insert a non-DEFAULT value into column "username"/,
		credential(username => "'device_other'")],
	['a tenant with credentials being deleted', qr/violates foreign key constraint/,
		credential(), "delete from devcred.tenant where id = 't1'"],
	['a user named like a device', qr/name_is_not_a_device/, user(name => 'device_1')],
	['a user of no tenant', qr/tenant_user_tenant_fkey/, user(tenant => 'nobody')],
	['a user with a colon', qr/name_is_a_login/, user(name => 'a:b')],
	['a user without a name', qr/name_is_a_login/, user(name => '')],
	['a user with a long name', qr/name_is_a_login/, user(name => 'x' x 201)],
	['the same user twice', qr/tenant_user_pkey/, user(), user()],
	['a role nobody knows', qr/roles_are_known/, user(roles => '{ROLE_ROOT}')],
	['no role', qr/roles_are_known/, user(roles => '{}')],
	['a null role', qr/roles_are_known/, user(roles => '{NULL}')],
	['a bootstrap user who may do more', qr/bootstrap_can_do_nothing_else/,
		user(roles => '{ROLE_DEVICE_BOOTSTRAP,ROLE_DEVICE_CONTROL_READ}')],
	(map { ["a password kept as $_->[0]", qr/password_is_hashed_slowly/,
			user(password_hash => $_->[1])] }
		['it is', 'secret'], ['MD5', '$1$salt$' . 'a' x 40], ['bcrypt of cost 4', '$2b$04$' . 'a' x 53],
		['nothing', '']),
	(map { ["a tenant called '$_'", qr/id_is_a_plain_word/, tenant($_, undef)] }
		'', 'T1', '1t', 'a b', 'a/b', 'x' x 33),
	['a host name in capitals', qr/domain_name_is_a_lower_case_host/, tenant('n', 'Example.org')],
	['a host name of two tenants', qr/domain_name_is_unique/, tenant('n', 't2.example.org')],
	['an event changed', qr/append-only/, $EVENT, "update devcred.event set actor = 'x'"],
	['an event deleted', qr/append-only/, $EVENT, 'delete from devcred.event'],
	['the events truncated', qr/append-only/, 'truncate devcred.event'],
	['the events truncated with all', qr/append-only/, 'truncate devcred.event cascade'],
	['an event of no known operation', qr/operation_is_known/,
		$EVENT =~ s/newdevice_create/other/r],
	['an event with an unknown outcome', qr/invalid input value for enum/, $EVENT =~ s/'ok'/'fine'/r],
	['an event of nobody', qr/null value in column "actor"/, $EVENT =~ s/'t1\/admin'/null/r],
	['an event in a place of its choice', qr/cannot insert a non-DEFAULT value into column "seq"/,
		$EVENT =~ s/\(tenant/(seq, tenant/r =~ s/\('t1'/(1, 't1'/r],
	['a migration without a digest', qr/sha256_is_a_digest/,
		"insert into devcred.schema_migration (version, name, sha256) values (9, 'x', 'y')"],
);

# ... and that are done ---------------------------------------------------------------

my @done = (
	['a device id of 1000 characters', create('x' x 1000)],
	(map { ["the device id $_", create($_)] } qw(1 a.b a-b_c a%b a*b @ ü 日本 ?x=1&y ü𝄞), '#1'),
	['properties that are an object', request_with(q(custom_properties = '{"a": {"b": null}}'))],
	['another type, group and owner', request_with("type = 't', group_id = 'g', owner = 'x/y'")],
	['a pending request with a digest',
		pending_with("token_hash = decode(repeat('01', 32), 'hex')")],
	['a credential', credential()],
	['a credential of the same device of another tenant', credential(),
		credential(tenant => "'t2'", registration => 78)],
	['a credential withdrawn', credential(), 'delete from devcred.device_credential'],
	['a user with a bcrypt hash', user()],
	['a user with a yescrypt hash', user(password_hash => '$y$j9T$' . 'a' x 22 . '$' . 'b' x 43)],
	['the same name in two tenants', user(), user(tenant => 't2')],
	['a bootstrap user', user(roles => '{ROLE_DEVICE_BOOTSTRAP}')],
	['a tenant of 32 characters', tenant('x' x 32, undef)],
	['two tenants without a host name', tenant('n1', undef), tenant('n2', undef)],
	['a tenant nobody uses being deleted', tenant('n', undef),
		"delete from devcred.tenant where id = 'n'"],
	['an event', $EVENT],
);

for my $door (sort keys %DOOR) {
	for my $case (@refused) {
		my ($name, $rule, @statements) = @$case;
		utf8::encode($_) for @statements;
		like(try($DOOR{$door}, @statements) // 'done', $rule, "$door: refused is $name");
	}
	for my $case (@done) {
		my ($name, @statements) = @$case;
		utf8::encode($_) for $name, @statements;
		is(try($DOOR{$door}, @statements), undef, "$door: allowed is $name");
	}
}

done_testing;
