package Devcred::History;

# What clients did: each operation with when it was asked for, when the answer
# was there, and what it said.  Many processes write it; Devcred::Checker judges
# it.
#
# A line: BEGIN END OPERATION ID STATUS [PASSWORD].  Status 0: no answer came.

use strict;
use warnings;
use File::Path ();
use POSIX ();
use Time::HiRes ();

use Devcred::Http;
use Devcred::Line;
use Devcred::Shell;
use Devcred::Site;

# How each operation is asked for: by whom, and the bytes.
my %ASK = (
	register => ['t1/admin', sub { $_[0]->bytes('POST', $Devcred::Http::REQUESTS,
		body => Devcred::Http::to_json(id => $_[1]), ways()) }],
	poll => ['management/devicebootstrap', sub { $_[0]->poll_bytes($_[1], keep => 1) }],
	delete => ['t1/admin', sub { $_[0]->bytes('DELETE', Devcred::Http::path_of($_[1]),
		keep => 1) }],
	accept => ['t1/admin', sub { put(@_, 'ACCEPTED') }],
	block => ['t1/admin', sub { put(@_, 'BLOCKED') }],
	lift => ['t1/admin', sub { put(@_, 'PENDING_ACCEPTANCE') }],
);

sub ways { return (type => 'newDeviceRequest', accept => 'newDeviceRequest', keep => 1) }
sub put {
	my ($client, $id, $status) = @_;
	return $client->bytes('PUT', Devcred::Http::path_of($id),
		body => Devcred::Http::to_json(status => $status), ways());
}

# Options: seed.
sub new {
	my ($class, %arg) = @_;
	my $dir = Devcred::Shell::new_dir();
	return bless { dir => $dir, path => "$dir/history.log", owner => $$, pid => {},
		seed => $arg{seed} // 0 }, $class;
}

# The bytes of an operation at a line.
sub bytes {
	my ($operation, $line, $id) = @_;
	my ($user, $make) = @{ $ASK{$operation} };
	return $make->($line->client(Devcred::Site::login($user)), $id);
}

# Do an operation at a line, and write it down; the answer.
sub ask {
	my ($self, $line, $operation, $id) = @_;
	my $bytes = bytes($operation, $line, $id);
	my $begin = Time::HiRes::time();
	my $answer = $line->ask($bytes);

	$self->note($begin, $operation, $id, $answer);
	return $answer;
}

sub note {
	my ($self, $begin, $operation, $id, $answer) = @_;
	my $password = $operation eq 'poll' && $answer->status == 201
	    ? ' ' . ($answer->field('password') // '') : '';
	my $line = sprintf "%.6f %.6f %s %s %s%s\n", $begin, Time::HiRes::time(), $operation,
	    $id, $answer->status, $password;

	if (($self->{writer} // 0) != $$) {
		open $self->{out}, '>>', $self->{path} or die "$self->{path}: $!\n";
		$self->{writer} = $$;
	}
	syswrite($self->{out}, $line) == length $line or die "history: $!\n";
	return;
}

# Operations as they were written down.
sub entries {
	my ($self) = @_;
	my @name = qw(begin end operation id status password);
	return map { my %entry; @entry{@name} = split / /; \%entry }
	    split /\n/, Devcred::Shell::read_file($self->{path});
}

# Have so many processes do this; their number is the argument.
sub crowd {
	my ($self, $count, $code) = @_;
	for my $n (1 .. $count) {
		my $pid = fork // die "fork: $!\n";
		if ($pid == 0) {
			local @SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
			srand $self->{seed} + $n;
			my $is = eval { $code->($n); 1 };
			warn "client $n: $@" unless $is;
			POSIX::_exit($is ? 0 : 1);
		}
		$self->{pid}{$pid} = $n;
	}
	return;
}

# How many of them are at it still; dies if one failed.
sub busy {
	my ($self) = @_;
	for my $pid (keys %{ $self->{pid} }) {
		next unless waitpid $pid, POSIX::WNOHANG();
		my $n = delete $self->{pid}{$pid};
		die "client $n ended early\n" if $?;
	}
	return scalar keys %{ $self->{pid} };
}

sub DESTROY {
	my ($self) = @_;
	return unless $self->{owner} == $$;
	local ($?, $@, $!);
	for my $pid (keys %{ $self->{pid} }) {
		kill 'KILL', $pid;
		waitpid $pid, 0;
	}
	File::Path::remove_tree($self->{dir}, { safe => 1 }) unless $ENV{DEVCRED_TEST_KEEP};
	return;
}

1;
