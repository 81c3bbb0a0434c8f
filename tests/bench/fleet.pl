#!/usr/bin/perl
# A fleet after a power cut, second by second: see --help, doc/scaling.md.
#
# Devices are counted, not kept one by one.  All that are due in a second and
# alike are one number in a plan; plans hold differences, so that many devices
# are spread over many seconds in a few steps.  The numbers are whole, and
# after every second no device may be missing or there twice.
use strict;
use warnings;
use Getopt::Long ();
use JSON::PP ();
use List::Util qw(max min sum0);

# As in fcgi/pace.c.
use constant { STALE_TIME => 10, FACTOR_MAX => 4096, CROWD => 512 };

my %opt = (devices => 10_000_000, boot => 60, seconds => 3600, capacity => 36_000,
	noted => 15_600, noted_after => 3600, issues => 10_400, machines => 1, workers => 1,
	retry_after => 5, retry_after_max => 1800, rude => 0, rude_period => 2, timeout => 30, queue => 1024,
	backoff => 2, backoff_max => 600);
my @whole = qw(devices boot seconds machines workers retry-after retry-after-max rude-period
	noted-after timeout queue backoff backoff-max accept every);

sub help {
	print <<"END";
usage: fleet.pl [--OPTION=NUMBER ...] [--json]

Devices that wait to be accepted come back after a power cut, and poll.

  --devices          how many ($opt{devices})
  --boot             seconds within which they ask for the first time ($opt{boot})
  --seconds          how long to look ($opt{seconds})
  --capacity         polls a second of a machine that does nothing else ($opt{capacity})
  --noted            of these, if each is written down ($opt{noted})
  --noted-after      seconds after which one is again ($opt{noted_after}; of new devices 60)
  --issues           credentials a second that it issues ($opt{issues})
  --machines         how many of these there are, with a database each ($opt{machines})
  --workers          of a machine ($opt{workers})
  --retry-after      as in devcred.conf ($opt{retry_after})
  --retry-after-max  as in devcred.conf ($opt{retry_after_max})
  --rude             per cent of the devices that ask whatever they are told ($opt{rude})
  --rude-period      every so many seconds ($opt{rude_period})
  --timeout          seconds after which a device does not wait any longer ($opt{timeout})
  --queue            requests that a machine keeps; what exceeds it is refused ($opt{queue})
  --backoff          seconds until a device that was refused asks again ($opt{backoff}); it
  --backoff-max      doubles them up to this ($opt{backoff_max}), and adds up to half by chance
  --accept           the second in which an administrator accepts all (never)
  --every            seconds between two lines of the table (few at first, then many)
  --json             everything, as JSON

Lines of the table are means a second since the line before: asked, answered, refused,
gone before they were answered; then what waits at the end of it, how busy the service was,
the Retry-After it told last, and which share of the devices has been answered once.
END
	exit 0;
}

Getopt::Long::GetOptions(help => \&help, json => \$opt{json},
	(map { ("$_=i" => \$opt{ tr/-/_/r }) } @whole),
	(map { ("$_=f" => \$opt{$_}) } qw(capacity noted issues rude))) && !@ARGV or exit 2;
my %may_be_none = map { $_ => 1 } qw(rude queue accept);
for my $name (grep { $_ ne 'json' && defined $opt{$_} } sort keys %opt) {
	next if $opt{$name} > 0 || $may_be_none{$name} && $opt{$name} == 0;
	die '--' . $name =~ tr/_/-/r . " $opt{$name} is too little\n";
}
die "--rude $opt{rude} is more than all\n" if $opt{rude} > 100;

# Kinds of devices: what the next question of one costs, in seconds of work; whether
# it waits for its first answer; which kind it is when it was refused, how often in a row.
my (@cost, @first, @failures, @refused, @rude);
sub kind {
	my ($cost, $first, $rude) = @_;
	push @cost, $cost;
	push @first, $first;
	push @rude, $rude;
	push @failures, 0;
	push @refused, $#cost;
	return $#cost;
}

# A kind that backs off, further each time.
my $levels = 0;
$levels++ while $opt{backoff} << $levels < $opt{backoff_max};
sub patient {
	my ($cost, $first) = @_;
	my @level = map { kind($cost, $first, 0) } 0 .. $levels;
	$failures[$level[$_]] = $_ for 0 .. $levels;
	$refused[$level[$_]] = $level[min($_ + 1, $levels)] for 0 .. $levels;
	return $level[0];
}

my $poll = 1 / ($opt{capacity} * $opt{machines});
my $noted = 1 / ($opt{noted} * $opt{machines});
my $issue = 1 / ($opt{issues} * $opt{machines});
my $room = $opt{queue} * $opt{machines};
# of those who ask with this period, which share is written down
sub noted_share { return 1 / (int($opt{noted_after} / $_[0]) + 1) }
my $rude_share = noted_share($opt{rude_period});

