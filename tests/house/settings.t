#!/usr/bin/perl
# A setting stands in one table of the code; struct, sample and manual have
# the same settings, with the same defaults and bounds.
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Shell;
use Devcred::Source qw(matching text uncommented keeps output);

my $MANUAL = 'doc/devcred.conf.5';

# The table: name => default, bounds or words.
my (%setting, @order);
my $code = uncommented('common/conf.c');
my ($table) = $code =~ /^static const struct setting settings\[\] = \{(.*?)^\};/ms;
my %words;
while ($code =~ /^static const char \*const (word_\w+)\[\] = \{(.*?)\};/msg) {
	my ($name, $list) = ($1, $2);
	$words{$name} = [$list =~ /"(\w+)"/g];
}
my $string = qr/"((?:[^"\\]|\\.)*)"/;
while (($table // '') =~ /\b(TEXT|NUMBER|WORD)\((\w+),\s*(.*?)\),$
		|\{\s*"(\w+)",\s*(CONF_\w+),(.*?)\},$/msgx) {
	my ($kind, $name, $rest) = $1 ? ($1, $2, $3) : ($5, $4, $6);
	push @order, $name;
	if ($kind eq 'TEXT') {
		$rest =~ /\A$string/ and $setting{$name} = { preset => $1 };
	} elsif ($kind eq 'NUMBER') {
		$rest =~ /\A(\d+),\s*(\d+),\s*$string/
		    and $setting{$name} = { preset => $3, told => [$1, $2] };
	} elsif ($kind eq 'WORD') {
		$rest =~ /\A(\w+),\s*$string/ and $setting{$name}
		    = { preset => $2, told => $words{$1} // [] };
	} else {	# written out: without its offset, bounds and words
		$rest =~ /\A\s*offsetof\([^)]*\),\s*(\d+),\s*(\d+),\s*\w+,
		    \s*$string/x and $setting{$name} = { preset => $3 };
	}
}
ok(@order > 10, 'common/conf.c has a table of settings');
keeps('every row of the table can be read',
	map { "common/conf.c: the row of $_" } grep { !$setting{$_} } @order);
is_deeply([sort keys %{ { map { $_ => 1 } @order } }], [sort @order],
	'no setting stands there twice');

my ($struct) = uncommented('common/conf.h') =~ /^struct conf \{(.*?)^\};/ms;
is_deeply([sort(($struct // '') =~ /\b(\w+);/g)], [sort @order],
	'struct conf has a member for each setting, and no other');

# The programs --------------------------------------------------------------

my ($status, $sample) = output("$Devcred::Shell::BIN/devcred.fcgi", '--sample');
is($status, 0, 'devcred.fcgi --sample succeeds') or diag($sample);
my %sampled;
while ($sample =~ /^((?:# .*\n)+)#(\w+) = (.*)$/mg) {
	$sampled{$2} = $3;
}
is_deeply(\%sampled, { map { $_ => $setting{$_}{preset} } keys %setting },
	'the sample has each setting with its default, below its description');

my $file = File::Temp->new;
print {$file} $sample =~ s/^#(?=\w+ =)//mgr;
close $file;
my %clean = map { $_ => undef } grep { /^DEVCRED_/ } keys %ENV;
delete local @ENV{keys %clean};
($status, my $told) = output("$Devcred::Shell::BIN/devcred.fcgi", '-t', '-c',
	"$file");
is($status, 0, 'the sample is a file of good settings') or diag($told);

# The manual ----------------------------------------------------------------

# Items of the list of settings: name => plain text up to the next one.  Lists
# may stand inside an item.
my (%item, @items, $name);
my $depth = 0;
for my $line (split /\n/, text($MANUAL)) {
	if ($line =~ /^\.(Bl|El)\b/) {
		$depth += $1 eq 'Bl' ? 1 : -1;
	} elsif ($line =~ /^\.Sh\b/) {
		undef $name;
	} elsif ($depth == 1 && $line =~ /^\.It\s+[A-Z][a-z]\s+([a-z]+(?:_[a-z]+)*)\b(.*)/) {
		push @items, $name = $1;
		$item{$name} = " $2";
	} elsif (defined $name && $line !~ /^\.\\"/) {
		$item{$name} .= " $line";
	}
}
ok(-f "$Devcred::Source::TOP/$MANUAL", "$MANUAL is there");
is_deeply([sort @items], [sort @order],
	"$MANUAL has an item for each setting, and no other");

# Whether a text has a word, after what stands before it.
sub says {
	my ($text, $what, $before) = @_;
	return $text =~ /(?<![\w\/.-])$before\Q$what\E(?![\w\/-]|\.\w)/;
}
my $default = qr/default(?: is)?:? +(?:\.[A-Z][a-z] )?/i;
keeps("$MANUAL says every default, bound and word", map {
	my $name = $_;
	my ($preset, $told) = @{ $setting{$name} // {} }{qw(preset told)};
	my $item = $item{$name} // '';
	$preset = 'empty' if ($preset // '') eq '';
	((says($item, $preset, $default) ? ()
	    : "$MANUAL: $name does not say that its default is $preset"),
	map { says($item, $_, '') ? () : "$MANUAL: $name does not say $_" }
		@{ $told // [] })
} @order);
keeps("the examples in $MANUAL are of settings",
	map { $setting{$_} ? () : "$MANUAL: there is no $_" }
		text($MANUAL) =~ /^(\w+) = /mg);

# Names in manuals and shipped files that look like settings are settings.
# what an authorizer tells is none, and is named so too
my %known = (DEVCRED_ => 1, DEVCRED_CONF => 1,
	DEVCRED_TENANT => 1, DEVCRED_DEVICE => 1,
	map { 'DEVCRED_' . uc() => 1 } @order);
keeps('variables DEVCRED_… in manuals and snippets are settings', map {
	my $path = $_;
	map { "$path: there is no $_" }
		grep { !$known{$_} } text($path) =~ /\b(DEVCRED_[A-Z_]*)/g;
} matching(qr{^doc/[\w.]+\.\d\z|^deploy/(?!lib/)\w+/.*\.(?:conf|service)\z}));

done_testing;
