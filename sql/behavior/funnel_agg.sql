-- crm.funnel, funnel_agg, its accessors and funnel_table.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE TEMP TABLE visit (customer int, ts timestamptz, page text, item text);
INSERT INTO visit
SELECT customer, timestamptz '2026-06-01' + minute * interval '1 minute', page, item
FROM (VALUES
	(1, 0, 'home', 'a'), (1, 5, 'item', 'a'), (1, 9, 'buy', 'a'),
	(2, 0, 'home', 'a'), (2, 1, 'help', 'a'), (2, 5, 'item', 'b'), (2, 9, 'buy', 'b'),
	(3, 0, 'home', 'a'), (3, 5, 'item', 'b'), (3, 6, 'home', 'b'), (3, 7, 'item', 'a'), (3, 8, 'buy', 'b'),
	(4, 0, 'home', NULL), (4, 5, 'buy', NULL), (4, 6, 'item', NULL),
	(5, 0, 'home', 'c'), (5, 0, 'item', 'b'), (5, 0, 'buy', 'a'),
	(6, 0, 'home', 'a'), (6, 20, 'item', 'a'), (6, 30, 'buy', 'a'),
	(7, 3, 'buy', 'a'), (7, 2, 'item', 'a'),
	(8, 0, NULL, NULL), (9, NULL, 'home', 'a'),
	(10, 0, 'home', 'a'), (10, 1, 'help', 'b'), (10, 2, 'item', 'a')) v (customer, minute, page, item);

SELECT customer, max_step(f), step_times(f), step_durations(f), f
FROM (SELECT customer, funnel_agg('15 minutes', ts, page = 'home', page = 'item', page = 'buy') AS f FROM visit GROUP BY customer) x
ORDER BY customer;

-- What the options do.
SELECT options, string_agg(format('%s: %s %s', customer, max_step(f), (SELECT string_agg(to_char(t, 'MI'), ',') FROM unnest(step_times(f)) t)), '  ' ORDER BY customer) AS answers
FROM (SELECT options, n, customer, funnel_agg('1 hour', options::jsonb, ts, item, page = 'home', page = 'item', page = 'buy', page = 'help') AS f
	FROM visit, unnest(ARRAY[
		'{"exclude": [{"condition": 4}]}',
		'{"exclude": [{"condition": 4, "between": [2, 3]}]}',
		'{"exclude": [{"condition": 4, "between": [1, 2]}], "max_gap": "5 minutes"}',
		'{"exclude": [{"condition": 4}], "max_gap": ["5 minutes", null]}',
		'{"exclude": [{"condition": 4}], "min_gap": "1 microsecond"}',
		'{"exclude": [{"condition": 4}], "min_gap": ["6 minutes", null], "max_gap": [null, "1 minute"]}',
		'{"exclude": [{"condition": 4}], "hold": true}',
		'{"exclude": [{"condition": 4, "attribute": "any"}], "hold": true}']) WITH ORDINALITY o (options, n)
	GROUP BY options, n, customer) x
GROUP BY options, n ORDER BY n;

-- Neither the earliest nor the latest step 2 leads on: the one between does.
SELECT step_times(funnel_agg('1 hour', '{"min_gap": [null, "10 minutes"], "max_gap": [null, "20 minutes"]}', ts, page = 'a', page = 'b', page = 'c'))
FROM (VALUES (timestamptz '2026-06-01 00:00', 'a'), ('2026-06-01 00:01', 'b'), ('2026-06-01 00:12', 'b'), ('2026-06-01 00:25', 'b'), ('2026-06-01 00:30', 'c')) v (ts, page);

-- Breakdown by the attribute of a step.
SELECT customer, (SELECT string_agg(format('%s=%s', d, coalesce(p.attribute, '-')), ' ' ORDER BY d)
	FROM unnest(ARRAY['"first"', '"last"', '2', '3']) d,
		funnel_paths((SELECT funnel_agg('15 minutes', format('{"breakdown": %s}', d)::jsonb, ts, item, page = 'home', page = 'item', page = 'buy')
			FROM visit v WHERE v.customer = c.customer)) p) AS attributes
