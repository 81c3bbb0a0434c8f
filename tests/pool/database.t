#!/usr/bin/perl
# The database goes away, comes back, or stops answering.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Test;

my $cluster = Devcred::Cluster->new;
my $site = Devcred::Site->new(cluster => $cluster, web => 'nginx',
	conf => { workers => 2, login_cache => 5 });
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $pending = pending($admin);

sub unavailable { refuses($_[0], 503, 'general/Service Unavailable', undef, $_[1]) }

# A poll as its status, or what is wrong with it.
sub poll_status {
	my $answer = $device->poll($pending);
	return $answer->{whole} ? $answer->status : "broken: $answer->{why}";
}

# Down at the start ----------------------------------------------------------

$site->stop_service;
$cluster->stop;
$site->start_service;
my $answer = $device->poll($pending);
unavailable($answer, 'the pool starts without its database, and answers 503');
cmp_ok($answer->{seconds}, '<', 1, 'at once');
unavailable($admin->get('/user/currentUser'), 'and so for administrators');
$cluster->start;
eventually(sub { poll_status() eq '404' }, 'when the database is there it recovers by itself');
answers($admin->get('/user/currentUser'), 200, 'for administrators too');

# Restarted under load -------------------------------------------------------

pipe my $from, my $to or die "pipe: $!\n";
my $load = fork // die "fork: $!\n";
if ($load == 0) {
	my %seen;
	# not by a signal, which would cut a read short
	until (-e "$site->{dir}/enough") {
		for my $answer ($device->parallel(($device->poll_bytes($pending)) x 8)) {
			$seen{ $answer->{whole} ? $answer->status : 'broken' }++;
			$seen{slow}++ if $answer->{seconds} > 5;
		}
	}
	print {$to} join(' ', map { "$_=$seen{$_}" } sort keys %seen), "\n";
	close $to;
	POSIX::_exit(0);
}
close $to;
for my $round (1 .. 2) {
	$cluster->stop;
	Devcred::Shell::until_true(sub { poll_status() eq '503' });
	$cluster->start;
	eventually(sub { poll_status() eq '404' }, 'it recovers from a restart under load');
}
Devcred::Shell::write_file("$site->{dir}/enough", '');
my $seen = readline $from;
waitpid $load, 0;
my %seen = map { split /=/ } split ' ', $seen;
ok($seen{404}, 'polls were answered during that');
is(join(' ', grep { !/\A(?:404|503)\z/ } sort keys %seen), '',
	'none with 500, none broken, none later than 5 s') or diag($seen);

# Backends that are ended, and one that stops --------------------------------

my $dbh = $cluster->connect('postgres');
my $service = "from pg_stat_activity where usename = 'devcred_service'";
$dbh->selectall_arrayref("select pg_terminate_backend(pid) $service");
ok((grep { $_ eq '404' } map { poll_status() } 1 .. 3),
	'backends that were ended are replaced');
eventually(sub { poll_status() eq '404' }, 'and all is well');

my @backends = map { $_->[0] } @{ $dbh->selectall_arrayref("select pid $service") };
kill 'STOP', @backends;
my $start = time;
my @answers = $device->parallel(($device->poll_bytes($pending)) x 6);
cmp_ok(time - $start, '<', 5, 'a backend that stopped holds nobody for 5 s');
is((grep { $_->{whole} && $_->status =~ /\A(?:404|503)\z/ } @answers), 6,
	'each is answered 404 or 503') or diag(map { $_->told } @answers);
eventually(sub { poll_status() eq '404' },
	'afterwards polls are served, while the backends still stand');
kill 'CONT', @backends;
eventually(sub { poll_status() eq '404' }, 'and when they go on');

# The service's schema -------------------------------------------------------

my $empty = 'empty_' . $$;
$dbh->do("create database $empty");
my $wrong = Devcred::Site->new(cluster => $cluster, database => $empty, web => 'nginx');
unavailable($wrong->client('t1/admin')->get('/user/currentUser'),
	'a database that was never migrated is answered 503');
like($wrong->service_log, qr/migrate/, 'and the log says what to do');
$wrong->stop;

done_testing();
