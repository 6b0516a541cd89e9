-- Operating an app: figures by day against plain SQL over the rows, and alerts.
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TABLE app_event AS
SELECT c AS customer, timestamptz '2026-03-01' + (abs(hashint8extended(c, 1)) % 20) * interval '1 day'
		+ floor(power(abs(hashint8extended(c * 1000 + i, 3)) % 1000 / 1000.0, 2) * 40) * interval '1 day'
		+ (abs(hashint8extended(c * 1000 + i, 2)) % 14400) * interval '6 seconds' AS ts,
	(ARRAY['open', 'open', 'view', 'order', 'crash'])[1 + abs(hashint8extended(c * 1000 + i, 4)) % 5] AS event,
	(abs(hashint8extended(c * 1000 + i, 6)) % 100)::float8 AS value,
	CASE WHEN i % 4 > 0 THEN jsonb_build_object('version', '1.' || abs(hashint8extended(c * 1000 + i, 7)) % 3, 'channel', (ARRAY['ad', 'store'])[1 + (c + i) % 2]) END AS attributes
FROM generate_series(1, 60) AS c, generate_series(1, 5 + (abs(hashint8extended(c, 5)) % 40)::int) AS i;
CREATE TEMP TABLE zoned AS
SELECT *, (ts AT TIME ZONE zone)::date AS day, min((ts AT TIME ZONE zone)::date) OVER (PARTITION BY zone, customer) AS first_day, min(ts) OVER (PARTITION BY customer) AS first,
	max((ts AT TIME ZONE zone)::date) OVER (PARTITION BY zone) AS last_day
FROM app_event, (VALUES ('UTC'), ('Asia/Shanghai')) AS z (zone);

CREATE TEMP TABLE got AS SELECT zone, d.* FROM (VALUES ('UTC'), ('Asia/Shanghai')) AS z (zone),
	app_daily('SELECT customer, ts, event FROM app_event', zone, '20 minutes') AS d;
CREATE TEMP TABLE session AS
SELECT zone, customer, session, (min(ts) AT TIME ZONE zone)::date AS day, extract(epoch FROM max(ts) - min(ts)) AS seconds, bool_or(event = 'crash') AS crashed
FROM (SELECT *, sum(begins::int) OVER (PARTITION BY zone, customer ORDER BY ts, event) AS session
	FROM (SELECT *, coalesce(ts - lag(ts) OVER (PARTITION BY zone, customer ORDER BY ts, event) > '20 minutes', true) AS begins FROM zoned) x) y
GROUP BY 1, 2, 3;
CREATE TEMP TABLE plain AS
SELECT b.zone, b.day::date,
	(SELECT count(DISTINCT customer) FROM zoned z WHERE z.zone = b.zone AND z.day = b.day) AS active,
	(SELECT count(DISTINCT customer) FROM zoned z WHERE z.zone = b.zone AND z.day BETWEEN b.day::date - 6 AND b.day) AS weekly,
	(SELECT count(DISTINCT customer) FROM zoned z WHERE z.zone = b.zone AND z.day BETWEEN b.day::date - 29 AND b.day) AS monthly,
	(SELECT count(DISTINCT customer) FROM zoned z WHERE z.zone = b.zone AND z.first_day = b.day) AS new,
	(SELECT count(DISTINCT customer) FROM zoned z WHERE z.zone = b.zone AND z.first_day = b.day AND z.day = z.first_day + 1) AS retained_1,
	(SELECT count(DISTINCT customer) FROM zoned z WHERE z.zone = b.zone AND z.first_day = b.day AND z.day = z.first_day + 7) AS retained_7,
	(SELECT count(DISTINCT customer) FROM zoned z WHERE z.zone = b.zone AND z.first_day = b.day AND z.day = z.first_day + 30) AS retained_30,
	(SELECT count(*) FROM session s WHERE s.zone = b.zone AND s.day = b.day) AS sessions,
	(SELECT avg(seconds) FROM session s WHERE s.zone = b.zone AND s.day = b.day) AS session_seconds,
	(SELECT count(*) FROM session s WHERE s.zone = b.zone AND s.day = b.day AND crashed) AS crash_sessions,
	(SELECT count(DISTINCT customer) FROM zoned z WHERE z.zone = b.zone AND z.day = b.day AND event = 'crash') AS crash_customers
FROM (SELECT zone, generate_series(min(day)::timestamp, max(day), '1 day') AS day FROM zoned GROUP BY zone) b;
SELECT count(*) > 100 AS enough, sum(sessions) > 1500 AS many, sum(crash_sessions) > 300 AS crashes FROM plain;
SELECT count(*) AS wrong FROM plain p LEFT JOIN got g USING (zone, day)
WHERE (g.active, g.weekly, g.monthly, g.new, g.sessions, g.crash_sessions, g.crash_customers) IS DISTINCT FROM
	(p.active, p.weekly, p.monthly, p.new, p.sessions, p.crash_sessions, p.crash_customers)
	OR abs(g.session_seconds - p.session_seconds) > 1e-6 OR (g.session_seconds IS NULL) <> (p.session_seconds IS NULL)
	OR g.crash_session_share IS DISTINCT FROM p.crash_sessions::float8 / nullif(p.sessions, 0) OR g.crash_customer_share IS DISTINCT FROM p.crash_customers::float8 / nullif(p.active, 0);