FROM (SELECT DISTINCT customer FROM visit) c ORDER BY customer;

-- Of attributes at one instant the least counts, none last.
SELECT p.* FROM funnel_paths((SELECT funnel_agg('0', '{"breakdown": 1}', '2026-06-01', item, true) FROM unnest('{b,NULL,a,ab}'::text[]) item)) p;

-- Calendar periods: of the zone, with its own beginning of the week.
CREATE TEMP TABLE daily AS
SELECT timestamptz '2026-03-26 22:30+00' + i * interval '13 hours' AS ts, substr('abacb', 1 + i % 5, 1) AS page FROM generate_series(0, 30) i;
SELECT o.options, p.* FROM (SELECT options, n, funnel_agg('20 hours', options::jsonb, ts, page = 'a', page = 'b', page = 'c') AS f
	FROM daily, unnest(ARRAY['{"per": "day", "zone": "Asia/Shanghai"}', '{"per": "week"}', '{"per": "week", "week_start": "sunday", "zone": "Europe/Berlin"}',
		'{"per": "month", "zone": "America/New_York"}', '{"per": "quarter"}', '{"per": "year"}']) WITH ORDINALITY x (options, n)
	GROUP BY options, n) o, funnel_paths(f) p ORDER BY n, period;
SELECT max_step(f), step_times(f) FROM (SELECT funnel_agg('20 hours', '{"per": "day"}', ts, page = 'a', page = 'b', page = 'c') AS f FROM daily) x;

-- The table over all.
SELECT t.* FROM (SELECT funnel_table(f) AS rows FROM (
	SELECT funnel_agg('15 minutes', ts, page = 'home', page = 'item', page = 'buy') AS f FROM visit GROUP BY customer) x) y, unnest(rows) t;
SELECT t.* FROM (SELECT funnel_table(f) AS rows FROM (
	SELECT funnel_agg('15 minutes', '{"breakdown": "last"}', ts, item, page = 'home', page = 'item') AS f FROM visit GROUP BY customer) x) y, unnest(rows) t;
SELECT t.period, t.step, t.customers, t.median_time FROM (SELECT funnel_table(f) AS rows FROM (
	SELECT funnel_agg('20 hours', '{"per": "week"}', ts, page = 'a', page = 'b') AS f FROM daily GROUP BY extract(hour FROM ts)::int % 2) x) y, unnest(rows) t;
SELECT funnel_table(f) FROM (SELECT funnel_agg('1 hour', ts, page = 'nowhere', page = 'item') AS f FROM visit) x;
SELECT funnel_table(f) FROM (SELECT funnel_agg('1 hour', '{"per": "day"}', ts, page = 'nowhere', page = 'item') AS f FROM visit) x;
SELECT funnel_table(NULL::crm.funnel), funnel_table(NULL::crm.funnel) FILTER (WHERE false) FROM visit;

-- NULLs and nothing.
SELECT funnel_agg('1 day', ts, true) FROM visit WHERE false;
SELECT max_step(f), step_times(f), step_durations(f), f FROM (SELECT funnel_agg('1 day', ts, NULL::boolean, true) AS f FROM visit) x;
SELECT max_step(NULL), step_times(NULL), step_durations(NULL);

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
SELECT options, pg_temp.try(format('SELECT funnel_agg(''1 day'', %L, ts, item, true, true, false) FROM visit', options))
FROM unnest(ARRAY['{"gap": 1}', '[]', '3', '{"min_gap": 5}', '{"min_gap": "x"}', '{"min_gap": "-1 day"}', '{"max_gap": "1 month"}', '{"max_gap": ["1 day"]}',
	'{"min_gap": "2 days", "max_gap": "1 day"}', '{"exclude": {}}', '{"exclude": [3]}', '{"exclude": [{"between": [1, 2]}]}',
	'{"exclude": [{"condition": 2}]}', '{"exclude": [{"condition": 4}]}', '{"exclude": [{"condition": 1.5}]}', '{"exclude": [{"condition": 3, "between": [1, 3]}]}',
	'{"exclude": [{"condition": 3, "between": [2, 1]}]}', '{"exclude": [{"condition": 3, "between": 1}]}', '{"exclude": [{"condition": 3, "from": 1}]}',
	'{"exclude": [{"condition": 3, "attribute": "any"}]}', '{"hold": true, "exclude": [{"condition": 3, "attribute": "all"}]}',
	'{"exclude": [{"condition": 1}, {"condition": 2}, {"condition": 3}]}',
	'{"hold": 1}', '{"breakdown": 4}', '{"breakdown": "none"}', '{"per": "hour"}', '{"per": 1}', '{"per": "day", "zone": "Mars/Base"}', '{"per": "day", "zone": 8}',
	'{"zone": "UTC"}', '{"per": "day", "week_start": "monday"}', '{"per": "week", "week_start": 1}', NULL]) WITH ORDINALITY o (options, n) ORDER BY n;
