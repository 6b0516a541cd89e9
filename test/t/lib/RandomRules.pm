# RandomRules - random rules over a table with a column of every type that
# batches know, whose values and constants are drawn from the same awkward few.
package RandomRules;

use strict;
use warnings;
use utf8;

my %pool = (
	b => [qw(true false)],
	i2 => [ map { "'$_'::smallint" } -32768, -5, -1, 0, 1, 2, 3, 17, 18, 32767 ],
	i4 => [ map { "'$_'::int" } -2147483648, -100000, -5, -1, 0, 1, 2, 3, 17, 18, 40000, 2147483647 ],
	i8 => [ map { "'$_'::bigint" } '-9223372036854775808', '-2305843009213693953', -4294967296, -5, 0, 1, 2, 3, 18, 5000000000,
		'2305843009213693952', '9223372036854775806', '9223372036854775807' ],
	f4 => [ map { "'$_'::real" } qw(-Infinity -3.4e38 -1.5 -0 0 1e-40 0.1 0.5 1 2 2.5 16777217 3.4e38 Infinity NaN) ],
	f8 => [ map { "'$_'::float8" } qw(-Infinity -1.7e308 -1.5 -0 0 5e-324 0.1 0.5 1 2 2.5 9007199254740993 1.7e308 Infinity NaN) ],
	n => [ map { "'$_'::numeric" } qw(-Infinity -1e40 -123456789012345678 -10000 -9999.9999 -2.5 -1.00000001 -1.000000000000001 -1 -0.1 -0.00001 0 0.0000000000000000000001
		0.00001 0.0001 0.00012 0.1 0.5 1 1.0000 1.00000000001 2 2.5 99.99 9999 9999.9999 9999.99999 10000 123456.78 1e12 2305843009213693951 2305843009213693952 1e19 1e40 1e400 Infinity NaN) ],
	n2 => [ map { "'$_'::numeric(12,2)" } qw(-9999999999.99 -10.05 -0.01 0 0.01 0.1 1 10 10.05 99.99 100 12345.67 9999999999.99 NaN) ],
	d => [ map { "'$_'::date" } '-infinity', '4713-01-01 BC', '1969-12-31', '1970-01-01', '1999-12-31', '2000-01-01', '2000-01-02', '2011-12-29', '2011-12-30', '2011-12-31',
		'2024-03-09', '2024-03-10', '2024-03-11', '2024-09-30', '2024-10-01', '2024-10-02', '2024-11-03', '2024-11-04', '9999-12-31', '5874897-12-31', 'infinity' ],
	ts => [ map { "'$_'::timestamp" } '-infinity', '4713-01-01 00:00:00 BC', '1970-01-01 00:00:00', '1999-12-31 23:59:59.999999', '2000-01-01 00:00:00', '2000-01-01 00:00:00.000001',
		'2011-12-30 12:00:00', '2024-03-10 01:59:59', '2024-03-10 02:30:00', '2024-03-10 03:00:00', '2024-03-10 03:30:00', '2024-10-01 00:00:00', '2024-10-01 12:34:56', '2024-10-01 20:34:56',
		'2024-11-03 00:30:00', '2024-11-03 01:30:00', '2024-11-03 02:30:00', '294276-12-31 23:59:59', 'infinity' ],
	tz => [ map { "'$_'::timestamptz" } '-infinity', '4713-01-02 00:00:00+00 BC', '1970-01-01 00:00:00+00', '2000-01-01 00:00:00+00', '2000-01-01 00:00:00.000001+00', '2011-12-30 00:00:00+00', '2011-12-30 10:00:00+00',
		'2024-03-10 06:30:00+00', '2024-03-10 07:00:00+00', '2024-03-10 07:30:00+00', '2024-09-30 16:00:00+00', '2024-10-01 00:00:00+00', '2024-10-01 04:00:00+00', '2024-10-01 12:34:56+00',
		'2024-11-03 05:30:00+00', '2024-11-03 06:30:00+00', '294276-12-30 00:00:00+00', 'infinity' ],
	t => [ map { "'$_'::text" } '', ' ', 'a', 'a ', 'A', 'ab', 'abc', 'abcdefg', 'abcdefgh', 'abcdefghi', '北京', '上海', "it''s", 'x\\y', ('long' x 60) ],
	v => [ map { "'$_'::varchar(20)" } '', 'a', 'a ', 'b', 'city_1', 'city_10', 'city_100', '上海', 'abcdefghijklmnop' ],
	c => [ map { "'$_'::char(6)" } '', 'a', 'a  ', 'ab', 'F', 'M', '北京' ],
	'"Mixed 列"' => [ map { "'$_'::text" } '', 'x', 'y', '值' ],
	age => [ map { "'$_'::int" } 0, 17, 18, 19, 64, 65, 120 ]);

