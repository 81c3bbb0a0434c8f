#!/usr/bin/perl
# Whatever is sent to a web server, the answer is the one that requests.txt has
# for it, behind each kind of web server.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use POSIX ();
use Time::HiRes ();
use Devcred::Test;
use Devcred::Corpus;

my $table = Devcred::Corpus::read("$FindBin::Bin/requests.txt");
my @requests = @{ $table->{requests} };
my $PATIENCE = 2;    # seconds, for the answer to what is not whole
my $AT_ONCE = 2;     # kinds of web server
my $dir = Devcred::Shell::new_dir();

# The table ----------------------------------------------------------------------

cmp_ok(scalar @requests, '>=', 200, 'there are two hundred requests');
my %known = map { $_ => 1 } sort map { $_->{text} } @requests;
is(scalar keys %known, scalar @requests, 'no two of them are the same');
my %used = map { $_->[1] => 1 } map { values %{ $_->{except} } } @requests;
is(join(' ', sort keys %used), join(' ', sort keys %{ $table->{reasons} }),
	'every exception has a reason, and no reason is without one');
my @kinds = Devcred::Site::kinds();
my @faults = grep {
	my $request = $_;
	grep { /5\d\d\z/ && !/\Aown50[15]\z/ } $request->{answer},
	    map { $request->{except}{$_}[0] } grep { $_ ne 'apache-fcgid' }
		keys %{ $request->{except} };
} @requests;
is_deeply(\@faults, [], 'none is answered that something failed, but for those'
	. ' that mod_fcgid answers so');

# Asking -------------------------------------------------------------------------

# What is wrong with an answer, besides its status; undef if nothing is.
sub wrong {
	my ($got, $word) = @_;
	$got =~ s{\AHTTP/1\.1 100 .*?\r\n\r\n}{}s;
	my ($head, $body) = split /\r\n\r\n/, $got, 2;

	return undef if $word eq 'none';
	return 'a header that the request made up' if $head =~ /^X-Bad/im;
	return undef if $word !~ /\A[45]/;
	return 'more than one X-Request-Id'
	    if 1 < (() = $head =~ /^X-Request-Id:/gim);
	return 'not the media type of an error'
	    if $head !~ m{^Content-Type: application/vnd\.com\.nsn\.cumulocity\.error\+json}im;
	return undef if $head =~ /^Content-Length: 0\r?$/im || $body eq '';
	$body =~ s/\A[0-9a-f]+\r\n(.*)\r\n0\r\n\r\n\z/$1/si if $head =~ /chunked/i;
	my $json = eval { JSON::PP->new->utf8->decode($body) };
	return ref $json eq 'HASH' && defined $json->{message} ? undef
	    : 'a body that is no error';
}

# In a process of its own: the answers of one kind of web server.
sub ask_all {
	my ($kind) = @_;
	my $site = Devcred::Site->new(web => $kind,
		conf => { workers => 2, body_timeout => 1500 });
	my %seen;

	for my $request (@requests) {
		my $got = Devcred::Corpus::answers($site,
			Devcred::Corpus::bytes($site, $request->{text}), $PATIENCE);
		my $word = Devcred::Corpus::word($got);
		my $wrong = wrong($got, $word);
		$seen{answer}{ $request->{line} } = $word . ($wrong ? ": $wrong" : '');
		$seen{got}{ $request->{line} } = substr $got, 0, 1000;
	}
	$seen{after} = $site->client('t1/admin')->get($Devcred::Http::REQUESTS)->status;
	$seen{ids} = $site->dbh->selectcol_arrayref(
		'select id from devcred.newdevice_request order by id');
	$seen{died} = [$site->service_log =~ /^.*\bworker_died\b.*$/mg];
	Devcred::Shell::write_file("$dir/$kind", JSON::PP->new->encode(\%seen));
	return;
}

my @waiting = @kinds;
my %running;
Devcred::Cluster->shared;    # before there are two who make it
while (@waiting || %running) {
	while (@waiting && keys %running < $AT_ONCE) {
		my $kind = shift @waiting;
		my $pid = fork // die "fork: $!\n";
		if ($pid == 0) {
			my $done = eval { ask_all($kind); 1 };
			warn "$kind: $@" unless $done;
			Devcred::Site->stop_all;
			POSIX::_exit($done ? 0 : 1);
		}
		$running{$pid} = $kind;
	}
	my $kind = delete $running{ waitpid -1, 0 };
	ok($? == 0, "$kind was asked") if defined $kind;
}

# What came ------------------------------------------------------------------------

my (@sections, %of_section);
for my $request (@requests) {
	my $section = $request->{section};
	push @sections, $section unless $of_section{$section};
	push @{ $of_section{$section} }, $request;
}
my %named = map { $_ => 1 } map { $_->{text} =~ /"(\w+)"\}/ } @requests;

for my $kind (@kinds) {
	my $text = Devcred::Shell::read_file("$dir/$kind");
	my $seen = $text eq '' ? {} : JSON::PP->new->decode($text);

	for my $section (@sections) {
		my @wrong;
		for my $request (@{ $of_section{$section} }) {
			my $line = $request->{line};
			my $wanted = $request->{except}{$kind}
			    ? $request->{except}{$kind}[0] : $request->{answer};
			my $answer = $seen->{answer}{$line} // 'nothing';
			push @wrong, "line $line: $request->{text}\n"
			    . "wanted $wanted, got $answer:\n"
			    . ($seen->{got}{$line} // '') if $answer ne $wanted;
		}
		ok(!@wrong, "$kind: $section") or diag(join "\n", @wrong);
	}
	is($seen->{after}, 200, "$kind: after all this, it serves");
	is_deeply($seen->{died}, [], "$kind: no worker has died");
	is_deeply([grep { !$named{$_} } @{ $seen->{ids} // ['?'] }], [],
		"$kind: nothing was registered that no request names");
}

done_testing();
