--@ job refresh_100: refreshing 100 tags of {customers} customers, all sets written
--@ before ours
SELECT crm.drop_population('bench') WHERE EXISTS (SELECT FROM crm.population_definition WHERE name = 'bench');
SELECT crm.create_population('bench', 'bench_customer', 'id');
SELECT count(crm.create_tag(tag, condition, population => 'bench')) FROM bench_rule WHERE no <= 100;
VACUUM crm.tag_set;
--@ ours
SELECT count(*) FROM crm.refresh_tags('bench');
--@ peer count(*) FILTER of the 100 conditions, JIT on, target 0.5
SET jit = on;
SELECT format('SELECT %s FROM bench_customer', string_agg(format('count(*) FILTER (WHERE %s)', condition), ', ' ORDER BY no))
FROM bench_rule WHERE no <= 100 \gexec
--@ peer 100 filtered rb_build_agg, target 0.3, needs roaringbitmap
SET jit = on;
SELECT format('SELECT %s FROM bench_customer',
	string_agg(format('roaring.rb_cardinality(roaring.rb_build_agg(id::int) FILTER (WHERE %s))', condition), ', ' ORDER BY no))
FROM bench_rule WHERE no <= 100 \gexec

--@ job refresh_again: the same refresh when nothing has changed
--@ ours
SELECT count(*) FROM crm.refresh_tags('bench');
--@ peer count(*) FILTER of the 100 conditions, JIT on
SET jit = on;
SELECT format('SELECT %s FROM bench_customer', string_agg(format('count(*) FILTER (WHERE %s)', condition), ', ' ORDER BY no))
FROM bench_rule WHERE no <= 100 \gexec

--@ job refresh_workers: refreshing 100 tags with two workers
--@ before ours
SELECT crm.drop_population('bench');
SELECT crm.create_population('bench', 'bench_customer', 'id');
SELECT count(crm.create_tag(tag, condition, population => 'bench')) FROM bench_rule WHERE no <= 100;
VACUUM crm.tag_set;
--@ ours
SET max_parallel_workers_per_gather = 2;
SELECT count(*) FROM crm.refresh_tags('bench');
--@ before peer
SELECT crm.drop_population('bench');
SELECT crm.create_population('bench', 'bench_customer', 'id');
SELECT count(crm.create_tag(tag, condition, population => 'bench')) FROM bench_rule WHERE no <= 100;
VACUUM crm.tag_set;
--@ peer one process, wall, target 0.65
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM crm.refresh_tags('bench');

--@ job tag_cardinality: size of a segment of four stored tags
--@ ours
SELECT crm.cardinality(crm.segment('(tag_1 & tag_2 | tag_13) - tag_34', 'bench'));
--@ peer its conditions, counted over the rows
SELECT count(*) FROM bench_customer
WHERE (age BETWEEN 18 AND 28 AND gender = 'F' AND age > 21 OR city = 'city_12') AND NOT country = 3;

--@ job where_segment: rows of a segment of stored tags, summed
--@ ours
SELECT count(*), sum(score) FROM bench_customer WHERE id <@ crm.segment('(tag_1 & tag_2 | tag_13) - tag_34', 'bench');
--@ peer the conditions themselves
SELECT count(*), sum(score) FROM bench_customer
WHERE (age BETWEEN 18 AND 28 AND gender = 'F' AND age > 21 OR city = 'city_12') AND NOT country = 3;

--@ job tags_of: tags of one customer, 1,000 tags, {customers} customers
--@ setup
SELECT crm.drop_population('bench') WHERE EXISTS (SELECT FROM crm.population_definition WHERE name = 'bench');
SELECT crm.create_population('bench', 'bench_customer', 'id');
SELECT count(crm.create_tag(tag, condition, population => 'bench')) FROM bench_rule;
SELECT count(*) FROM crm.refresh_tags('bench');
VACUUM ANALYZE crm.tag_set;
--@ ours, calls 100
SELECT format('SELECT count(*) FROM crm.tags_of(%s::bigint, ''bench'')', 1 + k * 7919 * 11 % {customers}) FROM generate_series(1, 100) AS k \gexec
--@ limit 5 ms

--@ job profile: portrait of one customer, 1,000 tags, {customers} customers
--@ ours, calls 100
SELECT format('SELECT length(crm.profile(%s::bigint, ''bench'')::text)', 1 + k * 7919 * 11 % {customers}) FROM generate_series(1, 100) AS k \gexec
--@ limit 50 ms
