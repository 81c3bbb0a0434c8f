#!/usr/bin/perl
# tenant add, list, set.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $dbh = $site->dbh;

sub tenant {
	my ($id) = @_;
	return $dbh->selectrow_arrayref('select domain_name, token_policy
		from devcred.tenant where id = ?', undef, $id);
}

sub limit {
	my ($id) = @_;
	return $dbh->selectrow_array('select device_limit from devcred.tenant
		where id = ?', undef, $id);
}

# Add ---------------------------------------------------------------------------

says($site, ['tenant', 'add', 'plain'], 0, qr/\Atenant plain added\n\z/, 'add');
is_deeply(tenant('plain'), [undef, 'OPTIONAL'],
	'a new tenant has no host name, and tokens are optional');
says($site, ['tenant', 'add', 'a-1_b', '--domain', 'A.Example.ORG'], 0,
	qr/added/, 'add with a host name');
is_deeply(tenant('a-1_b'), ['a.example.org', 'OPTIONAL'],
	'host names are kept in lower case');
says($site, ['tenant', 'add', 'x' x 32], 0, qr/added/, '32 characters fit');

for my $case (
	['x' x 33, '33 characters'], ['', 'nothing'], ['T9', 'a capital'],
	['9t', 'a digit first'], ['t 9', 'a space'], ['t/9', 'a slash'],
	["t\n9", 'a newline'], ["t\xc3\xbc", 'a letter of another alphabet'],
	["t'; drop", 'SQL'], ['%', 'a percent sign'],
    ) {
	my ($id, $name) = @$case;
	says($site, ['tenant', 'add', '--', $id], 1,
		qr/cannot be a tenant: 1 to 32 of a-z/, "no tenant: $name");
}
says($site, ['tenant', 'add', "t\e[31m\x9b\xff"], 1, qr/\A[^\e\x9b\xff]*\z/,
	'what a terminal would obey is not written to it');
for my $case (
	['host:80', 'a port'], ['', 'nothing'], ['-a', 'a hyphen first'],
	['a.', 'a dot at the end'], ['a b', 'a space'], ['x' x 254, '254 bytes'],
    ) {
	my ($host, $name) = @$case;
	says($site, ['tenant', 'add', 'other', "--domain=$host"], 1,
		qr/cannot be a host name/, "no host name: $name");
}
says($site, ['tenant', 'add', 'plain'], 1, qr/a tenant plain already/,
	'a tenant is added once');
says($site, ['tenant', 'add', 'management'], 1, qr/already/,
	'management is there from the start');
says($site, ['tenant', 'add', 'other', '--domain', 'a.example.org'], 1,
	qr/belongs to the tenant a-1_b/, 'a host name has one tenant');
is(tenant('other'), undef, 'and a refusal adds nothing');

# Set ---------------------------------------------------------------------------

for my $policy (qw(REQUIRED ignored Optional)) {
	says($site, ['tenant', 'set', 'plain', '--token-policy', $policy], 0,
		qr/\Atenant plain set\n\z/, "token policy $policy");
	is_deeply(tenant('plain'), [undef, uc $policy], 'is set, and that alone');
}
says($site, ['tenant', 'set', 'plain', '--domain', 'Plain.example.org'], 0,
	qr/set/, 'set a host name');
is_deeply(tenant('plain'), ['plain.example.org', 'OPTIONAL'],
	'is set, and that alone');
says($site, ['tenant', 'set', 'plain', '--domain', 'plain.example.org'], 0,
	qr/set/, 'a tenant may keep its host name');
says($site, ['tenant', 'set', 'plain', '--domain', 'a.example.org'], 1,
	qr/belongs to the tenant a-1_b/, 'it cannot have another one\'s');
says($site, ['tenant', 'set', 'plain', '--domain', ''], 0, qr/set/,
	'an empty host name');
is_deeply(tenant('plain'), [undef, 'OPTIONAL'], 'takes it away');
for my $case (['7', 7], ['none', undef], ['0', 0]) {
	my ($limit, $want) = @$case;
	says($site, ['tenant', 'set', 'plain', '--device-limit', $limit], 0,
		qr/set/, "a device limit of $limit");
	is(limit('plain'), $want, 'is set');
}
says($site, ['tenant', 'set', 'plain', '--device-limit', $_], 2,
	qr/a number, or none/, "a device limit of '$_'")
    for '-1', 'many', '2147483648', '';
says($site, ['tenant', 'set', 'plain'], 2, qr/nothing to set/,
	'there must be something to set');
says($site, ['tenant', 'set', 'plain', '--token-policy', 'MAYBE'], 2,
	qr/IGNORED, OPTIONAL or REQUIRED/, 'an unknown token policy');
says($site, ['tenant', 'set', 'nobody', '--domain', 'b.example.org'], 1,
	qr/no tenant nobody\n-> devcredctl tenant list/, 'an unknown tenant');

# List --------------------------------------------------------------------------

my @list = split /\n/, says($site, ['tenant', 'list'], 0, qr/\ATENANT +HOST/,
	'list');
like($list[1], qr/\Amanagement +- +OPTIONAL +- +2 +\d{4}-\d\d-\d\dT/,
	'management comes first, with its users counted');
ok(grep({ /\Aa-1_b +a\.example\.org +OPTIONAL +- +0 / } @list),
	'others follow, with their host names') or diag(join "\n", @list);

done_testing;
