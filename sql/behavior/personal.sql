-- One customer's ways: decayed sums, habits, rhythm, preferences, trend; each against SQL over the events as rows.
SET search_path = crm, public;
SET timezone = 'UTC';

-- Customers with none to some hundred events over three years, values missing and negative, attributes of all kinds.
CREATE TABLE ways AS
SELECT c AS customer, (SELECT timeline_agg(ts, event, value, attributes) FROM
	(SELECT timestamptz '2023-02-11 05:00Z' + make_interval(secs => (hashint8(c * 1000 + i)::bigint + 2147483648) % (CASE WHEN c % 6 = 0 THEN 30 WHEN c % 6 = 1 THEN 300 ELSE 1000 END * 86400)
			- CASE WHEN c % 7 = 3 THEN hashint8(c * 1000 + i) % 600 ELSE 0 END) AS ts,
		CASE WHEN hashint4(i * 7 + c) % 3 = 0 THEN 'view' ELSE 'order' END AS event,
		CASE WHEN hashint4(i + c) % 5 <> 0 THEN (hashint4(i * 31 + c) % 10000) / 100.0 + 60 END AS value,
		CASE (hashint4(i * 13 + c) & 7) WHEN 0 THEN NULL WHEN 1 THEN '{"category": null}' WHEN 2 THEN '{"category": 1}' WHEN 3 THEN '{"category": "1"}'
			WHEN 4 THEN '{"category": true}' WHEN 5 THEN '{"other": 1}' ELSE jsonb_build_object('category', (ARRAY['书', 'toys', 'food'])[1 + (i + c) % 3]) END AS attributes
	FROM generate_series(1, CASE WHEN c < 10 THEN c ELSE c * 5 END) i) e) AS t
