package Bench::Peer;

# What people would write instead, running: peers/php behind nginx, peers/node
# on a port of its own.

use strict;
use warnings;
use File::Copy ();
use FindBin;
use JSON::PP ();

use Bench::Place;
use Devcred::Http;
use Devcred::Shell;
use Devcred::Site;

my $PEERS = "$FindBin::Bin/peers";
my $CHILDREN = 8;		# of PHP-FPM; more are slower
my $PROCESSES = 2;		# of Node; a core each

sub env {
	my ($database) = @_;
	return { BENCH_DATABASE => $database, BENCH_KEY => '5a' x 32,
		BENCH_LOGIN => Devcred::Http::basic(Devcred::Site::login($Bench::Place::BOOTSTRAP)) };
}

# A folder that the servers' users may read.
sub folder {
	my ($name) = @_;
	my $dir = "$ENV{DEVCRED_BENCH_TMP}/$name";
	mkdir $dir or die "$dir: $!\n" unless -d $dir;
	chmod 0755, $dir;
	return $dir;
}

# Site and pid of PHP-FPM behind nginx.
sub php {
	my ($place) = @_;
	my $dir = folder('php');
	my ($fpm) = reverse sort glob '/usr/sbin/php-fpm*';
	die "php-fpm is not installed\n" unless $fpm;
	File::Copy::copy("$PEERS/php/peer.php", $dir) or die "copy: $!\n";
	# FPM has fewer processes than nginx would keep connections
	my $edit = "s|fastcgi_keep_conn on;|fastcgi_param SCRIPT_FILENAME $dir/peer.php;|;"
	    . 's|keepalive 128;||';
	return $place->answered('nginx', 'php', sub {
		my ($socket) = @_;
		my $env = env($place->{cluster}->conninfo($place->{database}, 'devcred_service'));
		Devcred::Shell::write_file("$dir/fpm.conf", <<"END" . join('', map {
[global]
error_log = $dir/error.log
daemonize = no
[www]
@{[$> == 0 ? "user = www-data\ngroup = www-data" : '']}
listen = $socket
listen.mode = 0666
listen.backlog = 1024
catch_workers_output = yes
php_admin_flag[log_errors] = on
pm = static
pm.max_children = $CHILDREN
END
			"env[$_] = '$env->{$_}'\n" } sort keys %$env), 0644);
		return Bench::Place->start("$dir/log", {}, $fpm, '--nodaemonize', '--fpm-config',
			"$dir/fpm.conf", '-d', 'opcache.enable=1');
	}, $edit);
}

# Port and pid of Node.
sub node {
	my ($place) = @_;
	return @{ $place->{node} //= do {
		my $dir = folder('node');
		for my $name (qw(peer.js package.json package-lock.json .npmrc)) {
			File::Copy::copy("$PEERS/node/$name", $dir) or die "copy: $!\n";
		}
		my ($status, $text) = Devcred::Shell::run(['sh', '-c', "cd '$dir' && npm ci"]);
		die "npm: $text" if $status;
		my ($host, $name, $user) = $place->{cluster}->conninfo($place->{database},
			'devcred_service') =~ /\Ahost=(\S+) dbname=(\S+) user=(\S+)\z/;
		my $port = Devcred::Site::free_port();
		my $pid = Bench::Place->start("$dir/log", { PORT => $port, PROCESSES => $PROCESSES,
			%{ env(JSON::PP::encode_json({ host => $host, database => $name, user => $user })) } },
			'node', "$dir/peer.js");
		push @{ $place->{pids} }, $pid;
		die "node: " . Devcred::Shell::read_file("$dir/log")
		    unless Devcred::Shell::until_true(sub {
			IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) });
		[$port, $pid];
	} };
}

1;
