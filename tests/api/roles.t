#!/usr/bin/perl
# Who may do what: every endpoint, every role; and that another tenant's
# request is answered exactly as one that is not there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $requests = $Devcred::Http::REQUESTS;
my $t1 = $site->client('t1/admin');

# A device's own login.
my $issued = issued($t1);
my $device = $t1->as(join '', 't1/', $issued->field('username'), ':',
	$issued->field('password'));
my %who = (
	admin => $t1, operator => $site->client('t1/operator'),
	reader => $site->client('t1/reader'), users => $site->client('t1/users'),
	bootstrap => $site->client('t1/bootstrap'), device => $device,
	nobody => $site->client,
);

# Endpoint => what to ask of it, and who is answered what; "nobody" is 401.
my %endpoint = (
	'create' => [sub { $_[0]->register(device_id()) },
		{ admin => 201, operator => 201 }],
	'list' => [sub { $_[0]->get("$requests?pageSize=1") },
		{ admin => 200, operator => 200, reader => 200 }],
	'get' => [sub { $_[0]->look(registered($t1)) },
		{ admin => 200, operator => 200, reader => 200 }],
	'accept' => [sub { $_[0]->accept_device(pending($t1)) },
		{ admin => 200, operator => 200, reader => 200 }],
	'delete' => [sub { $_[0]->remove(registered($t1)) },
		{ admin => 200, operator => 200 }],
	'limit' => [sub { $_[0]->get("$requests/limit") },
		{ admin => 200, operator => 200, reader => 200 }],
	'register many' => [sub {
			$_[0]->request(POST => '/devicecontrol/bulkNewDeviceRequests',
				type => 'multipart/form-data; boundary=x', accept => '*/*',
				body => "--x\r\nContent-Disposition: form-data; name=file"
				    . "\r\n\r\nID\n" . device_id() . "\r\n--x--\r\n")
		}, { admin => 201, operator => 201 }],
	'ask for credentials' => [sub { $_[0]->poll(accepted($t1)) },
		{ bootstrap => 201 }],
	'current tenant' => [sub { $_[0]->get('/tenant/currentTenant') },
		{ map { $_ => 200 } grep { $_ ne 'nobody' } keys %who }],
	'current user' => [sub { $_[0]->get('/user/currentUser') },
		{ map { $_ => 200 } grep { $_ ne 'nobody' } keys %who }],
	'tenant option' => [sub {
			$_[0]->get('/tenant/options/device-registration/security-token.policy')
		}, { map { $_ => 200 } grep { $_ ne 'nobody' } keys %who }],
);
for my $what (sort keys %endpoint) {
	my ($ask, $may) = @{ $endpoint{$what} };
	for my $role (sort keys %who) {
		my $answer = $ask->($who{$role});
		if ($may->{$role}) {
			answers($answer, $may->{$role}, "$role may $what");
		} elsif ($role eq 'nobody') {
			refuses($answer, 401, 'security/Unauthorized', undef,
				"without a login: $what");
		} else {
			refuses($answer, 403, 'security/Forbidden', undef,
				"$role may not $what");
		}
	}
}

# Another tenant ---------------------------------------------------------------------

# What an answer tells, but for the id that was asked for.
sub told {
	my ($answer, $id) = @_;
	(my $text = join "\n", $answer->status, $answer->type, $answer->body) =~ s/\Q$id\E/ID/g;
	return $text;
}

my $t2 = $site->client('t2/admin');
my %act = (
	get => sub { $_[0]->look($_[1]) }, delete => sub { $_[0]->remove($_[1]) },
	(map { my $status = $_; ("set to $status" => sub { $_[0]->update($_[1], $status) }) }
		qw(ACCEPTED BLOCKED PENDING_ACCEPTANCE WAITING_FOR_CONNECTION)),
);
for my $what (sort keys %act) {
	my ($theirs, $none) = (pending($t1), device_id('none'));
	my $answer = $act{$what}->($t2, $theirs);
	is(told($answer, $theirs), told($act{$what}->($t2, $none), $none),
		"$what: another tenant's request is as one that is not there")
	    or diag($answer->told);
	is($t1->look($theirs)->field('status'), 'PENDING_ACCEPTANCE', 'and stays as it is');
	isnt($act{$what}->($site->client('management/admin'), $theirs)->status, 404,
		'the management tenant reaches it');
}
my $theirs = registered($t1);
my $list = $t2->get("$requests?pageSize=2000&q=$theirs");
is_deeply($list->field('newDeviceRequests'), [], "nor does a list show another tenant's");
is(scalar(grep { $_->{id} eq $theirs } @{ $site->client('management/admin')
	->get("$requests?pageSize=2000&q=$theirs")->field('newDeviceRequests') }), 1,
	"the management tenant's does");
my $bootstrap2 = $site->client('t2/bootstrap');
my $none = device_id('none');
is(told($bootstrap2->poll($theirs), $theirs), told($bootstrap2->poll($none), $none),
	"nor does another tenant's bootstrap user learn of it");

done_testing();
