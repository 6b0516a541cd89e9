-- Periods of a zone's calendar: against the server's own date arithmetic.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT period, period_number(period, ts, 'Asia/Shanghai') AS number, period_start(period, ts, 'Asia/Shanghai') AS start
FROM unnest(ARRAY['hour', 'day', 'week', 'month', 'quarter', 'year']) AS period,
	(VALUES (timestamptz '2026-06-30 23:30+00')) AS v (ts);
SELECT week_start, period_number('week', '2000-01-01', 'UTC', week_start), period_start('week', '2000-01-01', 'UTC', week_start)
FROM generate_series(1, 7) AS week_start;

-- Random times of eleven centuries in many zones: half hours, summer times, midnights that are leapt over or shown twice.
CREATE TEMP TABLE zone (zone text);
INSERT INTO zone VALUES ('UTC'), ('utc'), ('GMT'), ('Asia/Shanghai'), ('Asia/Kolkata'), ('Asia/Kathmandu'), ('Australia/Lord_Howe'),
	('America/New_York'), ('America/St_Johns'), ('America/Sao_Paulo'), ('America/Havana'), ('Asia/Beirut'), ('Pacific/Apia'),
	('Pacific/Kiritimati'), ('Europe/Berlin'), ('Europe/Dublin'), ('Africa/Casablanca'), ('Asia/Tehran'), ('America/Asuncion'), ('EST5EDT');
CREATE TEMP TABLE moment AS
SELECT zone, timestamptz '2000-01-01' + (hashint8extended(i, 7) % 500000000000000) * interval '35 microseconds'
	+ (hashint8extended(i, 8) % 2) * interval '1 day' AS ts
FROM zone, generate_series(1, 300) AS i
UNION ALL
SELECT zone, timestamptz '2000-01-01' + (hashint8extended(i, 9) % 1000000000000000) * interval '1 microsecond'
FROM zone, generate_series(1, 2000) AS i
UNION ALL
-- around the changes of clocks of the years 1980 to 2030: every hour at which some zone's offset changes, and a second and half an hour about it
SELECT zone, ts + d
FROM zone
CROSS JOIN LATERAL (
	SELECT ts FROM (SELECT ts, ts AT TIME ZONE zone - lag(ts AT TIME ZONE zone) OVER (ORDER BY ts) AS passed
		FROM generate_series(timestamptz '1980-01-01', '2030-01-01', '1 hour') AS ts) AS x
	WHERE passed <> interval '1 hour') AS change
CROSS JOIN unnest(ARRAY[interval '0', '-1 second', '-1 hour', '-30 minutes', '-1 hour -1 microsecond', '1 hour', '-23 hours', '1 day']) AS d;
SELECT count(*) > 50000 AS enough, min(ts) < '1800-01-01' AS early, max(ts) > '2200-01-01' AS late FROM moment;

CREATE FUNCTION pg_temp.plain_number(period text, at timestamp, week_start int) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE period
		WHEN 'hour' THEN floor(extract(epoch FROM at - timestamp '2000-01-01') / 3600)
		WHEN 'day' THEN at::date - date '2000-01-01'
		WHEN 'week' THEN floor((at::date - date '2000-01-01' + (6 - week_start + 7) % 7) / 7.0)
		WHEN 'month' THEN (extract(year FROM at) - 2000) * 12 + extract(month FROM at) - 1
		WHEN 'quarter' THEN (extract(year FROM at) - 2000) * 4 + extract(quarter FROM at) - 1
		ELSE extract(year FROM at) - 2000 END::bigint
$$;

-- The zone changes with every row, which is the worst for what is kept, and then with the least.
SELECT period, week_start, count(*) FILTER (WHERE period_number(period, ts, zone, week_start)
	IS DISTINCT FROM pg_temp.plain_number(period, ts AT TIME ZONE zone, week_start)) AS wrong
FROM (SELECT * FROM moment ORDER BY ts, zone) AS m,
	(VALUES ('hour', 1), ('day', 1), ('week', 1), ('week', 3), ('week', 7), ('month', 1), ('quarter', 1), ('year', 1)) AS p (period, week_start)
GROUP BY period, week_start ORDER BY 1, 2;
SELECT period, count(*) FILTER (WHERE period_number(period, ts, zone) IS DISTINCT FROM pg_temp.plain_number(period, ts AT TIME ZONE zone, 1)) AS wrong
FROM (VALUES ('hour'), ('day'), ('week'), ('month')) AS p (period), (SELECT * FROM moment ORDER BY zone, ts) AS m
GROUP BY period ORDER BY 1;

-- A period's start lies in it, and is the first such instant: no time is before the start of its period; and it is what
-- date_trunc says wherever that is not ambiguous.
SELECT period,
	count(*) FILTER (WHERE start > ts) AS behind,
	count(*) FILTER (WHERE period_number(period, start, zone) <> number) AS elsewhere,
	count(*) FILTER (WHERE period_number(period, start - interval '1 microsecond', zone) >= number) AS not_the_first,
	count(*) FILTER (WHERE start <> date_trunc(period, ts, zone)
		AND start AT TIME ZONE zone = (start + interval '1 day') AT TIME ZONE zone - interval '1 day'
		AND start AT TIME ZONE zone = (start - interval '1 day') AT TIME ZONE zone + interval '1 day') AS not_date_trunc
FROM (SELECT period, zone, ts, period_start(period, ts, zone) AS start, period_number(period, ts, zone) AS number
	FROM moment, unnest(ARRAY['day', 'week', 'month', 'quarter', 'year']) AS period) AS x
GROUP BY period ORDER BY period;
SELECT count(*) FILTER (WHERE period_start('week', ts, zone, 7) <> date_trunc('week', ts + interval '1 day', zone) - interval '1 day') AS weeks_from_sunday
FROM moment WHERE zone IN ('UTC', 'Asia/Shanghai') AND ts > '1995-01-01';

-- Clocks that leap over midnight, show it twice, or leave out a day.
SELECT zone, ts, period_start('day', ts, zone), period_start('day', ts, zone) AT TIME ZONE zone AS local
FROM (VALUES ('America/Sao_Paulo', timestamptz '2018-11-04 12:00-02'), ('America/Havana', '2019-11-03 12:00-05'),
	('Pacific/Apia', '2011-12-31 12:00+14'), ('America/St_Johns', '2005-10-30 12:00-0330')) AS v (zone, ts);

-- The ends of time.
SELECT period_start('year', '4714-11-25 00:00+00 BC'), period_start('day', '4714-11-24 00:00+00 BC'), period_start('month', '294276-12-31 23:59:59+00');
SELECT period_number('hour', '294276-12-31 23:59:59+00', 'Pacific/Kiritimati'), period_number('week', '294276-12-31 23:59:59+00'), period_number('day', '4714-11-24 00:00+00 BC');

-- NULL, and what is refused.
SELECT period_number('day', NULL), period_start('day', NULL), period_number(NULL, now());
SELECT period_number('fortnight', '2026-01-01');
SELECT period_number('Day', '2026-01-01');
SELECT period_number('day', '2026-01-01', 'Mars/Olympus');
SELECT period_number('day', '2026-01-01', '');
SELECT period_number('week', '2026-01-01', 'UTC', 0);
SELECT period_start('day', 'infinity');
SELECT period_start('year', '4714-11-24 00:00+00 BC');
