#!/usr/bin/perl
# user add, passwd, list, disable, enable; the ways a password gets in.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $dbh = $site->dbh;

sub row {
	my ($login) = @_;
	return $dbh->selectrow_hashref("select *, array_to_string(roles, ' ') as words
		from devcred.tenant_user where tenant || '/' || name = ?",
		undef, $login);
}

sub logs_in {
	my ($login, $password) = @_;
	return cgi($site, 'GET', '/user/currentUser',
		login => "$login:$password") eq '200';
}

# Add ---------------------------------------------------------------------------

my $text = says($site, ['user', 'add', 't1/made', '--role', 'READ',
	'--generate'], 0, qr/\A\S{20,}\n\z/, '--generate shows the password alone');
chomp $text;
ok(logs_in('t1/made', $text), 'and that logs in');
ok(!logs_in('t1/made', "${text}x"), 'which another one does not');
unlike(join("\0", map { $_ // '' } values %{ row('t1/made') }), qr/\Q$text\E/,
	'the database has not got the password');
like(row('t1/made')->{password_hash}, qr/\A\$y\$/, 'but a yescrypt hash');

says($site, ['user', 'add', 't1/read', '--role', 'READ', '--stdin'], 0,
	qr/\Auser t1\/read added\n\z/, '--stdin reads the password',
	in => "pass word \xc3\xbc\nsecond line\n");
ok(logs_in('t1/read', "pass word \xc3\xbc"), 'which is the first line');
says($site, ['user', 'add', 't1/end', '--role', 'READ', '--stdin'], 0, qr/added/,
	'a last line needs no newline', in => 'without newline');
ok(logs_in('t1/end', 'without newline'), 'and logs in');
says($site, ['user', 'add', 't1/bcrypt', '--role', 'READ', '--stdin'], 0,
	qr/added/, 'with bcrypt', in => "for bcrypt\n",
	env => { DEVCRED_PASSWORD_SCHEME => 'bcrypt' });
like(row('t1/bcrypt')->{password_hash}, qr/\A\$2b\$/, 'the hash is of that kind');
ok(logs_in('t1/bcrypt', 'for bcrypt'), 'and logs in');

for my $case (
	['chief', 'ADMIN', 'ROLE_DEVICE_CONTROL_ADMIN'],
	['reader', 'read', 'ROLE_DEVICE_CONTROL_READ'],
	['device', 'Bootstrap', 'ROLE_DEVICE_BOOTSTRAP'],
	['keeper', 'USERS', 'ROLE_USER_MANAGEMENT_ADMIN'],
	['full', 'ROLE_DEVICE_CONTROL_READ', 'ROLE_DEVICE_CONTROL_READ'],
    ) {
	my ($name, $word, $role) = @$case;
	says($site, ['user', 'add', "t2/$name", '--generate', '--role', $word], 0,
		qr/\A\S+\n\z/, "role $word");
	is(row("t2/$name")->{words}, $role, "is $role");
}
says($site, ['user', 'add', 't2/several', '--role', 'READ', '--role', 'ADMIN',
	'--role', 'READ', '--generate'], 0, qr/\A\S+\n\z/, 'several roles');
is_deeply([sort split / /, row('t2/several')->{words}],
	['ROLE_DEVICE_CONTROL_ADMIN', 'ROLE_DEVICE_CONTROL_READ'], 'each once');

# Refusals ----------------------------------------------------------------------

my @read = ('--role', 'READ', '--generate');
for my $case (
	[['t1/new', '--generate'], 2, qr/needs a --role/, 'no role'],
	[['t1/new', '--role', 'ROLE_DEVICE', '--generate'], 2,
		qr/a role is ADMIN, READ, BOOTSTRAP or USERS.*not ROLE_DEVICE/,
		'the role of devices'],
	[['t1/new', '--role', 'ADMIN', '--role', 'BOOTSTRAP', '--generate'], 1,
		qr/BOOTSTRAP stands alone/, 'BOOTSTRAP and another role'],
	[['t1/new', @read, '--stdin'], 2, qr/not both/, 'two sources'],
	[['t1/admin', @read], 1, qr/already\n-> devcredctl user passwd t1\/admin/,
		'a user who is there'],
	[['nobody/new', @read], 1, qr/no tenant nobody\n-> devcredctl tenant list/,
		'a tenant who is not there'],
	[['new', @read], 1, qr/TENANT\/NAME, as management\/new/, 'no tenant'],
	[['/new', @read], 1, qr/cannot be a tenant/, 'an empty tenant'],
	[['x' x 40 . '/new', @read], 1, qr/longer than 32/, 'a long tenant'],
	[['t1/', @read], 1, qr/it is empty/, 'an empty name'],
	[['t1/' . 'x' x 201, @read], 1, qr/too long/, 'a name of 201 characters'],
	[["t1/\xff", @read], 1, qr/not UTF-8/, 'a name that is not UTF-8'],
	[['t1/a/b', @read], 1, qr/see its byte 2/, 'a slash in a name'],
	[['t1/a b', @read], 1, qr/see its byte 2/, 'a space in a name'],
	[['t1/a:b', @read], 1, qr/see its byte 2/, 'a colon in a name'],
	[["t1/a\tb", @read], 1, qr/see its byte 2/, 'a tab in a name'],
	[['t1/device_x', @read], 1, qr/kept for the devices/, 'a device\'s name'],
    ) {
	my ($args, $status, $words, $name) = @$case;
	says($site, ['user', 'add', @$args], $status, $words, "refused: $name");
}
for my $case (
	['', qr/no password/, 'nothing'], ["\n", qr/at least 8/, 'an empty line'],
	["1234567\n", qr/at least 8/, '7 bytes'],
	['x' x 512 . "\n", qr/at most 511/, '512 bytes'],
	['x' x 5000 . "\n", qr/longer than/, '5000 bytes'],
	["12345678\r\n", qr/control/, 'a carriage return'],
	["1234\x{0}5678\n", qr/NUL/, 'a NUL'],
	["12345678\xff\n", qr/UTF-8/, 'bytes that are not UTF-8'],
    ) {
	my ($in, $words, $name) = @$case;
	says($site, ['user', 'add', 't1/new', '--role', 'READ', '--stdin'], 1,
		$words, "no password: $name", in => $in);
}
says($site, ['user', 'add', 't1/new', '--role', 'READ', '--stdin'], 1,
	qr/72 bytes.*yescrypt/, 'bcrypt would not look at all of it',
	in => 'x' x 73 . "\n", env => { DEVCRED_PASSWORD_SCHEME => 'bcrypt' });
is(row('t1/new'), undef, 'a refusal adds nobody');
says($site, ['user', 'add', "t1/\xc3\xbc" . 'x' x 199, @read], 0,
	qr/\A\S+\n\z/, '200 characters of any alphabet fit');

# Passwd ------------------------------------------------------------------------

my $before = row('t1/read');
says($site, ['user', 'passwd', 't1/read', '--stdin'], 0,
	qr/\Apassword of t1\/read set\n\z/, 'passwd', in => "another one\n");
ok(logs_in('t1/read', 'another one'), 'the new password logs in');
ok(!logs_in('t1/read', "pass word \xc3\xbc"), 'the old one does not');
ok(row('t1/read')->{password_at} gt $before->{password_at},
	'when it was set is recorded');
chomp($text = says($site, ['user', 'passwd', 't1/read', '--generate'], 0,
	qr/\A\S{20,}\n\z/, 'passwd --generate'));
ok(logs_in('t1/read', $text), 'which logs in');
says($site, ['user', 'passwd', 't1/nobody', '--generate'], 1,
	qr/no user t1\/nobody\n-> devcredctl user list\n\z/, 'an unknown user');

# Disable, enable ---------------------------------------------------------------

says($site, ['user', 'disable', 't1/read'], 0, qr/disabled; .* within 5 s/,
	'disable says when it works');
ok(!logs_in('t1/read', $text), 'a disabled user cannot log in');
$before = row('t1/read');
says($site, ['user', 'disable', 't1/read'], 0, qr/disabled/, 'again');
is(row('t1/read')->{disabled_at}, $before->{disabled_at},
	'which leaves the first time');
my @list = split /\n/, says($site, ['user', 'list', 't1'], 0,
	qr/\ALOGIN +ROLES +STATE/, 'list');
ok(grep({ m{\At1/read +READ +disabled +\d{4}-} } @list),
	'a list shows who is disabled') or diag(join "\n", @list);
ok(!grep({ m{\A(?:t2|management)/} } @list), 'the list of a tenant is of that');
says($site, ['user', 'enable', 't1/read'], 0, qr/\Auser t1\/read enabled\n\z/,
	'enable');
ok(logs_in('t1/read', $text), 'who can log in again');
says($site, ['user', 'list'], 0,
	qr{^management/devicebootstrap +BOOTSTRAP +enabled.*^t2/admin}ms,
	'a list without tenant has all');
for my $verb (qw(disable enable)) {
	says($site, ['user', $verb, 't1/nobody'], 1, qr/no user t1\/nobody/,
		"$verb: an unknown user");
}
says($site, ['user', 'list', 'nobody'], 1, qr/no tenant nobody/,
	'list: an unknown tenant');

# The terminal ------------------------------------------------------------------

my @passwd = ('user', 'passwd', 't1/end');
my $ask = qr/New password of t1\/end: /;
my $again = qr/Once more, for t1\/end: /;
my ($status, $shown) = typed($site, \@passwd, $ask => "typed by hand\n",
	$again => "typed by hand\n");
is($status, 0, 'a password can be typed') or diag($shown);
ok(logs_in('t1/end', 'typed by hand'), 'and logs in');
unlike($shown, qr/typed by hand/, 'the terminal does not show it');
($status, $shown) = typed($site, \@passwd, $ask => "typed by hand\n",
	$again => "typed by hamd\n");
ok($status == 1 && $shown =~ /two passwords differ/,
	'two different ones are refused') or diag("exit status $status\n$shown");
($status, $shown) = typed($site, \@passwd, $ask => "\x03");
cmp_ok($status, '>', 128, 'control-C ends it') or diag($shown);
($status, $shown) = typed($site, [@passwd, '--stdin'],
	qr/password: / => "typed as well\n");
is($status, 0, '--stdin asks if that is a terminal') or diag($shown);
unlike($shown, qr/typed as well/, 'and does not show it either');
ok(logs_in('t1/end', 'typed as well'), 'the last one is set');

for my $case (
	[['passwd', 't1/nobody'], qr/no user t1\/nobody/, 'passwd: an unknown user'],
	[['add', 't1/end', '--role', 'READ'], qr/already/, 'add: a known user'],
	[['add', 'nobody/x', '--role', 'READ'], qr/no tenant nobody/,
		'add: an unknown tenant'],
    ) {
	my ($args, $words, $name) = @$case;
	($status, $shown) = typed($site, ['user', @$args]);
	ok($status == 1 && $shown =~ $words && $shown !~ /New password/,
		"$name is refused before anything is asked")
	    or diag("exit status $status\n$shown");
}

($status, $shown) = Devcred::Shell::run(['setsid', '-w',
	"$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, @passwd]);
ok($status == 1 && $shown =~ /no terminal.*\n-> use --stdin or --generate/,
	'without a terminal it says what to use') or diag("exit status $status\n$shown");

done_testing;