SELECT pg_temp.try($$SELECT funnel_agg('1 day', '{"hold": true}', ts, true) FROM visit$$);
SELECT pg_temp.try($$SELECT funnel_agg('1 month', ts, true) FROM visit$$);
SELECT pg_temp.try($$SELECT funnel_agg(NULL, ts, true) FROM visit$$);
SELECT pg_temp.try($$SELECT funnel_agg('1 day', 'infinity', true) FROM visit$$);
SELECT pg_temp.try($$SELECT funnel_agg('1 day', jsonb_build_object('hold', customer = 1), ts, item, true) FROM visit$$);
SELECT pg_temp.try($$SELECT funnel_table(f) FROM unnest(ARRAY['{"steps": 2, "paths": []}', '{"steps": 3, "paths": []}']::crm.funnel[]) f$$);
SELECT pg_temp.try($$SELECT funnel_table(f) FROM unnest(ARRAY['{"steps": 2, "paths": []}', '{"steps": 2, "by": ["period"], "paths": []}']::crm.funnel[]) f$$);

-- The text form: what is read is what was written.
SELECT text, pg_temp.try(format('SELECT %L::crm.funnel', text)) AS answer
FROM unnest(ARRAY['{"steps": 2, "paths": [{"times": ["2026-06-01T10:00:00+00:00"]}]}', '', '[]', '{}', '{"steps": 0, "paths": []}', '{"steps": 65, "paths": []}',
	'{"steps": 1.5, "paths": []}', '{"steps": 2}', '{"steps": 2, "paths": [], "more": 1}', '{"steps": 2, "paths": [{}]}', '{"steps": 2, "paths": [{"times": []}]}',
	'{"steps": 1, "paths": [{"times": ["2026-06-01", "2026-06-02"]}]}', '{"steps": 2, "paths": [{"times": ["2026-06-02", "2026-06-01"]}]}',
	'{"steps": 2, "paths": [{"times": ["infinity"]}]}', '{"steps": 2, "paths": [{"times": [1]}]}', '{"steps": 2, "paths": [{"times": ["2026-06-01"], "period": "2026-06-01"}]}',
	'{"steps": 2, "by": ["period"], "paths": [{"times": ["2026-06-01"]}]}', '{"steps": 2, "by": ["week"], "paths": []}', '{"steps": 2, "by": "period", "paths": []}',
	'{"steps": 2, "by": ["attribute"], "paths": [{"times": ["2026-06-01"], "attribute": 5}]}',
	'{"steps": 2, "paths": [{"times": ["2026-06-01"]}, {"times": ["2026-06-02"]}]}',
	'{"steps": 2, "by": ["period"], "paths": [{"period": "2026-06-01", "times": ["2026-06-01"]}, {"period": "2026-06-01", "times": ["2026-06-02"]}]}',
	'{"steps": 2, "paths": [{"times": ["2026-06-01"], "more": 1}]}']) WITH ORDINALITY t (text, n) ORDER BY n;
SELECT '{"paths":[{"attribute":"\"顾客\"","period":"2026-06-01 00:00+08","times":["0044-03-15 12:00:00.000001 BC","294276-12-31 23:59:59.999999"]}],"by":["attribute","period"],"steps":2}'::crm.funnel;

SELECT f::text = f::text::crm.funnel::text AS same FROM (VALUES ('{"steps": 2, "paths": [{"times": ["4713-01-01 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00"]}]}'::crm.funnel)) v (f);

