#!/usr/bin/perl
# The checker that the other tests of this suite end with finds what it is there to
# find: a true history passes, and with each lie in it, or in the database, it does
# not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Checker;
use Devcred::History;
use Devcred::Line;
use Devcred::Pair;

my $pair = Devcred::Pair->new(webs => ['nginx'], conf => { delivery_window => 60 });
my ($site) = $pair->sites;
my $line = Devcred::Line->new($site->{port});
my $history = Devcred::History->new;
my $dbh = $site->dbh;
for my $id ('a', 'b') {
	$history->ask($line, $_, $id) for qw(register poll accept poll poll);
}
$history->ask($line, $_, 'c') for qw(register poll block lift delete);
my @entries = $history->entries;
is(join(' ', map { $_->{status} } @entries),
	'201 404 200 201 201 201 404 200 201 201 201 404 200 200 200', 'all of it was done');

# What the checker finds wrong with this history: numbers of its sentences.
my %number = (
	'no operation got an answer that it should not' => 'odd',
	'what was acknowledged was done between question and answer, once each' => 'missing',
	'and nothing was done that nobody asked for' => 'extra',
	'at most one credential was issued for a registration' => 'twice',
	'and only after that registration was accepted' => 'unasked',
	'each decision in the audit starts where the one before it ended' => 'broken',
	'and requests are where the last one left them' => 'elsewhere',
	'every generation of a password is an issue in the audit, and no other' => 'generation',
	'no device has two passwords that work, and each has one' => 'passwords',
);
sub found {
	my ($checker) = @_;
	my @found;
	no warnings 'redefine';
	local *Devcred::Checker::none = sub {
		my ($name, @wrong) = @_;
		push @found, $number{$name} // $name if @wrong;
		return;
	};
	$checker->answered(qr/\A404\z/);
	$checker->invariants;
	return join ' ', @found;
}
sub checker { return Devcred::Checker->of_history(history => $history, dbh => $dbh) }
is(found(checker()), '', 'and nothing is wrong');

# Lies of the clients -----------------------------------------------------------------

sub lie {
	my ($name, $expected, $tell) = @_;
	my $checker = checker();
	$tell->($checker->{entries}, $checker);
	is(found($checker), $expected, "$name: $expected");
	return;
}
lie('an acceptance twice acknowledged', 'missing', sub { push @{ $_[0] }, { %{ $_[0][2] } } });
lie('a deletion acknowledged before it was done', 'missing extra', sub { $_[0][-1]{end} = $_[0][-1]{begin} });
lie('an issue that nobody was told of', 'extra', sub { splice @{ $_[0] }, 3, 1 });
lie('an answer 500', 'odd', sub { $_[0][1]{status} = 500 });
lie('a lost answer to what was done', '', sub { $_[0][3]{status} = 0 });
lie('another password told', 'passwords', sub { $_[1]{password}{a} = { wrong => 1 } });

# Lies of the database ----------------------------------------------------------------

sub spoil {
	my ($name, $expected, @sql) = @_;
	$dbh->begin_work;
	# as if it kept no rules
	$dbh->do('set local session_replication_role = replica');
	$dbh->do($_) for @sql;
	is(found(checker()), $expected, "$name: $expected");
	$dbh->rollback;
	return;
}
my $copy = "insert into devcred.event (tenant, registration, device_id, operation, outcome, actor,
	status_before, status_after) select tenant, registration, device_id, operation, outcome, actor,
	status_before, status_after from devcred.event where device_id";
spoil('an issue twice in the audit', 'extra twice broken generation',
	"$copy = 'a' and operation = 'credential_issue'");
spoil('no acceptance in the audit', 'missing unasked broken',
	"delete from devcred.event where device_id = 'a' and operation = 'newdevice_accept'");
spoil('a request that nobody registered', 'elsewhere', "insert into devcred.newdevice_request
	(id, tenant, owner) values ('d', 't1', 't1/admin')");
spoil('a credential that is gone', 'generation passwords',
	"delete from devcred.device_credential where device_id = 'a'");
spoil('a password that was replaced', 'passwords',
	"update devcred.device_credential set password_hash = sha256('x') where device_id = 'a'");

# Passwords in a file -----------------------------------------------------------------

my ($password) = keys %{ checker()->{password}{a} };
for my $case (['as it is', $password], ['in hexadecimal', unpack 'H*', $password],
    ['as a client sends it', Devcred::Http::basic("t1/device_a:$password")]) {
	my ($name, $text) = @$case;
	Devcred::Shell::write_file("$site->{dir}/leak", "so: $text.\n");
	is(join(' ', checker()->betrayed("$site->{dir}/leak", $site->conf_path)),
		"$site->{dir}/leak", "a password is found $name");
}

done_testing();
