-- What the planner learns from an audience.
SET search_path = crm, public;
CREATE FUNCTION pg_temp.rows(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
CREATE TABLE plan_customers (id bigint PRIMARY KEY, small int, visits bigint);
INSERT INTO plan_customers SELECT i, i, CASE WHEN i % 2 = 0 THEN i % 100 END FROM generate_series(1, 20000) i;
ANALYZE plan_customers;

-- Rows: the members of the set over the different ids of the column.
SELECT query, pg_temp.rows('SELECT * FROM plan_customers WHERE ' || query) AS rows
FROM (VALUES ('id <@ ''{}'''), ('id <@ ''{1..500}'''), ('''{1..500}''::audience @> id'), ('id <@ ''{1..5000}'''), ('id <@ ''{0..100000}'''),
	('id <@ (''{1..300}''::audience | ''{1001..1200}'')'), ('small <@ ''{1..500}'''), ('visits <@ ''{0,2}'''), ('id <@ NULL::audience'),
	('NOT id <@ ''{1..5000}''')) v(query);
SELECT abs(pg_temp.rows('SELECT * FROM plan_customers WHERE id <@ (SELECT audience_agg(id) FROM plan_customers)')::float8 - 2000) < 10 AS unknown_is_a_tenth;
PREPARE by_set(audience) AS SELECT count(*) FROM plan_customers WHERE id <@ $1;
EXECUTE by_set('{1..5}');
EXECUTE by_set('{1..50}');
SET plan_cache_mode = force_generic_plan;
EXECUTE by_set('{1..5}');
EXECUTE by_set('{1..50}');
EXECUTE by_set('{1,20000,20001}');
RESET plan_cache_mode;

-- members() knows how many; so do slices and samples of sets that are not known yet.
SELECT query, pg_temp.rows('SELECT * FROM ' || query) AS rows
FROM (VALUES ('members(''{1..7}'')'), ('members(''{}'')'), ('members(''{1..500000}''::audience - ''{1..10}'')'), ('members(slice(''{1..500}'', 100, 20))'),
	('members(sample(''{1..500}'', 30, 1))'), ('(SELECT ''{1}''::audience AS a OFFSET 0) s, members(slice(s.a, 0, 25))'),
	('(SELECT ''{1}''::audience AS a OFFSET 0) s, members(sample(s.a, 35, 1))')) v(query);

-- A small set is looked up in the index, a larger one narrows the range.
EXPLAIN (COSTS off) SELECT * FROM plan_customers WHERE id <@ '{5,7,19999}';
SELECT id FROM plan_customers WHERE id <@ '{5,7,19999,20001}' ORDER BY id;
EXPLAIN (COSTS off) SELECT * FROM plan_customers WHERE '{5,7}'::audience @> id;
SET enable_seqscan = off;
EXPLAIN (COSTS off) SELECT * FROM plan_customers WHERE id <@ '{100..1200,1300}';
SELECT count(*), min(id), max(id) FROM plan_customers WHERE id <@ '{100..1200,1300}';
EXPLAIN (COSTS off) SELECT * FROM plan_customers WHERE id <@ '{}';
SELECT count(*) FROM plan_customers WHERE id <@ '{}';
RESET enable_seqscan;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
SELECT count(*), min(id), max(id) FROM plan_customers WHERE id <@ '{100..1200,1300}';
RESET enable_indexscan;
RESET enable_bitmapscan;
RESET enable_indexonlyscan;
-- A table without statistics, a hash index, an index on an expression.
CREATE TABLE plan_other (id bigint);
CREATE INDEX ON plan_other USING hash (id);
INSERT INTO plan_other SELECT i FROM generate_series(1, 100) i;
SELECT count(*) FROM plan_other WHERE id <@ '{1..10,200}';
CREATE INDEX plan_small ON plan_customers (small);
ANALYZE plan_customers;
EXPLAIN (COSTS off) SELECT * FROM plan_customers WHERE small <@ '{5,7}';
SELECT small FROM plan_customers WHERE small <@ '{5,7}' ORDER BY 1;

-- A stored set is fetched once a query, whatever the number of rows; several sets side by side, too.
CREATE TABLE plan_sets (name text, a audience);
ALTER TABLE plan_sets ALTER a SET STORAGE external;
INSERT INTO plan_sets SELECT 'part ' || k, audience_agg(i) FILTER (WHERE hashint4(i) % k = 0) FROM generate_series(1, 100000) i, generate_series(2, 13) k GROUP BY k;
SELECT count(*), bool_and(pg_column_size(a) > 4000) AS toasted FROM plan_sets;
SELECT name, count(*) = (SELECT count(*) FROM plan_customers c WHERE hashint4(c.id::int) % substr(name, 6)::int = 0) AS good
FROM plan_sets, plan_customers WHERE id <@ a GROUP BY name ORDER BY name;
SELECT count(*) = (SELECT count(*) FROM plan_customers c, generate_series(2, 13) k WHERE hashint4(c.id::int) % k = 0) AS good
FROM (SELECT id FROM plan_customers OFFSET 0) c CROSS JOIN LATERAL (SELECT a FROM plan_sets OFFSET 0) s WHERE c.id <@ s.a;
-- How many pages a join with 20,000 probes reads: once the set, not once a row.
CREATE FUNCTION pg_temp.blocks(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || query INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::int + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::int;
END $$;
SELECT pg_temp.blocks($$SELECT count(*) FROM plan_customers WHERE id <@ (SELECT a FROM plan_sets WHERE name = 'part 2')$$) < 1000 AS once;
SELECT pg_temp.blocks($$SELECT name, cardinality(a) FROM plan_sets$$) < 100 AS head_only;
-- Counts of large stored sets read them in pieces: the same numbers as over rows and over the built set.
CREATE TABLE plan_large AS SELECT i AS id, hashint8(i) % 2 = 0 AS half, hashint8(i) % 3 = 0 AS third FROM generate_series(1::bigint, 1000000) i;
TRUNCATE plan_sets;
INSERT INTO plan_sets SELECT 'half', audience_agg(id) FILTER (WHERE half) FROM plan_large UNION ALL SELECT 'third', audience_agg(id) FILTER (WHERE third) FROM plan_large;
INSERT INTO plan_sets VALUES ('few', '{5,70000..70100,999990..2000000}'), ('elsewhere', '{5000000000,6000000000..6000100000}');
INSERT INTO plan_sets SELECT 'stamped', ('3:' || a::text)::audience FROM plan_sets WHERE name = 'third';
INSERT INTO plan_sets SELECT 'stamped otherwise', ('4:' || a::text)::audience FROM plan_sets WHERE name = 'third';
SELECT count(*) FILTER (WHERE half AND third) = (SELECT and_cardinality(x.a, y.a) FROM plan_sets x, plan_sets y WHERE x.name = 'half' AND y.name = 'third') AS counted FROM plan_large;
SELECT count(*), bool_and(and_cardinality(x.a, y.a) = cardinality(x.a & y.a) AND or_cardinality(x.a, y.a) = cardinality(x.a | y.a)
	AND andnot_cardinality(x.a, y.a) = cardinality(x.a - y.a) AND xor_cardinality(x.a, y.a) = cardinality(x.a # y.a)) AS good
FROM plan_sets x, plan_sets y WHERE 'stamped otherwise' NOT IN (x.name, y.name);
SELECT bool_and(n = k) AS good FROM (SELECT x.name, y.name, (SELECT and_cardinality(x.a, y.a)) AS n, (SELECT cardinality(x.a & y.a)) AS k
	FROM plan_sets x, plan_sets y WHERE 'stamped otherwise' NOT IN (x.name, y.name)) c;
SELECT and_cardinality(x.a, y.a) FROM plan_sets x, plan_sets y WHERE x.name = 'stamped' AND y.name = 'stamped otherwise';
SELECT pg_temp.blocks($$SELECT and_cardinality(a, '{5,6}') FROM plan_sets WHERE name = 'half'$$) <
	pg_temp.blocks($$SELECT and_cardinality(a, '{1..999999}') FROM plan_sets WHERE name = 'half'$$) AS reads_what_it_needs;
DROP TABLE plan_large, plan_customers, plan_other, plan_sets;
