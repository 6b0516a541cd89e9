#!/usr/bin/env perl
#
# results.pl compare OLD NEW    compares the ratios of two folders of bench.pl's files, job by job; fails when one grew
# results.pl table FOLDER       a page of Markdown with all results in the folders of FOLDER, one for each number of customers
# results.pl selftest           what is noise and what is not, on made-up results
#
# Ratios are compared, not times: ours and its peer ran in turn on the same machine.  A ratio changed when new / old is
# beyond 1 + tolerance either way.  The tolerance is the noise that both runs saw (half of what lies between their
# smallest and greatest single ratio, by the ratio), and never below 15 %: what one build does to the next by moving code
# about.  An exponent changed by more than both noises, and never by less than 0.05; above its target it fails unless
# its noise reaches down to the target; that is ours without what the peer that stands on the same hash table has above 1,
# where a job names one (Growth.pm).  Times are compared where nothing stands beside ours, of CPU, on the same
# machine only, and there a change of 50 % counts: other work on it slows a core by up to that.
use strict;
use utf8;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Growth;
use JSON::PP;
use List::Util qw(max);

binmode STDOUT, ':encoding(UTF-8)';

my $least = 0.15;
my $least_exponent = 0.05;
my $least_time = 0.5;

sub read_results
{
	my ($folder) = @_;
	my %result;
	foreach my $name (glob "$folder/*.json")
	{
		open my $in, '<', $name or die "$name: $!\n";
		local $/;
		my $job = JSON::PP->new->utf8->decode(scalar <$in>);
		$result{ $job->{job} } = $job;
	}
	return \%result;
}

