#!/usr/bin/perl
# Registering devices: what is taken, what is kept, what is refused.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $management = $site->client('management/admin');

# All fields ---------------------------------------------------------------------

my $id = device_id();
my $answer = $admin->register($id, body => qq({"id":"$id","groupId":"g/1","type":"c8y_\xc3\xa4",
	"customProperties":{"a":{"b":[1,2.5,"\\u00fc\\ud83d\\ude00"]},"n":12345678901234567890},
	"status":"ACCEPTED","self":"http://elsewhere/","owner":"t1/nobody",
	"creationTime":"1999-01-01","tenantId":"t2","unknown":[null]}));
answers($answer, 201, 'a request with every field is created');
my %want = (id => $id, status => 'WAITING_FOR_CONNECTION', groupId => 'g/1',
	type => "c8y_\xc3\xa4", owner => 't1/admin', tenantId => 't1');
is_deeply({ map { $_ => $answer->field($_) } keys %want }, \%want,
	'what the creator may say is kept, the rest is ignored');
like($answer->body, qr/"n": ?12345678901234567890\b/, 'numbers stay as they are');
is($answer->json->{customProperties}{a}{b}[2], "\xc3\xbc\xf0\x9f\x98\x80", 'and so does text');
like($answer->field('creationTime'), qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d\z/,
	'the time of creation is ISO 8601 with milliseconds and offset');
is($admin->look($id)->body, $answer->body, 'get answers the same');

$answer = $admin->register(my $plain = device_id());
is_deeply([sort keys %{ $answer->json }],
	[sort qw(id status self tenantId owner creationTime customProperties)],
	'without them only what always is there is answered');
is_deeply($answer->field('customProperties'), {}, 'custom properties as an empty object');
$answer = $admin->register(device_id(), accept => undef);
ok($answer->status == 201 && $answer->body eq '' && $answer->header('location'),
	'without Accept there is no body, but the place') or diag($answer->told);

# Ids ------------------------------------------------------------------------------

# More bytes than an index takes, and nothing in them that could be compressed.
srand 1;
my $noise = join '', map { chr 0x4e00 + int rand 20_000 } 1 .. 1000;
utf8::encode($noise);
refuses($admin->register($noise), 422, 'undefined/validationError', qr/cannot be stored/,
	'an id that no index takes is refused, and not put off');

for my $case (
	["a-$$", 'letters'], ["\xc3\xa4\xe6\xbc\xa2\xf0\x9f\x98\x80-$$", 'any alphabet'],
	["%41'\"<>&;,=#?!*()[]{}|^`~\@.-_-$$", 'marks'], ["x$$" . 'y' x 900, '900 characters'],
	["\xc3\xa4" x 993 . sprintf('%07d', $$), '1,000 characters of two bytes'],
	['z' x 999 . ($$ % 10), '1,000 characters'],
	["limit-$$", 'a word that looks like a path'], ["..$$", 'dots before something'],
    ) {
	my ($name, $what) = @$case;
	answers($admin->register($name), 201, "an id may have $what");
	answers($admin->look($name), 200, 'and is found by it') if length $name < 1500;
}
# The longest: no web server can be asked for it, but none fails either.
my $longest = "\xf0\x9f\x98\x80" x 993 . sprintf '%07d', $$;
$answer = $admin->register($longest);
answers($answer, 201, 'an id may have 1,000 characters of four bytes');
is($answer->field('id'), $longest, 'and is answered whole');
like($answer->field('self'), qr{/(?:%F0%9F%98%80){993}\d{7}\z}, 'with its link');

for my $case (
	['', 'nothing'], ['a b', 'a space'], ["a\tb", 'a tab'], ["a\nb", 'a newline'],
	['a/b', 'a slash'], ['a\\b', 'a backslash'], ['a+b', 'a plus'], ['a$b', 'a dollar'],
	['a:b', 'a colon'], ["a\x7fb", 'a control character'], ["a\xc2\x85b", 'a C1 control'],
	["a\xc2\xa0b", 'a no-break space'], ["a\xe2\x80\x83b", 'a wide space'],
	['.', 'a dot alone'], ['..', 'two of them alone'],
	['x' x 1001, '1,001 characters'], ["\xc3\xa4" x 1001, '1,001 of two bytes'],
    ) {
	my ($name, $what) = @$case;
	refuses($admin->register($name), 422, 'undefined/validationError', undef,
		"an id may not have $what");
}

# Once -----------------------------------------------------------------------------

for my $state ('registered', 'pending', 'accepted') {
	my $taken = Devcred::Test->can($state)->($admin);
	refuses($admin->register($taken), 422, 'devicecontrol/Non Unique Result',
		qr/\Q$taken\E already exists/, "an id that is $state is taken");
}
my $theirs = registered($site->client('t2/admin'));
refuses($admin->register($theirs), 422, 'devicecontrol/Non Unique Result',
	qr/already exists/, 'an id is unique over all tenants');
answers($admin->register($site->client('t2/admin')->remove($theirs) && $theirs), 201,
	'and free again when it was deleted');
my $issued = issued($admin);
answers($admin->register($issued->field('id')), 201,
	'a device that has credentials can be registered again');

# Tenants --------------------------------------------------------------------------

$answer = $management->register(device_id(), with => { tenantId => 't2' });
is($answer->field('tenantId'), 't2', 'management registers for any tenant');
is($management->register(device_id())->field('tenantId'), 'management', 'or for itself');
refuses($management->register(device_id(), with => { tenantId => 'nobody' }), 422,
	'undefined/validationError', qr/nobody/, 'which must be there');

# Types ----------------------------------------------------------------------------

for my $case (
	['{}', qr/mandatory fields.*id/, 'no id'], ['{"id":null}', qr/mandatory fields.*id/, 'null'],
	['{"id":5}', qr/id/, 'a number'], ['{"id":["x"]}', qr/id/, 'an array'],
	['{"id":true}', qr/id/, 'a truth'], ['{"id":{"x":1}}', qr/id/, 'an object'],
	['{"id":"t-1","type":5}', qr/type/, 'a type that is a number'],
	['{"id":"t-2","groupId":{}}', qr/groupId/, 'a group that is an object'],
	['{"id":"t-3","customProperties":"x"}', qr/customProperties/, 'properties that are text'],
	['{"id":"t-4","customProperties":[1]}', qr/customProperties/, 'properties that are a list'],
	['{"id":"t-5","customProperties":{"a":"\u0000"}}', undef, 'a NUL in properties'],
    ) {
	my ($body, $words, $what) = @$case;
	my $refused = $admin->register('', body => $body);
	ok($refused->status == 422 || ($what =~ /NUL/ && $refused->status == 400),
		"refused: $what") or diag($refused->told);
	refuses($refused, $refused->status, $refused->field('error') // '', $words, 'and it says why');
}

done_testing();
