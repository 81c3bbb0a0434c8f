package Devcred::Protected;

# A web server that keeps a file from everybody but devices, and the service
# that gives these their credentials.

use strict;
use warnings;
use File::Path ();
use JSON::PP ();

use Devcred::Fcgi;
use Devcred::Http;
use Devcred::Shell;
use Devcred::Site;

our $FILE = '/protected/hello.txt';
our $TEXT = "hello\n";

# Options: conf (settings), edit (of the server's snippet, by sed), before (to
# be done when the service runs, with the site; may return more of an edit).
sub new {
	my ($class, $kind, %arg) = @_;
	my $site = Devcred::Site->new(web => $kind, start => 0);
	my $self = bless { site => $site }, $class;

	$self->make_key("$site->{dir}/keys");
	$site->configure(key_file => "$site->{dir}/keys",
		%{ $arg{conf} || {} });
	File::Path::make_path("$site->{dir}/web/root/protected");
	Devcred::Shell::write_file("$site->{dir}/web/root$FILE", $TEXT, 0644);
	$site->start_service;
	my $more = $arg{before} ? $arg{before}->($self) : '';
	local $ENV{PRIVATE_WEB_EDIT} = join ';', grep { length }
	    $arg{edit} // '', $more;
	$site->start_web;
	return $self;
}

sub site { return $_[0]{site} }

# The service reads it as the user it runs as.
sub make_key {
	my ($self, $path) = @_;
	Devcred::Shell::write_file($path,
		'k1 ' . join('', map { sprintf '%02x', rand 256 } 1 .. 32)
		. " 2026-01-01\n", 0600);
	my ($uid, $gid) = (getpwnam 'www-data')[2, 3];
	chown $uid, $gid, $path if $> == 0 && defined $uid;
	return;
}

# One request to the service, past the web server.
sub ask {
	my ($self, $user, $method, $path, %body) = @_;
	my $answer = Devcred::Fcgi::exchange($self->{site}->socket_path,
		Devcred::Fcgi::request($method, $path,
			login => Devcred::Site::login($user),
			body => Devcred::Http::to_json(%body)));
	die "$method $path: $answer->{out}\n"
	    if $answer->{status} !~ /^(?:20[01]|404)$/;
	return $answer;
}

# The user and password of a new device.
sub device {
	my ($self, $id) = @_;
	my ($admin, $bootstrap) = ('t1/admin', 'management/devicebootstrap');
	$self->ask($admin, 'POST', $Devcred::Http::REQUESTS, id => $id);
	$self->ask($bootstrap, 'POST', $Devcred::Http::CREDENTIALS, id => $id);
	$self->ask($admin, 'PUT', Devcred::Http::path_of($id),
		status => 'ACCEPTED');
	my $answer = $self->ask($bootstrap, 'POST', $Devcred::Http::CREDENTIALS,
		id => $id);
	die "no credentials: $answer->{out}\n" if $answer->{status} != 201;
	my $told = JSON::PP->new->utf8->decode($answer->{body});
	return ("$told->{tenantId}/$told->{username}", $told->{password});
}

# The web server's answer to who wants to have the file.
sub fetch {
	my ($self, $login, %arg) = @_;
	return Devcred::Http->new(port => $self->{site}{port}, login => $login)
	    ->request($arg{method} // 'GET', $arg{path} // $FILE, %arg);
}

1;
