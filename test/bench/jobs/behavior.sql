--@ job funnel_raw: four-step funnel within 7 days on the rows of {events} events
--@ ours
SET work_mem = '2GB';
SET jit = off;
SELECT 'check: ' || string_agg(n::text, ',' ORDER BY level)
FROM (SELECT level, count(*) AS n
	  FROM (SELECT window_funnel('7 days', ts, event = 'view', event = 'add_to_cart', event = 'checkout', event = 'purchase') AS level
			FROM bench_event GROUP BY customer_id) AS f
	  WHERE level > 0 GROUP BY level) AS c;
--@ peer GROUP BY customer_id with a sum, target 2.2, growth
SET work_mem = '2GB';
SET jit = off;
SELECT count(*), max(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id) AS g;

--@ job funnel_query: the same through timelines(query)
--@ ours
SET jit = off;
SELECT 'check: ' || string_agg(n::text, ',' ORDER BY level)
FROM (SELECT window_funnel(timeline, '7 days', '{view,add_to_cart,checkout,purchase}') AS level, count(*) AS n FROM crm.timelines($$SELECT customer_id, ts, event FROM public.bench_event$$) GROUP BY 1) AS c
WHERE level > 0;
--@ peer GROUP BY customer_id with a sum, target 0.5
SET work_mem = '2GB';
SET jit = off;
SELECT count(*), max(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id) AS g;

--@ job timelines_build: timelines of {events} events into a table
--@ before ours
DROP TABLE IF EXISTS bench_timeline;
--@ ours
CREATE TABLE bench_timeline AS SELECT * FROM crm.timelines($$SELECT customer_id, ts, event FROM public.bench_event$$);
--@ peer GROUP BY customer_id with a sum, target 0.6
SET work_mem = '2GB';
SET jit = off;
SELECT count(*), max(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id) AS g;

--@ figure timeline_bytes: bytes of an event without value, target 6
--@ setup
DROP TABLE IF EXISTS bench_timeline;
CREATE TABLE bench_timeline AS SELECT * FROM crm.timelines('SELECT customer_id, ts, event FROM public.bench_event');
VACUUM (ANALYZE, FREEZE) bench_timeline;
--@ ours
SELECT sum(pg_column_size(timeline))::float8 / sum(event_count(timeline)) FROM bench_timeline;

--@ figure timeline_bytes_ms: the same with times in milliseconds, target 6
--@ ours
SELECT sum(pg_column_size(timeline))::float8 / sum(event_count(timeline))
FROM crm.timelines($$SELECT customer_id, date_trunc('milliseconds', ts), event FROM public.bench_event$$);

--@ figure timeline_bytes_own: the same with names that the format does not know, target 6
--@ ours
SELECT sum(pg_column_size(timeline))::float8 / sum(event_count(timeline))
FROM crm.timelines($$SELECT customer_id, ts, 'x' || event FROM public.bench_event$$);

--@ job funnel_stored: four-step funnel within 7 days on stored timelines
--@ setup
DROP TABLE IF EXISTS bench_timeline;
CREATE TABLE bench_timeline AS SELECT * FROM crm.timelines('SELECT customer_id, ts, event FROM public.bench_event');
VACUUM (ANALYZE, FREEZE) bench_timeline;
--@ ours
SELECT 'check: ' || string_agg(n::text, ',' ORDER BY level)
FROM (SELECT window_funnel(timeline, '7 days', '{view,add_to_cart,checkout,purchase}') AS level, count(*) AS n FROM bench_timeline GROUP BY 1) AS c
WHERE level > 0;
--@ peer plain SQL, target 0.02
SET work_mem = '2GB';
SET jit = off;
WITH e AS (SELECT customer_id, ts, event FROM bench_event WHERE event IN ('view', 'add_to_cart', 'checkout', 'purchase')),
a AS (SELECT *, max(ts) FILTER (WHERE event = 'view') OVER (PARTITION BY customer_id ORDER BY ts) AS t1 FROM e),
b AS (SELECT *, max(t1) FILTER (WHERE event = 'add_to_cart' AND ts - t1 <= INTERVAL '7 days') OVER (PARTITION BY customer_id ORDER BY ts) AS t2 FROM a),
c AS (SELECT *, max(t2) FILTER (WHERE event = 'checkout' AND ts - t2 <= INTERVAL '7 days') OVER (PARTITION BY customer_id ORDER BY ts) AS t3 FROM b),
d AS (SELECT customer_id, max(CASE WHEN event = 'purchase' AND ts - t3 <= INTERVAL '7 days' THEN 4 WHEN event = 'checkout' AND ts - t2 <= INTERVAL '7 days' THEN 3
							   WHEN event = 'add_to_cart' AND ts - t1 <= INTERVAL '7 days' THEN 2 WHEN event = 'view' THEN 1 ELSE 0 END) AS level FROM c GROUP BY 1),
