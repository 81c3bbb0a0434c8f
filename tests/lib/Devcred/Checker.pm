package Devcred::Checker;

# What has to be true when all is over, whatever was killed meanwhile: found out
# from what the clients wrote down (Devcred::Fleet, Devcred::Lossy, or
# Devcred::History) and from the database, not from what the service believes.
#
# passwords() and audit() judge a fleet, answered() a history; invariants() and
# betrayed() both.

use strict;
use warnings;
use parent 'Exporter';
use Digest::SHA ();
use List::Util ();
use MIME::Base64 ();
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

# A history of single operations.  Options: history, dbh.
sub of_history {
	my ($class, %arg) = @_;
	my $self = bless { dbh => $arg{dbh}, entries => [$arg{history}->entries],
		password => {} }, $class;

	for my $entry (grep { defined $_->{password} } @{ $self->{entries} }) {
		$self->{password}{ $entry->{id} }{ $entry->{password} }++;
	}
	return $self;
}

# Any database.  Options: dbh, password ({ device => password }, of those known).
sub of_database {
	my ($class, %arg) = @_;
	my %known = %{ $arg{password} // {} };
	return bless { dbh => $arg{dbh}, password => { map { $_ => { $known{$_} => 1 } } keys %known } },
	    $class;
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

# Deliveries that no client knows of: their answers were lost, though they had
# been committed.
sub unknown_deliveries {
	my ($self) = @_;
	my %told = map { $_ => List::Util::sum0(values %{ $self->{password}{$_} }) }
	    keys %{ $self->{password} };

	return List::Util::sum0(map { $_->{deliveries} - ($told{ $_->{device_id} } // 0) }
		rows_of($self->{dbh}, 'select device_id, deliveries from devcred.device_credential'));
}

# Of every database ------------------------------------------------------------

# a refusal can change a request too: one that came too often with a wrong token
my $CHAIN = "(e.operation like 'newdevice%' or e.operation = 'credential_issue')
	and e.operation !~ '_claim_'";

# A credential for each acceptance at most, none without, all of it in the audit,
# and at most one password that works.
sub invariants {
	my ($self) = @_;
	my $dbh = $self->{dbh};
	my $wrong = sub {
		my ($name, $sql) = @_;
		none($name, map { join ' ', map { $_ // 'none' } @$_ }
			@{ $dbh->selectall_arrayref($sql) });
	};

	$wrong->('at most one credential was issued for a registration', "select e.device_id, e.registration
		from devcred.event e where e.operation = 'credential_issue' and e.outcome = 'ok'
		group by 1, 2 having count(*) > 1");
	$wrong->('and only after that registration was accepted', "select e.device_id, e.registration
		from devcred.event e where e.operation = 'credential_issue' and e.outcome = 'ok'
		and not exists (select from devcred.event a where a.registration = e.registration
		and a.device_id = e.device_id and a.operation = 'newdevice_accept'
		and a.outcome = 'ok' and a.seq < e.seq and a.at <= e.at)");
	$wrong->('each decision in the audit starts where the one before it ended', "select * from (
		select e.device_id, e.seq, e.operation, e.status_before,
			lag(e.status_after) over (partition by e.device_id, e.registration order by e.seq) as at
		from devcred.event e where $CHAIN) e where e.status_before is distinct from e.at");
	$wrong->('and requests are where the last one left them', "select coalesce(r.id, e.device_id),
		r.status, e.status_after from devcred.newdevice_request r full join (
		select distinct on (e.device_id) e.device_id, e.status_after
		from devcred.event e where $CHAIN order by e.device_id, e.seq desc) e
		on e.device_id = r.id where r.status is distinct from e.status_after");
	$wrong->('every generation of a password is an issue in the audit, and no other', "select
		device_id, c.generation, e.n from devcred.device_credential c full join (
		select device_id, count(*) as n from devcred.event e where outcome in ('ok', 'updated') and operation in
		('credential_issue', 'credential_reissue', 'credential_rotate', 'credential_create')
		and not exists (select from devcred.event r where r.device_id = e.device_id
			and r.seq > e.seq and r.outcome = 'ok'
			and r.operation in ('credential_revoke', 'credential_decommission'))
		group by 1) e using (device_id) where c.generation is distinct from e.n
		and (e.n is not null or exists (select from devcred.event a
			where a.device_id = c.device_id))");
	my %row = map { $_->{device_id} => $_ } rows_of($dbh, "select device_id,
		encode(password_salt, 'hex') as salt, encode(password_hash, 'hex') as hash,
		encode(old_hash, 'hex') as old from devcred.device_credential");
	none('no device has two passwords that work, and each has one', grep {
		my $row = $row{$_} // { hash => '', salt => '' };
		1 != grep { fits($row, $_) || defined $row->{old}
			&& fits({ %$row, hash => $row->{old} }, $_) } keys %{ $self->{password}{$_} }
	} keys %{ $self->{password} });
	return;
}

# Of a history -------------------------------------------------------------------

# Operation and the status that says that it was done => what the audit has then.
my %DONE = (register => [201, 'create'], accept => [200, 'accept'], block => [200, 'block'],
	lift => [200, 'lift'], delete => [200, 'delete'], poll => [201, 'credential']);

# What was acknowledged is in the audit, between the question and the answer,
# once each; and there is nothing that nobody asked for.
sub answered {
	my ($self, $allowed) = @_;
	my (%event, %sure, %maybe, @odd);

	for my $entry (@{ $self->{entries} }) {
		my ($status, $kind) = @{ $DONE{ $entry->{operation} } };
		my $key = "$kind $entry->{id}";
		if ($entry->{status} == $status) {
			push @{ $sure{$key} }, $entry;
		} elsif ($entry->{status} == 0 || $entry->{status} == 503) {
			push @{ $maybe{$key} }, $entry;
		} elsif ($entry->{status} !~ $allowed) {
			push @odd, "$entry->{operation} $entry->{id}: $entry->{status}";
		}
	}
	none('no operation got an answer that it should not', @odd);
	for my $event (rows_of($self->{dbh}, "select device_id, extract(epoch from at) as at,
		case when operation like 'credential%' then 'credential'
			else substr(operation, 11) end as kind
		from devcred.event where outcome = 'ok' and operation in ('newdevice_create',
			'newdevice_accept', 'newdevice_block', 'newdevice_lift', 'newdevice_delete',
			'credential_issue', 'credential_deliver', 'credential_reissue') order by at")) {
		push @{ $event{"$event->{kind} $event->{device_id}"} }, $event->{at};
	}
	my (@missing, @extra);
	for my $key (keys %{ { %event, %sure } }) {
		my ($missing, $extra) = matched($event{$key} // [], $sure{$key} // [], $maybe{$key} // []);
		push @missing, "$key: $missing" if $missing;
		push @extra, "$key: $extra" if $extra;
	}
	none('what was acknowledged was done between question and answer, once each', @missing);
	none('and nothing was done that nobody asked for', @extra);
	return;
}

# How many operations have no event of their own, and the other way round.  Times
# of events in order; each belongs to the operation under way that ends first.
sub matched {
	my ($events, $sure, $maybe) = @_;
	my @sure = sort { $a->{end} <=> $b->{end} } @$sure;
	my @maybe = sort { $a->{begin} <=> $b->{begin} } @$maybe;
	my $extra = 0;

	for my $at (@$events) {
		my ($of) = grep { $sure[$_]{begin} <= $at && $at <= $sure[$_]{end} } 0 .. $#sure;
		if (defined $of) {
			splice @sure, $of, 1;
		} elsif (@maybe && $maybe[0]{begin} <= $at) {
			shift @maybe;
		} else {
			$extra++;
		}
	}
	return (scalar @sure, $extra);
}

# Where there must be no password ------------------------------------------------

# Files below these paths that hold a password that was told: as it is, in
# hexadecimal, or as a client sends it.
sub betrayed {
	my ($self, @path) = @_;
	my $patterns = File::Temp->new;

	for my $id (keys %{ $self->{password} }) {
		for my $password (keys %{ $self->{password}{$id} }) {
			my $login = MIME::Base64::encode_base64("t1/device_$id:$password", '');
			print {$patterns} map { "$_\n" } $password, unpack('H*', $password),
			    $login =~ s/=*\z//r;
		}
	}
	$patterns->flush;
	my ($status, $text) = Devcred::Shell::run(
		['grep', '-raFl', '-f', "$patterns", @path], env => { LC_ALL => 'C' });
	die "grep failed ($status): $text" if $status > 1;
	return split /\n/, $text;
}

# Logs of these sites, and of their cluster.
sub no_secret_in_logs {
	my ($self, @sites) = @_;
	none('no log has a password', $self->betrayed(
		map { glob "$_->{dir}/*.log $_->{dir}/web/*.log $_->{cluster}{dir}/*.log" } @sites));
	return;
}

1;
