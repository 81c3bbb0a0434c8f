#!/usr/bin/perl
# audit export: whole months become files, are dropped when those were read
# again, and seals hold over both; killed anywhere, it can be done again.
use strict;
use warnings;
use Digest::SHA ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $db = $site->dbh;
my $key = "$site->{dir}/audit.key";
my $dir = "$site->{dir}/exports";
mkdir $dir or die "$dir: $!\n";
$db->do('set client_min_messages = error');

sub export {
	my ($before, $status, $words, $name, @more) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return says($site, ['audit', 'export', '--before', $before, '--dir', $dir, @more], $status, $words, $name);
}
sub seal { return says($site, ['audit', 'seal', '--key', $key], 0, qr/./, 'all is sealed') }
sub verify {
	my ($status, $words, $name, @more) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return says($site, ['audit', 'verify', '--public', "$key.pub", @more], $status, $words, $name);
}
sub value { return scalar $db->selectrow_array(@_) }
sub files { opendir my $d, $dir or die "$dir: $!\n"; return join ' ', sort grep { !/\A\.\.?\z/ } readdir $d }
sub spoil {
	my ($file, $from, $to) = @_;
	my $text = Devcred::Shell::read_file("$dir/$file");
	Devcred::Shell::write_file("$dir/$file", $text =~ s/$from/$to/r);
	return sub { Devcred::Shell::write_file("$dir/$file", $text) };
}

