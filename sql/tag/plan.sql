-- Tags and segments in WHERE: estimates, look-ups in an index, one evaluation a query.
SET search_path = crm, public;
SET max_parallel_workers_per_gather = 0;
-- The plan, without the figure of cost that stands in the condition.
CREATE FUNCTION pg_temp.plan(query text, options text DEFAULT 'COSTS off') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
		line := regexp_replace(line, '(, NULL::[a-z ]+)+\)', ')', 'g');
		RETURN NEXT regexp_replace(line, '''[0-9]+''::double precision', 'cost', 'g');
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.rows(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
-- By an index, or through the whole table?
CREATE FUNCTION pg_temp.way(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan text;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN CASE WHEN plan ~ 'Index Cond' AND plan !~ 'Seq Scan' THEN 'index' WHEN plan ~ 'Seq Scan' AND plan !~ 'Index Cond' THEN 'table' ELSE plan END;
END $$;

CREATE TABLE planned (id bigint PRIMARY KEY, i4 int, i2 smallint, g int, pad text);
INSERT INTO planned SELECT i, i, i, i * 7919 % 20000, repeat('x', 100) FROM generate_series(1, 20000) i;
UPDATE planned SET i2 = NULL WHERE id % 3 = 0;
CREATE INDEX planned_i4 ON planned (i4);
CREATE INDEX planned_i2 ON planned (i2);
CREATE TABLE planned_orders AS SELECT i AS order_id, i % 20000 + 1 AS customer, i % 97 AS amount FROM generate_series(1, 60000) i;
CREATE INDEX planned_orders_customer ON planned_orders (customer);
VACUUM ANALYZE planned, planned_orders;
SELECT create_population('planned', 'planned', 'id');
SELECT create_tag('few', 'g < 20', population => 'planned');
SELECT create_tag('some', 'g < 300', population => 'planned');
SELECT create_tag('most', 'g >= 300', population => 'planned');
SELECT create_tag('nobody', 'g < 0', population => 'planned');
SELECT create_tag('kind', $$CASE WHEN g % 1000 = 1 THEN 'rare' WHEN g % 2 = 0 THEN 'even' ELSE 'odd' END$$, population => 'planned');
SELECT * FROM refresh_tags('planned', columns => 'today');

-- Rows: as many as there are.
SELECT condition, pg_temp.rows('SELECT * FROM planned WHERE ' || condition)
FROM (VALUES ($$id <@ tag('few', population => 'planned')$$), ($$id <@ tag('most', population => 'planned')$$),
	($$tag('some', population => 'planned') @> i4$$), ($$i2 <@ tag('some', population => 'planned')$$), ($$id <@ tag('nobody', population => 'planned')$$),
	($$id <@ tag('kind', 'rare', population => 'planned')$$), ($$id <@ segment('some - few', 'planned')$$),
	($$NOT id <@ segment('most | few', 'planned')$$), ($$id <@ (tag('few', population => 'planned') | '{1,2}')$$)) c (condition);

-- A small set is looked up in the index, a large one stays a filter.
SELECT pg_temp.plan($$SELECT pad FROM planned WHERE id <@ tag('few', population => 'planned')$$);
SELECT pg_temp.plan($$SELECT pad FROM planned WHERE tag('few', population => 'planned') @> i4$$);
SELECT pg_temp.plan($$SELECT pad FROM planned WHERE i2 <@ segment('few & kind = even', 'planned')$$);
SELECT pg_temp.plan($$SELECT pad FROM planned WHERE id <@ tag('most', population => 'planned')$$);
SELECT pg_temp.plan($$SELECT pad FROM planned WHERE id <@ segment('!few', 'planned')$$);
SELECT pg_temp.plan($$SELECT * FROM planned c JOIN planned_orders o ON o.customer = c.id WHERE c.id <@ tag('few', population => 'planned')$$);
SELECT pg_temp.plan($$SELECT pad FROM planned WHERE id <@ NULL::audience$$);

-- The same rows as a join finds, by each way.
CREATE FUNCTION pg_temp.same(name text, value text, key text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	asked text := format('SELECT array_agg(id ORDER BY id) FROM planned WHERE %I <@ tag(%L, %L, ''planned'')', key, name, value);
	expected bigint[];
	found bigint[];
	ways text := '';
BEGIN
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM planned WHERE %I IN (SELECT members(tag(%L, %L, ''planned'')))', key, name, value) INTO expected;
	FOR i IN 1 .. 3 LOOP
		PERFORM set_config('enable_seqscan', CASE i WHEN 1 THEN 'on' ELSE 'off' END, true);
		PERFORM set_config('enable_indexscan', CASE i WHEN 2 THEN 'on' ELSE 'off' END, true);
		PERFORM set_config('enable_indexonlyscan', CASE i WHEN 2 THEN 'on' ELSE 'off' END, true);
		PERFORM set_config('enable_bitmapscan', CASE i WHEN 3 THEN 'on' ELSE 'off' END, true);
		EXECUTE asked INTO found;
		ways := ways || CASE WHEN found IS NOT DISTINCT FROM expected THEN 'same ' ELSE 'OTHER ' END;
	END LOOP;
	RETURN ways || coalesce(cardinality(expected), 0);
END $$;
BEGIN;
SELECT key, name, value, pg_temp.same(name, value, key)
FROM unnest('{id,i4,i2}'::text[]) key, (VALUES ('few', NULL), ('some', NULL), ('most', NULL), ('nobody', NULL), ('kind', 'rare'), ('kind', 'odd'), ('kind', NULL)) t (name, value)
ORDER BY 1, 2, 3;
ROLLBACK;

-- Constants: some stand in the plan, some are read when the scan begins, close ones are a range.
CREATE TABLE planned_wide (id bigint PRIMARY KEY, pad text);
INSERT INTO planned_wide SELECT i, repeat('x', 100) FROM generate_series(-5, 200000) i;
VACUUM ANALYZE planned_wide;
SELECT regexp_replace(line, '''(7:)?{.*}''', '{...}') FROM pg_temp.plan($$SELECT pad FROM planned_wide WHERE id <@ '{5,77,200001,9000000000000000000}'$$) line;
SELECT string_agg((i * 97)::text, ',') AS ids FROM generate_series(1, 1500) i \gset
SELECT regexp_replace(line, '''(7:)?{.*}''', '{...}') FROM pg_temp.plan(format('SELECT pad FROM planned_wide WHERE id <@ %L', '{' || :'ids' || '}')) line;
SELECT pg_temp.plan($$SELECT pad FROM planned_wide WHERE id <@ '{100..1400,1402}'$$);
SELECT count(*), min(id), max(id) FROM planned_wide WHERE id <@ ('{' || :'ids' || '}')::audience;
SELECT count(*), min(id), max(id) FROM planned_wide WHERE id <@ '{0,5,77,200001,9000000000000000000}';

-- Behind the first column of an index the rows still come in the order that the plan counts on.
CREATE TABLE planned_visits AS SELECT i % 1000 AS day, i AS customer FROM generate_series(1, 100000) i;
CREATE INDEX planned_visits_day ON planned_visits (day, customer);
VACUUM ANALYZE planned_visits;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off;
SELECT array_agg(day ORDER BY n) AS days
FROM (SELECT day, row_number() OVER () AS n FROM (SELECT day FROM planned_visits WHERE day > 5 AND customer <@ '{1009,2007,3500,99007}' ORDER BY day) o) r;
SELECT bool_and(later) AS ordered
FROM (SELECT day >= lag(day) OVER () AS later FROM (SELECT day FROM planned_visits WHERE day > 5 AND customer <@ tag('few', population => 'planned') ORDER BY day) o) r;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_sort;

-- Prepared statements: as the argument says, also where the plan is made once for all arguments.
PREPARE by_tag(text) AS SELECT count(*) FROM planned WHERE id <@ tag($1, population => 'planned');
EXECUTE by_tag('few');
EXECUTE by_tag('most');
SELECT pg_temp.way($$EXECUTE by_tag('few')$$) AS few, pg_temp.way($$EXECUTE by_tag('most')$$) AS most;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_tag('few');
EXECUTE by_tag('most');
PREPARE constant_tag AS SELECT count(*), sum(id) FROM planned WHERE id <@ tag('few', population => 'planned');
EXECUTE constant_tag;
SELECT replace_tag('few', 'g >= 10', population => 'planned');
SELECT members FROM refresh_tags('planned', '{few}', columns => 'today');
EXECUTE constant_tag;
SELECT replace_tag('few', 'g < 20', population => 'planned');
SELECT members FROM refresh_tags('planned', '{few}', columns => 'today');
EXECUTE constant_tag;
RESET plan_cache_mode;
DEALLOCATE ALL;

-- PL/pgSQL: each statement sees the sets of its own time, its transaction's too.
CREATE FUNCTION pg_temp.in_turn() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before bigint;
	changed bigint;
	back bigint;
BEGIN
	SELECT count(*) INTO before FROM planned WHERE id <@ tag('few', population => 'planned');
	BEGIN
		UPDATE planned SET g = 0 WHERE id BETWEEN 1 AND 50;
		PERFORM refresh_tags('planned', '{few}', columns => 'today');
		SELECT count(*) INTO changed FROM planned WHERE id <@ tag('few', population => 'planned');
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		SELECT count(*) INTO back FROM planned WHERE id <@ tag('few', population => 'planned');
	END;
	RETURN format('%s, %s, %s', before, changed, back);
END $$;
SELECT pg_temp.in_turn(), pg_temp.in_turn();

-- Once a query: as many pages as table and set have, not a set for each row, partition, or estimate.
-- The least of three runs: what other sessions do may empty this one's caches of the catalog.
CREATE FUNCTION pg_temp.blocks(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	plan json;
	least_blocks int;
BEGIN
	FOR run IN 1..3 LOOP
		EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || query INTO plan;
		least_blocks := least(least_blocks, (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::int + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::int
			+ coalesce((plan -> 0 -> 'Planning' ->> 'Shared Hit Blocks')::int + (plan -> 0 -> 'Planning' ->> 'Shared Read Blocks')::int, 0));
	END LOOP;
	RETURN least_blocks;
END $$;
SELECT pg_temp.blocks($$SELECT count(pad) FROM planned$$) AS alone \gset
SELECT pg_temp.blocks($$SELECT count(pad) FROM planned WHERE id <@ segment('most - few', 'planned')$$) - :alone < 200 AS once;
SELECT pg_temp.blocks($$SELECT count(pad) FROM planned WHERE id <@ tag('most', population => 'planned')$$) AS one \gset
CREATE TABLE planned_parts (id bigint, pad text) PARTITION BY RANGE (id);
SELECT format('CREATE TABLE planned_part_%s PARTITION OF planned_parts FOR VALUES FROM (%s) TO (%s)', i, i * 1000, (i + 1) * 1000) FROM generate_series(0, 20) i \gexec
INSERT INTO planned_parts SELECT id, pad FROM planned;
VACUUM ANALYZE planned_parts;
SELECT pg_temp.blocks($$SELECT count(pad) FROM planned_parts WHERE id <@ tag('most', population => 'planned')$$) - :one < 300 AS once_for_all_partitions;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT pg_temp.plan($$SELECT count(pad) FROM planned WHERE id <@ tag('most', population => 'planned')$$);
SELECT count(pad) FROM planned WHERE id <@ tag('most', population => 'planned');
SELECT count(*) FROM planned_orders WHERE customer <@ tag('some', population => 'planned');
SELECT count(*) FROM planned_orders JOIN planned ON id = customer WHERE id <@ tag('some', population => 'planned');
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Where row-level security guards the table, its condition comes first: the same rows, without the index.
CREATE ROLE regress_plan_reader;
GRANT USAGE ON SCHEMA crm TO regress_plan_reader;
GRANT SELECT ON planned TO regress_plan_reader;
SELECT grant_population('planned', 'regress_plan_reader');
ALTER TABLE planned ENABLE ROW LEVEL SECURITY;
CREATE POLICY planned_even ON planned USING (id % 2 = 0);
SET ROLE regress_plan_reader;
SELECT count(*), bool_and(id % 2 = 0) AS even FROM planned WHERE id <@ tag('few', population => 'planned');
RESET ROLE;
REVOKE ALL ON planned FROM regress_plan_reader;
REVOKE USAGE ON SCHEMA crm FROM regress_plan_reader;
SELECT revoke_population('planned', 'regress_plan_reader');
DROP ROLE regress_plan_reader;

-- The helper itself.
SELECT audience_index_keys('{3,1,9..12}', 5), audience_index_keys('{}', 5), audience_index_keys(NULL, 5) IS NULL AS none;

SELECT drop_population('planned');
DROP TABLE planned, planned_orders, planned_wide, planned_visits, planned_parts;
