# What the service takes when it has much to do, and when it has nothing.
package Bench::Case::memory;

use strict;
use warnings;
use Bench qw(result);
use Bench::Load qw(wrk);

sub run {
	my ($place) = @_;
	my $site = $place->served('nginx');
	my @service = ($site->service_pid);

	wrk(port => $site->{port}, seconds => Bench::seconds(4), env => $place->device_env);
	# nginx keeps the connections of the 64 clients
	result('the pool with 64 connections, MiB', ours => Bench::Cpu::memory(@service),
		target => '<= 16');
	my $metrics = $site->client->get('/devcred/metrics')->body;
	my %is = $metrics =~ /^devcred_(workers|database_connections) (\d+)$/mg;
	result('database connections a worker', ours => $is{database_connections} / $is{workers},
		target => '<= 4');
	my ($before, $seconds) = (Bench::Cpu::used(@service), Bench::quick() ? 3 : 10);
	select undef, undef, undef, $seconds;
	result('the service at rest, share of a core', target => '<= 0.001',
		ours => (Bench::Cpu::used(@service) - $before) / $seconds);
	return;
}

1;
