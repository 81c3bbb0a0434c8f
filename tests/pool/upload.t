#!/usr/bin/perl
# Uploads run in processes of their own: they hold up nobody, outlive a
# reload, and whatever ends them half-way, the pool goes on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Fcgi;

my $cluster = Devcred::Cluster->new;
my $site = Devcred::Site->new(cluster => $cluster, web => 'none',
	conf => { workers => 1, body_timeout => 2000 });
my $path = $site->socket_path;
my $login = Devcred::Site::login('t1/admin');
my $db = $site->dbh;
my @worker;
eventually(sub { (@worker = Devcred::Site::children($site->service_pid)) == 1 },
	'one worker runs');

my $HEAD = "--x\r\nContent-Disposition: form-data; name=file\r\n\r\n";
my $TAIL = "\r\n--x--\r\n";
my $URI = '/devicecontrol/bulkNewDeviceRequests';

# The beginning of an upload; returns its connection.
sub begin {
	my (%arg) = @_;
	my $socket = Devcred::Fcgi::connect($path);
	my %variable = (Devcred::Fcgi::variables('POST', $URI,
		login => $arg{login} // $login),
		CONTENT_TYPE => 'multipart/form-data; boundary=x');
	Devcred::Fcgi::send_all($socket, Devcred::Fcgi::begin(1, keep => $arg{keep})
		. Devcred::Fcgi::record('params', 1, Devcred::Fcgi::pairs(%variable))
		. Devcred::Fcgi::record('params', 1, ''));
	more($socket, $HEAD . "ID\n");
	return $socket;
}

# A piece of it; '' is the end.
sub more {
	my ($socket, $text) = @_;
	return Devcred::Fcgi::send_all($socket, join '',
		map { Devcred::Fcgi::record('stdin', 1, $_) }
		length $text ? $text =~ /.{1,60000}/gs : '');
}

sub finish {
	my ($socket) = @_;
	more($socket, $TAIL);
	more($socket, '');
	return Devcred::Fcgi::answer($socket);
}

# The upload processes of the worker, by their name.
sub uploads {
	return grep {
		(eval { Devcred::Shell::read_file("/proc/$_/comm") } // '')
		    eq "devcred-upload\n"
	} Devcred::Site::children($_[0] // $worker[0]);
}

sub ask {
	my $socket = Devcred::Fcgi::connect($path);
	Devcred::Fcgi::send_all($socket, Devcred::Fcgi::request('GET',
		'/user/currentUser', login => $login));
	return Devcred::Fcgi::answer($socket)->{status};
}

# While one is under way ------------------------------------------------------------

my $stem = device_id();
my $slow = begin(keep => 1);
more($slow, "$stem-$_\n") for 1 .. 3;
eventually(sub { uploads() == 1 }, 'an upload has a process of its own');
is(ask(), 200, 'others are answered meanwhile');
my $answer = finish($slow);
is($answer->{status}, 201, 'what comes in small pieces is taken');
like($answer->{body}, qr/"numberOfCreated":3,/, 'all of it');
eventually(sub { uploads() == 0 }, 'the process has ended');
Devcred::Fcgi::send_all($slow, Devcred::Fcgi::request('GET', '/user/currentUser',
	login => $login));
is(Devcred::Fcgi::answer($slow)->{status}, 200, 'the connection serves the next request');

my @several = map { begin() } 1 .. 4;
eventually(sub { uploads() == 4 }, 'four may run at a time');
my $fifth = begin();
$answer = finish($fifth);
is($answer->{status}, 503, 'the fifth is asked to come again');
like($answer->{head}, qr/^Retry-After: \d/m, 'and told when');
is(ask(), 200, 'others are still answered');
is(finish($_)->{status}, 201, 'each of the four comes to its end') for @several;

# Half-way -------------------------------------------------------------------------

my $stopped = begin();
eventually(sub { uploads() == 1 }, 'an upload begins');
is(Devcred::Fcgi::answer($stopped, timeout => 10)->{status}, 408,
	'one that brings nothing for a while is given up');
my $gone = begin();
eventually(sub { uploads() == 1 }, 'an upload begins');
close $gone;
eventually(sub { uploads() == 0 }, 'and ends when its connection is closed');

my $killed = begin();
more($killed, join '', map { "$stem-k$_\n" } 1 .. 20_000);
eventually(sub { $db->selectrow_array(
	'select exists (select from devcred.newdevice_request where id = ?)', undef,
	"$stem-k1") }, 'a first batch is in the database');
kill KILL => uploads();
ok(!Devcred::Fcgi::answer($killed)->{whole}, 'an upload that is killed is not answered');
is(ask(), 200, 'the worker lives');
is_deeply([Devcred::Site::children($site->service_pid)], \@worker, 'it is the same one');
my $again = begin();
more($again, join '', map { "$stem-k$_\n" } 1 .. 20_000);
$answer = finish($again);
my ($made, $failed) = $answer->{body} =~ /"numberOfCreated":(\d+),"numberOfFailed":(\d+)/;
is($made + $failed, 20_000, 'sent again, every line is answered');
ok($failed >= 5000 && $made > 0, 'some were there, some were not')
    or diag(substr $answer->{body}, 0, 300);
is($db->selectrow_array('select count(*) from devcred.newdevice_request where id ^@ ?', undef,
	"$stem-k"), 20_000, 'and all are there now');

# The database ----------------------------------------------------------------------

my $lost = begin();
more($lost, join '', map { "$stem-d$_\n" } 1 .. 12_000);
eventually(sub { $db->selectrow_array(
	'select exists (select from devcred.newdevice_request where id = ?)', undef,
	"$stem-d1") }, 'a batch is in the database');
$db->disconnect;
$cluster->stop;
$answer = finish($lost);
is($answer->{status}, 503, 'without the database the rest is refused');
like($answer->{body}, qr/[1-9]\d* have been taken in; the file may be sent again/,
	'and it is said how much was done');
$cluster->start;
eventually(sub { ask() == 200 }, 'the database is back');
$db = $site->dbh;

# A reload --------------------------------------------------------------------------

my $long = begin();
more($long, "$stem-r1\n");
eventually(sub { uploads() == 1 }, 'an upload is under way');
kill HUP => $site->service_pid;
eventually(sub { my @now = Devcred::Site::children($site->service_pid);
	@now > 1 && grep { $_ != $worker[0] } @now }, 'the pool is reloaded');
more($long, "$stem-r2\n");
$answer = finish($long);
is($answer->{status}, 201, 'the upload comes to its end');
like($answer->{body}, qr/"numberOfCreated":2,/, 'with what came before and after');
eventually(sub { my @now = Devcred::Site::children($site->service_pid);
	@now == 1 && $now[0] != $worker[0] }, 'then the old worker goes');

my ($worker) = Devcred::Site::children($site->service_pid);
my $last = begin();
eventually(sub { uploads($worker) == 1 }, 'another upload is under way');
my ($process) = uploads($worker);
kill TERM => $site->service_pid;
eventually(sub { $site->service_log =~ /info stopping/ }, 'the pool is stopped');
more($last, "$stem-s1\n");
is(finish($last)->{status}, 201, 'an upload that has begun is finished all the same');
eventually(sub { !-d "/proc/$process" }, 'nothing is left');

done_testing;
