#!/usr/bin/perl
# Bulk registration: many devices from one CSV file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('t1/admin');
my $management = $site->client('management/admin');
my $db = $site->dbh;

my $BOUNDARY = '----devcred-test';

# A form with a file; before and after are other parts of it.
sub form {
	my ($csv, %arg) = @_;
	my $name = $arg{name} // 'file';
	return ($arg{before} // '') . "--$BOUNDARY\r\nContent-Disposition: "
	    . "form-data; name=\"$name\"; filename=\"devices.csv\"\r\n"
	    . "Content-Type: application/octet-stream\r\n\r\n$csv"
	    . ($arg{end} // "\r\n--$BOUNDARY--\r\n");
}

sub bulk {
	my ($http, $csv, %arg) = @_;
	return $http->request(POST => '/devicecontrol/bulkNewDeviceRequests',
		body => $arg{body} // form($csv, %arg),
		type => $arg{type} // "multipart/form-data; boundary=$BOUNDARY",
		accept => '*/*', %{ $arg{with} || {} });
}

# The four numbers of an answer: all, created, successful, failed.
sub numbers {
	my ($answer) = @_;
	return join ' ', map { $answer->field("numberOf$_") // '?' }
	    qw(All Created Successful Failed);
}

# The failures, as "line id reason".
sub failures {
	my ($answer) = @_;
	return map { join ' ', $_->{line}, $_->{deviceId} // '-', $_->{failureReason} }
		sort { $a->{line} <=> $b->{line} }
		@{ $answer->field('failedCreationList') // [] };
}

sub counts_are {
	my ($answer, $numbers, $name) = @_;
	my $ok = $answer->status == 201 && numbers($answer) eq $numbers;
	ok($ok, $name) or diag("expected 201 and $numbers\n", $answer->told);
	return $ok;
}

# The simple form --------------------------------------------------------------

my ($one, $two, $taken) = (device_id(), device_id(), registered($admin));
my $answer = bulk($admin, "ID;PATH\n$one;Building 1/Floor 2\n$taken;x\n$two;\n");
counts_are($answer, '3 2 2 1', 'a simple file makes requests, but for the one that exists');
is($answer->type, 'bulknewdevicerequest', 'the answer has its media type');
is_deeply([failures($answer)],
	["3 $taken NewDeviceRequest for id = $taken already exists."],
	'the failure is told by line');
is_deeply($answer->json->{credentialUpdatedList}, [], 'there is no updated credential');
is($admin->look($one)->field('status'), 'WAITING_FOR_CONNECTION', 'a request waits for its device');
is_deeply($admin->look($one)->field('customProperties'), { PATH => 'Building 1/Floor 2' },
	'what else stands in the line is kept');
is_deeply($admin->look($two)->field('customProperties'), {}, 'nothing is kept of what is empty');
is($admin->look($one)->field('owner'), 't1/admin', 'the administrator owns it');
is($db->selectrow_array('select count(*) from devcred.event where device_id = ?
	and operation = ? and actor = ?', undef, $one, 'newdevice_create', 't1/admin'), 1,
	'and it is audited');
is($db->selectrow_array('select count(*) from devcred.bulk_row'), 0,
	'nothing is left where lines are staged');
is($admin->accept_device($one)->status, 422, 'such a request is accepted only when the device has polled');

# Every way to write it: name, file, where @ stands for a device id.
my @ways = (
	['tabs', "ID\tPATH\n@\ta b\n"],
	['commas', "ID,PATH\n@,a b\n"],
	['semicolons', "ID;PATH\n@;a b\n"],
	['one column', "ID\n@\n"],
	['no line end at the end', "ID\n@"],
	['CR LF', "ID;PATH\r\n@;a\r\n"],
	['CR alone', "ID;PATH\r@;a\r"],
	['quotes', "\"ID\";\"PATH\"\n\"@\";\"a;b\"\"c\"\n"],
	['a line end in quotes', "ID;PATH\n@;\"a\nb\"\n"],
	['names in lower case', "id;path\n@;a\n"],
	['spaces around an ID', "ID,PATH\n  @ ,a\n"],
	['spaces around names', "ID ; PATH\n@;a\n"],
	['a byte order mark', "\xef\xbb\xbfID;PATH\n@;a\n"],
	['a byte order mark before quotes', "\xef\xbb\xbf\"ID\"\n@\n"],
	['UTF-8', "ID;PATH\n@\xc3\xa4;\xc3\xa4\n"],
	['another order', "PATH;ID\na;@\n"],
	['empty lines', "\n\nID\n\n@\n\n"],
	['a separator at the end of all lines', "ID;PATH;\n@;a;\n"],
	['separators alone in a line', "ID;PATH\n;\n@;a\n;;\n"],
	['fewer fields than columns', "ID;PATH;NAME\n@\n"],
	['external ids and dotted names', "ID;external-x;c8y_A.b\n@;e;true\n"],
);
for my $way (@ways) {
	my ($name, $csv) = @$way;
	my $id = device_id();
	counts_are(bulk($admin, $csv =~ s/\@/$id/gr), '1 1 1 0', "read: $name");
}
my $latin = device_id();
counts_are(bulk($admin, "ID;PATH\n$latin\xe4;\x80\n"), '1 1 1 0', 'read: Windows-1252');
is_deeply($admin->look("$latin\xc3\xa4")->field('customProperties'),
	{ PATH => "\xe2\x82\xac" }, 'and it is stored as UTF-8');
my $typed = device_id();
bulk($admin, "ID;TYPE;NAME\n$typed;c8y_T;N\n");
is($admin->look($typed)->field('type'), 'c8y_T', 'TYPE is the type of the request');

# Lines that fail: name, line, reason.
my $line = device_id();
my @bad = (
	['no ID', ';a', qr/mandatory fields.*: ID/],
	['a forbidden character', 'a/b;a', qr/contains '\/' character/],
	['an ID that is too long', 'x' x 1001 . ';a', qr/1 to 1000 characters/],
	['an ID that is far too long', 'x' x 9000 . ';a', qr/1 to 1000 characters/],
	['a quote in a wrong place', "a\"b;a", qr/not CSV/],
	['a quote behind a quote', "\"a\"b;a", qr/not CSV/],
	['NUL', "a\0b;a", qr/not CSV/],
	['too many fields', "$line;a;b", qr/more fields/],
	['a line that is too long', "$line;" . 'x' x 70_000, qr/too long/],
	['a control character', "a\x01;b", qr/not permitted/],
);
for my $row (@bad) {
	my ($name, $text, $reason) = @$row;
	my $good = device_id();
	my $got = bulk($admin, "ID;PATH\n$text\n$good;a\n");
	counts_are($got, '2 1 1 1', "$name fails the line, not the file");
	my ($failure) = failures($got);
	like($failure // '', qr/\A2 .*$reason/s, 'and says why');
}
my @same = (device_id()) x 2;
is_deeply([failures(bulk($admin, "ID\n$same[0]\n$same[1]\n"))],
	["3 $same[0] NewDeviceRequest for id = $same[0] already exists."],
	'of two lines with the same id the second fails');
my $mark = bulk($admin, "\xef\xbb\xbfID\n\xe4\n");
like((failures($mark))[0] // '', qr/not UTF-8/,
	'after a byte order mark, what is not UTF-8 is refused');
my $open = device_id();
$answer = bulk($admin, "ID;PATH\n$open-1;\"never closed\n" . "x;y\n" x 30_000
	. "$open-2;a\n");
is($admin->look("$open-2")->status, 200, 'after a quote that does not end, reading goes on');

# The full form -------------------------------------------------------------------

my $pass = 'Pa$$w0rd"`~!@#%^&*()_|+-=?';
my $full = device_id();
$answer = bulk($admin, "ID;CREDENTIALS;NAME\n$full;\"" . $pass =~ s/"/""/gr . "\";Pump\n");
counts_are($answer, '1 1 1 0', 'a full file makes credentials');
is($admin->as("t1/device_$full:$pass")->get('/user/currentUser')->status, 200,
	'which work at once');
refuses($admin->look($full), 404, 'devicecontrol/Not Found', undef, 'there is no request to accept');
my ($generation, $by, $kept) = $db->selectrow_array('select generation, accepted_by,
	custom_properties from devcred.device_credential where device_id = ?', undef, $full);
is("$generation $by $kept", '1 t1/admin {"NAME": "Pump"}', 'the administrator stands for it');

my $waits = pending($admin);
$answer = bulk($admin, "ID;AUTH_TYPE;CREDENTIALS\n$full;BASIC;changed-1\n$waits;;changed-2\n");
counts_are($answer, '2 1 2 0', 'a device that has credentials gets the new ones');
is_deeply($answer->json->{credentialUpdatedList},
	[{ bulkNewDeviceStatus => 'CREDENTIAL_UPDATED', deviceId => $full }], 'and is told of');
is($admin->as("t1/device_$full:changed-1")->get('/user/currentUser')->status, 200,
	'the new password works');
is($admin->as("t1/device_$full:$pass")->get('/user/currentUser')->status, 401,
	'the old one does not');
is($admin->look($waits)->status, 404, 'a request that the device had is withdrawn');
is($db->selectrow_array(q(select string_agg(operation || ' ' || outcome, ', ' order by seq)
	from devcred.event where device_id = ?), undef, $full),
	'credential_create ok, credential_confirm ok, credential_create updated, credential_confirm ok', 'all of it is audited');

my $twice = device_id();
$answer = bulk($admin, "ID;CREDENTIALS\n$twice;password-1\n$twice;password-2\n");
counts_are($answer, '2 1 2 0', 'of two lines with the same id the second updates the first');
is($admin->as("t1/device_$twice:password-2")->get('/user/currentUser')->status, 200,
	'the last password counts');

for my $row (['too short', 'seven77'], ['too long', 'x' x 33], ['white space', 'pass word'],
	['beyond ASCII', "passw\xc3\xb6rter"], ['empty', '']) {
	my ($name, $password) = @$row;
	my $id = device_id();
	$answer = bulk($admin, "ID;CREDENTIALS\n$id;$password\n");
	my ($failure) = failures($answer);
	like($failure // '', qr/\A2 \Q$id\E .*CREDENTIALS/, "a password out of bounds fails: $name");
	unlike($answer->body, qr/\Q$password\E/, 'and is not repeated') if length $password > 7;
}
for my $length (8, 32) {
	my $id = device_id();
	counts_are(bulk($admin, "ID;CREDENTIALS\n$id;" . 'x' x $length), '1 1 1 0',
		"a password of $length characters is taken");
}
like((failures(bulk($admin, "ID;AUTH_TYPE;CREDENTIALS\nx;CERTIFICATES;\n")))[0] // '',
	qr/CERTIFICATES is not supported/, 'certificates are refused');
like((failures(bulk($admin, "ID;AUTH_TYPE;CREDENTIALS\nx;NONSENSE;password\n")))[0] // '',
	qr/AUTH_TYPE must be BASIC/, 'so is any other AUTH_TYPE');

# Tenants -------------------------------------------------------------------------

my @for = map { device_id() } 1 .. 4;
$answer = bulk($management, "ID;TENANT\n$for[0];t2\n$for[1];\n$for[2];nowhere\n$for[3];"
	. 'x' x 40 . "\n");
counts_are($answer, '4 2 2 2', 'the management tenant names a tenant in each line');
is_deeply([map { $management->look($_)->field('tenantId') } @for[0, 1]], ['t2', 'management'],
	'or means itself');
is((failures($answer))[0], "4 $for[2] Tenant nowhere does not exist.", 'a tenant has to exist');
bulk($admin, "ID;TENANT\n$for[2];t2\n");
is($admin->look($for[2])->field('tenantId'), 't1', 'for others TENANT is ignored');
$answer = bulk($admin, "ID\n$for[0]\n");
is((failures($answer))[0], "2 $for[0] NewDeviceRequest for id = $for[0] already exists.",
	'an id is unique over tenants');
bulk($management, "ID;TENANT;CREDENTIALS\n$for[3];t2;password-9\n");
is($admin->as("t2/device_$for[3]:password-9")->get('/user/currentUser')->status, 200,
	'credentials, too, are for the tenant named');

# Files that are refused ------------------------------------------------------------

my @refused = (
	['empty', '', 'undefined/validationError', qr/empty/],
	['without ID', "PATH;NAME\na;b\n", 'undefined/validationError', qr/no column ID/],
	['with a column twice', "ID;PATH;path\na;b;c\n", 'undefined/validationError',
		qr/Duplicate column: path/],
	['with ID twice', "ID;ID\na;b\n", 'undefined/validationError', qr/Duplicate column: ID/],
	['with an external id twice', "ID;external-a;external-a\nx;a;b\n",
		'undefined/validationError', qr/Duplicate column/],
	['of UTF-16', "\xff\xfeI\0D\0\n\0", 'undefined/validationError', qr/UTF-16/],
	['with too long a header', 'ID;' . 'x' x 70_000 . "\n", 'undefined/validationError',
		qr/header line is too long/],
	['with too many columns', 'ID' . join(';', '', 1 .. 300) . "\n",
		'undefined/validationError', qr/more than 256 columns/],
);
for my $row (@refused) {
	my ($name, $csv, $error, $words) = @$row;
	refuses(bulk($admin, $csv), 422, $error, $words, "a file $name is refused");
}
refuses(bulk($admin, "ID\nx\n", name => 'other'), 422, 'undefined/validationError',
	qr/no part named file/, 'a form without the part is refused');
refuses(bulk($admin, "ID\nx\n", type => 'text/csv'), 415, 'general/Unsupported Media Type',
	qr/multipart/, 'so is a body that is no form');
refuses(bulk($admin, "ID\nx\n", type => 'multipart/form-data'), 415,
	'general/Unsupported Media Type', qr/multipart/, 'and a form without a boundary');
refuses(bulk($admin, '', end => ''), 400, 'general/Bad Request', qr/did not come to its end/,
	'and one that is cut off') ;
refuses($admin->request(GET => '/devicecontrol/bulkNewDeviceRequests'), 405,
	'general/Method Not Allowed', undef, 'nothing can be got there');
refuses(bulk($site->client('t1/reader'), "ID\nx\n"), 403, 'security/Forbidden', undef,
	'readers may not');
refuses(bulk(as_bootstrap($admin), "ID\nx\n"), 403, 'security/Forbidden', undef, 'nor may devices');
refuses(bulk($admin->as('t1/admin:wrong'), "ID\nx\n"), 401, 'security/Unauthorized', undef,
	'nor who cannot log in');
refuses(bulk($admin, "ID\nx\n", with => { accept => 'text/html' }), 406,
	'general/Not Acceptable', undef, 'the answer is JSON');

my $form = device_id();
my $before = "--$BOUNDARY\r\nContent-Disposition: form-data; name=\"object\"\r\n\r\n"
	. "{\"a\":\"--$BOUNDARY\"}\r\n--$BOUNDARY\r\ncontent-disposition: form-data; name=x\r\n\r\n\r\n";
counts_are(bulk($admin, "ID\n$form\n", before => $before), '1 1 1 0',
	'other parts of the form are left alone');
my $form2 = device_id();
counts_are(bulk($admin, undef, body => "preamble\r\n" . form("ID\r\n$form2\r\n") . 'epilogue'),
	'1 1 1 0', 'and what stands around it');

# Large files -----------------------------------------------------------------------

my $stem = device_id('large');
my $many = join '', "ID;PATH\n", map { "$stem-$_;Building $_\n" } 1 .. 12_000;
$answer = bulk($admin, $many);
counts_are($answer, '12000 12000 12000 0', 'a file of several batches is taken');
is($db->selectrow_array('select count(*) from devcred.newdevice_request where id ^@ ?', undef,
	"$stem-"), 12_000, 'every line of it');
$answer = bulk($admin, $many);
counts_are($answer, '12000 0 0 12000', 'sent again, each line says that it exists');
is(scalar @{ $answer->json->{failedCreationList} }, 1000, 'of which a thousand are told');
refuses(bulk($site->client('t1/reader'), $many), 403, 'security/Forbidden', undef,
	'a large file is refused as a small one is');
refuses(bulk($admin, $many =~ s/\AID/NAME/r), 422, 'undefined/validationError', qr/no column ID/,
	'also for what stands in its first line');

# The limit of devices ---------------------------------------------------------------

my $limited = "l$$";
$site->ctl('', qw(tenant add), $limited);
$site->ctl('', qw(tenant set), $limited, '--device-limit', 2);
my @dev = map { device_id() } 1 .. 4;
$answer = bulk($management, join "\n", 'ID;TENANT;CREDENTIALS', map { "$_;$limited;password-$_" }
	@dev[0 .. 2]);
counts_are($answer, '3 2 2 1', 'a tenant gets as many devices as it may have');
like((failures($answer))[0], qr/\A4 \Q$dev[2]\E You have reached devices limit/, 'in the order of lines');
counts_are(bulk($management, "ID;TENANT;CREDENTIALS\n$dev[0];$limited;password-x\n$dev[3];$limited;password\n"),
	'2 0 1 1', 'a device that it has may be given a new password');

done_testing;
