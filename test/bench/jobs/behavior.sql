--@ job funnel_raw: four-step funnel within 7 days on raw rows, {events} events
--@ ours
SET work_mem = '2GB';
SELECT 'check: ' || string_agg(n::text, ',' ORDER BY level)
FROM (SELECT level, count(*) AS n
	  FROM (SELECT window_funnel('7 days', ts, event = 'view', event = 'add_to_cart', event = 'checkout', event = 'purchase') AS level
			FROM bench_event GROUP BY customer_id) AS f
	  GROUP BY level) AS c;
--@ peer GROUP BY customer_id with a sum, target 2.2
SET work_mem = '2GB';
SELECT count(*), max(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id) AS g;
--@ peer chained window functions, in duckdb
WITH e AS (SELECT customer_id, ts, event FROM event WHERE event IN ('view', 'add_to_cart', 'checkout', 'purchase')),
a AS (SELECT *, max(CASE WHEN event = 'view' THEN ts END) OVER (PARTITION BY customer_id ORDER BY ts) AS t1 FROM e),
b AS (SELECT *, max(CASE WHEN event = 'add_to_cart' AND ts - t1 <= INTERVAL '7 days' THEN t1 END) OVER (PARTITION BY customer_id ORDER BY ts) AS t2 FROM a),
c AS (SELECT *, max(CASE WHEN event = 'checkout' AND ts - t2 <= INTERVAL '7 days' THEN t2 END) OVER (PARTITION BY customer_id ORDER BY ts) AS t3 FROM b),
d AS (SELECT customer_id, max(CASE WHEN event = 'purchase' AND ts - t3 <= INTERVAL '7 days' THEN 4 WHEN event = 'checkout' AND ts - t2 <= INTERVAL '7 days' THEN 3
							   WHEN event = 'add_to_cart' AND ts - t1 <= INTERVAL '7 days' THEN 2 WHEN event = 'view' THEN 1 ELSE 0 END) AS level FROM c GROUP BY 1),
n AS (SELECT level, count(*) AS n FROM (SELECT customer_id, coalesce(level, 0) AS level FROM (SELECT DISTINCT customer_id FROM event) LEFT JOIN d USING (customer_id)) GROUP BY level)
SELECT 'check: ' || string_agg(n::varchar, ',' ORDER BY level) FROM n;
--@ peer windowFunnel over a table sorted by customer, in clickhouse
SELECT concat('check: ', arrayStringConcat(arrayMap(x -> toString(x.2), arraySort(groupArray((level, n)))), ','))
FROM (SELECT level, count() AS n FROM (SELECT customer_id, windowFunnel(604800000000)(toUInt64(toUnixTimestamp64Micro(ts)), event = 'view', event = 'add_to_cart', event = 'checkout', event = 'purchase') AS level
	  FROM event GROUP BY customer_id) GROUP BY level)
