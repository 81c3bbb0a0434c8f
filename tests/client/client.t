#!/usr/bin/perl
# Runs client.cjs behind each of the web servers, in a folder where npm has
# put what it needs (DEVCRED_TEST_NODE; by default its own).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;

use Devcred::Cluster;
use Devcred::Shell;
use Devcred::Site;

my $folder = $ENV{DEVCRED_TEST_NODE} // $FindBin::Bin;

for my $web (qw(lighttpd apache nginx)) {
	my $site = Devcred::Site->new(web => $web);
	my $told = JSON::PP->new->encode({
		url => $site->base,
		admin => { tenant => 'all', user => 'admin',
			password => decoded('all/admin') },
		bootstrap => { login => 'management/devicebootstrap',
			password => decoded('management/devicebootstrap') },
	});
	utf8::encode($told);
	my ($status, $out) = Devcred::Shell::run(['node', "$folder/client.cjs"],
		in => $told);
	my @checks = $out =~ /^((?:not )?ok \d+ - .*)$/mg;
	for my $check (@checks) {
		my ($not, $name) = $check =~ /^(not )?ok \d+ - (.*)/;
		ok(!$not, "behind $web: $name");
	}
	my %log = $site->logs(10);
	ok($status == 0 && @checks > 10 && $out =~ /^1\.\.${\scalar @checks}$/m,
		"behind $web the client runs to its end")
	    or diag($out, map { "--- $_\n$log{$_}" } sort keys %log);
}

sub decoded {
	my $password = Devcred::Cluster::password($_[0]);
	utf8::decode($password);
	return $password;
}

END {
	my $status = $?;
	Devcred::Site->stop_all;
	$? = $status;
}
done_testing();
