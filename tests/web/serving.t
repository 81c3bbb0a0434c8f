#!/usr/bin/perl
# Every web server hands out the page with its types and its headers, and
# nothing of the service's is in its way.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Source qw(matching text);
use Devcred::Test;

my %type = (html => 'text/html', css => 'text/css', js => 'text/javascript',
	svg => 'image/svg+xml');
my %header = (
	'content-security-policy' => qr/\Adefault-src 'self'; frame-ancestors 'none'/,
	'x-content-type-options' => qr/\Anosniff\z/,
	'referrer-policy' => qr/\Ano-referrer\z/,
	'cache-control' => qr/\Ano-cache\z/,
);
my @files = matching(qr{^www/});

# What is wrong with the way a path is answered, that of a file.
sub wrong_with {
	my ($http, $path, $file) = @_;
	my $answer = $http->get($path);
	my ($end) = $file =~ /\.(\w+)\z/;
	my $type = $answer->header('content-type') // 'no type';

	return map { "$path: $_" } (
		$answer->status == 200 ? () : "status " . $answer->status,
		$type =~ /\A\Q$type{$end}\E(?:;|\z)/ ? () : $type,
		$answer->{body} eq text($file) ? () : 'not the file',
		map { ($answer->header($_) // '') =~ $header{$_} ? () : "no $_" }
			sort keys %header);
}

for my $web (qw(lighttpd lighttpd-cgi apache apache-fcgid apache-cgid nginx)) {
	my $site = Devcred::Site->new(web => $web);
	my $http = $site->client;
	my @wrong = ((map { wrong_with($http, s{^www}{}r, $_) } @files),
		wrong_with($http, '/', 'www/index.html'));
	is(join("\n", @wrong), '', "$web serves the page as it should be");
	is($http->get('/js/none.js')->status, 404, 'and no other files');
	refuses($http->get('/user/currentUser'), 401, 'security/Unauthorized',
		undef, "the service is where it was");
	answers($site->client('t1/admin')->get('/user/currentUser'), 200,
		'and lets in');
	$site->stop;
}

# What the policy forbids, and what would be markup made of text.
my @scripts = grep { /\.js\z/ } @files;
ok(@scripts > 5, 'there are scripts');
unlike(text('www/index.html'), qr/<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=/i,
	'no script and no style is in the page itself');
unlike(text($_), qr/innerHTML|outerHTML|insertAdjacentHTML|document\.write
	|\beval\b|new\s+Function|localStorage|sessionStorage|document\.cookie
	|indexedDB/x, "$_ makes no markup of text, and stores nothing")
    for @scripts;

# What the database may record, each in words.
my ($known) = reverse map { text($_) =~ /check \(operation in \(([^)]*)/g }
    matching(qr{^migrations/});
my %word = map { $_ => 1 } text('www/js/activity.js')
    =~ /\b((?:newdevice|credential)_\w+): "/g;
is(join(' ', grep { !$word{$_} } $known =~ /'(\w+)'/g), '',
	'the page has words for every event');
ok(keys %word > 20, 'which there are');

done_testing();