# What changed in one job: lists of a verdict, "worse", "better" or "note", and of the words for it.
sub compare_job
{
	my ($old, $new) = @_;
	my @said;
	my %old_peer = map { $_->{name} => $_ } @{ $old->{peers} // [] };

	foreach my $peer (@{ $new->{peers} // [] })
	{
		my $before = delete $old_peer{ $peer->{name} } or next;
		my $tolerance = max($least, $before->{noise} / $before->{ratio} + $peer->{noise} / $peer->{ratio});
		my $change = $peer->{ratio} / $before->{ratio};
		push @said, [ $change > 1 ? 'worse' : 'better',
			sprintf('%.3g to %.3g of "%s" (%+.0f %%, noise %.0f %%)', $before->{ratio}, $peer->{ratio}, $peer->{name}, 100 * ($change - 1), 100 * $tolerance) ]
		  if $change > 1 + $tolerance || $change < 1 / (1 + $tolerance);
		push @said, [ 'note', sprintf('misses its target %s beside "%s" now', $peer->{target}, $peer->{name}) ]
		  if defined $peer->{target} && $peer->{ratio} > $peer->{target} && $before->{ratio} <= $peer->{target};
	}
	push @said, [ 'note', "is not compared with \"$_\" any more" ] foreach sort keys %old_peer;
	if (!@{ $new->{peers} // [] } && $old->{ours} && $new->{ours} && $old->{machine}{processor} eq $new->{machine}{processor})
	{
		my $change = $new->{ours}{cpu_ms} / $old->{ours}{cpu_ms};
		push @said, [ $change > 1 ? 'worse' : 'better', sprintf('%.3g to %.3g ms of CPU (%+.0f %%)', $old->{ours}{cpu_ms}, $new->{ours}{cpu_ms}, 100 * ($change - 1)) ]
		  if $change > 1 + $least_time || $change < 1 / (1 + $least_time);
	}
	if (defined $old->{figure} && defined $new->{figure} && $old->{figure} != $new->{figure})
	{
		push @said, [ $new->{figure} > $old->{figure} ? 'worse' : 'better', "$old->{figure} to $new->{figure}" ];
	}
	if ($old->{growth} && $new->{growth})
	{
		# What was judged: before a job named a peer it was the whole exponent, which is another measure.
		my ($before, $now) = map { own_exponent($_->{growth}) } $old, $new;
		my $change = $now - $before;
		push @said, [ $change > 0 ? 'worse' : 'better', sprintf('exponent %.2f to %.2f', $before, $now) . ($new->{growth}{beside} ? ' without what the peer\'s is above 1' : '') ]
		  if !$old->{growth}{beside} == !$new->{growth}{beside} &&
		  abs($change) > max($least_exponent, $old->{growth}{noise} + $new->{growth}{noise}) && max($before, $now) > 1;
	}
	return @said;
}

# Results from before there were peers for growth have the exponent alone.
sub own_exponent
{
	my ($growth) = @_;
	return $growth->{own} // $growth->{exponent};
}

sub too_steep
{
	my ($job) = @_;
	my $growth = $job->{growth} or return 0;
	return Growth::too_steep(own_exponent($growth), $growth->{noise});
}

sub steep_words
{
	my ($growth) = @_;
	my $words = sprintf 'grows with an exponent of %.2f, above %s', $growth->{exponent}, $growth->{target};
	$words .= sprintf ', beside %.2f of "%s"', $growth->{beside}{exponent}, $growth->{beside}{name} if $growth->{beside};
	return $words;
}

sub compare
{
	my ($old, $new) = @_;
	my $worse = 0;
	my $changed = 0;

	foreach my $name (sort keys %$new)
	{
		my @said = $old->{$name} ? compare_job($old->{$name}, $new->{$name}) : [ 'note', 'is measured for the first time' ];
		push @said, [ 'worse', steep_words($new->{$name}{growth}) ] if too_steep($new->{$name});
		printf "%-7s %-22s %s\n", $_->[0], $name, $_->[1] foreach @said;
		$worse += grep { $_->[0] eq 'worse' } @said;
		$changed += grep { $_->[0] eq 'better' } @said;
	}
	printf "%d jobs beside the results kept before: %d worse, %d better beyond noise\n", scalar keys %$new, $worse, $changed;
	return $worse;
}

#
# The page
#
sub milliseconds
{
	my ($ms) = @_;
	return $ms >= 1000 ? sprintf('%.3g s', $ms / 1000) : sprintf('%.3g ms', $ms);
}

sub cell
{
	my ($text) = @_;
	$text =~ s/\|/\\|/g;
	return $text;
}

# By the clock; where other work held the cores, a wall time above the limit says nothing while the CPU time is below it.
sub within_limit
{
	my ($job) = @_;
	return 'met' if $job->{ours}{wall_ms} <= $job->{limit_ms};
	return $job->{ours}{cpu_ms} <= $job->{limit_ms} && $job->{machine}{other_load} > 0.3 * $job->{machine}{cores} ? 'not told' : 'missed';
}

sub growth_cell
{
	my ($growth) = @_;
	return '' unless $growth;
	return sprintf('%.2f', $growth->{exponent}) . ($growth->{beside} ? sprintf(' (%.2f beside %.2f)', own_exponent($growth), $growth->{beside}{exponent}) : '');
}

sub table
{
	my ($folder) = @_;

	print <<'MARKDOWN';
# What was measured last

Made by `make bench`, which replaces the rows of the jobs it runs; [doc/development.md](../../../doc/development.md) says how, and when a change is
more than noise. A ratio is ours by the peer's, of CPU time (w: of wall time), ± half of what lies between the smallest and the
greatest of the single runs. Growth is the exponent of ours with the rows, over a hundredth, a tenth and all of them; where ours stands on the executor's
table of a hundred thousand groups and more, in brackets what of it is judged, which is ours without what the exponent of plain SQL over the same groups,
named behind it, is above 1.
"Load" is how many cores other work took meanwhile: times are then longer, wall times most, and a limit that the wall time missed and the CPU time
met is not told.
MARKDOWN
	foreach my $size (sort { $b <=> $a } grep { /^\d+$/ } map { s{.*/}{}r } glob "$folder/*")
	{
		my $result = read_results("$folder/$size");
		my @names = sort keys %$result or next;
		my %machine;
		$machine{ join '; ', "$_->{machine}{cores} cores of $_->{machine}{processor}, $_->{machine}{memory_gib} GiB", $_->{versions}{server}, "crm_analytics $_->{versions}{crm_analytics}", @{ $_->{versions}{beside} } } = 1 foreach values %$result;
		printf "\n## %s customers\n\n", scalar reverse((scalar reverse $size) =~ s/(\d{3})(?=\d)/$1,/gr);
		print "$_\n" foreach sort keys %machine;
		print "\n| job | ours, CPU | beside | CPU | ratio | target | | growth | load | date |\n|---|---|---|---|---|---|---|---|---|---|\n";
		foreach my $name (@names)
		{
			my $job = $result->{$name};
			my $tail = sprintf '%s | %.1f | %s', growth_cell($job->{growth}), $job->{machine}{other_load}, $job->{date};
			my $title = cell("$name: $job->{title}");
			if (defined $job->{figure})
			{
				printf "| %s | | | | %s | %s | %s | %s |\n", $title, $job->{figure}, $job->{target}, $job->{figure} <= $job->{target} ? 'met' : 'missed', $tail;
				next;
			}
			my $ours = milliseconds($job->{ours}{cpu_ms});
			printf "| %s | %s | wall time | %s | | %s | %s | %s |\n", $title, $ours, milliseconds($job->{ours}{wall_ms}), milliseconds($job->{limit_ms}), within_limit($job), $tail
			  if defined $job->{limit_ms};
			printf "| %s | %s | | | | | | %s |\n", $title, $ours, $tail if !defined $job->{limit_ms} && !@{ $job->{peers} };
			foreach my $peer (@{ $job->{peers} })
			{
				printf "| %s | %s | %s | %s | %.3g ± %.2g%s | %s | %s | %s |\n", $title, $ours, cell($peer->{name}), milliseconds($peer->{cpu_ms}), $peer->{ratio}, $peer->{noise}, $peer->{of} eq 'wall' ? ' w' : '',
				  $peer->{target} // '', defined $peer->{target} ? $peer->{ratio} <= $peer->{target} ? 'met' : 'missed' : '', $tail;
				($title, $ours, $tail) = ('', '', ' | | ');
			}
		}
	}
}

#
# Self-test
#
sub selftest
{
	my $made = sub {
		my (%with) = @_;
		return {
			job => 'a', machine => { processor => $with{processor} // 'p' }, ours => { cpu_ms => $with{ms} // 100 },
			peers => $with{alone} ? [] : [ { name => 'b', ratio => $with{ratio} // 0.5, noise => $with{noise} // 0.01, target => 0.6 } ],
			growth => { exponent => $with{exponent} // 1.0, noise => $with{growth_noise} // 0.01, target => 1.1,
				($with{own} ? (own => $with{own}, beside => { name => 'b', exponent => 1.3 }) : ()) } };
	};
	my $failed = 0;
	my $judged = 0;
	my $is = sub {
		my ($what, $old, $new, $expected) = @_;
		my $found = join ' ', map { $_->[0] } compare_job($made->(%$old), $made->(%$new));
		$found .= ' steep' if too_steep($made->(%$new));
		$judged++;
		return if $found eq $expected;
		print "$what: \"$found\" where \"$expected\" is right\n";
		$failed++;
	};

	$is->('nothing changed', {}, {}, '');
	$is->('a tenth more', {}, { ratio => 0.55 }, '');
	$is->('a sixth more', {}, { ratio => 0.59 }, 'worse');
	$is->('a sixth less', {}, { ratio => 0.42 }, 'better');
	$is->('a sixth more, in noise', { noise => 0.05 }, { ratio => 0.59, noise => 0.05 }, '');
	$is->('more, and the target missed', {}, { ratio => 0.65 }, 'worse note');
	$is->('the target missed within noise', { ratio => 0.58 }, { ratio => 0.62 }, 'note');
	$is->('times beside a peer do not count', {}, { ms => 200 }, '');
	$is->('times alone do', { alone => 1 }, { alone => 1, ms => 200 }, 'worse');
	$is->('times of another machine do not', { alone => 1 }, { alone => 1, ms => 200, processor => 'q' }, '');
	$is->('steeper', {}, { exponent => 1.08 }, 'worse');
	$is->('steeper than the target', { exponent => 1.1 }, { exponent => 1.12 }, ' steep');
	$is->('steeper in noise', { exponent => 1.1 }, { exponent => 1.12, growth_noise => 0.05 }, '');
	$is->('steep, and not by its own', { exponent => 1.4, own => 1.05 }, { exponent => 1.42, own => 1.06 }, '');
	$is->('steep by its own', { exponent => 1.4, own => 1.05 }, { exponent => 1.5, own => 1.15 }, 'worse steep');
	$is->('the first time beside a peer', { exponent => 1.4 }, { exponent => 1.4, own => 1.05 }, '');
	$is->('steeper, but flat', { exponent => 0.1 }, { exponent => 0.3 }, '');
	$is->('a peer is gone', {}, { alone => 1 }, 'note');

	# From times at 1, 10 and 100 units on, as three runs would measure them.
	my $grows = sub {
		my ($what, $ours, $peer, $expected) = @_;
		my $runs = sub { my ($times) = @_; return [ map { my $t = $_; [ map { $t * $_ } 0.99, 1, 1.01 ] } @$times ]; };
		my $found = Growth::judge($runs->($ours), $peer && $runs->($peer));
		my $verdict = Growth::too_steep($found->{own}, $found->{noise}) ? 'steep' : '';
		$judged++;
		return if $verdict eq $expected;
		printf "%s: \"%s\" with an own exponent of %.3f where \"%s\" is right\n", $what, $verdict, $found->{own}, $expected;
		$failed++;
	};
	my $power = sub { my ($exponent) = @_; return [ map { 100**($exponent * $_) } 0, 0.5, 1 ]; };
	my $table = $power->(1.25);
	my @rows = (2e4, 2e5, 2e6);

	$grows->('linear', $power->(1), undef, '');
	$grows->('a sort', [ map { $_ * log $_ } @rows ], undef, '');
	$grows->('a table of groups, alone', $table, undef, 'steep');
	$grows->('a table of groups beside the same', $table, $table, '');
	$grows->('twice the misses of its peer', $power->(1.32), $table, '');
	$grows->('one and a half powers beside a table of groups', $power->(1.5), $table, 'steep');
	$grows->('quadratic', $power->(2), undef, 'steep');
	$grows->('quadratic beside a table of groups', $power->(2), $table, 'steep');
	$grows->('quadratic beside a quadratic peer', $power->(2), $power->(2), 'steep');
	$grows->('quadratic in half of its work at the last size', [ map { 2e6 * $_ + $_**2 } @rows ], $power->(1), 'steep');
	$grows->('steep at the end, where the peer was at the beginning', [ 1, 10, 160 ], [ 1, 18, 180 ], 'steep');
	$grows->('a peer that grows less is no reproach', $power->(1.05), $power->(0.6), '');
	print $failed ? "$failed failed\n" : "results.pl: $judged results judged as they should be\n";
	return $failed;
}

my ($goal, @arguments) = @ARGV;
$goal //= '';
exit(compare(map { read_results($_) } @arguments) ? 1 : 0) if $goal eq 'compare' && @arguments == 2;
exit(selftest() ? 1 : 0) if $goal eq 'selftest' && !@arguments;
die "usage: results.pl compare OLD NEW | table FOLDER | selftest\n" unless $goal eq 'table' && @arguments == 1;
table(@arguments);
