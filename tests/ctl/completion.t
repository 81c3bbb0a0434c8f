#!/usr/bin/perl
# What bash offers for devcredctl is what its --help tells.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::CtlHelp qw(commands);
use Devcred::Shell;

# bash-completion's own part, as far as it is used, and then ours
my $script = <<'SH';
_init_completion() {
	words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	cur=${words[cword]} prev=${words[cword-1]}
}
_filedir() { COMPREPLY=(FILES); }
. "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_devcredctl
echo "${COMPREPLY[*]}"
SH

for my $case (
	[['us'], 'user', 'a noun'],
	[['credential', 're'], 'reopen revoke', 'verbs of a noun'],
	[['-c', 'user', 'key', ''], 'add list retire', 'a verb behind -c FILE'],
	[['-c', ''], 'FILES', 'a file of settings'],
	[['migrate', '--'], '--dry-run --json --quiet --status',
		'options of a noun without verbs'],
	[['import', 'list.csv', '--t'], '--tenant',
		'options behind an operand'],
	[['import', 'l'], 'FILES', 'files where there is no verb'],
	[['tenant', 'list', '--'], '--json', 'no options of another verb'],
	[['request', 'accept', '--t'], '--tenant --token-stdin', 'options of a verb'],
	[['nothing', '--'], '', 'nothing for a noun that is none'],
) {
	my ($words, $want, $name) = @$case;
	my ($status, $out) = Devcred::Shell::run(['bash', '-euc', $script,
		'bash', "$Devcred::Shell::TOP/deploy/bash-completion/devcredctl.bash",
		"$Devcred::Shell::BIN/devcredctl", @$words]);
	is(join(' ', sort split ' ', $out), $want, $name);
}

my %noun = map { $_->{words}[0] => 1 } commands();
ok(keys %noun > 5, 'there are nouns');
my ($got, $out) = Devcred::Shell::run(['bash', '-euc', $script, 'bash',
	"$Devcred::Shell::TOP/deploy/bash-completion/devcredctl.bash",
	"$Devcred::Shell::BIN/devcredctl", '']);
is(join(' ', sort split ' ', $out), join(' ', sort keys %noun),
	'every noun is offered');

done_testing;
