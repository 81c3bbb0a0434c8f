#!/usr/bin/perl
# The keys that seal issued passwords: none, new ones while it runs, and files
# that are not good enough to start with.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Pair;

my $pair = Devcred::Pair->new(conf => { workers => 2, delivery_window => 60 });
my ($here, $there) = $pair->sites;
my $dbh = $here->dbh;
my $admin = $here->client('t1/admin');
my @BOOTSTRAP = ('management/devicebootstrap');

sub poll { return $_[0]->client(@BOOTSTRAP)->poll($_[1]) }
sub password { return $_[0]->field('password') // 'none' }

# A device whose window is open: its id and its password.
sub open_window {
	my ($site) = @_;
	my $id = accepted($site->client('t1/admin'));
	my $answer = poll($site, $id);
	answers($answer, 201, 'a device is issued its password') or die;
	return ($id, password($answer));
}
sub key_of {
	return ($dbh->selectrow_array('select seal_key from devcred.device_credential
		where device_id = ?', undef, $_[0]))[0] // 'none';
}
sub reload {
	my ($site) = @_;
	my @before = sort { $a <=> $b } Devcred::Site::children($site->service_pid);
	kill 'HUP', $site->service_pid;
	return eventually(sub {
		my %now = map { $_ => 1 } Devcred::Site::children($site->service_pid);
		keys %now == @before && !grep { $now{$_} } @before;
	}, 'HUP: new workers take over');
}

# Rotation while it runs -------------------------------------------------------

my ($old_id, $old) = open_window($here);
is(key_of($old_id), 'k1', 'it is sealed with the last key of the file');
Devcred::Pair::write_keys($pair->{key_file}, 'k1', 'k2');
reload($_) for $here, $there;
my ($new_id, $new) = open_window($there);
is(key_of($new_id), 'k2', 'with a key added, the next is sealed with that');
for my $site ($here, $there) {
	is(password(poll($site, $old_id)), $old, 'what the old key sealed is opened');
	is(password(poll($site, $new_id)), $new, 'and what the new one did');
}

# One instance knows the new key, the other does not yet.
Devcred::Pair::write_keys($pair->{key_file}, 'k1', 'k2', 'k3');
reload($here);
($new_id, $new) = open_window($here);
is(key_of($new_id), 'k3', 'one instance has a third key');
my $answer = poll($there, $new_id);
refuses($answer, 503, 'general/Service Unavailable', undef,
	'the other, not yet reloaded, cannot open it: the device comes again');
like($there->service_log, qr/seal_not_opened key=k3/, 'and the log names the key');
poll($there, $new_id) for 1 .. 12;
is(($dbh->selectrow_array('select deliveries from devcred.device_credential
	where device_id = ?', undef, $new_id))[0], 1,
	'however often it does, that is no delivery');
is(password(poll($here, $new_id)), $new, 'which opens it where the key is');
reload($there);
is(password(poll($there, $new_id)), $new, 'and everywhere after HUP');

# Files that are refused while it runs: it goes on with what it has.
Devcred::Shell::write_file($pair->{key_file}, "k1 short 2026-01-01\n");
my @workers = sort Devcred::Site::children($here->service_pid);
kill 'HUP', $here->service_pid;
eventually(sub { $here->service_log =~ /reload_refused|key_file_unusable/ },
	'HUP with a file that is no good is refused');
is(password(poll($here, $new_id)), $new, 'and what runs goes on with the keys it has');
is("@{[sort Devcred::Site::children($here->service_pid)]}", "@workers",
	'in the same workers');

# Files that are refused at the start ------------------------------------------

sub does_not_start {
	my ($words, $name) = @_;
	my $before = length $here->service_log;
	$here->stop_service;
	my $started = eval { $here->start_service; 1 };
	my $log = substr $here->service_log, $before;
	ok(!$started && $log =~ $words, $name) or diag($log);
	return;
}

Devcred::Pair::write_keys($pair->{key_file}, 'k1', 'k2');
does_not_start(qr/key_missing key=k3 open_windows=1/,
	'a key that an open window needs is missing: it does not start, and names it');
Devcred::Pair::write_keys($pair->{key_file}, 'k1', 'k2', 'k3');
for my $mode (0644, 0604, 0660, 0620, 0601) {
	chmod $mode, $pair->{key_file};
	does_not_start(qr/key_file_unusable .*mode 0?\Q${\ sprintf '%04o', $mode}\E/,
		sprintf 'a key file of mode %04o: it does not start', $mode);
}
for my $case (['that is empty', ''], ['with half a key', "k1 abcdef 2026-01-01\n"],
    ['with a key twice', join '', map { "k1 ${\ ('ab' x 32)} 2026-01-01\n" } 1, 2],
    ['that is not there', undef]) {
	my ($what, $text) = @$case;
	unlink $pair->{key_file};
	Devcred::Shell::write_file($pair->{key_file}, $text, 0600) if defined $text;
	chown((stat $pair->{key_file})[4], 0, $pair->{key_file});
	my (undef, undef, $uid) = getpwnam 'www-data';
	chown $uid, -1, $pair->{key_file} if $> == 0;
	does_not_start(qr/key_file_unusable/, "a key file $what: it does not start");
	unlike($here->service_log, qr/abab|abcdef/, 'and nothing of it is in the log');
}
Devcred::Pair::write_keys($pair->{key_file}, 'k1', 'k2', 'k3');
$here->start_service;
is(password(poll($here, $new_id)), $new, 'with the keys it starts, and opens what they sealed');

# Single shot ------------------------------------------------------------------

for my $case (['without a key file', delivery_window => 60],
    ['with delivery_window = 0', delivery_window => 0, key_file => $pair->{key_file}]) {
	my ($how, %conf) = @$case;
	$dbh->do('update devcred.device_credential set sealed = null, seal_key = null');
	my $site = Devcred::Pair::another($pair->{cluster}, $pair->{database}, 'nginx', %conf);
	my ($is, $log) = Devcred::Pair::starts($site);
	ok($is, "$how it starts") or diag($log);
	like($log, qr/single_shot/, 'and says that it is single shot') unless $conf{key_file};
	my ($id, $password) = open_window($site);
	is(key_of($id), 'none', "$how nothing is sealed");
	refuses(poll($_, $id), 404, 'devicecontrol/Not Found', qr/There is no newDeviceRequest/,
		"$how a password is told once") for $site, $there;
	answers($site->client->as("t1/device_$id:$password")->get('/user/currentUser'), 200,
		'and works');
	$site->stop;
}

done_testing();
