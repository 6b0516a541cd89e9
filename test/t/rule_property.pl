# Random rules over a table of awkward values: batches, the executor and plain
# SQL must agree on every customer, in several time zones.
#
# CRM_SEED repeats a run, CRM_ROUNDS makes more of them.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RandomRules;
use Test::More;

my $seed = $ENV{CRM_SEED} // 20241001;
my $rounds = $ENV{CRM_ROUNDS} // 4;
my @zones = ('UTC', 'America/New_York', 'Asia/Shanghai', 'Pacific/Apia', 'Europe/Lisbon');
my $as_of = "timestamptz '2024-10-01 12:34:56+00'";
my $rules_of_a_round = 120;

my $node = PostgreSQL::Test::Cluster->new('rule_property');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;

srand($seed);
note("seed $seed");

# One statement after the other in one session; the last one's rows.
sub run
{
	my ($zone, @statements) = @_;
	my $sql = join("\n", 'SET client_min_messages = warning; SET search_path = crm, public;', "SET TimeZone = '$zone';", @statements);
	utf8::encode($sql);
	my $out = $node->safe_psql('postgres', $sql);
	utf8::decode($out);
	return $out;
}

run('UTC', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm;', RandomRules::table('public.people', 2500),
	"SELECT crm.create_population('people', 'public.people', 'id');");

my $batched = 0;
for my $round (0 .. $rounds - 1)
{
	my $zone = $zones[ $round % @zones ];
	my (@booleans, @texts);
	my $create = '';

	for my $n (1 .. $rules_of_a_round)
	{
		my $text = $n % 5 == 0;
		my $rule = $text ? RandomRules::text_rule() : RandomRules::condition(3);
		push @{ $text ? \@texts : \@booleans }, [ "r${round}_$n", $rule ];
		$create .= "SELECT crm.create_tag('r${round}_$n', \$rule\$$rule\$rule\$);\n";
	}
	run($zone, $create);
	$batched += run($zone, 'SELECT count(*) FILTER (WHERE rule_is_batched(\'public.people\', rule)) FROM (VALUES ' .
		join(', ', map { "(\$rule\$$_->[1]\$rule\$)" } @booleans, @texts) . ') v (rule);');

	# By batches, kept for the comparison with plain SQL.
	run($zone, 'DROP TABLE IF EXISTS refreshed;', 'SET crm_analytics.batch_rules = on;',
		"CREATE TABLE refreshed AS SELECT * FROM refresh_tags('people', as_of => $as_of, columns => 'today');");

	my $differing = run($zone, 'SELECT tag FROM (' . join(' UNION ALL ', map {
		"SELECT '$_->[0]' AS tag, crm.tag('$_->[0]') AS stored, (SELECT audience_agg(id) FROM people AS customer, (SELECT $as_of AS as_of) t WHERE $_->[1]) AS plain"
	} @booleans) . ') c WHERE stored <> plain;');
	is($differing, '', "round $round, $zone: boolean rules agree with plain SQL") or
		diag(map { my $name = $_; map { "$name: $_->[1]\n" } grep { $_->[0] eq $name } @booleans } split /\n/, $differing);

	$differing = run($zone, 'SELECT tag, value FROM (' . join(' UNION ALL ', map {
		"SELECT '$_->[0]' AS tag, value, audience_agg(id) AS plain FROM (SELECT id, ($_->[1])::text AS value FROM people AS customer, (SELECT $as_of AS as_of) t) v " .
		'WHERE value IS NOT NULL GROUP BY value'
	} @texts) . ") c FULL JOIN (SELECT tag, value FROM refreshed WHERE tag IN (" . join(', ', map { "'$_->[0]'" } @texts) .
		") AND value IS NOT NULL AND members > 0) r USING (tag, value) " .
		'WHERE plain IS DISTINCT FROM crm.tag(tag, value);');
	is($differing, '', "round $round, $zone: text rules agree with plain SQL") or
		diag(map { my ($name) = /^([^|]*)/; map { "$name: $_->[1]\n" } grep { $_->[0] eq $name } @texts } split /\n/, $differing);

	# Through the executor, nobody enters and nobody leaves.
	is(run($zone, 'SET crm_analytics.batch_rules = off;',
			"SELECT tag, value, entered, exited FROM refresh_tags('people', as_of => $as_of, columns => 'today') WHERE entered <> 0 OR exited <> 0;"),
		'', "round $round, $zone: the executor agrees with batches");
	run($zone, join("\n", map { "SELECT crm.drop_tag('$_->[0]');" } @booleans, @texts));
}
cmp_ok($batched, '>', $rounds * $rules_of_a_round * 0.5, 'most of the rules ran over batches');

$node->stop;
done_testing();
