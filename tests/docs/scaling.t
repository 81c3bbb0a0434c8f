#!/usr/bin/perl
# The simulation of a fleet does what can be calculated by hand, and the figures
# of doc/scaling.md are those that model and simulation give.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use List::Util qw(sum0);
use Test::More;

use Devcred::Shell;

my $top = $Devcred::Shell::TOP;
my $page = Devcred::Shell::read_file("$top/doc/scaling.md");
my $program = 'tests/bench/fleet.pl';
my $HOURS = '--seconds 14400';	# that the page looks at

sub shell {
	my ($command) = @_;
	return Devcred::Shell::run(['sh', '-c', "cd '$top' && $command"]);
}

# A run's table and summary, from words as in a shell.
sub fleet {
	my ($options) = @_;
	my ($status, $text) = shell("$program --json $options");
	is($status, 0, "no device is lost or doubled: $options") or diag($text);
	return $status ? { table => [], summary => {} } : JSON::PP::decode_json($text);
}

sub near {
	my ($is, $want, $within, $name) = @_;
	$is //= 'nothing';
	return ok($is ne 'nothing' && abs($is - $want) <= $want * $within, $name)
	    || diag("$is instead of $want");
}

# What can be calculated -------------------------------------------------------

my $ease = fleet('--devices 100000 --seconds 1800');
near($ease->{summary}{end_load}, 100_000 / 7.5, 0.001,
	'at ease devices ask once in the mean of what they are told');
is($ease->{summary}{answered_once_all}, 60, 'and all are answered as they come');
is($ease->{summary}{last_lost}, undef, 'and none is refused');
my $fixed = fleet('--devices 90000 --seconds 6000 --retry-after 600 --retry-after-max 600');
near($fixed->{summary}{end_load}, 150, 0.001, 'told one number, they ask once in it');
my $wide = fleet('--devices 90000 --seconds 14400 --retry-after 300 --retry-after-max 600');
near($wide->{summary}{end_load}, 200, 0.01, 'told 300 to 600, they ask once in 450');

my $rude = fleet('--devices 10000 --seconds 1800 --rude 100 --rude-period 4');
near($rude->{summary}{end_load}, 2500, 0.001, 'rude devices ask when they want');
my $much = fleet('--devices 1000000 --seconds 3600 --boot 1 --rude 100 --rude-period 1 --noted 9000'
	. ' --capacity 9000');
is(scalar(grep { abs($_->{answered} - 9000) > 1 } @{ $much->{table} }), 0,
	'with too much to do, as many are answered as can be');
is(scalar(grep { $_->{busy} != 100 } @{ $much->{table} }), 0, 'and it is busy all the time');

my $storm = fleet('--devices 1000000 --boot 1 --seconds 1200 --backoff 1 --backoff-max 1'
	. ' --retry-after 3600 --retry-after-max 3600');
near($storm->{summary}{answered_once_all}, 1_000_000 / 15_600, 0.03,
	'a storm is over when all have been answered once, if nobody comes twice');
is($storm->{summary}{longest_wait}, 1, 'a thousand that wait are a matter of a second');
is($storm->{summary}{lost_work}, 0, 'nothing is done for who has gone');
my $queue = fleet('--devices 1000000 --boot 1 --seconds 600 --queue 1000000 --timeout 30'
	. ' --retry-after 3600 --retry-after-max 3600');
is($queue->{summary}{longest_wait}, 29, 'who waits longer than that has gone');
my ($after) = grep { $_->{second} == 60 } @{ $queue->{table} };
is($after->{answered}, 0, 'and then all work is for who has gone');
my $accepted = fleet('--devices 40000 --issues 2000 --queue 100000 --retry-after 1'
	. ' --seconds 600 --accept 100');
near($accepted->{summary}{credentials_all}, 100 + 20, 0.02,
	'when all are accepted, issuing is what takes the time');

my ($least) = map { $_->{told_from} } @{ $much->{table} }[-1];
is($least, 900, 'what is told ends at half of the most, so that there is room to spread');
my @slow = grep { $_->{second} == 10 } @{ fleet('--seconds 10 --retry-after-max 86400')->{table} };
is($slow[0]{told_from}, 5 * 2 ** 9, 'while there is too much to do, it doubles every second');
is((shell("$program --seconds 100"))[1], (shell("$program --seconds 100"))[1],
	'it has the same result each time');
is((shell("$program --rude 101"))[0] == 0, '', 'more than all are refused');
is((shell("$program --boot 0"))[0] == 0, '', 'and so is no time at all');
my ($status, $help) = shell("$program --help");
is($status, 0, 'it has help');
my $source = Devcred::Shell::read_file("$top/$program");
for my $option ($source =~ /^my \@whole = qw\((.*?)\)/ms ? split ' ', $1 : ()) {
	like($help, qr/--\Q$option\E\b/, "which tells of --$option");
}

# What it takes from the service -------------------------------------------------

my $pace = Devcred::Shell::read_file("$top/fcgi/pace.c");
my %ours = $source =~ /\b(STALE_TIME|FACTOR_MAX|CROWD) => (\d+)/g;
is($ours{$_}, $pace =~ /^#define \Q$_\E\s+(\d+)/m ? $1 / ($_ eq 'STALE_TIME' ? 1e6 : 1) : undef,
	"$_ is that of fcgi/pace.c") for qw(STALE_TIME FACTOR_MAX CROWD);
