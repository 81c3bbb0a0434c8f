# A file of a million ids: COPY in SQL, devcredctl, HTTP; against a bare COPY of
# the same rows into a table of the same columns, and the building of its
# indexes.
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
	my $site = $place->served('nginx');
	my $file = "$place->{site}{dir}/devices.csv";
	my (@copy, @import, @upload, @bare);

	for (1 .. Bench::rounds(2)) {
		write_ids($place, $file, $n);
		push @copy, seconds(sub { copy($place->{db}, $TABLE, $file) });
		write_ids($place, $file, $n);
		push @import, seconds(sub {
			my ($status, $text) = Devcred::Shell::run(["$Devcred::Shell::BIN/devcredctl", '-c',
				$site->conf_path, 'import', $file, '--tenant', 't1', '--quiet']);
			die "import: $text" if $status;
		});
		write_ids($place, $file, $n);
		push @upload, seconds(sub { upload($site, $file, $n) });
		push @bare, seconds(sub { bare($place, $file) });
		note(sprintf '%d ids: COPY %.1f s, import %.1f s, upload %.1f s, bare %.1f s', $n,
			$copy[-1], $import[-1], $upload[-1], $bare[-1]);
	}
	for my $way (['COPY into the table', \@copy, '>= 0.5'],
		['devcredctl import', \@import, '>= 0.35'], ['CSV over HTTP', \@upload, '>= 0.35']) {
		result("$way->[0]: ids a second, against bare COPY and index build",
			ours => [map { $n / $_ } @{ $way->[1] }], reference => [map { $n / $_ } @bare],
			target => $way->[2]);
	}
	return;
}

sub seconds {
	my ($what) = @_;
	my $start = time;
	$what->();
	return time - $start;
}

# A file of ids that are not taken.
sub write_ids {
	my ($place, $file, $n) = @_;
	my $from = $place->{next};

	$place->{next} += $n;
	open my $out, '>', $file or die "$file: $!\n";
	print {$out} "ID\n";
	for my $k ($from + 1 .. $from + $n) {
		print {$out} Bench::Place::id($k), "\n";
	}
	close $out or die "$file: $!\n";
	chmod 0644, $file;
	$place->{db}->do('checkpoint');
	return;
}

sub upload {
	my ($site, $file, $n) = @_;
	my ($status, $text) = Devcred::Shell::run(['curl', '-sS', '-K', '-', '-F', "file=\@$file",
		$site->base . '/devicecontrol/bulkNewDeviceRequests'],
		in => 'user = "' . Devcred::Site::login('t1/admin') . "\"\n");

	die "upload: $text\n" if $status || $text !~ /"numberOfSuccessful":$n\b/;
	return;
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
	$db->do("alter table $table alter tenant drop default, alter owner drop default");
	return;
}

# The same ids and columns, without anything that the service does besides.
sub bare {
	my ($place, $file) = @_;
	my $db = $place->{db};
	my @index = map { $_->[0] } @{ $db->selectall_arrayref("select pg_get_indexdef(indexrelid)
		from pg_index where indrelid = '$TABLE'::regclass") };

	$db->do("create table bare (like $TABLE including defaults including generated including identity
		including constraints)");
	copy($db, 'bare', $file);
	for my $index (@index) {
		$db->do($index =~ s/INDEX \S+ ON \S+/INDEX ON public.bare/r);
	}
	$db->do('drop table bare');
	return;
}

1;
