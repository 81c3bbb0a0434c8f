# A file of a million ids: COPY in SQL, devcredctl, HTTP; against a bare COPY of
# the same rows into a table of the same columns and constraints, and what that
# leaves for the end: its indexes, and the check of its foreign key.  Each begins
# with a table that is empty.
package Bench::Case::bulk;

use strict;
use warnings;
use Bench qw(result note);
use Bench::Place;
use Devcred::Shell;
use Time::HiRes qw(time);

my $TABLE = 'devcred.newdevice_request';

sub run {
	my ($place) = @_;
	my $n = Bench::quick() ? 100_000 : 1_000_000;

	for my $order ('by chance', 'in order') {
		measure($place, $n, $order);
	}
	return;
}

# Ids as they come, or as serial numbers do.
sub measure {
	my ($place, $n, $order) = @_;
	my $file = "$place->{site}{dir}/devices.csv";
	my %way = (copy => \&copy_ours, import => \&import_ours, upload => \&upload, bare => \&bare);
	my %took;

	for (1 .. Bench::rounds(2)) {
		my ($site, $last);
		for my $way (qw(copy import upload bare)) {
			$site = fresh($place);
			write_ids($place, $file, $n, $order eq 'in order');
			push @{ $took{$way} }, $way{$way}->($site, $file, $n);
			my $is = $site->dbh->selectrow_array(
				"select count(*) from devcred.newdevice_request r join devcred.event e on e.registration = r.seq");
			die "$way: $is of $n ids\n" if $way ne 'bare' && $is != $n;
			forget($place, $site);
		}
		note(sprintf "%d ids $order: COPY %.1f s, import %.1f s, upload %.1f s, bare %.1f s", $n,
			map { $took{$_}[-1] } qw(copy import upload bare));
	}
	for my $way (['COPY', 'copy', '>= 0.5'], ['devcredctl import', 'import', '>= 0.35'],
	    ['CSV over HTTP', 'upload', '>= 0.35']) {
		result("$way->[0], $order: ids a second, against bare COPY and indexes",
			ours => [map { $n / $_ } @{ $took{ $way->[1] } }],
			reference => [map { $n / $_ } @{ $took{bare} }],
			$order eq 'by chance' ? (target => $way->[2]) : ());
	}
	return;
}

# A site on a database without devices.
sub fresh {
	my ($place) = @_;
	my $site = Devcred::Site->new(cluster => $place->{cluster}, web => 'nginx', start => 0);

	$site->configure(key_file => "$place->{site}{dir}/keys");
	return $site;
}

sub forget {
	my ($place, $site) = @_;
	$site->stop;
	$place->{db}->do("drop database $site->{database} with (force)");
	return;
}

sub seconds {
	my ($what) = @_;
	my $start = time;
	$what->();
	return time - $start;
}

# A file of ids.
sub write_ids {
	my ($place, $file, $n, $sorted) = @_;
	my @id = map { Bench::Place::id($_) } 1 .. $n;

	@id = sort @id if $sorted;
	open my $out, '>', $file or die "$file: $!\n";
	print {$out} "ID\n", map { "$_\n" } @id;
	close $out or die "$file: $!\n";
	chmod 0644, $file;
	$place->{db}->do('checkpoint');
	return;
}

sub import_ours {
	my ($site, $file) = @_;
	return seconds(sub {
		my ($status, $text) = Devcred::Shell::run(["$Devcred::Shell::BIN/devcredctl", '-c',
			$site->conf_path, 'import', $file, '--tenant', 't1', '--quiet']);
		die "import: $text" if $status;
	});
}

sub upload {
	my ($site, $file, $n) = @_;
	$site->start_service;
	$site->start_web;
	return seconds(sub {
		my ($status, $text) = Devcred::Shell::run(['curl', '-sS', '-K', '-', '-F', "file=\@$file",
			$site->base . '/devicecontrol/bulkNewDeviceRequests'],
			in => 'user = "' . Devcred::Site::login('t1/admin') . "\"\n");
		die "upload: $text\n" if $status || $text !~ /"numberOfSuccessful":$n\b/;
	});
}

sub copy_ours {
	my ($site, $file) = @_;
	my $db = $site->dbh;
	return seconds(sub { copy($db, $TABLE, $file) });
}

sub copy {
	my ($db, $table, $file) = @_;

	$db->do(qq(alter table $table alter tenant set default 't1', alter owner set default 't1/admin'));
	$db->do("copy $table (id) from stdin (format csv, header)");
	open my $in, '<', $file or die "$file: $!\n";
	my $piece;
	while (read $in, $piece, 65536) {
		$db->pg_putcopydata($piece);
	}
	$db->pg_putcopyend;
	return;
}

# The same ids, columns, checks and indexes, without anything that the service
# does besides.
sub bare {
	my ($site, $file) = @_;
	my $db = $site->dbh;
	my @index = map { $_->[0] } @{ $db->selectall_arrayref("select pg_get_indexdef(indexrelid)
		from pg_index where indrelid = '$TABLE'::regclass") };
	my @key = map { $_->[0] } @{ $db->selectall_arrayref("select pg_get_constraintdef(oid)
		from pg_constraint where conrelid = '$TABLE'::regclass and contype = 'f'") };

	$db->do("create table bare (like $TABLE including defaults including generated including identity
		including constraints including storage)");
	return seconds(sub {
		copy($db, 'bare', $file);
		$db->do(s/INDEX \S+ ON \S+/INDEX ON public.bare/r) for @index;
		$db->do("alter table bare add $_") for @key;
	});
}

1;
