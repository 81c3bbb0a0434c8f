#!/usr/bin/perl
# Every example of --help runs as it stands there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;
use Devcred::CtlHelp qw(commands);

my $site = Devcred::Site->new(web => 'none', start => 0);
my $dir = $site->{dir};
open my $conf, '>>', $site->conf_path or die "$!\n";
print {$conf} "key_file = $dir/keys\n";
close $conf or die "$!\n";

# what they find there
Devcred::Shell::write_file("$dir/$_->[0]", $_->[1]) for ['devices.csv', "ID\nc-1\nc-2\n"],
	['token', "1234\n"], ['password', "a long password\n"], ['ids.txt', "4711\n"];
system('gzip', '-k', "$dir/devices.csv") == 0 or die "gzip failed\n";
symlink "$Devcred::Shell::BIN/devcredctl", "$dir/devcredctl" or die "$!\n";

for my $command (commands()) {
	for my $example (@{ $command->{examples} }) {
		# what follows without end is shown not to begin without its database
		my %env = (DEVCRED_CONF => $site->conf_path, PATH => "$dir:$ENV{PATH}",
			$command->{name} eq 'request watch' ? (DEVCRED_DATABASE => "host=$dir/no") : ());
		my ($status, $text) = Devcred::Shell::run(
			['sh', '-c', 'cd "$1" && eval "$2"', 'sh', $dir, $example], env => \%env);
		# refused is fine, for what it is about may not be there
		ok($status =~ /\A[013]\z/ || $status == 2 && $text =~ /cannot be undone/, $example)
		    or diag("exit status $status\n$text");
	}
}
done_testing;
