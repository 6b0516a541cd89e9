#!/usr/bin/env perl
#
# doc.pl [--update] FILE.md ... - runs the SQL of the documents and compares
# what they print.
#
# Each file is one psql session in a new database that has the extension in
# schema crm and crm on its search_path.  The blocks marked ```sql run in order
# (not those marked ```sql skip).  A ```text block right after one shows the
# expected output of psql, compared exactly but for trailing blanks.  An error
# fails the block unless the text block shows it.
#
# --update writes the actual output into the text blocks instead.
#
# Connects as psql does; test/server.sh run perl test/doc.pl ... gives a server.
use strict;
use warnings;

my $update = @ARGV && $ARGV[0] eq '--update' ? shift : 0;
my $failed = 0;
my $marker = 'crm-doc-block';

$ENV{PGTZ}            = 'UTC';
$ENV{PGDATESTYLE}     = 'ISO, YMD';
$ENV{PGCLIENTENCODING} = 'UTF8';
$ENV{PSQL_PAGER}      = '';
delete $ENV{PGOPTIONS};

foreach my $file (@ARGV)
{
	check_document($file) if -f $file;
}
exit($failed ? 1 : 0);

sub slurp
{
	my ($name) = @_;
	open(my $handle, '<:raw', $name) or die "$name: $!\n";
	local $/;
	my $text = <$handle>;
	close $handle;
	return defined $text ? $text : '';
}

# The fenced blocks: info string, first and last line of the content, and
# whether only blank lines part it from the block before.
sub blocks_of
{
	my ($lines) = @_;
	my @blocks;
	my ($open, $fence);
	my $adjacent = 0;

	for my $number (0 .. $#$lines)
	{
		my $line = $lines->[$number];
		if (!$open)
		{
			if ($line =~ /^(```+)\s*(.*?)\s*$/)
			{
				$fence = $1;
				$open = { info => $2, first => $number + 1, adjacent => $adjacent };
			}
			elsif ($line =~ /\S/)
			{
				$adjacent = 0;
			}
		}
		elsif ($line =~ /^\Q$fence\E\s*$/)
		{
			$open->{last} = $number - 1;
			push @blocks, $open;
			undef $open;
			$adjacent = 1;
		}
	}
	die "a block opened in line $open->{first} is never closed\n" if $open;
	return @blocks;
}

sub tidy
{
	my ($text) = @_;
	my @lines = map { s/\s+$//r } split /\n/, $text;
	pop @lines while @lines && $lines[-1] eq '';
	shift @lines while @lines && $lines[0] eq '';
	return join("\n", @lines);
}

sub psql
{
	my ($database, $script) = @_;
	my $input = ($ENV{TMPDIR} // '/tmp') . "/crm-doc.$$.sql";

	open(my $handle, '>:raw', $input) or die "$input: $!\n";
	print $handle $script;
	close $handle;
	local $ENV{PGDATABASE} = $database;
	my $output = `psql -X -q < '$input' 2>&1`;
	my $status = $?;
	unlink $input;
	return ($output, $status);
}

sub check_document
{
	my ($file) = @_;
	my $name = $file =~ s{^.*/(doc/)?}{$1 // ''}er;
	my @lines = split /\n/, slurp($file), -1;
	my @blocks = eval { blocks_of(\@lines) };
	if ($@)
	{
		print "# $@", "not ok $name\n";
		$failed = 1;
		return;
	}

	my $script = '';
	my @runs;
	for my $i (0 .. $#blocks)
	{
		my $block = $blocks[$i];
		next unless $block->{info} eq 'sql';
		my $sql = join("\n", @lines[ $block->{first} .. $block->{last} ]);
		my $expected = $i < $#blocks && $blocks[ $i + 1 ]{info} eq 'text' && $blocks[ $i + 1 ]{adjacent}
		  ? $blocks[ $i + 1 ] : undef;
		my $code = $sql =~ s/^\s*--.*$//mgr;
		my $complete = $code !~ /\S/ || $code =~ /;\s*(--.*)?$/ || $code =~ /\\\w+[^\n;]*\s*$/;
		push @runs, { block => $block, expected => $expected, complete => $complete };
		# The buffer is reset, so that a block without its last semicolon does not swallow the next one.
		$script .= "\\echo $marker " . $#runs . "\n$sql\n\\r\n";
	}
	return unless @runs;

	my $database = 'doc_' . ($name =~ s/\W+/_/gr);
	my ($prepared, $status) = psql('postgres',
		"\\set ON_ERROR_STOP 1\nDROP DATABASE IF EXISTS \"$database\";\n"
		  . "CREATE DATABASE \"$database\" TEMPLATE template0 ENCODING 'UTF8';\n"
		  . "\\c \"$database\"\nSET client_min_messages = warning;\n"
		  . "CREATE SCHEMA crm;\nCREATE EXTENSION crm_analytics SCHEMA crm;\n"
		  . "ALTER DATABASE \"$database\" SET search_path = crm, public;\n");
	if ($status != 0)
	{
		print $prepared, "not ok $name: the database could not be made\n";
		$failed = 1;
		return;
	}
	my ($output, undef) = psql($database, $script);
	# (the last block may print nothing, and split would drop it)
	my @parts = split /^\Q$marker\E (\d+)\n/m, $output, -1;
	shift @parts;
	my %printed = @parts;
	psql('postgres', "DROP DATABASE IF EXISTS \"$database\" WITH (FORCE);\n");

	my @changes;
	for my $i (0 .. $#runs)
	{
		my $run = $runs[$i];
		my $place = "$name:" . $run->{block}{first};
		my $actual = tidy($printed{$i} // "(not reached)");
		my $expected = $run->{expected};
		my $good;

		if ($expected)
		{
			my $wanted = tidy(join("\n", @lines[ $expected->{first} .. $expected->{last} ]));
			$good = $wanted eq $actual;
			if ($update && !$good)
			{
				push @changes, [ $expected, $actual ];
				print "# $place: rewritten\n";
				$good = 1;
			}
			elsif (!$good)
			{
				print map { "# expected: $_\n" } split /\n/, $wanted;
				print map { "# printed:  $_\n" } split /\n/, $actual;
			}
		}
		else
		{
			$good = $actual !~ /^(ERROR|FATAL|PANIC):|^\(not reached\)|^invalid command/m;
			print map { "# printed: $_\n" } split /\n/, $actual unless $good;
		}
		if (!$run->{complete})
		{
			print "# the last statement of the block does not end\n";
			$good = 0;
		}
		print $good ? "ok $place\n" : "not ok $place\n";
		$failed = 1 unless $good;
	}

	if (@changes)
	{
		for my $change (reverse @changes)
		{
			my ($block, $actual) = @$change;
			splice @lines, $block->{first}, $block->{last} - $block->{first} + 1, split(/\n/, $actual);
		}
		open(my $handle, '>:raw', $file) or die "$file: $!\n";
		print $handle join("\n", @lines);
		close $handle;
	}
}
