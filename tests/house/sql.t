#!/usr/bin/perl
# What can be seen of the SQL without a database: calls and functions fit,
# names are qualified, everything has a comment, the build knows every file.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Source qw(matching text lines sql uncommented keeps);

# Functions without a search_path of their own, and why.
my %pure = map { ($_ => 'a body without quotes is bound to its names when it is '
	. 'made, and only so can it be inlined') } qw(acting_role device_id_is_sound door_actor event_digest iso_time
	login_refill login_room login_slots newdevice_page newdevice_reached rule_like seen_lag);
my $SEARCH_PATH = qr/\bset search_path = pg_catalog, pg_temp\n/;

my @files = matching(qr{^(?:migrations|sql)/[\w.]+\z});
ok(@files > 5, 'there are SQL files');

# Everything that is made: "kind name" => file and line, with the schema the
# name has; and of functions, which may share a name, the text up to the body.
my $kinds = qr/function|procedure|table|view|type|index|sequence|domain|trigger/;
my (%made, %function, %comment);
for my $path (@files) {
	my ($sql, $text) = (sql($path), text($path));
	while ($sql =~ /^create (?:or replace |unique )?($kinds)\s+([\w.]+)/mg) {
		my ($kind, $name, $from) = ($1, $2, $-[1]);
		my $at = "$path:" . (1 + (substr($sql, 0, $from) =~ tr/\n//));
		$made{"$kind $name"} = $at;
		next if $kind ne 'function';
		my ($head) = substr($sql, $from) =~ /\A(.*?(?:\$\$|;))/s;
		my ($parameters) = $head =~ /\((.*?)\)\s*returns\b/s;
		push @{ $function{$name =~ s/.*\.//r} }, { head => $head, at => $at,
			parameters => scalar(() = $parameters =~ /\S[^,]*/g) };
	}
	$comment{"$1 $2"} = 1
	    while $text =~ /^comment on ($kinds)\s+(?:devcred\.)?(\w+)/mg;
}
keeps('whatever is made has a comment',
	map { "$made{$_}: $_ has no comment on it" }
		grep { !$comment{s/ devcred\./ /r} } sort keys %made);
keeps('whatever is made is made in the schema devcred',
	map { "$made{$_}: $_ is not qualified" }
		grep { !/ devcred\.|\A(?:trigger|index) / } sort keys %made);

# The functions -------------------------------------------------------------

keeps('a function has a search_path of its own, or needs none for a reason',
	(map { $function{$_} ? () : "$_: is gone; strike it from this test" }
		sort keys %pure),
	map { my $name = $_;
		map { "$_->{at}: $name has no set search_path = pg_catalog, pg_temp" }
			grep { !$pure{$name} && $_->{head} !~ $SEARCH_PATH } @{ $function{$name} }
	} sort keys %function);
my ($granted) = sql('sql/grants.sql')
    =~ /\bgrant execute on function(.*?)to devcred_app;/s;
my %granted = map { $_ => 1 } ($granted // '') =~ /\bdevcred\.(\w+)\(/g;
keeps('no statement is put together from text', map {
	my $path = $_;
	map { "$path:$_->[0]: $_->[1]" }
		grep { $_->[1] =~ /^\s*execute\s+(?!function\b|procedure\b)/ }
		lines($path, sql($path));
} grep { !m{^(?:sql/(?:roles|reach|audit)|migrations/0008_audit)\.sql\z} } @files);	# names are no parameters

# The calls -----------------------------------------------------------------

my $store = uncommented('common/store.c');
my %calls;
while ($store =~ /\[STORE_(\w+)\] = STATEMENT\((\w+),\s*((?:"[^"]*"\s*)+),\s*(\d+),/g) {
	my ($id, $name, $text, $count) = (lc $1, $2, $3, $4);
	$calls{$name} = { id => $id, count => $count,
		arguments => join '', $text =~ /"([^"]*)"/g };
}
my ($ids) = uncommented('common/store.h') =~ /^enum store_id \{(.*?)\}/ms;
ok(%calls > 5, 'common/store.c has statements');
is_deeply([sort map { $_->{id} } values %calls],
	[sort map { lc } ($ids // '') =~ /\bSTORE_(?!MAX\b)(\w+)/g],
	'every call of store.h has its statement in store.c');
keeps('every call of the service fits a function', map {
	my ($name, $call) = ($_, $calls{$_});
	my $row = "common/store.c: $name";
	my $function = $function{$name};
	my $wanted = join ', ', map { "\$$_" } 1 .. $call->{count};
	($call->{id} ne $name ? "$row: stands in the row of $call->{id}" : (),
	$call->{arguments} ne $wanted
	    ? "$row: passes $call->{arguments}, but counts $call->{count}" : (),
	!$function ? "$row: there is no such function"
	: !(grep { $_->{parameters} == $call->{count} } @$function)
	    ? "$row: $function->[0]{at} has $function->[0]{parameters} parameters" : (),
	!$granted{$name} ? "$row: sql/grants.sql does not grant it" : ())
} sort keys %calls);

# The text ------------------------------------------------------------------

my $relation = join '|', map { /\A(?:table|view) devcred\.(\w+)/ ? $1 : () }
	sort keys %made;
my $types = join '|', map { /\Atype devcred\.(\w+)/ ? $1 : () }
	sort keys %made;
my $functions = join '|', sort keys %function;
my @rules = (
	['keywords are in lower case', qr/(?<!\w)[A-Z]{2,}(?!\w)/],
	['tables and views are named with their schema',
		qr/\b(?:from|join|into|update|references|table|view)\s+(?:$relation)\b(?![.(])/],
	['types are named with their schema', qr/::(?:$types)\b/],
	['functions are called with their schema',
		qr/(?<![.\w])(?:$functions)\s*\(/],
);
for my $rule (@rules) {
	my ($name, $fault) = @$rule;
	keeps($name, map {
		my $path = $_;
		map { "$path:$_->[0]: $_->[1]" }
			grep { $_->[1] =~ $fault } lines($path, sql($path));
	} @files);
}

my ($list) = text('Makefile.am') =~ s/\\\n/ /gr =~ /^sql_files = (.*)/m;
is_deeply([sort split ' ', $list // ''], [sort @files],
	'Makefile.am lists every SQL file');

done_testing;
