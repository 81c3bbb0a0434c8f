#!/usr/bin/perl
# Includes go downwards: a file includes headers of its own rank or of a lower
# one, and never those of a room that does not belong to its program.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Source qw(matching uncommented lines keeps);

# The order of the house, lowest first.  A new module gets its place here.
my @order = (
	['base', 'common', qw(addr buf clock csv log model text)],
	['doors to libraries', 'common', qw(conf db db_names db_hosts db_conn db_rows db_run
		secret secret_seal secret_sign)],
	['doors to the web server and the system', 'fcgi',
		qw(gateway listen loop metrics multipart notify record repr repr_out
		stream)],
	['meaning', 'common', qw(bulk bulk_row bulk_send bulk_state keyfile keyring store store_rows)],
	['meaning of requests', 'fcgi', qw(keys media pace reply request request_id
		request_query)],
	# what travels carries the login, and auth looks at what travels
	['policy', 'fcgi', qw(auth exchange login)],
	# route.h says what an operation is
	['operations', 'fcgi', qw(audit body bulk credential health life total metrics_text newdevice_list newdevice page route
		smartrest tenant verify)],
	['stages', 'fcgi', qw(conn conn_in conn_out conn_state lane serve
		upload verifier)],
	['spine', 'fcgi', qw(cgi worker worker_drive worker_state)],
	['top', 'fcgi', qw(main pool)],

	['base of devcredctl', 'ctl', qw(embed interrupt schema table web)],
	['commands stand on', 'ctl', qw(args command ctl exported faults help
		keyedit names progress prompt result role seal session)],
	['commands', 'ctl', qw(accept audit auditexport auditverify
		commands_credential commands_database commands_request
		commands_tenant credential doctor doctorcure doctordb
		doctorgate doctorlogin doctorpool doctorrows doctorsock
		doctortry doctorweb housekeep import key login migrate request
		requestlist rule show status tenant user userlist watch)],
	['top of devcredctl', 'ctl', qw(main)],
);
# the rooms whose headers a room may include, besides its own
my %below = (common => [], fcgi => ['common'], ctl => ['common']);

my (%rank, %rank_name);
for my $place (0 .. $#order) {
	my ($name, $room, @modules) = @{ $order[$place] };
	for my $module (@modules) {
		$rank{"$room/$module"} = $place;
		$rank_name{"$room/$module"} = $name;
	}
}

my @sources = matching(qr{^(?:common|ctl|fcgi)/\w+\.[ch]\z});
my %header = map { $_ => 1 } grep { /\.h\z/ } @sources;
my %module = map { s/\.[ch]\z//r => 1 } @sources;

ok(@sources > 20, 'there are sources to look at');
keeps('every module has a rank',
	map { "$_: has no place in the order of tests/house/includes.t" }
		grep { !exists $rank{$_} } sort keys %module);
keeps('every module with a rank exists',
	map { "$_: is gone; strike it from tests/house/includes.t" }
		grep { !$module{$_} } sort keys %rank);

# What an include in a file of a room means; undef if nothing there.
sub resolve {
	my ($room, $name) = @_;
	for my $place ($room, @{ $below{$room} }) {
		return "$place/$name" if $header{"$place/$name"};
	}
	return;
}

my (@lost, @upwards, @twice);
for my $path (@sources) {
	my ($room, $module) = $path =~ m{^(\w+)/(\w+)};
	my %seen;
	for (lines($path, uncommented($path))) {
		my ($number, $line) = @$_;
		next unless $line =~ /^\s*#\s*include\s+(["<])([^">]+)/;
		push @twice, "$path:$number: $2 is included twice"
		    if $seen{$2}++;
		next if $1 eq '<';
		my $name = $2;
		my $found = resolve($room, $name);
		if (!$found) {
			push @lost, "$path:$number: $name is in no room that "
			    . "$room/ may include from";
			next;
		}
		my $other = $found =~ s/\.h\z//r;
		next if ($rank{$other} // 0) <= ($rank{"$room/$module"} // 99);
		push @upwards, "$path:$number: $name ($rank_name{$other}) is "
		    . "above $module ($rank_name{qq($room/$module)})";
	}
}
# A fuzz target hands bytes to what the service is made of, and knows nothing of
# the tests but what they are prepared with.
for my $path (matching(qr{^tests/fuzz/\w+\.[ch]\z})) {
	for (lines($path, uncommented($path))) {
		my ($number, $line) = @$_;
		next unless $line =~ /^\s*#\s*include\s+"([^"]+)/;
		push @lost, "$path:$number: $1 is not for fuzz targets"
		    unless $1 eq 'fuzz.h' || $1 eq '../unit/fixture.h'
		    || $1 eq '../../ctl/table.h' || resolve('fcgi', $1);
	}
}
keeps('a room includes its own headers and those of common', @lost);
keeps('includes go downwards', @upwards);
keeps('no header is included twice', @twice);

# The headers of one rank may know each other, but not in a circle.
my %includes;
for my $path (keys %header) {
	my ($room) = $path =~ m{^(\w+)/};
	$includes{$path} = [grep { defined } map { resolve($room, $_) }
		uncommented($path) =~ /^\s*#\s*include\s+"([^"]+)"/gm];
}
my (%done, @circles);
sub walk {
	my ($path, @way) = @_;
	if (grep { $_ eq $path } @way) {
		push @circles, join ' -> ', @way, $path;
		return;
	}
	return if $done{$path};
	walk($_, @way, $path) for @{ $includes{$path} };
	$done{$path} = 1;
	return;
}
walk($_) for sort keys %header;
keeps('headers do not include each other in a circle', @circles);

done_testing;
