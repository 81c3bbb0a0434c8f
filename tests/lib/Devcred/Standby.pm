package Devcred::Standby;

# A hot standby of a private cluster, which streams from it and can be
# promoted.  It is a cluster itself: connect, conninfo and stop are as there.

use strict;
use warnings;
use parent -norequire, 'Devcred::Cluster';

use Devcred::Cluster;
use Devcred::Shell;

# The options that $primary has to be started with are none: what a standby
# needs is PostgreSQL's default.
sub new {
	my ($class, $primary, $name) = @_;
	my $self = bless {
		dir => Devcred::Shell::new_dir(),
		pid => $$,
		options => $primary->{options},
		name => $name // 'standby',
	}, $class;

	allow_replication($primary);
	$self->copy($primary);
	$self->start;
	return $self;
}

# "all" in pg_hba.conf is no replication, and private.sh writes that file at
# every start.
sub allow_replication {
	my ($primary) = @_;
	open my $file, '>>', "$primary->{dir}/pg/pg_hba.conf"
	    or die "pg_hba.conf: $!\n";
	print {$file} "local replication all trust\n";
	close $file or die "pg_hba.conf: $!\n";
	$primary->connect('postgres')->do('select pg_reload_conf()');
	return;
}

# As doc/databases.md has it.
sub copy {
	my ($self, $primary) = @_;
	my $bin = Devcred::Shell::private('private_pg_bin', $primary->{dir})
	    =~ s/\s+\z//r;

	Devcred::Shell::private('private_prepare', $self->{dir});
	mkdir "$self->{dir}/pg", 0700 or die "$self->{dir}/pg: $!\n";
	if ($> == 0) {
		my ($uid, $gid) = (getpwnam 'postgres')[2, 3];
		chown $uid, $gid, "$self->{dir}/pg";
	}
	Devcred::Shell::private('private_as', 'postgres', "$bin/pg_basebackup",
		'-d', "host=$primary->{dir} user=postgres "
		. "application_name=$self->{name}",
		'-D', "$self->{dir}/pg", '-R', '-c', 'fast', '-X', 'stream');
	unlink "$self->{dir}/pg/postmaster.pid";
	return;
}

# Wait until everything that $primary has written is to be seen here.
sub has_all_of {
	my ($self, $primary) = @_;
	my $lsn = $primary->connect('postgres')->selectrow_array(
		'select pg_current_wal_lsn()');
	my $here = $self->connect('postgres');

	return Devcred::Shell::until_true(sub {
		$here->selectrow_array(
			'select pg_last_wal_replay_lsn() >= ?::pg_lsn', undef, $lsn);
	});
}

# Returns when it takes writes.
sub promote {
	my ($self) = @_;
	return $self->connect('postgres')->selectrow_array(
		'select pg_promote(true, 60)');
}

1;
