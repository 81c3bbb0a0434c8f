package Devcred::Machine;

# A clean Debian 12 in namespaces of its own: its processes, mounts and network
# end with it.  systemd runs only if it is wanted.  Only root can have one.

use strict;
use warnings;
use File::Find ();
use File::Path ();

use Devcred::Shell;
use Devcred::Site;

my $PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
my (@all, $own);

# The root that all of them begin with; made if it is not there yet.
sub base {
	my $dir = $ENV{DEVCRED_TEST_BASE}
	    // ($ENV{DEVCRED_TEST_BUILD} // $ENV{DEVCRED_TEST_TMP}
		// ($own //= Devcred::Shell::new_dir())) . '/package-base';
	my ($status, $out) = Devcred::Shell::run(
	    ["$Devcred::Shell::TOP/tests/package/base.sh", $dir]);
	die "the clean root could not be made:\n$out" if $status;
	return $dir;
}

# Its own group of control groups, of which systemd makes more; '' if there is
# no place for it.
sub cgroup {
	my ($dir) = @_;
	my ($top) = Devcred::Shell::read_file('/proc/mounts')
	    =~ m{^\S+ (\S+) cgroup2 }m or return '';
	my $cgroup = "$top/" . $dir =~ s{.*/}{}r;
	return mkdir($cgroup) ? $cgroup : '';
}

# What is PID 1 in there reads a pipe of ours, so it ends when we do; and
# bash, as it buries the dead, which are processes to those that look for them.
# It becomes systemd when it is told so.
my $hold = <<'SH';
mkdir -p "$DIR/root" "$DIR/upper" "$DIR/work"
if ! mount -t overlay overlay "$DIR/root" -o \
    "lowerdir=$BASE,upperdir=$DIR/upper,workdir=$DIR/work" 2>/dev/null; then
	mount --bind "$DIR/root" "$DIR/root"
	cp -a "$BASE/." "$DIR/root"
fi
cp /etc/resolv.conf "$DIR/root/etc/resolv.conf"
ip link set lo up
# not chroot: in that nobody may have a namespace of users
cd "$DIR/root"
mount -t proc proc proc
mount --bind -o ro proc/sys proc/sys
mount --bind run run
mount -t tmpfs tmpfs sys
mkdir -p sys/fs/cgroup
if [ -n "$CGROUP" ]; then
	mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
mount -t tmpfs tmpfs dev
for node in null zero full random urandom tty; do
	touch "dev/$node"
	mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mkdir old
pivot_root . old
umount -l old
rmdir old
echo ready
exec >/dev/null 2>&1
exec /bin/bash -c 'read -r word; [ "$word" = boot ] &&
    exec env -i container=test /lib/systemd/systemd --unit=test.target'
SH

sub new {
	my ($class) = @_;
	my $base = base();
	my $dir = Devcred::Shell::new_dir();
	my $self = bless { dir => $dir, cgroup => cgroup($dir) }, $class;
	pipe my $in, my $hold_in or die "pipe: $!\n";
	pipe my $said, my $out or die "pipe: $!\n";
	$self->{unshare} = fork // die "fork: $!\n";
	if ($self->{unshare} == 0) {
		open STDIN, '<&', $in or die "stdin: $!\n";
		open STDOUT, '>&', $out or die "stdout: $!\n";
		close $hold_in;
		Devcred::Shell::write_file("$self->{cgroup}/cgroup.procs", $$)
		    if $self->{cgroup};
		@ENV{qw(DIR BASE CGROUP)} = ($dir, $base, $self->{cgroup});
		exec qw(setpriv --pdeathsig KILL unshare --mount --pid --net
			--uts --ipc --cgroup --fork --kill-child
			--propagation private bash -euc), $hold
			or print STDERR "unshare: $!\n";
		POSIX::_exit(127);
	}
	close $in;
	close $out;
	$self->{hold} = $hold_in;
	push @all, $self;
	(<$said> // '') eq "ready\n" or die "the machine did not start\n";
	($self->{pid}) = Devcred::Site::children($self->{unshare});
	return $self;
}

# Have systemd run, with what it is asked for and nothing else.
sub boot {
	my ($self) = @_;
	$self->must(<<'SH');
		rm -rf /lib/systemd/system/*.wants /lib/systemd/system-generators
		rm -f /usr/sbin/policy-rc.d
		printf '[Unit]\nDefaultDependencies=no\n' \
		    >/etc/systemd/system/test.target
SH
	syswrite $self->{hold}, "boot\n";
	return Devcred::Shell::until_true(sub {
		($self->sh('systemctl is-active -q test.target'))[0] == 0 });
}

# Run a script for sh as root; returns its exit status and what it said.
# Options: in, and net: with the network of this machine, as apt needs it.
sub sh {
	my ($self, $script, %arg) = @_;
	return Devcred::Shell::run(['nsenter', '--target', $self->{pid},
		qw(--mount --pid --uts --ipc --cgroup --root --wd),
		$arg{net} ? () : '--net',
		'env', '-i', "PATH=$PATH", 'HOME=/root', 'LC_ALL=C.UTF-8',
		'DEBIAN_FRONTEND=noninteractive', 'sh', '-euc', $script],
		in => $arg{in} // '');
}

# The same, of what has to succeed; returns what it said.
sub must {
	my ($self, $script, %arg) = @_;
	my ($status, $out) = $self->sh($script, %arg);
	die "$script\nfailed ($status):\n$out" if $status;
	return $out;
}

# Copy files to a folder in there.
sub put {
	my ($self, $to, @files) = @_;
	for my $file (@files) {
		my ($name) = $file =~ m{([^/]+)\z};
		open my $in, '<:raw', $file or die "$file: $!\n";
		local $/;
		$self->must("mkdir -p $to && cat >$to/$name", in => <$in>);
	}
	return;
}

sub stop {
	my ($self) = @_;
	return unless $self->{unshare};
	close delete $self->{hold};
	kill 'KILL', $self->{unshare};
	waitpid delete $self->{unshare}, 0;
	if ($self->{cgroup}) {
		Devcred::Shell::until_true(sub {
			Devcred::Shell::read_file("$self->{cgroup}/cgroup.events")
			    =~ /^populated 0/m });
		File::Find::finddepth(sub { rmdir if -d }, $self->{cgroup});
		rmdir $self->{cgroup};
	}
	File::Path::remove_tree($self->{dir});
	return;
}

END {
	my $status = $?;
	$_->stop for @all;
	File::Path::remove_tree($own) if defined $own;
	$? = $status;
}

1;
