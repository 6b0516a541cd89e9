-- window_funnel: modes, NULLs, refusals, merging.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE TEMP TABLE visit (customer int, ts timestamptz, page text);
INSERT INTO visit
SELECT customer, timestamptz '2026-06-01' + minute * interval '1 minute', page
FROM (VALUES
	(1, 0, 'home'), (1, 5, 'item'), (1, 9, 'buy'),
	(2, 0, 'home'), (2, 1, 'help'), (2, 5, 'item'), (2, 9, 'buy'),
	(3, 0, 'home'), (3, 5, 'item'), (3, 6, 'home'), (3, 7, 'item'), (3, 8, 'buy'),
	(4, 0, 'home'), (4, 5, 'buy'), (4, 6, 'item'),
	(5, 0, 'home'), (5, 0, 'item'), (5, 0, 'buy'),
	(6, 0, 'home'), (6, 20, 'item'), (6, 30, 'buy'),
	(7, 3, 'buy'), (7, 2, 'item'),
	(8, 0, NULL)) v (customer, minute, page);

SELECT customer, window_funnel('15 minutes', ts, page = 'home', page = 'item', page = 'buy') AS plain,
	window_funnel('15 minutes', 'strict_order', ts, page = 'home', page = 'item', page = 'buy') AS in_order,
	window_funnel('15 minutes', 'strict_order,allow_reentry', ts, page = 'home', page = 'item', page = 'buy') AS reentry,
	window_funnel('15 minutes', 'strict_deduplication', ts, page = 'home', page = 'item', page = 'buy') AS deduplicated,
	window_funnel('15 minutes', 'strict_increase', ts, page = 'home', page = 'item', page = 'buy') AS increasing,
	window_funnel('15 minutes', ' strict_once , strict_order ', ts, page = 'home', page = 'item', page = 'buy') AS once_in_order
FROM visit GROUP BY customer ORDER BY customer;

-- One event that meets several conditions.
SELECT window_funnel('1 hour', ts, c, c, c) AS plain, window_funnel('1 hour', 'strict_once', ts, c, c, c) AS once,
	window_funnel('1 hour', 'strict_once,strict_increase', ts, c, c, c) AS increasing
FROM (VALUES (timestamptz '2026-06-01 00:00', true), ('2026-06-01 00:00', true), ('2026-06-01 00:01', false)) v (ts, c);
-- Two events of one instant, filled in the one way that reaches the end.
SELECT window_funnel('0', 'strict_once', ts, a, b) FROM (VALUES (timestamptz '2026-06-01', true, true), ('2026-06-01', true, false)) v (ts, a, b);

-- The width: exact to the microsecond, inclusive.
SELECT window_funnel('1 day 00:00:00.000001', ts, n = 1, n = 2) AS just, window_funnel('1 day', ts, n = 1, n = 2) AS missed
FROM (VALUES (timestamptz '2026-06-01', 1), ('2026-06-02 00:00:00.000001', 2)) v (ts, n);
SELECT window_funnel('106751991 days', ts, n = 1, n = 2) AS too_far
FROM (VALUES (timestamptz '4713-01-01 00:00:00+00 BC', 1), ('294276-12-31', 2)) v (ts, n);

-- NULLs and nothing.
SELECT window_funnel('1 day', ts, true, NULL) FROM visit;
SELECT window_funnel('1 day', ts, NULL::boolean, true) FROM visit;
SELECT window_funnel('1 day', NULL, true, true) FROM visit;
SELECT window_funnel('1 day', ts, true) FROM visit WHERE false;
SELECT window_funnel('1 day', 'strict_order', ts, page = 'home', page = 'item') FILTER (WHERE page <> 'help') FROM visit WHERE customer = 2;
-- A row without time does not even stop a strict order.
SELECT window_funnel('1 day', 'strict_order', ts, c = 1, c = 2)
FROM (VALUES (timestamptz '2026-06-01', 1), (NULL, 7), ('2026-06-02', 2)) v (ts, c);

-- Conditions as an array, up to 64 of them.
SELECT window_funnel('1 day', ts, VARIADIC ARRAY[page = 'home', page = 'buy']) FROM visit WHERE customer = 1;
SELECT window_funnel('64 s', timestamptz '2026-06-01' + i * interval '1 s', VARIADIC (SELECT array_agg(j = i ORDER BY j) FROM generate_series(1, 64) j))
FROM generate_series(1, 64) i;

-- What is refused.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
SELECT pg_temp.try(format('SELECT window_funnel(%s) FROM visit', arguments)) FROM (VALUES
	(1, $$'1 month', ts, true$$), (2, $$'-1 second', ts, true$$), (3, $$NULL::interval, ts, true$$), (4, $$'2147483647 days', ts, true$$),
	(5, $$'1 day', 'strict', ts, true$$), (6, $$'1 day', 'strict_once,', ts, true$$), (7, $$'1 day', 'allow_reentry', ts, true$$),
	(8, $$'1 day', NULL::text, ts, true$$), (9, $$'1 day', 'infinity'::timestamptz, true$$),
	(10, $$'1 day', ts, VARIADIC '{}'::boolean[]$$), (11, $$'1 day', ts, VARIADIC NULL::boolean[]$$), (12, $$'1 day', ts, VARIADIC '{{t}}'::boolean[]$$),
	(13, $$'1 day', ts, VARIADIC array_fill(true, ARRAY[65])$$), (14, $$customer * interval '1 day', ts, true$$),
	(15, $$'1 day', CASE WHEN customer > 3 THEN 'strict_once' ELSE '' END, ts, true$$),
	(16, $$'1 day', ts, VARIADIC array_fill(true, ARRAY[customer])$$)) v (n, arguments) ORDER BY n;