FROM generate_series(0, 59) c;
CREATE TABLE way_events AS SELECT customer, e.* FROM ways, events(t) e;
CREATE INDEX ON way_events (customer);
ANALYZE ways, way_events;
CREATE FUNCTION pg_temp.close(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS
	$$ SELECT a IS NULL AND b IS NULL OR coalesce(abs(a - b) <= 1e-9 * greatest(1, abs(a), abs(b)), false) $$;
CREATE TABLE moments (as_of timestamptz);
INSERT INTO moments VALUES ('2022-01-01Z'), ('2023-03-01 12:34:56.789Z'), ('2024-07-01Z'), ('2026-01-01 00:00Z');
SELECT count(*) AS events, count(*) FILTER (WHERE value < 0) > 0 AS negative, count(DISTINCT attributes) AS attributes FROM way_events;

-- decayed_sum, decayed_count
SELECT count(*) AS compared, count(*) FILTER (WHERE s <> 0) > 100 AS some, bool_and(pg_temp.close(s, es)) AS sums, bool_and(pg_temp.close(n, en)) AS counts
FROM ways w, moments m, (VALUES ('order'), ('view'), (NULL), ('order[category=toys]')) k(kind), (VALUES (interval '30 days'), ('12 hours'), ('1000 days 1 second')) l(half_life),
	LATERAL (SELECT decayed_sum(w.t, half_life, kind, as_of) AS s, decayed_count(w.t, half_life, kind, as_of) AS n) f,
	LATERAL (SELECT coalesce(sum(value * weight), 0) AS es, coalesce(sum(weight), 0) AS en
		FROM (SELECT value, power(0.5::float8, greatest(-1000, -extract(epoch FROM as_of - ts) / extract(epoch FROM half_life))::float8 * -1) AS weight
			FROM way_events e WHERE e.customer = w.customer AND e.ts < as_of
				AND CASE kind WHEN 'order[category=toys]' THEN event = 'order' AND attributes ->> 'category' = 'toys' ELSE event = kind OR kind IS NULL END) x) b;
SELECT decayed_sum(t, '1 day', as_of => '2026-06-02Z') AS half, decayed_sum(t, '1 day', 'a', '2026-06-01 00:00:00.000001Z') AS whole, decayed_sum(t, '1 day', as_of => '2026-06-01Z') AS not_yet,
	decayed_sum(t, '1 day', 'b', '2026-06-02Z') AS none, decayed_count(t, '1 day', as_of => '2026-06-02Z') AS counted, decayed_sum('[]', '1 day') AS empty, decayed_sum(NULL, '1 day') AS null
FROM (VALUES ('[["2026-06-01T00:00:00Z","a",8],["2026-06-01T00:00:00Z","a"],["2026-07-01T00:00:00Z","a",1]]'::timeline)) v(t);
SELECT decayed_sum(t, '1 microsecond', as_of => '2026-06-02Z') AS faded FROM (VALUES ('[["2026-06-01T00:00:00Z","a",8]]'::timeline)) v(t);
SELECT decayed_sum('[]', '0');
SELECT decayed_sum('[]', '1 month');
SELECT decayed_sum('[]', '-1 day');
SELECT decayed_sum('[]', NULL);
SELECT decayed_sum('[]', '1 day', as_of => NULL);
SELECT decayed_sum('[]', '1 day', as_of => 'infinity');
SELECT decayed_sum('[["2026-06-01T00:00:00Z","a",1.7e308],["2026-06-01T00:00:00Z","a",1.7e308]]', '1000 days', as_of => '2026-06-01 00:01Z');

-- habit
SELECT count(*) AS differ FROM (
	SELECT customer, zone, h.* FROM ways, (VALUES ('UTC'), ('Asia/Shanghai'), ('America/New_York'), ('Asia/Kolkata')) z(zone), habit(t, 'order', '2023-03-01Z', '2025-06-01Z', zone) h
	EXCEPT
	SELECT customer, zone, extract(isodow FROM ts AT TIME ZONE zone)::int, extract(hour FROM ts AT TIME ZONE zone)::int, count(*), count(*)::float8 / sum(count(*)) OVER (PARTITION BY customer, zone)::float8
	FROM way_events, (VALUES ('UTC'), ('Asia/Shanghai'), ('America/New_York'), ('Asia/Kolkata')) z(zone)
	WHERE event = 'order' AND ts >= '2023-03-01Z' AND ts < '2025-06-01Z' GROUP BY 1, 2, 3, 4) x;
SELECT count(*) AS cells, sum(events) = (SELECT count(*) FROM way_events) AS all_events FROM ways, habit(t);
SELECT count(*) AS compared, count(hour) AS there, bool_and(hour IS NOT DISTINCT FROM (SELECT extract(hour FROM ts AT TIME ZONE 'Asia/Kolkata')::int AS h FROM way_events e WHERE e.customer = w.customer GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)) AS hours,
	bool_and(weekday IS NOT DISTINCT FROM (SELECT extract(isodow FROM ts AT TIME ZONE 'Asia/Kolkata')::int AS d FROM way_events e WHERE e.customer = w.customer GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)) AS weekdays
FROM ways w, LATERAL (SELECT habit_hour(t, zone => 'Asia/Kolkata') AS hour, habit_weekday(t, zone => 'Asia/Kolkata') AS weekday) f;
SELECT * FROM habit('[["2026-06-01T22:30:00Z","a"],["2026-06-01T22:31:00Z","b"],["2026-06-07T10:00:00Z","a"]]', zone => 'Asia/Shanghai');
SELECT * FROM habit('[]');
SELECT * FROM habit(NULL);
SELECT habit_hour('[]'), habit_weekday('[]'), habit_hour(NULL), habit_weekday(NULL);
SELECT habit_hour('[]', zone => 'Nowhere');
SELECT habit_weekday('[]', zone => NULL);
SELECT * FROM habit('[]', 'order[');

-- rhythm, overdue
SELECT count(*) AS compared, count(r.median_gap) AS medians, count(r.overdue_at) AS overdues,
	bool_and(r.occasions = b.occasions AND r.last_at IS NOT DISTINCT FROM b.last_at) AS occasions,
	bool_and(pg_temp.close(extract(epoch FROM r.median_gap)::float8, b.median / 1e6)) AS medians_agree,
	bool_and(pg_temp.close(extract(epoch FROM r.spread)::float8, CASE WHEN b.occasions > 2 THEN b.spread / 1e6 END)) AS spreads_agree,
	bool_and(r.expected_at IS NOT DISTINCT FROM r.last_at + r.median_gap) AS expected,
	bool_and(pg_temp.close(extract(epoch FROM r.overdue_at - r.last_at)::float8, CASE WHEN b.occasions > 3 THEN (b.median + greatest(3 * b.spread, b.median / 2)) / 1e6 END)) AS overdue_agree,
	bool_and(o IS NOT DISTINCT FROM as_of > r.overdue_at) AS overdue, count(*) FILTER (WHERE o) > 10 AS some_overdue, count(*) FILTER (WHERE NOT o) > 10 AS some_not
FROM ways w, moments m, (VALUES (interval '0'), ('3 days'), ('10 minutes')) l(occasion),
	LATERAL rhythm(w.t, 'order', as_of, occasion) r,
	LATERAL overdue(w.t, 'order', as_of, occasion) o,
	LATERAL (WITH starts AS (
			SELECT ts, extract(epoch FROM ts - lag(ts) OVER (ORDER BY ts)) * 1000000 AS gap FROM (
				SELECT ts, ts - lag(ts) OVER (ORDER BY ts) AS since FROM way_events e WHERE e.customer = w.customer AND event = 'order' AND ts < as_of) s
			WHERE since IS NULL OR since > occasion),
		middle AS (SELECT floor(percentile_cont(0.5) WITHIN GROUP (ORDER BY gap)) AS median FROM starts)
		SELECT (SELECT count(*) FROM starts) AS occasions, (SELECT max(ts) FROM starts) AS last_at, median,
			(SELECT round(1.4826 * floor(percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(gap - median)))) FROM starts WHERE gap IS NOT NULL) AS spread FROM middle) b;