n AS (SELECT level, count(*) AS n FROM d WHERE level > 0 GROUP BY level)
SELECT 'check: ' || string_agg(n::text, ',' ORDER BY level) FROM n;
--@ peer chained window functions, target 0.05, in duckdb
WITH e AS (SELECT customer_id, ts, event FROM event WHERE event IN ('view', 'add_to_cart', 'checkout', 'purchase')),
a AS (SELECT *, max(CASE WHEN event = 'view' THEN ts END) OVER (PARTITION BY customer_id ORDER BY ts) AS t1 FROM e),
b AS (SELECT *, max(CASE WHEN event = 'add_to_cart' AND ts - t1 <= INTERVAL '7 days' THEN t1 END) OVER (PARTITION BY customer_id ORDER BY ts) AS t2 FROM a),
c AS (SELECT *, max(CASE WHEN event = 'checkout' AND ts - t2 <= INTERVAL '7 days' THEN t2 END) OVER (PARTITION BY customer_id ORDER BY ts) AS t3 FROM b),
d AS (SELECT customer_id, max(CASE WHEN event = 'purchase' AND ts - t3 <= INTERVAL '7 days' THEN 4 WHEN event = 'checkout' AND ts - t2 <= INTERVAL '7 days' THEN 3
							   WHEN event = 'add_to_cart' AND ts - t1 <= INTERVAL '7 days' THEN 2 WHEN event = 'view' THEN 1 ELSE 0 END) AS level FROM c GROUP BY 1),
n AS (SELECT level, count(*) AS n FROM d WHERE level > 0 GROUP BY level)
SELECT 'check: ' || string_agg(n::varchar, ',' ORDER BY level) FROM n;
--@ peer windowFunnel over a table sorted by customer, target 0.25, in clickhouse
SELECT concat('check: ', arrayStringConcat(arrayMap(x -> toString(x.2), arraySort(groupArray((level, n)))), ','))
FROM (SELECT level, count() AS n FROM (SELECT customer_id, windowFunnel(604800000000)(toUInt64(toUnixTimestamp64Micro(ts)), event = 'view', event = 'add_to_cart', event = 'checkout', event = 'purchase') AS level
	  FROM event WHERE event IN ('view', 'add_to_cart', 'checkout', 'purchase') GROUP BY customer_id) WHERE level > 0 GROUP BY level)

