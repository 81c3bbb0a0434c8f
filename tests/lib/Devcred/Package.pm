package Devcred::Package;

# The Debian packages of this tree, built once in a run.

use strict;
use warnings;
use File::Path ();

use Devcred::Shell;
use Devcred::Source;

our @NAMES = qw(devcred devcred-tools devcred-www);

my $dir;

# The folder with the packages, devcred_*.changes and the log of the build.
# They are made of the files of the tree and of nothing else, without a
# network.
sub built {
	return $dir if defined $dir;
	my $keep = $ENV{DEVCRED_TEST_TMP};
	$dir = defined $keep ? "$keep/packages" : Devcred::Shell::new_dir();
	return $dir if -e "$dir/complete";
	my $source = "$dir/source";
	File::Path::remove_tree($source);
	File::Path::make_path($source);
	my ($status, $out) = Devcred::Shell::run(['bash', '-euc', <<'SH',
		set -o pipefail
		tar -C "$1" --null -T - --owner=0 --group=0 -cf - |
		    tar -C "$2" -xf -
		cd "$2"
		unshare --net dpkg-buildpackage -b -us -uc >"$3" 2>&1 ||
		    { tail -n 40 "$3"; exit 1; }
SH
		'bash', $Devcred::Source::TOP, $source, "$dir/build.log"],
		in => join("\0", Devcred::Source::files()) . "\0");
	die "the packages could not be built:\n$out" if $status;
	Devcred::Shell::write_file("$dir/complete", "yes\n");
	return $dir;
}

# Paths of the packages.
sub debs {
	my $dir = built();
	return map { glob "$dir/${_}_*.deb" } @NAMES;
}

# The same packages with a later version, in a folder of their own.
sub later {
	my ($version) = @_;
	my $dir = built();
	my $to = "$dir/later";
	my ($status, $out) = Devcred::Shell::run(['bash', '-euc', <<'SH',
		to=$1 version=$2
		shift 2
		rm -rf "$to"
		mkdir "$to"
		for deb in "$@"; do
			dpkg-deb -R "$deb" "$to/tree"
			sed -i "s/^Version: .*/Version: $version/
			    s/(= [^)]*)/(= $version)/" "$to/tree/DEBIAN/control"
			dpkg-deb -b "$to/tree" "$to" >/dev/null
			rm -r "$to/tree"
		done
SH
		'bash', $to, $version, debs()]);
	die "no later packages:\n$out" if $status;
	return glob "$to/*.deb";
}

# Install packages in a machine; returns status and words of apt.
sub install {
	my ($machine, @debs) = @_;
	$machine->put('/srv/debs', @debs);
	my @result = $machine->sh(
		'apt-get -q -y --no-install-recommends install /srv/debs/*.deb',
		net => 1);
	$machine->must('rm -r /srv/debs');
	return @result;
}

# The commands of a step of README.Debian, as a machine has it.
sub step {
	my ($machine, $number) = @_;
	my $readme = $machine->must('cat /usr/share/doc/devcred/README.Debian');
	my ($step) = $readme =~ /^$number\. (.*?)(?=^\d\. |^\S|\z)/ms;
	return join '', ($step // '') =~ /^ {5}(\S.*\n|   .*\n)/mg;
}

# What step 5 says of a web server; nth: 0 for the service, 1 for the page.
sub step_web {
	my ($machine, $web, $nth) = @_;
	my @all = step($machine, 5)
	    =~ /^$web: +(.*?(?:&&\n.*)?systemctl restart $web)$/mg;
	return $all[$nth];
}

# Do steps 1 to 3: database, key and users.  Returns their passwords by login,
# and what the third said.
sub set_up {
	my ($machine) = @_;
	$machine->must(step($machine, 1));
	$machine->must(
		'echo "key_file = /etc/devcred/keys" >>/etc/devcred/devcred.conf');
	$machine->must(step($machine, 2));
	(my $add = step($machine, 3))
	    =~ s/^(devcredctl user add .*)/$1 --generate/mg;
	my $out = $machine->must($add);
	my @login = $add =~ m{^devcredctl user add (\S+)}mg;
	my %password;
	@password{@login} = $out =~ /^([A-Za-z0-9_-]{12,})$/mg;
	return (\%password, $out);
}

END {
	my $status = $?;
	File::Path::remove_tree($dir)
	    if defined $dir && !defined $ENV{DEVCRED_TEST_TMP};
	$? = $status;
}

1;
