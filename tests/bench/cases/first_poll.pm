# The first poll of a device, which claims its request, against pgbench that
# calls the same function one by one.
package Bench::Case::first_poll;

use strict;
use warnings;
use FindBin;
use Bench qw(result);

require "$FindBin::Bin/cases/issue.pm";

sub run {
	my ($place) = @_;
	my ($ours, $reference) = Bench::Case::issue::compare($place, 'nginx',
		'WAITING_FOR_CONNECTION');
	result('nginx: first polls a second, against pgbench one by one with 8 clients',
		ours => $ours, reference => $reference);
	return;
}

1;