SELECT r.* FROM rhythm('[["2026-01-01T00:00:00Z","a"],["2026-01-08T00:00:00Z","a"],["2026-01-15T00:00:00Z","a"],["2026-01-15T00:00:01Z","a"],["2026-01-22T12:00:00Z","a"],["2026-06-01T00:00:00Z","a"]]',
	'a', '2026-02-01Z', '1 hour') r;
SELECT n, rhythm(t, as_of => '2026-02-01Z'), overdue(t, as_of => '2026-02-01Z')
FROM (VALUES (0, '[]'::timeline), (1, '[["2026-01-01T00:00:00Z","a"]]'), (2, '[["2026-01-01T00:00:00Z","a"],["2026-01-03T00:00:00Z","a"]]'),
	(3, '[["2026-01-01T00:00:00Z","a"],["2026-01-03T00:00:00Z","a"],["2026-01-06T00:00:00Z","a"]]'), (4, '[["2026-01-01T00:00:00Z","a"],["2026-01-03T00:00:00Z","a"],["2026-01-06T00:00:00Z","a"],["2026-01-07T00:00:00Z","a"]]'),
	(5, NULL)) v(n, t) ORDER BY n;
-- Overdue from the next microsecond on.
SELECT overdue_at, overdue(t, as_of => '2026-01-23 12:00Z') AS not_yet, overdue(t, as_of => '2026-01-23 12:00:00.000001Z') AS now
FROM (VALUES ('[["2026-01-01T12:00:00Z","a"],["2026-01-06T12:00:00Z","a"],["2026-01-11T00:00:00Z","a"],["2026-01-16T00:00:00Z","a"]]'::timeline)) v(t), LATERAL rhythm(t, as_of => '2026-02-01Z') r;
SELECT rhythm('[["4714-11-24T00:00:00Z BC","a"],["294276-12-31T23:59:59Z","a"]]', as_of => '294276-12-31 23:59:59.5Z');
SELECT rhythm('[]', as_of => NULL);
SELECT rhythm('[]', occasion => '-1 day');
SELECT overdue('[]', occasion => NULL);

