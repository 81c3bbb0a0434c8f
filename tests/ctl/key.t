#!/usr/bin/perl
# key add, list, retire: the file with the keys that seal issued passwords.
use strict;
use warnings;
use Cwd ();
use Fcntl ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Ctl;

my $site = Devcred::Site->new(web => 'none', start => 0);
my $program = "$Devcred::Shell::BIN/devcredctl";
my $root = "$site->{dir}/secret";
my $file = "$root/keys";
my $id = qr/[a-z0-9-]{1,32}/;

mkdir $root or die "$root: $!\n";
$site->configure(key_file => $file);

# One run of key; no key may be in what it says, nor anywhere but in its file.
sub key {
	my ($args, $status, $words, $name, %arg) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @before = bytes();
	my $text = says($site, ['key', @$args], $status, $words, $name, %arg);
	my ($shown) = grep { index(lc $text, lc substr $_, 0, 8) != -1 }
		@before, bytes();
	ok(!defined $shown, 'no part of a key is shown') or diag($text);
	opendir my $dir, $root or die "$root: $!\n";
	my @left = grep { /new/ } readdir $dir;
	is_deeply(\@left, [], 'no other file is left');
	return $text;
}

# The file, its lines of keys, their ids and bytes.
sub content { return Devcred::Shell::read_file($file) }
sub keys_of { return grep { /^[^#\s]/ } split /\n/, content() }
sub ids { return map { (split)[0] } keys_of() }
sub bytes { return content() =~ /\b([0-9a-f]{60,})\b/g }

sub put {
	my ($text, $mode) = @_;
	unlink $file;
	Devcred::Shell::write_file($file, $text, $mode // 0600);
	return;
}

sub line {
	my ($name) = @_;
	return "$name " . join('', map { sprintf '%02x', rand 256 } 1 .. 32)
	    . " 2026-01-31\n";
}

sub mode { return sprintf '%04o', (stat $file)[2] & 07777 }

# Add ---------------------------------------------------------------------------

umask 0;
key(['list'], 1, qr/\Q$file\E: No such file/, 'there is no file at first');
ok(!-e $file, 'and looking makes none');
my $first = key(['add'], 0, qr/\Ak\d{8}-[0-9a-f]{8}\n\z/,
	'a key has an id of its own, which is shown');
chomp $first;
is(mode(), '0600', 'a new file is nobody else\'s, whatever the umask');
like(content(), qr/\A\Q$first\E [0-9a-f]{64} \d{4}-\d\d-\d\d\n\z/,
	'it has a line of id, key and date');
key(['add', 'second-1'], 0, qr/\Asecond-1\n\z/, 'an id can be given');
key(['add'], 0, qr/\Ak\d/, 'another one made up');
my %seen;
is((grep { !$seen{$_}++ } bytes()), 3, 'every key is another one');
is_deeply([(ids())[0, 1]], [$first, 'second-1'], 'new ones come last');

for my $case (
	['', 'nothing'], ['A', 'a capital'], ['a_b', 'an underscore'],
	['a b', 'a space'], ["a\nb", 'a newline'], ['x' x 33, '33 characters'],
    ) {
	my ($name, $what) = @$case;
	key(['add', '--', $name], 1, qr/cannot be the id of a key: 1 to 32 of/,
		"no id: $what");
}
key(['add', 'x' x 32], 0, qr/\Ax{32}\n\z/, '32 characters fit');
key(['add', 'second-1'], 1, qr/\bthere is a key second-1 already$/,
	'an id is given once');
key(['add', 'a', 'b'], 2, qr/one argument too many/, 'one at a time');
is(scalar(ids()), 4, 'refusals add nothing');

put("# ours\n\n" . line('old') =~ s/\n\z//r);
my $before = content();
key(['add', 'new'], 0, qr/new/, 'a file by hand, without a last newline');
like(content(), qr/\A\Q$before\E\nnew [0-9a-f]{64} [-\d]+\n\z/,
	'is kept as it is, with a line more');

put(join '', map { line("k$_") } 1 .. 64);
key(['add'], 1, qr/64 keys, and no room for another\n-> .*retire/,
	'there are at most 64 keys');
put(line('a') . '#' . 'x' x (65536 - 120) . "\n");
key(['add'], 1, qr/larger than 65536 bytes/, 'and as many bytes');
is_deeply([ids()], ['a'], 'and the file stays as it was');

# List --------------------------------------------------------------------------

put(line('one') . "# secret\n" . line('two'));
key(['list'], 0, qr/\AKEY +CREATED +USE\none +2026-01-31 +-\ntwo +2026-01-31 +seals\n\z/,
	'all keys are listed, and which of them seals');

# Retire ------------------------------------------------------------------------

put("# top\n" . line('one') . "\n" . line('two') . "# end\n" . line('three'));
my $three = (keys_of())[2];
key(['retire', 'nobody', '--yes'], 1, qr/there is no key nobody\n-> devcredctl key list/,
	'only what is there can be retired');
key(['retire', 'one', '--yes'], 0, qr/\Akey one retired\n\z/, 'a key is retired');
like(content(), qr/\A# top\n\ntwo \w+ [-\d]+\n# end\n\Q$three\E\n\z/,
	'its line is gone, and nothing else');
key(['retire', 'three', '--yes'], 0, qr/\Akey three retired\nkey two seals\n\z/,
	'when the one that seals goes, it is told which one takes its place');
key(['retire', 'two', '--yes'], 1, qr/two is the only key.*\n-> .* key add.* --last/,
	'the only one is not retired by mistake');
is_deeply([ids()], ['two'], 'it stays');
key(['retire', 'two', '--last', '--yes'], 0, qr/\Akey two retired\n-> .*key_file/,
	'it is with --last, and what to do then is told');
is(content(), "# top\n\n# end\n", 'no key is left, but the file is');
key(['list'], 0, qr/\AKEY +CREATED +USE\n\z/, 'an empty list is one');
key(['retire', 'two', '--last', '--yes'], 1, qr/there is no key two/,
	'a key is retired once');
key(['retire'], 2, qr/ID is missing/, 'a key must be named');
key(['add', 'again'], 0, qr/again/, 'and a key can be added again');
unlink $file;
key(['retire', 'one', '--yes'], 1, qr/No such file/, 'nothing is retired from no file');
ok(!-e $file, 'and none is made');

# What is refused, by each verb -----------------------------------------------

sub refused {
	my ($words, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $before = content();
	key($_, 1, $words, "$_->[0]: $name")
	    for ['add', 'x'], ['list'], ['retire', 'one', '--yes'];
	is(content(), $before, 'and the file stays as it was');
	return;
}

put(line('one') . line('two'), 0644);
refused(qr/open to others \(mode 0644\): give it mode 0600, or 0640/,
	'a file that others can read');
chmod 0660, $file;
refused(qr/more to its group than readable/, 'a file its group can write');
SKIP: {
	skip 'only root can give files away', 10 if $> != 0;
	chmod 0600, $file;
	chown 12345, -1, $file;
	refused(qr/belongs to somebody else/, 'a file of somebody else');
}
put(line('one') . line('two') =~ s/..(?= 2026)//r);
refused(qr/keys:2: a line is an id/, 'a key cut short');
put(line('one') . line('two') . line('one'));
refused(qr/keys:3: this id is that of line 1/, 'an id twice');
unlink $file;
symlink "$root/nowhere", $file or die "$file: $!\n";
refused(qr/No such file/, 'a link to nowhere');
ok(!-e "$root/nowhere", 'and nothing comes to be there');
unlink $file;
mkdir $file or die "$file: $!\n";
refused(qr/not a regular file/, 'a folder');
rmdir $file;

$site->configure(key_file => "$root/none/keys");
refused(qr/No such file/, 'a folder that does not exist');
ok(!-e "$root/none", 'and is not made');
$site->configure;
refused(qr/key_file is empty.*\n-> set key_file in \Q@{[$site->conf_path]}\E/,
	'a setting that is empty');
$site->configure(key_file => $file);

# What a replaced file keeps ---------------------------------------------------

put(line('one'), 0640);
chown -1, 12345, $file if $> == 0;
my @old = stat $file;
my $held = content();
open my $reader, '<', $file or die "$file: $!\n";
key(['add', 'two'], 0, qr/two/, 'a key for a file of mode 0640');
my @new = stat $file;
is_deeply([@new[2, 4, 5]], [@old[2, 4, 5]], 'owner, group and mode are kept');
isnt($new[1], $old[1], 'it is a new file');
is(join('', <$reader>), $held, 'whoever reads the old one reads it whole');
close $reader;
key(['retire', 'one', '--yes'], 0, qr/retired/, 'a key from it');
is_deeply([(stat $file)[2, 4, 5]], [@old[2, 4, 5]],
	'owner, group and mode are kept');

rename $file, "$root/elsewhere" or die "$file: $!\n";
symlink 'elsewhere', $file or die "$file: $!\n";
key(['add', 'three'], 0, qr/three/, 'a key for a file behind a link');
is(readlink $file, 'elsewhere', 'the link is still one');
is_deeply([ids()], ['two', 'three'], 'and leads to the new file');
unlink $file;
rename "$root/elsewhere", $file or die "$file: $!\n";

# A change that fails, and one that was killed, leave the file as it was.
$held = content();
Devcred::Shell::write_file("$root/.keys.new", 'half a file', 0644);
key(['add', 'four'], 0, qr/four/, 'what a killed program left is no obstacle');
is(mode(), '0640', 'nor are its permissions kept');
$held = content();
my ($status, $text) = Devcred::Shell::run(['bash', '-c',
	'trap "" XFSZ; (ulimit -f 0; "$@") 2>&1 | cat
		exit "${PIPESTATUS[0]}"', 'bash', $program, '-c', $site->conf_path, 'key', 'add', 'five']);
ok($status == 1 && $text =~ /keys.new: File too large/,
	'a disk without room is a failure')
    or diag("exit status $status\n$text");
is(content(), $held, 'and the file is as it was');
ok(!-e "$root/.keys.new", 'and no part of a new one is left');

# Without a path, in the folder it is run in.
my $home = Cwd::getcwd();
chdir $root or die "$root: $!\n";
key(['add', 'six'], 0, qr/six/, 'a file of the working folder',
	env => { DEVCRED_KEY_FILE => 'keys' });
unlink 'keys';
key(['add', 'one'], 0, qr/one/, 'a new one there',
	env => { DEVCRED_KEY_FILE => 'keys' });
is_deeply([ids()], ['one'], 'is where it should be');
chdir $home or die "$home: $!\n";

# Many at once -------------------------------------------------------------------

# Start a key command; its pid.  What it tells goes to a file.
sub start {
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', "$site->{dir}/told";
		exec($program, '-c', $site->conf_path, 'key', @_)
		    or POSIX::_exit(127);
	}
	return $pid;
}

put(line('base') . line('gone'));
my %running = map { $_ => 1 } start('retire', 'gone', '--yes'),
	map { start('add', "many-$_") } 1 .. 19;
# meanwhile whoever reads finds a whole file
my $torn = 0;
my $looks = 0;
my $failed = 0;
while (%running) {
	for my $now (content()) {
		$torn++ if $now !~ /\A(?:$id [0-9a-f]{64} [-\d]{10}\n)+\z/;
		$looks++;
	}
	for my $pid (keys %running) {
		next if waitpid($pid, POSIX::WNOHANG()) == 0;
		$failed++ if $?;
		delete $running{$pid};
	}
}
is($failed, 0, '20 changes at once all succeed');
is_deeply([sort(ids())], [sort 'base', map { "many-$_" } 1 .. 19],
	'and none of them is lost');
is($torn, 0, "and nobody saw half a file ($looks looks)");

# Somebody who holds the lock of the folder is waited for, but not for ever.
for my $case (
	[sub { close $_[1] }, 0, qr/\A\z/, 'the end of the lock ends the wait'],
	[sub { kill 'ALRM', $_[0] }, 1, qr/somebody else holds the lock/,
		'as does the time that is allowed for it'],
	[sub { kill 'INT', $_[0] }, 256 + 2, qr/\A\z/, 'as does an interrupt'],
    ) {
	my ($end, $want, $words, $name) = @$case;
	open my $lock, '<', $root or die "$root: $!\n";
	flock $lock, Fcntl::LOCK_EX() or die "flock: $!\n";
	my $before = content();
	my $pid = start('add');
	ok(Devcred::Shell::until_true(sub {
		Devcred::Shell::read_file('/proc/locks') =~ /-> FLOCK .* $pid /
	}), 'a locked folder is waited for');
	is(content(), $before, 'and nothing is changed');
	$end->($pid, $lock);
	waitpid $pid, 0;
	my $is = $? & 127 ? 256 + ($? & 127) : $? >> 8;
	my $told = Devcred::Shell::read_file("$site->{dir}/told");
	ok($is == $want && $told =~ $words, $name)
	    or diag("exit status $is, expected $want\n$told");
	is(content() ne $before, $want == 0, 'and then it is, or is not');
	close $lock;
}

# What it has to do with the database: a key that is needed stays.
my $db = $site->dbh;
$db->do("insert into devcred.device_credential (tenant, device_id, password_salt,
	password_hash, registration, accepted_at, accepted_by, seal_key, sealed, delivery_until)
	values ('t1', 'needs', decode(repeat('00', 16), 'hex'), decode(repeat('00', 32), 'hex'), -1,
	now(), 'x', 'many-1', decode('00', 'hex'), now() + interval '1 hour')");
key(['retire', 'many-1', '--yes'], 1, qr/1 passwords that many-1 sealed .*\n-> .*--unchecked/,
	'a key that an open delivery window needs is not retired');
$db->do("update devcred.device_credential set delivery_until = now() where device_id = 'needs'");
key(['retire', 'many-1', '--yes'], 0, qr/key many-1 retired/, 'when the window is closed, it is');
key(['retire', 'many-2', '--yes'], 3, qr/-> .*--unchecked/, 'without the database none is',
	env => { DEVCRED_DATABASE => "host=$site->{dir}/nowhere" });
key(['retire', 'many-2', '--unchecked', '--yes'], 0, qr/key many-2 retired/, 'unless that is meant',
	env => { DEVCRED_DATABASE => "host=$site->{dir}/nowhere" });
key(['add', 'alone'], 0, qr/alone/, 'keys are added without a database',
	env => { DEVCRED_DATABASE => "host=$site->{dir}/nowhere" });
key(['list'], 0, qr/alone .* seals\n\z/, 'and listed',
	env => { DEVCRED_DATABASE => "host=$site->{dir}/nowhere" });

done_testing;
