-- Aggregates of crm.audience.
SET search_path = crm, public;

-- No rows, NULL rows, repeated rows, FILTER, DISTINCT, order.
SELECT audience_agg(id), audience_agg(id) FILTER (WHERE id > 100), audience_agg(DISTINCT id), audience_agg(id ORDER BY id DESC)
FROM unnest('{5,3,NULL,3,9}'::bigint[]) id;
SELECT audience_agg(id) FROM unnest('{NULL,NULL}'::bigint[]) id;
SELECT audience_agg(id) FROM unnest('{}'::bigint[]) id;
SELECT audience_agg(id) FROM generate_series(1, 3) id;
SELECT audience_agg(id) FROM unnest('{1,-5}'::bigint[]) id;
SELECT audience_agg(id) FROM unnest('{9223372036854775807,0}'::bigint[]) id;
SELECT union_agg(a), intersect_agg(a) FROM (VALUES ('{1,2}'::audience), (NULL), ('{2,3}')) v(a);
SELECT union_agg(a), intersect_agg(a) FROM (VALUES (NULL::audience)) v(a);
SELECT union_agg(a), intersect_agg(a) FROM (VALUES ('{}'::audience)) v(a) WHERE false;
SELECT union_agg(a), intersect_agg(a) FROM (VALUES ('{}'::audience), ('{1}')) v(a);
SELECT union_agg(a), intersect_agg(a) FROM (VALUES ('3:{1}'::audience), ('{1,2}')) v(a);
SELECT union_agg(a) FROM (VALUES ('3:{1}'::audience), ('4:{1,2}')) v(a);
SELECT intersect_agg(a) FROM (VALUES ('3:{}'::audience), ('4:{1,2}')) v(a);
SELECT intersect_agg(a) FROM (VALUES ('{}'::audience), ('4:{1,2}'), ('5:{1}')) v(a);

-- Support functions are for aggregates only.
\set VERBOSITY terse
SELECT audience_agg_transfn('{}', 1);
SELECT audience_union_transfn('{}', '{}');
\set VERBOSITY default

-- Every size a state passes through, in three orders, against the plain list.
SELECT bool_and(asc_set::bigint[] = list AND desc_set = asc_set AND mixed = asc_set AND twice = asc_set) AS good, count(*)
FROM (VALUES (1), (4), (5), (8), (9), (1023), (1024), (1025), (2048), (2049), (5000)) v(n),
	LATERAL (SELECT audience_agg(i * 977) AS asc_set, array_agg(i * 977 ORDER BY i) AS list FROM generate_series(1::bigint, n) i) a,
	LATERAL (SELECT audience_agg(i * 977) AS desc_set FROM generate_series(n::bigint, 1, -1) i) d,
	LATERAL (SELECT audience_agg(i * 977 ORDER BY hashint8(i)) AS mixed FROM generate_series(1::bigint, n) i) m,
	LATERAL (SELECT audience_agg((i % n + 1) * 977) AS twice FROM generate_series(1::bigint, 2 * n) i) t;

-- Random ids over different ranges.
SELECT setseed(0.75);
CREATE TABLE audience_rows AS
SELECT i, i % 7 AS few, i % 100000 AS many, (random() * 10000)::bigint AS small, (random() * 10000000)::bigint AS medium, (random() * 9e18)::bigint AS wide
FROM generate_series(1::bigint, 200000) i;
ANALYZE audience_rows;
SELECT s::bigint[] = sl AS small, m::bigint[] = ml AS medium, w::bigint[] = wl AS wide
FROM (SELECT audience_agg(small) AS s, audience_agg(medium) AS m, audience_agg(wide) AS w,
		array_agg(DISTINCT small) AS sl, array_agg(DISTINCT medium) AS ml, array_agg(DISTINCT wide) AS wl FROM audience_rows) a;

-- Parallel is serial.
SET max_parallel_workers_per_gather = 0;
CREATE TABLE audience_serial AS
SELECT audience_agg(small) AS s, audience_agg(medium) AS m, audience_agg(wide) AS w, audience_agg(i) AS i FROM audience_rows;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off)
SELECT audience_agg(small), audience_agg(medium), audience_agg(wide), audience_agg(i) FROM audience_rows;
SELECT audience_agg(small) = (SELECT s FROM audience_serial) AS small, audience_agg(medium) = (SELECT m FROM audience_serial) AS medium,
	audience_agg(wide) = (SELECT w FROM audience_serial) AS wide, audience_agg(i) = (SELECT i FROM audience_serial) AS i, cardinality(audience_agg(i)) FROM audience_rows;
