#!/usr/bin/perl
# The list: pages, links, totals, filters.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $admin = $site->client('list/admin');
my $path = $Devcred::Http::REQUESTS;

sub list {
	my ($query) = @_;
	return $admin->get($path . ($query ne '' ? "?$query" : ''));
}
sub ids { return map { $_->{id} } @{ $_[0]->field('newDeviceRequests') || [] } }
sub statistics { return $_[0]->field('statistics') }

# Of the tenant list nobody else has requests; start with none.
$site->dbh->do("delete from devcred.newdevice_request where tenant = 'list'");
my $answer = list('');
answers($answer, 200, 'an empty list');
is_deeply($answer->json, { self => $site->base . "$path?pageSize=5&currentPage=1",
	newDeviceRequests => [], statistics => { currentPage => 1, pageSize => 5 } },
	'has a link to itself, no requests, and statistics');

my $stem = device_id('list');
my @ids = map { sprintf '%s-%02d', $stem, $_ } 1 .. 13;
registered($admin, id => $_) for @ids;
my @newest = reverse @ids;

# Pages ----------------------------------------------------------------------------

$answer = list('');
is(join(' ', ids($answer)), join(' ', @newest[0 .. 4]), 'a page has five, the newest first');
is_deeply(statistics($answer), { currentPage => 1, pageSize => 5 }, 'and says so');
ok(!defined $answer->field('prev'), 'before the first page there is none');

my @seen;
my $pages = 0;
for (my $url = $site->base . "$path?pageSize=4&withTotalPages=true"; $url; $pages++) {
	last if $pages > 10;
	my $page = $admin->get($url =~ s{\Ahttp://[^/]+}{}r);
	push @seen, ids($page);
	like($page->field('self'), qr/pageSize=4&currentPage=\d+(?:&before=\d+)?&withTotalPages=true\z/,
		'page ' . ($pages + 1) . ' links to itself with what was asked for');
	is(statistics($page)->{totalPages}, 4, 'and knows how many there are');
	$url = $page->field('next');
}
is($pages, 4, 'following next visits every page');
is(join(' ', @seen), join(' ', @newest), 'and every request once, in order');

# and back; what goes and comes meanwhile moves nothing
sub follow { return $admin->get($_[0]->field($_[1]) =~ s{\Ahttp://[^/]+}{}r) }
my $second = follow(list('pageSize=4'), 'next');
my $third = follow($second, 'next');
is(join(' ', ids(follow($third, 'prev'))), join(' ', ids($second)), 'prev leads back');
$admin->remove($newest[4]);
my $new = registered($admin);
is(join(' ', ids(follow($second, 'next'))), join(' ', ids($third)),
	'what has been deleted or is new moves no page that is linked to');
is(join(' ', ids(follow($third, 'prev'))), join(' ', @newest[3, 5 .. 7]),
	'a page on the way back is full');
is((ids(follow(follow($third, 'prev'), 'prev')))[0], $new, 'and the first page has what is new');
$admin->remove($new);
registered($admin, id => $newest[4]);
@newest = ($newest[4], @newest[0 .. 3, 5 .. $#newest]);

$answer = list('pageSize=4&currentPage=2');
like($answer->field('prev'), qr/currentPage=1\b/, 'prev is the page before');
like($answer->field('next'), qr/currentPage=3\b/, 'next the page after');
$answer = list('pageSize=13');
ok(!defined $answer->field('next'), 'a page that is just full has no next one');
$answer = list('pageSize=13&currentPage=2');
ok($answer->status == 200 && !ids($answer), 'past the end is an empty list');
$answer = list('pageSize=1000000');
is(statistics($answer)->{pageSize}, 2000, 'a page has 2,000 at most');
is(scalar(ids($answer)), 13, 'and holds all there are');

# Totals -----------------------------------------------------------------------------

is_deeply(statistics(list('pageSize=3&withTotalElements=true')),
	{ currentPage => 1, pageSize => 3, totalElements => 13 }, 'elements are counted if asked for');
is_deeply(statistics(list('pageSize=3&withTotalPages=true&withTotalElements=true')),
	{ currentPage => 1, pageSize => 3, totalPages => 5, totalElements => 13 }, 'and pages');
is_deeply(statistics(list('pageSize=3&withTotalPages=false')),
	{ currentPage => 1, pageSize => 3 }, 'false is not asking');
is(statistics(list('pageSize=3&currentPage=99&withTotalPages=true'))->{totalPages}, 5,
	'past the end as well');

# Filters ----------------------------------------------------------------------------

my $device = as_bootstrap($admin);
$device->poll($_) for @ids[0 .. 3];
$admin->accept_device($ids[0]);
$admin->update($ids[1], 'BLOCKED');
for my $case (['WAITING_FOR_CONNECTION', 9], ['PENDING_ACCEPTANCE', 2], ['ACCEPTED', 1],
    ['BLOCKED', 1]) {
	my ($status, $count) = @$case;
	my $found = list("status=$status&pageSize=100&withTotalElements=true");
	is(join(' ', scalar(ids($found)), statistics($found)->{totalElements}), "$count $count",
		"status=$status finds $count");
	is(scalar(grep { $_->{status} ne $status } @{ $found->field('newDeviceRequests') }), 0,
		'and no other');
}
is(join(' ', ids(list("q=$stem-1"))), join(' ', grep { /\A\Q$stem\E-1/ } @newest), 'q= finds by the start of the id');
is(scalar(ids(list("q=$stem-1&status=WAITING_FOR_CONNECTION&pageSize=2"))), 2, 'both together');
like(list("q=$stem-1&status=WAITING_FOR_CONNECTION&pageSize=2")->field('next'),
	qr/&status=WAITING_FOR_CONNECTION&q=\Q$stem\E-1\z/, 'and the links keep them');
for my $odd ('%25', '_', '%5C', '%C3%BC', 'x%27', '%22%3C') {
	$answer = list("q=$odd");
	ok($answer->status == 200 && !ids($answer), "q=$odd is text, and finds nothing")
	    or diag($answer->told);
}
registered($admin, id => "100%-$stem");
is(join(' ', ids(list('q=100%25'))), "100%-$stem", 'a percent sign is found by itself');
is(join(' ', ids(list('q=100_'))), '', 'an underscore is no wildcard');

# Nonsense ---------------------------------------------------------------------------

for my $query ('pageSize=0', 'pageSize=-1', 'pageSize=x', 'pageSize=', 'pageSize=1.5',
    'pageSize=99999999999999999999', 'currentPage=0', 'currentPage=-3', 'currentPage=two',
    'withTotalPages=maybe', 'withTotalElements=1', 'status=DONE', 'status=pending_acceptance') {
	my ($name) = $query =~ /\A(\w+)/;
	refuses(list($query), 422, 'undefined/validationError', qr/\b$name\b/, "refused: $query");
}
one_of(list("q=$_"), 422, 'undefined/validationError', { any => [400, 404] },
	"refused: q=$_") for '%00', '%zz', '%ff';
answers(list('currentPage=1&unknown=x&pageSize=2'), 200, 'an unknown parameter is ignored');
answers(list('currentPage=4611686018427387'), 200, 'a page that nobody has is empty');
answers(list('&&=&='), 200, 'empty parameters are ignored');

done_testing();
