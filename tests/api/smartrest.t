#!/usr/bin/perl
# The bootstrap message of SmartREST: HTTP's status is always 200, and the
# answer is a line of CSV.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);

# As the C library of the platform sends it: no type, no Accept.
sub smart {
	my ($body, $http) = @_;
	return ($http // $device)->request('POST', '/s', body => $body);
}
sub says {
	my ($answer, $line, $name) = @_;
	my $is = $answer->{whole} && $answer->status == 200 && $answer->media eq 'text/plain'
	    && (ref $line ? $answer->body =~ $line : $answer->body eq $line);
	ok($is, $name) or diag("expected $line\n", $answer->told);
	return;
}

# The whole way.
my $id = device_id();
says(smart("61,$id"), '50,1,404', 'a device nobody registered');
registered($admin, id => $id);
says(smart("61,$id\n"), '50,1,404', 'registered: not yet');
is($admin->look($id)->field('status'), 'PENDING_ACCEPTANCE', 'but it has asked');
says(smart("61,$id\r\n"), '50,1,404', 'pending: not yet');
$admin->accept_device($id);
my $answer = smart("61,$id");
says($answer, qr/\A70,1,\Q$id\E,t1,device_\Q$id\E,[A-Za-z0-9]{32}\z/, 'accepted: here they are');
is($answer->header('cache-control'), 'no-store', 'nobody on the way is to keep them');
my (undef, undef, undef, $tenant, $user, $password) = split /,/, $answer->body;
answers($admin->as("$tenant/$user:$password")->get('/user/currentUser'), 200, 'they log in');
says(smart("61,$id"), '50,1,404', 'once');

# Ids that CSV has to quote.
for my $odd ('a,b', 'a"b', '"', ',', "\xc3\xbc") {
	my $name = "$odd-" . device_id();
	(my $field = $name) =~ s/"/""/g;
	$field = "\"$field\"" if $name =~ /[",]/;
	registered($admin, id => $name);
	smart("61,$field");
	$admin->accept_device($name);
	(my $of_user = "device_$name") =~ s/"/""/g;
	$of_user = "\"$of_user\"" if $name =~ /[",]/;
	says(smart("61,$field"), qr/\A70,1,\Q$field\E,t1,\Q$of_user\E,[A-Za-z0-9]{32}\z/,
		"an id with $odd is quoted");
}

# What is no such message.
for my $case (
	['', '42,1', 'nothing'], ["\n", '42,1', 'an empty line'], [',x', '42,1', 'no number'],
	['61,"x', '42,1', 'a quote that does not end'], ['61,x"y', '42,1', 'a quote in the middle'],
	['61,"x"y', '42,1', 'something after a quote'], ["61,x\n61,y", '42,1', 'two lines'],
	["61,x\0y", '42,1', 'a NUL'], ['60,x', '43,1', 'another message'], ['x', '43,1', 'a word'],
	['061,x', '43,1', 'another number'], ['61', '45,1', 'no id'], ['61,x,y', '45,1', 'two ids'],
	['61,', '50,1,422', 'an empty id'], ['61,a b', '50,1,422', 'a space'],
	['61,' . 'x' x 1001, '50,1,422', '1,001 characters'], ["61,\xff", '50,1,422', 'no UTF-8'],
	['61,' . 'x' x 70000, '50,1,413', '70,000 bytes'],
    ) {
	my ($body, $line, $name) = @$case;
	says(smart($body), $line, "$name: $line");
}

# Who may.
says(smart("61,$id", $admin->as('management/devicebootstrap:wrong')), '50,1,401',
	'a wrong password');
says(smart("61,$id", $site->client), '50,1,401', 'no login');
says(smart("61,$id", $admin), '50,1,403', 'an administrator');
refuses($device->get('/s'), 405, 'general/Method Not Allowed', undef, 'GET');

done_testing();
