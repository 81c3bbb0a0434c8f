#!/usr/bin/perl
# Fifty polls for one accepted device at the same moment, at two installations, for
# many devices: each is issued one password, and every answer 201 has the same
# bytes.
#
# Environment: DEVCRED_SAME_DEVICES (how many).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Test;
use Devcred::Checker qw(none rows_of);
use Devcred::History;
use Devcred::Line;
use Devcred::Pair;

my $DEVICES = $ENV{DEVCRED_SAME_DEVICES} // Devcred::Shell::short_or_long(40, 200);
my $AT_ONCE = 50;

# nobody is to be told that it takes too long, however busy the machine is
my %conf = (workers => 2, delivery_window => 600, db_timeout => 10_000);
my $pair = Devcred::Pair->new(cluster => Devcred::Cluster->new,
	conf => { %conf, delivery_limit => $AT_ONCE });
my @sites = $pair->sites;
my @lines = map { Devcred::Line->new($sites[$_ % 2]{port}) } 1 .. $AT_ONCE;
my $history = Devcred::History->new;
my $dbh = $sites[0]->dbh;

# The body without what tells where it was asked.
sub body_of { return $_[0]->body =~ s{//127\.0\.0\.1:\d+/}{//HOST/}r }

# Poll for each of these devices at once on all lines: { device => [answer...] }.
sub polled {
	my (@ids) = @_;
	my %answers;
	for my $id (@ids) {
		$history->ask($lines[0], $_, $id) for qw(register poll accept);
		my $begin = time;
		$_->send(Devcred::History::bytes('poll', $_, $id)) for @lines;
		for my $line (@lines) {
			my $answer = $line->receive;
			$history->note($begin, 'poll', $id, $answer);
			push @{ $answers{$id} }, $answer;
		}
	}
	return \%answers;
}

my @ids = map { "same-$_" } 1 .. $DEVICES;
my $answers = polled(@ids);
none("$AT_ONCE polls at once for each of $DEVICES devices are all answered 201",
	map { my $id = $_; map { "$id: " . $_->status . " " . $_->body } grep { $_->status != 201 } @{ $answers->{$id} } }
	@ids);
none('with the same bytes', grep {
	my %body = map { body_of($_) => 1 } @{ $answers->{$_} };
	keys %body != 1
} @ids);
none('each of which is a delivery', map { $_->{device_id} } rows_of($dbh, 'select device_id
	from devcred.device_credential where deliveries <> ?', $AT_ONCE));

# More than may be: so many get it, and the others are told that there is nothing.
my $LIMIT = 10;
for my $site (@sites) {
	$site->configure(%conf, key_file => $pair->{key_file}, delivery_limit => $LIMIT);
	$site->stop_service;
	$site->start_service;
}
$_->drop for @lines;
my @few = map { "few-$_" } 1 .. $DEVICES / 10;
$answers = polled(@few);
none("with delivery_limit = $LIMIT, $LIMIT of $AT_ONCE are answered 201 and the others 404", grep {
	my %seen;
	$seen{ $_->status }++ for @{ $answers->{$_} };
	($seen{201} // 0) != $LIMIT || ($seen{404} // 0) != $AT_ONCE - $LIMIT
} @few);
none('201 with the same bytes', grep {
	my %body = map { body_of($_) => 1 } grep { $_->status == 201 } @{ $answers->{$_} };
	keys %body != 1
} @few);

my $checker = Devcred::Checker->of_history(history => $history, dbh => $dbh);
$checker->answered(qr/\A404\z/);
$checker->invariants;
$checker->no_secret_in_logs(@sites);
is((rows_of($dbh, "select count(*) as n from devcred.event where operation = 'credential_issue'"))[0]{n},
	@ids + @few, 'the audit has one issue a device');

done_testing();
