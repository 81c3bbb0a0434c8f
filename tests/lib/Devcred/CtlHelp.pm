package Devcred::CtlHelp;

# What devcredctl tells of itself: every command, taken apart.

use strict;
use warnings;
use Exporter 'import';

use Devcred::Shell;

our @EXPORT_OK = qw(commands help_of);

# The help of some words; dies if there is none.
sub help_of {
	my ($status, $text) = Devcred::Shell::run(["$Devcred::Shell::BIN/devcredctl", @_, '--help']);
	die "devcredctl @_ --help: exit status $status\n$text" if $status;
	return $text;
}

# The words of all commands, as arrays.
sub words {
	my @words;
	my $noun;
	for (split /\n/, help_of()) {
		if ($noun && /^ {14}(\w.*)/) {
			push @words, map { [$noun, $_] } split ' ', $1;
			undef $noun;
		} elsif (/^  ([a-z]+) +\S.*?(:?)\z/ && $1 ne 'devcredctl') {
			$noun = $2 ? $1 : undef;
			push @words, [$1] unless $2;
		}
	}
	return @words;
}

# All commands: words (array), name, help, usage, options (array of [name,
# value or undef, text]), examples (array).
sub commands {
	return map {
		my $help = help_of(@$_);
		my %part = ('', split /^(\w[\w ]*):\n/m, $help);
		my ($usage) = $help =~ /\Ausage: (.*?)\n\n/s;
		{ words => $_, name => "@$_", help => $help, usage => $usage =~ s/\s+/ /gr,
			options => [map { [/^--([\w-]+)(?: (\S+))?\s+(.*)/s] }
				grep { length } split /^  (?=--)/m, $part{options} // ''],
			examples => [map { s/^  //r } split /\n/, $part{examples} // ''] }
	} words();
}

1;
