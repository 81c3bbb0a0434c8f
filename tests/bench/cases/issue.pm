# Credentials handed out, each answered after its commit, against pgbench that
# calls the same function one by one.
package Bench::Case::issue;

use strict;
use warnings;
use Bench qw(result note);
use Bench::Load qw(pgbench);
use Bench::Once qw(once most);

# What the service would send for a device of its own, but for the id.
our $SCRIPT = <<'END';
\set i :i + 1
\set n :first + :client_id * :chunk + :i
\set id 350000000000000 + (:n * 387420489) % 2147483647
select * from devcred.credential_issue(array[:id::text], array['management'],
array['management/devicebootstrap'], array['127.0.0.1'::inet], array[null::bytea],
array['\x000102030405060708090a0b0c0d0e0f'::bytea], array[null], array['t1'], array[1],
array['\x000102030405060708090a0b0c0d0e0f'::bytea],
array['\x000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f'::bytea],
array['k1'], array[sha256('x') || sha256('y')], array[null], 900, 10, false, '{k1}',
array['0123456789abcdef0123456789abcdef']);
END

# Devices of a status that each ask once: runs of pgbench and of ours.  Returns
# rates of both.
sub compare {
	my ($place, $web, $status) = @_;
	my $seconds = Bench::seconds(4);
	my $ours = $place->served($web);
	my (@ours, @reference);

	for my $round (1 .. Bench::rounds(3)) {
		my $first = $place->more(most($seconds), $status);
		my $got = pgbench($SCRIPT, conninfo => $place->{cluster}->conninfo($place->{database}),
			seconds => $seconds, file => "$place->{site}{dir}/issue.sql", clients => 8,
			set => { i => 0, first => $first, chunk => most($seconds) / 8 });
		push @reference, $got->{rate};
		note(sprintf 'pgbench: %.0f/s', $got->{rate});
		push @ours, once($place, name => "$web ours", port => $ours->{port}, seconds => $seconds,
			status => $status, groups => $place->groups($ours))->{rate};
	}
	return (\@ours, \@reference);
}

sub run {
	my ($place) = @_;
	for my $web (qw(nginx lighttpd)) {
		my ($ours, $reference) = compare($place, $web, 'ACCEPTED');
		result("$web: issues a second, against pgbench one by one with 8 clients",
			ours => $ours, reference => $reference, target => '>= 1.4');
	}
	return;
}

1;
