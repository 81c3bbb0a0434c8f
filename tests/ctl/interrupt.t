#!/usr/bin/perl
# What takes long: it shows how far it is to people alone, and an interrupt
# leaves nothing half done.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $db = $site->dbh;
my $program = "$Devcred::Shell::BIN/devcredctl";
my $csv = "$site->{dir}/many.csv";
my $told = "$site->{dir}/told";

# A file of 60,000 devices, which no other had.
sub devices {
	my ($name) = @_;
	Devcred::Shell::write_file($csv, join '', "ID\n", map { "$name-$_\n" } 1 .. 60_000);
	return;
}
sub count { return $db->selectrow_array('select count(*) from devcred.newdevice_request where tenant = ?', undef, @_) }

# Start a command, send it a signal when something holds; wait status, words.
sub interrupted {
	my ($signal, $when, @args) = @_;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDOUT, '>', $told or die "$!\n";
		open STDERR, '>&', \*STDOUT or die "$!\n";
		exec $program, '-c', $site->conf_path, @args or POSIX::_exit(127);
	}
	Devcred::Shell::until_true($when, 20) or diag('it never came so far');
	kill $signal, $pid;
	waitpid $pid, 0;
	return ($?, Devcred::Shell::read_file($told));
}

# Import ----------------------------------------------------------------------

