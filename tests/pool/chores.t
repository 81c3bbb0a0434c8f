#!/usr/bin/perl
# What has run out is wiped by the workers, also if nobody asks.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $db = $site->dbh;
$site->configure(workers => 2, key_file => "$site->{dir}/keys");
Devcred::Shell::write_file("$site->{dir}/keys", 'k ' . '5a' x 32 . " 2026-01-31\n", 0600);

# Credentials: name, when the window closes, when the old password ends.
my %until = (over => "now() - interval '1 second'", open => "now() + interval '1 hour'");
for my $name (sort keys %until) {
	$db->do("insert into devcred.device_credential (tenant, device_id, password_salt,
		password_hash, registration, accepted_at, accepted_by, seal_key, sealed,
		delivery_until, old_salt, old_hash, old_until)
		values ('t1', ?, decode(repeat('00', 16), 'hex'), decode(repeat('00', 32), 'hex'),
		(select -count(*) from devcred.device_credential), now(), 'x', 'k', decode('00', 'hex'),
		$until{$name}, decode(repeat('00', 16), 'hex'), decode(repeat('00', 32), 'hex'),
		$until{$name})", undef, $name);
}
# more than two workers wipe in a round
$db->do("insert into devcred.device_credential (tenant, device_id, password_salt, password_hash,
	registration, accepted_at, accepted_by, seal_key, sealed, delivery_until)
	select 't1', 'many' || n, decode(repeat('00', 16), 'hex'), decode(repeat('00', 32), 'hex'),
	-100 - n, now(), 'x', 'k', decode('00', 'hex'), now() from generate_series(1, 12000) n");
$db->do("insert into devcred.bulk_row (device_id, bulk, batch, line, custom_properties, staged_at)
	values ('lost', 1, 1, 1, '{}', now() - interval '2 hours'),
	       ('under way', 1, 2, 2, '{}', now())");

sub left {
	return join ' ', map { $_ // 'null' } $db->selectrow_array(q(
		select (select string_agg(device_id, ',' order by device_id)
		          from devcred.device_credential where sealed is not null
			and device_id not like 'many%'),
		       (select string_agg(device_id, ',' order by device_id)
		          from devcred.device_credential where old_hash is not null),
		       (select string_agg(device_id, ',' order by device_id) from devcred.bulk_row)));
}
is(left(), 'open,over open,over lost,under way', 'there is what has run out, and what has not');
$site->start_service;
eventually(sub { left() eq 'open open under way' },
	'soon after the start, workers have wiped the one and left the other')
    or diag(left());
eventually(sub { !$db->selectrow_array("select count(*) from devcred.device_credential
	where sealed is not null and device_id like 'many%'") },
	'where there are more than fit into a round, the next comes soon');
is(join(' ', $db->selectrow_array('select * from devcred.housekeep()')), '0 0 0 0',
	'whoever comes second finds nothing to do');
$db->do("delete from devcred.device_credential where device_id like 'many%'");
$db->do("update devcred.device_credential set delivery_until = now(),
	old_until = case when old_hash is not null then now() end");
is(join(' ', $db->selectrow_array('select * from devcred.housekeep(1)')), '1 1 0 0',
	'not more than asked for is done at a time');

# Two at once, of which one holds what is due: the other passes by.
my $other = $site->dbh;
$db->do("update devcred.device_credential set seal_key = 'k', sealed = decode('00', 'hex'),
	delivery_until = now(), old_salt = null, old_hash = null, old_until = null");
$other->begin_work;
$other->do("select from devcred.device_credential where device_id = 'over' for update");
is(join(' ', $db->selectrow_array('select * from devcred.housekeep()')), '1 0 0 0',
	'what somebody else has in hand is passed by');
$other->rollback;
is(join(' ', $db->selectrow_array('select * from devcred.housekeep()')), '1 0 0 0',
	'and done the next time');

done_testing;
