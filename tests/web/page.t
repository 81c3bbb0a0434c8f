#!/usr/bin/perl
# The registration page in Chromium against the real service: page.mjs is the
# administrator, and plays the devices over HTTP.
#
# DEVCRED_SCREENSHOTS names a folder for pictures of every view.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;

use Devcred::Cluster;
use Devcred::Shell;
use Devcred::Site;

# so that what was started ends with this program, however it ends
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit 1 };

my $folder = $ENV{DEVCRED_TEST_NODE} // $FindBin::Bin;
my $site = Devcred::Site->new(web => 'nginx');

sub login {
	my ($user) = @_;
	my $password = Devcred::Cluster::password($user);
	utf8::decode($password);
	return { user => $user, password => $password };
}

sub command {
	my ($function) = @_;
	return ['bash', '-c', 'set -euo pipefail; . "$1"; "$2" "$3"', 'bash',
		"$Devcred::Shell::TOP/deploy/lib/private.sh", $function,
		$site->{dir}];
}

my $told = JSON::PP->new->encode({
	url => $site->base,
	admin => login('t1/admin'),
	reader => login('t1/reader'),
	roleless => login('t1/users'),
	management => login('management/admin'),
	bootstrap => login('management/devicebootstrap'),
	expiring => login('t1/operator'),
	disable => ["$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path,
		qw(user disable t1/operator)],
	stop => command('private_service_stop'),
	start => command('private_service_start'),
	bindir => $Devcred::Shell::BIN,
	screenshots => $ENV{DEVCRED_SCREENSHOTS},
});
utf8::encode($told);
my ($status, $out) = Devcred::Shell::run(['node', "$folder/page.mjs"],
	in => $told);
my @checks = $out =~ /^((?:not )?ok \d+ - .*)$/mg;
for my $check (@checks) {
	my ($not, $name) = $check =~ /^(not )?ok \d+ - (.*)/;
	ok(!$not, $name);
}
ok($status == 0 && @checks > 40 && $out =~ /^1\.\.${\scalar @checks}$/m,
	'the page goes through all of it') or do {
	my %log = $site->logs(10);
	diag($out, map { "--- $_\n$log{$_}" } sort keys %log);
};

END {
	my $status = $?;
	Devcred::Site->stop_all;
	$? = $status;
}
done_testing();
