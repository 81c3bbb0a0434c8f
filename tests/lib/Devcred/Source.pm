package Devcred::Source;

# The tree as text: which files there are, and C and SQL without the parts in
# which words mean nothing.  The suite house is built on this.

use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use File::Basename ();
use File::Find ();
use Test::More;

our @EXPORT_OK = qw(@TOP_FILES @ROOMS files matching text lines code
	uncommented functions statements operations sql
	keeps output);
our $TOP = Cwd::realpath(File::Basename::dirname(__FILE__) . '/../../..');

# What may stand at the top.
our @ROOMS = qw(.ci common ctl debian deploy doc fcgi migrations sql tests www);
our @TOP_FILES = qw(.clang-format .editorconfig .gitattributes .gitignore
	HACKING.md LICENSE Makefile.am NEWS README.md autogen.sh configure.ac);

my @files;

# All files of the tree, relative to its top: those that git knows or would
# add; without git, those in the rooms that no build has made.
sub files {
	return @files if @files;
	my ($status, $list) = -e "$TOP/.git" ? output('git', '-c',
		"safe.directory=$TOP", 'ls-files', '-z', '--cached', '--others',
		'--exclude-standard') : 1;
	if ($status == 0) {
		@files = split /\0/, $list;
	} else {
		File::Find::find({ no_chdir => 1, wanted => sub {
			push @files, s{^\Q$TOP\E/}{}r if -f && !made($_);
		} }, map { "$TOP/$_" } grep { -e "$TOP/$_" } @ROOMS, @TOP_FILES);
	}
	# git also lists what was removed a moment ago
	my %seen;
	@files = sort grep { -f "$TOP/$_" && !$seen{$_}++ } @files;
	return @files;
}

sub made {
	my ($path) = @_;
	return $path =~ m{\.(?:o|a|log|trs)\z|/\.deps/|/\.dirstamp\z
		|/embedded\.c\z|/__pycache__/|/node_modules/}x;
}

# Those whose path fits a pattern.
sub matching {
	my ($pattern) = @_;
	return grep { /$pattern/ } files();
}

# The bytes of a file; '' if there is none.
sub text {
	my ($path) = @_;
	open my $file, '<:raw', "$TOP/$path" or return '';
	local $/;
	return <$file> // '';
}

# Lines with their numbers, as [number, line]; of a file, or of a given text.
sub lines {
	my ($path, $text) = @_;
	my $number = 0;
	return map { [++$number, $_] } split /\n/, $text // text($path);
}

# Spaces instead of a text, in as many lines.
sub blank {
	my ($text) = @_;
	return $text =~ s/[^\n]/ /gr;
}

# C without comments; lines keep their numbers.
sub uncommented {
	my ($path) = @_;
	return text($path) =~ s{("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
		|(/\*.*?\*/|//[^\n]*)}{ $1 // blank($2) }gsexr;
}

# C without comments and without what stands in strings and characters.
sub code {
	my ($path) = @_;
	return uncommented($path) =~ s{("|')((?:(?!\1)[^\\\n]|\\.)*)\1}
		{ $1 . blank($2) . $1 }gser;
}

# Functions of a C file as [name, first line, number of lines]: from the
# bracket alone in the first column to the one that closes it.
sub functions {
	my ($path) = @_;
	my (@functions, $name, $start);
	my $code = code($path);

	for (lines($path, $code)) {
		my ($number, $line) = @$_;
		$name = $1 if $line =~ /^(\w+)\(/;
		$start = $number if $line =~ /^\{/;
		if ($line =~ /^\}\s*\z/ && $start) {
			push @functions,
			    [$name // '?', $start, $number - $start + 1];
			($name, $start) = ();
		}
	}
	return @functions;
}

# The service's operations, variable => { file, name, method, path, roles (C,
# one for each profile) }, and after them what is wrong with descriptors.
sub operations {
	my (%operation, @broken);

	for my $path (matching(qr{^fcgi/\w+\.c\z})) {
		my $code = uncommented($path);
		while ($code =~ /^const struct operation (\w+) = \{(.*?)^\};/msg) {
			my ($variable, $body) = ($1, $2);
			if ($body =~ m{\A\s*"(\w+)",\s*"([A-Z]+)",\s*"([^"]*)",
				\s*\{([^{}]*)\},}xs) {
				$operation{$variable} = { file => $path, name => $1,
					method => $2, path => $3, roles => $4 };
			} else {
				push @broken, "$path: $variable is not name, method, "
				    . 'path, roles, …';
			}
		}
	}
	return (\%operation, @broken);
}

# Statements of the programs, "file: name" => [SQL, number of parameters].
sub statements {
	my %statement;
	my $store = uncommented('common/store.c');

	while ($store =~ /\bSTATEMENT\((\w+),\s*((?:"[^"]*"\s*)+),\s*(\d+),/g) {
		my ($name, $text, $count) = ($1, $2, $3);
		my $arguments = join '', $text =~ /"([^"]*)"/g;
		$statement{"common/store.c: $name"}
		    = ["select * from devcred.$name($arguments)", $count];
	}
	for my $path (matching(qr{^ctl/\w+\.c\z})) {
		my $code = uncommented($path);
		my %macro;	# of text, with one parameter or none
		while ($code =~ /^#define\s+(\w+)(?:\((\w+)\))?((?:.*\\\n)*.*)/mg) {
			$macro{$1} = [$2 // '', $3];
		}
		while ($code =~ /\bstruct\ db_statement\ \w+\ =\ \{\s*"(\w+)",
			(.*?),\s*(\d+)\s*\};/sgx) {
			my ($name, $text, $count) = ($1, $2, $3);
			$text =~ s{("[^"\n]*")|(\w+)(?:\(("[^"\n]*")\))?}
				{ $1 // put_macro($3, @{ $macro{$2} // [] }) }ge;
			$statement{"$path: $name"}
			    = [join('', $text =~ /"([^"\n]*)"/g), $count];
		}
	}
	return %statement;
}

# The text of a macro, with what it is called with.
sub put_macro {
	my ($with, $parameter, $text) = @_;
	return '"?"' unless defined $text;
	return $text if $parameter eq '';
	return $text =~ s{("[^"\n]*")|\b$parameter\b}{ $1 // $with }ger;
}

# SQL without comments and without what stands in strings; the bodies of
# functions are left.
sub sql {
	my ($path) = @_;
	return text($path) =~ s{('(?:[^']|'')*'|"[^"\n]*")|(--[^\n]*)}{
		defined $1 ? substr($1, 0, 1) . blank(substr $1, 1, -1)
			. substr($1, 0, 1) : blank($2)
	}gsexr;
}

# One assertion: the rule has no violations, which are shown otherwise.
sub keeps {
	my ($rule, @violations) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(!@violations, $rule) or diag(join "\n", @violations);
	return !@violations;
}

# Run a program; returns its exit status and all it wrote.
sub output {
	my (@command) = @_;
	my $pid = open(my $pipe, '-|') // die "fork: $!\n";

	if ($pid == 0) {
		open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
		chdir $TOP or die "$TOP: $!\n";
		exec { $command[0] } @command or print "$command[0]: $!\n";
		require POSIX;
		POSIX::_exit(127);
	}
	my $text = do { local $/; <$pipe> // '' };
	close $pipe;
	return ($? & 127 ? 256 + ($? & 127) : $? >> 8, $text);
}

1;
