# Whether it is slower with ten million devices than with ten thousand; two
# databases side by side.  It takes an hour and 12 GB, so it is run only by name.
package Bench::Case::size;

use strict;
use warnings;
use Bench qw(result note);
use Bench::Load qw(wrk);
use Bench::Once qw(once);
use Bench::Place;

sub run {
	my ($place) = @_;
	my %at = (
		small => Bench::Place->new(devices => 10_000),
		large => Bench::Place->new(devices => Bench::quick() ? 1_000_000 : 10_000_000),
	);
	my (%polls, %issues);

	for (1 .. Bench::rounds(5)) {
		for my $size (qw(small large)) {
			my $site = $at{$size}->served('nginx');
			my $run = wrk(port => $site->{port}, seconds => Bench::seconds(5),
				env => $at{$size}->device_env, groups => $at{$size}->groups($site));
			die "$size: $run->{broken} broken\n" if $run->{broken};
			note(sprintf '%s: %.0f polls/s, us: %s', $size, $run->{rate},
				join ' ', map { sprintf '%s %.1f', $_, $run->{cpu}{$_} } sort keys %{ $run->{cpu} });
			push @{ $polls{$size} }, $run->{rate};
		}
	}
	for (1 .. Bench::rounds(3)) {
		for my $size (qw(small large)) {
			my $site = $at{$size}->served('nginx');
			push @{ $issues{$size} }, once($at{$size}, name => $size, port => $site->{port},
				seconds => Bench::seconds(4), status => 'ACCEPTED',
				groups => $at{$size}->groups($site))->{rate};
		}
	}
	result('polls a second, many devices against few', ours => $polls{large},
		reference => $polls{small}, target => '>= 0.8');
	result('issues a second, many devices against few', ours => $issues{large},
		reference => $issues{small}, target => '>= 0.8');
	return;
}

1;
