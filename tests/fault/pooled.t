#!/usr/bin/perl
# Two installations behind one web server, and PgBouncer in transaction mode before
# their database: the whole suite of the API passes, and no statement is missed or
# met where it should not be.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use TAP::Parser;
use Devcred::Test;
use Devcred::Checker;
use Devcred::Pair;
use Devcred::Pooler;

my $cluster = Devcred::Cluster->new;
my $database = $cluster->database;
my $pooler = Devcred::Pooler->new($cluster, $database, 8);
my @sites = map { Devcred::Pair::another($cluster, $database, 'nginx', workers => 2,
	db_prepare => 'off', app_database => $pooler->conninfo) } 1, 2;
my ($site, $twin) = @sites;
$_->start_service for @sites;
{
	# requests go to either, in turn
	my $two = $twin->socket_path;
	local $ENV{PRIVATE_WEB_EDIT} = "s|^\\(\\tserver unix:\\)\\([^ ]*\\)\\(.*\\)|"
	    . "\\1\\2\\3\\n\\1$two\\3|";
	$site->start_web;
}
like(Devcred::Shell::read_file("$site->{dir}/web/server.conf"),
	qr/server unix:\Q$site->{dir}\E.*\n\s*server unix:\Q$twin->{dir}\E/,
	'the web server has two to go to');

local @ENV{qw(DEVCRED_WEB DEVCRED_TEST_SITE DEVCRED_TEST_CLUSTER)} =
    ('nginx', "$site->{dir} $site->{port} $database", $cluster->{dir});
my $asserted = 0;
my @programs = sort glob "$FindBin::Bin/../api/*.t";
my %running;               # pid => program
my $JOBS = 2;              # as tests/run has it

# Run a program of the suite with its output in a file.
sub begin {
	my ($program) = @_;
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDOUT, '>', "$site->{dir}/" . basename($program) . '.out';
		open STDERR, '>&', \*STDOUT;
		exec $^X, $program or POSIX::_exit(127);
	}
	$running{$pid} = $program;
	return;
}
sub basename { return $_[0] =~ s{.*/}{}r }

sub finish {
	my $pid = wait;
	my ($program, $failed) = (delete $running{$pid}, $?);
	my $name = basename($program);
	my $text = Devcred::Shell::read_file("$site->{dir}/$name.out");
	my $parser = TAP::Parser->new({ tap => $text });
	$parser->run;
	$asserted += $parser->passed;
	ok(!$failed && $parser->is_good_plan && !$parser->failed, "through the pooler: api/$name")
	    or diag($text =~ s/^ok .*\n//mgr);
	return;
}
while (@programs || %running) {
	begin(shift @programs) while @programs && keys %running < $JOBS;
	finish();
}
diag("$asserted assertions of the API");
cmp_ok($asserted, '>', 500, 'which is the whole suite');

unlike($_->service_log, qr/26000|42P05|prepared statement/, 'no statement was missed, or met twice')
    for @sites;
unlike(join('', $cluster->log), qr/prepared statement/, 'says the database, too');
unlike($pooler->log, qr/ERROR|FATAL/, 'and the pooler has no error');
my $dbh = $cluster->connect($database);
cmp_ok($dbh->selectrow_array("select count(*) from pg_stat_activity where usename = 'devcred_service'"),
	'<=', 8, 'all of it on eight connections');
# what a test put there by hand was not issued
$dbh->do("delete from devcred.device_credential where accepted_by = 'x'");
Devcred::Checker->of_database(dbh => $dbh)->invariants;

done_testing();