-- preferred, preferences
SELECT count(*) AS compared, bool_and(f.ranks IS NOT DISTINCT FROM b.ranks) AS ranks, bool_and(f.first IS NOT DISTINCT FROM f.ranks[1]) AS first, bool_and(coalesce(b.close, true)) AS shares, count(f.first) > 300 AS some
FROM ways w, moments m, (VALUES (NULL::interval), ('45 days')) l(half_life),
	(VALUES (NULL::jsonb, 5::float8), ('{"food": 30, "toys": 10, "rare": 0, "true": 60}', 5), ('{"toys": 0.5, "1": 0.5}', 0), ('{"toys": 0.5, "1": 0.5}', 100.5)) p(prior, strength),
	LATERAL (SELECT array_agg(value ORDER BY n) AS ranks, array_agg(share ORDER BY n) AS shares, preferred(w.t, 'category', 'order', half_life, prior, strength, as_of) AS first
		FROM preferences(w.t, 'category', 'order', 4, half_life, prior, strength, as_of) WITH ORDINALITY q(value, share, weight, events, n)) f,
	LATERAL (WITH own AS (
			SELECT attributes ->> 'category' AS value, sum(CASE WHEN half_life IS NULL THEN 1 ELSE power(0.5::float8, (extract(epoch FROM as_of - ts) / extract(epoch FROM half_life))::float8) END) AS weight
			FROM way_events e WHERE e.customer = w.customer AND event = 'order' AND ts < as_of AND attributes ->> 'category' IS NOT NULL GROUP BY 1),
		usual AS (SELECT key AS value, value::float8 / sum(value::float8) OVER () AS share FROM jsonb_each_text(prior)),
		shares AS (SELECT value, (coalesce(o.weight, 0) + CASE WHEN prior IS NULL THEN 0 ELSE strength * coalesce(u.share, 0) END)
				/ nullif((SELECT coalesce(sum(weight), 0) FROM own) + CASE WHEN prior IS NULL THEN 0 ELSE strength END, 0) AS share
			FROM own o FULL JOIN usual u USING (value)),
		ranked AS (SELECT value, share, row_number() OVER (ORDER BY round(share::numeric, 12) DESC, value COLLATE "C") AS n FROM shares WHERE share IS NOT NULL)
		SELECT array_agg(value ORDER BY n) AS ranks, bool_and(pg_temp.close(share, f.shares[n])) AS close FROM ranked WHERE n <= 4) b;
SELECT * FROM preferences('[["2026-06-01T10:00:00Z","order",1,{"channel":"app"}],["2026-06-01T11:00:00Z","order",1,{"channel":"web"}],["2026-06-01T12:00:00Z","view",1,{"channel":"web"}],["2026-06-01T13:00:00Z","order"]]',
	'channel', 'order', prior => '{"app": 1, "store": 3}', strength => 2, as_of => '2026-06-02Z');
SELECT preferred('[]', 'channel') AS empty, preferred('[]', 'channel', prior => '{"app": 1, "web": 2}') AS usual, preferred(NULL, 'channel') AS null,
	preferred('[["2026-06-01T10:00:00Z","a",1,{"x":1}]]', 'y') AS no_such, preferred('[["2026-06-01T10:00:00Z","a",1,{"x":null}]]', 'x') AS only_null,
	preferred('[["2026-06-01T10:00:00Z","a",1,{"x":"b"}],["2026-06-01T10:00:00Z","a",1,{"x":"a"}]]', 'x', as_of => '2026-06-02Z') AS tie;
SELECT * FROM preferences('[]', 'channel');
SELECT * FROM preferences(NULL, 'channel');
SELECT preferred('[]', NULL);
SELECT preferred('[]', 'x', half_life => '0');
SELECT preferred('[]', 'x', prior => '[1]');
SELECT preferred('[]', 'x', prior => '{"a": "1"}');
SELECT preferred('[]', 'x', prior => '{"a": -1, "b": 2}');
SELECT preferred('[]', 'x', prior => '{"a": 0}');
SELECT preferred('[]', 'x', prior => '{}');
SELECT preferred('[]', 'x', strength => -1);
SELECT preferred('[]', 'x', strength => 'NaN');
SELECT preferred('[]', 'x', strength => NULL);
SELECT * FROM preferences('[]', 'x', n => 0);

-- trend
CREATE TABLE trends AS
SELECT customer, kind, period, periods, zone, as_of, r.*
FROM ways, (VALUES (timestamptz '2024-07-01Z'), ('2026-01-01 00:00Z')) m(as_of), (VALUES ('order'), (NULL)) k(kind), (VALUES ('month', 24, 'UTC'), ('month', 40, 'Asia/Shanghai'), ('quarter', 24, 'America/New_York'), ('week', 50, 'UTC'), ('day', 60, 'Asia/Shanghai'), ('year', 3, 'UTC')) p(period, periods, zone),
	LATERAL trend(t, kind, period, periods, 'category', as_of, zone) r;