-- The order of rows does not matter, nor how they are divided: whole = merge of parts.
CREATE TABLE funnel_event AS
SELECT i % 500 AS customer, timestamptz '2026-01-01' + (hashint4(i) & 1023) * interval '1 minute' AS ts,
	'abcdx'::char(5) AS letters, substr('abcdx', 1 + (hashint4(i * 7) & 2147483647) % 5, 1) AS page
FROM generate_series(1, 30000) i;
ALTER TABLE funnel_event SET (parallel_workers = 2);
ANALYZE funnel_event;
CREATE AGGREGATE pg_temp.funnel_state(interval, text, timestamptz, VARIADIC boolean[]) (SFUNC = window_funnel_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.funnel_merge(agg_state) (SFUNC = window_funnel_combinefn, STYPE = agg_state, FINALFUNC = window_funnel_finalfn);
CREATE TEMP TABLE mode AS
SELECT mode FROM unnest(ARRAY['', 'strict_deduplication', 'strict_order', 'strict_increase', 'strict_once', 'strict_order,allow_reentry',
	'strict_order,strict_deduplication', 'strict_once,strict_order,strict_deduplication', 'strict_increase,strict_order']) mode;
CREATE TEMP TABLE whole AS
SELECT mode, customer, window_funnel('1 hour', mode, ts, page = 'a', page IN ('b', 'c'), page = 'b', page IN ('a', 'd')) AS level
FROM mode, funnel_event GROUP BY mode, customer;
SELECT mode, count(*), sum(level), min(level), max(level) FROM whole GROUP BY mode ORDER BY mode;
SELECT count(*) AS different
FROM whole JOIN (
	SELECT mode, customer, pg_temp.funnel_merge(state ORDER BY part DESC) AS level
	FROM (SELECT mode, customer, hashtext(page || ts::text) % 7 AS part,
			pg_temp.funnel_state('1 hour', mode, ts, page = 'a', page IN ('b', 'c'), page = 'b', page IN ('a', 'd') ORDER BY ts DESC) AS state
		FROM mode, funnel_event GROUP BY 1, 2, 3
		UNION ALL
		SELECT mode, customer, 100, NULL FROM mode, generate_series(0, 499) customer) parts
	GROUP BY 1, 2) merged USING (mode, customer)
WHERE whole.level IS DISTINCT FROM merged.level;

-- Parallel workers, each with some of a customer's events.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF)
SELECT customer, window_funnel('1 hour', ts, page = 'a', page = 'b') FROM funnel_event GROUP BY customer;
SELECT count(*) AS different
FROM (SELECT customer, window_funnel('1 hour', 'strict_order', ts, page = 'a', page IN ('b', 'c'), page = 'b', page IN ('a', 'd')) AS level
	FROM funnel_event GROUP BY customer) parallel
JOIN whole USING (customer)
WHERE mode = 'strict_order' AND whole.level <> parallel.level;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- As a window function over a moving frame; the state is asked many times.
SELECT ts, page, window_funnel('15 minutes', ts, page = 'home', page = 'item', page = 'buy') OVER (ORDER BY ts ROWS 2 PRECEDING) AS last_three,
	window_funnel('15 minutes', ts, page = 'home', page = 'item', page = 'buy') OVER (ORDER BY ts) AS so_far
FROM visit WHERE customer = 3 ORDER BY ts;

-- One large group, many small ones.
SELECT window_funnel('1 second', 'strict_increase', timestamptz '2026-01-01' + (i * 7919::bigint % 300007) * interval '1 ms', i % 4 = 0, i % 4 = 1, i % 4 = 2, i % 4 = 3) AS level
FROM generate_series(1, 300000) i;
SET work_mem = '64kB';
SELECT level, count(*) FROM (
	SELECT window_funnel('1 day', timestamptz '2026-01-01' + i * interval '1 s', i % 3 = 0, i % 3 = 1) AS level
	FROM generate_series(0, 59999) i GROUP BY i % 20000) x GROUP BY level ORDER BY level;
RESET work_mem;

-- States from elsewhere: damaged ones are found or harmless.
DO $$
DECLARE
	state bytea;
	bad bytea;
	refused int := 0;
	level int;
BEGIN
	SELECT decode(pg_temp.funnel_state('1 hour', 'strict_once', ts, page = 'a', page = 'b')::text, 'base64') INTO state
	FROM funnel_event WHERE customer = 1;
	FOR i IN 0 .. 79 LOOP
		FOR bit IN 0 .. 7 LOOP
			bad := set_bit(state, i * 8 + bit, 1 - get_bit(state, i * 8 + bit));
			BEGIN
				SELECT pg_temp.funnel_merge(s) INTO level
				FROM (VALUES (NULL::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state)) v (s);
				IF level NOT BETWEEN 0 AND 64 THEN
					RAISE 'level %', level;
				END IF;
			EXCEPTION WHEN data_corrupted OR invalid_text_representation THEN
				refused := refused + 1;
			END;
		END LOOP;
	END LOOP;
	IF refused < 100 THEN
		RAISE 'only % of 640 refused', refused;
	END IF;
	BEGIN
		SELECT pg_temp.funnel_merge(replace(encode(substr(state, 1, 60), 'base64'), E'\n', '')::agg_state) INTO level;
		RAISE 'a state that was cut is taken';
	EXCEPTION WHEN data_corrupted THEN
	END;
END
$$;
DROP TABLE funnel_event;