my $PLAIN = patient($poll, 0);
my $NOTED = patient($noted, 0);
my $FIRST = patient($noted, 1);
my $RUDE_FIRST = kind($noted, 1, 1);
my $RUDE = kind($rude_share * $noted + (1 - $rude_share) * $poll, 0, 1);

# The plan: of each kind, how many more are due in a second than in the one before.
my @plan = map { [] } @cost;
my @due = (0) x @cost;
my $planned = 0;
my $turn = 0;

# So many devices of a kind ask in the seconds from .. to, as evenly as whole
# numbers can; who is left over begins elsewhere each time.
sub spread {
	my ($kind, $from, $to, $n) = @_;
	my $long = $to - $from + 1;
	my $each = int($n / $long);
	my $over = $n % $long;
	my $plan = $plan[$kind];

	$planned += $n;
	if ($each) {
		$plan->[$from] += $each;
		$plan->[$to + 1] -= $each;
	}
	return unless $over;
	my $begin = $turn % $long;
	my $end = min($begin + $over, $long);
	$turn = ($turn + $over) % 1_000_003;
	$plan->[$from + $begin] += 1;
	$plan->[$from + $end] -= 1;
	my $rest = $begin + $over - $end;
	return unless $rest;
	$plan->[$from] += 1;
	$plan->[$from + $rest] -= 1;
	return;
}

# The pace, as in fcgi/pace.c -------------------------------------------------

my ($factor, $since, $busy, $changed, $told_last) = (0, -STALE_TIME() - 1, 0, 0, 0);

sub pace_note {
	my ($now, $work, $waiting) = @_;
	my $passed = $now - $since;

	$busy += $work;
	if ($factor < 1 || $passed > STALE_TIME) {
		$factor = 1;
	} elsif ($busy > $passed * 0.9 || $waiting > CROWD) {
		$factor *= $factor < FACTOR_MAX ? 2 : 1;
		$changed = $now;
	} elsif ($factor > 1 && $busy < $passed * 0.4 && $waiting < CROWD / 2
	    && $now - $changed >= $told_last) {
		$factor /= 2;
		$changed = $now;
	}
	($since, $busy) = ($now, 0);
	return;
}

# The least and the most that devices are told.
sub pace_wait {
	my $set = $opt{retry_after};
	my $most = max($opt{retry_after_max}, $set);
	my $least = $set;

	if ($factor > 1) {
		$least = $least > int($most / $factor) ? $most : $least * $factor;
	}
	if (2 * $least > $most && $least > $set) {
		$least = max(int($most / 2), $set);
	}
	return ($least, min($most, 2 * $least));
}

# A second --------------------------------------------------------------------

my @queue;              # [second, gone, count of each kind], the oldest first
my $waiting = 0;        # requests in it, of those who have gone, too
my $living = 0;         # requests in it, of those who wait
my ($served, $lost_work, $carry, $longest) = (0, 0, 0, 0);
my $answered_once = 0;
my ($now, $done, %share_of) = (0, 0);
my %count = map { $_ => 0 } qw(offered answered refused timed_out);
my @noted_of;

