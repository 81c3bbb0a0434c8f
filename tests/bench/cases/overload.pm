# While there is more to do than can be done: others are answered all the same,
# and what is told is true.
package Bench::Case::overload;

use strict;
use warnings;
use Bench qw(result note);
use Bench::Ask qw(times_of slowest);
use Bench::Load qw(wrk);
use Bench::Place;
use Devcred::Http;

my $PATH = "$Devcred::Http::REQUESTS?pageSize=5";

# Run wrk beside a function; returns what the function and wrk had.
sub beside {
	my ($place, $what, %load) = @_;
	pipe my $from, my $to or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		my $run = eval { wrk(%load) };
		print {$to} $run ? join(' ', @$run{qw(requests failed broken rate)}) : "0 0 1 0 $@";
		close $to;
		POSIX::_exit(0);
	}
	close $to;
	my @had = $what->();
	local $/;
	my ($requests, $failed, $broken, $rate) = split ' ', readline $from;
	waitpid $pid, 0;
	return (\@had, { requests => $requests, failed => $failed, broken => $broken, rate => $rate });
}

sub run {
	my ($place) = @_;
	my $seconds = Bench::seconds(6);

	for my $web (qw(nginx lighttpd apache apache-fcgid)) {
		my $site = $place->served($web);
		my $admin = $site->client('t1/admin')->bytes('GET', $PATH, keep => 1);
		my $device = $site->client($Bench::Place::BOOTSTRAP)->poll_bytes('first', keep => 1);
		my $until;
		my ($had, $load) = beside($place, sub {
			my @ms;
			$until = time + $seconds - 1;
			while (time < $until) {
				push @ms, times_of($site->{port}, $admin, 10, 200),
				    times_of($site->{port}, $device, 10, 404);
			}
			return @ms;
		}, port => $site->{port}, seconds => $seconds, env => $place->device_env);
		die "$web: false answers\n" if $load->{failed} != $load->{requests};
		# Apache ends kept connections when its threads become few
		die "$web: $load->{broken} broken\n" if $load->{broken} && $web !~ /^apache/;
		note("$web: $load->{broken} connections closed") if $load->{broken};
		result("$web: slowest answer to others while 64 clients poll, ms",
			ours => slowest(100, @$had), target => '<= 100');
	}
	rude($place);
	return;
}

# 100,000 devices that ask every two seconds would be 50,000 a second: as many
# as come through on many connections.
sub rude {
	my ($place) = @_;
	my $site = $place->served('nginx');
	my $admin = $site->client('t1/admin')->bytes('GET', $PATH, keep => 1);
	my ($had, $load) = beside($place, sub {
		my @ms;
		my $until = time + Bench::seconds(8) - 1;
		push @ms, times_of($site->{port}, $admin, 10, 200) while time < $until;
		return @ms;
	}, port => $site->{port}, seconds => Bench::seconds(8), clients => 200,
		env => $place->device_env(COUNT => 100_000));
	note("rude: $load->{rate} a second");
	result('rude devices: false or broken answers',
		ours => $load->{requests} - $load->{failed} + $load->{broken}, target => '<= 0');
	result('rude devices: administrator, p99 in ms', ours => slowest(99, @$had),
		target => '<= 100');
	return;
}

1;
