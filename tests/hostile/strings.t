#!/usr/bin/perl
# Strings that mean something to somebody (SQL, psql, JSON, CSV, HTTP, printf, a
# spreadsheet, a terminal), in every place that takes a string, straight to the
# service's socket: they are kept byte by byte or clearly refused, and nothing
# else comes of them, in the database, in headers, or in logs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA ();
use Encode ();
use Devcred::Test;
use Devcred::Fcgi;

my @strings = (
	# SQL, psql, and arrays of PostgreSQL
	q{'}, q{''}, q{"}, q{a'b}, q{' or '1'='1}, q{'; drop table devcred.tenant; --},
	q{')); delete from devcred.event; --}, q{$1}, q{$$}, q{$q$a$q$}, q{\\'}, q{E'\\x41'}, q{\\x41},
	q{\\copy}, q{\\.}, q{\\N}, q{NULL}, q{null}, q{{a,b}}, q{{}}, '{"', q{a","b}, q{"NULL"}, q{a\\"b},
	q{/**/}, q{U&'\\0041'}, q{?}, q{:a}, q{a::int}, q{%}, q{_}, q{device\\_%},
	# printf, shells, templates, spreadsheets
	q{%s%s%n%x}, q{%1$s}, q{`id`}, q{$(id)}, q{;id}, q{|id}, q{&&}, q{${jndi:ldap://a}}, q({{7*7}}),
	q{=1+1}, q{=cmd|'/C calc'!A0}, q{+1}, q{-1}, q{@SUM(1)}, "\t=1",
	# JSON, CSV, HTML
	q(","status":"ACCEPTED), q({"id":"x"}), q([]), q(\\u0000), q(a;b), q(a,b), qq(a\tb), q(""), q(";"),
	q{<script>alert(1)</script>}, q{&lt;}, q{]]>}, q{<!--}, q{1e999}, q{-0}, q{true}, q{[0]}, q{*}, q{~}, q{#}, q{^$},
	# lines and control characters
	"\r\nX-Bad: yes", "a\nb", "a\rb", "a\r\n\r\nb", "\n", "\0", "a\0b", "\x1b[31m", "\x07", "\x7f", "\x1a",
	"a%0d%0aX-Bad:%20yes", '%00', '%2e%2e%2f', '%25', '%c0%af',
	# paths and names
	'.', '..', '../', '/etc/passwd', '\\\\a\\b', 'a/b', 'limit', 'acceptAll', 'device_', 'admin', 'management',
	'', ' ', ' a', 'a ', 'a b',
	# what is no UTF-8
	"\xff", "a\xfe", "\xc0\xaf", "\xc1\x81", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
	"\xc3", "a\xe2\x82", "\x80", "\xc3\x28",
	# and what is, of a kind
	"\xc3\xa9", "e\xcc\x81", "\xf0\x9f\x94\x91", "\xe2\x80\xae" . 'a', "\xe2\x80\x8b", "\xef\xbb\xbf" . 'a', "\xc2\xa0",
	"\xe2\x80\xa8", "\xc2\x85", "\xef\xbf\xbf", "\xef\xbf\xbd", "\xd0\xb0dmin", "\xef\xbc\x87", "\xc4\xb0", "\xf3\xa0\x80\x81",
);
# each by itself, behind something, before something, and twice
my %seen;
@strings = grep { !$seen{$_}++ } map { ($_, "x$_", "${_}x", "$_$_") } @strings;
push @strings, (	# sizes
	'a' x 255, 'a' x 1000, 'a' x 1001, "\xf0\x9f\x94\x91" x 1000, 'a' x 20_000, q{'} x 500, q{\\} x 500, '%' x 999,
);

my $cluster = Devcred::Cluster->new;
my $site = Devcred::Site->new(cluster => $cluster, web => 'none',
	conf => { log_level => 'debug', workers => 1 });
my $path = $site->socket_path;
my $dbh = $site->dbh;
my $requests = $Devcred::Http::REQUESTS;
my %login = map { $_ => Devcred::Site::login($_) } 't1/admin', 'management/devicebootstrap';

# Tables that a request may change, and what is in all the others.
my @changing = qw(newdevice_request claimant event login_failure login_known bulk_row
	decoy);
sub others {
	my %sum;
	for my $table (@{ $dbh->selectcol_arrayref(q{select c.oid::regclass::text from pg_class c
		where c.relnamespace = 'devcred'::regnamespace and c.relkind in ('r', 'p')}) }) {
		next if grep { $table =~ /\bdevcred\.\Q$_\E(?:_\d+_\d+|_rest)?\z/ } @changing;
		$sum{$table} = $dbh->selectrow_array(
			"select md5(string_agg(t::text, '|' order by t::text)) from $table t") // 'empty';
	}
	$sum{objects} = join ' ', $dbh->selectrow_array(q{select (select count(*) from pg_class),
		(select count(*) from pg_proc), (select count(*) from pg_roles), (select count(*) from pg_database)});
	return \%sum;
}
# Asking ---------------------------------------------------------------------------

my $count = 0;
my (%fault, %kept);    # context => what went wrong; how often it was kept
my %header = map { lc $_ => 1 } qw(Status Content-Type Content-Length Location X-Request-Id Cache-Control
	Retry-After WWW-Authenticate Allow);

sub shown {
	my ($string) = @_;
	my $text = substr $string, 0, 40;
	$text =~ s/([^!-~])/sprintf '\\x%02x', ord $1/ge;
	return $text;
}

# The answer to a request; login is a user of ours, or all of a login.  Each
# comes from an address of its own, so that nobody has to wait.
sub ask {
	my ($context, $string, $method, $uri, %arg) = @_;
	my $n = ++$count;
	my $login = $login{ $arg{login} // 't1/admin' } // $arg{login};
	my $answer = Devcred::Fcgi::exchange($path, Devcred::Fcgi::request($method, $uri,
		login => $login, body => $arg{body}, more => { HTTPS => 'on',
			REMOTE_ADDR => sprintf('10.%d.%d.%d', $n >> 16, $n >> 8 & 255, $n & 255),
			%{ $arg{more} || {} } }));
	my $fault = sub { push @{ $fault{$context} }, shown($string) . ": $_[0]: "
		. shown($answer->{out}) };

	$fault->('no answer') unless $answer->{whole};
	$fault->("status $answer->{status}") if $answer->{status} >= 500;
	for my $line (split /\r\n/, $answer->{head} // '') {
		my ($name, $value) = $line =~ /\A([A-Za-z-]+): ([ -~]*)\z/;
		$fault->('header ' . shown($line)) unless $header{ lc($name // '') };
	}
	for my $self (($answer->{body} // '') =~ /"self":"((?:[^"\\]|\\.)*)"/g) {
		$fault->('self') unless $self =~ m{\A[!-~]+\z};
	}
	return $answer;
}

sub json_string {
	my ($string) = @_;
	$string =~ s/(["\\])/\\$1/g;
	$string =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
	return qq("$string");
}
sub percent { return $_[0] =~ s/([^A-Za-z0-9_-])/sprintf '%%%02X', ord $1/ger }

# Refused, and the database is as it was (undef); or accepted, and has just this.
sub kept_or_refused {
	my ($context, $string, $answer, $is) = @_;
	my $status = $answer->{status};

	if ($status =~ /\A2/) {
		$kept{$context}++;
		push @{ $fault{$context} }, shown($string) . ': became ' . shown($is // 'nothing')
		    if !defined $is || $is ne $string;
	} elsif (defined $is) {
		push @{ $fault{$context} }, shown($string) . ": $status, and yet there is " . shown($is);
	}
	return;
}
sub row {
	my ($sql, @value) = @_;
	my ($is) = $dbh->selectrow_array($sql, undef, @value);
	return $is;
}
# ids have to be looked up by what PostgreSQL can compare
sub newest {
	my ($before) = @_;
	return row('select id from devcred.newdevice_request where seq > ? order by seq desc limit 1', $before);
}
sub last_seq { return row('select coalesce(max(seq), 0) from devcred.newdevice_request') }
sub fresh {
	my $id = 'fresh-' . ++$count;
	$dbh->do('select devcred.newdevice_create(?, ?, null, ?, null, null, null, null)', undef, 't1', 't1/admin', $id);
	return $id;
}

my %context = (
	'id to register' => sub {
		my $before = last_seq();
		my $answer = ask(@_, POST => $requests, body => '{"id":' . json_string($_[1]) . '}');
		kept_or_refused(@_, $answer, newest($before));
		$dbh->do('delete from devcred.newdevice_request where seq > ?', undef, $before);
	},
	'id in a path' => sub { ask(@_, GET => "$requests/" . percent($_[1])) },
	'id in a path, as it is' => sub { ask(@_, GET => "$requests/$_[1]") },
	'id to remove' => sub { ask(@_, DELETE => "$requests/" . percent($_[1])) },
	'id that polls' => sub {
		ask(@_, POST => $Devcred::Http::CREDENTIALS, login => 'management/devicebootstrap',
			body => '{"id":' . json_string($_[1]) . '}');
	},
	'id in SmartREST' => sub {
		ask(@_, POST => '/s', login => 'management/devicebootstrap',
			body => '61,"' . ($_[1] =~ s/"/""/gr) . '"');
	},
	(map { my ($field, $column) = @$_; ("field $field" => sub {
		my $before = last_seq();
		my $answer = ask(@_, POST => $requests, body => qq({"id":"field-@{[++$count]}","$field":)
			. json_string($_[1]) . '}');
		my $is = row("select coalesce($column, '') from devcred.newdevice_request where seq > ?", $before);
		kept_or_refused(@_, $answer, $is);
	}) } ['groupId', 'group_id'], ['type', 'type']),
	'property' => sub {
		my $before = last_seq();
		my $answer = ask(@_, POST => $requests, body => qq({"id":"field-@{[++$count]}","customProperties":{"x":)
			. json_string($_[1]) . '}}');
		kept_or_refused(@_, $answer,
			row(q{select custom_properties ->> 'x' from devcred.newdevice_request where seq > ?}, $before));
	},
	'security token' => sub {
		my $id = fresh();
		my $answer = ask(@_, POST => $Devcred::Http::CREDENTIALS, login => 'management/devicebootstrap',
			body => qq({"id":"$id","securityToken":) . json_string($_[1]) . '}');
		my $is = row(q{select encode(token_hash, 'hex') from devcred.newdevice_request where id = ?}, $id);
		my $should = Digest::SHA::sha256_hex("devcred security token\n$id\n$_[1]");
		push @{ $fault{ $_[0] } }, shown($_[1]) . ': is not that token'
		    if defined $is && $is ne $should;
		$kept{ $_[0] }++ if defined $is;
	},
	'User-Agent' => sub {
		my $id = fresh();
		ask(@_, POST => $Devcred::Http::CREDENTIALS, login => 'management/devicebootstrap',
			body => qq({"id":"$id"}), more => { HTTP_USER_AGENT => $_[1] });
		my $is = row('select agent from devcred.claimant where device_id = ?', $id);
		push @{ $fault{ $_[0] } }, shown($_[1]) . ': became ' . shown($is)
		    if defined $is && $is ne substr $_[1], 0, length $is;
		$kept{ $_[0] }++ if defined $is;
	},
	'X-Request-Id' => sub {
		my $answer = ask(@_, GET => "$requests/none", more => { HTTP_X_REQUEST_ID => $_[1] });
		my ($is) = ($answer->{head} // '') =~ /^X-Request-Id: (.*?)\r?$/m;
		push @{ $fault{ $_[0] } }, shown($_[1]) . ': is called ' . shown($is // '')
		    if ($is // '') !~ /\A[A-Za-z0-9._:\@-]{1,64}\z/;
	},
	'user' => sub { ask(@_, GET => '/user/currentUser', login => "t1/$_[1]:x") },
	'tenant' => sub { ask(@_, GET => '/user/currentUser', login => "$_[1]/device_x:x") },
	'password' => sub { ask(@_, GET => '/user/currentUser', login => "t1/device_x:$_[1]") },
	'host' => sub { ask(@_, GET => '/user/currentUser', login => 'device_x:x', more => { HTTP_HOST => $_[1] }) },
	'method' => sub { ask(@_, $_[1], $requests) },
	'type of a body' => sub { ask(@_, POST => $requests, body => '{}', more => { CONTENT_TYPE => $_[1] }) },
	'accepted type' => sub { ask(@_, GET => "$requests?pageSize=1", more => { HTTP_ACCEPT => $_[1] }) },
	(map { my $name = $_; ("question $name" => sub {
		ask(@_, GET => "$requests?$name=" . percent($_[1])) }) } qw(q status pageSize currentPage)),
	(map { my $column = $_; ("cell $column" => sub {
		my $before = last_seq();
		my $cell = '"' . ($_[1] =~ s/"/""/gr) . '"';
		my $row = $column eq 'ID' ? "$cell;p" : "cell-@{[++$count]};$cell";
		my $answer = ask(@_, POST => '/devicecontrol/bulkNewDeviceRequests', body =>
			"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nID;PATH\n$row\n\r\n--x--\r\n",
			more => { CONTENT_TYPE => 'multipart/form-data; boundary=x' });
		my $is = $column eq 'ID' ? newest($before) : row(
			q{select coalesce(custom_properties ->> 'path', custom_properties ->> 'PATH', '')
			from devcred.newdevice_request where seq > ?}, $before);
		my $made = ($answer->{body} // '') =~ /"numberOfCreated":1\b/;
		kept_or_refused($_[0], in_cell($_[1], $column), { status => $made ? 201 : 422 }, $is);
		$dbh->do('delete from devcred.newdevice_request where seq > ?', undef, $before);
	}) } qw(ID PATH)),
);

# What should be in a cell: a file that is no UTF-8 is Windows-1252, and an id
# loses the white space around it.
sub in_cell {
	my ($string, $column) = @_;
	my $text = $string;
	$text = Encode::decode('cp1252', $string, sub { chr $_[0] })
	    if !utf8::decode($text) || $string =~ /\xed[\xa0-\xbf]|\xf4[\x90-\xbf]|[\xf5-\xff]/;
	$text =~ s/\A[ \t]+|[ \t]+\z//g if $column eq 'ID';
	utf8::encode($text);
	return $text;
}

my $log_before = length join '', $cluster->log;
my $others = others();
for my $context (sort keys %context) {
	$context{$context}->($context, $_) for @strings;
	ok(!$fault{$context}, sprintf '%s: %d strings are kept or refused', $context, scalar @strings)
	    or diag(join "\n", @{ $fault{$context} }[0 .. ($#{ $fault{$context} } < 9 ? $#{ $fault{$context} } : 9)]);
}
cmp_ok(scalar @strings, '>=', 500, 'that were 500 strings in each place');
cmp_ok($kept{$_} // 0, '>=', 30, "$_: many were kept") for 'id to register', 'field groupId', 'field type',
	'property', 'security token', 'User-Agent', 'cell ID', 'cell PATH';

# What came of it -------------------------------------------------------------------

is_deeply(others(), $others, 'nothing else in the database has changed');
is_deeply($dbh->selectcol_arrayref(q{select distinct id from devcred.newdevice_request
	where id !~ '^(field|fresh)-\d+$'}), [], 'no request is there that nobody made');
is_deeply($dbh->selectcol_arrayref(q{select distinct operation from devcred.event
	where operation not in ('newdevice_create', 'newdevice_claim') and actor like '%/%'}), [],
	'and nobody did more than to register and to poll');
my $said = substr join('', $cluster->log), $log_before;
is_deeply([$said =~ /^.*(?:ERROR|FATAL|PANIC|WARNING):.*$/mg], [], 'the database has nothing to complain of');
my @odd = grep { !/\Adevcred[\w-]*\[\d+\]: (?:error|warning|info|debug) \w+(?: \w+=(?:[!-~]+|"(?:[^"\\]|\\.)*"))*(?: \.\.\.)?\z/
	|| /[^ -~]/ } split /\n/, $site->service_log;
is_deeply([@odd[0 .. ($#odd < 4 ? $#odd : 4)]], [], "the service's log has a line for each event");
is(scalar(grep { /worker_died/ } $site->service_log), 0, 'and no worker has died');

done_testing();
