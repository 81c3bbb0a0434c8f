#!/usr/bin/perl
# Whoever asks for devices that nobody knows costs a question and no more: no
# row, no transaction that writes, and no memory that stays.
#
# Environment: DEVCRED_LONG (100,000 devices).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Fcgi;

my $POLLS = Devcred::Shell::short_or_long(6000, 100_000);
my $ROOM = 512;    # KiB that memory may go up and down by

# its own: what others write would count
my $site = Devcred::Site->new(cluster => Devcred::Cluster->new, web => 'none',
	conf => { workers => 2 });
my $path = $site->socket_path;
my $dbh = $site->dbh;
my %login = map { $_ => Devcred::Site::login($_) } 'management/devicebootstrap', 't1/admin', 't1/bootstrap';

# Ways to ask for a device that is not there, and the answer to each.
my @ways = (
	['management/devicebootstrap', POST => $Devcred::Http::CREDENTIALS, '{"id":"%s"}', 404],
	['management/devicebootstrap', POST => $Devcred::Http::CREDENTIALS,
		'{"id":"%s","securityToken":"%s"}', 404],
	['t1/bootstrap', POST => $Devcred::Http::CREDENTIALS, '{"id":"%s","securityToken":"x"}', 404],
	['management/devicebootstrap', POST => '/s', '61,%s', 200],
	['t1/admin', GET => "$Devcred::Http::REQUESTS/%s", '', 404],
	['t1/admin', PUT => "$Devcred::Http::REQUESTS/%s", '{"status":"ACCEPTED"}', 404],
	['t1/admin', DELETE => "$Devcred::Http::REQUESTS/%s", '', 404],
	['t1/admin', GET => '/devcred/credentials/%s', '', 404],
);
my $count = 0;

# Ask for so many, each unknown till then; how many answers were as they should be.
sub ask {
	my ($n) = @_;
	my $good = 0;

	for (1 .. $n) {
		my ($who, $method, $uri, $body, $status) = @{ $ways[ ++$count % @ways ] };
		# some of them as long as they may be
		my $id = "unknown-$count" . ($count % 10 ? '' : 'x' x 900);
		s/%s/$id/g for $uri, $body;
		my $answer = Devcred::Fcgi::exchange($path, Devcred::Fcgi::request($method, $uri,
			login => $login{$who}, body => $body,
			more => { HTTP_USER_AGENT => "agent $count" }));
		$good++ if $answer->{status} == $status;
	}
	return $good;
}

# Rows of every table, and the next transaction that writes.
sub rows {
	return { map { my $table = $_; ($table => $dbh->selectrow_array("select count(*) from $table")) }
		@{ $dbh->selectcol_arrayref(q{select oid::regclass::text from pg_class
			where relnamespace = 'devcred'::regnamespace and relkind in ('r', 'p')}) } };
}
sub next_write { return $dbh->selectrow_array('select pg_snapshot_xmax(pg_current_snapshot())') }

# Memory of the service, in KiB, its children's with it.
sub memory {
	my $sum = 0;
	my @family = ($site->service_pid);
	push @family, Devcred::Site::children($_) for @family;
	for my $pid (@family) {
		my ($pss) = Devcred::Shell::read_file("/proc/$pid/smaps_rollup") =~ /^Pss:\s+(\d+)/m;
		return undef unless defined $pss;
		$sum += $pss;
	}
	return $sum;
}

# until what is needed for any request is there
is(ask(2000), 2000, 'devices that nobody knows are asked for, and are not found');
my ($rows, $memory, $write) = (rows(), memory(), next_write());
is(ask($POLLS), $POLLS, "and $POLLS more");
my $wrote = next_write() - $write;
is_deeply(rows(), $rows, 'no table has a row more');
cmp_ok($wrote, '<', 50, 'nearly no transaction has written: housekeeping does')
    or diag("$wrote transactions");
SKIP: {
	skip 'memory of processes cannot be read', 1 unless defined $memory;
	cmp_ok(memory(), '<=', $memory + $ROOM, "the service has no more memory than $ROOM KiB more");
	diag(sprintf 'memory: %d KiB, then %d', $memory, memory());
}

done_testing();
