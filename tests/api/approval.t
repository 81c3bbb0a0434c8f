#!/usr/bin/perl
# Accepting all that waits, and the limit of devices.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;

my $site = Devcred::Site->shared;
my $dbh = $site->dbh;
my $t1 = $site->client('t1/admin');

# Accept all -------------------------------------------------------------------

my $all = $site->client('all/admin');
my $path = "$Devcred::Http::REQUESTS/acceptAll";

# As the vendor's own client asks.
sub accept_all { return $_[0]->request('POST', $path, accept => '*/*', length => 0) }

my $answer = accept_all($all);
answers($answer, 200, 'acceptAll with nothing to accept');
is($answer->body, '[]', 'is an empty array');

my @plain = sort map { pending($all) } 1 .. 3;
my $token = pending($all, token => 'sesame');
my $waiting = registered($all);
my $foreign = pending($t1);
$answer = accept_all($all);
answers($answer, 200, 'acceptAll with three that wait');
is($answer->media, 'application/json', 'is JSON');
my %result = map { $_->{id} => $_ } @{ $answer->json };
is(join(' ', sort keys %result), join(' ', sort @plain, $token),
	'answers for each of the tenant that is pending, and for no other');
is((grep { $result{$_}{successful} } @plain), 3, 'those without a token are accepted');
is($result{$token}{error}{error}, 'devicecontrol/Unprocessable Entity',
	'one with a token is not');
like($result{$token}{error}{message}, qr/security key does not match/, 'and it says why');
is($all->look($plain[0])->field('status'), 'ACCEPTED', 'which is true');
is($all->look($token)->field('status'), 'PENDING_ACCEPTANCE', 'as is the refusal');
is($all->look($waiting)->field('status'), 'WAITING_FOR_CONNECTION',
	'one that no device asked for stays as it is');
is($t1->look($foreign)->field('status'), 'PENDING_ACCEPTANCE',
	"and so does another tenant's");
answers(as_bootstrap($all)->poll($_), 201, "$_ gets its credentials") for @plain;
accept_all($all) for 1 .. 5;
is($all->look($token)->field('status'), 'PENDING_ACCEPTANCE',
	'asking again and again is no guess at the token');
answers($all->accept_device($token, with => { securityToken => 'sesame' }), 200,
	'which still works');
is($dbh->selectrow_array("select count(*) from devcred.audit where operation =
	'newdevice_accept' and outcome = 'ok' and actor = 'all/admin'
	and device_id in (?, ?, ?)", undef, @plain), 3, 'each acceptance is audited');

# The limit ----------------------------------------------------------------------

my $limit = $site->client('limit/admin');
my $device = as_bootstrap($limit);

sub limit_is {
	my ($want, $name) = @_;
	my $is = $limit->get("$Devcred::Http::REQUESTS/limit", accept => '*/*');
	is_deeply([$is->status, $is->json], [200, $want], $name) or diag($is->told);
	return;
}

$dbh->do("update devcred.tenant set device_limit = null where id = 'limit'");
my $known = accepted($limit);
answers($device->poll($known), 201, 'a device gets its credentials');
limit_is({ isReached => JSON::PP::false }, 'without a limit none is reached');
my ($count) = $dbh->selectrow_array("select devcred.device_count('limit')");
$dbh->do("update devcred.tenant set device_limit = ? where id = 'limit'",
	undef, $count + 1);
limit_is({ isReached => JSON::PP::false }, 'with room for one more it is not reached');

my ($last, $beyond) = map { pending($limit) } 1 .. 2;
answers($limit->accept_device($last), 200, 'the last one is accepted');
limit_is({ isReached => JSON::PP::true, limit => $count + 1,
	deviceCount => $count + 1 }, 'then it is reached');
refuses($limit->accept_device($beyond), 422, 'devicecontrol/Unprocessable Entity',
	qr/reached devices limit/, 'one more is refused');
$answer = accept_all($limit);
is($answer->json->[0]{successful} ? 1 : 0, 0, 'also among all');
answers($device->poll($last), 201, 'the last one gets its credentials');
refuses($device->poll($beyond), 404, 'devicecontrol/Not Found',
	qr/PENDING_ACCEPTANCE/, 'the refused one waits');

pending($limit, id => $known);
answers($limit->accept_device($known), 200, 'a device that is known is accepted again');
answers($device->poll($known), 201, 'and gets new credentials');

$dbh->do("update devcred.tenant set device_limit = 0 where id = 'limit'");
refuses($limit->accept_device($beyond), 422, 'devicecontrol/Unprocessable Entity',
	qr/reached devices limit/, 'a limit of nothing lets nobody in');
$dbh->do("update devcred.tenant set device_limit = null where id = 'limit'");
answers($limit->accept_device($beyond), 200, 'without it the refused one is accepted');

# Who may ------------------------------------------------------------------------

refuses(accept_all($site->client('t1/reader')), 403, 'security/Forbidden', undef,
	'who may only read cannot accept all');
answers($site->client('t1/reader')->get("$Devcred::Http::REQUESTS/limit"), 200,
	'but may see the limit');
refuses(accept_all(as_bootstrap($all)), 403, 'security/Forbidden', undef,
	'nor can a device');

done_testing();