-- Groups that stay short lists, an empty worker, NULL-only workers.
SELECT bool_and(a::bigint[] = list) AS good, count(*)
FROM (SELECT few, audience_agg(i) FILTER (WHERE i < 100) AS a, coalesce(array_agg(i ORDER BY i) FILTER (WHERE i < 100), '{}') AS list FROM audience_rows GROUP BY few) g;
SELECT audience_agg(CASE WHEN i = 199999 THEN i END), audience_agg(i) FILTER (WHERE false) FROM audience_rows;
CREATE TABLE audience_sets AS SELECT few, audience_agg(medium) AS a FROM audience_rows GROUP BY few;
INSERT INTO audience_sets SELECT 100 + many % 50, audience_agg(many) FROM audience_rows GROUP BY many % 50;
ALTER TABLE audience_sets SET (parallel_workers = 2);
ANALYZE audience_sets;
EXPLAIN (COSTS off) SELECT union_agg(a), intersect_agg(a) FROM audience_sets;
SELECT union_agg(a) FILTER (WHERE few < 100) = (SELECT m FROM audience_serial) AS united, intersect_agg(a | '{7}') AS common, cardinality(union_agg(a) FILTER (WHERE few >= 100)) FROM audience_sets;
SET max_parallel_workers_per_gather = 0;
SELECT union_agg(a) FILTER (WHERE few < 100) = (SELECT m FROM audience_serial) AS united, intersect_agg(a | '{7}') AS common, cardinality(union_agg(a) FILTER (WHERE few >= 100)) FROM audience_sets;

-- Partition-wise, with partitions of very different size.
CREATE TABLE audience_parts (k int, id bigint) PARTITION BY LIST (k);
CREATE TABLE audience_parts_1 PARTITION OF audience_parts FOR VALUES IN (1);
CREATE TABLE audience_parts_2 PARTITION OF audience_parts FOR VALUES IN (2);
CREATE TABLE audience_parts_3 PARTITION OF audience_parts FOR VALUES IN (3);
INSERT INTO audience_parts SELECT 1, medium FROM audience_rows;
INSERT INTO audience_parts VALUES (2, 5), (2, 10000001);
ANALYZE audience_parts;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS off) SELECT audience_agg(id) FROM audience_parts;
SELECT audience_agg(id) = ((SELECT m FROM audience_serial) | '{5,10000001}') AS same FROM audience_parts;
RESET enable_partitionwise_aggregate;

-- Windows: the state goes on after it was asked.
SELECT x, audience_agg(x) OVER (ORDER BY x) AS growing, audience_agg(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS moving,
	union_agg(('{' || x || ',9}')::audience) OVER (ORDER BY x DESC) AS united, intersect_agg(('{' || x || '..9}')::audience) OVER (ORDER BY x) AS common
FROM generate_series(1, 5) x ORDER BY x;
SELECT bool_and(cardinality(a) = x AND audience_max(a) = x) AS good, count(*)
FROM (SELECT x, audience_agg(x) OVER (ORDER BY x) AS a FROM generate_series(1, 3000) x) w;
SELECT bool_and(cardinality(a) = 2000 AND audience_min(a) = x - 1999) AS good, count(*)
FROM (SELECT x, audience_agg(x) OVER (ORDER BY x ROWS 1999 PRECEDING) AS a FROM generate_series(1, 2200) x) w WHERE x >= 2000;

-- 100,000 groups, hashed and sorted, in little memory.
SET work_mem = '1MB';
SELECT count(*), sum(cardinality(a)), bool_and((many = 0 OR a @> many) AND a @> many + 100000) AS good FROM (SELECT many, audience_agg(i) AS a FROM audience_rows GROUP BY many) g;
SET enable_hashagg = off;
SELECT count(*), sum(cardinality(a)), bool_and((many = 0 OR a @> many) AND a @> many + 100000) AS good FROM (SELECT many, audience_agg(i) AS a FROM audience_rows GROUP BY many) g;
RESET enable_hashagg;
RESET work_mem;

-- One state for two aggregates of the same transition.
SELECT audience_agg(i), cardinality(audience_agg(i)), union_agg(a), cardinality(union_agg(a))
FROM (SELECT i, ('{' || i || '}')::audience AS a FROM generate_series(1, 3) i) s;
-- A set of sets: union of the parts is the whole.
SELECT union_agg(a) = (SELECT audience_agg(medium) FROM audience_rows) AS whole
FROM (SELECT audience_agg(medium) AS a FROM audience_rows GROUP BY few) parts;
DROP TABLE audience_rows, audience_serial, audience_sets, audience_parts;
