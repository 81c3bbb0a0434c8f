package Devcred::Cluster;

# A private PostgreSQL, and in it a migrated database with tenants and users
# of which each site gets a copy.

use strict;
use warnings;
use DBI;
use File::Path ();

use Devcred::Shell;

my $TEMPLATE = 'devcred_template';

# Logins of the databases, and the role each is a member of.
my %LOGIN = (
	devcred_service => 'devcred_app',
	devcred_operator => 'devcred_owner',
	devcred_reader => 'devcred_auditor',
	devcred_checker => 'devcred_verifier',
	devcred_web => 'devcred_verifier',
	devcred_boss => 'devcred_registrar',
	devcred_t1 => undef,
	devcred_t1_reader => undef,
	devcred_t2 => undef,
	devcred_both => undef,
);

# Logins that see what a tenant has.
our @GRANT = (['t1', 'devcred_t1'], ['t1', 'devcred_t1_reader', '--read-only'],
	['t2', 'devcred_t2'], ['t1', 'devcred_both'], ['t2', 'devcred_both']);

# Users of every site: tenant/name => roles for devcredctl.
our %USER = (
	'management/admin' => ['ADMIN', 'READ'],
	'management/devicebootstrap' => ['BOOTSTRAP'],
	't1/admin' => ['ADMIN', 'READ'],
	't1/operator' => ['ADMIN'],
	't1/reader' => ['READ'],
	't1/users' => ['USERS'],
	't1/bootstrap' => ['BOOTSTRAP'],
	't1/gone' => ['ADMIN', 'READ'],
	't2/admin' => ['ADMIN', 'READ'],
	't2/bootstrap' => ['BOOTSTRAP'],
	'list/admin' => ['ADMIN', 'READ'],
	'token/admin' => ['ADMIN', 'READ'],
	'all/admin' => ['ADMIN', 'READ'],
	'limit/admin' => ['ADMIN', 'READ'],
	'life/admin' => ['ADMIN', 'READ'],
);
my %TENANT = (t1 => undef, t2 => 't2.example.org', list => undef,
	token => undef, all => undef, limit => undef, life => undef);

my $shared;

# The cluster of this test run, or one for this test alone.
sub shared {
	my ($class) = @_;
	return $shared if $shared;
	if ($ENV{DEVCRED_TEST_CLUSTER}) {
		$shared = bless { dir => $ENV{DEVCRED_TEST_CLUSTER} }, $class;
	} else {
		$shared = $class->new;
	}
	return $shared;
}

# Start a cluster that ends with this object, unless keep is set.  A bare one
# has nothing of devcred in it, not even its roles.
sub new {
	my ($class, %arg) = @_;
	my $self = bless {
		dir => Devcred::Shell::new_dir(),
		pid => $arg{keep} ? 0 : $$,
		options => join ' ', '-c fsync=off -c max_connections=200',
			@{ $arg{options} || [] },
	}, $class;
	$self->start;
	$self->prepare unless $arg{bare};
	return $self;
}

sub start {
	my ($self) = @_;
	Devcred::Shell::private('private_pg_start', $self->{dir},
		{ PRIVATE_PG_OPTIONS => $self->{options} });
	return;
}

sub stop {
	my ($self) = @_;
	Devcred::Shell::private('private_pg_stop', $self->{dir});
	return;
}

# A libpq connection string.
sub conninfo {
	my ($self, $database, $user) = @_;
	$user //= 'postgres';
	return "host=$self->{dir} dbname=$database user=$user";
}

# A connection; by default as superuser.  Text comes and goes as bytes.
sub connect {
	my ($self, $database, $user) = @_;
	return DBI->connect(
		'dbi:Pg:' . join(';', split / /, $self->conninfo($database, $user)),
		'', '',
		{ RaiseError => 1, PrintError => 0, AutoCommit => 1,
			pg_enable_utf8 => 0, pg_server_prepare => 0 });
}

# Make the template: roles, schema, tenants, users; with devcredctl, as an
# operator would.
sub prepare {
	my ($self) = @_;
	my $super = $self->connect('postgres');

	return if $super->selectrow_array(
		'select 1 from pg_database where datname = ?', undef, $TEMPLATE);
	$super->do('set client_min_messages = warning');
	$super->do(Devcred::Shell::read_file("$Devcred::Shell::TOP/sql/roles.sql"));
	for my $login (sort keys %LOGIN) {
		$super->do("create role $login login");
		$super->do("grant $LOGIN{$login} to $login") if $LOGIN{$login};
	}
	my $raw = "${TEMPLATE}_raw";
	$super->do("create database $raw owner devcred_owner");
	my $conf = "$self->{dir}/template.conf";
	Devcred::Shell::write_file($conf,
		'database = ' . $self->conninfo($raw, 'devcred_operator') . "\n");
	ctl_must($conf, '', 'migrate');
	for my $tenant (sort keys %TENANT) {
		my $domain = $TENANT{$tenant};
		ctl_must($conf, '', 'tenant', 'add', $tenant,
			$domain ? ('--domain', $domain) : ());
	}
	for my $user (sort keys %USER) {
		ctl_must($conf, password($user) . "\n", 'user', 'add', $user,
			(map { ('--role', $_) } @{ $USER{$user} }), '--stdin');
	}
	ctl_must($conf, '', 'user', 'disable', 't1/gone');
	ctl_must($conf, '', 'tenant', 'grant-login', @$_) for @GRANT;
	$self->connect($raw)->do(Devcred::Shell::read_file(
		"$Devcred::Shell::TOP/tests/lib/testing.sql"));
	# its name says that it is whole
	$super->do("alter database $raw rename to $TEMPLATE");
	return;
}

sub ctl_must {
	my ($conf, $in, @arg) = @_;
	my ($status, $text) = Devcred::Shell::ctl($conf, $in, @arg);
	die "devcredctl @arg failed ($status):\n$text" if $status;
	return;
}

# The password of one of our users.
sub password {
	my ($user) = @_;
	return "secret of $user: \xc3\xbc";
}

my $count = 0;

# A new database like the template; returns its name.
sub database {
	my ($self) = @_;
	my $name = "devcred_$$" . '_' . ++$count;
	my $super = $self->connect('postgres');
	my $made = Devcred::Shell::until_true(sub {
		# two copies at the same time are one too many
		eval { $super->do("create database $name template $TEMPLATE"); 1 };
	});
	die $@ unless $made;
	return $name;
}

sub log {
	my ($self) = @_;
	return map { Devcred::Shell::read_file($_) } glob "$self->{dir}/pg*.log";
}

sub DESTROY {
	my ($self) = @_;
	return unless $self->{pid} && $self->{pid} == $$;
	local ($?, $@, $!);
	eval { $self->stop };
	File::Path::remove_tree($self->{dir}, { safe => 1 });
	return;
}

1;
