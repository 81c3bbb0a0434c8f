#!/usr/bin/perl
# Links are absolute, and ids find their way through paths and back.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $device = as_bootstrap($admin);
my $path = $Devcred::Http::REQUESTS;

# Where a link leads, seen from the root.
sub local_part { return $_[0] =~ s{\Ahttp://[^/]+}{}r }

for my $odd ("\xc3\xa4\xc3\xb6", "\xe6\xbc\xa2\xe5\xad\x97", "\xf0\x9f\x98\x80", '"', "'", '%', '%41',
    '&', '=', '?', '#', ';', ',', '<>', '{}', '[]', '|', '^', '`', '~', '!', '*', '()', '@', '.', '..x',
    '-', 'limit', 'acceptAll') {
	my $id = "$odd-" . device_id();
	my $answer = $admin->register($id);
	my $self = $answer->header('location') // '';
	my $base = $site->base . $path;
	like($self, qr{\A\Q$base\E/[A-Za-z0-9._~%-]+\z}, "the link to $odd is absolute and plain")
	    or diag($answer->told);
	is($answer->field('self'), $self, 'and the same in the body');
	my $got = $admin->get(local_part($self));
	is($got->field('id'), $id, 'and leads back') or diag($got->told);
	$device->poll($id);
	answers($admin->accept_device($id), 200, 'it is accepted by its path');
	my $issued = $device->poll($id);
	is($issued->field('username'), "device_$id", 'its login has its name');
	answers($admin->as("t1/device_$id:" . $issued->field('password'))->get('/user/currentUser'),
		200, 'and works');
}

# What the host of links is.
for my $host ('devices.example.org', 'devices.example.org:8443', 'DEVICES.example.org', '[::1]:8443') {
	my $answer = $admin->request('GET', "$path?pageSize=1", host => $host);
	like($answer->field('self') // '', qr{\Ahttp://\Q$host\E(?::\d+)?/}i, "links lead to $host")
	    or diag($answer->told);
}
for my $host ('a b', "a/b", 'a"b', '<x>', 'a@b', 'a:80:80', 'a:b', '[x]', '[::1') {
	one_of($admin->request('GET', "$path?pageSize=1", host => $host), 400, 'general/Bad Request',
		{ any => [400] }, "'$host' is no host");
}

done_testing();
