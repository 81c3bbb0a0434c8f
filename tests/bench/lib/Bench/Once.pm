package Bench::Once;

# Devices that each ask once, and what the database has of it afterwards.

use strict;
use warnings;
use Exporter qw(import);

use Bench qw(note);
use Bench::Load qw(wrk);

our @EXPORT_OK = qw(once most);

# More devices than can be served in so many seconds.
sub most { return 25_000 * $_[0] }

# Let fresh devices of a status ask at a port, and die unless the database has
# done what was answered: status ACCEPTED is issued, WAITING_FOR_CONNECTION
# claims.  Options: port, seconds, status, name (for the note), groups.
# Returns wrk's figures.
sub once {
	my ($place, %arg) = @_;
	my $issue = $arg{status} eq 'ACCEPTED';
	my $table = $issue ? 'device_credential' : 'claimant';
	my $most = most($arg{seconds});
	my $first = $place->more($most, $arg{status});
	my $before = $place->count($table);
	my $run = wrk(port => $arg{port}, seconds => $arg{seconds}, groups => $arg{groups},
		env => $place->device_env(FIRST => $first, COUNT => $most, ORDER => 'once'));
	my $done = $place->count($table) - $before;
	my $good = $issue ? $run->{requests} - $run->{failed} : $run->{failed};

	die "$arg{name}: $run->{broken} broken\n" if $run->{broken};
	# those under way when the load ended were done as well
	die "$arg{name}: $good of $run->{requests} answers, but $done in the database\n"
	    if $run->{requests} != $good || $done < $good || $done > $good + 64;
	note(sprintf '%s: %.0f/s, p50 %.1f p99 %.1f ms, us: %s', $arg{name}, @$run{qw(rate p50 p99)},
		join ' ', map { sprintf '%s %.1f', $_, $run->{cpu}{$_} } sort keys %{ $run->{cpu} });
	return $run;
}

1;
