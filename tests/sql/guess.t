#!/usr/bin/perl
# Who guesses security tokens is made to wait, where a right one would get a
# password; the device is not, wherever else they guess.
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
my $HOME = '192.0.2.9';    # where the devices are

sub call {
	my ($function, @arg) = @_;
	my $marks = join ', ', ('?') x @arg;
	return @{ $app->selectall_arrayref("select * from $function($marks)",
		{ Slice => {} }, @arg) };
}
sub digest {
	my ($id, $token) = @_;
	return undef unless defined $token;
	return '\x' . Digest::SHA::sha256_hex("devcred security token\n$id\n$token");
}
sub update {
	my ($id, $status, $token) = @_;
	my ($row) = call('devcred.newdevice_update', 'token', 'token/admin', undef, $id, $status,
		undef, digest($id, $token), 5);
	return "$row->{outcome} $row->{status}";
}

# Polls as the service makes them, for one device, all in one group: what they
# come to.  A look that settles is told with what it says.
sub polls {
	my ($id, $source, @token) = @_;
	my @digest = map { digest($id, $_) } @token;
	my @look = call('devcred.credential_look', [($id) x @token], [('token') x @token],
		\@digest, [('\x' . '03' x 16) x @token], [($source) x @token]);
	my @n = grep { !$look[$_]{settled} } 0 .. $#token;
	my @answer = map { $_->{settled} ? "settled " . ($_->{status} // 'none') : '' } @look;
	return @answer unless @n;
	my @rows = call('devcred.credential_issue', [($id) x @n], [('token') x @n],
		[('token/device') x @n], [($source) x @n], [@digest[@n]],
		[map { '\x' . substr Digest::SHA::sha256_hex("$source " . ($token[$_] // '')), 0, 32 } @n],
		[(undef) x @n], [('token') x @n], [map { $look[$_]{generation} } @n],
		[('\x' . '01' x 16) x @n], [('\x' . '02' x 32) x @n], [('k1') x @n],
		[('\x' . '05' x 60) x @n], [(undef) x @n], 900, 10, 'f', ['k1']);
	$answer[ $n[ $_->{n} - 1 ] ] = $_->{outcome} for @rows;
	return @answer;
}
sub poll { return (polls(@_))[0] }

# How many of n guesses were looked at.
sub looked_at {
	my ($n, $id, $source) = @_;
	return scalar grep { poll($id, ref $source ? $source->($_) : $source, "guess$_")
		!~ /settled/ } 1 .. $n;
}
sub accepted_with {
	my ($token) = @_;
	my $id = device_id();
	call('devcred.newdevice_create', 'token', 'token/admin', undef, $id, undef, undef, undef, undef);
	poll($id, $HOME, $token);
	update($id, 'ACCEPTED', $token);
	return $id;
}
sub later {
	$super->do('update devcred.login_failure set clear_at = clear_at - make_interval(secs => ?)',
		undef, $_[0]);
	return;
}
sub forget { return $super->do('truncate devcred.login_failure') }

# One guesser --------------------------------------------------------------------

forget();
my $id = accepted_with('right');
is(poll($id, '192.0.2.1', 'wrong'), 'token_mismatch', 'a wrong token is refused');
is(looked_at(20, $id, '192.0.2.1'), 9, 'nine more are looked at');
is(poll($id, '192.0.2.1', 'right'), 'settled ACCEPTED', 'then not even the right one is, from there');
is($super->selectrow_array('select count(*) from devcred.device_credential where device_id = ?',
	undef, $id), 0, 'and no password is made');
later(30);
is(looked_at(5, $id, '192.0.2.1'), 1, 'half a minute later, one is looked at');
is(poll($id, '192.0.2.1', undef), 'settled ACCEPTED', 'none at all is no guess, and refused as ever');
my $other = accepted_with('right');
is(poll($other, '192.0.2.1', 'right'), 'ok', 'other devices from there get theirs');
is(poll($id, $HOME, 'right'), 'ok', 'and the device does, where it has asked first');

forget();
$id = accepted_with('right');
is(looked_at(20, $id, $HOME), 10, 'who guesses at the place of the device has ten, too');
later(30);
is(poll($id, $HOME, 'right'), 'ok', 'so that the device waits half a minute at most');

# Many ----------------------------------------------------------------------------

forget();
$id = accepted_with('right');
is(looked_at(150, $id, sub { "198.51.100.$_[0]" }), 100,
	'a hundred tokens of strangers are looked at, wherever they are');
is(poll($id, '203.0.113.1', 'right'), 'settled ACCEPTED', 'then no stranger has the right one');
is(poll($id, $HOME, 'right'), 'ok', 'but the device has');

forget();
my @many = map { accepted_with('right') } 1 .. 15;
is(scalar(grep { poll($many[$_ % 15], '192.0.2.2', "guess$_") !~ /settled/ } 1 .. 150), 100,
	'a hundred tokens from one address are looked at, for whatever devices');
is(poll($many[0], $HOME, 'right'), 'ok', 'which are served elsewhere');
forget();
is(looked_at(20, $many[1], sub { sprintf '2001:db8:0:1::%x', $_[0] }), 10,
	'addresses of one /64 are one address');

# At once -------------------------------------------------------------------------

forget();
$id = accepted_with('right');
my @answer = polls($id, '192.0.2.3', (map { "guess$_" } 1 .. 40), 'right');
is(join(' ', @answer), join(' ', ('token_mismatch') x 41),
	'of forty guesses in one group not more are looked at');
is(poll($id, '192.0.2.3', 'right'), 'settled ACCEPTED', 'and none after them');
later(290);
is(poll($id, '192.0.2.3', 'right'), 'ok', 'until they have been forgotten');

# Issued ----------------------------------------------------------------------------

forget();
$id = accepted_with('right');
is(poll($id, $HOME, 'right'), 'ok', 'what was issued');
is(poll($id, '192.0.2.4', 'right'), 'redelivered', 'is told again to who has the token');
is(scalar(grep { poll($id, '192.0.2.5', "guess$_") eq 'absent' } 1 .. 20), 20,
	'but not to who guesses it');
is(poll($id, '192.0.2.5', 'right'), 'absent', 'were it in the end the right one');
is(poll($id, $HOME, 'right'), 'redelivered', 'nor is that in the way of the device');
$super->do('update devcred.device_credential set sealed = null, seal_key = null where device_id = ?',
	undef, $id);
call('devcred.credential_reopen', 'token', 'token/admin', undef, 'token', $id, 900, undef);
forget();
is(scalar(grep { poll($id, '192.0.2.5', "guess$_") eq 'absent' } 1 .. 20), 20,
	'nor to who guesses when it may have a new one');
is(poll($id, '192.0.2.5', 'right'), 'absent', 'were it in the end the right one');
is(poll($id, $HOME, 'right'), 'ok', 'which the device gets');

# What is no guess ------------------------------------------------------------------

forget();
$id = device_id();
call('devcred.newdevice_create', 'token', 'token/admin', undef, $id, undef, undef, undef, undef);
poll($id, $HOME, 'right');
poll($id, '192.0.2.6', "guess$_") for 1 .. 20;
is($super->selectrow_array('select count(*) from devcred.login_failure'), 0,
	'as long as there is no password to get, nothing is counted');
update($id, 'ACCEPTED', 'right');
is(poll($id, '192.0.2.6', 'right'), 'ok', 'so that nobody has to wait');
$super->do("update devcred.tenant set token_policy = 'IGNORED' where id = 'token'");
$id = accepted_with('right');
is(poll($id, '192.0.2.7', 'other'), 'ok', 'a tenant that ignores tokens counts none');
is($super->selectrow_array('select count(*) from devcred.login_failure'), 0, 'at all');

done_testing();
