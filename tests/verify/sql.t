#!/usr/bin/perl
# A role of its own checks logins of devices in the database, by a function or
# by reading one view, and sees nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256 sha256_hex);
use MIME::Base64 qw(encode_base64);
use Devcred::Test;
use Devcred::Protected;

my $protected = Devcred::Protected->new('lighttpd-authorizer',
	conf => { crypt_cost => 4 });
my $super = $protected->site->dbh;
my $web = $protected->site->dbh('devcred_web');
my $id = device_id();
my ($user, $password) = $protected->device($id);

sub verify {
	return $web->selectrow_array('select devcred.verify(?, ?, ?)', undef,
		@_[0, 1], '192.0.2.7') ? 'yes' : 'no';
}
sub of_device {
	my ($what) = @_;
	return scalar $super->selectrow_array("select $what from "
		. 'devcred.device_credential where device_id = ?', undef, $id);
}

# The function ----------------------------------------------------------------

is(of_device('sealed is not null'), 1, 'the delivery window is open');
for my $case (['another password', $user, "x$password"],
    ['no such device', 't1/device_nobody', $password],
    ['no such tenant', "t9/device_$id", $password],
    ['no tenant', "device_$id", $password],
    ['a person', 't1/admin', Devcred::Cluster::password('t1/admin')],
    ['nothing', '', ''], ['no password', $user, undef]) {
	my ($name, @login) = @$case;
	is(verify(@login), 'no', "$name is no login of a device");
}
is(of_device('failures'), 2, 'failures of the device are counted');
is(of_device('sealed is not null'), 1, 'and open no window, nor close it');
is(verify($user, $password), 'yes', 'the password of the device is');
is(of_device('sealed is null and first_used_at is not null'), 1,
	'its first use closes the delivery window');

# The view ----------------------------------------------------------------------

sub row {
	return $web->selectrow_hashref('select * from devcred.device_login '
		. 'where login = ?', undef, $user);
}
my $row = row();
is("$row->{tenant}/$row->{username}", $user, 'a row has tenant and user');
like($row->{password} // '', qr/^\$2a\$04\$/, 'a hash of crypt(3), if that is set');
is(crypt($password, $row->{password}), $row->{password}, 'which fits');
isnt(crypt("x$password", $row->{password}), $row->{password}, 'and no other');
my $salt = pack 'H*', $row->{salt_hex};
is($row->{sha256_hex}, sha256_hex($password . $salt),
	'SHA-256 of password and salt');
is($row->{ssha256}, '{SSHA256}' . encode_base64(sha256($password . $salt)
	. $salt, ''), 'and both as Dovecot reads them');

# Time --------------------------------------------------------------------------

sub set {
	my ($function, @more) = @_;
	$super->do("select devcred.credential_$function('t1', 'test', null, 't1', "
	    . join(', ', map { '?' } $id, @more) . ')', undef, $id, @more);
	return;
}
set('disable', 't');
is(row(), undef, 'the view has no device that is disabled');
is(verify($user, $password), 'no', 'nor lets the function it in');
set('disable', 'f');
set('expire', '2001-01-01');
is(row(), undef, 'nor one whose time is over');
is(verify($user, $password), 'no', 'nor the function');
set('expire', undef);
is(verify($user, $password), 'yes', 'which may come back');

my ($new, $new_salt) = ('N' x 32, 'S' x length $salt);
$super->do("select devcred.credential_rotate('t1', 'test', null, 't1', ?, "
	. "decode(?, 'hex'), decode(?, 'hex'), 600, null)", undef, $id,
	unpack('H*', $new_salt), sha256_hex($new . $new_salt));
is(verify($user, $password), 'yes', 'after a rotation the old password works');
is(row()->{sha256_hex}, sha256_hex($new . $new_salt),
	'but the view has the new one alone');
is(row()->{password}, undef,
	'and no crypt(3) hash until the service has seen it');
is(verify($user, $new), 'yes', 'the new one works');
is(verify($user, $password), 'no', 'and by its use ends the old one');
is($protected->fetch("$user:$new")->status, 200, 'the service sees it');
is(crypt($new, row()->{password} // '*'), row()->{password},
	'and keeps its crypt(3) hash');
set('revoke');
is(row(), undef, 'nor is one that is revoked in the view');
is(verify($user, $new), 'no', 'nor lets the function it in');

# What the role may not -----------------------------------------------------------

my @relations = map { $_->[0] } @{ $super->selectall_arrayref(q{
	select c.oid::regclass::text from pg_class c
	 where c.relnamespace = 'devcred'::regnamespace
	   and c.relkind in ('r', 'v', 'm', 'p', 'S')}) };
cmp_ok(scalar @relations, '>', 10, 'there are tables and views to be tried');
my @readable = grep { eval { $web->do("select 1 from $_ limit 0"); 1 } }
    sort @relations;
is("@readable", 'devcred.device_login', 'it reads the view and no other');
my @writable = grep {
	my $relation = $_;
	grep { $super->selectrow_array('select has_table_privilege(?, ?, ?)',
		undef, 'devcred_web', $relation, $_) }
	    qw(INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER);
} grep { !/_seq$/ } @relations;
is("@writable", '', 'it writes nothing');
my @callable = map { $_->[0] } @{ $super->selectall_arrayref(q{
	select p.proname from pg_proc p
	 where p.pronamespace = 'devcred'::regnamespace
	   and has_function_privilege('devcred_web', p.oid, 'EXECUTE')
	 order by 1}) };
is("@callable", 'verify', 'and calls no other function');

$_->disconnect for $super, $web;
done_testing();
