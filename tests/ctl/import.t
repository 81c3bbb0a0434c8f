#!/usr/bin/perl
# import: the devices of a CSV file, by the rules of bulk registration.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $db = $site->dbh;
my $csv = "$site->{dir}/devices.csv";
my $failed = "$site->{dir}/failed.csv";

# Import a file with this text; returns what was said.
sub import_text {
	my ($text, $args, $status, $words, $name, %arg) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	Devcred::Shell::write_file($csv, $text);
	return says($site, ['import', $csv, @$args], $status, $words, $name, %arg);
}
sub row { return join ' ', map { $_ // 'null' } $db->selectrow_array(@_) }

import_text("ID;PATH;TENANT\na-1;House 1;t2\na-2;;\n", [], 0,
	qr/\A2 lines: 2 created, 0 updated, 0 failed\n\z/, 'a file is imported');
is(row(q(select string_agg(id || ' ' || tenant || ' ' || owner, ', ' order by id)
	from devcred.newdevice_request)), 'a-1 t2 db:devcred_operator, a-2 management db:devcred_operator',
	'its lines name their tenants, and who did it is known');
is(row(q(select string_agg(distinct operation || ' ' || actor, ', ') from devcred.event)),
	'newdevice_create db:devcred_operator', 'and audited');
import_text("ID;TENANT\nb-1;t2\n", ['--tenant', 't1'], 0, qr/1 created/, 'a tenant is given for all');
is(row(q(select tenant from devcred.newdevice_request where id = 'b-1')), 't1', 'and counts');
import_text("ID,CREDENTIALS\nc-1,password-1\na-1,password-2\n", ['--tenant', 't1'], 0,
	qr/2 lines: 2 created/, 'a file with passwords is imported');
ok(row("select devcred.verify('t1/device_c-1', 'password-1')"), 'which work');
import_text("ID,CREDENTIALS\nc-1,password-3\n", ['--tenant', 't1'], 0,
	qr/0 created, 1 updated, 0 failed/, 'a device that is known gets the new one');

import_text("ID\nb-1\nno/slash\n\nb-2\n", ['--tenant', 't1', '--errors', $failed], 1,
	qr/3 lines: 1 created, 0 updated, 2 failed\n\z/, 'what fails does not stop the others');
is(Devcred::Shell::read_file($failed), "line,id,reason\n"
	. "3,no/slash,Device id 'no/slash' contains '/' character which is not permitted.\n"
	. "2,b-1,NewDeviceRequest for id = b-1 already exists.\n", 'and is in the file');
import_text("ID\nx\n", ['--errors', $failed], 1, qr/failed\.csv: File exists/,
	'which is not written over');
my $told = import_text(join("\n", 'ID', ('a/b') x 30), [], 1, qr/-> and 10 more; --errors FILE/,
	'without it the first are told');
is(() = $told =~ /devices\.csv:\d+: Device id/g, 20, 'twenty of them');

import_text('', [], 1, qr/devices\.csv: The file is empty/, 'an empty file is refused');
import_text("NAME\nx\n", [], 1, qr/no column ID/, 'and one without ids');
import_text("ID\nx\n", ['--tenant', 'nowhere'], 1, qr/no tenant nowhere/, 'a tenant must be there');
says($site, ['import', "$csv.not"], 1, qr/No such file/, 'so must the file');
says($site, ['import'], 2, qr/FILE is missing/, 'it must be named');
says($site, ['import', '-'], 0, qr/1 created/, 'it may be standard input', in => "ID\nd-1\n");
says($site, ['import', '-'], 3, qr/cannot be reached/, 'without the database nothing is done',
	in => "ID\nd-2\n", env => { DEVCRED_DATABASE => "host=$site->{dir}/nowhere" });

import_text(join("\n", 'ID', map { "many-$_" } 1 .. 12_000), [], 0,
	qr/\A12000 lines: 12000 created/, 'thousands are imported batch by batch');
is(row('select count(*) from devcred.bulk_row'), 0, 'and nothing is left behind');

# Several batches -------------------------------------------------------------------

# Lines of 5,000 are a batch, and two batches are under way at once.
sub several { my ($name, $more) = @_; return map { "$name-$_$more" } 1 .. 5_000 }

unlink $failed;
import_text(join("\n", 'ID,PATH', 'same,1', several('p', ',x'), 'same,2', several('q', ',x'), 'same,3'),
	['--tenant', 't1', '--errors', $failed], 1, qr/10003 lines: 10001 created, 0 updated, 2 failed/,
	'a device that is in several batches is created once');
is(row(q(select custom_properties ->> 'PATH' from devcred.newdevice_request where id = 'same')), 1,
	'as its first line has it');
is(join(' ', Devcred::Shell::read_file($failed) =~ /^(\d+),same,.*already exists\.$/mg), '5003 10004',
	'and it is the others that failed');
import_text(join("\n", 'ID,CREDENTIALS', 'same,password-1', several('r', ',password-0'), 'same,password-2'),
	['--tenant', 't1'], 0, qr/5002 lines: 5001 created, 1 updated, 0 failed/, 'with passwords it is given both');
ok(row("select devcred.verify('t1/device_same', 'password-2')"), 'and the last one counts');

my $lone = "lone_$$";
$db->do("create role $lone login connection limit 1 in role devcred_owner");
import_text(join("\n", 'ID', several('s', ''), several('t', ''), several('u', '')), ['--tenant', 't1'], 0,
	qr/15000 lines: 15000 created/, 'one connection is enough',
	env => { DEVCRED_DATABASE => $site->{cluster}->conninfo($site->{database}, $lone) });
is(row("select count(*) from devcred.event where actor = 'db:$lone'"), 15_000, 'if there is no second');
$db->do("drop role $lone");

# Somebody has an id of the first batch, and may yet leave it.
my $other = $site->dbh;
$other->begin_work;
$other->do("insert into devcred.newdevice_request (id, tenant) values ('v-7', 't1')");
Devcred::Shell::write_file($csv, join "\n", 'ID', several('v', ''), several('w', ''));
my $pid = fork // die "fork: $!\n";
if ($pid == 0) {
	open STDOUT, '>', "$site->{dir}/told" or die "$!\n";
	exec "$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, 'import', $csv, '--tenant', 't1'
	    or POSIX::_exit(127);
}
ok(Devcred::Shell::until_true(sub { row("select count(*) from devcred.newdevice_request where id ^@ 'w-'") == 5_000 }),
	'the second batch does not wait for the first');
is(row("select count(*) from devcred.newdevice_request where id ^@ 'v-'"), 0, 'which waits');
$other->rollback;
waitpid $pid, 0;
like(Devcred::Shell::read_file("$site->{dir}/told"), qr/\A10000 lines: 10000 created, 0 updated, 0 failed\n\z/,
	'and comes to its end, too');
is(row('select count(*) from devcred.bulk_row'), 0, 'nothing is left behind');

done_testing;
