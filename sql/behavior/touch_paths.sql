-- touch_paths: paths from timelines.
CREATE TEMP TABLE touch (customer text, ts timestamptz, event text, value float8, attributes jsonb);
INSERT INTO touch VALUES
	('Ann', '2026-06-01 10:00', 'visit', NULL, '{"channel": "store"}'), ('Ann', '2026-06-02 10:00', 'ad', NULL, NULL),
	('Ann', '2026-06-03 10:00', 'call', NULL, NULL), ('Ann', '2026-06-04 10:00', 'order', 120, NULL),
	('Ann', '2026-06-05 10:00', 'visit', NULL, '{"channel": "app"}'), ('Ann', '2026-06-06 10:00', 'order', 30.5, NULL),
	('Ann', '2026-06-07 10:00', 'visit', NULL, '{"channel": "app"}'),
	-- nothing but orders, two of them at one instant
	('Bob', '2026-06-01 10:00', 'order', NULL, NULL), ('Bob', '2026-06-01 10:00', 'order', 5, NULL),
	-- at the lookback, and just beyond it
	('Eve', '2026-06-01 09:59:59.999999', 'ad', NULL, NULL), ('Eve', '2026-06-01 10:00', 'call', NULL, NULL), ('Eve', '2026-06-08 10:00', 'order', 7, NULL),
	-- touches at the instant of the order come before it
	('Li', '2026-06-01 10:00', 'order', 1, NULL), ('Li', '2026-06-01 10:00', 'visit', NULL, '{"channel": "app"}'), ('Li', '2026-06-01 10:00', 'ad', NULL, NULL),
	-- no conversion: back from the last touch
	('Mo', '2026-05-01 10:00', 'ad', NULL, NULL), ('Mo', '2026-06-01 10:00', 'ad', NULL, NULL), ('Mo', '2026-06-02 10:00', 'call', NULL, NULL),
	('No', '2026-05-01 10:00', 'other', NULL, NULL);
CREATE TEMP TABLE line AS SELECT customer, timeline_agg(ts, event, value, attributes) AS t FROM touch GROUP BY customer;

SELECT customer, p.* FROM line, touch_paths(t, '{ad,call,visit[channel=app],visit}', 'order', '7 days') p ORDER BY customer, converted;
-- Without a limit; a conversion that is a touch, too; one that a selector with tests means.
SELECT customer, path FROM line, touch_paths(t, '{ad,call}', 'order', NULL) WHERE customer IN ('Eve', 'Mo');
SELECT customer, path, value FROM line, touch_paths(t, '{ad,order}', 'order[value>=7]', '30 days') WHERE customer IN ('Ann', 'Bob', 'Eve') ORDER BY customer, converted;
SELECT customer, path FROM line, touch_paths(t, '{*}', 'order', '0') WHERE customer IN ('Li', 'Mo');
SELECT count(*) FROM touch_paths(NULL, '{ad}', 'order', '1 day');
-- The selectors may differ from row to row.
SELECT c, path FROM line, unnest('{ad,call,ad}'::text[]) WITH ORDINALITY u (c, n), touch_paths(t, ARRAY[c], 'order', '30 days') WHERE customer = 'Ann' AND conversions = 1 ORDER BY n, converted;
-- Into attribution.
SELECT channel, round(c.conversions::numeric, 9) AS conversions, round(c.value::numeric, 9) AS value
FROM (SELECT attribution('position', path, conversions, non_conversions, value) AS credits
	FROM line, touch_paths(t, '{ad,call,visit[channel=app],visit}', 'order', '7 days')) x, unnest(credits) c;

-- What is refused.
SELECT touch_paths(t, NULL, 'order', '1 day') FROM line;
SELECT touch_paths(t, '{}', 'order', '1 day') FROM line;
SELECT touch_paths(t, '{ad,NULL}', 'order', '1 day') FROM line;
SELECT touch_paths(t, '{ad}', NULL, '1 day') FROM line;
SELECT touch_paths(t, '{ad}', 'order', '1 month') FROM line;
SELECT touch_paths(t, '{ad}', 'order', '-1 day') FROM line;

-- Plain SQL finds the same paths over random histories without events of one instant.
SELECT setseed(0.5);
CREATE TEMP TABLE random_touch AS
SELECT n % 200 AS customer, '2026-01-01'::timestamptz + make_interval(mins => n * 7 + (random() * 6)::int) AS ts,
	(ARRAY['ad', 'call', 'mail', 'order', 'other'])[1 + (random() * 4.999)::int] AS event, n AS value
FROM generate_series(1, 8000) n;
CREATE TEMP TABLE plain AS
WITH numbered AS (
	SELECT *, count(*) FILTER (WHERE event = 'order') OVER (PARTITION BY customer ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS journey
	FROM random_touch),
ended AS (
	SELECT *, coalesce(max(ts) FILTER (WHERE event = 'order') OVER w, max(ts) FILTER (WHERE event IN ('ad', 'call', 'mail')) OVER w) AS until
	FROM numbered WINDOW w AS (PARTITION BY customer, journey))
SELECT customer, coalesce(array_agg(event ORDER BY ts) FILTER (WHERE event IN ('ad', 'call', 'mail') AND ts >= until - interval '5 days'), '{}') AS path,
	count(*) FILTER (WHERE event = 'order')::float8 AS conversions, coalesce(sum(value) FILTER (WHERE event = 'order'), 0)::float8 AS value,
	max(ts) FILTER (WHERE event = 'order') AS converted
FROM ended GROUP BY customer, journey HAVING bool_or(event IN ('ad', 'call', 'mail', 'order'));
CREATE TEMP TABLE found AS
SELECT customer, path, conversions, value, converted
FROM (SELECT customer, timeline_agg(ts, event, value) AS t FROM random_touch GROUP BY customer) x, touch_paths(t, '{ad,call,mail}', 'order', '5 days');
SELECT count(*) > 1500 AS many, (SELECT count(*) FROM (TABLE plain EXCEPT ALL TABLE found) x) AS missing, (SELECT count(*) FROM (TABLE found EXCEPT ALL TABLE plain) x) AS surplus
FROM found;
