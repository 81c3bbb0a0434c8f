# Pages of a long list: how far behind they are must not matter.
package Bench::Case::list;

use strict;
use warnings;
use Bench qw(result median note);
use Bench::Ask qw(times_of);
use Bench::Load qw(wrk pgbench);
use Devcred::Http;

my $LIST = $Devcred::Http::REQUESTS;
my $COLUMNS = 'id, tenant, status, owner, created_at, group_id, type, custom_properties';

sub run {
	my ($place) = @_;
	my $site = $place->served('nginx');
	my $port = $site->{port};
	my $admin = $site->client('t1/admin');
	my $bytes = sub { return $admin->bytes('GET', $_[0], keep => 1) };
	my $first = "$LIST?pageSize=5";
	my $last = int(($place->{devices} + 1) / 5);

	for my $page (2, 10, int($last / 2), $last - 1) {
		# as a client gets there: from the page before, by its link
		my $next = $admin->get("$first&currentPage=$page")->field('next') =~ s{\Ahttp://[^/]+}{}r;
		my (@there, @front);
		for (1 .. Bench::rounds(5)) {
			push @front, median(times_of($port, $bytes->($first), 60, 200));
			push @there, median(times_of($port, $bytes->($next), 60, 200));
		}
		result('page ' . ($page + 1) . ' by its link, ms, against the first',
			ours => \@there, reference => \@front, target => '<= 1.5');
	}
	result('totals, ms', ours => median(times_of($port, $bytes->("$first&withTotalPages=true"),
		100, 200)), target => '<= 5');
	two_thousand($place, $site);
	return;
}

# CPU of a page of 2,000 against the bare statement for the same rows.
sub two_thousand {
	my ($place, $site) = @_;
	my $groups = $place->groups($site);
	my (@ours, @select);

	for (1 .. Bench::rounds(3)) {
		my $run = wrk(port => $site->{port}, seconds => Bench::seconds(4), clients => 2,
			env => { METHOD => 'GET', URI => "$LIST?pageSize=2000",
				LOGIN => Devcred::Http::basic(Devcred::Site::login('t1/admin')) },
			groups => $groups);
		die "$run->{failed} failed\n" if $run->{failed} || $run->{broken};
		push @ours, $run->{cpu}{service} + $run->{cpu}{postgresql};
		note(sprintf 'a page of 2,000: us: %s', join ' ', map { sprintf '%s %.0f', $_,
			$run->{cpu}{$_} } sort keys %{ $run->{cpu} });
		my $before = Bench::Cpu::used(@{ $groups->{postgresql} });
		my $got = pgbench("select $COLUMNS from devcred.newdevice_request where tenant = 't1' "
			. "order by seq desc limit 2001;\n", clients => 2, seconds => Bench::seconds(4),
			conninfo => $place->{cluster}->conninfo($place->{database}),
			file => "$place->{site}{dir}/list.sql");
		push @select, (Bench::Cpu::used(@{ $groups->{postgresql} }) - $before)
		    / $got->{transactions} * 1e6;
	}
	result('2,000 entries, us of service and PostgreSQL, against the bare SELECT',
		ours => \@ours, reference => \@select, target => '<= 1.3');
	return;
}

1;
