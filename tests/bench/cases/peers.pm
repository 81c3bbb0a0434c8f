# What people would write instead: PHP with PDO behind the same web server,
# Node with fastify and pg without one.
package Bench::Case::peers;

use strict;
use warnings;
use Bench qw(result note);
use Bench::Load qw(wrk);
use Bench::Once qw(once);
use Bench::Peer;

my %TARGET = (php => ['>= 4.5', '>= 6'], node => ['>= 2', '>= 3.4']);
my %NAME = (php => 'PHP-FPM and PDO behind nginx', node => 'Node, fastify and pg');

sub run {
	my ($place) = @_;
	my $ours = $place->served('nginx');
	my ($php, $php_pid) = Bench::Peer::php($place);
	my ($node, $node_pid) = Bench::Peer::node($place);
	my $postgresql = $place->groups($ours)->{postgresql};
	my %at = (
		ours => [$ours->{port}, $place->groups($ours)],
		php => [$php->{port}, $place->groups($php, $php_pid)],
		node => [$node, { service => [$node_pid], postgresql => $postgresql }],
	);
	my (%polls, %issues);

	for my $who (sort keys %at) {
		my $answer = Devcred::Http->new(port => $at{$who}[0],
			login => Devcred::Site::login($Bench::Place::BOOTSTRAP))->poll('first');
		die "$who: " . $answer->told
		    if $answer->status != 404 || $answer->body !~ /state PENDING_ACCEPTANCE/;
	}
	for (1 .. Bench::rounds(3)) {
		for my $who (qw(ours php node)) {
			push @{ $polls{$who} }, polls($place, $who, @{ $at{$who} });
		}
	}
	for (1 .. Bench::rounds(3)) {
		for my $who (qw(ours php node)) {
			push @{ $issues{$who} }, once($place, name => $who, port => $at{$who}[0],
				seconds => Bench::seconds(4), status => 'ACCEPTED', groups => $at{$who}[1])->{rate};
		}
	}
	for my $who (qw(php node)) {
		result("polls a second, against $NAME{$who}", ours => $polls{ours},
			reference => $polls{$who}, target => $TARGET{$who}[0]);
		result("issues a second, against $NAME{$who}", ours => $issues{ours},
			reference => $issues{$who}, target => $TARGET{$who}[1]);
	}
	return;
}

sub polls {
	my ($place, $who, $port, $groups) = @_;
	my $run = wrk(port => $port, seconds => Bench::seconds(4), env => $place->device_env,
		groups => $groups);
	die "$who: $run->{broken} broken, $run->{failed} of $run->{requests} are 404\n"
	    if $run->{broken} || $run->{failed} != $run->{requests};
	note(sprintf '%s: %.0f/s, p50 %.1f p99 %.1f ms, us: %s', $who, @$run{qw(rate p50 p99)},
		join ' ', map { sprintf '%s %.1f', $_, $run->{cpu}{$_} } sort keys %{ $run->{cpu} });
	return $run->{rate};
}

1;
