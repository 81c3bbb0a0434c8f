#!/usr/bin/perl
# When the page asks again, with a clock of the test's own: refresh.mjs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Shell;

my ($status, $out) = Devcred::Shell::run(['node', "$FindBin::Bin/refresh.mjs",
	"$Devcred::Shell::TOP/www/js/refresh.js"]);
my @checks = $out =~ /^((?:not )?ok \d+ - .*)$/mg;
for my $check (@checks) {
	my ($not, $name) = $check =~ /^(not )?ok \d+ - (.*)/;
	ok(!$not, $name);
}
ok($status == 0 && @checks > 8, 'the clock runs to its end') or diag($out);

done_testing();