devices('t1');
my ($status, $text) = interrupted('INT', sub { count('t1') > 0 }, 'import', $csv, '--tenant', 't1');
is($status & 127, POSIX::SIGINT(), 'an interrupted import ends by the signal: 130 in a shell') or diag($text);
my ($line) = $text =~ /interrupted; all lines up to (\d+) are done\n-> .* --after \1/;
ok(defined $line && $line > 1 && $line < 60_001, 'it says how far it came') or diag($text);
is(count('t1'), ($line // 0) - 1, 'that is what is there');
like($text, qr/^(\d+) lines: \1 created, 0 updated, 0 failed$/m, 'and what it counts');
is($db->selectrow_array('select count(*) from devcred.bulk_row'), 0, 'nothing is left behind');
says($site, ['import', $csv, '--tenant', 't1', '--after', $line], 0, qr/ 0 failed\n\z/, 'it goes on from there');
is(count('t1'), 60_000, 'to the end, with none lost and none twice');
says($site, ['import', $csv, '--after', 'x'], 2, qr/number of a line/, '--after is a number');
for my $case ([TERM => 15, 't2'], [HUP => 1, 'token']) {
	my ($name, $number, $tenant) = @$case;
	devices($tenant);
	($status, $text) = interrupted($name, sub { count($tenant) > 0 }, 'import', $csv, '--tenant', $tenant, '--json');
	is($status & 127, $number, "$name does the same");
	like($text, qr/^\{"lines": \d+, "created": \d+, .*"last_line": \d+\}$/m, 'programs are told, too');
}

# Many devices accepted ---------------------------------------------------------

sub accepted_count { return $db->selectrow_array(q{select count(*) from devcred.newdevice_request
	where tenant = 't1' and status = 'ACCEPTED'}) }
$db->do(q{update devcred.newdevice_request set status = 'PENDING_ACCEPTANCE', claimed_at = now(),
	last_seen_at = now() where tenant = 't1' and id ~ '^t1-[0-9]{1,4}$'});
my @all = ('request', 'accept', '--all', '--tenant', 't1', '--yes', '--json');
($status, $text) = interrupted('INT', sub { accepted_count() > 0 }, @all);
is($status & 127, POSIX::SIGINT(), 'so does an interrupted acceptance of many');
my $accepted = accepted_count();
ok($accepted < 9_999 && $accepted % 500 == 0, 'it ends between two transactions') or diag("$accepted\n");
is(() = $text =~ /"outcome": "ok"/g, $accepted, 'and has told what it did');
like($text, qr/ended early, after $accepted of 9999\n-> the same command again/, 'and how to go on');
says($site, \@all, 0, qr/"outcome": "ok"/, 'which it does');
is(accepted_count(), 9_999, 'to the end');

# Progress --------------------------------------------------------------------

# What a terminal of so many columns shows.
sub shown {
	my ($columns, @args) = @_;
	my ($is, $shown) = Devcred::Shell::run(['script', '-qefc',
		"stty cols $columns; exec $program -c " . $site->conf_path . " @args", '/dev/null']);
	return $shown;
}
for my $columns (80, 30) {
	devices("wide-$columns");
	my $shown = shown($columns, 'import', $csv, '--tenant', 'list');
	like($shown, qr/\r.*\d+ %  \d+ lines/, "$columns columns: it shows how far it is");
	like($shown, qr/\[#*\.*\] .*, \d+\/s, \d+:\d\d, left \d+:\d\d/, 'with bar, rate and time left') if $columns == 80;
	is((grep { length >= $columns } map { split /\r/ } $shown =~ /\A(.*?)60000 lines:/s), 0, 'in one line of the terminal');
	like($shown, qr/\r +\r60000 lines: 60000 created, 0 updated, 0 failed\r\n\z/, 'which is gone in the end');
}
for my $option ('--quiet', '--json') {
	devices("life$option");
	my $shown = shown(80, 'import', $csv, '--tenant', 'life', $option);
	unlike($shown, qr/%/, "$option: it shows nothing of it");
}

# Migrate ---------------------------------------------------------------------

# somebody has what it needs
my $other = $site->dbh;
$other->begin_work;
$other->do('lock table devcred.event in access share mode');
($status, $text) = interrupted('INT', sub { $db->selectrow_array(q{select count(*) from pg_locks
	where not granted}) > 0 }, 'migrate');
$other->rollback;
is($status & 127, POSIX::SIGINT(), 'an interrupted migration ends by the signal');
like($text, qr/interrupted in sql\/\S+; the database is as it was before\n\z/, 'and says so');
# what it ran ends a moment later; a vacuum is nobody's
eventually(sub { $db->selectrow_array(q{select count(*) from pg_stat_activity
	where datname = current_database() and pid <> pg_backend_pid() and state = 'active'
	and backend_type = 'client backend'}) == 0 }, 'nothing runs on for nobody');
says($site, ['migrate'], 0, qr/nothing to migrate/, 'it can be done again');
$db->do(q{create function public.warn() returns event_trigger language plpgsql as $$
	begin raise warning 'mind the gap' using errcode = '01D01', hint = 'jump'; end $$});
$db->do(q{create event trigger warn on ddl_command_start when tag in ('CREATE VIEW')
	execute function public.warn()});
says($site, ['migrate'], 0, qr/^devcredctl: warning: mind the gap\n-> jump\n/m, 'warnings of the database are shown');
$db->do('drop event trigger warn');

# Somebody waits for what the migration has, and has what it waits for.
$other->begin_work;
$other->do('lock table devcred.event in access share mode');
my $pid = fork // die "fork: $!\n";
if ($pid == 0) {
	open STDOUT, '>', "$site->{dir}/migrate.out" or die "migrate.out: $!\n";
	open STDERR, '>&', \*STDOUT or die "migrate.out: $!\n";
	exec $program, '-c', $site->conf_path, 'migrate' or POSIX::_exit(127);
}
ok(Devcred::Shell::until_true(sub { $db->selectrow_array(q{select count(*) from pg_locks
	where not granted and relation = 'devcred.event'::regclass}) > 0 }), 'a migration waits for a table');
ok($other->selectrow_array('select count(*) from devcred.tenant'), 'and has another that is wanted');
$other->rollback;
waitpid $pid, 0;
is($?, 0, 'it lets the others go first');
like(Devcred::Shell::read_file("$site->{dir}/migrate.out"),
	qr/\Adevcredctl: others use what has to change; trying again\n.*nothing to migrate/s, 'and says so');

# Housekeeping ----------------------------------------------------------------

$db->do("update devcred.tenant set waiting_expiry = '1h' where id = 't1'");
$db->do("update devcred.newdevice_request set created_at = now() - interval '2h' where tenant = 't1'");
says($site, ['housekeep'], 0, qr/ 50001 requests withdrawn\n\z/, 'what has run out goes to the end, some thousand at a time');
done_testing;
