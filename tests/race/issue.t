#!/usr/bin/perl
# Many clients at once, over HTTP: of everything there is only one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $COUNT = 50;

# Two complete installations on one database.
my $site = Devcred::Site->new;
my $twin = Devcred::Site->new(database => $site->{database});
my $admin = $site->client('t1/admin');
my $dbh = $site->dbh;

# Send requests in turn to these sites, all before the first answer is read.
# made: what makes the bytes, given a client.
sub at_once {
	my ($user, $sites, $made) = @_;
	my @client = map { $_->client($user) } @$sites;
	my (@socket, @bytes);

	for my $n (0 .. $COUNT - 1) {
		my $client = $client[$n % @client];
		push @socket, $client->connect;
		push @bytes, $made->($client, $n);
	}
	Devcred::Http::send_all($socket[$_], $bytes[$_]) for 0 .. $#socket;
	return map {
		my $answer = Devcred::Answer->read($socket[$_],
			timeout => $Devcred::Http::TIMEOUT);
		$answer->{request} = $bytes[$_];
		$answer
	} 0 .. $#socket;
}

# The answers have these statuses; returns those with the first one.
sub shared_out {
	my ($answers, $won, $lost, $name) = @_;
	my @won = grep { $_->status == $won && $_->{whole} } @$answers;
	my @lost = grep { $_->status == $lost && $_->{whole} } @$answers;
	my %is = map { $_ => 1 } @won, @lost;

	ok(@won == 1 && @lost == $COUNT - 1, $name)
	    or diag(scalar(@won), " times $won and ", scalar(@lost), " times $lost\n",
		map { $_->told } grep { !$is{$_} } @$answers);
	return @won;
}
sub count {
	my ($from, $id) = @_;
	return ($dbh->selectrow_array("select count(*) from $from = ?", undef, $id))[0];
}
sub put_bytes {
	my ($client, $id, $status) = @_;
	return $client->bytes('PUT', Devcred::Http::path_of($id),
		type => 'newDeviceRequest', accept => 'newDeviceRequest',
		body => Devcred::Http::to_json(status => $status));
}

for my $case (['one installation', $site], ['two installations', $site, $twin]) {
	my ($where, @sites) = @$case;

	# polls of an accepted device
	my $id = accepted($admin);
	my @answers = at_once('management/devicebootstrap', \@sites,
		sub { $_[0]->poll_bytes($id) });
	my ($issued) = shared_out(\@answers, 201, 404,
		"$COUNT polls at $where for one accepted device: one gets credentials");
	is(count('devcred.device_credential where device_id', $id), 1, 'which are one row');
	is(count("devcred.event where operation = 'credential_issue' and device_id", $id), 1,
		'and one event');
	my $login = join ':', map { $issued ? $issued->field($_) // '' : '' }
	    qw(username password);
	for my $door (@sites) {
		my $as = $door->client('t1/admin')->as("t1/$login");
		is($as->get('/user/currentUser')->status, 200, 'the password logs in');
		is($as->as("t1/$login.")->get('/user/currentUser')->status, 401,
			'and no other does');
	}
	is((grep { ($_->field('password') // '') ne '' } @answers), 1,
		'nobody else got a password');

	# first polls of a device
	$id = registered($admin);
	@answers = at_once('management/devicebootstrap', \@sites,
		sub { $_[0]->poll_bytes($id) });
	is((grep { $_->status == 404 } @answers), $COUNT,
		"$COUNT first polls at $where are all told to come again");
	is(count("devcred.event where operation = 'newdevice_claim' and device_id", $id), 1,
		'and one of them is the claim');

	# acceptances
	@answers = at_once('t1/admin', \@sites, sub { put_bytes($_[0], $id, 'ACCEPTED') });
	shared_out(\@answers, 200, 422, "$COUNT acceptances at $where: one is done");
	is(count("devcred.event where operation = 'newdevice_accept' and outcome = 'ok'
		and device_id", $id), 1, 'and one event says so');
	is(count("devcred.event where operation = 'newdevice_accept'
		and outcome = 'wrong_state' and device_id", $id), $COUNT - 1,
		'and the others were refused for the state');

	# registrations
	$id = device_id();
	@answers = at_once('t1/admin', \@sites, sub {
		$_[0]->bytes('POST', $Devcred::Http::REQUESTS, type => 'newDeviceRequest',
			accept => 'newDeviceRequest',
			body => Devcred::Http::to_json(id => $id, type => "type $_[1]"));
	});
	my ($made) = shared_out(\@answers, 201, 422,
		"$COUNT registrations of one id at $where: one is made");
	is($made && $made->field('type'), $admin->look($id)->field('type') // 'none',
		'and it is that one');

	# deletions
	@answers = at_once('t1/admin', \@sites,
		sub { $_[0]->bytes('DELETE', Devcred::Http::path_of($id)) });
	shared_out(\@answers, 200, 404, "$COUNT deletions at $where: one is done");
}

# Acceptances, deletions and polls in any order: every device ends in one way.
my @ids = map { pending($admin) } 1 .. 10;
my @answers = at_once('management/admin', [$site, $twin], sub {
	my ($client, $n) = @_;
	my $id = $ids[$n % @ids];
	my $as = as_bootstrap($client);
	return put_bytes($client, $id, 'ACCEPTED') if $n < 10;
	return $client->bytes('DELETE', Devcred::Http::path_of($id)) if $n % 3 == 0;
	return $as->poll_bytes($id);
});
is((grep { $_->status >= 500 || !$_->{whole} } @answers), 0,
	'acceptances, deletions and polls at once fail nowhere')
    or diag(map { $_->told } grep { $_->status >= 500 || !$_->{whole} } @answers);
for my $id (@ids) {
	my $got = grep { $_->status == 201 && ($_->field('id') // '') eq $id } @answers;
	is(count('devcred.device_credential where device_id', $id), $got,
		'a device has a credential if it was told one');
}

done_testing;
