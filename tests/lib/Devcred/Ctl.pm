package Devcred::Ctl;

# devcredctl from the outside: its words and exit status, its prompts, and the
# service as plain CGI to see what came of it.

use strict;
use warnings;
use Errno ();
use Exporter 'import';
use IO::Select;
use IPC::Open2 ();
use Test::More;

use Devcred::Fcgi;
use Devcred::Shell;

our @EXPORT = qw(says cgi typed);

# One run of devcredctl on a site: exit status and words.  Options: in, env.
# Returns what it wrote.
sub says {
	my ($site, $args, $status, $words, $name, %arg) = @_;
	my @command = ("$Devcred::Shell::BIN/devcredctl", '-c',
		$site->conf_path, @$args);
	my ($is, $text) = Devcred::Shell::run(\@command, %arg);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($is == $status && $text =~ $words, $name)
	    or diag("devcredctl @$args\nexit status $is, expected $status\n",
		    "$text\nexpected $words");
	return $text;
}

# A request to the service, started as a CGI program; its status.
sub cgi {
	my ($site, $method, $uri, %arg) = @_;
	my ($exit, $text) = Devcred::Shell::run(
		["$Devcred::Shell::BIN/devcred.fcgi"], in => $arg{body},
		env => { Devcred::Fcgi::variables($method, $uri, %arg),
			DEVCRED_CONF => $site->conf_path });
	return $text =~ /^Status: (\d+)/m ? $1 : "none (exit $exit): $text";
}

# Run devcredctl on a terminal and give each answer when its question stands
# there.  Returns exit status and all that the terminal showed.
sub typed {
	my ($site, $args, @pairs) = @_;
	my $command = join ' ', map { "'" . s/'/'\\''/gr . "'" }
		"$Devcred::Shell::BIN/devcredctl", '-c', $site->conf_path, @$args;
	my $pid = IPC::Open2::open2(my $out, my $in, 'script', '-qefc', $command,
		'/dev/null');
	my $ready = IO::Select->new($out);
	my $shown = '';
	my $from = 0;
	my $end = time + 20;
	my $over = 0;

	local $SIG{PIPE} = 'IGNORE';
	until ($over || time > $end) {
		next unless $ready->can_read(1);
		my $n = sysread $out, $shown, 4096, length $shown;
		$over = 1 if defined $n ? $n == 0 : !$!{EINTR};
		next unless @pairs && substr($shown, $from) =~ $pairs[0];
		$from = length $shown;
		syswrite $in, $pairs[1];
		splice @pairs, 0, 2;
	}
	kill 'TERM', $pid unless $over;		# it hangs
	close $in;
	waitpid $pid, 0;
	return ($? >> 8, $shown);
}

1;
