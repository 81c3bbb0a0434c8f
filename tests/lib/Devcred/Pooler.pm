package Devcred::Pooler;

# PgBouncer in transaction mode with the configuration we ship, before a database
# of a cluster; it ends with this object.

use strict;
use warnings;
use File::Path ();
use POSIX ();

use Devcred::Shell;

# Arguments: cluster, database, pool_size.
sub new {
	my ($class, $cluster, $database, $size) = @_;
	my $dir = Devcred::Shell::new_dir();
	my $self = bless { dir => $dir, owner => $$ }, $class;
	my $ini = Devcred::Shell::read_file("$Devcred::Shell::TOP/deploy/pgbouncer/pgbouncer.ini");
	my %here = (
		unix_socket_dir => $dir,
		listen_addr => '',
		auth_type => 'trust',
		auth_file => "$dir/users",
		logfile => "$dir/pgbouncer.log",
		pidfile => "$dir/pgbouncer.pid",
	);
	$ini =~ s/^(devcred\s*=).*$/$1 host=$cluster->{dir} dbname=$database pool_size=$size/m
	    or die "pgbouncer.ini names no database devcred\n";
	$ini =~ s/^$_\s*=.*\n//m for keys %here;
	$ini .= join '', map { "$_ = $here{$_}\n" } sort keys %here;
	Devcred::Shell::write_file("$dir/pgbouncer.ini", $ini, 0644);
	Devcred::Shell::write_file("$dir/users", qq("devcred_service" ""\n), 0644);
	$self->start;
	return $self;
}

sub start {
	my ($self) = @_;
	my $dir = $self->{dir};
	my @command = ('pgbouncer', "$dir/pgbouncer.ini");
	if ($> == 0) {
		# it refuses to be root, and must get at PostgreSQL's socket
		my ($user) = (getpwnam 'postgres')[2];
		chown $user, -1, $dir;
		unshift @command, 'setpriv', '--reuid=postgres', '--regid=postgres',
		    '--groups=www-data';
	}
	$self->{pid} = fork // die "fork: $!\n";
	if ($self->{pid} == 0) {
		open STDOUT, '>>', "$dir/out.log";
		open STDERR, '>&', \*STDOUT;
		exec @command or POSIX::_exit(127);
	}
	Devcred::Shell::until_true(sub { -S "$dir/.s.PGSQL.6432" })
	    or die "PgBouncer does not start:\n" . Devcred::Shell::read_file("$dir/out.log");
	return;
}

# A libpq connection string for the service.
sub conninfo { return "host=$_[0]{dir} port=6432 dbname=devcred user=devcred_service" }

sub log { return Devcred::Shell::read_file("$_[0]{dir}/pgbouncer.log") }

sub DESTROY {
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	local ($?, $@, $!);
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	File::Path::remove_tree($self->{dir}, { safe => 1 });
	return;
}

1;
