package Devcred::Checker;

# What has to be true of a fleet's devices when all is over, whatever was killed
# meanwhile: found out from what they wrote down (Devcred::Fleet, Devcred::Lossy)
# and from the database, not from what the service believes.

use strict;
use warnings;
use parent 'Exporter';
use Digest::SHA ();
use List::Util ();
use Test::More;

use Devcred::Shell;

our @EXPORT_OK = qw(none rows_of);

# Options: fleet; dbh (superuser's).
sub new {
	my ($class, %arg) = @_;
	my $self = bless { %arg, password => {}, lost => {}, in => {}, odd => [] }, $class;
	my $fleet = $arg{fleet};

	# password by device; every one of them if there were several
	for my $name ($self->clients) {
		$self->{password}{ $_->[0] }{ $_->[1] }++ for $fleet->lines($name, 'got');
		$self->{in}{ $_->[0] }++ for $fleet->lines($name, 'in');
		push @{ $self->{odd} }, map { "@$_" } $fleet->lines($name, 'odd');
	}
	for my $line (map { Devcred::Shell::read_file($_) =~ /^lost (.*)$/mg }
	    glob "$fleet->{dir}/lost*.log") {
		my ($id, $password) = split / /, $line;
		$self->{password}{$id}{$password}++;
		$self->{lost}{$id}++;
	}
	$self->{sole} = { map { $_ => (keys %{ $self->{password}{$_} })[0] }
		keys %{ $self->{password} } };
	for my $word (qw(registered accepted)) {
		$self->{acknowledged}{$word} = [map { $_->[0] } $fleet->lines('admin', $word)];
	}
	return $self;
}

sub clients { return grep { $_ ne 'admin' } $_[0]{fleet}->names }

# The list is empty; if not, some of it is shown.
sub none {
	my ($name, @wrong) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(!@wrong, $name) or diag(scalar(@wrong), ":\n",
		map { "$_\n" } @wrong > 10 ? @wrong[0 .. 9] : @wrong);
	return;
}

sub rows_of {
	my ($dbh, $sql, @value) = @_;
	return @{ $dbh->selectall_arrayref($sql, { Slice => {} }, @value) };
}

sub fits {
	my ($row, $password) = @_;
	return Digest::SHA::sha256_hex($password . pack 'H*', $row->{salt}) eq $row->{hash};
}

sub passwords {
	my ($self) = @_;
	my @ids = @{ $self->{fleet}{ids} };
	my ($password, $sole, $in) = @$self{qw(password sole in)};
	my %row = map { $_->{device_id} => $_ } rows_of($self->{dbh}, "select device_id, tenant, generation,
		deliveries, old_hash is not null as old, sealed is not null as open,
		first_used_at is not null as used, encode(password_salt, 'hex') as salt,
		encode(password_hash, 'hex') as hash from devcred.device_credential");

	none('no device ever got an answer that it should not', @{ $self->{odd} });
	none('every device has been told a password', grep { !$sole->{$_} } @ids);
	none('and always the same one, in every answer that was sent',
		grep { keys %{ $password->{$_} } > 1 } @ids);
	is(scalar(keys %row), scalar(@ids), 'there is one credential a device');
	none('what it was told is its password',
		grep { !$row{$_} || !fits($row{$_}, $sole->{$_} // '') } @ids);
	none('and there was never another',
		grep { !$row{$_} || $row{$_}{old} || $row{$_}{generation} != 1 } @ids);
	none('who logged in had its window closed', grep { $row{$_}{open} } keys %$in);
	none('and its first use noted', grep { !$row{$_}{used} } keys %$in);
	none('no use was noted of who did not log in',
		grep { $row{$_}{used} && !$in->{$_} && !/\A(?:lossy|calm)-/ } @ids);
	none('every answer that was sent is counted as a delivery', grep {
		($row{$_}{deliveries} // 0) < List::Util::sum0(values %{ $password->{$_} })
	} @ids);
	return;
}

sub audit {
	my ($self) = @_;
	my @ids = @{ $self->{fleet}{ids} };
	my ($sole, $in) = @$self{qw(sole in)};
	my %ok;    # by operation and device: when
	my @event = rows_of($self->{dbh}, "select seq, device_id, operation from devcred.event
		where outcome = 'ok' order by seq");

	push @{ $ok{ $_->{operation} }{ $_->{device_id} } }, $_->{seq} for @event;
	for my $operation (qw(newdevice_create newdevice_claim newdevice_accept
	    credential_issue)) {
		none("there is exactly one $operation a device",
			grep { @{ $ok{$operation}{$_} // [] } != 1 } @ids);
	}
	none('each issued after it was accepted, that after it was claimed', grep {
		my $id = $_;
		my @seq = map { $ok{$_}{$id}[0] // 0 } qw(newdevice_create
			newdevice_claim newdevice_accept credential_issue);
		"@seq" ne join ' ', sort { $a <=> $b } @seq
	} @ids);
	none('every registration that was acknowledged is there',
		grep { !$ok{newdevice_create}{$_} } @{ $self->{acknowledged}{registered} });
	none('every acceptance that was acknowledged is there',
		grep { !$ok{newdevice_accept}{$_} } @{ $self->{acknowledged}{accepted} });
	none('every login that was acknowledged is there, once',
		grep { @{ $ok{credential_confirm}{$_} // [] } != 1 } keys %$in);
	my %deliveries = map { @$_{qw(device_id deliveries)} }
	    rows_of($self->{dbh}, 'select device_id, deliveries from devcred.device_credential');
	none('every further delivery is in the audit',
		grep { $deliveries{$_} != 1 + @{ $ok{credential_deliver}{$_} // [] } } @ids);
	is((rows_of($self->{dbh}, 'select count(*) as n from devcred.newdevice_request'))[0]{n}, 0,
		'no request is left');
	none('nothing was issued to anybody else', grep { !$sole->{$_} }
		keys %{ $ok{credential_issue} });
	return;
}

1;