--@ job sessions_stored: sessions with a gap of 30 minutes, counted on stored timelines
--@ ours
SELECT 'check: ' || sum(session_count(timeline, '30 minutes')) FROM bench_timeline;
--@ peer lag(), target 0.1, in duckdb
SELECT 'check: ' || count(*) FILTER (WHERE gap IS NULL OR gap > INTERVAL '30 minutes') FROM (SELECT ts - lag(ts) OVER (PARTITION BY customer_id ORDER BY ts) AS gap FROM event);
--@ peer lagInFrame() over a table sorted by customer, target 0.1, in clickhouse
SELECT concat('check: ', toString(countIf(before = toDateTime64(0, 6, 'UTC') OR toUnixTimestamp64Micro(ts) - toUnixTimestamp64Micro(before) > 1800000000)))
FROM (SELECT ts, lagInFrame(ts) OVER (PARTITION BY customer_id ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before FROM event)
--@ peer lag() in plain SQL
SET work_mem = '2GB';
SET jit = off;
SELECT 'check: ' || count(*) FILTER (WHERE gap IS NULL OR gap > INTERVAL '30 minutes') FROM (SELECT ts - lag(ts) OVER (PARTITION BY customer_id ORDER BY ts) AS gap FROM bench_event) AS g;

--@ job funnel_stored_workers: four-step funnel on stored timelines, two workers
--@ ours
SET max_parallel_workers_per_gather = 2;
SELECT 'check: ' || string_agg(n::text, ',' ORDER BY level)
FROM (SELECT window_funnel(timeline, '7 days', '{view,add_to_cart,checkout,purchase}') AS level, count(*) AS n FROM bench_timeline GROUP BY 1) AS c
WHERE level > 0;
--@ peer one process, wall, target 0.65
SET max_parallel_workers_per_gather = 0;
SELECT 'check: ' || string_agg(n::text, ',' ORDER BY level)
FROM (SELECT window_funnel(timeline, '7 days', '{view,add_to_cart,checkout,purchase}') AS level, count(*) AS n FROM bench_timeline GROUP BY 1) AS c
WHERE level > 0;

--@ job funnel_groups_1: window_funnel on rows in 1 group
--@ ours
SET work_mem = '2GB';
SET jit = off;
SELECT sum(level) FROM (SELECT window_funnel('7 days', ts, event = 'view', event = 'purchase') AS level FROM bench_event) AS f;
--@ peer sum(float8) with the same groups, target 2.2
SET work_mem = '2GB';
SET jit = off;
SELECT sum(s) FROM (SELECT sum(value) AS s FROM bench_event) AS g;

--@ job funnel_groups_1000: window_funnel on rows in 1,000 groups
--@ ours
SET work_mem = '2GB';
SET jit = off;
SELECT sum(level) FROM (SELECT window_funnel('7 days', ts, event = 'view', event = 'purchase') AS level FROM bench_event GROUP BY customer_id % 1000) AS f;
--@ peer sum(float8) with the same groups, target 2.2
SET work_mem = '2GB';
SET jit = off;
SELECT sum(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id % 1000) AS g;

--@ job funnel_groups_100000: window_funnel on rows in 100,000 groups
--@ ours
SET work_mem = '2GB';
SET jit = off;
SELECT sum(level) FROM (SELECT window_funnel('7 days', ts, event = 'view', event = 'purchase') AS level FROM bench_event GROUP BY customer_id % 100000) AS f;
--@ peer sum(float8) with the same groups, target 2.2, growth
SET work_mem = '2GB';
SET jit = off;
SELECT sum(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id % 100000) AS g;

--@ job retention_stored: weekly retention on stored timelines
--@ ours
SELECT 'check: ' || sum(customers)::bigint FROM unnest((SELECT retention_table(activity(timeline, 'week')) FROM bench_timeline)) AS r;
--@ peer distinct weeks joined to first weeks, target 0.1, in duckdb
WITH a AS (SELECT DISTINCT customer_id, date_trunc('week', ts) AS w FROM event), f AS (SELECT customer_id, min(w) AS c FROM a GROUP BY 1),
t AS (SELECT c, datediff('week', c, w) AS k, count(*) AS n FROM a JOIN f USING (customer_id) GROUP BY 1, 2)
SELECT 'check: ' || sum(n)::bigint FROM t;
--@ peer the same in plain SQL
SET work_mem = '2GB';
SET jit = off;
WITH a AS (SELECT DISTINCT customer_id, date_trunc('week', ts) AS w FROM bench_event), f AS (SELECT customer_id, min(w) AS c FROM a GROUP BY 1),
t AS (SELECT c, (extract(epoch FROM w - c) / 604800)::int AS k, count(*) AS n FROM a JOIN f USING (customer_id) GROUP BY 1, 2)
SELECT 'check: ' || sum(n)::bigint FROM t;