like(Devcred::Shell::read_file("$top/sql/credential.sql"),
	qr/least\(interval '1 hour', greatest\(interval '1 minute', \(now\(\) - p_claimed\) \/ 24\)\)/,
	'polls are written down as often as the page and --noted-after say');
like(Devcred::Shell::read_file("$top/common/conf.c"),
	qr/NUMBER\(retry_after_max, .*"\Q$1\E"/, 'and devices told as much at most')
    if $help =~ /--retry-after-max .*?\((\d+)\)/;

# The page: costs, and what follows ------------------------------------------------

# Rows of the table whose first columns are called so.
sub rows {
	my ($first) = @_;
	my ($table) = $page =~ /^\| \Q$first\E \|.*\n\|[-|]+\n((?:\|.*\n)+)/m;
	return map { [map { s/\A\s+|\s+\z//gr } (split /\|/)[1 .. tr/|// - 1]] } split /\n/, $table // '';
}

sub plain { return $_[0] =~ tr/,//dr }
sub says { return ok(index($page =~ s/\s+/ /gr, $_[0]) >= 0, $_[1]) || diag("it does not say: $_[0]") }

sub commas {
	my ($n) = @_;
	1 while $n =~ s/^(\d+)(\d{3})/$1,$2/;
	return $n;
}

# Two digits, as one would say it.
sub about { return commas(0 + sprintf '%.1e', $_[0]) }

my %cost = map { my ($name, @of) = @$_;
	my %of;
	@of{qw(web service database wal pages disk audit)} = map { plain($_) || 0 } @of;
	($name => \%of) } rows('operation');
my ($poll, $written) = @cost{'poll, unchanged', 'poll, written down'};
is(scalar keys %cost, 7, 'the page says what operations cost');
for my $case (['capacity', $poll], ['noted', $written], ['issues', $cost{issue}]) {
	my ($option, $of) = @$case;
	my ($default) = $help =~ /--$option .*?\(([\d.]+)\)/s;
	is(about($default), about(2 * 900_000 / sum0(@$of{qw(web service database)})),
		"--$option is what two cores do");
}
my ($waits, $has) = map { plain($_) }
    $page =~ /^ +disk += +([\d,]+) bytes for each that waits \+ ([\d,]+) for each/m;
my @once = map { $cost{$_} } 'register', 'first poll', 'accept', 'issue', 'close the window';
says(': ' . commas(sum0(map { $_->{wal} } @once)) . ' bytes of WAL, at worst '
	. commas(sum0(map { $_->{pages} } @once)) . '.', 'and all of a device together');
says('and two thirds of them, ' . commas(10 * sprintf '%.0f', sum0(map { $_->{audit} } @once) / 10)
	. ', are audit', 'and how much of that is audit');

my @example = rows('devices that wait');
ok(@example >= 4, 'it has examples');
for my $row (@example) {
	my ($devices, $period) = map { plain($_) } @$row;
	my $polls = $devices / $period;
	my $writes = $polls / (1 + int(3600 / $period));
	my $cores = sub { (($polls - $writes) * sum0(@$poll{@_}) + $writes * sum0(@$written{@_})) / 900_000 };
	my $pages = $devices * 369 / 8192;
	my $log = 86_400 * $writes * $written->{wal};
	my $full = 288 * $pages * 8192 * (1 - exp(-300 * $writes / $pages));
	is(join(' | ', @$row), join(' | ', @$row[0, 1], map { about($_) } $polls, $writes,
		$cores->(qw(web service)), $cores->('database'), $log / 1e9, ($log + $full) / 1e9,
		$devices * $waits / 1e9, $devices * $has / 1e9),
		"the example of $row->[0] that ask every $period seconds");
}
my ($ends) = $page =~ /^## Where one PostgreSQL ends\n(.*?)^##/ms;
for my $case (['polls, unchanged', $poll], ['polls, written down', $written],
    ['issuing', $cost{issue}]) {
	my ($name, $of) = @$case;
	my $rate = about(900_000 / $of->{database});
	like($ends, qr/^\| \Q$name\E \|.*\| \Q$rate\E a second for each core/m,
		"$name: so many a core of PostgreSQL");
}

# The page: the simulation ---------------------------------------------------------

my @block = $page =~ /^```console\n(.*?)^```$/gms;
is(scalar @block, 3, 'the page has runs');
for my $block (@block) {
	my ($command, $want) = $block =~ /\A\$ ([^\n]*)\n(.*)\z/s;
	is((shell($command))[1], $want, "the page shows what $command prints");
}
my @way = rows('what | options');
ok(@way > 5, 'and other ways');
for my $row (@way) {
	my ($options) = $row->[1] =~ /\A`(.*)`\z/;
	my $s = fleet("$HOURS $options")->{summary};
	my $seconds = sub { my ($n, $none) = @_; defined $n ? commas($n) . ' s' : $none };
	is(join(' | ', @$row[2 .. $#$row]), join(' | ',
		$seconds->($s->{answered_once_all}, 'not in 4 h'), "$s->{lost_percent} %",
		"$s->{lost_work} %", commas($s->{end_load}),
		join('-', map { commas($s->{$_}) } qw(end_told_from end_told_to)),
		$seconds->($s->{last_lost}, 'never')), "the page: $row->[0]");
}

done_testing();
