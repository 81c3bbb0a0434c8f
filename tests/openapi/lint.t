#!/usr/bin/perl
# doc/openapi.yaml keeps the rules of redocly.yaml.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp;
use Test::More;

use Devcred::Shell;

my $folder = $ENV{DEVCRED_TEST_NODE} // $FindBin::Bin;
my $document = Devcred::Shell::read_file("$Devcred::Shell::TOP/doc/openapi.yaml");

# Lint a text; nobody else is told of it or asked.
sub lint {
	my ($text) = @_;
	my $file = File::Temp->new(SUFFIX => '.yaml');
	print {$file} $text;
	$file->flush;
	return Devcred::Shell::run(["$folder/node_modules/.bin/redocly", 'lint',
			'--config', "$folder/redocly.yaml", "$file"],
		env => { REDOCLY_TELEMETRY => 'off',
			REDOCLY_SUPPRESS_UPDATE_NOTICE => 'true' });
}

my ($status, $out) = lint($document);
is($status, 0, 'the linter finds nothing') or diag($out);
for my $case (
	['an operation without a summary', qr/^ +summary: List requests\n/m],
	['an operation without the parameter in its path', qr/^ +- name: id\n(?: {8}.*\n)+/m],
	['an example that is not as its schema', qr/^ +tenantId: t1\n/m],
    ) {
	my ($name, $line) = @$case;
	(my $spoiled = $document) =~ s/$line// or die "$name: no line $line\n";
	($status, $out) = lint($spoiled);
	isnt($status, 0, "but $name") or diag($out);
}

done_testing();
