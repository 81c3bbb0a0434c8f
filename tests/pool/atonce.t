#!/usr/bin/perl
# Answers of the database that are there before anybody waits for them: whoever
# they are for goes on at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(time);
use Devcred::Fcgi;
use Devcred::Test;

# What is sent takes its time, so that the answer of the database has come when
# it is.
my $site = Devcred::Site->new(web => 'lighttpd', start => 0);
$site->configure(workers => 1, login_cache => 60, db_timeout => 5000, key_file => "$site->{dir}/keys");
Devcred::Shell::write_file("$site->{dir}/keys", 'k1 ' . '5a' x 32 . " 2026-01-31\n", 0644);
chmod 0600, "$site->{dir}/keys" or die "chmod: $!\n";
my $bin = "$site->{dir}/bin";
mkdir $bin or die "bin: $!\n";
Devcred::Shell::write_file("$bin/slow.c", <<'END', 0644);
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	ssize_t (*real)(int, const void *, size_t, int) =
	    (ssize_t (*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
	ssize_t n = real(fd, data, len, flags);

	usleep(30000);
	return n;
}
END
my ($status, $text) = Devcred::Shell::run(['cc', '-shared', '-fPIC', '-o', "$bin/slow.so",
	"$bin/slow.c"]);
die $text if $status;
Devcred::Shell::write_file("$bin/devcred.fcgi", <<"END", 0755);
#!/bin/sh
LD_PRELOAD='$bin/slow.so' exec '$Devcred::Shell::BIN/devcred.fcgi' "\$@"
END
$site->start_service($bin);
$site->start_web;
my $admin = $site->client('t1/admin');

# Two that are looked at together, as the worker finds both when it goes on: one
# is issued the password, and the other has to look again.
my $device = as_bootstrap($admin);
my ($worker) = Devcred::Site::children($site->service_pid);
for my $turn (1 .. 3) {
	my $id = accepted($admin);
	my $poll = Devcred::Fcgi::request('POST', $Devcred::Http::CREDENTIALS,
		body => qq({"id":"$id"}), login => Devcred::Site::login('management/devicebootstrap'));
	kill STOP => $worker;
	my @socket = map { Devcred::Fcgi::connect($site->socket_path) } 1 .. 2;
	Devcred::Fcgi::send_all($_, $poll) for @socket;
	my $begin = time;
	kill CONT => $worker;
	is(join(' ', map { Devcred::Fcgi::answer($_)->{status} } @socket), '201 201',
		'two polls of a device that meet are told its password');
	cmp_ok(time - $begin, '<', 2, 'without waiting for something else to happen');
}

done_testing();
