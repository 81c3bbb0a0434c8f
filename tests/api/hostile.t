#!/usr/bin/perl
# Bad input gets a clear error with a body, and loses nothing; what is no plain
# HTTP is in tests/hostile/requests.txt.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $requests = $Devcred::Http::REQUESTS;

# Bodies ---------------------------------------------------------------------------

for my $case (
	['', 'nothing'], [' ', 'a space'], ['null', 'null'], ['"x"', 'a string'], ['7', 'a number'],
	['[{"id":"x"}]', 'an array'], ['{"id":"x"', 'an object that does not end'],
	['{"id":"x}', 'a string that does not end'], ['{"id" "x"}', 'no colon'],
	['{id:"x"}', 'a name without quotes'], ["{'id':'x'}", 'single quotes'],
	['{"id":"x"}}', 'a brace too many'], ['{"id":"x"}{"id":"y"}', 'two objects'],
	['{"id":"x"} y', 'something after it'], ['{"id":"x",,}', 'two commas'],
	['{,"id":"x"}', 'a comma first'], ['{"id":"x" /* y */}', 'a comment'],
	["{\"id\":\"x\ny\"}", 'a newline in a string'], ["{\"id\":\"x\"\0}", 'a NUL'],
	["{\"id\":\"x\0y\"}", 'a NUL in a string'], ['{"id":"\ud800"}', 'half a surrogate'],
	['{"id":"\x41"}', 'an escape that is none'], ["{\"id\":\"\xff\"}", 'a byte that is no UTF-8'],
	["{\"id\":\"\xc0\xaf\"}", 'an overlong slash'], ["{\"id\":\"\xed\xa0\x80\"}", 'a coded surrogate'],
	["{\"id\":\"x\xe2\x82\"}", 'a character cut short'],
	['{"id":"x","n":1e}', 'half a number'], ['{"id":"x","n":NaN}', 'NaN'],
	['{"id":"x","n":01}', 'a number with a zero first'],
	["\xef\xbb\xbf{\"id\":\"x\"", 'a byte order mark and half an object'],
	['{"a":' x 100 . '1' . '}' x 100, '100 levels'],
	['{"id":"x","customProperties":' . '{"a":' x 40 . '1' . '}' x 41, '40 levels of properties'],
	['[' x 60000, '60,000 brackets'], ['<id>x</id>', 'XML'], ['id=x', 'a form'],
    ) {
	my ($body, $what) = @$case;
	refuses($admin->register('', body => $body), 400, 'devicecontrol/Bad Request', undef,
		"refused as no JSON object: $what");
}
for my $id ("a\\u0000b", '\\u0000') {
	my $answer = $admin->register('', body => qq({"id":"$id"}));
	ok($answer->status =~ /\A4(?:00|22)\z/ && $answer->type eq 'error',
		'an escaped NUL in an id is refused') or diag($answer->told);
}
my $id = device_id();
answers($admin->register('', body => qq( \r\n\t{"id":"$id"}\n )), 201,
	'white space around an object is allowed');
$id = device_id();
answers($admin->register('', body => qq({"id":"no","id":"$id"})), 201,
	'of two fields of the same name');
answers($admin->look($id), 200, 'the last one counts');

# Sizes ----------------------------------------------------------------------------

for my $case ([65536, 201], [65537, 413], [300_000, 413], [3_000_000, 413]) {
	my ($size, $status) = @$case;
	my $big = device_id();
	my $body = qq({"id":"$big","x":");
	$body .= 'y' x ($size - 2 - length $body) . '"}';
	my $answer = $admin->register('', body => $body);
	if ($status == 201) {
		answers($answer, 201, "a body of $size bytes is taken");
	} else {
		refuses($answer, 413, 'general/Payload Too Large', undef,
			"a body of $size bytes is too large");
	}
	answers($admin->look($big), $status == 201 ? 200 : 404, 'and that is true');
}

# Paths ----------------------------------------------------------------------------

answers($admin->get("$requests/"), 200, 'a slash at the end of the collection is forgiven');
refuses($admin->get("$requests/a%252Fb"), 404, 'devicecontrol/Not Found', qr/a%2Fb/,
	'what is encoded twice is decoded once');
refuses($admin->get("$requests/a%2Bb"), 404, 'devicecontrol/Not Found', qr/a\+b/,
	'a plus is a plus');
refuses($admin->get("/devicecontrol/nothing"), 404, 'devicecontrol/Not Found', undef,
	'what is not there is not found');

# Methods --------------------------------------------------------------------------

for my $case (['PUT', $requests, 'POST, GET, HEAD'], ['DELETE', $requests, 'POST, GET, HEAD'],
    ['PATCH', "$requests/x", 'GET, HEAD, PUT, DELETE'], ['POST', "$requests/x", 'GET, HEAD, PUT, DELETE'],
    ['GET', $Devcred::Http::CREDENTIALS, 'POST'], ['POST', '/user/currentUser', 'GET, HEAD']) {
	my ($method, $path, $allow) = @$case;
	my $answer = $admin->request($method, $path, $method eq 'GET' ? () : (body => '{}'));
	refuses($answer, 405, 'general/Method Not Allowed', undef, "$method $path is not allowed");
	is(join(' ', sort split /, /, $answer->header('allow') // ''),
		join(' ', sort split /, /, $allow), 'and Allow says what is');
}
my $head = $admin->request('HEAD', $requests);
ok($head->status == 200 && $head->body eq '', 'HEAD is GET without a body') or diag($head->told);
for my $override ('PUT', 'put') {
	my $pending = pending($admin);
	my $answer = $admin->request('POST', "$requests/$pending", type => 'newDeviceRequest',
		accept => 'newDeviceRequest', body => '{"status":"ACCEPTED"}',
		headers => ["X-HTTP-METHOD: $override"]);
	answers($answer, 200, "POST with X-HTTP-METHOD: $override is that method");
}

# And nothing is lost.
$id = device_id();
answers($admin->register($id), 201, 'after all this it serves');
answers($admin->look($id), 200, 'as before');

done_testing();