-- Many customers: equal to window_funnel, and to plain SQL; whole = merge of parts; parallel = serial; round trips.
CREATE TABLE funnel_visit AS
SELECT i % 400 AS customer, timestamptz '2026-01-01' + (hashint4(i) & 65535) * interval '1 minute' AS ts,
	substr('abcde', 1 + (hashint4(i * 7) & 2147483647) % 5, 1) AS page, (hashint4(i * 3) & 2147483647) % 3 AS item
FROM generate_series(1, 20000) i;
ALTER TABLE funnel_visit SET (parallel_workers = 2);
ANALYZE funnel_visit;
SELECT count(*) FILTER (WHERE answer <> level OR later <> increasing) AS different, sum(level) AS levels, sum(later) AS levels_later
FROM (SELECT customer, max_step(funnel_agg('2 days', ts, page = 'a', page = 'b', page = 'c', page IN ('c', 'd'))) AS answer,
		window_funnel('2 days', ts, page = 'a', page = 'b', page = 'c', page IN ('c', 'd')) AS level,
		max_step(funnel_agg('2 days', '{"min_gap": "1 microsecond"}', ts, page = 'a', page = 'b', page = 'c', page = 'd')) AS later,
		window_funnel('2 days', 'strict_increase', ts, page = 'a', page = 'b', page = 'c', page = 'd') AS increasing
	FROM funnel_visit GROUP BY customer) x;
WITH pair AS (
	SELECT a.customer, a.item, date_trunc('week', a.ts, 'Asia/Shanghai') AS week, a.ts AS first, b.ts AS second
	FROM funnel_visit a LEFT JOIN funnel_visit b ON b.customer = a.customer AND b.item = a.item AND b.page = 'b' AND b.ts BETWEEN a.ts + interval '1 hour' AND a.ts + interval '12 hours'
		AND NOT EXISTS (SELECT FROM funnel_visit x WHERE x.customer = a.customer AND x.item = a.item AND x.page = 'e' AND x.ts > a.ts AND x.ts < b.ts)
	WHERE a.page = 'a'),
best AS (SELECT DISTINCT ON (customer, week) customer, week, item, first, second FROM pair ORDER BY customer, week, second IS NULL, first, second, item),
plain AS (SELECT week AS period, item::text AS attribute, count(*) AS first, count(second) AS second,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM second - best.first)) AS median, avg(extract(epoch FROM second - best.first)) AS mean
	FROM best GROUP BY 1, 2),
ours AS (SELECT t.* FROM (SELECT funnel_table(f) AS rows FROM (
	SELECT funnel_agg('1 day', '{"per": "week", "zone": "Asia/Shanghai", "hold": true, "breakdown": 1, "min_gap": "1 hour", "max_gap": "12 hours", "exclude": [{"condition": 3}]}',
		ts, item::text, page = 'a', page = 'b', page = 'e') AS f
	FROM funnel_visit GROUP BY customer) x) y, unnest(rows) t)
SELECT count(*) AS compared, count(*) FILTER (WHERE plain.first IS DISTINCT FROM one.customers OR plain.second IS DISTINCT FROM two.customers
	OR two.from_first IS DISTINCT FROM plain.second::float8 / plain.first
	OR abs(extract(epoch FROM two.median_time) - plain.median) > 1e-5 OR abs(extract(epoch FROM two.mean_from_first) - plain.mean) > 1e-5) AS different
FROM plain FULL JOIN (SELECT * FROM ours WHERE step = 1) one USING (period, attribute) FULL JOIN (SELECT * FROM ours WHERE step = 2) two USING (period, attribute);

