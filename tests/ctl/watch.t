#!/usr/bin/perl
# request watch: what becomes of requests, nothing missed and nothing twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Cluster;
use Devcred::Ctl;

# one of its own, as it is stopped
my $cluster = Devcred::Cluster->new;
my $site = Devcred::Site->new(web => 'none', start => 0, cluster => $cluster);
my $file = "$site->{dir}/watch";

# Start it, with its words in a file; its pid.
sub watch {
	my @command = ("$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, 'request', 'watch',
		'--interval', 1, @_);
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDOUT, '>', $file or die "$!\n";
		open STDERR, '>&', \*STDOUT or die "$!\n";
		exec @command or POSIX::_exit(127);
	}
	return $pid;
}
sub words { return Devcred::Shell::read_file($file) }
sub sees {
	my ($words, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(Devcred::Shell::until_true(sub { words() =~ $words }, 20), $name) or diag(words());
	return;
}
sub ends {
	my ($pid, $name) = @_;
	my $status;
	Devcred::Shell::until_true(sub { waitpid($pid, POSIX::WNOHANG()) == $pid and $status = $?, 1 }, 10)
	    or kill 'KILL', $pid;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($status, 0, $name);
	return;
}
sub ctl { my ($status, $text) = $site->ctl('', 'request', @_); die $text if $status; return }
sub claim {
	my $db = $site->dbh;
	$db->do(q{update devcred.newdevice_request set status = 'PENDING_ACCEPTANCE', claimed_at = now(),
		last_seen_at = now(), claimed_from = '192.0.2.7' where id = ?}, undef, $_[0]);
	$db->disconnect;
	return;
}

ctl('add', 'before', '--tenant', 't1');
claim('before');
my $pid = watch('--tenant', 't1');
sees(qr/^TIME +STATUS.*\n\S+Z +PENDING_ACCEPTANCE +before +t1 +192\.0\.2\.7 .* no\n/m, 'what waits is shown first');
ctl('add', 'new', '--tenant', 't1');
ctl('add', 'other', '--tenant', 't2');
sees(qr/WAITING_FOR_CONNECTION +new /, 'then what is new');
ctl('accept', 'before');
sees(qr/ACCEPTED +before /, 'and what changes');

# a transaction that takes its number early, and ends late
my $late = $site->dbh;
$late->begin_work;
$late->do(q{select devcred.newdevice_create('management', 'test', null, 'late', 't1', null, null, null, null)});
ctl('add', 'early', '--tenant', 't1');
ctl('block', 'early');
$late->commit;
$late->disconnect;
sees(qr/ late .* early .*BLOCKED +early /s, 'what was begun first comes first, though it ended last');

# the database goes, and comes back
$cluster->stop;
sees(qr/database is away, trying again: /, 'that the database is away is said');
$cluster->start;
sees(qr/database is back/, 'and that it is back');
ctl('delete', 'early', '--yes');
sees(qr/DELETED +early /, 'and it goes on');
kill 'INT', $pid;
ends($pid, 'it ends well when it is interrupted');
is(() = words() =~ /away/g, 1, 'it says so once');
my @lines = grep { /Z +[A-Z]/ } split /\n/, words();
is(scalar @lines, 7, 'nothing came twice') or diag(words());
unlike(words(), qr/ other /, 'and nothing of others');

ctl($_, 'blocked') for 'add', 'block';
$pid = watch('--status', 'blocked', '--json');
sees(qr/"id": "blocked"/, 'a status may be said');
ctl('block', 'new');
sees(qr/^\{"seq": \d+, "at": "\S+", "operation": "newdevice_block", "status": "BLOCKED", "id": "new", .*"has_token": false\}\n/m,
	'for programs, an object a line');
kill 'TERM', $pid;
ends($pid, 'TERM ends it well, too');

my ($status, $text) = Devcred::Shell::run(['bash', '-c', 'set -o pipefail; timeout 20 "$@" | head -1', 'bash',
	"$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, 'request', 'watch', '--status', 'BLOCKED']);
ok($status == 0 && $text =~ /\ATIME .*\n\z/, 'it ends when nobody reads on') or diag("$status\n$text");
says($site, ['request', 'watch', '--interval', 0], 2, qr/1 to 3600/, 'a pause must be one');
says($site, ['request', 'watch', '--tenant', 't9'], 1, qr/no tenant t9/, 'a tenant must be there');
done_testing;