my @columns = ('b', 'i2', 'i4', 'i8', 'f4', 'f8', 'n', 'n2', 'd', 'ts', 'tz', 't', 'v', 'c', '"Mixed 列"', 'age');

# Constants of other types that stand beside a column, too.
my %beside = (
	i2 => [qw(i2 i4 i8 n f8)],
	i4 => [qw(i2 i4 i8 n f8 i4 i4)],
	i8 => [qw(i2 i4 i8 i8 n)],
	age => [qw(age age age n i4)],
	f4 => [qw(f4 f8 i4 n2)],
	f8 => [qw(f8 f4 i4 n2)],
	n => [qw(n n n i4 i8)],
	n2 => [qw(n2 n2 n i4)],
	d => [qw(d d ts tz)],
	ts => [qw(ts ts d tz)],
	tz => [qw(tz tz d ts)],
	v => [qw(v t)]);

my @orders = ('<', '<=', '=', '>=', '>', '<>');
my @recent = (
	'as_of', "as_of - interval '90 days'", "as_of - interval '1 month 3 hours'", 'as_of::date', "(as_of::date - 30)", "date_trunc('month', as_of)",
	"as_of + interval '1 year'", "(as_of AT TIME ZONE 'Asia/Shanghai')", "as_of::timestamp");

# For tests that try values: the columns, and the values of one, as SQL.
sub columns { return @columns }

sub pool { return @{ $pool{ $_[0] } } }

sub any { return $_[ int(rand(scalar @_)) ] }

sub is_text { return $_[0] =~ /^(t|v|c|"Mixed 列")$/ }

sub is_time { return $_[0] =~ /^(d|ts|tz)$/ }

# A constant to compare the column with.
sub constant
{
	my ($column) = @_;
	return any(@recent) if is_time($column) && rand() < 0.3;
	my $of = $beside{$column} ? any(@{ $beside{$column} }) : $column;
	my $value = any(@{ $pool{$of} });
	# As people write them: without the type.
	$value =~ s/::.*// if $of eq $column && rand() < 0.5 && $column ne 'b';
	$value =~ s/^'(-?[0-9.]+)'::(int|numeric)$/$1/ if rand() < 0.7;
	return rand() < 0.04 ? 'NULL' : $value;
}

# Of the column's own type, for lists.
sub list
{
	my ($column, $without_null) = @_;
	my @values = map { any(@{ $pool{$column} }) } 1 .. 1 + int(rand(rand() < 0.1 ? 40 : 5));
	push @values, 'NULL' if !$without_null && rand() < 0.15;
	return join(', ', @values);
}

# One condition over one column.
sub leaf
{
	my $column = any(@columns);
	my $name = rand() < 0.2 ? "customer.$column" : $column;
	my $operator = is_text($column) ? any('=', '<>', '=', '=', '<') : any(@orders);
	my $kind = int(rand(14));

	return any('b', 'NOT b', 'b IS TRUE', 'b = false', 'b IS NOT UNKNOWN', 'b IS NULL', 'b <> true') if $column eq 'b' && rand() < 0.6;
	return "$name BETWEEN " . constant($column) . ' AND ' . constant($column) if $kind == 1 && !is_text($column);
	return "$name NOT BETWEEN " . constant($column) . ' AND ' . constant($column) if $kind == 2 && !is_text($column);
	return "$name IN (" . list($column) . ')' if $kind == 3 || $kind == 4;
	return "$name NOT IN (" . list($column) . ')' if $kind == 5;
	return "$name IS NULL" if $kind == 6;
	return "$name IS NOT NULL" if $kind == 7;
	return "$name IS " . any('', 'NOT ') . 'DISTINCT FROM ' . constant($column) if $kind == 8;
	return "$name $operator " . any('ANY', 'ALL') . ' (ARRAY[' . list($column) . '])' if $kind == 9;
	return "COALESCE($name, " . any(@{ $pool{$column} }) . ") $operator " . any(@{ $pool{$column} }) if $kind == 10;
	return constant($column) . " $operator $name" if $kind == 11;
	return any('length(t) > 2', 'i4 % 2 = 0', "t LIKE 'a%'", 'i2 < i4', 'age + 1 > 18', 'd < tz', 'i4 = ANY (ARRAY[i2, 3])', "upper(v) = 'A'", 'true', 'NULL::boolean', 'false', 'as_of > ts')
		if $kind == 12 && rand() < 0.5;
	return "$name $operator " . constant($column);
}

