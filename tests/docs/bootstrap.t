#!/usr/bin/perl
# Every failure that doc/bootstrap.md lists is provoked as it says, and the
# service's words are those of the page.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Pair;

my $cluster = Devcred::Cluster->shared;
my $database = $cluster->database;
my $CREDENTIALS = $Devcred::Http::CREDENTIALS;
my $site = Devcred::Site->new(web => 'nginx', database => $database, start => 0);
Devcred::Shell::private('private_prepare', $site->{dir});
Devcred::Pair::write_keys("$site->{dir}/shared-keys", 'k1');
$site->configure(trusted_proxy => '127.0.0.1', key_file => "$site->{dir}/shared-keys");
$site->start_service;
$site->start_web;
my $silent = Devcred::Site->new(web => 'lighttpd', database => $database,
	conf => { poll_detail => 'off' });
my $stripping = do {
	local $ENV{PRIVATE_WEB_EDIT} = 's/CGIPassAuth On//';
	Devcred::Site->new(web => 'apache', database => $database);
};
my $lonely = Devcred::Site->new(web => 'lighttpd', database => $database,
	conf => { app_database => "host=$site->{dir}/none dbname=devcred" });
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $nobody = $site->client;
my $dbh = $site->dbh;
my $password = Devcred::Cluster::password('management/devicebootstrap');

# All that follows leads to an answer; $id is the device of a row.
my $id;

sub who { return $nobody->as($_[0])->get('/user/currentUser') }
sub asked { return $nobody->request('POST', $CREDENTIALS, type => 'application/json',
	accept => 'application/json', body => qq({"id":"$id"}), headers => [@_]) }
sub basic { return 'Authorization: ' . Devcred::Http::basic($_[0]) }
sub state_of { registered($admin, id => $id); $device->poll($id); return }
sub decide { $admin->update($id, @_); return }
sub token { return { securityToken => $_[0] } }

# A login of the device, which it has used.
sub used_login {
	my $answer = issued($admin, id => $id);
	my $login = join ':', 't1/' . $answer->field('username'), $answer->field('password');
	answers(who($login), 200, 'a device has used its login');
	return $login;
}

# Rows of the page: words of the cause, and what leads to it.
my @provoke = (
	[qr/no `Authorization: Basic`/, sub { asked() }],
	[qr/not base64/, sub { asked('Authorization: Basic management/devicebootstrap:x') }],
	[qr/web server keeps it/, sub { as_bootstrap($stripping->client)->poll($id) }],
	[qr/password is wrong/, sub { asked(basic("management/devicebootstrap:$password\n")) }],
	[qr/nobody made that user/, sub { asked(basic("management/none:$password")) }],
	[qr/`management\/` is missing/, sub { asked(basic("devicebootstrap:$password")) }],
	[qr/user is disabled/, sub { asked(basic(Devcred::Site::login('t1/gone'))) }],
	[qr/device's own login/, sub {
		my $login = used_login();
		$site->ctl('', 'credential', 'disable', $id);
		who($login) }],
	[qr/somebody at your address/, sub {
		(map { asked(basic("management/guessed:$_")) } 1 .. 11)[-1] }],
	[qr/two logins/, sub { asked('Authorization: Basic eDp5, Basic eDp5') }],
	[qr/plain HTTP/, sub { $device->poll($id, headers => ['X-Forwarded-For: 192.0.2.1']) }],
	[qr/administrator asked/, sub { $admin->poll($id) }],
	[qr/tried to register/, sub { $device->register($id) }],
	[qr/asked with that/, sub { asked(basic(used_login())) }],
	[qr/nobody has registered/, sub { $device->poll($id) }],
	[qr/another tenant than/, sub { registered($admin, id => $id);
		$site->client('t2/bootstrap')->poll($id) }],
	[qr/issued already/, sub { used_login(); $device->poll($id) }],
	[qr/withdrawn/, sub { state_of(); $admin->remove($id); $device->poll($id) }],
	[qr/waits for you/, sub { state_of(); $device->poll($id) }],
	[qr/somebody blocked/, sub { state_of(); decide('BLOCKED'); $device->poll($id) }],
	[qr/policy is REQUIRED/, sub {
		$site->ctl('', 'tenant', 'set', 't1', '--token-policy', 'REQUIRED');
		state_of();
		decide('ACCEPTED');
		$site->ctl('', 'tenant', 'set', 't1', '--token-policy', 'OPTIONAL');
		$device->poll($id) }],
	[qr/changed its token/, sub { accepted($admin, id => $id, token => 'a');
		$device->poll($id, with => token('b')) }],
	[qr/time and again/, sub { accepted($admin, id => $id, token => 'a');
		$device->poll($id, with => token("b$_")) for 1 .. 10;
		$device->poll($id, with => token('a')) }],
	[qr/poll_detail = off/, sub { state_of(); as_bootstrap($silent->client)->poll($id) }],
	[qr/path is wrong/, sub { $device->request('POST', '/devicecontrol/devicecredentials',
		type => 'application/json', body => '{}') }],
	[qr/GET for credentials/, sub { $device->get($CREDENTIALS) }],
	[qr/`Accept` wants/, sub { $device->poll($id, accept => 'text/html') }],
	[qr/says it is a form/, sub { $device->poll($id, type => 'application/x-www-form-urlencoded') }],
	[qr/single quotes/, sub { $device->poll($id, body => "{'id':'$id'}") }],
	[qr/no `id`/, sub { $device->poll($id, body => '{}') }],
	[qr/as a number/, sub { $device->poll($id, body => '{"id":1234}') }],
	[qr/database is away/, sub { as_bootstrap($lonely->client)->poll($id) }],
	[qr/devcred is not/, sub {
		$site->stop_service;
		my $answer = $device->poll($id);
		$site->start_service;
		$answer }],
	[qr/before the device asked/, sub { registered($admin, id => $id);
		$admin->accept_device($id) }],
	[qr/registered it, maybe/, sub { registered($admin, id => $id);
		$site->client('t2/admin')->register($id) }],
	[qr/you gave none/, sub { pending($admin, id => $id, token => 'a');
		$admin->accept_device($id) }],
);

