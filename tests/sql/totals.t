#!/usr/bin/perl
# How many requests there are: counted while they are few, estimated else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $db = $cluster->connect($database);
sub totals {
	return join ' ', map { "$_->[0]=$_->[1]" }
		@{ $db->selectall_arrayref('select status, requests from devcred.request_totals()') };
}
my $none = 'WAITING_FOR_CONNECTION=0 PENDING_ACCEPTANCE=0 ACCEPTED=0 BLOCKED=0';
is(totals(), $none, 'of none there are none, of each status');
$db->do("insert into devcred.newdevice_request (id, tenant, owner)
	select 'a' || i, 't1', 'x' from generate_series(1, 3) i");
is(totals(), $none =~ s/0/3/r, 'a few are counted as they are');
$db->do('analyze devcred.newdevice_request');
is(totals(), $none =~ s/0/3/r, 'with statistics, too');

$db->do('set session_replication_role = replica');	# no triggers
$db->do("insert into devcred.newdevice_request (id, tenant, owner)
	select 'b' || i, 't1', 'x' from generate_series(1, 150000) i");
$db->do("insert into devcred.newdevice_request (id, tenant, owner, status)
	select 'c' || i, 't1', 'x', 'BLOCKED' from generate_series(1, 50000) i");
$db->do('analyze devcred.newdevice_request');
my ($waiting, $blocked) = totals() =~ /\AWAITING_FOR_CONNECTION=(\d+) PENDING_ACCEPTANCE=0 ACCEPTED=0 BLOCKED=(\d+)\z/;
cmp_ok(abs($waiting - 150_003), '<', 3000, 'many are estimated well') or diag(totals());
cmp_ok(abs($blocked - 50_000), '<', 3000, 'by status') or diag(totals());
isnt("$waiting $blocked", '150003 50000', 'and not counted');
done_testing();
