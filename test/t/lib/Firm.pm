# Firm - the database of test/t/lib/scenario.sql, which has rows in every table of the
# extension's catalogue, and what there is to ask of it.
package Firm;

use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = dirname(__FILE__);

sub create_roles
{
	my ($node) = @_;
	$node->safe_psql('postgres', 'CREATE ROLE firm_analyst LOGIN; CREATE ROLE firm_reader LOGIN');
}

# A new database with the extension in schema crm; VERSION other than the newest by $clause.
sub create
{
	my ($node, $database, $clause) = @_;
	$clause //= '';
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
	$node->safe_psql($database, "CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm $clause");
}

sub fill
{
	my ($node, $database, $scenario) = @_;
	PostgreSQL::Test::Utils::run_log(
		[ 'psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $scenario // "$folder/scenario.sql" ])
		or die "the scenario failed\n";
}

# Tables and sequences of the catalogue that pg_dump takes rows of.
sub tables
{
	my ($node, $database) = @_;
	return split /\n/, $node->safe_psql($database, q{
		SELECT c.relation::regclass FROM pg_extension e, unnest(e.extconfig) c(relation) JOIN pg_class r ON r.oid = c.relation
		WHERE e.extname = 'crm_analytics' AND r.relkind = 'r' ORDER BY 1});
}

# All rows of the catalogue, as text: what is stored, not what functions make of it.
sub rows
{
	my ($node, $database) = @_;
	my %rows;
	$rows{$_} = $node->safe_psql($database, "SELECT t FROM $_ t ORDER BY t::text COLLATE \"C\"") foreach tables($node, $database);
	$rows{sequences} = $node->safe_psql($database, q{
		SELECT s.sequencename, s.last_value FROM pg_sequences s JOIN pg_extension e ON e.extnamespace::regnamespace::text = s.schemaname
		WHERE e.extname = 'crm_analytics' ORDER BY 1});
	return \%rows;
}

sub answers
{
	my ($node, $database, $file) = @_;
	my %answers;
	foreach my $query (split /\n/, PostgreSQL::Test::Utils::slurp_file($file // "$folder/answers.sql"))
	{
		my ($status, $out, $err) = $node->psql($database, $query);
		$answers{$query} = $status == 0 ? $out : "ERROR: $err";
	}
	return \%answers;
}

# Two sets of rows or answers, compared one by one.
sub same
{
	my ($got, $expected, $what) = @_;
	is(join(',', sort keys %$got), join(',', sort keys %$expected), "$what: nothing more, nothing less");
	foreach my $name (sort keys %$expected)
	{
		my ($is, $was) = ($got->{$name} // 'nothing', $expected->{$name});
		next if ok($is eq $was, "$what: $name");
		# the first line that differs: values may be long
		my @is = split /\n/, $is;
		my @was = split /\n/, $was;
		my $line = 0;
		$line++ while defined $is[$line] && defined $was[$line] && $is[$line] eq $was[$line];
		diag(sprintf("%d lines instead of %d, line %d is\n%.500s\ninstead of\n%.500s", scalar @is, scalar @was, $line + 1, $is[$line] // '', $was[$line] // ''));
	}
}

1;
