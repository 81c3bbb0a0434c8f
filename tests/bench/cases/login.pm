# Logins that are wrong, of which few cost a slow hash and most are told to wait,
# and what they do to those that are right.
package Bench::Case::login;

use strict;
use warnings;
use Bench qw(result median);
use Bench::Ask qw(times_of slowest);
use Bench::Load qw(wrk);
use Bench::Place;

sub run {
	my ($place) = @_;
	my $site = $place->served('nginx');
	my $device = $site->client($Bench::Place::BOOTSTRAP);
	my $poll = $device->poll_bytes('first', keep => 1);
	my @quiet = times_of($site->{port}, $poll, 300, 404);
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		# as much as two who guess can try
		my $run = eval { wrk(port => $site->{port}, seconds => Bench::seconds(8), clients => 2,
			env => $place->device_env(LOGIN => Devcred::Http::basic('t1/admin:guess'))) };
		Devcred::Shell::write_file("$place->{site}{dir}/guessed", $run ? $run->{rate} : "0 $@");
		POSIX::_exit(0);
	}
	my @meanwhile = times_of($site->{port}, $poll, 300, 404);
	waitpid $pid, 0;
	# whoever measures next comes from the same address
	$place->{db}->do('truncate devcred.login_failure');
	result('wrong logins a second', ours => Devcred::Shell::read_file("$place->{site}{dir}/guessed"));
	result('a poll while two guess, p99 in ms', ours => slowest(99, @meanwhile),
		reference => slowest(99, @quiet));
	return;
}

1;