-- A day without new customers has nobody to retain, nor has one that the data do not reach beyond.
SELECT count(*) AS wrong FROM plain p JOIN (SELECT zone, max(day) AS last FROM plain GROUP BY zone) l USING (zone) JOIN got g USING (zone, day)
WHERE g.retained_1 IS DISTINCT FROM CASE WHEN p.new > 0 AND day + 1 <= last THEN p.retained_1 END
	OR g.retained_7 IS DISTINCT FROM CASE WHEN p.new > 0 AND day + 7 <= last THEN p.retained_7 END
	OR g.retained_30 IS DISTINCT FROM CASE WHEN p.new > 0 AND day + 30 <= last THEN p.retained_30 END;

-- Versions: the last one of the day.
CREATE TEMP TABLE plain_version AS
SELECT zone, day, version, count(*) AS customers FROM (
	SELECT zone, day, customer, (array_agg(attributes ->> 'version' ORDER BY ts DESC, attributes ->> 'version' COLLATE "C" DESC))[1] AS version
	FROM zoned WHERE attributes ? 'version' GROUP BY 1, 2, 3) x GROUP BY 1, 2, 3;
CREATE TEMP TABLE got_version AS SELECT zone, v.* FROM (VALUES ('UTC'), ('Asia/Shanghai')) AS z (zone),
	app_versions('SELECT customer, ts, event, value, attributes FROM app_event', zone) AS v;
SELECT count(*) AS wrong FROM ((SELECT zone, day, version, customers FROM got_version EXCEPT TABLE plain_version)
	UNION ALL (TABLE plain_version EXCEPT SELECT zone, day, version, customers FROM got_version)) x;
SELECT bool_and(abs(s - 1) < 1e-12) AS shares_add_up, count(*) > 50 AS enough FROM (SELECT sum(share) AS s FROM got_version GROUP BY zone, day) x;

-- Channels.
CREATE TEMP TABLE plain_channel AS
SELECT zone, first_day AS day, channel, count(DISTINCT customer) AS new,
	CASE WHEN first_day + 1 <= last_day THEN count(DISTINCT customer) FILTER (WHERE day = first_day + 1) END AS retained_1,
	CASE WHEN first_day + 7 <= last_day THEN count(DISTINCT customer) FILTER (WHERE day = first_day + 7) END AS retained_7,
	CASE WHEN first_day + 30 <= last_day THEN count(DISTINCT customer) FILTER (WHERE day = first_day + 30) END AS retained_30,
	count(DISTINCT customer) FILTER (WHERE event = 'order' AND ts < first + interval '3 days') AS converted,
	coalesce(sum(value) FILTER (WHERE event = 'order' AND ts < first + interval '3 days'), 0) AS value
FROM zoned JOIN (SELECT customer, (array_agg(attributes ->> 'channel' ORDER BY ts, attributes ->> 'channel' COLLATE "C"))[1] AS channel
	FROM app_event WHERE attributes ? 'channel' GROUP BY 1) c USING (customer)
GROUP BY zone, first_day, last_day, channel;
CREATE TEMP TABLE got_channel AS SELECT zone, v.* FROM (VALUES ('UTC'), ('Asia/Shanghai')) AS z (zone),
	app_channels('SELECT customer, ts, event, value, attributes FROM app_event', zone, within => '3 days') AS v;
SELECT count(*) > 40 AS enough, count(*) FILTER (WHERE converted > 0) > 20 AS conversions FROM plain_channel;
SELECT count(*) AS wrong FROM ((TABLE got_channel EXCEPT TABLE plain_channel) UNION ALL (TABLE plain_channel EXCEPT TABLE got_channel)) x;

-- No rows; what is refused.
SELECT * FROM app_daily('SELECT customer, ts, event FROM app_event WHERE false');
SELECT * FROM app_alerts('SELECT customer, ts, event FROM app_event WHERE false');
SELECT * FROM app_daily('DELETE FROM app_event');
SELECT * FROM app_daily('SELECT customer, ts, event FROM app_event', 'Mars/Olympus');

-- Alerts on generated numbers: a level, a week's pattern, growth, and noise that is nearly normal.
CREATE TEMP TABLE series AS
SELECT s, date '2025-01-01' + d AS day, (1000 + s * 10) * (1 + 0.3 * sin(2 * pi() * (d % 7) / 7)) * (1 + (s % 3) * 0.001 * d)
	* (1 + 0.05 * ((SELECT sum(abs(hashint8extended(s * 100000 + d * 20 + k, 11)) % 1000000 / 1000000.0) FROM generate_series(1, 12) AS k) - 6)) AS value