-- The sums of the periods, by SQL's own calendar.
CREATE TABLE trend_sums AS
SELECT x.customer, x.kind, x.period, x.periods, x.zone, x.as_of, n, start, coalesce(s.total, 0) AS total
FROM trends x, LATERAL (SELECT min(ts) AS first FROM way_events e WHERE e.customer = x.customer AND (event = kind OR kind IS NULL) AND ts < as_of HAVING count(*) > 0) f,
	LATERAL (SELECT row_number() OVER (ORDER BY start) AS n, start FROM generate_series(
		greatest(date_trunc(period, first AT TIME ZONE zone), date_trunc(period, as_of AT TIME ZONE zone) - periods * CASE period WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || period)::interval END),
		date_trunc(period, as_of AT TIME ZONE zone) - interval '1 hour', CASE period WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || period)::interval END) start) g
	LEFT JOIN LATERAL (SELECT date_trunc(x.period, ts AT TIME ZONE x.zone) AS start, sum(value) AS total FROM way_events e
		WHERE e.customer = x.customer AND (event = kind OR kind IS NULL) AND ts < as_of GROUP BY 1) s USING (start);
CREATE INDEX ON trend_sums (customer, period, periods, as_of);
ANALYZE trends, trend_sums;
SELECT count(*) AS compared, count(slope) AS slopes, count(seasonality) AS seasons, count(category_shift) AS shifts,
	bool_and(observed = n) AS observed_agree, bool_and(pg_temp.close(x.total, b.total)) AS totals, bool_and(pg_temp.close(x.mean, b.mean)) AS means
FROM trends x, LATERAL (SELECT count(*) AS n, sum(s.total) AS total, avg(s.total) AS mean FROM trend_sums s
	WHERE (s.customer, s.period, s.periods, s.as_of) = (x.customer, x.period, x.periods, x.as_of) AND s.kind IS NOT DISTINCT FROM x.kind) b;
SELECT count(*) AS compared, bool_and(pg_temp.close(x.slope, b.slope)) AS slopes, bool_and(pg_temp.close(x.relative_slope, CASE WHEN x.mean > 0 THEN b.slope / x.mean END)) AS relative
FROM trends x, LATERAL (SELECT CASE WHEN observed >= 3 THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY (b.total - a.total) / (b.n - a.n)) END AS slope
	FROM trend_sums a JOIN trend_sums b ON (a.customer, a.period, a.periods, a.as_of) = (b.customer, b.period, b.periods, b.as_of) AND a.kind IS NOT DISTINCT FROM b.kind AND a.n < b.n
		AND (b.n - a.n) % CASE WHEN x.period = 'month' AND observed >= 24 THEN 12 WHEN x.period = 'quarter' AND observed >= 8 THEN 4 WHEN x.period = 'day' AND observed >= 14 THEN 7 ELSE 1 END = 0
	WHERE (a.customer, a.period, a.periods, a.as_of) = (x.customer, x.period, x.periods, x.as_of) AND a.kind IS NOT DISTINCT FROM x.kind) b;
-- Ratios to the centred moving average, months and quarters in their place.
SELECT count(*) AS compared, bool_and(pg_temp.close(x.seasonality[place], b.ratio)) AS ratios, bool_and(abs((SELECT avg(r) FROM unnest(seasonality) r) - 1) < 1e-12) AS mean_is_1
FROM trends x, LATERAL (SELECT place, median / avg(median) OVER () AS ratio FROM (
	SELECT place, percentile_cont(0.5) WITHIN GROUP (ORDER BY total / average) AS median FROM (
		SELECT s.total, CASE x.period WHEN 'day' THEN extract(isodow FROM s.start) WHEN 'month' THEN extract(month FROM s.start) ELSE extract(quarter FROM s.start) END::int AS place,
			CASE WHEN x.period = 'day' THEN avg(s.total) OVER (ORDER BY n ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING)
				WHEN x.period = 'month' THEN (avg(s.total) OVER (ORDER BY n ROWS BETWEEN 6 PRECEDING AND 5 FOLLOWING) + avg(s.total) OVER (ORDER BY n ROWS BETWEEN 5 PRECEDING AND 6 FOLLOWING)) / 2
				ELSE (avg(s.total) OVER (ORDER BY n ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) + avg(s.total) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING)) / 2 END AS average,
			n > half AND n <= x.observed - half AS inside
		FROM trend_sums s, LATERAL (SELECT CASE x.period WHEN 'day' THEN 3 WHEN 'month' THEN 6 ELSE 2 END AS half) h
		WHERE (s.customer, s.period, s.periods, s.as_of) = (x.customer, x.period, x.periods, x.as_of) AND s.kind IS NOT DISTINCT FROM x.kind) y
	WHERE inside AND average > 0 GROUP BY place) z) b
