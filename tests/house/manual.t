#!/usr/bin/perl
# The manuals are well formed and know what the programs know, and no link
# leads nowhere.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Glob ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::CtlHelp qw(commands);
use Devcred::Shell;
use Devcred::Source qw(matching text lines keeps output);

my $top = $Devcred::Source::TOP;
my @pages = matching(qr{^doc/[\w.-]+\.[1-9]\z});
my %page = map { s{^doc/}{}r => 1 } @pages;
my ($mandoc) = output('sh', '-c', 'command -v mandoc');

ok(@pages > 0, 'there are manuals');
SKIP: {
	skip 'mandoc is not installed', 1 if $mandoc;
	keeps('mandoc finds nothing wrong with them', map {
		my ($status, $told) = output('mandoc', '-Tlint', '-W', 'warning', $_);
		$status || $told ne '' ? $told : ();
	} @pages);
}
keeps('a manual has the title of its file', map {
	my ($name, $section) = m{([^/]+)\.(\d)\z};
	grep({ $_->[1] eq '.Dt ' . uc($name) . " $section" } lines($_)) ? ()
	    : "$_: its .Dt is not for $name($section)";
} @pages);
keeps('our manuals refer to manuals that exist', map {
	my $path = $_;
	map { $_->[1] =~ /^\.(?:.* )?Xr (devcred[\w.-]*) (\d)/ && !$page{"$1.$2"}
		? "$path:$_->[0]: there is no $1($2)" : () } lines($path);
} @pages);
keeps('guides and messages refer to manuals that exist', map {
	my $path = $_;
	map { my $line = $_; map { "$path:$line->[0]: there is no $_" }
		grep { !$page{s/\((\d)\)/.$1/r} }
		$line->[1] =~ /\b(devcred[\w.]*\(\d\))/g } lines($path);
} matching(qr{^[A-Z]\w*(?:\.md)?\z|^doc/.*\.md\z|^(?:ctl|fcgi|common)/.*\.c\z}));

# The programs' own help -----------------------------------------------------

# A manual as plain words: unbroken lines, no overstriking.
sub plain {
	my ($path) = @_;
	my ($status, $text) = -f "$top/$path"
	    ? output('mandoc', '-Tascii', '-Owidth=900', $path) : (0, '');
	return $text =~ s/.\x08//gr =~ s/\s+/ /gr;
}

sub help {
	my ($program) = @_;
	my ($status, $text) = output("$Devcred::Shell::BIN/$program", '--help');
	is($status, 0, "$program --help succeeds") or diag($text);
	return $text;
}

SKIP: {
	skip 'mandoc is not installed', 7 if $mandoc;
	my $manual = plain('doc/devcredctl.8');
	# the usage of each command, up to that of the next one
	my ($synopsis) = $manual =~ /SYNOPSIS (.*?) devcredctl --version .*DESCRIPTION/;
	my @usage = split /(?=devcredctl \[-c file\] )/, $synopsis;
	my @commands = commands();
	my %synopsis = map {
		my ($noun, $verb) = @{ $_->{words} };
		my $name = defined $verb ? qr/$noun (?:[a-z-]+ \| )*$verb/ : qr/$noun/;
		($_->{name} => (grep { /\[-c file\] $name(?!\S)/ } @usage)[0]);
	} @commands;
	ok(@commands > 40, 'devcredctl --help shows its commands');
	keeps('doc/devcredctl.8 has every command with its options', map {
		my ($name, @options) = ($_->{name}, grep { !/^(?:json|yes|quiet)\z/ }
			map { $_->[0] } @{ $_->{options} });
		my $usage = $synopsis{$name} // '';
		$usage eq '' ? "there is no $name" : map { "there is no --$_ of $name" }
			grep { $usage !~ /(?<![\w-])--$_(?![\w-])/ } @options;
	} @commands);
	my ($asking) = $manual =~ / --yes (Do not ask.*?) --quiet /;
	keeps('and says which ones ask', map { "it does not say that $_->{name} asks" }
		grep { my $c = $_; grep({ $_->[0] eq 'yes' } @{ $c->{options} })
			&& ($asking // '') !~ /\b\Q$c->{name}\E\b/ } @commands);
	keeps('and no option that --help does not tell', map {
		my ($name, %told) = ($_->{name}, map { $_->[0] => 1 } @{ $_->{options} });
		my $same = grep { ($synopsis{$_->{name}} // '') eq ($synopsis{$name} // '') } @commands;
		$same > 1 ? () : map { "$name has no --$_" } grep { !$told{$_} }
			($synopsis{$name} // '') =~ /(?<![\w-])--([\w-]+)/g;
	} @commands);

	my $help = help('devcred.fcgi');
	$manual = plain('doc/devcred.8');
	keeps('doc/devcred.8 has every option',
		map { "doc/devcred.8: there is no $_" }
			grep { $manual !~ /(?<![\w-])\Q$_\E(?![\w-])/ }
			$help =~ /(?<![\w-])(--?\w[\w-]*)/g);
}

# Links ----------------------------------------------------------------------

my @guides = matching(qr{^(?:[A-Z]\w*\.md|doc/.*\.md)\z});
ok(@guides > 2, 'there are guides');
my $room = join '|', map { quotemeta } qw(.ci common ctl deploy doc fcgi
	migrations sql tests);

# Headings as the anchors that links use.
sub anchors {
	my ($path) = @_;
	return map { lc($_) =~ s/[^\w\s-]//gr =~ s/\s/-/gr }
		text($path) =~ /^#+ +(.*?)\s*$/mg;
}

my (@dead, @lost);
for my $path (@guides) {
	for (lines($path)) {
		my ($number, $line) = @$_;
		for my $link ($line =~ /\]\(([^)\s]+)\)/g) {
			next if $link =~ /\A\w+:/;	# elsewhere
			my ($file, $anchor) = $link =~ /\A([^#]*)(?:#(.*))?\z/;
			my $to = $file eq '' ? $path
			    : dirname($path) eq '.' ? $file : dirname($path) . "/$file";
			1 while $to =~ s{(?:\A|(?<=/))[^/]+/\.\./}{};
			push @dead, "$path:$number: $link leads nowhere"
			    if !-e "$top/$to" || defined $anchor
				&& !grep { $_ eq $anchor } anchors($to);
		}
		# names of files in `code`, also with a star, as of the top
		for my $code ($line =~ /`((?:$room)\/[^`\s]*)/g) {
			push @lost, "$path:$number: there is no $code"
			    if $code !~ /[<>\$\{]|\b[A-Z]{3,}\b|…/ && !grep { -e } File::Glob::bsd_glob("$top/$code");
		}
	}
}
keeps('every link in a guide leads to a file and its heading', @dead);
keeps('every file that a guide names is there', @lost);

done_testing;
