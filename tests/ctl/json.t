#!/usr/bin/perl
# --json: one value of JSON on standard output, typed, whatever was written in.
use strict;
use warnings;
use utf8;
use Encode ();
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;
use Devcred::CtlHelp qw(commands);

my $site = Devcred::Site->new(web => 'none', start => 0);
my $dbh = $site->dbh;
my $dir = $site->{dir};
open my $conf, '>>', $site->conf_path or die "$!\n";
print {$conf} "key_file = $dir/keys\n";
close $conf or die "$!\n";
my $parser = JSON::PP->new->utf8->allow_nonref;
my %seen;

# What a command says, parsed; fails if anything else is on standard output.
sub json {
	my ($args, $status, $name) = @_;
	my $out = File::Temp->new;
	my ($is, $told) = Devcred::Shell::run(['sh', '-c', 'out=$1; shift; exec "$@" >"$out"', 'sh',
		"$out", "$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, @$args, '--json']);
	my $text = Devcred::Shell::read_file("$out");
	my $value = eval { $parser->decode($text) };
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($is == ($status // 0) && defined $value, $name // "@$args")
	    or diag("exit status $is\n$text\n$told\n$@");
	$seen{ $args->[1] =~ /^[a-z]/ && $args->[0] !~ /^(?:migrate|import|housekeep)\z/
		? "@$args[0, 1]" : $args->[0] }++ if @$args > 1;
	$seen{ $args->[0] }++;
	return $value;
}
sub type { my ($value) = @_; return !defined $value ? 'null' : JSON::PP::is_bool($value) ? 'bool'
	: ref $value ? ref $value : JSON::PP->new->allow_nonref->encode($value) =~ /^"/ ? 'text' : 'number' }

# Every column is what it is, in the view and here.
sub same_columns {
	my ($row, $view, %own) = @_;
	my %column = map { $_ => 1 } @{ $dbh->selectcol_arrayref(q{select column_name::text
		from information_schema.columns where table_schema = 'devcred' and table_name = ?}, undef, $view) };
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(join(' ', sort grep { !$column{$_} && !$own{$_} } keys %$row), '', "the keys are the columns of devcred.$view");
	return;
}

my $hostile = "a\"b\\c\tend\x{1}\x{7f}\x{85}\x{202e}é\x{1f600}</script>";
json(['tenant', 'add', 'j1', '--domain', 'j1.example.org']);
is_deeply(json(['tenant', 'set', 'j1', '--device-limit', 7, '--outbox', 'on']), { id => 'j1' }, 'an object for one thing');
my ($tenant) = grep { $_->{id} eq 'j1' } @{ json(['tenant', 'list']) };
same_columns($tenant, 'customer', users => 1);
is(join(' ', map { type($tenant->{$_}) } qw(id device_limit outbox waiting_expiry users)),
	'text number bool null number', 'values have their types');
my $made = json(['user', 'add', 'j1/anna', '--role', 'ADMIN', '--generate']);
is(join(' ', sort keys %$made), 'name password tenant', 'a password is in the object');
like($made->{password}, qr/\A\w{32}\z/, 'and good');
isnt(json(['user', 'passwd', 'j1/anna', '--generate'])->{password}, $made->{password}, 'another one is another');
json(['user', 'disable', 'j1/anna']);
my ($user) = @{ json(['user', 'list', 'j1']) };
same_columns($user, 'login');
is_deeply([$user->{roles}, type($user->{disabled_at})], [['ROLE_DEVICE_CONTROL_ADMIN'], 'text'], 'roles are an array');
json(['user', 'enable', 'j1/anna']);

my $id = "\"j'\x{e9}\x{1f600}<>&";
my $bytes = Encode::encode_utf8($id);
is(json(['request', 'add', $bytes, '--tenant', 'j1', '--type', Encode::encode_utf8($hostile)])->{id}, $id,
	'an id that JSON has to escape');
my ($request) = @{ json(['request', 'list', '--tenant', 'j1']) };
same_columns($request, 'request');
is($request->{type}, $hostile, 'what is hostile comes as it was written');
is(join(' ', map { type($request->{$_}) } qw(claimants has_token group_id custom_properties)),
	'number bool null HASH', 'numbers, booleans, nulls and objects');
is_deeply(json(['request', 'list', '--tenant', 'list']), [], 'an empty list is a list');
same_columns(json(['request', 'show', $bytes]), 'request', claims => 1);
$dbh->do("update devcred.newdevice_request set status = 'PENDING_ACCEPTANCE', claimed_at = now(),
	last_seen_at = now() where tenant = 'j1'");
is(json(['request', 'block', $bytes])->{status}, 'BLOCKED', 'what it has become');
json(['request', 'lift', $bytes]);
is_deeply(json(['request', 'accept', '--all', '--tenant', 'j1', '--yes']),
	[{ id => $id, tenant => 'j1', outcome => 'ok', status => 'ACCEPTED' }], 'a row for each');
is_deeply(json(['request', 'delete', $bytes, '--yes']), { id => $id }, 'what went');
Devcred::Shell::write_file("$dir/j.csv", "ID,CREDENTIALS\njd-1,password-1\njd-2,password-2\nno/good,x\n");
is_deeply(json(['import', "$dir/j.csv", '--tenant', 'j1'], 1),
	{ lines => 3, created => 2, updated => 0, failed => 1, last_line => 4 }, 'the sum of an import');
my ($credential) = @{ json(['credential', 'list', 'jd-']) };
same_columns($credential, 'credential', delivery => 1);
json(['credential', 'show', 'jd-1']);
like(json(['credential', 'rotate', 'jd-1'])->{password}, qr/\A\w{32}\z/, 'a new password');
is(json(['credential', 'disable', 'jd-1'])->{status}, 'DISABLED', 'disabled');
json(['credential', $_, 'jd-1']) for 'enable';
is(json(['credential', 'expire', 'jd-1', '2099-01-01T00:00:00Z'])->{expires_at}, '2099-01-01T00:00:00.000+00:00', 'a time');
json(['credential', 'revoke', 'jd-1', '--yes']);
json(['credential', 'decommission', 'jd-2', '--yes']);
json(['rule', 'add', 'j1/r', '--id', 'r*', '--quota', 5]);
my ($rule) = @{ json(['rule', 'list', 'j1']) };
same_columns($rule, 'rule');
is(join(' ', map { type($rule->{$_}) } qw(quota used enabled source)), 'number number bool null', 'typed, too');
is_deeply(json(['rule', 'try', 'j1/r']), [], 'nothing fits');
is_deeply(json(['rule', 'apply', 'j1/r', '--yes']), { accepted => 0, refused => 0 }, 'numbers');
json(['rule', $_, 'j1/r', $_ eq 'delete' ? '--yes' : ()]) for qw(disable enable delete);
my $key = json(['key', 'add'])->{key};
json(['key', 'add', 'second']);
is_deeply([map { $_->{seals} ? 1 : 0 } @{ json(['key', 'list']) }], [0, 1], 'which one seals');
json(['key', 'retire', $key, '--yes']);
json(['audit', 'key', "$dir/audit.key"]);
json(['audit', 'seal', '--key', "$dir/audit.key"]);
is_deeply(json(['audit', 'verify', '--public', "$dir/audit.key.pub"])->{faults}, [], 'no faults');
$dbh->do('alter table devcred.event disable trigger all');
$dbh->do("update devcred.event set actor = 'x' where seq = 1");
like(json(['audit', 'verify', '--public', "$dir/audit.key.pub"], 1)->{faults}[0], qr/^event 1 was changed/, 'a fault');
json(['audit', 'export', '--before', '2020-01', '--dir', $dir]);
is_deeply([map { $_->{state} } @{ json(['migrate', '--status']) }[0]], ['applied'], 'migrations');
json(['migrate']);
json(['housekeep']);
my @found = @{ json(['doctor']) };
is(join(' ', sort keys %{ $found[0] }), 'finding text todo what', 'a finding of doctor is an object');
my ($url) = grep { $_->{what} eq 'URL' } @found;
like($url->{todo}[0], qr/\Adevcredctl doctor --url /, 'with what to do about it');
$dbh->do('create role json_login');
json(['tenant', 'grant-login', 'j1', 'json_login', '--read-only']);
json(['tenant', 'revoke-login', 'j1', 'json_login']);
$dbh->do('drop role json_login');
# it has a password by asking only if it asked; and what follows has no end
my @rest = grep { my $c = $_; !$seen{ $c->{name} } && grep { $_->[0] eq 'json' } @{ $c->{options} } } commands();
is(join(', ', map { $_->{name} } @rest), 'request watch, credential reopen', 'every command was asked');
done_testing;
