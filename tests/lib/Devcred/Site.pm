package Devcred::Site;

# A complete private installation: a database, the service, a web server.

use strict;
use warnings;
use File::Path ();
use IO::Socket::INET;

use Devcred::Cluster;
use Devcred::Http;
use Devcred::Shell;

# The kinds of web server that pass requests on, and whether the pool has to be
# started beside them.
my %PASSES = (
	'lighttpd' => 1, 'apache' => 1, 'nginx' => 1,
	'apache-fcgid' => 0, 'apache-cgid' => 0, 'lighttpd-cgi' => 0,
);
my %POOL = (
	%PASSES, 'none' => 1,
	# these protect files of their own, and do not pass requests on
	'lighttpd-authorizer' => 1, 'nginx-auth' => 1, 'apache-authnz' => 1,
	'apache-authenticator' => 1, 'lighttpd-dbi' => 1, 'apache-dbd' => 1,
);

my @sites;

# The mapping that this run of the suite is about.
sub kind_wanted { return $ENV{DEVCRED_WEB} // 'lighttpd' }

# All of them that this run is about.
sub kinds {
	return split ' ', $ENV{DEVCRED_WEBS} // join ' ', sort keys %PASSES;
}

my $shared;

# The site that the files of a suite share; tests keep out of each other's way
# by using device ids of their own.
sub shared {
	my ($class) = @_;
	return $shared if $shared;
	if ($ENV{DEVCRED_TEST_SITE}) {
		my ($dir, $port, $database) = split / /, $ENV{DEVCRED_TEST_SITE};
		$shared = bless {
			dir => $dir, port => $port, database => $database,
			web => kind_wanted(), cluster => Devcred::Cluster->shared,
			pid => 0, attached => 1,
		}, $class;
		push @sites, $shared;
	} else {
		$shared = $class->new;
	}
	return $shared;
}

# Options: web (kind; "none" for the service alone), conf (settings), cluster,
# database (one that is there already), keep (outlive this process), start
# (0: only make folder, database and settings).
sub new {
	my ($class, %arg) = @_;
	my $cluster = $arg{cluster} // Devcred::Cluster->shared;
	my $self = bless {
		dir => Devcred::Shell::new_dir(),
		web => $arg{web} // kind_wanted(),
		cluster => $cluster,
		database => $arg{database} // $cluster->database,
		pid => $arg{keep} ? 0 : $$,
	}, $class;

	$self->configure(%{ $arg{conf} || {} });
	push @sites, $self;
	if ($arg{start} // 1) {
		$self->start_service if $POOL{ $self->{web} };
		$self->start_web if $self->{web} ne 'none';
	}
	return $self;
}

# Write the settings; what is not named has the value the tests want.
sub configure {
	my ($self, %conf) = @_;
	my $cluster = $self->{cluster};
	%conf = (
		app_database => $cluster->conninfo($self->{database},
			'devcred_service'),
		database => $cluster->conninfo($self->{database},
			'devcred_operator'),
		socket => "$self->{dir}/fcgi.sock",
		socket_mode => '0666',
		default_tenant => 't1',
		%conf,
	);
	Devcred::Shell::write_file($self->conf_path,
		join('', map { "$_ = $conf{$_}\n" } sort keys %conf), 0644);
	return;
}

sub conf_path { return "$_[0]{dir}/devcred.conf" }
sub socket_path { return "$_[0]{dir}/fcgi.sock" }

# With other programs than those under test: the folder they are in.
sub start_service {
	my ($self, $bin) = @_;
	Devcred::Shell::private('private_service_start', $self->{dir},
		{ DEVCRED_BINDIR => $bin // $Devcred::Shell::BIN });
	$self->{service} = 1;
	return;
}

sub stop_service {
	my ($self) = @_;
	Devcred::Shell::private('private_service_stop', $self->{dir});
	$self->{service} = 0;
	return;
}

# The pid of the pool's manager.
sub service_pid {
	my ($self) = @_;
	my ($pid) = Devcred::Shell::read_file("$self->{dir}/devcred.pid") =~ /(\d+)/;
	return $pid;
}

# Pids of the children of a process.
sub children {
	my ($pid) = @_;
	return split ' ',
	    Devcred::Shell::read_file("/proc/$pid/task/$pid/children");
}

sub start_web {
	my ($self) = @_;
	my $tries = 3;

	# somebody else may take the port between finding and using it
	until (eval {
		$self->{port} = free_port();
		Devcred::Shell::private('private_web_start', $self->{web},
			$self->{dir}, $self->{port});
		1;
	}) {
		die $@ if --$tries == 0;
	}
	$self->{serving} = 1;
	return;
}

sub free_port {
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		Listen => 1) or die "no free port: $@\n";
	return $socket->sockport;
}

sub stop {
	my ($self) = @_;
	for my $what (['serving', 'private_web_stop'],
	    ['service', 'private_service_stop']) {
		my ($flag, $function) = @$what;
		next unless delete $self->{$flag};
		eval { Devcred::Shell::private($function, $self->{dir}) };
		warn $@ if $@;
	}
	return;
}

# A client that logs in as one of the cluster's users, or not at all.
sub client {
	my ($self, $user) = @_;
	return Devcred::Http->new(port => $self->{port},
		login => defined $user ? login($user) : undef);
}

# user:password of one of the cluster's users.
sub login {
	my ($user) = @_;
	return "$user:" . Devcred::Cluster::password($user);
}

# What links of answers start with.
sub base { return "http://127.0.0.1:$_[0]{port}" }

# A connection to the site's database; by default as superuser.
sub dbh {
	my ($self, $user) = @_;
	return $self->{cluster}->connect($self->{database}, $user);
}

sub ctl {
	my ($self, $in, @arg) = @_;
	return Devcred::Shell::ctl($self->conf_path, $in, @arg);
}

# What the service wrote.
sub service_log { return Devcred::Shell::read_file("$_[0]{dir}/devcred.log") }

# What the site's servers wrote, newest lines of each, by file.
sub logs {
	my ($self, $lines) = @_;
	my %log;
	for my $path ("$self->{dir}/devcred.log", "$self->{dir}/web/error.log") {
		my @line = split /^/, Devcred::Shell::read_file($path);
		splice @line, 0, -$lines if $lines && @line > $lines;
		$log{$path} = join '', @line if @line;
	}
	return %log;
}

sub all { return @sites }

# Put aside what the sanitizers wrote into the logs below a folder.
sub keep_reports {
	my ($dir) = @_;
	my $to = $ENV{DEVCRED_TEST_TMP} or return;

	for my $path (glob "$dir/*.log $dir/web/*.log") {
		my $text = Devcred::Shell::read_file($path);
		next unless $text =~ /(?:Address|Leak)Sanitizer|: runtime error: /;
		(my $name = $path) =~ tr{/}{-};
		Devcred::Shell::write_file("$to/report.$name", $text);
	}
	return;
}

# Stop what this process started.
sub stop_all {
	for my $site (@sites) {
		next unless $site->{pid} == $$;
		$site->stop;
		keep_reports($site->{dir});
		File::Path::remove_tree($site->{dir}, { safe => 1 });
	}
	@sites = ();
	return;
}

1;
