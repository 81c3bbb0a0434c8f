#!/usr/bin/perl
# What an administrator changes or deletes, and is not told that it was done: he
# asks again, at another installation, and again.  The state in the end is that of
# having asked once, and so is what the audit has.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Checker qw(none);
use Devcred::Lossy;
use Devcred::Pair;

my $pair = Devcred::Pair->new(cluster => Devcred::Cluster->new, conf => { workers => 2,
	delivery_window => 600 });
my @sites = $pair->sites;
my $notes = Devcred::Shell::new_dir();
my @proxies = map { Devcred::Lossy->new(port => $sites[$_]{port}, share => 1, lose => qr/\A\d/,
	seed => 1, log => "$notes/lost$_.log") } 0 .. 1;
my ($admin, $other) = map { $_->client('t1/admin') } @sites;
my @lossy = map { Devcred::Http->new(port => $_->{port}, login => Devcred::Site::login('t1/admin')) }
    @proxies;
my $dbh = $sites[0]->dbh;

sub request { return (path => Devcred::Http::path_of($_[0]), type => 'newDeviceRequest',
	accept => 'newDeviceRequest') }
sub credential { return (path => "/devcred/credentials/$_[0]", type => 'application/json',
	accept => '*/*') }
sub ask {
	my ($http, $method, %how) = @_;
	return $http->request($method => delete $how{path}, %how);
}
sub status_to {
	my ($status) = @_;
	return ('PUT', sub { request($_[0]), body => Devcred::Http::to_json(status => $status) });
}
sub json_to {
	my ($json) = @_;
	return ('PUT', sub { credential($_[0]), body => $json });
}
my @delete = ('DELETE', \&request);
sub blocked {
	my $id = pending($admin);
	$admin->update($id, 'BLOCKED');
	return $id;
}
sub issued_id { return issued($admin)->field('id') }
sub disabled {
	my $id = issued_id();
	ask($admin, PUT => credential($id), body => '{"status":"DISABLED"}');
	return $id;
}

# All that is kept of a device, without what is different for each.
sub state_of {
	my ($id) = @_;
	my $row = sub { join ' ', map { $_ // 'null' } @{ $dbh->selectrow_arrayref($_[0], undef, $id) // ['none'] } };
	return join '; ', $row->('select status, type, group_id, custom_properties, owner,
		accepted_by, claimed_at is null, cardinality(claimants) from devcred.newdevice_request
		where id = ?'),
	    $row->('select generation, disabled_at is null, expires_at, deliveries,
		sealed is null, first_used_at is null, old_hash is null
		from devcred.device_credential where device_id = ?'),
	    map { join ' ', map { $_ // '' } @$_ } @{ $dbh->selectall_arrayref("select operation,
		-- to block what is blocked is an answer of its own
		case when operation <> 'newdevice_block' then count(*) end
		from devcred.event where device_id = ? and outcome = 'ok'
		group by 1 order by min(seq)", undef, $id) };
}

for my $case (
    # what, from where, how, what it is answered when it was done already
    ['accepted', \&pending, status_to('ACCEPTED'), 422],
    ['blocked', \&pending, status_to('BLOCKED'), undef],
    ['blocked before it was seen', \&registered, status_to('BLOCKED'), undef],
    ['let in again', \&blocked, status_to('PENDING_ACCEPTANCE'), 422],
    ['deleted before it was seen', \&registered, @delete, 404],
    ['deleted while it waits', \&pending, @delete, 404],
    ['deleted when it is accepted', \&accepted, @delete, 404],
    ['deleted when it is blocked', \&blocked, @delete, 404],
    ['given an end', \&issued_id, json_to('{"expires":"2099-01-01T00:00:00Z"}'), 200],
    ['given no end', \&issued_id, json_to('{"expires":null}'), 200],
    ['disabled', \&issued_id, json_to('{"status":"DISABLED"}'), 200],
    ['enabled', \&disabled, json_to('{"status":"ACTIVE"}'), 200],
    ['revoked', \&issued_id, 'DELETE', \&credential, 404]) {
	my ($name, $prepare, $method, $how, $done_already) = @$case;
	my ($once, $thrice) = map { $prepare->($admin) } 1, 2;
	my $first = ask($admin, $method, $how->($once));
	like($first->status, qr/\A20[04]\z/, "a device is $name") or diag($first->told);
	is(join(' ', map { ask($_, $method, $how->($thrice))->status } @lossy), '0 0',
		'asked for twice, of which nothing is heard');
	my $third = ask($other, $method, $how->($thrice));
	$done_already //= $third->status;
	is($third->status, $done_already, "and a third time: $done_already") or diag($third->told);
	is(state_of($thrice), state_of($once), 'and all of it is as if that had been asked once');
}

my @gone = map { Devcred::Shell::read_file("$notes/lost$_.log") =~ /^gone (\d+)/mg } 0 .. 1;
is(scalar(@gone), 26, 'the answers had been there');
none('each as it should', grep { !/\A(?:200|204|404|422)\z/ } @gone);
Devcred::Checker->of_database(dbh => $dbh)->invariants;

END {
	my $status = $?;
	$_->stop for grep { defined } @proxies;
	File::Path::remove_tree($notes) if $notes;
	$? = $status;
}
done_testing();
