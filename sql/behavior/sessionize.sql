-- sessionize: gaps, NULLs, orders, refusals.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE TEMP TABLE click (customer int, second numeric);
INSERT INTO click VALUES (1, 0), (1, 60), (1, 120.000001), (1, 121), (1, 121), (1, 500), (2, 7), (3, NULL), (3, 10), (3, NULL), (3, 300), (4, NULL);
CREATE TEMP VIEW clicks AS SELECT customer, timestamptz '2026-06-01' + second * interval '1 second' AS ts FROM click;

-- Equal to the gap is the same session, a microsecond more is not; a row without time belongs to none.
SELECT customer, ts, sessionize('1 minute', ts) OVER (PARTITION BY customer ORDER BY ts) AS session FROM clicks ORDER BY customer, ts;
-- Backwards, they are numbered from the last.
SELECT customer, ts, sessionize('1 minute', ts) OVER (PARTITION BY customer ORDER BY ts DESC) AS session FROM clicks ORDER BY customer, ts;
-- No gap at all, a day of 24 hours.
SELECT ts, sessionize('0', ts) OVER w AS none, sessionize('1 day', ts) OVER w AS day FROM clicks WHERE customer = 1 WINDOW w AS (ORDER BY ts) ORDER BY ts;
SELECT count(*) FROM (SELECT sessionize('1 minute', ts) OVER (ORDER BY ts) FROM clicks WHERE false) x;

-- Against lag() and a running sum.
SELECT count(*) AS rows, count(*) FILTER (WHERE session IS DISTINCT FROM plain) AS different, max(session) AS most
FROM (
	SELECT customer, sessionize('30 minutes', ts) OVER (PARTITION BY customer ORDER BY ts) AS session,
		1 + sum((gap > interval '30 minutes')::int) OVER (PARTITION BY customer ORDER BY ts ROWS UNBOUNDED PRECEDING) AS plain
	FROM (SELECT customer, ts, coalesce(ts - lag(ts) OVER (PARTITION BY customer ORDER BY ts), '0') AS gap
		FROM (SELECT i % 97 AS customer, timestamptz '2026-01-01' + (hashint4(i) & 65535) * interval '10 seconds' AS ts FROM generate_series(1, 20000) i) e) g) x;

-- What is refused.
SELECT sessionize('1 month', ts) OVER (ORDER BY ts) FROM clicks;
SELECT sessionize('-1 second', ts) OVER (ORDER BY ts) FROM clicks;
SELECT sessionize(NULL, ts) OVER (ORDER BY ts) FROM clicks;
SELECT sessionize(customer * interval '1 s', ts) OVER (ORDER BY ts) FROM clicks;
SELECT sessionize('1 minute', 'infinity') OVER () FROM clicks;
SELECT sessionize('1 minute', ts) OVER (ORDER BY abs(second - 100)) FROM (SELECT second, timestamptz '2026-06-01' + second * interval '1 second' AS ts FROM click) x;
