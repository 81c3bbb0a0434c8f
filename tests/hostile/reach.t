#!/usr/bin/perl
# Every operation there is, asked for by every role about what belongs to another
# tenant: answered as for what does not exist, byte for byte; and what belongs to
# the other is as it was.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Source qw(matching uncommented);

# The operations, from the source: a new one is asked for by itself.
my %operation;
for my $file (matching(qr{^fcgi/\w+\.c\z})) {
	my $text = uncommented($file);
	while ($text =~ /"(\w+)",\s*"([A-Z]+)",\s*"(\/[^"]*)",\s*\{\s*([^,]*),/g) {
		$operation{$1} = { name => $1, method => $2, path => $3, roles => $4 };
	}
}
cmp_ok(scalar keys %operation, '>=', 30, 'there are operations');

my $site = Devcred::Site->new(web => 'nginx');
my $dbh = $site->dbh;
my $t1 = $site->client('t1/admin');
my $t2 = $site->client('t2/admin');
my $issued = issued($t1);
my %who = (
	admin => $t1, operator => $site->client('t1/operator'),
	reader => $site->client('t1/reader'), users => $site->client('t1/users'),
	bootstrap => $site->client('t1/bootstrap'),
	device => $t1->as('t1/' . $issued->field('username') . ':' . $issued->field('password')),
	nobody => $site->client, gone => $site->client('t1/gone'),
	wrong => $t1->as('t1/somebody:wrong'),
);
my %role = (
	admin => [qw(ROLE_DEVICE_CONTROL_ADMIN ROLE_DEVICE_CONTROL_READ)],
	operator => ['ROLE_DEVICE_CONTROL_ADMIN'], reader => ['ROLE_DEVICE_CONTROL_READ'],
	users => ['ROLE_USER_MANAGEMENT_ADMIN'], bootstrap => ['ROLE_DEVICE_BOOTSTRAP'],
	device => ['ROLE_DEVICE'],
);
sub may {
	my ($who, $op) = @_;
	return 1 if $op->{roles} =~ /ROLE_NONE/;
	return 0 if !$role{$who};
	return $op->{roles} =~ /ROLE_ANY/ || grep { $op->{roles} =~ /\b$_\b/ } @{ $role{$who} };
}

# What is asked with it, and whether that names the device.
my $JSON = 'application/json';
my %body = (
	newdevice_update => [$JSON, '{"status":"BLOCKED"}'],
	credential_update => [$JSON, '{"status":"DISABLED"}'],
	credential_issue => [$JSON, '{"id":"%s"}'],
	smartrest => ['text/plain', '61,%s'],
	tenant_option_set => [$JSON, '{"value":"OPTIONAL"}'],
	newdevice_create => [$JSON, '{"no":"id"}'],
	bulk_create => ['multipart/form-data; boundary=x', "--x--\r\n"],
	map { ("verify_$_" => ['application/x-www-form-urlencoded',
		'username=t2/device_%s&password=x&clientid=x']) } qw(emqx rabbitmq mosquitto),
);
sub ask {
	my ($http, $op, $id) = @_;
	my $path = $op->{path} =~ s/\{id\}/$id/r;
	my ($type, $body) = @{ $body{ $op->{name} } // [] };
	$body =~ s/%s/$id/ if defined $body;
	return $http->request($op->{method}, $path, defined $body ? (type => $type, body => $body) : ());
}

# What an answer says, but for the id that was asked for and what differs anyway.
sub told {
	my ($answer, $id) = @_;
	my @headers = map { "$_->[0]: $_->[1]" }
	    grep { $_->[0] !~ /\A(?:date|x-request-id|retry-after|content-length)\z/ } @{ $answer->{headers} };
	(my $text = join "\n", $answer->status, (sort @headers), $answer->body) =~ s/\Q$id\E/ID/g;
	return $text;
}

# All that the other tenant has, but for what seconds do to it.
sub possessions {
	return join "\n", map { @{ $dbh->selectcol_arrayref($_) } }
	    q{select (to_jsonb(r) - 'last_seen_at')::text from devcred.newdevice_request r where tenant = 't2' order by id},
	    q{select (to_jsonb(c) - 'failures' - 'failed_at')::text from devcred.device_credential c where tenant = 't2' order by device_id},
	    q{select to_jsonb(t)::text from devcred.tenant t where id = 't2'},
	    q{select to_jsonb(u)::text from devcred.tenant_user u where tenant = 't2' order by name},
	    q{select to_jsonb(e)::text from devcred.event e where tenant = 't2' order by seq},
	    q{select to_jsonb(c)::text from devcred.claimant c where tenant = 't2' order by digest},
	    q{select to_jsonb(s)::text from devcred.setting_event s where tenant = 't2' order by 1};
}

my %theirs = (
	'a waiting request' => registered($t2), 'a pending one' => pending($t2),
	'an accepted one' => accepted($t2), 'a credential' => issued($t2)->field('id'),
);
# as long as theirs, and of the same form
my %none = map { my $id = device_id(); ($_ => $id) } keys %theirs;
my $before = possessions();

for my $name (sort keys %operation) {
	my $op = $operation{$name};
	my (@differs, @status);

	for my $who (sort keys %who) {
		for my $what (sort keys %theirs) {
			my $answer = ask($who{$who}, $op, $theirs{$what});
			my $there = told($answer, $theirs{$what});
			my $none = told(ask($who{$who}, $op, $none{$what}), $none{$what});
			# what is the asker's own may be there in both, and grow
			push @differs, "$who, $what:\n$there\nbut of one that is not there:\n$none"
			    if $there ne $none && ($op->{path} =~ /\{id\}/ || $body{$name});
			push @differs, "$who is shown $what:\n$there"
			    if $answer->body =~ /\Q$theirs{$what}\E/ && $op->{path} !~ /\{id\}/
				&& ($body{$name}[1] // '') !~ /%s/;
			my $status = $answer->status;
			my $should = !may($who, $op) ? $role{$who} ? '403|429' : '401|429'
			    # who asked for what is not there: nobody
			    : $name eq 'newdevice_claims' ? '200'
			    : $op->{path} =~ /\{id\}/ ? '404' : '...';
			# who asks for a login is told no, whoever he is himself
			$should = '401|403' if $name eq 'verify' && !may($who, $op);
			$should = '200|401' if $name =~ /\Averify_|\Asmartrest\z/;
			push @status, "$who, $what: $status, not $should" if $status !~ /\A(?:$should)\z/;
		}
	}
	is_deeply(\@differs, [], "$name: what another tenant has is as what is not there");
	is_deeply(\@status, [], "$name: and refused, or not found");
}
is(possessions(), $before, 'nothing of the other tenant has changed');

# Its own, to show that all of it could be seen.
is($t2->look($theirs{$_})->status, 200, "its tenant sees $_") for 'a waiting request', 'a pending one', 'an accepted one';
is($t2->get("/devcred/credentials/$theirs{'a credential'}")->status, 200, 'and a credential');

done_testing();
