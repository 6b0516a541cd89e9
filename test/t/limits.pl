# Memory stays within bounds that are stated: of very large sets, of one customer
# with very many events, of a thousand tags, of far more groups than work_mem holds,
# and of what is made of many rows that are kept.  What a backend has had at most is asked of the system, so all of this is
# for systems with /proc.  CRM_LIMITS=full is a hundred million ids and a million
# groups.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'the system does not tell how much memory a process has had' if !-r '/proc/self/status';

my $full = ($ENV{CRM_LIMITS} || '') eq 'full';
my $ids = $full ? 100_000_000 : 2_000_000;
my $groups = $full ? 1_000_000 : 100_000;
my $rows = 5 * $groups;
my $customers = $full ? 1_000_000 : 20_000;

my $node = PostgreSQL::Test::Cluster->new('limits');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
# Shared memory counts, so there is little.
$node->append_conf('postgresql.conf', q{
shared_buffers = 16MB
fsync = off
max_wal_size = 4GB
jit = off
autovacuum = off
max_parallel_workers_per_gather = 0
client_min_messages = warning
search_path = 'crm, public'
work_mem = '4MB'
});
$node->start;
$node->safe_psql('postgres', qq{
	CREATE SCHEMA crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
	CREATE FUNCTION peak() RETURNS int LANGUAGE sql VOLATILE AS \$\$
		SELECT substring(pg_read_file('/proc/self/status', 0, 10000, false) FROM 'VmHWM:\\s+(\\d+)')::int / 1024 \$\$;
	CREATE TABLE event AS SELECT abs(hashint8(n)::bigint) % $groups AS customer, timestamptz '2025-01-01' + n * interval '1 s' AS ts, n % 3 AS kind
		FROM (SELECT generate_series(1::bigint, $rows) AS n) AS s;
	ANALYZE;
});

# MB that a session has at most while it runs this, without what it has anyway.
sub peak
{
	my ($sql) = @_;
	my @lines = split /\n/, $node->safe_psql('postgres', "$sql;\nSELECT peak()");

	return ($lines[-1], @lines > 1 ? $lines[-2] : undef);
}
my ($base) = peak('SELECT 1');

sub within
{
	my ($name, $bound, $expected, $sql) = @_;
	my ($peak, $answer) = peak($sql);

	is($answer, $expected, "$name: answered") if defined $expected;
	cmp_ok($peak - $base, '<=', $bound, sprintf('%s: %d MB beyond the %d of any session', $name, $peak - $base, $base));
}

