package Devcred::Fleet;

# Devices, and the administrator who lets them in: processes that may be killed
# at any moment and go on from what they have written down.
#
# A log has lines of words.  The administrator's: "registered ID" and
# "accepted ID": it was acknowledged; "known ID": it was registered, and the
# answer was lost.  A client's, of its devices: "got ID PASSWORD" before the
# password is used, "in ID": it logged in, "end ID": it is done, "odd ID STATUS":
# an answer that no device should get.  Of all: "none STATUS": it got no answer, or
# was told to come again because something was away.

use strict;
use warnings;
use File::Path ();
use IO::Handle;
use POSIX ();
use Time::HiRes ();

use Devcred::Http;
use Devcred::Line;
use Devcred::Shell;
use Devcred::Site;

my $AT_ONCE = 24;     # devices of a client that are on their way
my $LEAVE = 0.1;      # how often a client of a lossy device does not wait
my $REPEAT = 0.15;    # how often a device asks again for what it has

# All of this process: they end with it, and their logs.
my @fleets;

# Options: dir (for the logs, and its own), doors (ports of the web servers), lossy (ports
# of proxies before them), ids, clients (how many processes), seed, patience
# (seconds that all of it may take).  The name of a device says what it is
# like: "lossy-" goes through the proxies, "quiet-" gets its password and does
# not log in.
sub new {
	my ($class, %arg) = @_;
	my $self = bless {
		%arg, pid => {}, lives => {}, owner => $$,
		until => Time::HiRes::time() + $arg{patience},
	}, $class;
	my @share;
	push @{ $share[$_ % $arg{clients}] }, $arg{ids}[$_] for 0 .. $#{ $arg{ids} };
	$self->{share} = { map { ("client$_" => $share[$_]) } 0 .. $#share };
	push @fleets, $self;
	return $self;
}

END {
	my $status = $?;
	for my $fleet (grep { $_->{owner} == $$ } @fleets) {
		$fleet->stop;
		File::Path::remove_tree($fleet->{dir}, { safe => 1 }) unless $ENV{DEVCRED_TEST_KEEP};
	}
	$? = $status;
}

sub names { return ('admin', sort keys %{ $_[0]{share} }) }
sub log_of { return "$_[0]{dir}/$_[1].log" }

# Start a process of the fleet, or start it again.
sub start {
	my ($self, $name) = @_;
	my $life = $self->{lives}{$name}++;
	my $pid = fork // die "fork: $!\n";

	if ($pid == 0) {
		local @SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
		srand $self->{seed} + 1000 * $life + unpack '%16C*', $name;
		my $is = eval { $self->live($name); 1 };
		warn "$name: $@" unless $is;
		POSIX::_exit($is ? 0 : 1);
	}
	$self->{pid}{$name} = $pid;
	return;
}

# Kill one in the middle of what it does.
sub strike {
	my ($self, $name) = @_;
	my $pid = delete $self->{pid}{$name} or return;

	kill 'KILL', $pid;
	waitpid $pid, 0;
	return;
}

# The names of those that have not ended; dies if one ended badly.
sub alive {
	my ($self) = @_;

	for my $name (keys %{ $self->{pid} }) {
		next unless waitpid $self->{pid}{$name}, POSIX::WNOHANG();
		delete $self->{pid}{$name};
		die "$name ended early\n" if $?;
	}
	my @alive = sort keys %{ $self->{pid} };
	return @alive;
}

sub stop {
	my ($self) = @_;
	$self->strike($_) for keys %{ $self->{pid} };
	return;
}

# The lines of a log that begin with a word: [[ID, MORE...]...].
sub lines {
	my ($self, $name, $word) = @_;
	return map { [split / /] }
	    Devcred::Shell::read_file($self->log_of($name)) =~ /^$word (.*)$/mg;
}

# How many devices are where they wanted to be.
sub arrived {
	my ($self) = @_;
	my $count = 0;

	for my $name (keys %{ $self->{share} }) {
		my $seen = $self->{seen}{$name} //= { at => 0, ends => 0 };
		if (open my $file, '<:raw', $self->log_of($name)) {
			seek $file, $seen->{at}, 0;
			while (my $line = readline $file) {
				$seen->{ends}++ if $line =~ /\Aend /;
				$seen->{at} += length $line;
			}
		}
		$count += $seen->{ends};
	}
	return $count;
}

# In a process of the fleet ----------------------------------------------------

sub live {
	my ($self, $name) = @_;

	open $self->{out}, '>>', $self->log_of($name)
	    or die $self->log_of($name), ": $!\n";
	$self->{line} = [map { Devcred::Line->new($_) } @{ $self->{doors} }];
	$self->{lossy_line} = [map { Devcred::Line->new($_) } @{ $self->{lossy} }];
	return $name eq 'admin' ? $self->administer : $self->be_devices($name);
}

sub write_down {
	my ($self, @word) = @_;
	my $text = "@word\n";
	syswrite($self->{out}, $text) == length $text or die "log: $!\n";
	return;
}

sub any_line {
	my ($self, $id) = @_;
	my $lines = ($id // '') =~ /\Alossy-/ ? $self->{lossy_line} : $self->{line};
	return $lines->[rand @$lines];
}

# Wait a little, as a client does that was told to come again.
sub rest_until {
	my ($self, $time) = @_;
	my $now = Time::HiRes::time();

	die "it takes too long\n" if $now > $self->{until};
	select undef, undef, undef, $time - $now if $time > $now;
	return;
}

sub administer {
	my ($self) = @_;
	my %registered = map { $_->[0] => 1 }
	    map { $self->lines('admin', $_) } qw(registered known);
	my @new = grep { !$registered{$_} } @{ $self->{ids} };
	my $turn = 0;

	# it ends when there is nothing left to accept, and nobody to come
	while (@new || $self->arrived < @{ $self->{ids} }) {
		my $did = 0;
		for my $id (splice @new, 0, 50) {
			# until it is certain: once it is issued, registering it
			# would be for the next time
			until ($self->register($id)) {
				$self->rest_until(Time::HiRes::time() + 0.1);
			}
			$did++;
		}
		$did += $self->accept_some;
		$self->rest_until(Time::HiRes::time() + ($did ? 0 : 0.1));
	}
	return;
}

# Ask as the administrator, at any door.
sub as_admin {
	my ($self, $method, $path, %arg) = @_;
	my $line = $self->any_line;
	my $answer = $line->ask($line->client(Devcred::Site::login('t1/admin'))->bytes(
		$method, $path, type => 'newDeviceRequest',
		accept => 'newDeviceRequest', keep => 1, %arg));

	$self->write_down('none', $answer->status) if is_no_answer($answer);
	return $answer;
}

# Whether the device is registered now.
sub register {
	my ($self, $id) = @_;
	my $answer = $self->as_admin('POST', $Devcred::Http::REQUESTS,
		body => Devcred::Http::to_json(id => $id));

	$self->write_down('registered', $id) if $answer->status == 201;
	# there already: an answer of before was lost
	$self->write_down('known', $id) if $answer->status == 422;
	return $answer->status == 201 || $answer->status == 422;
}

# Accept devices that have asked; how many.
sub accept_some {
	my ($self) = @_;
	my $list = $self->as_admin('GET', "$Devcred::Http::REQUESTS?"
		. 'status=PENDING_ACCEPTANCE&pageSize=100',
		accept => 'newDeviceRequestCollection');
	my $count = 0;

	return 0 unless $list->status == 200;
	for my $id (map { $_->{id} } @{ $list->field('newDeviceRequests') }) {
		my $answer = $self->as_admin('PUT', Devcred::Http::path_of($id),
			body => Devcred::Http::to_json(status => 'ACCEPTED'));
		next unless $answer->status == 200;
		$self->write_down('accepted', $id);
		$count++;
	}
	return $count;
}

sub be_devices {
	my ($self, $name) = @_;
	my %got = map { @$_[0, 1] } $self->lines($name, 'got');
	my %end = map { $_->[0] => 1 } $self->lines($name, 'end');
	my @all = map { { id => $_, password => $got{$_}, due => 0 } }
	    grep { !$end{$_} } @{ $self->{share}{$name} };
	my @some;

	while (@some || @all) {
		push @some, splice @all, 0, $AT_ONCE - @some;
		my ($next) = sort { $a <=> $b } map { $_->{due} } @some;
		$self->rest_until($next);
		$self->step($_) for grep { $_->{due} <= Time::HiRes::time() } @some;
		@some = grep { !$_->{end} } @some;
	}
	return;
}

# Whether an answer says nothing but to come again: it was lost, or it is 503, or
# the web server's own because the service died on it.
sub is_no_answer {
	my ($answer) = @_;
	return $answer->status =~ /\A(?:0|503)\z/
	    || $answer->status =~ /\A5\d\d\z/ && $answer->type ne 'error';
}

# What a device does next: ask for its password, or use it.
sub step {
	my ($self, $device) = @_;

	$device->{due} = Time::HiRes::time() + 0.1 + rand 0.3;
	return $self->poll($device)
	    if !defined $device->{password} || delete $device->{again};
	return $self->end($device) if $device->{id} =~ /\Aquiet-/;
	return $self->log_in($device);
}

sub end {
	my ($self, $device) = @_;
	$self->write_down('end', $device->{id});
	$device->{end} = 1;
	return;
}

sub poll {
	my ($self, $device) = @_;
	my $id = $device->{id};
	my $line = $self->any_line($id);
	my $bytes = $line->client(Devcred::Site::login('management/devicebootstrap'))
	    ->poll_bytes($id, keep => 1);

	return $line->ask_and_leave($bytes)
	    if $id =~ /\Alossy-/ && rand() < $LEAVE;
	my $answer = $line->ask($bytes);
	if ($answer->status == 201 && $answer->field('id') eq $id) {
		$device->{password} = $answer->field('password');
		$self->write_down('got', $id, $device->{password});
		$device->{again} = rand() < $REPEAT ? 1 : 0;
		$device->{due} = 0;
	} elsif (is_no_answer($answer)) {
		$self->write_down('none', $answer->status);
	} elsif ($answer->status != 404) {
		$self->write_down('odd', $id, $answer->status);
	}
	return;
}

sub log_in {
	my ($self, $device) = @_;
	my $line = $self->any_line;
	my $answer = $line->ask($line->client(
		"t1/device_$device->{id}:$device->{password}")
	    ->bytes('GET', '/user/currentUser', keep => 1));

	if ($answer->status == 200) {
		$self->write_down('in', $device->{id});
		$self->end($device);
	} elsif (is_no_answer($answer)) {
		$self->write_down('none', $answer->status);
	} else {
		$self->write_down('odd', $device->{id}, $answer->status);
	}
	return;
}

1;
