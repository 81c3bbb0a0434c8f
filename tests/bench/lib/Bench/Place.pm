package Bench::Place;

# Where it is measured: a PostgreSQL that writes to disk, a database full of
# devices, the service, and web servers before it and before what it is
# compared with.

use strict;
use warnings;
use POSIX ();

use Bench;
use Devcred::Cluster;
use Devcred::Shell;
use Devcred::Site;

# The id of device number n; as in load/ids.lua.
our $ID = '(350000000000000 + (n * 387420489) % 2147483647)';
sub id { return 350000000000000 + ($_[0] * 387420489) % 2147483647 }

our $BOOTSTRAP = 'management/devicebootstrap';
our $TYPE = 'application/vnd.com.nsn.cumulocity.deviceCredentials+json';

# Devices: so many wait to be accepted.
sub new {
	my ($class, %arg) = @_;
	my $self = bless { devices => $arg{devices}, next => $arg{devices} }, $class;

	$self->{cluster} = $arg{cluster} // Devcred::Cluster->new(options => [map { "-c $_" }
		'fsync=on', 'shared_buffers=1GB', 'max_wal_size=8GB', 'checkpoint_timeout=30min',
		'maintenance_work_mem=256MB']);
	$self->{database} = $self->{cluster}->database;
	$self->{db} = $self->{cluster}->connect($self->{database});
	$self->{site} = Devcred::Site->new(cluster => $self->{cluster}, web => 'nginx',
		database => $self->{database}, start => 0);
	my $keys = "$self->{site}{dir}/keys";
	Devcred::Shell::write_file($keys, 'k1 ' . '5a' x 32 . " 2026-01-31\n", 0600);
	$self->{site}->configure(key_file => $keys, %{ $arg{conf} // {} });
	$self->{site}->start_service;
	$self->{site}->start_web;
	$self->fill;
	return $self;
}

# Devices that asked a moment ago, as the service itself leaves them.  That
# they ask more often than once a minute, which is when it is written down,
# is what agents do.
sub fill {
	my ($self) = @_;
	my $admin = $self->{site}->client('t1/admin');
	my $device = $admin->as(Devcred::Site::login($BOOTSTRAP));

	$admin->register('first');
	my $answer = $device->request('POST', $Devcred::Http::CREDENTIALS,
		type => $TYPE, accept => $TYPE, body => '{"id":"first"}');
	die $answer->told if $answer->status != 404;
	Bench::note("filling in $self->{devices} devices");
	$self->add(1, $self->{devices}, 'PENDING_ACCEPTANCE');
	$self->{db}->do('vacuum analyze devcred.newdevice_request');
	$self->{db}->do('checkpoint');
	return;
}

# Add devices of these numbers in this state.
sub add {
	my ($self, $from, $to, $status) = @_;
	my $accepted = $status eq 'ACCEPTED' ? 'true' : 'false';
	my $claimed = $status eq 'WAITING_FOR_CONNECTION' ? 'false' : 'true';

	$self->{db}->do('set session_replication_role = replica');
	$self->{db}->do("insert into devcred.newdevice_request (id, tenant, owner, status,
		claimed_at, claimed_from, last_seen_at, claimants, accepted_at, accepted_by)
		select $ID, 't1', 't1/admin', '$status',
		case when $claimed then f.claimed_at end, case when $claimed then f.claimed_from end,
		case when $claimed then now() + interval '1 day' end,
		case when $claimed then f.claimants else '{}' end,
		case when $accepted then now() end, case when $accepted then 't1/admin' end
		from generate_series(${from}::bigint, $to) n, devcred.newdevice_request f
		where f.id = 'first'");
	$self->{db}->do('set session_replication_role = origin');
	return;
}

# Numbers of n fresh devices in this state: the one before the first.
sub more {
	my ($self, $n, $status) = @_;
	my $from = $self->{next};
	$self->{next} += $n;
	$self->add($from + 1, $from + $n, $status);
	$self->{db}->do('checkpoint');
	return $from;
}

sub count {
	my ($self, $table) = @_;
	return $self->{db}->selectrow_array("select count(*) from devcred.$table");
}

# What the script load/ids.lua needs for what devices send.
sub device_env {
	my ($self, %more) = @_;
	return { TYPE => $TYPE, COUNT => $self->{devices}, SEED => int rand 1e6,
		LOGIN => Devcred::Http::basic(Devcred::Site::login($BOOTSTRAP)), %more };
}

sub pid_of {
	my ($path) = @_;
	my ($pid) = Devcred::Shell::read_file($path) =~ /\A(\d+)/;
	return $pid;
}

# Processes by part: of a site with a service of ours, or with a responder
# that listens where ours would.
sub groups {
	my ($self, $site, $responder) = @_;
	return {
		web => [pid_of("$site->{dir}/web.pid")],
		service => [$responder // $site->service_pid],
		postgresql => [pid_of("$self->{cluster}{dir}/pg/postmaster.pid")],
	};
}

# A web server of this kind before a responder that is not ours; the function
# starts it for that socket, and returns its pid.  Returns site and pid.
sub answered {
	my ($self, $web, $name, $start, $edit) = @_;
	return @{ $self->{answered}{"$web $name"} //= do {
		my $site = Devcred::Site->new(cluster => $self->{cluster}, web => $web,
			database => $self->{database}, start => 0);
		my $pid = $start->($site->socket_path, $site);
		push @{ $self->{pids} }, $pid;
		die "$name: no socket\n"
		    unless Devcred::Shell::until_true(sub { -S $site->socket_path });
		chmod 0666, $site->socket_path or die "chmod: $!\n";
		local $ENV{PRIVATE_WEB_EDIT} = $edit // '';
		$site->start_web;
		[$site, $pid];
	} };
}

# Start a program of ours that ends with us; returns its pid.
sub start {
	my ($class, $log, $env, @command) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	setpgrp;
	open STDIN, '<', '/dev/null' or die "null: $!\n";
	open STDOUT, '>>', $log or die "$log: $!\n";
	open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
	@ENV{keys %$env} = values %$env;
	exec @command or print STDERR "$command[0]: $!\n";
	POSIX::_exit(127);
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $@, $!);
	for my $pid (@{ $self->{pids} // [] }) {
		kill TERM => -$pid;
		waitpid $pid, 0;
	}
	return;
}

# A web server of this kind before our service: a site of its own, but for
# database and settings.
sub served {
	my ($self, $web, %conf) = @_;
	return $self->{served}{"$web @{[%conf]}"} //= do {
		my $site = Devcred::Site->new(cluster => $self->{cluster}, web => $web,
			database => $self->{database}, start => 0);
		$site->configure(key_file => "$self->{site}{dir}/keys", %conf);
		$site->start_service;
		$site->start_web;
		$site;
	};
}

1;