# Months of before, as partitions with rows in them; every kind of value.
$db->do('set role devcred_owner');
for my $month (1 .. 4) {
	$db->do("create table devcred.event_2026_0$month partition of devcred.event for values from ('2026-0$month-01T00:00:00Z')
		to ('2026-0@{[$month + 1]}-01T00:00:00Z')");
}
$db->do('reset role');
$db->do(q{insert into devcred.event (tenant, registration, device_id, operation, outcome, actor, at, source, status_before,
	status_after, request_id) select 't1', i, case i % 7 when 0 then E'"\\\\\n\t' || chr(228) || i else 'd' || i end,
	'newdevice_claim', 'ok', 't1/x', timestamptz '2026-01-01T00:00:00.123456Z' + i * interval '19 minutes',
	case i % 3 when 0 then inet '192.0.2.1' when 1 then inet '2001:db8::/64' end, 'WAITING_FOR_CONNECTION',
	case i % 2 when 0 then 'PENDING_ACCEPTANCE'::devcred.request_status end, case i % 2 when 1 then 'r-' || i end
	from generate_series(0, 6999) i});
$db->do('create table public.before as select * from devcred.event');
my $april = value(q{select count(*) from devcred.event where at >= '2026-04-01T00:00:00Z'});
my $DIGEST = q{select md5(string_agg(e::text, '|' order by seq)) from %s e};
my $was = value(sprintf $DIGEST, 'public.before');

# Files -------------------------------------------------------------------------------

says($site, ['audit', 'export', '--dir', $dir], 2, qr/--before YYYY-MM is missing/, 'a month has to be named');
says($site, ['audit', 'export', '--before', '2026-13x', '--dir', $dir], 2, qr/--before/, 'which is one');
says($site, ['audit', 'export', '--before', '2026-02'], 2, qr/--dir is missing/, 'so has a folder');
export('2026-01', 0, qr/\Athere is no such month\n\z/, 'before the first there is nothing');
export('2026-02', 0, qr{\A2026-01: 2350 events in \Q$dir\E/event_2026-01\.jsonl\n\z}, 'a month is written to a file');
is(files(), 'event_2026-01.jsonl', 'and nothing else');
is(sprintf('%04o', (stat "$dir/event_2026-01.jsonl")[2] & 07777), '0600', 'which others do not read');
is(value('select count(*) from devcred.event'), 7000, 'the events are still there');
is(value(q{select event_count || ' ' || encode(sha256, 'hex') || ' ' || (dropped_at is null) from devcred.audit_export}),
	'2350 ' . Digest::SHA::sha256_hex(Devcred::Shell::read_file("$dir/event_2026-01.jsonl")) . ' true',
	'what is in the file is recorded');
says($site, ['audit', 'export', '--before', '2026-02', '--dir', "$dir/not"], 1, qr/No such file/, 'a folder has to be there');
export('9999-01', 0, qr/2026-04: $april events.*\n\z/, 'later months follow; this one is not over');
my $months = value(q{select string_agg(month, ' ' order by month) from devcred.audit_export});
is($months, '2026-01 2026-02 2026-03 2026-04', 'and all are recorded');

# Dropped -----------------------------------------------------------------------------

says($site, ['audit', 'key', $key], 0, qr/./, 'a key');
export('2026-02', 0, qr/^2026-01: 2350 events.*, dropped here$/m, 'where nothing is sealed, a month can be dropped', '--drop', '--yes');
is(value('select count(*) from devcred.event'), 4650, 'and is gone');
is(value(q{select to_regclass('devcred.event_2026_01') is null}), 1, 'with its table');
$db->do(q{insert into devcred.event overriding system value select (json_populate_record(null::devcred.event, l::json)).*
	from string_to_table(convert_from(pg_read_binary_file(?), 'UTF8'), E'\n') l where l <> ''}, undef, "$dir/event_2026-01.jsonl")
    if chmod 0644, "$dir/event_2026-01.jsonl" and chmod 0755, $dir, $site->{dir};
is(value(sprintf $DIGEST, 'devcred.event'), $was, 'a file has all that there was, and can be read back');
$db->do('set session_replication_role = replica');
$db->do(q{delete from devcred.event where at < '2026-02-01T00:00:00Z'});
$db->do('delete from devcred.audit_export where dropped_at is not null');
$db->do('reset session_replication_role');

seal();
$db->do(q{insert into devcred.event (tenant, registration, device_id, operation, outcome, actor, at) values ('t1', 1, 'late',
	'newdevice_create', 'ok', 'x', '2026-02-15T00:00:00Z')});
export('2026-03', 1, qr/2026-02 is not all sealed/, 'where there are seals, what is not sealed is not dropped', '--drop', '--yes');
is(value(q{select count(*) from devcred.event_2026_02 where device_id = 'late'}), 1, 'and is still there');
seal();
my $writer = $site->dbh;
$writer->begin_work;
$writer->do(q{insert into devcred.event (tenant, registration, device_id, operation, outcome, actor) values ('t1', 1, 'now',
	'newdevice_create', 'ok', 'x')});
export('2026-03', 1, qr/lock timeout/, 'a writer of today is in the way of dropping, and not the other way round', '--drop', '--yes');
$writer->commit;
export('2026-03', 0, qr/2026-02: \d+ events.*, dropped here/, 'then it is dropped', '--drop', '--yes');
export('2026-03', 0, qr/there is no such month/, 'once');
verify(1, qr/2026-02 was exported and dropped.*--exports DIR/s, 'to verify then needs the files');
verify(0, qr/: 0 faults;/, 'with which all holds', '--exports', $dir);

# Files that are touched
for my $case (['"t1/x"', '"t1/y"', 'is not as it was recorded'], ['\A[^\n]*\n', '', 'is not as it was recorded']) {
	my $undo = spoil('event_2026-02.jsonl', @$case[0, 1]);
	verify(1, qr/\Aexport of 2026-02 $case->[2]\n\d+ events are missing that these exports had\n/,
		'a file that was changed is found', '--exports', $dir);
	my $sha = Digest::SHA::sha256_hex(Devcred::Shell::read_file("$dir/event_2026-02.jsonl"));
	my $old = value(q{select encode(sha256, 'hex') from devcred.audit_export where month = '2026-02'});
	$db->do(q{update devcred.audit_export set sha256 = decode(?, 'hex') where month = '2026-02'}, undef, $sha);
	verify(1, qr/\Aevent \d+ (?:was changed|is missing) \(seal 1\)\n2 seals/, 'also if it is recorded so', '--exports', $dir);
	$db->do(q{update devcred.audit_export set sha256 = decode(?, 'hex') where month = '2026-02'}, undef, $old);
	$undo->();
}
rename "$dir/event_2026-02.jsonl", "$dir/x";
verify(1, qr/export of 2026-02 is missing/, 'so is one that is lost', '--exports', $dir);
rename "$dir/x", "$dir/event_2026-02.jsonl";
$db->do('set session_replication_role = replica');
$db->do(q{delete from devcred.event where seq = (select max(seq) from devcred.event_2026_03)});
$db->do('reset session_replication_role');
verify(1, qr/\Aevent \d+ is missing \(seal 1\)\n2 seals/, 'what was removed and is in no file is missing', '--exports', $dir);
$db->do(q{insert into devcred.event overriding system value select b.* from public.before b
	where not exists (select from devcred.event e where e.seq = b.seq) and b.at >= '2026-03-01T00:00:00Z'});
verify(0, qr/: 0 faults;/, 'and what was put back, back', '--exports', $dir);

# Killed ------------------------------------------------------------------------------

my $rounds = 0;
for my $pause (map { $_ * 0.004 } 1 .. 25) {
	my $child = fork // die "fork: $!\n";
	if (!$child) {
		open STDOUT, '>', '/dev/null' or POSIX::_exit(126);
		open STDERR, '>', '/dev/null' or POSIX::_exit(126);
		exec "$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, 'audit', 'export', '--before', '2026-05',
		    '--dir', $dir, '--drop', '--yes' or POSIX::_exit(127);
	}
	select undef, undef, undef, $pause;
	kill 'KILL', $child;
	waitpid $child, 0;
	$rounds++ if $? & 127;
}
cmp_ok($rounds, '>', 0, 'killed here and there');
eventually(sub { !value(q{select count(*) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()}) },
	'the database has noticed');
export('2026-05', 0, qr/2026-04: $april events.*dropped here|no such month/, 'it is done again', '--drop', '--yes');
is(value(q{select count(*) from devcred.audit_export where dropped_at is not null}), 3, 'and all months are out');
unlike(files(), qr/new/, 'no half of a file is left');
verify(0, qr/: 0 faults;/, 'and not an event is lost', '--exports', $dir);

$_->disconnect for $db, $writer;
done_testing();
