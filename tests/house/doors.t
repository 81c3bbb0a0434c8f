#!/usr/bin/perl
# Each foreign library has one door, a module that alone speaks to it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Source qw(matching code uncommented lines keeps);

# Library, the files of its door, its headers, and words of its own.
my @doors = (
	['libfcgi', qr{fcgi/gateway\.c}, qr{fc?gi(?:app|os|_\w+)\w*\.h},
		qr/\bFCGX_\w+/],
	# db.h is what all others see of it
	['libpq', qr{common/(?:db(?:_\w+)?\.c|db_\w+\.h)},
		qr{libpq[-/].*|postgres.*},
		qr/\bPQ[a-z]\w+|\bPG(?:conn|result|cancel|notify)\b/],
	['json-c', qr{fcgi/repr\.c}, qr{json(?:-c/.*|\w*\.h)},
		qr/\bjson_(?:object|tokener|util|c|type)\w*/],
	['OpenSSL', qr{common/secret(?:_seal|_sign)?\.c}, qr{openssl/.*},
		qr/\b(?:EVP|RAND|OPENSSL|CRYPTO|SHA\d*|HMAC|ERR|BIO|SSL)_\w+/],
	['libcurl', qr{ctl/web\.c}, qr{curl/.*}, qr/\bcurl_\w+|\bCURL\w+/],
	['libcrypt', qr{common/secret\.c}, qr{crypt\.h},
		qr/\bcrypt(?:_\w+)?\s*\(|\bstruct\s+crypt_data\b/],
);

my @sources = matching(qr{^(?:common|ctl|fcgi|tests/fuzz)/\w+\.[ch]\z});

# Files' includes, as [path, number, name, line].
my @includes = map {
	my $path = $_;
	map { $_->[1] =~ /^\s*#\s*include\s+[<"]([^>"]+)/
		? [$path, $_->[0], $1, $_->[1]] : () }
		lines($path, uncommented($path));
} @sources;

for my $row (@doors) {
	my ($library, $door, $headers, $words) = @$row;
	my @foreign = grep { $_->[2] =~ /\A(?:$headers)\z/ } @includes;
	# headers of the door that show the library to whoever includes them
	my %inner = map { $_->[0] =~ m{(\w+\.h)\z} ? ($1 => 1) : () } @foreign;

	ok((grep { $_->[0] =~ /\A$door\z/ } @foreign),
		"$library has its door");
	keeps("no other file includes a header of $library",
		map { "$_->[0]:$_->[1]: $_->[3]" }
			grep { $_->[0] !~ /\A$door\z/ }
			@foreign, grep { $inner{$_->[2]} } @includes);
	keeps("no other file calls $library", map {
		my $path = $_;
		map { $_->[1] =~ $words ? "$path:$_->[0]: $&" : () }
			lines($path, code($path));
	} grep { !/\A$door\z/ } @sources);
}

done_testing;
