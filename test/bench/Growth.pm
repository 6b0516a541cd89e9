#
# Growth.pm - how steeply a job's time grows with its rows, and what of that is the job's.
#
# The exponent of times at 1, 10 and 100 units is the greater of the one from the first to the last size and the one from
# the second to the last.
#
# A job that groups by a hundred thousand keys and more stands on the executor's hash table.  That is a few hundred kB at
# the first size and tens of MB at the last: what is one access to the nearest cache there is one to memory here, and
# a miss of the TLB.  Plain SQL that keeps one sum for each group has an exponent of 1.2 to 1.4 by that alone, so an
# exponent above 1.1 does not say that a job does more than a constant number of steps for a row.  Such a job names the
# peer that has the same table with next to nothing in it.  The peer is measured at the same sizes in the same run, and
# ours is judged, over each of the two spans, without what the peer's exponent is above 1.
#
# That is an allowance for caches, and never more than caches can do: going from one that answers in a nanosecond to memory
# that takes a hundred is a factor of ten in an access, and an access is not all of a row's work, so that half a power over
# a hundredfold of rows is its bound.  A peer that is steeper is counted as having 0.5: beside a quadratic peer a
# quadratic job fails.  The limit itself stays as it is.
#
package Growth;

use strict;
use warnings;

use List::Util qw(max min);

our $target = 1.1;
our $most_allowed = 0.5;

# Over both spans, of the times at three sizes.
sub spans
{
	my ($small, $middle, $large) = @_;
	return (log($large / $small) / log(100), log($large / $middle) / log(10));
}

sub exponent
{
	return max(spans(@_));
}

# The exponent of ours without what that of the peer, if there is one, is above 1.
sub own_exponent
{
	my ($ours, $peer) = @_;
	my @own = spans(@$ours);
	return max(@own) unless $peer;
	my @beside = spans(@$peer);
	return max(map { $own[$_] - min($most_allowed, max(0, $beside[$_] - 1)) } 0 .. $#own);
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# What was found from the times of all runs at three sizes, of ours and perhaps of a peer: exponents of the medians, and
# as noise half of what lies between the smallest and the greatest of the single runs.
sub judge
{
	my ($ours, $peer) = @_;
	my $single = sub { my ($times, $run) = @_; return [ map { $_->[$run] } @$times ]; };
	my $medians = sub { my ($times) = @_; return [ map { median(@$_) } @$times ]; };
	my @own = map { own_exponent($single->($ours, $_), $peer && $single->($peer, $_)) } 0 .. $#{ $ours->[0] };
	my $found = { exponent => exponent(@{ $medians->($ours) }), own => own_exponent($medians->($ours), $peer && $medians->($peer)),
		noise => (max(@own) - min(@own)) / 2, cpu => $medians->($ours) };
	$found->{beside} = { exponent => exponent(@{ $medians->($peer) }), cpu => $medians->($peer) } if $peer;
	return $found;
}

# Is an own exponent too great, even if noise made it so?
sub too_steep
{
	my ($own, $noise) = @_;
	return $own - $noise > $target;
}

1;
