#!/usr/bin/perl
# The Debian packages build of the files of the tree without a network, and
# have in them what they should, in order.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Package;
use Devcred::Shell;
use Devcred::Source qw(matching text);

plan skip_all => 'only root can unshare a network' if $> != 0;

my $EXPOSURE_MAX = 1.5;

my $dir = Devcred::Package::built();
my %deb = map { m{/([a-z-]+)_} ? ($1 => $_) : () } Devcred::Package::debs();
is(join(' ', sort keys %deb), join(' ', @Devcred::Package::NAMES),
	'the packages build');

my ($changes) = glob "$dir/devcred_*.changes";
my ($status, $out) = Devcred::Shell::run(['lintian', '--allow-root',
	'--fail-on', 'error,warning', $changes]);
is($status, 0, 'lintian finds no error and no warning') or diag($out);

# Package, path, mode, owner.
my %in;
for my $name (keys %deb) {
	($status, $out) = Devcred::Shell::run(['dpkg-deb', '-c', $deb{$name}]);
	while ($out =~ m{^(\S+) (\S+) +\d+ \S+ \S+ \.(/\S*)}mg) {
		$in{$name}{$3} = "$1 $2";
	}
}
for my $file (
	['devcred', '/usr/libexec/devcred/devcred.fcgi', '-rwxr-xr-x'],
	['devcred', '/etc/devcred/devcred.conf', '-rw-r-----'],
	['devcred', '/etc/apache2/conf-available/devcred.conf', '-rw-r--r--'],
	['devcred', '/etc/lighttpd/conf-available/50-devcred.conf',
		'-rw-r--r--'],
	['devcred', '/lib/systemd/system/devcred.service', '-rw-r--r--'],
	['devcred', '/lib/systemd/system/devcred.socket', '-rw-r--r--'],
	['devcred', '/usr/lib/sysusers.d/devcred.conf', '-rw-r--r--'],
	['devcred', '/usr/lib/tmpfiles.d/devcred.conf', '-rw-r--r--'],
	['devcred', '/usr/share/man/man8/devcred.8.gz', '-rw-r--r--'],
	['devcred', '/usr/share/man/man5/devcred.conf.5.gz', '-rw-r--r--'],
	['devcred', '/usr/share/doc/devcred/examples/nginx/devcred.conf',
		'-rw-r--r--'],
	['devcred-tools', '/usr/sbin/devcredctl', '-rwxr-xr-x'],
	['devcred-tools', '/usr/share/man/man8/devcredctl.8.gz',
		'-rw-r--r--'],
	['devcred-tools',
		'/usr/share/bash-completion/completions/devcredctl',
		'-rw-r--r--'],
	['devcred-tools', '/lib/systemd/system/devcred-housekeep.timer',
		'-rw-r--r--'],
	['devcred-www', '/etc/apache2/conf-available/devcred-page.conf',
		'-rw-r--r--'],
	['devcred-www', '/etc/lighttpd/conf-available/51-devcred-page.conf',
		'-rw-r--r--'],
	['devcred-www', '/usr/share/devcred/www/index.html', '-rw-r--r--'],
) {
	my ($package, $path, $mode) = @$file;
	is($in{$package}{$path}, "$mode root/root", "$package has $path");
}
my @page = map { s{\A\Q$Devcred::Shell::TOP\E/}{}r }
    glob "$Devcred::Shell::TOP/www/*.* $Devcred::Shell::TOP/www/js/*";
is(join(' ', grep { !$in{'devcred-www'}{"/usr/share/devcred/$_"} } @page), '',
	'devcred-www has every file of the page');
# what the guides send their readers to, but for what is elsewhere in a package
my %named = map { $_ => 1 } grep { !/^(?:bash-completion|lib|quickstart|systemd)\z/ }
    map { text($_) =~ m{\bdeploy/([\w-]+)}g } matching(qr{^doc/.*\.md\z});
is(join(' ', sort grep { !$in{devcred}{"/usr/share/doc/devcred/examples/$_/"} } keys %named), '',
	'devcred has every example that its guides name');
ok(keys %named > 5, 'which is some of them');

# The units -------------------------------------------------------------------

SKIP: {
	($status) = Devcred::Shell::run(['systemd-analyze', '--version']);
	skip 'systemd is not installed', 2 if $status;
	for my $unit (qw(devcred devcred-housekeep)) {
		($status, $out) = Devcred::Shell::run(['systemd-analyze',
			'security', '--offline=true', '--no-pager',
			"$Devcred::Shell::TOP/deploy/systemd/$unit.service"]);
		my ($exposure) = $out =~ /exposure level for .*: ([\d.]+)/;
		cmp_ok($exposure // 10, '<=', $EXPOSURE_MAX,
			"systemd calls the exposure of $unit $EXPOSURE_MAX "
			. 'at most') or diag($out);
	}
}

done_testing;
