#!/usr/bin/perl
# audit key, seal, verify: what is changed, removed or inserted behind a seal is
# found and named, and nobody waits for who seals.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $cluster = Devcred::Cluster->new(options => ['-c max_prepared_transactions=2']);
my $site = Devcred::Site->new(web => 'none', start => 0, cluster => $cluster);
my $db = $site->dbh;
my $key = "$site->{dir}/audit.key";
my $public = "$key.pub";
my $kept = "$site->{dir}/kept";
$db->do('set client_min_messages = error');

sub record {
	my ($dbh, $id) = @_;
	return $dbh->selectrow_array("insert into devcred.event (tenant, registration, device_id, operation, outcome, actor)
		values ('t1', 1, ?, 'newdevice_create', 'ok', 'db:test') returning seq", undef, $id // device_id());
}
sub seal {
	my ($status, $words, $name, @more) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return says($site, ['audit', 'seal', '--key', $key, @more], $status, $words, $name);
}
sub verify {
	my ($status, $words, $name, @more) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return says($site, ['audit', 'verify', '--public', $public, @more], $status, $words, $name);
}
# What nobody may do, done in a moment; verify says this of it.  Then all is as before.
sub tampered {
	my ($statement, $words, $name, @more) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$db->do("create table public.kept_$_ as select * from devcred.$_") for qw(event audit_seal);
	behind($statement);
	my $told = verify(1, $words, $name, @more);
	behind("truncate devcred.event, devcred.audit_seal; insert into devcred.event overriding system value
		select * from public.kept_event; insert into devcred.audit_seal select * from public.kept_audit_seal");
	$db->do("drop table public.kept_$_") for qw(event audit_seal);
	return $told;
}
sub behind {
	my ($statement) = @_;
	$db->do('set session_replication_role = replica');
	$db->do($statement);
	$db->do('reset session_replication_role');
	return;
}

# Keys ------------------------------------------------------------------------------

umask 0;
my $id = says($site, ['audit', 'key', $key], 0, qr/\A[0-9a-f]{16}\n\z/, 'a key is made, and its id told');
chomp $id;
is(sprintf('%04o', (stat $key)[2] & 07777), '0600', "which is its owner's alone");
like(Devcred::Shell::read_file($public), qr/\A$id [0-9a-f]{64}\n\z/, 'its public half is in a file of its own');
unlike(Devcred::Shell::read_file($public), qr/\Q@{[substr Devcred::Shell::read_file($key), 18, 16]}/,
	'which has nothing of it');
says($site, ['audit', 'key', $key], 1, qr/audit\.key: File exists/, 'a key is not written over');
unlink $public;
Devcred::Shell::write_file($public, "$id " . 'x' x 64 . "\n");
my $other = "$site->{dir}/other.key";
Devcred::Shell::write_file("$other.pub", '');
says($site, ['audit', 'key', $other], 1, qr/other\.key\.pub: File exists/, 'nor its public half');
ok(!-e $other, 'and then there is no key either');
unlink $public, $key, "$other.pub";
chomp($id = says($site, ['audit', 'key', $key], 0, qr/\A[0-9a-f]{16}\n\z/, 'a new one can be made'));
chmod 0644, $key;
seal(1, qr/open to others \(mode 0644\)/, 'a key that others may read is refused');
chmod 0600, $key;
Devcred::Shell::write_file($other, 'devcred-audit-key ' . 'g' x 64 . "\n", 0600);
says($site, ['audit', 'seal', '--key', $other], 1, qr/is not a key of/, 'so is what is none');
unlink $other;
says($site, ['audit', 'seal'], 2, qr/--key is missing/, 'a key has to be named');
says($site, ['audit', 'verify'], 2, qr/--public is missing/, 'and what checks it');
seal(2, qr/--wait is/, 'nobody waits for nonsense', '--wait', 'x');

# Seals -----------------------------------------------------------------------------

seal(0, qr/\Anothing new to seal\n\z/, 'without events there is nothing to seal');
verify(0, qr/\A0 seals over 0 events: 0 faults; 0 events are not sealed yet\n\z/, 'and nothing to find');
my @seq = map { record($db) } 1 .. 3;
verify(0, qr/3 events are not sealed yet/, 'events are counted before they are sealed');
seal(0, qr/\A3 events sealed, up to 3; the last seal is 1\n\z/, 'events are sealed', '--out', $kept);
seal(0, qr/\Anothing new to seal\n\z/, 'once');
push @seq, map { record($db) } 1 .. 3;
seal(0, qr/\A3 events sealed, up to 6; the last seal is 2\n/, 'then what came after', '--out', $kept);
$db->begin_work;
record($db);
$db->rollback;
push @seq, record($db);
$db->do("set timezone = 'Asia/Tokyo'");
seal(0, qr/\A1 events sealed, up to 8; the last seal is 3\n/, 'what was rolled back leaves a gap, which is sealed, too');
verify(0, qr/\A3 seals over 7 events: 0 faults; 0 events/, 'and all is as it was sealed', '--against', $kept);
is(() = Devcred::Shell::read_file($kept) =~ /^devcred audit seal\nformat 1\nnumber \d\n/mg, 2,
	'what was handed out is text');
like($db->selectrow_array("set datestyle = 'SQL, DMY'; set bytea_output = 'escape'; set client_encoding = 'LATIN1';
	select encode(devcred.event_digest(1, e), 'hex') = (select substr(encode(digests, 'hex'), 17, 32) from devcred.audit_seal where number = 1)
	|| '' from devcred.event e where seq = 1") // '', qr/^.?\z/, 'digests know no settings');
is($db->selectrow_array("select count(*) from devcred.audit_seal s, devcred.event e where s.number = 1
	and position(substr(devcred.event_digest(1, e), 1, 16) in s.digests) > 0"), 3, 'and are the same in any session');
$db->do('reset all');
for my $statement ('update devcred.audit_seal set number = 9', 'delete from devcred.audit_seal', 'truncate devcred.audit_seal') {
	ok(!eval { $db->do($statement); 1 } && $@ =~ /audit_seal is append-only/, "nobody can $statement");
}

# Tampering ---------------------------------------------------------------------------

for my $column (["tenant = 't2'"], ["at = at + interval '1 us'"], ['registration = 2'], ["device_id = 'x'"],
	["operation = 'newdevice_delete'"], ["outcome = 'absent'"], ["actor = 'x'"], ["source = '::1'"], ["db_user = 'x'"],
	["status_before = 'BLOCKED'"], ["status_after = 'BLOCKED'"], ["request_id = 'x'"]) {
	tampered("update devcred.event set $column->[0] where seq = 2", qr/\Aevent 2 was changed \(seal 1\)\n3 seals over 7 events: 1 faults/,
		"$column->[0] is found");
}
tampered("update devcred.event set status_before = 'BLOCKED' where seq = 2; delete from devcred.event where seq = 6",
	qr/\Aevent 2 was changed \(seal 1\)\nevent 6 is missing \(seal 2\)\n3 seals.*2 faults;/s, 'each is named');
tampered('delete from devcred.event where seq in (1, 5)', qr/\Aevent 1 is missing \(seal 1\)\nevent 5 is missing \(seal 2\)\n/,
	'so is what was removed');
my $INSERT = "insert into devcred.event (seq, tenant, registration, device_id, operation, outcome, actor) overriding system value";
tampered("$INSERT values (7, 't1', 1, 'x', 'newdevice_create', 'ok', 'x')", qr/\Aevent 7 was inserted \(seal 3\)\n/,
	'and what was put where one was rolled back');
tampered("$INSERT values (0, 't1', 1, 'x', 'newdevice_create', 'ok', 'x'), (-5, 't1', 1, 'x', 'newdevice_create', 'ok', 'x')",
	qr/\Aevent -5 was inserted \(seal 1\)\nevent 0 was inserted \(seal 1\)\n/, 'or before all others');
tampered("$INSERT select seq, tenant, registration, device_id, operation, outcome, 'x' from devcred.event where seq = 4",
	qr/\Aevent 4 was inserted \(seal 2\)\n/, 'or beside one, with its number');
tampered('truncate devcred.event', qr/\A(?:event \d is missing \(seal \d\)\n){7}/, 'or all');
tampered("update devcred.event set actor = 'x' where seq = 2; update devcred.audit_seal s set digests = decode((select digests
	from devcred.audit_digests(1, s.after_seq, s.until_seq, null)), 'hex') where number = 1",
	qr/\Aseal 1 was altered.*\nseal 2 does not follow/, 'a seal that was changed with its event does not hold');
tampered("update devcred.audit_seal set $_ where number = 2", qr/^seal 2 was altered: the signature/m, "nor one with $_")
    for 'format = 1, sealed_at = sealed_at - interval $$1 s$$', 'until_seq = 7', 'previous = sha256($$x$$)', 'signature = sha512($$x$$)';
tampered('delete from devcred.audit_seal where number = 2', qr/\Aseal 2 is missing\n/, 'a seal that is removed is missed');
tampered('delete from devcred.audit_seal where number = 1', qr/\Aseal 1 is missing\n/, 'the first, too');
tampered("update devcred.audit_seal set key_id = '0123456789abcdef' where number = 3", qr/\Aseal 3 was signed with a key/,
	'so is the key of one');
push @seq, record($db);
seal(0, qr/the last seal is 4/, 'one more', '--out', $kept);
tampered('delete from devcred.audit_seal where number = 4', qr/\Aseal 4 is missing\n3 seals/,
	'of the last ones, seals that were kept elsewhere tell', '--against', $kept);
Devcred::Shell::write_file("$kept.spoilt", Devcred::Shell::read_file($kept) =~ s/until 6/until 7/r);
verify(1, qr/\Aseal 2 is not the one that was kept elsewhere\n/, 'a seal that is another one is found', '--against', "$kept.spoilt");
verify(1, qr/has no seals/, 'a file without seals is none', '--against', $public);
verify(1, qr/No such file/, 'nor is none', '--against', "$kept.not");

# A forger with a key of his own, who makes all seals anew
says($site, ['audit', 'key', $other], 0, qr/./, 'another key');
says($site, ['audit', 'verify', '--public', "$other.pub"], 1, qr/seal 1 was signed with a key that is not in the file/,
	'checks nothing of the first');
record($db);
says($site, ['audit', 'seal', '--key', $other], 0, qr/the last seal is 5/, 'keys can be changed');
verify(1, qr/\Aseal 5 was signed with a key/, 'and old public halves do not know it');
Devcred::Shell::write_file($public, Devcred::Shell::read_file($public) . Devcred::Shell::read_file("$other.pub"));
verify(0, qr/\A5 seals over 9 events: 0 faults/, 'one file may have them all');

# Columns and settings that come later
$db->do('alter table devcred.event add column later text');
$db->do('alter table devcred.event drop column later');
verify(0, qr/0 faults/, 'a column that is added breaks no seal');

# Writers ----------------------------------------------------------------------------

my $writer = $site->dbh;
$writer->begin_work;
my $slow = record($writer);
my $fast = record($db);
my ($pid) = $writer->selectrow_array('select pg_backend_pid()');
seal(1, qr/after 0 s still at work.*process $pid.*nothing was sealed/s, 'who still writes is named', '--wait', '0');
my $report = "$site->{dir}/report";
my $child = fork // die "fork: $!\n";
if (!$child) {
	open STDOUT, '>', $report or POSIX::_exit(126);
	exec "$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, 'audit', 'seal', '--key', $key, '--wait', '20'
	    or POSIX::_exit(127);
}
eventually(sub { $db->selectrow_array("select count(*) from pg_locks where relation = 'devcred.audit_seal'::regclass
	and mode = 'ShareRowExclusiveLock' and granted") }, 'somebody seals, and waits for the writer');
$db->do("set lock_timeout = '5s'");
my $later = record($db);
ok($later, 'others write meanwhile');
seal(1, qr/./, 'only one seals at a time', '--wait', '0');
$writer->commit;
waitpid $child, 0;
is($? >> 8, 0, 'when the writer has ended, it goes on');
like(Devcred::Shell::read_file($report), qr/events sealed, up to (?:$fast|$later);/, 'and seals');
$db->do('reset lock_timeout');
verify(0, qr/0 faults/, 'with what the writer wrote');
ok($slow < $fast, 'which has the smaller number');
record($db);
seal(0, qr/events sealed/, 'and what came later comes later');
verify(0, qr/0 faults; 0 events/, 'nothing is left out');
$writer->begin_work;
record($writer);
$writer->do("prepare transaction 'audit_test'");
seal(1, qr/prepared transaction [-\d]+\/\d+ \(see pg_prepared_xacts\)/, 'a prepared transaction is named, too', '--wait', '0');
$db->do("commit prepared 'audit_test'");
seal(0, qr/1 events sealed/, 'and when it has ended, sealed');

# Many -------------------------------------------------------------------------------

$db->do("insert into devcred.event (tenant, registration, device_id, operation, outcome, actor) select 't1', i, 'm-' || i,
	'newdevice_create', 'ok', 'x' from generate_series(1, 100010) i");
seal(0, qr/\A100010 events sealed/, 'many events are sealed at once');
is(join(' ', @{ $db->selectcol_arrayref('select event_count from devcred.audit_seal order by number desc limit 2') }), '10 100000',
	'in seals of 100000 at most');
verify(0, qr/0 faults; 0 events/, 'which hold');
behind("update devcred.event set registration = 0 where device_id = 'm-77777'");
verify(1, qr/\Aevent \d+ was changed \(seal \d+\)\n\d+ seals/, 'and find the one among them');

$_->disconnect for $db, $writer;
done_testing();