my @row = Devcred::Shell::read_file("$Devcred::Shell::TOP/doc/bootstrap.md")
    =~ /^(\| `\d{3} .*)$/mg;
is(scalar @row, scalar @provoke, 'the page has a row for everything that is provoked')
    or BAIL_OUT('rows and what provokes them do not fit');
for my $row (@row) {
	my ($says, $cause) = $row =~ /\A\| `(.*?)` \| (.*?) \| .+ \|\z/;
	my ($words, $answer_of) = @{ shift @provoke };
	like($cause, $words, 'the next row') or next;
	$id = device_id('row');
	my $answer = $answer_of->();
	my $told = $answer->body =~ /<html/i ? '(a page of HTML)'
	    : $answer->field('message') =~ s/\Q$id\E/1234/gr;
	is($answer->status . " $told", $says, $cause) or diag($answer->told);
}
for my $case (['401', $nobody->as('management/devicebootstrap:wrong')], ['404', $device]) {
	my ($status, $who) = @$case;
	is($who->request('POST', '/s', body => '61,' . device_id())->body, "50,1,$status",
		"SmartREST is told $status in its way");
}

# The bootstrap login in the field is changed for another ----------------------

my ($status, $new) = $site->ctl('', qw(user add management/devicebootstrap-2
	--role BOOTSTRAP --generate));
is($status, 0, 'there is a second bootstrap user');
my $second = $nobody->as("management/devicebootstrap-2:$new" =~ s/\n\z//r);
$id = pending($admin);
answers($second->poll($id), 404, 'a device that waits changes over');
decide('ACCEPTED');
answers($second->poll($id), 201, 'and gets its login');
$id = accepted($admin);
answers($device->poll($id), 201, 'a device got its login with the old one');
answers($second->poll($id), 404, 'which is not repeated to the new one');
answers($device->poll($id), 201, 'but to the old one');
($status, my $text) = Devcred::Shell::run(['psql', '-XAtc', "select count(*) from devcred.claim
	where actor = 'management/devicebootstrap'", $cluster->conninfo($database, 'devcred_reader')]);
like($text, qr/\A[1-9]\d*\n\z/, 'the database tells who uses the old one');
is(($site->ctl('', qw(user add management/both --role BOOTSTRAP --role ADMIN --generate)))[0] == 0,
	'', 'a bootstrap user can have no other role');

done_testing();
