#!/usr/bin/perl
# What cannot be undone asks first; many devices are accepted at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;
use Devcred::CtlHelp qw(commands);

my $site = Devcred::Site->new(web => 'none', start => 0);
my $db = $site->dbh;
my $ids = "$site->{dir}/ids.txt";

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
	next if $_->{name} =~ /rotate|accept/;	# only sometimes
	my @operands = $_->{usage} =~ /TENANT\/NAME/ ? 't1/x' : $_->{usage} =~ / ID/ ? 'x' : ();
	push @operands, '--before', '2020-01', '--dir', $site->{dir}, '--drop' if $_->{name} =~ /export/;
	says($site, [@{ $_->{words} }, @operands], $_->{name} eq 'key retire' ? 1 : 2,
		qr/cannot be undone|key_file is empty/, "$_->{name} asks");
}
says($site, ['credential', 'rotate', 'x', '--overlap', 0], 2, qr/ends at once/, 'rotate asks if that is an end');
says($site, ['credential', 'rotate', 'x'], 1, qr/no credential/, 'and else does not');

# Several ---------------------------------------------------------------------

asked('t1', 'three', 'four');
says($site, ['request', 'accept', 'two', 'three', 'none'], 1,
	qr/^ID .*OUTCOME\n(?=.*^two +t1 +accepted$)(?=.*^three +t1 +accepted$).*^none +- +refused: there is no.*2 accepted, 1 refused\n\z/ms,
	'several are accepted, with a row for each; exit status 1 if one was refused');
Devcred::Shell::write_file($ids, "two\r\n\nfour\n");
says($site, ['request', 'accept', '--from', $ids], 0, qr/^two .*accepted already\n|four/m,
	'those of a file; accepted already is fine');
Devcred::Shell::write_file($ids, "five\na b\n");
says($site, ['request', 'accept', '--from', $ids], 1, qr/line 2 is wrong; nothing was done/, 'a line that is no id');
says($site, ['request', 'accept', '--from', "$ids.not"], 1, qr/No such file/, 'a file that is not there');
for my $case ([], ['x', '--all'], ['--all', '--from', $ids], ['x', 'y', '--token-stdin'], ['x', '--tenant', 't1'],
	['--tenant', 't1']) {
	says($site, ['request', 'accept', @$case], 2, qr/usage:/, "makes no sense: accept @$case");
}

# All -------------------------------------------------------------------------

asked('t1', map { "pump-$_" } 1 .. 1203);
asked('t2', 'pump-x', 'valve-1');
$db->do(q{update devcred.newdevice_request set token_hash = sha256('x') where id = 'pump-3'});
$db->do(q{insert into devcred.decommissioned (device_id, tenant, actor) values ('pump-4', 't1', 'test')});
says($site, ['request', 'accept', '--all'], 2, qr/cannot be undone: 1205 devices get/, 'all of them are asked about');
says($site, ['request', 'accept', '--id', 'pump-?', '--id', 'pump-1_', '--tenant', 't1', '--yes'], 1,
	qr/pump-3 .*security token.*pump-4 .*out of service.*7 accepted, 2 refused\n\z/s, 'what fits a pattern');
($status, $text) = typed($site, ['request', 'accept', '--all', '--tenant', 't1'], qr/1196 devices.*\[y\/N\] /s, "y\n");
ok($status == 1 && $text =~ /1194 accepted, 2 refused/, 'all of a tenant, in more than one transaction')
    or diag("$status\n" . substr $text, -500);
is(count('t2', 'PENDING_ACCEPTANCE'), 2, 'and of no other');
is($db->selectrow_array(q{select count(distinct xmin::text) from devcred.event
	where operation = 'newdevice_accept' and outcome = 'ok' and device_id ~ 'pump-\d{2,}'}), 3, 'of 500 each');
says($site, ['request', 'accept', '--all', '--tenant', 't2', '--yes', '--quiet'], 0, qr/2 accepted, 0 refused\n\z/, 'likewise');
says($site, ['request', 'accept', '--all', '--tenant', 't2'], 0, qr/\A0 accepted, 0 refused\n\z/,
	'where nothing waits, nobody is asked');
says($site, ['request', 'accept', '--all', '--tenant', 't9', '--yes'], 1, qr/no tenant t9/, 'a tenant must be there');
done_testing;
