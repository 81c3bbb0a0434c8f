package Devcred::Test;

# What every test file starts with: Test::More, the site, and assertions that
# show the whole exchange when they fail.

use strict;
use warnings;
use Exporter 'import';
use Test::More;

use Devcred::Http;
use Devcred::Shell;
use Devcred::Site;

our @EXPORT = (qw(answers refuses one_of eventually device_id registered
	pending accepted issued as_bootstrap), @Test::More::EXPORT);

$SIG{INT} = $SIG{TERM} = $SIG{HUP} = $SIG{PIPE} = sub { exit 1 };

# The answer has this status, and came whole.
sub answers {
	my ($answer, $status, $name) = @_;
	my $ok = $answer->status == $status && $answer->{whole};

	ok($ok, $name) or diag("expected $status\n", $answer->told);
	return $ok;
}

# The answer is a refusal of the service: status, error body as the reference
# has it, the error's name, and words of the message.
sub refuses {
	my ($answer, $status, $error, $words, $name) = @_;
	my @wrong = wrong_with($answer, $status, $error, $words);

	ok(!@wrong, $name) or diag(join("\n", @wrong), "\n", $answer->told);
	return !@wrong;
}

sub wrong_with {
	my ($answer, $status, $error, $words) = @_;
	my @wrong;

	push @wrong, "status is not $status" if $answer->status != $status;
	push @wrong, 'not whole' unless $answer->{whole};
	push @wrong, 'media type is not that of an error'
	    if $answer->type ne 'error';
	for my $field (qw(error message info)) {
		push @wrong, "no $field" if ($answer->field($field) // '') eq '';
	}
	push @wrong, "error is not $error"
	    if ($answer->field('error') // '') ne $error;
	push @wrong, "message is not $words"
	    if defined $words && ($answer->field('message') // '') !~ $words;
	push @wrong, 'no WWW-Authenticate' if $status == 401
	    && ($answer->header('www-authenticate') // '') !~ /\ABasic /;
	push @wrong, 'no Retry-After' if $status == 503
	    && ($answer->header('retry-after') // '') !~ /\A\d+\z/;
	return @wrong;
}

# Where web servers refuse on their own: the service's refusal, or one of the
# statuses that this kind of web server is known to answer itself.
sub one_of {
	my ($answer, $status, $error, $by_server, $name) = @_;
	my @own = @{ $by_server->{ Devcred::Site::kind_wanted() }
		// $by_server->{any} // [] };
	my @wrong = wrong_with($answer, $status, $error, undef);
	my $ok = !@wrong || grep { $answer->status == $_ } @own;

	ok($ok, $name) or diag(join("\n", @wrong),
		@own ? "\nand not one of @own\n" : "\n", $answer->told);
	return $ok;
}

# Wait for a condition; one assertion.
sub eventually {
	my ($condition, $name, $deadline) = @_;
	my $is = Devcred::Shell::until_true($condition, $deadline);

	ok($is, $name);
	return $is;
}

my $count = 0;

# A device id that no other test uses.
sub device_id {
	my ($stem) = @_;
	return join '-', $stem // 'device', $$, ++$count;
}

# Steps that lead to what a test is about; they die if they fail.

sub must {
	my ($answer, $status) = @_;
	return $answer if $answer->status == $status;
	die "expected $status on the way to the test\n" . $answer->told;
}

sub as_bootstrap {
	my ($http) = @_;
	return $http->as(Devcred::Site::login('management/devicebootstrap'));
}

# A request in state WAITING_FOR_CONNECTION of the client's tenant.
sub registered {
	my ($http, %arg) = @_;
	my $id = $arg{id} // device_id();
	must($http->register($id, with => $arg{with}), 201);
	return $id;
}

sub pending {
	my ($http, %arg) = @_;
	my $id = registered($http, %arg);
	my %with = defined $arg{token} ? (securityToken => $arg{token}) : ();
	must(as_bootstrap($http)->poll($id, with => \%with), 404);
	return $id;
}

sub accepted {
	my ($http, %arg) = @_;
	my $id = pending($http, %arg);
	my %with = defined $arg{token} ? (securityToken => $arg{token}) : ();
	must($http->accept_device($id, with => \%with), 200);
	return $id;
}

# Returns the answer with the credentials.
sub issued {
	my ($http, %arg) = @_;
	my $id = accepted($http, %arg);
	my %with = defined $arg{token} ? (securityToken => $arg{token}) : ();
	return must(as_bootstrap($http)->poll($id, with => \%with), 201);
}

# On failure, what the servers wrote explains it.
END {
	my $status = $?;
	if ($status || !Test::More->builder->is_passing) {
		for my $site (Devcred::Site->all) {
			my %log = $site->logs(30);
			for my $path (sort keys %log) {
				diag("--- end of $path\n", $log{$path});
			}
		}
	}
	Devcred::Site->stop_all;
	$? = $status;
}

1;