FROM generate_series(1, 100) AS s, generate_series(0, 363) AS d;
CREATE FUNCTION pg_temp.found(change text) RETURNS TABLE (s int, started date, ended date, bad_days int, expected float8, measured float8, severity float8) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT x.s, a.* FROM (SELECT s, array_agg(day ORDER BY hashint4(day - date ''2000-01-01'')) AS days, array_agg(%s ORDER BY hashint4(day - date ''2000-01-01''))::float8[] AS observed FROM series GROUP BY s) x, alerts(days, observed) a', change);
END $$;
-- Clean: 100 numbers over a year, none.
SELECT count(*) AS false_alerts FROM pg_temp.found('value');
-- A planted outage: three days at half the value; one alert each; a fourth day belongs to it that is itself halfway to one.
SELECT count(*), count(DISTINCT s), bool_and(started = '2025-08-05') AS begun, count(*) FILTER (WHERE ended = '2025-08-07') AS ended, max(ended), bool_and(measured < 0.7 * expected) AS low
FROM pg_temp.found($$CASE WHEN day BETWEEN '2025-08-05' AND '2025-08-07' THEN value / 2 ELSE value END$$);
-- A day in the middle that looks well, or is missing, parts nothing; a peak and a drop are two.
SELECT count(*), count(DISTINCT s), bool_and(started = '2025-08-05' AND ended = '2025-08-09') AS exact
FROM pg_temp.found($$CASE WHEN day BETWEEN '2025-08-05' AND '2025-08-09' AND day <> '2025-08-07' THEN value / 2 ELSE value END$$);
SELECT count(*), count(DISTINCT s), bool_and(started = '2025-08-05' AND ended = '2025-08-09') AS exact
FROM pg_temp.found($$CASE WHEN day = '2025-08-07' THEN NULL WHEN day BETWEEN '2025-08-05' AND '2025-08-09' THEN value / 2 ELSE value END$$);
SELECT count(*), count(DISTINCT s), count(*) FILTER (WHERE measured > expected) AS peaks
FROM pg_temp.found($$CASE WHEN day BETWEEN '2025-08-05' AND '2025-08-06' THEN value * 2 WHEN day BETWEEN '2025-08-07' AND '2025-08-08' THEN value / 4 ELSE value END$$);
-- A new level is one alert, which ends when it has become the rule.
SELECT count(*), count(DISTINCT s), min(started), max(started), max(ended) < '2025-08-31' AS ends FROM pg_temp.found($$CASE WHEN day >= '2025-06-01' THEN value * 2 ELSE value END$$);
-- Two outages are two alerts, and the first one does not hide the second a week later.
SELECT count(*), count(DISTINCT s) FROM pg_temp.found($$CASE WHEN day IN ('2025-08-05', '2025-08-12') THEN value / 2 ELSE value END$$);
-- Numbers that never change, and one that does; noise widens the band; too little past.
SELECT a.* FROM (SELECT array_agg(day) AS days, array_agg(CASE day WHEN '2025-09-01' THEN 3.0 ELSE 2.0 END::float8) AS v, array_agg(0.5::float8) AS noise FROM series WHERE s = 1) x, alerts(days, v) a;
SELECT count(*) FROM (SELECT array_agg(day) AS days, array_agg(CASE day WHEN '2025-09-01' THEN 3.0 ELSE 2.0 END::float8) AS v, array_agg(0.5::float8) AS noise FROM series WHERE s = 1) x, alerts(days, v, noise) a;
SELECT count(*) FROM alerts('{2026-01-01,2026-01-02,2026-01-03}', '{1,1,100}');
SELECT count(*) FROM alerts('{}', '{}');
SELECT count(*) FROM alerts(NULL, '{}');
SELECT * FROM alerts('{2026-01-01,2026-01-01}', '{1,1}');
SELECT * FROM alerts('{2026-01-01}', '{1,1}');
SELECT * FROM alerts('{2026-01-01}', '{NaN}');
SELECT * FROM alerts('{2026-01-01}', '{1}', weeks => 2);
SELECT * FROM alerts('{2026-01-01}', '{1}', threshold => NULL);

-- An app with an outage: one alert for each figure that it touches.
CREATE TABLE app_run AS
SELECT c AS customer, timestamptz '2026-01-01' + d * interval '1 day' + (abs(hashint8extended(c * 500 + d, 1)) % 80000) * interval '1 second' + k * interval '1 minute' AS ts,
	CASE WHEN k = 2 AND abs(hashint8extended(c * 500 + d, 3)) % 100 < CASE WHEN d IN (100, 101) THEN 40 ELSE 2 END THEN 'crash' ELSE 'open' END AS event
FROM generate_series(1, 400) AS c, generate_series(0, 139) AS d, generate_series(0, 2) AS k
WHERE abs(hashint8extended(c * 500 + d, 2)) % 100 < 50;
SELECT metric, started, ended, bad_days, measured > expected AS up FROM app_alerts('SELECT customer, ts, event FROM app_run');
SELECT count(*) AS clean FROM app_alerts('SELECT customer, ts, CASE WHEN ts BETWEEN ''2026-04-11'' AND ''2026-04-13'' THEN ''open'' ELSE event END FROM app_run');
DROP TABLE app_event, app_run;