# ---- large sets.  Random ids, each of which costs two bytes and a share of what its container costs, and dense ones.
my $mega = $ids / 1e6;
within('random ids', 40 + 12 * $mega, undef, "SELECT cardinality(audience_agg(hashint8extended(n, 1) & 4294967295))
	FROM (SELECT generate_series(1::bigint, $ids) AS n) AS s");
within('dense ids', 60, "$ids", "SELECT cardinality(audience_agg(n)) FROM (SELECT generate_series(1::bigint, $ids) AS n) AS s");
within('every second id', 60, $ids / 2, "SELECT cardinality(audience_agg(2 * n)) FROM (SELECT generate_series(1::bigint, $ids / 2) AS n) AS s");
within('numbers of dense ids', 60 + 20 * $mega, $ids, "SELECT bsi_count(bsi_agg(n, n % 1000)) FROM (SELECT generate_series(1::bigint, $ids) AS n) AS s");
$node->safe_psql('postgres', "CREATE TABLE kept AS SELECT audience_agg(hashint8extended(n, 1) & 4294967295) AS a, audience_agg(hashint8extended(n, 2) & 4294967295) AS b
	FROM (SELECT generate_series(1::bigint, $ids) AS n) AS s");
my $size = $node->safe_psql('postgres', 'SELECT ceil(pg_column_size(a) / 1e6) FROM kept');
diag("a set of $ids random ids takes $size MB");
within('an intersection counted', 40 + 4 * $size, undef, 'SELECT and_cardinality(a, b) FROM kept');
within('a union', 40 + 8 * $size, undef, 'SELECT cardinality(a | b) FROM kept');
within('members one by one', 40 + 4 * $size, undef, 'SELECT count(*) FROM (SELECT members(a) FROM kept) AS s');
within('membership of many', 40 + 4 * $size, undef, 'SELECT count(*) FROM event WHERE customer <@ (SELECT a FROM kept)');

# ---- one customer with a hundred thousand events
$node->safe_psql('postgres', q{
	CREATE TABLE busy AS SELECT timeline_agg(timestamptz '2020-01-01' + n * interval '20 minutes', 'e' || n % 40, n % 1000, jsonb_build_object('channel', 'c' || n % 9)) AS t
	FROM generate_series(1, 100000) AS n;
});
foreach my $call ("event_count(t, 'e3[channel=c2]')", "(SELECT count(*) FROM sessions(t, '1 hour'))", "window_funnel(t, '30 days', ARRAY['e1', 'e2', 'e3', 'none'])",
	"sequence_count(t, '(?1).*(?2).*(?1)', ARRAY['e1', 'e2'])", "(SELECT count(*) FROM path_edges(t, depth => 10))", "event_count(timeline_distinct(t || t))",
	"octet_length(t::text)", "event_count((t::text)::timeline)", "(SELECT count(*) FROM events(t))", "(rhythm(t, 'e1')).occasions",
	"(SELECT count(*) FROM touch_paths(t, ARRAY['e1', 'e2', 'e3'], 'e9', '30 days'))")
{
	within("100,000 events: $call", 100, undef, "SELECT $call FROM busy");
}
within('100,000 events out of order', 60, '100000', "SELECT event_count(timeline_agg(timestamptz '2020-01-01' + hashint8(n) * interval '1 s', 'e' || n % 40))
	FROM generate_series(1::bigint, 100000) AS n");

# ---- a thousand tags
$node->safe_psql('postgres', qq{
	CREATE TABLE customer AS SELECT n AS id, n % 1009 AS amount, 'city ' || n % 50 AS city FROM generate_series(1::bigint, $customers) AS n;
	ALTER TABLE customer ADD PRIMARY KEY (id);
	ANALYZE customer;
	SELECT create_population('bank', 'customer', 'id');
	SELECT create_tag('t' || n, 'amount % ' || n || ' = 1', population => 'bank') FROM generate_series(1, 900) AS n;
	SELECT create_tag('c' || n, 'CASE WHEN amount > ' || n || ' THEN city END', population => 'bank') FROM generate_series(1, 60) AS n;
	SELECT create_tag('n' || n, 'amount * ' || n, population => 'bank') FROM generate_series(1, 40) AS n;
});
# Twice refresh_memory is what a scan may take at most; this one is scanned in parts.
within('1,000 tags refreshed', 160, 900 + 60 * 50 + 40, "SET crm_analytics.refresh_memory = '16MB'; SELECT count(*) FROM refresh_tags('bank')");
within('1,000 tags of a customer', 60, undef, "SELECT count(*) FROM tags_of(77::bigint, 'bank')");
within('1,000 tags in a portrait', 60, undef, "SELECT length(profile(77::bigint, 'bank')::text)");
within('1,000 tags counted', 60, undef, "SELECT count(*) FROM tag_counts('bank')");
within('a segment of 900 tags', 100, undef, "SELECT cardinality(segment((SELECT string_agg('t' || n, ' | ') FROM generate_series(1, 900) AS n), 'bank'))");

# ---- groups far beyond work_mem
foreach my $aggregate ([ 'audience_agg(kind)', 'sum(cardinality(x))' ], [ "timeline_agg(ts, 'e' || kind)", 'sum(event_count(x))' ],
	[ "window_funnel('1 day', ts, kind = 0, kind = 1, kind = 2)", 'sum(x)' ], [ 'rfm_agg(ts, kind::float8)', 'sum((x).frequency)' ],
	[ 'retention(kind = 0, kind = 1)', 'count(x)' ], [ "sequence_match('(?1).*(?2)', ts, kind = 0, kind = 1)", 'count(x)' ],
	[ "activity_agg('day', ts)", 'count(x)' ], [ 'bsi_agg(kind, kind)', 'sum(bsi_count(x))' ])
{
	my ($call, $use) = @$aggregate;
	my $query = "SELECT $use FROM (SELECT customer, $call AS x FROM event GROUP BY customer OFFSET 0) AS s";
	my $hashed = "SET enable_sort = off; SET work_mem = '1MB'; $query";
	my $plan = $node->safe_psql('postgres', "SET enable_sort = off; SET work_mem = '1MB'; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query");

	like($plan, qr/HashAggregate.*Batches: \d\d*.*Disk Usage/s, "$call: its groups go to disk");
	within("$call of $groups groups", 40, $node->safe_psql('postgres', "SET enable_hashagg = off; $query"), $hashed);
}

# ---- what is made of rows that are kept, within crm_analytics.training_memory, and refused before it takes more
my $kept = $full ? 5_000_000 : 1_000_000;
my $pairs = $full ? 1_000_000 : 200_000;
my $things = $full ? 4000 : 1000;
$node->safe_psql('postgres', qq{
	CREATE FUNCTION refused(query text) RETURNS boolean LANGUAGE plpgsql AS \$\$
		BEGIN EXECUTE query; RETURN false; EXCEPTION WHEN program_limit_exceeded THEN RETURN true; END \$\$;
	CREATE TABLE stay AS SELECT (hashint8(n) & 65535) / 7.0::float8 AS duration, n % 3 = 0 AS event, (hashint8(n) & 4095) * 0.37::float8 AS score
		FROM generate_series(1::bigint, $kept) AS n;
	CREATE TABLE wish AS SELECT c, timeline_agg(timestamptz '2025-01-01' + k * interval '1 hour', 'search', NULL, jsonb_build_object('term', 'thing ' || c * 50 + k)) AS t
		FROM generate_series(1, $pairs / 50) AS c, generate_series(1, 50) AS k GROUP BY c;
	CREATE TABLE member AS SELECT n AS id, n % $things * 10 AS place, 'a' || n % 250 AS a, 'b' || n % 241 AS b, 'c' || n * 7 % 239 AS c, 'd' || n * 11 % 233 AS d
		FROM generate_series(1, 2 * $things) AS n;
	ANALYZE;
	SELECT train('many', 'k_prototypes', 'SELECT * FROM member', options => '{"k": $things, "key": "id", "max_iter": 1, "n_init": 1}');
});
my $wish = q{SELECT cardinality(unmet_demand('30 days', NULL, '{"search": "term"}', '{"buy": null}', t)) FROM wish};
# A row takes what the kept one does, and 96 bytes; a pair 150, and 500 in the result; a trait of a group 48.
within('concordance', 20 + 112 * $kept / 1e6, 't', 'SELECT concordance_agg(duration, event, score) > 0 FROM stay');
within('terms wanted', 20 + 700 * $pairs / 1e6, $pairs, $wish);
within('traits of groups', 20 + 52 * $things * 975 / 1e6, $things, "SELECT count(*) FROM personas('many', most => 3)");
my $little = $full ? 192 : 32;
foreach my $much ([ 'concordance', 'SELECT concordance_agg(duration, event, score) FROM stay' ], [ 'terms wanted', $wish ],
	[ 'traits of groups', "SELECT count(*) FROM personas('many')" ])
{
	within("$much->[0] beyond $little MB", 25 + $little, 't', "SET crm_analytics.training_memory = '${little}MB'; SELECT refused(\$q\$$much->[1]\$q\$)");
}

$node->stop;
done_testing();