sub condition
{
	my ($depth) = @_;
	return leaf() if $depth <= 0 || rand() < 0.25;
	my $kind = int(rand(12));
	my $inner = $depth - 1;

	return '(' . join(any(' AND ', ' OR '), map { '(' . condition($inner) . ')' } 1 .. 2 + int(rand(2))) . ')' if $kind < 7;
	return 'NOT (' . condition($inner) . ')' if $kind == 7;
	return '(' . condition($inner) . ') IS ' . any('TRUE', 'FALSE', 'UNKNOWN', 'NOT TRUE', 'NOT FALSE', 'NOT UNKNOWN', 'NULL', 'NOT NULL') if $kind == 8;
	return 'COALESCE(' . condition($inner) . ', ' . condition($inner) . ')' if $kind == 9;
	return 'CASE WHEN ' . condition($inner) . ' THEN ' . condition($inner) . (rand() < 0.7 ? ' ELSE ' . condition($inner) : '') . ' END' if $kind == 10;
	return 'CASE i4 WHEN 1 THEN ' . condition($inner) . ' WHEN 3 THEN ' . condition($inner) . ' ELSE ' . condition($inner) . ' END';
}

sub text_rule
{
	my $kind = int(rand(8));
	my @values = ("'young'", "'old'", "'北京'", "''", 'NULL', "'x'::varchar");

	return any('t', 'v', 'c', '"Mixed 列"') if $kind == 0;
	return 'COALESCE(' . any('t', 'v', '"Mixed 列"') . ", 'none')" if $kind == 1;
	return any("upper(t)", "i4::text", "t || v", "'all'", "NULL", "coalesce(c, 'a')", "left(t, 2)", 'b::text', 't COLLATE "C"', 'v COLLATE "POSIX"') if $kind == 2;
	return 'CASE v ' . join(' ', map { 'WHEN ' . any(@{ $pool{v} }) . ' THEN ' . any(@values) } 1 .. 3) . ' ELSE ' . any(@values) . ' END' if $kind == 3;
	return 'CASE ' . join(' ', map { 'WHEN ' . condition(1) . ' THEN ' . any(@values) } 1 .. 1 + int(rand(3))) .
		(rand() < 0.6 ? ' ELSE ' . (rand() < 0.2 ? text_rule() : any(@values)) : '') . ' END';
}

# Statements that make the table, with the key "id".
sub table
{
	my ($table, $rows) = @_;
	my %type = (b => 'boolean', i2 => 'smallint', i4 => 'int', i8 => 'bigint', f4 => 'real', f8 => 'float8', n => 'numeric', n2 => 'numeric(12,2)', d => 'date',
		ts => 'timestamp', tz => 'timestamptz', t => 'text', v => 'varchar(20)', c => 'char(6)', '"Mixed 列"' => 'text', age => 'years');
	my $sql = "CREATE DOMAIN years AS int;\nCREATE TABLE $table (id bigint PRIMARY KEY, " . join(', ', map { "$_ $type{$_}" } @columns) . ");\n";
	my @lines;

	for my $id (1 .. $rows)
	{
		push @lines, "($id, " . join(', ', map { rand() < 0.12 ? 'NULL' : any(@{ $pool{$_} }) } @columns) . ')';
		if (@lines == 200 || $id == $rows)
		{
			$sql .= "INSERT INTO $table VALUES\n" . join(",\n", @lines) . ";\n";
			@lines = ();
		}
	}
	return $sql;
}

1;