# Take from a batch what there is time for; returns what, by kind, and the work.
sub take {
	my ($batch, $time) = @_;
	my $accepted = defined $opt{accept} && $now >= $opt{accept};
	my $work = sum0(map { $batch->[$_] * ($accepted ? $issue : $cost[$_]) } 0 .. $#cost);
	my $part = $work > $time ? $time / $work : 1;
	my @taken = map { $part < 1 ? int($_ * $part) : $_ } @$batch;

	$batch->[$_] -= $taken[$_] for 0 .. $#taken;
	return (\@taken, $part < 1 ? sum0(map { $taken[$_] * ($accepted ? $issue : $cost[$_]) }
		0 .. $#cost) : $work);
}

# Devices of a batch got "not yet", or what they wait for.
sub answer {
	my ($taken, $asked) = @_;
	my ($least, $most) = pace_wait();
	my $told = 0;

	$longest = max($longest, $now - $asked) if sum0(@$taken);
	for my $kind (grep { $taken->[$_] } 0 .. $#$taken) {
		my $n = $taken->[$kind];
		$count{answered} += $n;
		$answered_once += $n if $first[$kind];
		if (defined $opt{accept} && $now >= $opt{accept}) {
			$done += $n;
		} elsif ($rude[$kind]) {
			my $next = max($now + 1, $asked + $opt{rude_period});
			spread($RUDE, $next, $next, $n);
		} else {
			$told += $n;
		}
	}
	return unless $told;
	$told_last = $most;
	my $share = $share_of{$least} //= sum0(map { noted_share($_) } $least .. $most)
	    / ($most - $least + 1);
	$carry += $told * $share;
	my $written = min($told, int($carry));
	$carry -= $written;
	spread($NOTED, $now + $least, $now + $most, $written);
	spread($PLAIN, $now + $least, $now + $most, $told - $written);
	return;
}

# Devices got nothing.
sub fail {
	my ($batch, $asked, $why) = @_;

	for my $kind (grep { $batch->[$_] } 0 .. $#$batch) {
		my $n = $batch->[$kind];
		$count{$why} += $n;
		if ($rude[$kind]) {
			my $next = max($now + 1, $asked + $opt{rude_period});
			spread($kind, $next, $next, $n);
			next;
		}
		my $wait = min($opt{backoff} << $failures[$kind], $opt{backoff_max});
		spread($refused[$kind], $now + $wait, $now + $wait + int($wait / 2) + 1, $n);
	}
	return;
}

# Answer what waits, the oldest first; returns the work done.
sub serve_queue {
	my $time = 1;

	for my $batch (@queue) {
		my ($asked, $gone, $kinds) = @$batch;
		if (!$gone && $now - $asked >= $opt{timeout}) {
			$living -= sum0(@$kinds);
			fail($kinds, $asked, 'timed_out');
			$batch->[1] = $gone = 1;
		}
		next if $time <= 0;
		my ($taken, $work) = take($kinds, $time);
		my $n = sum0(@$taken);
		$time -= $work;
		$waiting -= $n;
		if ($gone) {
			$lost_work += $work;
		} else {
			$living -= $n;
			answer($taken, $asked);
		}
		# what is left over is less than one of each kind, and of the next second
		$time = 0 if sum0(@$kinds);
	}
	shift @queue while @queue && !sum0(@{ $queue[0][2] });
	return 1 - $time;
}

sub second {
	my @come;
	for my $kind (0 .. $#cost) {
		$due[$kind] += delete $plan[$kind][$now] // 0;
		die "second $now: $due[$kind] devices of kind $kind\n" if $due[$kind] < 0;
		$come[$kind] = $due[$kind];
	}
	my $offered = sum0(@come);
	$planned -= $offered;
	$count{offered} += $offered;
	my $work = serve_queue();
	my ($taken, $more) = take(\@come, 1 - $work);
	$work += $more;
	answer($taken, $now);
	if (my $left = sum0(@come)) {
		my $part = min(1, max(0, $room - $waiting) / $left);
		my @stay = map { $part < 1 ? int($_ * $part) : $_ } @come;
		my $n = sum0(@stay);
		$waiting += $n;
		$living += $n;
		push @queue, [$now, 0, \@stay] if $n;
		fail([map { $come[$_] - $stay[$_] } 0 .. $#come], $now, 'refused');
	}
	# a worker that sleeps does not look
	pace_note($now, $work > 0.999 ? 1 : $work,
		$waiting / ($opt{workers} * $opt{machines})) if $offered || $work;
	$served += $work;
	my $sum = $planned + $living + $done;
	die "second $now: $sum devices\n" if $sum != $opt{devices};
	return $work;
}

# All of it -------------------------------------------------------------------

# What is planned, counted again.
sub count_plan {
	my $sum = 0;
	for my $kind (0 .. $#cost) {
		my $n = $due[$kind];
		for my $second ($now + 1 .. $#{ $plan[$kind] }) {
			$n += $plan[$kind][$second] // 0;
			$sum += $n;
		}
	}
	return $sum;
}

# Seconds at which the table has a line.
sub lines {
	return grep { $_ % $opt{every} == 0 || $_ == $opt{seconds} } 1 .. $opt{seconds}
	    if $opt{every};
	return grep({ $_ < $opt{seconds} } 1, 10, 30, 60, 120, 300, 600, 1200, 1800,
		map { 3600 * $_ } 1 .. 24), $opt{seconds};
}

my (@rows, @minute, %reached, $calm);

sub row {
	my ($last, $work) = @_;
	my $long = $now + 1 - ($last->{second} // 0);
	my %row = (second => $now + 1, queue => $waiting,
		busy => sprintf('%.0f', 100 * ($served - ($last->{served} // 0)) / $long) + 0,
		answered_once => $answered_once);
	@row{qw(told_from told_to)} = pace_wait();
	$row{$_} = sprintf('%.0f', ($count{$_} - ($last->{$_} // 0)) / $long) + 0 for keys %count;
	push @rows, \%row;
	return { %count, second => $now + 1, served => $served };
}

sub run {
	my %line = map { $_ => 1 } lines();
	my $rude = int($opt{devices} * $opt{rude} / 100);
	my $last = {};
	spread($RUDE_FIRST, 0, $opt{boot} - 1, $rude);
	spread($FIRST, 0, $opt{boot} - 1, $opt{devices} - $rude);
	my $lost = 0;
	for ($now = 0; $now < $opt{seconds}; $now++) {
		my $before = $count{offered};
		my $work = second();
		my ($least, $most) = pace_wait();
		if ($now % 60 == 0) {
			push @minute, { offered => 0, least => $least, most => $most };
		}
		my $m = $minute[-1];
		$m->{offered} += $count{offered} - $before;
		$m->{least} = min($m->{least}, $least);
		$m->{most} = max($m->{most}, $most);
		$calm = $now + 1 if $count{refused} + $count{timed_out} > $lost;
		$lost = $count{refused} + $count{timed_out};
		for my $share (50, 99, 100) {
			$reached{$share} //= $now + 1
			    if $answered_once >= $opt{devices} * $share / 100;
		}
		$reached{done} //= $now + 1 if $done == $opt{devices};
		$last = row($last) if $line{ $now + 1 };
	}
	$now--;
	my $again = count_plan();
	die "the plan has $again devices instead of $planned\n" if $again != $planned;
	return;
}

# From when on every minute has the load of the last ten, within a tenth.
sub steady {
	my @whole = @minute[0 .. int($opt{seconds} / 60) - 1];
	return (undef, undef) if @whole < 20;
	my @end = @whole[-10 .. -1];
	my $mean = sum0(map { $_->{offered} } @end) / 10;
	my $from = @whole;
	$from-- while $from > 0 && abs($whole[$from - 1]{offered} - $mean) <= $mean / 10;
	return ($from > @whole - 10 ? undef : 60 * $from, $mean / 60);
}

sub summary {
	my @end = @minute[max(0, $#minute - 9) .. $#minute];
	my ($steady, $load) = steady();
	my $lost = $count{refused} + $count{timed_out};
	return {
		answered_once_half => $reached{50}, answered_once_99 => $reached{99},
		answered_once_all => $reached{100}, credentials_all => $reached{done},
		longest_wait => $longest, offered => $count{offered}, answered => $count{answered},
		refused => $count{refused}, timed_out => $count{timed_out},
		lost_percent => 0 + sprintf('%.1f', 100 * $lost / max(1, $count{offered})),
		lost_work => 0 + sprintf('%.1f', 100 * $lost_work / max(1e-9, $served)),
		last_lost => $calm, steady_from => $steady,
		end_load => defined $load ? 0 + sprintf('%.0f', $load) : undef,
		end_told_from => min(map { $_->{least} } @end),
		end_told_to => max(map { $_->{most} } @end),
		end_busy => $rows[-1]{busy},
	};
}

sub show {
	my ($s) = @_;
	my $or = sub { my ($value, $else) = @_; defined $value ? "$value s" : $else };
	my $late = "not within $opt{seconds} s";

	printf "%6s %8s %8s %8s %8s %8s %5s %11s %9s\n", qw(second asked answered refused gone
		queue busy Retry-After once);
	printf "%6d %8d %8d %8d %8d %8d %4d%% %11s %8.1f%%\n", @$_{qw(second offered answered
		refused timed_out queue busy)}, "$_->{told_from}-$_->{told_to}",
	    100 * $_->{answered_once} / $opt{devices} for @rows;
	print "\n";
	printf "%-32s %s\n", @$_ for
	    ['half have been answered once', $or->($s->{answered_once_half}, $late)],
	    ['99 of 100 have', $or->($s->{answered_once_99}, $late)],
	    ['all have', $or->($s->{answered_once_all}, $late)],
	    defined $opt{accept} ? ['all have their credentials',
		$or->($s->{credentials_all}, $late)] : (),
	    ['longest wait for an answer', $or->($s->{longest_wait})],
	    ['requests lost', sprintf '%s of %s (%.1f %%)', $s->{refused} + $s->{timed_out},
		$s->{offered}, $s->{lost_percent}],
	    ['work for devices that had gone', sprintf '%.1f %%', $s->{lost_work}],
	    ['the last request is lost', $or->($s->{last_lost}, 'never one')],
	    ['steady from', $or->($s->{steady_from}, $late)],
	    ['in the last ten minutes', defined $s->{end_load} ? sprintf
		'%d a second, Retry-After %d-%d', @$s{qw(end_load end_told_from end_told_to)}
		: 'too few minutes to say'];
	return;
}

run();
my $summary = summary();
if ($opt{json}) {
	delete $opt{json};
	print JSON::PP->new->canonical->pretty->encode({ settings => \%opt, table => \@rows,
		summary => $summary });
} else {
	show($summary);
}
