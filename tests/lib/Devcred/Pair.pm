package Devcred::Pair;

# Installations that share a database and a key file, as two machines would.

use strict;
use warnings;
use Digest::SHA ();

use Devcred::Cluster;
use Devcred::Shell;
use Devcred::Site;

# Options: cluster; conf (settings of each); webs (kinds of web server, one an
# installation); keys (ids, in order).
sub new {
	my ($class, %arg) = @_;
	my $cluster = $arg{cluster} // Devcred::Cluster->shared;
	my $database = $cluster->database;
	my @sites = map {
		Devcred::Site->new(cluster => $cluster, web => $_, start => 0,
			database => $database)
	} @{ $arg{webs} // ['nginx', 'lighttpd'] };
	my $self = bless {
		cluster => $cluster, database => $database, sites => \@sites,
		key_file => "$sites[0]{dir}/shared-keys",
	}, $class;

	# not DIR/keys, of which private.sh would set mode and owner
	write_keys($self->{key_file}, @{ $arg{keys} // ['k1'] });
	for my $site (@sites) {
		Devcred::Shell::private('private_prepare', $site->{dir});
		$site->configure(key_file => $self->{key_file},
			%{ $arg{conf} || {} });
		$site->start_service;
		$site->start_web;
	}
	return $self;
}

sub sites { return @{ $_[0]{sites} } }

# Write a key file that the service may read.  Of a key: its id, or [id, seed];
# the same seed (by default the id) makes the same key.
sub write_keys {
	my ($path, @keys) = @_;
	my $lines = join '', map {
		my ($id, $seed) = ref $_ ? @$_ : ($_, $_);
		"$id " . Digest::SHA::sha256_hex("key $seed") . " 2026-01-01\n";
	} @keys;

	Devcred::Shell::write_file("$path.new", $lines, 0600);
	if ($> == 0) {
		my (undef, undef, $uid, $gid) = getpwnam 'www-data';
		chown $uid, $gid, "$path.new" or die "$path: $!\n";
	}
	rename "$path.new", $path or die "$path: $!\n";
	return;
}

# Another installation on a database, which is not started.
sub another {
	my ($cluster, $database, $web, %conf) = @_;
	my $site = Devcred::Site->new(cluster => $cluster, database => $database,
		web => $web, start => 0);

	Devcred::Shell::private('private_prepare', $site->{dir});
	$site->configure(%conf);
	return $site;
}

# Whether an installation starts; if not, what it says.
sub starts {
	my ($site) = @_;

	if (eval { $site->start_service; 1 }) {
		$site->start_web;
		return (1, $site->service_log);
	}
	return (0, $site->service_log);
}

1;
