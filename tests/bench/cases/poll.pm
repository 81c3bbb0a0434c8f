# Polls that change nothing, against the bare limit: a responder of the same
# library that answers at once, behind the same web server.
package Bench::Case::poll;

use strict;
use warnings;
use Bench qw(result median note);
use Bench::Echo;
use Bench::Load qw(wrk);

sub run {
	my ($place) = @_;

	for my $web (qw(nginx lighttpd)) {
		my $ours = $place->served($web);
		my ($echo, $pid) = Bench::Echo::behind($place, $web);
		my (%rate, %cpu, %time);

		for my $round (1 .. Bench::rounds(5)) {
			for my $run (['echo', $echo, $pid], ['ours', $ours]) {
				my ($who, $site, $responder) = @$run;
				my $got = wrk(port => $site->{port}, seconds => Bench::seconds(5),
					env => $place->device_env, groups => $place->groups($site, $responder));
				die "$who: $got->{broken} broken\n" if $got->{broken};
				die "$who: not all are 404\n" if $got->{failed} != $got->{requests};
				push @{ $rate{$who} }, $got->{rate};
				push @{ $cpu{$who} }, Bench::Load::cpu($got);
				push @{ $time{$who} }, $got->{p99} / $got->{p50};
				note(sprintf '%s %s: %.0f/s, p50 %.1f p99 %.1f ms, us: %s', $web, $who,
					@$got{qw(rate p50 p99)}, join ' ', map { sprintf '%s %.1f', $_,
						$got->{cpu}{$_} } sort keys %{ $got->{cpu} });
			}
		}
		result("$web: server CPU of a poll, us, against the echo",
			ours => $cpu{ours}, reference => $cpu{echo}, target => '<= 1.2');
		result("$web: polls a second, against the echo",
			ours => $rate{ours}, reference => $rate{echo}, target => '>= 0.85');
		result("$web: p99 against p50 at 64 clients", ours => median(@{ $time{ours} }),
			target => '<= 4');
	}
	return;
}

1;
