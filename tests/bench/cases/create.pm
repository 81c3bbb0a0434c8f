# Requests created by an administrator, against pgbench that calls the same
# function one by one.
package Bench::Case::create;

use strict;
use warnings;
use Bench qw(result);
use Bench::Load qw(wrk pgbench);
use Devcred::Http;

my $SCRIPT = <<'END';
\set i :i + 1
\set n :first + :client_id * :chunk + :i
\set id 350000000000000 + (:n * 387420489) % 2147483647
select * from devcred.newdevice_create('t1', 't1/admin', '127.0.0.1', :id::text, null, null, null,
null, '0123456789abcdef0123456789abcdef');
END

sub run {
	my ($place) = @_;
	my $site = $place->served('nginx');
	my $seconds = Bench::seconds(4);
	my $most = 25_000 * $seconds;
	my (@ours, @reference);

	for (1 .. Bench::rounds(3)) {
		push @reference, pgbench($SCRIPT, seconds => $seconds, clients => 8,
			conninfo => $place->{cluster}->conninfo($place->{database}),
			file => "$place->{site}{dir}/create.sql",
			set => { i => 0, first => $place->{next}, chunk => $most / 8 })->{rate};
		$place->{next} += $most;
		my $run = wrk(port => $site->{port}, seconds => $seconds,
			env => { URI => $Devcred::Http::REQUESTS, TYPE => 'application/json', ORDER => 'once',
				FIRST => $place->{next}, COUNT => $most,
				LOGIN => Devcred::Http::basic(Devcred::Site::login('t1/admin')) });
		$place->{next} += $most;
		die "$run->{failed} of $run->{requests} failed\n" if $run->{failed} || $run->{broken};
		push @ours, $run->{rate};
	}
	result('nginx: created a second, against pgbench one by one with 8 clients',
		ours => \@ours, reference => \@reference);
	return;
}

1;
