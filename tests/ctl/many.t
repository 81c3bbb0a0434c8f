#!/usr/bin/perl
# What cannot be undone asks first.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;
use Devcred::CtlHelp qw(commands);

my $site = Devcred::Site->new(web => 'none', start => 0);
my $db = $site->dbh;

# Devices of a tenant that have asked.
sub asked {
	my ($tenant, @id) = @_;
	$db->do(q{select devcred.newdevice_create('management', 'test', null, i, ?, null, null, null, null)
		from unnest(?::text[]) i}, undef, $tenant, \@id);
	$db->do(q{update devcred.newdevice_request set status = 'PENDING_ACCEPTANCE', claimed_at = now(),
		last_seen_at = now() where id = any (?)}, undef, \@id);
	return;
}
sub count { return $db->selectrow_array(q{select count(*) from devcred.newdevice_request
	where tenant = ? and status = ?}, undef, @_) }

# Asking ----------------------------------------------------------------------

asked('t1', 'one', 'two');
says($site, ['request', 'delete', 'one'], 2, qr/cannot be undone: .*one.* nobody is there.*\n-> --yes/,
	'without a terminal it is refused, and --yes told');
is(count('t1', 'PENDING_ACCEPTANCE'), 2, 'and nothing done');
for my $answer ('n', '', 'yess') {
	my ($status, $text) = typed($site, ['request', 'delete', 'one'], qr/\[y\/N\] /, "$answer\n");
	ok($status == 1 && $text =~ /nothing was done/, "\"$answer\" is a no") or diag("$status\n$text");
}
is(count('t1', 'PENDING_ACCEPTANCE'), 2, 'and it is there');
my ($status, $text) = typed($site, ['request', 'delete', 'one'], qr/request one goes.*\[y\/N\] /s, "y\n");
ok($status == 0 && $text =~ /one deleted/, '"y" is a yes') or diag("$status\n$text");
for (grep { grep { $_->[0] eq 'yes' } @{ $_->{options} } } commands()) {
	next if $_->{name} =~ /rotate/;	# only sometimes
	my @operands = $_->{usage} =~ /TENANT\/NAME/ ? 't1/x' : $_->{usage} =~ / ID/ ? 'x' : ();
	push @operands, '--before', '2020-01', '--dir', $site->{dir}, '--drop' if $_->{name} =~ /export/;
	says($site, [@{ $_->{words} }, @operands], $_->{name} eq 'key retire' ? 1 : 2,
		qr/cannot be undone|key_file is empty/, "$_->{name} asks");
}
says($site, ['credential', 'rotate', 'x', '--overlap', 0], 2, qr/ends at once/, 'rotate asks if that is an end');
says($site, ['credential', 'rotate', 'x'], 1, qr/no credential/, 'and else does not');

done_testing;
