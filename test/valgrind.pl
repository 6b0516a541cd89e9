# valgrind.pl FILE ... - what memcheck wrote about processes, as XML: each error once, with
# the number of times it was seen.  Fails when one passes through the library.
use strict;
use warnings;

my %text = ('lt' => '<', 'gt' => '>', 'amp' => '&', 'quot' => '"', 'apos' => "'");
my %seen;
foreach my $file (@ARGV)
{
	open my $handle, '<', $file or die "$file: $!\n";
	local $/;
	my $xml = <$handle>;
	# A process that was killed wrote no end; its errors are whole all the same.
	while ($xml =~ m{<error>(.*?)</error>}gs)
	{
		my $error = $1;

		# With XML it always looks for leaks at the end; a server's process leaves all of its memory to the kernel.
		next if $error =~ /<kind>Leak_/;
		my ($what) = $error =~ m{<(?:text|what)>(.*?)</};
		my $report = defined $what ? $what : 'error';
		my $ours = 0;

		foreach my $part ($error =~ m{(<(?:auxwhat|xauxwhat|stack)>.*?</(?:auxwhat|xauxwhat|stack)>)}gs)
		{
			if ($part !~ /^<stack>/)
			{
				my ($note) = $part =~ m{>([^<>]+)<};
				# addresses and sizes say little, and part what is one error
				$note =~ s/\b(?:0x[0-9a-f]+|[0-9][0-9,]*)\b/N/gi if defined $note;
				# addresses and sizes say nothing, and part what is one error
				$note =~ s/\b(?:0x[0-9a-f]+|[0-9][0-9,]*)\b/N/gi if defined $note;
				$report .= "\n  $note" if defined $note;
				next;
			}
			foreach my $frame ($part =~ m{<frame>(.*?)</frame>}gs)
			{
				my %of = $frame =~ m{<(\w+)>(.*?)</\1>}gs;
				my ($object) = ($of{obj} || '?') =~ m{([^/]*)$};

				$ours = 1 if $object eq 'crm_analytics.so';
				$report .= "\n    " . ($of{fn} || '?') . ' (' . (defined $of{file} ? "$of{file}:" . ($of{line} || '?') : $object) . ')';
			}
		}
		$report =~ s/&(\w+);/$text{$1} || "&$1;"/ge;
		$seen{$report}{times}++;
		$seen{$report}{ours} = $ours;
	}
}
my @ours = sort grep { $seen{$_}{ours} } keys %seen;
my @others = sort grep { !$seen{$_}{ours} } keys %seen;
foreach my $report (@others)
{
	print "of the server alone, $seen{$report}{times} times: $report\n";
}
foreach my $report (@ours)
{
	print "FAILED, $seen{$report}{times} times: $report\n";
}
printf "%d processes, %d errors in the library, %d of the server alone\n", scalar @ARGV, scalar @ours, scalar @others;
exit(@ours ? 1 : 0);
