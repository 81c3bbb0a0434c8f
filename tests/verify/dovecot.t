#!/usr/bin/perl
# Dovecot takes logins of devices, by what it reads in the database.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Devcred::Test;
use Devcred::Protected;

plan(skip_all => 'Dovecot is started by root alone') if $> != 0;

my $protected = Devcred::Protected->new('lighttpd-authorizer');
my $site = $protected->site;
my $dbh = $site->dbh;
my $id = device_id('Dev');	# with a capital
my ($user, $password) = $protected->device($id);
my $dir = "$site->{dir}/dovecot";
my $conf = "$dir/dovecot.conf";

# What is shipped, with this place's paths, and the least around it.
my $head = <<"END";
base_dir = $dir/run
log_path = $dir/log
protocols =
ssl = no
auth_failure_delay = 0
service auth {
  user = www-data
}
# no penalty for those who fail
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
userdb {
  driver = static
  args = uid=www-data gid=www-data home=/nonexistent
}
END
mkdir $dir or die "$dir: $!\n";
chmod 0755, $dir;
for my $file (['auth-devcred.conf.ext', $conf, $head],
    ['devcred-sql.conf.ext', "$dir/devcred-sql.conf.ext", '']) {
	my ($from, $to, $before) = @$file;
	my $text = Devcred::Shell::read_file(
		"$Devcred::Shell::TOP/deploy/dovecot/$from");
	$text =~ s{/etc/dovecot\b}{$dir}g;
	$text =~ s{host=/run/postgresql dbname=devcred}
	    {host=$site->{cluster}{dir} dbname=$site->{database}};
	Devcred::Shell::write_file($to, $before . $text, 0644);
}

my $pid = fork // die "fork: $!\n";
if ($pid == 0) {
	open STDERR, '>>', "$dir/log";
	exec 'dovecot', '-F', '-c', $conf or POSIX::_exit(127);
}
END {
	my $status = $?;
	if ($pid) {
		kill 'TERM', $pid;
		waitpid $pid, 0;
		diag(Devcred::Shell::read_file("$dir/log")) if $status;
	}
	$? = $status;
}

sub tries {
	my (@login) = @_;
	my ($status, $text) = Devcred::Shell::run(
		['doveadm', '-c', $conf, 'auth', 'test', @login]);
	return $text =~ /auth succeeded/ ? 'in' : $text =~ /temp_fail/
	    ? $text : $text =~ /auth failed/ ? 'out' : $text;
}

eventually(sub { tries($user, $password) eq 'in' },
	'the password of a device lets it in');
is(tries($user, "x$password"), 'out', 'another does not');
is(tries("t1/device_nobody", $password), 'out', 'nor is there another device');
is(tries("t1/device_x' or '1'='1", $password), 'out', 'nor a name that is SQL');
is(tries(lc $user, $password), 'out', 'names are told apart by case');
$dbh->do(q{select devcred.credential_disable('t1', 'test', null, 't1', ?, ?)},
	undef, $id, 't');
is(tries($user, $password), 'out', 'disabled: at once');
$dbh->do(q{select devcred.credential_disable('t1', 'test', null, 't1', ?, ?)},
	undef, $id, 'f');
is(tries($user, $password), 'in', 'enabled again');
$dbh->do(q{select devcred.credential_revoke('t1', 'test', null, 't1', ?)},
	undef, $id);
is(tries($user, $password), 'out', 'revoked: at once');
$dbh->disconnect;

done_testing();
