#!/usr/bin/perl
# The id of the request in each event: what it can be, that all who record
# something take it, and that those who know nothing of it need not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $super = $cluster->connect($database);
my $app = $cluster->connect($database, 'devcred_service');
my $auditor = $cluster->connect($database, 'devcred_reader');

sub create {
	my ($id, @request) = @_;
	my $marks = join '', map { ', ?' } @request;
	return eval { $app->selectrow_array("select outcome from devcred.newdevice_create('t1',
		't1/admin', null, ?, null, null, null, null$marks)", undef, $id, @request) } // $app->state;
}

# Form ------------------------------------------------------------------------------

for my $good (undef, 'a', 'A-Za-z0-9.-_:@', 'x' x 64) {
	my $id = device_id();
	my $name = defined $good ? substr $good, 0, 16 : 'null';
	is(create($id, $good), 'ok', "a request can be called $name");
	is($auditor->selectrow_array('select request_id from devcred.audit where device_id = ?',
		undef, $id), $good, 'and auditors see it');
}
for my $bad ('', ' ', 'a b', 'x' x 65, "a\n", "\na", 'a=b', 'a"b', "a'b", 'a/b', "\xc3\xa9") {
	(my $name = $bad) =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
	is(create(device_id(), $bad), '23514', "but not '" . substr($name, 0, 16) . "'");
}
is(create(my $old = device_id()), 'ok', 'who knows nothing of it leaves it out');
is($auditor->selectrow_array('select request_id from devcred.audit where device_id = ?', undef,
	$old), undef, 'and none is recorded');

# Functions ---------------------------------------------------------------------------

# Functions that record, themselves or by what they call.
my $functions = $super->selectall_hashref(q{select p.oid::regprocedure::text as name, p.proname,
	p.prosrc, p.proargnames[p.pronargs] as last, p.pronargdefaults > 0 as optional
	from pg_proc p where p.pronamespace = 'devcred'::regnamespace}, 'name');
my %records = map { $_->{proname} => 1 }
    grep { $_->{prosrc} =~ /insert into devcred\.event\b/ } values %$functions;
cmp_ok(keys %records, '>', 5, 'there are functions that record');
my $known;
do {
	$known = keys %records;
	for my $function (values %$functions) {
		$records{ $function->{proname} } = 1
		    if grep { $function->{prosrc} =~ /\bdevcred\.$_\(/ } keys %records;
	}
} while (keys %records > $known);
# who comes by the database comes by no request
my @recording = grep { $records{ $_->{proname} } && $_->{proname} !~ /\A(?:verify|housekeep|request_expire|rule_accept|accept_rule_apply)\z/
	&& $_->{prosrc} !~ /\bdoor_(?:actor|scope)\(|\bp_outcome\b.*raise exception/s } values %$functions;
is(join(' ', sort map { $_->{name} } grep { ($_->{last} // '') ne 'p_request' || !$_->{optional} }
	@recording), '', 'whoever records takes the request, last, and it may be left out');
is(join(' ', sort map { $_->{name} } grep {
	my $source = $_->{prosrc};
	grep { $source =~ /\bdevcred\.$_\(((?:[^()]|\([^()]*\))*)\)/ && $1 !~ /p_request/ } keys %records
	} @recording), '', 'and hands it on to whom it calls');
is_deeply($super->selectcol_arrayref(q{select proname from pg_proc
	where pronamespace = 'devcred'::regnamespace and 'p_request' = any (proargnames)
	group by proname having count(*) > 1}), [],
	'no function is there twice, so that calls without it are not ambiguous');

# Groups --------------------------------------------------------------------------------

# The service of the release before has one argument less.
my @id = map { device_id() } 1 .. 3;
create($_) for @id;
sub claim {
	my ($requests) = @_;
	my $more = $requests ? ', ?' : '';
	return $app->do("select * from devcred.credential_issue(?, array_fill('t1'::text, array[3]),
		array_fill('t1/boot'::text, array[3]), array_fill(null::inet, array[3]),
		array_fill(null::bytea, array[3]), array_fill('\\x00112233445566778899aabbccddeeff'::bytea, array[3]),
		array_fill(null::text, array[3]), array_fill(null::text, array[3]), array_fill(0, array[3]),
		array_fill('\\x'::bytea, array[3]), array_fill('\\x'::bytea, array[3]),
		array_fill(null::text, array[3]), array_fill(null::bytea, array[3]),
		array_fill(null::text, array[3]), 0, 1, false, '{}'$more)", undef, \@id, $requests // ());
}
sub requests {
	return join ' ', map { $_ // 'none' } @{ $super->selectcol_arrayref('select (array_agg(request_id
		order by seq desc))[1] from devcred.event where device_id = any (?) group by device_id
		order by device_id', undef, \@id) };
}
claim(['r-1', undef, 'r-3']);
is(requests(), 'r-1 none r-3', 'of a group each is recorded under its own request');
$_ = device_id() for @id;
create($_, 'before') for @id;
claim();
is(requests(), 'none none none', 'or under none');

done_testing();
