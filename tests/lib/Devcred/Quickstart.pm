package Devcred::Quickstart;

# deploy/quickstart in a folder of its own, on a port that is free.

use strict;
use warnings;
use File::Path ();

use Devcred::Shell;
use Devcred::Site;

my @all;

# Nothing is set up yet; dir is where it will be.
sub new {
	my ($class, %arg) = @_;
	my $work = Devcred::Shell::new_dir();
	my $self = bless {
		work => $work,
		dir => $arg{dir} // "$work/quickstart.d",
		port => Devcred::Site::free_port(),
	}, $class;
	push @all, $self;
	return $self;
}

# Run it; returns its exit status and what it said.
sub run {
	my ($self, $command, @arg) = @_;
	push @arg, '--port', $self->{port} if $command eq 'up';
	return Devcred::Shell::run(["$Devcred::Shell::TOP/deploy/quickstart",
		$command, @arg, '--dir', $self->{dir}]);
}

# The value of a variable of its env file.
sub env {
	my ($self, $name) = @_;
	return Devcred::Shell::read_file("$self->{dir}/env")
	    =~ /^$name='(.*)'$/m ? $1 : undef;
}

# The processes that it has started.
sub processes {
	my ($self) = @_;
	my $run = Cwd::realpath("$self->{dir}/run") // "$self->{dir}/run";
	return grep { Devcred::Shell::read_file("/proc/$_/cmdline") =~ /\Q$run\E\// }
	    map { m{(\d+)\z} ? $1 : () } glob '/proc/[0-9]*';
}

END {
	my $status = $?;
	for my $self (@all) {
		$self->run('destroy');
		File::Path::remove_tree($self->{work}, $self->{dir});
	}
	$? = $status;
}

1;
