#!/usr/bin/perl
# make distcheck: the archive has every file of the tree, and builds, tests,
# installs and uninstalls by itself, out of a tree that cannot be written to.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path ();
use Test::More;

use Devcred::Shell;
use Devcred::Source;

my $keep = $ENV{DEVCRED_TEST_TMP};
my $dir = defined $keep ? "$keep/dist" : Devcred::Shell::new_dir();
END {
	my $status = $?;
	File::Path::remove_tree($dir) if $dir;
	$? = $status;
}

File::Path::make_path("$dir/source", "$dir/build");
my @files = Devcred::Source::files();
my ($status, $out) = Devcred::Shell::run(['bash', '-euc', <<'SH', 'bash',
	set -o pipefail
	tar -C "$1" --null -T - -cf - | tar -C "$2/source" -xf -
	(cd "$2/source" && ./autogen.sh) >"$2/log" 2>&1
	cd "$2/build"
	../source/configure >>"$2/log" 2>&1
	make distcheck >>"$2/log" 2>&1 || { tail -n 40 "$2/log"; exit 1; }
	tar -tf devcred-*.tar.xz | sed 's,^[^/]*/,,'
SH
	$Devcred::Source::TOP, $dir], in => join("\0", @files) . "\0");
is($status, 0, 'what is distributed builds, passes its tests and installs')
    or diag($out);
my %in = map { $_ => 1 } split /\n/, $out;
is(join(' ', grep { !$in{$_} } @files), '', 'it has every file of the tree');
ok($in{configure}, 'and what makes it build without autotools');

done_testing;
