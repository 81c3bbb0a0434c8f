#!/usr/bin/perl
# The command line: help, mistakes, exit statuses; what goes wrong outside.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;
use Devcred::CtlHelp qw(commands);

my $site = Devcred::Site->new(web => 'none', start => 0);
my $program = "$Devcred::Shell::BIN/devcredctl";

# Help ------------------------------------------------------------------------

my $help = says($site, ['--help'], 0, qr/^usage:/, '--help shows the commands');
cmp_ok($help =~ tr/\n//, '<=', 30, 'on one screen');
my @commands = commands();
cmp_ok(scalar @commands, '>', 40, 'all of them');
for my $command (@commands) {
	my ($words, $name) = @$command{qw(words name)};
	ok($command->{usage} =~ /^devcredctl \[-c FILE\] \Q$name\E\b/ && @{ $command->{examples} }
		&& !grep({ !length $_->[2] } @{ $command->{options} })
		&& $command->{help} =~ /^exit status:\n  0 /m
		&& $command->{help} !~ /^.{80}/m, "$name --help: usage, options, examples, exit status")
	    or diag($command->{help});
	# the first mistake is told: it is not the option that help promises
	for (@{ $command->{options} }) {
		my ($option, $value) = @$_;
		my ($status, $text) = Devcred::Shell::run([$program, @$words,
			defined $value ? "--$option=x" : "--$option", '--frob']);
		ok($status == 2 && $text =~ /no option --frob here/, "$name takes --$option")
		    or diag("exit status $status\n$text");
	}
}
for my $noun (qw(tenant user request)) {
	says($site, [$noun, '--help'], 0, qr/ $noun add /,
		"$noun --help shows its verbs");
}
says($site, ['--version'], 0, qr/\Adevcredctl \d+\.\d+/, '--version');

# Mistakes --------------------------------------------------------------------

my $usage = qr/^usage: devcredctl/m;
for my $case (
	[[], qr/command is missing\n-> devcredctl --help/, 'no command'],
	[['frob'], qr/no command frob\n-> /, 'an unknown noun'],
	[['-x'], qr/no option -x/, 'an unknown option in front'],
	[['-c'], qr/-c needs a file/, '-c without a file'],
	[['user'], qr/verb is missing.*\n.*usage:/s, 'a noun alone'],
	[['user', 'frob'], qr/no verb frob\nusage:/, 'an unknown verb'],
	[['user', 'list', '--frob'], qr/no option --frob.*$usage/s,
		'an unknown option'],
	[['tenant', 'add'], qr/ID is missing.*$usage/s, 'a missing operand'],
	[['tenant', 'add', 'a', 'b'], qr/"b" is one .* too many.*$usage/s,
		'an operand too many'],
	[['tenant', 'add', 'a', '--domain'], qr/--domain needs a value/,
		'an option without its value'],
	[['tenant', 'add', 'a', '--domain', 'b', '--domain=c'],
		qr/--domain is given twice/, 'an option given twice'],
	[['user', 'passwd', 't1/admin', '--generate=x'], qr/takes no value/,
		'a value where none belongs'],
	[['migrate', '--status', '--dry-run'], qr/not both/,
		'two options that exclude each other'],
	[['doctor', 'all'], qr/"all" is one/, 'an operand of doctor'],
    ) {
	my ($args, $words, $name) = @$case;
	says($site, $args, 2, $words, "$name: exit status 2 and the reason");
}

# No secret is taken from an argument, where everybody could read it.
for my $case (
	[['user', 'add', 't1/new', '--role', 'READ', 'a secret'], 'an operand'],
	[['user', 'add', 't1/new', '--role', 'READ', '--password', 'a secret'],
		'--password'],
	[['user', 'add', 't1/new', '--role', 'READ', '--stdin=a secret'],
		'a value of --stdin'],
	[['user', 'passwd', 't1/admin', 'a secret'], 'an operand of passwd'],
	[['request', 'accept', 'd', '--token', 'a secret'], '--token'],
	[['request', 'accept', 'd', '--token-stdin=a secret'],
		'a value of --token-stdin'],
    ) {
	my ($args, $name) = @$case;
	says($site, $args, 2, $usage, "$name is not taken for a secret");
}

# Words in any place ---------------------------------------------------------

says($site, ['tenant', 'set', '--token-policy=ignored', 't2'], 0, qr/t2 set/,
	'options may stand before operands, with =, words in any case');
says($site, ['tenant', 'add', '--', '--help'], 1, qr/cannot be a tenant/,
	'behind -- everything is an operand');

# What is wrong outside --------------------------------------------------------

sub outside {
	my ($args, $status, $words, $name, %env) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return says($site, $args, $status, $words, $name, env => \%env);
}
my @list = ('tenant', 'list');
my $nowhere = "$site->{dir}/nowhere";
my $there = $site->{cluster}{dir};
outside(\@list, 3, qr/cannot be reached: .*\n-> see "database" in /s,
	'a server that is away: exit status 3, and where to look',
	DEVCRED_DATABASE => "host=$nowhere");
outside(\@list, 3, qr/cannot be reached: .*no_such.*\n-> /s,
	'a database that does not exist',
	DEVCRED_DATABASE => "host=$there dbname=no_such user=devcred_operator");
outside(\@list, 1, qr/no devcred schema\n-> devcredctl migrate\n\z/,
	'a database without schema: exit status 1, and what to do',
	DEVCRED_DATABASE => "host=$there dbname=postgres user=devcred_operator");
outside(\@list, 1, qr/devcred_service may not act as devcred_owner\n-> set/,
	'the login of the service: what it lacks, and what to do',
	DEVCRED_DATABASE => $site->{cluster}->conninfo($site->{database},
		'devcred_service'));
outside(\@list, 1, qr/configuration is wrong:\nDEVCRED_WORKERS: .* 0 to 64/,
	'a setting out of its bounds', DEVCRED_WORKERS => 65);
says($site, ['-c', $nowhere, @list], 1, qr/\Q$nowhere\E: No such file/,
	'a configuration that was named must be there');

# Descriptors that are closed or full -------------------------------------------

sub shell {
	my ($redirect, @args) = @_;
	return Devcred::Shell::run(['sh', '-c', "exec \"\$@\" $redirect", 'sh',
		$program, '-c', $site->conf_path, @args]);
}
for my $case (['>/dev/full', 'a full disk'], ['>&-', 'a closed output']) {
	my ($redirect, $name) = @$case;
	my ($status, $text) = shell($redirect, @list);
	is($status, 1, "$name is a failure") or diag($text);
	($status, $text) = shell($redirect, 'user', 'passwd', 't1/gone',
		'--generate');
	ok($status == 1 && $text =~ /could not be shown\n-> devcredctl user passwd/,
		"$name: a new password that nobody saw is told")
	    or diag("exit status $status\n$text");
}
my ($status, $text) = shell('<&-', 'user', 'passwd', 't1/gone', '--stdin');
ok($status == 1 && $text =~ /no password on the input/,
	'a closed input holds no password') or diag("exit status $status\n$text");
unlike(join('', $site->{cluster}->log), qr/invalid message|invalid frontend/,
	'nothing of that went to the database by mistake');

done_testing;
