package Devcred::Hostile;

# What the tests of this suite share: a seed
# with which they can be repeated, and bytes gone wrong.

use strict;
use warnings;
use Exporter 'import';
use Test::More ();
use Time::HiRes ();

our @EXPORT_OK = qw(seed mutated median any);

# Start what is decided by chance; DEVCRED_HOSTILE_SEED repeats it.
sub seed {
	my $seed = $ENV{DEVCRED_HOSTILE_SEED} // int(Time::HiRes::time()) ^ $$;
	srand $seed;
	Test::More::diag("DEVCRED_HOSTILE_SEED=$seed");
	return $seed;
}

sub any { return $_[rand @_] }

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return $sorted[@sorted / 2];
}

# Values at the edges of what a byte, and a length of one or four, can be.
my @EDGE = ("\0", "\1", "\x7f", "\x80", "\xff", "\0\0", "\xff\xff",
	"\x80\0\0\0", "\x80\0\0\1", "\xc0\0\0\0", "\x40\0\0\0", "\x7f\xff\xff\xff",
	"\xff\xff\xff\xff", "\0\0\0\0\0\0\0\0");

# A few faults in some bytes.
sub mutated {
	my ($bytes) = @_;

	for (0 .. rand 3) {
		my $at = int rand 1 + length $bytes;
		my $n = 1 + int rand any(1, 8, 64);
		any(
			sub { substr($bytes, $at, 1) = chr int rand 256 },
			sub { substr($bytes, $at, 1) ^= chr 1 << rand 8 },
			sub { my $edge = any(@EDGE); substr($bytes, $at, length $edge) = $edge },
			sub { substr($bytes, $at, 0) = join '', map { chr rand 256 } 1 .. $n },
			sub { substr($bytes, $at, $n) = '' },
			sub { substr($bytes, $at, 0) = substr $bytes, rand length $bytes, $n },
			sub { $bytes = substr $bytes, 0, $at },
			sub { $bytes .= $bytes },
		)->() if length $bytes;
	}
	return $bytes;
}

1;