WHERE x.seasonality IS NOT NULL;
SELECT period, count(*) FILTER (WHERE seasonality IS NULL) AS without, count(*) FILTER (WHERE seasonality IS NOT NULL) AS with,
	bool_and(observed >= CASE period WHEN 'month' THEN 24 WHEN 'quarter' THEN 8 WHEN 'day' THEN 14 END) FILTER (WHERE seasonality IS NOT NULL) AS long_enough
FROM trends GROUP BY period ORDER BY period;
SELECT count(*) AS compared, bool_and(pg_temp.close(x.category_shift, b.shift)) AS shifts
FROM trends x, LATERAL (SELECT sum(abs(coalesce(p, 0) - coalesce(q, 0))) / 2 AS shift FROM (
	SELECT category, greatest(sum(value) FILTER (WHERE n <= observed / 2), 0) / nullif(sum(greatest(sum(value) FILTER (WHERE n <= observed / 2), 0)) OVER (), 0) AS p,
		greatest(sum(value) FILTER (WHERE n > (observed + 1) / 2), 0) / nullif(sum(greatest(sum(value) FILTER (WHERE n > (observed + 1) / 2), 0)) OVER (), 0) AS q
	FROM (SELECT CASE WHEN attributes ? 'category' THEN attributes -> 'category' END AS category, value, n FROM way_events e JOIN trend_sums s ON date_trunc(x.period, ts AT TIME ZONE x.zone) = s.start
		WHERE e.customer = x.customer AND ts < x.as_of AND (event = x.kind OR x.kind IS NULL) AND value IS NOT NULL
			AND (s.customer, s.period, s.periods, s.as_of) = (x.customer, x.period, x.periods, x.as_of) AND s.kind IS NOT DISTINCT FROM x.kind) v
	GROUP BY category) c) b
WHERE x.category_shift IS NOT NULL;
SELECT r.* FROM (SELECT timeline_agg(timestamptz '2024-01-10Z' + i * interval '1 month', 'order', 100 + 2 * i + CASE WHEN i % 12 = 11 THEN 300 ELSE 0 END,
		jsonb_build_object('category', CASE WHEN i < 12 THEN 'books' ELSE 'toys' END)) AS t FROM generate_series(0, 29) i) s, trend(t, 'order', as_of => '2026-01-01Z', category => 'category') r \gx
SELECT n, trend(t, as_of => '2026-04-01Z', category => 'c') FROM (VALUES (0, '[]'::timeline), (1, '[["2026-04-01T00:00:00Z","a",1]]'), (2, '[["2026-03-31T00:00:00Z","a",1]]'), (3, '[["2026-02-01T00:00:00Z","a",1],["2026-03-01T00:00:00Z","a",2]]'),
	(4, '[["2026-01-01T00:00:00Z","a",1,{"c":1}],["2026-02-01T00:00:00Z","a",2],["2026-03-01T00:00:00Z","a",4,{"c":2}]]'), (5, '[["2026-01-01T00:00:00Z","a"]]'), (6, NULL)) v(n, t) ORDER BY n;
SELECT trend('[]', period => 'fortnight');
SELECT trend('[]', period => NULL);
SELECT trend('[]', periods => 2);
SELECT trend('[]', periods => 1001);
SELECT trend('[]', as_of => NULL);
SELECT trend('[]', zone => 'Nowhere');
SELECT trend('[]', period => 'week', week_start => 8);
SELECT trend('[]', event => 'a[');

DROP TABLE ways, way_events, moments, trends, trend_sums;
RESET timezone;
