#!/usr/bin/perl
# Those who look after the service ask without a login, from where they may.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $nobody = $site->client;
my @paths = map { "/devcred/$_" } qw(health ready metrics);

for my $path (@paths) {
	my $answer = $nobody->get($path);
	answers($answer, 200, "$path answers who is near, without a login");
	is($answer->header('cache-control'), 'no-store', 'with what is true now');
	answers($nobody->as('t1/nobody:wrong')->get($path), 200, 'a login is not looked at');
	answers($nobody->request('HEAD', $path), 200, 'HEAD is answered');
	refuses($nobody->request('POST', $path, body => ''), 405,
		'general/Method Not Allowed', undef, 'POST is not');
	refuses($nobody->get($path, headers => ['X-Forwarded-For: 203.0.113.9']), 404,
		'devicecontrol/Not Found', qr/\AThere is no such resource\.\z/,
		'behind a proxy that is not trusted nobody is near');
	refuses($nobody->get($path, headers => ['X-Forwarded-For: 127.0.0.1']), 404,
		'devicecontrol/Not Found', undef, 'whatever it says');
}
is_deeply($nobody->get($_)->json, { status => 'UP' }, "$_ is UP") for @paths[0, 1];
refuses($nobody->get($paths[0], accept => 'image/png'), 406, 'general/Not Acceptable',
	undef, 'what is answered is said');

# As Prometheus asks.
my $answer = $nobody->get($paths[2], accept => 'application/openmetrics-text;'
	. 'version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1');
answers($answer, 200, 'a scraper gets what it asks for');
like($answer->header('content-type'), qr{\Atext/plain; ?version=0\.0\.4}, 'in its format');
like($answer->body, qr/^devcred_database_up 1$/m, 'the database is up');
like($answer->body, qr/^devcred_new_device_requests\{status="WAITING_FOR_CONNECTION"\} \d+$/m,
	'requests are counted');
done_testing();