CREATE AGGREGATE pg_temp.funnel_state(interval, jsonb, timestamptz, text, VARIADIC boolean[]) (SFUNC = funnel_agg_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.funnel_merge(agg_state) (SFUNC = funnel_agg_combinefn, STYPE = agg_state, FINALFUNC = funnel_agg_finalfn);
CREATE AGGREGATE pg_temp.table_state(crm.funnel) (SFUNC = funnel_table_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.table_merge(agg_state) (SFUNC = funnel_table_combinefn, STYPE = agg_state, FINALFUNC = funnel_table_finalfn);
CREATE TABLE funnel_whole AS
SELECT customer, funnel_agg('1 day', '{"per": "month", "hold": true, "breakdown": "last", "exclude": [{"condition": 4}]}', ts, item::text, page = 'a', page = 'b', page = 'c', page = 'e') AS f
FROM funnel_visit GROUP BY customer;
SELECT count(*) AS different
FROM funnel_whole whole LEFT JOIN (
	SELECT customer, pg_temp.funnel_merge(state ORDER BY part DESC) AS f
	FROM (SELECT customer, hashtext(page || ts::text) % 5 AS part,
			pg_temp.funnel_state('1 day', '{"per": "month", "hold": true, "breakdown": "last", "exclude": [{"condition": 4}]}', ts, item::text, page = 'a', page = 'b', page = 'c', page = 'e' ORDER BY ts DESC) AS state
		FROM funnel_visit GROUP BY 1, 2
		UNION ALL SELECT customer, 100, NULL FROM funnel_whole) parts
	GROUP BY 1) merged USING (customer)
WHERE whole.f::text IS DISTINCT FROM merged.f::text OR whole.f::text::crm.funnel::text <> whole.f::text;
SELECT (SELECT funnel_table(f ORDER BY customer) FROM funnel_whole)::text = pg_temp.table_merge(state ORDER BY part)::text AS table_merges
FROM (SELECT customer % 7 AS part, pg_temp.table_state(f ORDER BY customer DESC) AS state FROM funnel_whole GROUP BY 1
	UNION ALL SELECT 100, NULL) x;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF)
SELECT customer, funnel_agg('1 day', ts, page = 'a', page = 'b') FROM funnel_visit GROUP BY customer;
SELECT count(*) AS different
FROM (SELECT customer, funnel_agg('1 day', '{"per": "month", "hold": true, "breakdown": "last", "exclude": [{"condition": 4}]}', ts, item::text, page = 'a', page = 'b', page = 'c', page = 'e') AS f
	FROM funnel_visit GROUP BY customer) parallel JOIN funnel_whole whole USING (customer) WHERE whole.f::text <> parallel.f::text;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- As a window function.
SELECT ts, page, max_step(funnel_agg('1 hour', ts, page = 'home', page = 'item', page = 'buy') OVER (ORDER BY ts ROWS 1 PRECEDING)) AS last_two
FROM visit WHERE customer = 1 ORDER BY ts;

-- Damaged states and values are found or harmless.
DO $$
DECLARE
	state bytea;
	bad bytea;
	refused int := 0;
	answer text;
BEGIN
	SELECT decode(pg_temp.funnel_state('1 day', '{"per": "month", "breakdown": "last", "exclude": [{"condition": 3}]}', ts, item::text, page = 'a', page = 'b', page = 'e')::text, 'base64') INTO state
	FROM funnel_visit WHERE customer = 1;
	FOR bit IN 0 .. 1599 LOOP
		bad := set_bit(state, bit, 1 - get_bit(state, bit));
		BEGIN
			SELECT pg_temp.funnel_merge(s) INTO answer
			FROM (VALUES (NULL::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state)) v (s);
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR invalid_parameter_value OR character_not_in_repertoire OR datetime_field_overflow THEN
			refused := refused + 1;
		END;
	END LOOP;
	IF refused < 300 THEN
		RAISE 'only % of 1600 refused', refused;
	END IF;
	refused := 0;
	SELECT decode(pg_temp.table_state(f)::text, 'base64') INTO state FROM funnel_whole WHERE customer < 5;
	FOR bit IN 0 .. 999 LOOP
		bad := set_bit(state, bit, 1 - get_bit(state, bit));
		BEGIN
			SELECT pg_temp.table_merge(s) INTO answer
			FROM (VALUES (NULL::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state)) v (s);
		EXCEPTION WHEN data_corrupted OR invalid_text_representation THEN
			refused := refused + 1;
		END;
	END LOOP;
	IF refused < 100 THEN
		RAISE 'only % of 1000 refused', refused;
	END IF;
END
$$;
DROP TABLE funnel_visit, funnel_whole;
