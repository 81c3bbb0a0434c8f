#!/usr/bin/perl
# What was decided, as administrators see it over HTTP.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $t1 = $site->client('t1/admin');
my $t2 = $site->client('t2/admin');
my $life = $site->client('life/admin');
my $management = $site->client('management/admin');
my $reader = $site->client('t1/reader');

sub audit { my ($http, $query) = @_; return $http->get('/devcred/audit' . ($query ? "?$query" : '')) }
sub told { return join ', ', map { "$_->{operation} $_->{outcome} $_->{actor}" } @{ $_[0]->json->{events} } }
sub encoded { return Devcred::Http::path_of($_[0]) =~ s{.*/}{}r }

# Events ------------------------------------------------------------------------------

my $id = device_id() . '-ü%&=';
my $with = 'id=' . encoded($id);
registered($t1, id => $id);
as_bootstrap($t1)->poll($id);
my $made = $t1->accept_device($id);
as_bootstrap($t1)->poll($id);
my $answer = audit($t1, $with);
answers($answer, 200, 'the events of a device');
is($answer->media, 'application/json', 'are JSON');
is(told($answer), join(', ', 'credential_issue ok management/devicebootstrap', 'newdevice_accept ok t1/admin',
	'newdevice_claim ok management/devicebootstrap', 'newdevice_create ok t1/admin'), 'the newest first');
my ($issue, $accept) = @{ $answer->json->{events} };
is(join(' ', @$accept{qw(tenantId id source statusBefore statusAfter)}),
	"t1 $id 127.0.0.1 PENDING_ACCEPTANCE ACCEPTED", 'with all that is known');
like($accept->{time}, qr/\A\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}\+00:00\z/, 'and when');
is($accept->{requestId}, $made->header('X-Request-Id'), 'and which request it was');
ok(!exists $issue->{statusAfter}, 'what there is not is left out');
is(join(' ', map { $_->{seq} } @{ $answer->json->{events} }),
	join(' ', sort { $b <=> $a } map { $_->{seq} } @{ $answer->json->{events} }), 'their numbers go down');

my (@seen, $pages);
for (my $url = $site->base . "/devcred/audit?pageSize=3&$with"; $url && ++$pages < 9;) {
	my $page = $t1->get($url =~ s{\Ahttp://[^/]+}{}r);
	push @seen, map { $_->{seq} } @{ $page->json->{events} };
	$url = $page->field('next');
}
is("$pages @seen", '2 ' . join(' ', map { $_->{seq} } @{ $answer->json->{events} }),
	'following next tells each once');
ok(!defined audit($t1, "pageSize=4&$with")->field('next'), 'there is no next after the last');
registered($t1) for 1 .. 20;
is(scalar @{ audit($t1)->json->{events} }, 20, 'without a size there are 20');
is(audit($t1, 'id=nobody')->body, '{"events":[]}', 'of who is not there are none');
is(told(audit($reader, $with)), told($answer), 'who may read sees them');
is(told(audit($management, $with)), told($answer), 'and the management tenant');
is(audit($t2, $with)->body, '{"events":[]}', 'another tenant does not');
is((grep { $_->{tenantId} ne 't2' } @{ audit($t2, 'pageSize=1000')->json->{events} }), 0,
	'nor anything else that is not its own');
for my $query ('pageSize=0', 'pageSize=x', 'before=0', 'before=9223372036854775808', 'id=%zz', 'before=-1') {
	refuses(audit($t1, $query), 422, 'undefined/validationError',
		qr/Parameter \w+ has a value it cannot have/, "not $query");
}
for my $path ('audit', 'statistics') {
	refuses($site->client($_->[0])->get("/devcred/$path"), $_->[1], 'security/Forbidden', undef, "$path is not for $_->[0]")
	    for ['t1/users', 403], ['t1/bootstrap', 403];
	is($t1->as(undef)->get("/devcred/$path")->status, 401, "nor for nobody");
}

# Days ---------------------------------------------------------------------------------

registered($life);
my $day = $life->get('/devcred/statistics?days=2');
answers($day, 200, 'what happened day by day');
is(@{ $day->json->{days} }, 2, 'has as many days as were asked for');
my ($before) = reverse @{ $day->json->{days} };
my $blocked = pending($life);
$life->update($blocked, 'BLOCKED');
as_bootstrap($life)->poll(accepted($life));
my ($after) = reverse @{ $life->get('/devcred/statistics?days=2')->json->{days} };
is(join(' ', map { "$_ " . ($after->{$_} - $before->{$_}) } qw(registered claimed accepted issued refused)),
	'registered 2 claimed 2 accepted 1 issued 1 refused 1', 'today counts what happened now')
    if $after->{day} eq $before->{day};
ok($after->{waiting} > 0 && $after->{pending} =~ /\A\d+\z/, 'and what waits and is pending');
$site->dbh->do("insert into devcred.event (tenant, registration, device_id, operation, outcome, actor, at)
	values ('life', 1, 'old', 'newdevice_create', 'ok', 'x', now() - interval '40 days')");
is(@{ $life->get('/devcred/statistics')->json->{days} }, 30, 'it is 30 days if nothing is said');
my @days = @{ $life->get('/devcred/statistics?days=41')->json->{days} };
is($days[0]{registered}, 1, 'what is longer ago is counted on its day');
is($t2->get('/devcred/statistics?days=41')->json->{days}[0]{registered}, 0, 'and not for others');
refuses($t1->get("/devcred/statistics?days=$_"), 422, 'undefined/validationError', undef, "not $_ days")
    for 0, 367, 'x';

done_testing;
