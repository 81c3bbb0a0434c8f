#!/usr/bin/perl
# Every operation says who may use it, and every web server hands it over.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Devcred::Source qw(matching text uncommented operations
	keeps);

# Operations for whoever can log in at all, devices too, and why.
my %open = (
	tenant_current => 'a login may know its own tenant',
	tenant_option => 'agents look which token policy holds before they ask',
	user_current => 'a login may know itself',
	health => 'who looks after the service has no login; health_from',
	ready => 'likewise; ready_from',
	metrics => 'likewise; metrics_from',
);

my ($header, $table) = map { uncommented("fcgi/route.$_") } qw(h c);
my %declared = map { $_ => 1 }
	$header =~ /^extern const struct operation (\w+);/mg;
my %routed = map { $_ => 1 } $table =~ /^\t&(\w+),$/mg;
my %role = map { $_ => 1 } uncommented('common/model.h') =~ /\b(ROLE_\w+)/g;

my ($found, @broken) = operations();
my %operation = %$found;
keeps('every descriptor can be read', @broken);
ok(%operation > 5, 'there are operations');
keeps('an operation is declared, defined and routed, or none of these', map {
	my $name = $_;
	map { "$name: is not $_->[0]" } grep { !$_->[1]{$name} }
		['declared in fcgi/route.h', \%declared],
		['defined in a file of fcgi/', \%operation],
		['in operations[] of fcgi/route.c', \%routed];
} sort keys %{ { %declared, %operation, %routed } });

my (@misnamed, @roleless, @twice, %taken);
for my $name (sort keys %operation) {
	my ($file, $called, $method, $path, $roles)
	    = @{ $operation{$name} }{qw(file name method path roles)};
	my @roles = split /,/, $roles =~ s/\s+//gr;

	push @misnamed, "$file: $name is called $called" if $called ne $name;
	push @misnamed, "$file: $name has the path $path"
	    if $path !~ m{\A(?:/(?:[\w.-]+|\{id\}))+\z};
	push @misnamed, "$file: $name has the method $method"
	    if $method !~ /\A(?:GET|POST|PUT|DELETE)\z/;
	push @twice, "$file: $name and $taken{qq($method $path)}"
	    if $taken{"$method $path"};
	$taken{"$method $path"} = $name;

	push @roleless, "$file: $name has no role for each profile"
	    if @roles != 2;
	for my $role (map { split /\|/ } @roles) {
		push @roleless, "$file: $name is for $role, which is no role"
		    if !$role{$role};
		push @roleless, "$file: $name is open, and this test knows no "
		    . 'reason' if $role =~ /\AROLE_(?:ANY|NONE)\z/ && !$open{$name};
	}
	push @roleless, "$file: $name is not open; strike it from this test"
	    if $open{$name} && $roles !~ /ROLE_(?:ANY|NONE)/;
	push @roleless, "$file: $name needs no login, and looks at no address"
	    if $roles =~ /ROLE_NONE/ && uncommented($file)
		!~ /^${name}_parse\([^{]*\{\s*if \(!?health_lets\(/m;
}
keeps('an operation has the name of its variable, a method and a path',
	@misnamed);
keeps('no two operations have the same method and path', @twice);
keeps('every operation has its roles, or is open for a reason', @roleless,
	map { "$_: is no operation; strike it from this test" }
		grep { !$operation{$_} } sort keys %open);

# The web servers -----------------------------------------------------------

# Paths as requests have them; the last is for the service's own.
my @paths = sort { $a cmp $b } map {
	my $path = $_->{path};
	map { $path =~ s/\{id\}/$_/r } $path =~ /\{id\}/ ? qw(1234 a%2Fb) : ''
} values %operation;
# those that protect what is somebody else's, and hand over nothing
my $protect = qr{/auth[^/]*\.conf\z|/fcgid-authenticator\.conf\z};
# the page's own are the matter of tests/web/serving.t
my @all = grep { !m{/page\.conf\z} }
	matching(qr{^deploy/(?:lighttpd|apache|nginx)/[\w-]+\.conf\z});
my @snippets = grep { !/$protect/ } @all;
ok(@snippets >= 6, 'there are snippets for web servers');
keeps('a snippet that hands over nothing protects a place', map {
	text($_) =~ m{/protected/} ? () : "$_: has no /protected/"
} grep { /$protect/ } @all);

for my $snippet (@snippets) {
	my $text = text($snippet) =~ s/^\s*#.*//mgr;
	my @patterns = $text =~ m{(?:=~|~|LocationMatch)\s*"?(\^/[^"\s]+)}g;
	# what a program is bound to, where the server needs that besides
	my @bound = $text =~ m{^\s*(?:ScriptAlias\s+)?"(/\w+)"\s*(?:=>\s*)?"/}mg;

	ok(@patterns > 0, "$snippet has a pattern for paths");
	keeps("$snippet hands over every path", map {
		my $path = $_;
		((grep { $path =~ /$_/ } @patterns) ? ()
		    : "$snippet: no pattern matches $path",
		!@bound || (grep { $path =~ m{\A\Q$_\E(?:/|\z)} } @bound) ? ()
		    : "$snippet: no program is bound to $path")
	} @paths, '/devcred/health');
	keeps("$snippet leaves other paths alone", map {
		my $path = $_;
		map { "$snippet: $_ matches $path" } grep { $path =~ /$_/ } @patterns
	} '/', '/index.html', map { m{\A(/\w+)}; "$1x/y", "/x$1/y" } @paths);
}

done_testing;
