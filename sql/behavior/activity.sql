-- Activities from rows, and the tables over them, against plain SQL.
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TEMP TABLE visit (customer int, ts timestamptz, event text);
INSERT INTO visit VALUES (1, '2026-06-01 10:00+00', 'sign'), (1, '2026-06-01 18:00+00', 'buy'), (1, '2026-06-09 01:00+00', 'buy'), (1, '2026-07-31 23:00+00', 'sign'),
	(2, '2026-06-02 10:00+00', 'buy'), (2, '2026-06-07 10:00+00', 'sign'), (2, '2026-06-08 09:59:59+00', 'buy'), (2, '2026-06-08 10:00+00', 'buy'),
	(3, '2026-06-30 17:00+00', 'buy'), (4, NULL, 'sign');
SELECT customer, activity_agg('day', ts) AS days, activity_agg('week:7', 'Asia/Shanghai', ts) AS weeks,
	activity_agg('month', 'Asia/Shanghai', ts, event = 'sign', event = 'buy') AS months,
	activity_agg('24 hours', 'Asia/Shanghai', ts, event = 'sign', event = 'buy') AS hours
FROM visit GROUP BY customer ORDER BY customer;
SELECT activity_agg('week', 'UTC', ts, event = 'sign') FROM visit WHERE customer = 2;
SELECT p.* FROM (SELECT activity_agg('week', 'UTC', ts, event = 'sign', event = 'buy') AS a FROM visit WHERE customer = 1) x, periods(a) AS p;
SELECT p.* FROM (SELECT activity_agg('24 hours', 'UTC', ts, event = 'sign', event = 'buy') AS a FROM visit WHERE customer = 1) x, periods(a) AS p;
SELECT (r).* FROM (SELECT unnest(retention_table(3, a)) AS r FROM (SELECT activity_agg('week', ts) AS a FROM visit GROUP BY customer) x) y;

-- Text and binary forms.
CREATE TEMP TABLE form AS
SELECT v, v::activity AS a FROM unnest(ARRAY['day@UTC{}', 'day@Asia/Shanghai{1999-12-31,2000-01-01s,2000-01-05b}', 'week:3@UTC{1999-12-29b}',
	'month@UTC{2026-01-01,2026-12-01}', 'quarter@UTC{1969-10-01}', 'year@UTC{0001-01-01,2026-01-01s}', '24 hours@UTC{}', '24 hours@<+0530>-5:30:2026-06-01{0s,3b,400}',
	'day@UTC{-4713-11-24,294276-12-31}']) AS v;
CREATE TEMP TABLE copied (v text, a activity);
\copy form to '/tmp/crm_activity_copy.bin' with (format binary)
\copy copied from '/tmp/crm_activity_copy.bin' with (format binary)
\! rm -f /tmp/crm_activity_copy.bin
SELECT v, f.a::text = v AS text, c.a::text = v AS binary, length(activity_send(f.a)) AS bytes FROM form f JOIN copied c USING (v) ORDER BY v;
CREATE FUNCTION pg_temp.refusal(v text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; BEGIN
	PERFORM v::activity; RETURN 'taken';
EXCEPTION WHEN invalid_text_representation THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL; RETURN detail; END $$;
SELECT v, pg_temp.refusal(v) FROM unnest(ARRAY['', 'day', 'day@UTC', 'day{}', 'hour@UTC{}', 'day@{}', 'day@UTC{2026-06-01', 'day@UTC{2026-06-01,}', 'day@UTC{2026-06-01}x',
	'day@UTC{2026-02-30}', 'day@UTC{2026-06-02,2026-06-01}', 'day@UTC{2026-06-01,2026-06-01}', 'week@UTC{2026-06-02}', 'month@UTC{2026-06-01x}', 'day@UTC{1}', 'day@UTC{294277-01-01}',
	'24 hours@UTC{0}', '24 hours@UTC:2026-06-01{1}', '24 hours@UTC:2026-06-01{0b}', '24 hours@UTC:2026-06-01{0,-1}', 'week:8@UTC{}', 'week:@UTC{}']) AS v;

-- Many customers, at all hours, with pauses; summer time begins and ends within.
CREATE TEMP TABLE event AS
SELECT c AS customer, timestamptz '2025-09-20' + (abs(hashint8extended(c, 1)) % 120) * interval '1 day'
	+ (abs(hashint8extended(c * 1000 + i, 2)) % 86400000000) * interval '1 microsecond'
	+ floor(power(abs(hashint8extended(c * 1000 + i, 3)) % 1000 / 1000.0, 2) * 80) * interval '1 day' AS ts,
	CASE abs(hashint8extended(c * 1000 + i, 4)) % 5 WHEN 0 THEN 'start' WHEN 1 THEN 'both' WHEN 2 THEN 'none' ELSE 'back' END AS event
FROM generate_series(1, 100) AS c, generate_series(1, 1 + (abs(hashint8extended(c, 5)) % 12)::int) AS i;
CREATE TEMP TABLE kind (kind text, unit text, shift interval, zone text);
INSERT INTO kind SELECT * FROM (VALUES ('day', 'day', interval '0'), ('week', 'week', '0'), ('week:7', 'week', '1 day'), ('week:3', 'week', '-2 days'),
	('month', 'month', '0'), ('quarter', 'quarter', '0'), ('year', 'year', '0')) AS v (kind, unit, shift),
	unnest(ARRAY['UTC', 'Asia/Shanghai', 'America/St_Johns']) AS zone;

CREATE TEMP TABLE made AS
SELECT kind, zone, customer, activity_agg(kind, zone, ts, event IN ('start', 'both'), event IN ('back', 'both') ORDER BY hashint8(extract(epoch FROM ts)::bigint)) AS a
FROM event, kind GROUP BY kind, zone, customer;
CREATE TEMP TABLE plain AS
SELECT kind, zone, customer, (date_trunc(unit, (ts AT TIME ZONE zone) + shift) - shift)::date AS begins,
	bool_or(event IN ('start', 'both')) AS started, bool_or(event IN ('back', 'both')) AS back
FROM event, kind WHERE event <> 'none' GROUP BY 1, 2, 3, 4;
SELECT count(*) > 5000 AS enough FROM plain;
CREATE TEMP VIEW got AS SELECT kind, zone, customer, begins, started, back FROM made, periods(a);
SELECT count(*) AS wrong FROM ((TABLE got EXCEPT TABLE plain) UNION ALL (TABLE plain EXCEPT TABLE got)) x;
-- A customer all of whose events met no condition has no state.
SELECT count(*) AS none FROM made WHERE a IS NULL;
SELECT bool_and(a::text = a::text::activity::text) FROM made;

-- Parts merge to the whole, however they overlap; half of each state in memory, the other in text.
SELECT count(*) FILTER (WHERE m.a::text IS DISTINCT FROM made.a::text) AS wrong FROM made
JOIN (SELECT kind, zone, customer, merge_agg(a) AS a FROM
	(SELECT kind, zone, customer, activity_agg(kind, zone, ts, event IN ('start', 'both'), event IN ('back', 'both')) AS a
	FROM event, kind GROUP BY kind, zone, customer, hashint8(extract(epoch FROM ts)::bigint) % 3) x GROUP BY 1, 2, 3) m USING (kind, zone, customer);
SELECT activity 'day@UTC{2026-06-01s}' || 'day@UTC{2026-05-01,2026-06-01b,2026-06-03}', activity 'day@UTC{}' || 'day@UTC{2026-05-01}', NULL || activity 'day@UTC{}';
SELECT activity 'day@UTC{2026-06-01s}' || 'day@GMT{2026-06-01s}';
SELECT activity '24 hours@UTC:2026-06-01{0}' || '24 hours@UTC:2026-06-01{0}';

-- 24 hours from the first start, exactly.
CREATE TEMP TABLE rolling AS
SELECT zone, customer, activity_agg('24 hours', zone, ts, event IN ('start', 'both'), event IN ('back', 'both')) AS a
FROM event, (VALUES ('UTC'), ('Asia/Shanghai')) AS z (zone) GROUP BY zone, customer;
CREATE TEMP TABLE plain_rolling AS
SELECT zone, customer, (first AT TIME ZONE zone)::date AS cohort, floor(extract(epoch FROM ts - first) / 86400)::bigint AS number,
	bool_or(event IN ('start', 'both')) AS started, bool_or(event IN ('back', 'both')) AS back
FROM (SELECT *, min(ts) FILTER (WHERE event IN ('start', 'both')) OVER (PARTITION BY customer) AS first FROM event WHERE event <> 'none') e,
	(VALUES ('UTC'), ('Asia/Shanghai')) AS z (zone)
WHERE ts >= first GROUP BY 1, 2, 3, 4;
SELECT count(*) > 400 AS enough FROM plain_rolling;
CREATE TEMP VIEW got_rolling AS SELECT zone, customer, (begins - number::int) AS cohort, number, started, back FROM rolling, periods(a);
SELECT count(*) AS wrong FROM ((TABLE got_rolling EXCEPT TABLE plain_rolling) UNION ALL (TABLE plain_rolling EXCEPT TABLE got_rolling)) x;

-- The same from timelines, with selectors and without.
CREATE TEMP TABLE line AS SELECT customer, timeline_agg(ts, event) AS t FROM event GROUP BY customer;
SELECT count(*) FILTER (WHERE activity(t, kind, zone, '*', 'back')::text IS DISTINCT FROM plain.a::text) AS wrong, count(*) > 1000 AS enough
FROM line JOIN (SELECT kind, zone, customer, activity_agg(kind, zone, ts, true, event = 'back') AS a FROM event, kind GROUP BY 1, 2, 3) plain USING (customer);
SELECT count(*) FILTER (WHERE activity(t, kind, zone, 'start')::text IS DISTINCT FROM plain.a::text) AS wrong
FROM line JOIN (SELECT kind, zone, customer, activity_agg(kind, zone, ts, event = 'start', true) AS a FROM event, kind GROUP BY 1, 2, 3) plain USING (customer);
SELECT count(*) FILTER (WHERE activity(t, kind)::text IS DISTINCT FROM plain.a::text) AS wrong
FROM line JOIN (SELECT kind, customer, activity_agg(kind, ts) AS a FROM event, kind GROUP BY 1, 2) plain USING (customer);
SELECT count(*) FILTER (WHERE activity(t, '24 hours', zone, 'start', 'back')::text IS DISTINCT FROM coalesce(plain.a::text, '24 hours@' || zone || '{}')) AS wrong
FROM line JOIN (SELECT zone, customer, activity_agg('24 hours', zone, ts, event = 'start', event = 'back') AS a FROM event, (VALUES ('UTC'), ('Asia/Shanghai')) AS z (zone) GROUP BY 1, 2) plain USING (customer);
SELECT activity(t, 'day'), activity(t, 'day', back => 'none'), activity(t, '24 hours'), activity(NULL, 'day') FROM (SELECT timeline '[]' AS t) x;
-- A midnight that the clock shows twice: a minute of the next day comes before the rest of this one.
SELECT activity(t, 'day', 'America/St_Johns', 'a'), activity(t, '24 hours', 'America/St_Johns', 'b'), activity(t, 'day', 'UTC', 'a[x=1]')
FROM (SELECT timeline_agg(ts, event) AS t FROM (VALUES (timestamptz '2005-10-30 02:30:30+00', 'a'), ('2005-10-30 02:40:00+00', 'b'), ('2005-10-30 02:40:00+00', 'a'), ('2005-10-30 04:00+00', 'b')) v (ts, event)) x;
SELECT activity(t, 'day', NULL) FROM line LIMIT 1;
SELECT activity(t, 'day', 'UTC', 'a[') FROM line LIMIT 1;

-- Retention in all modes, by plain SQL over numbers of periods.
CREATE TEMP TABLE numbered AS SELECT kind, zone, customer, number, begins, started, back FROM made, periods(a);
CREATE TEMP TABLE observed AS SELECT kind, zone, max(number) AS last FROM numbered GROUP BY 1, 2;
ANALYZE made, plain, numbered, observed;
CREATE TEMP TABLE answer (mode text, kind text, zone text, cohort date, size bigint, period int, customers bigint, share float8);
INSERT INTO answer SELECT mode, kind, zone, (r).* FROM
	(SELECT mode, kind, zone, unnest(retention_table(1000000, mode, a)) AS r
	FROM made, unnest(ARRAY['', 'recurring', 'unbounded', 'recurring, unbounded']) AS mode GROUP BY 1, 2, 3) x;
CREATE TEMP TABLE expected AS
WITH cohort AS (
	SELECT mode, kind, zone, customer, number AS c, begins FROM numbered, (VALUES ('recurring'), ('recurring, unbounded')) v (mode) WHERE started
	UNION ALL
	SELECT mode, n.* FROM (SELECT DISTINCT ON (kind, zone, customer) kind, zone, customer, number, begins FROM numbered WHERE started ORDER BY 1, 2, 3, 4) n,
		(VALUES (''), ('unbounded')) v (mode)
), sized AS (
	SELECT mode, kind, zone, c, min(begins) AS begins, count(*) AS size FROM cohort GROUP BY 1, 2, 3, 4
), hit AS (
	SELECT mode, kind, zone, c, k, count(DISTINCT customer) AS customers
	FROM cohort JOIN numbered n USING (kind, zone, customer), LATERAL generate_series(CASE WHEN mode LIKE '%unbounded' THEN 0 ELSE n.number - c END, n.number - c) AS k
	WHERE back AND n.number >= c GROUP BY 1, 2, 3, 4, 5
)
SELECT mode, kind, zone, begins AS cohort, size, k::int AS period, coalesce(customers, 0) AS customers, coalesce(customers, 0)::float8 / size AS share
FROM sized JOIN observed USING (kind, zone) CROSS JOIN LATERAL generate_series(0, last - c) AS k LEFT JOIN hit USING (mode, kind, zone, c, k);
SELECT mode, count(*) > 3000 AS enough FROM expected GROUP BY mode ORDER BY mode;
SELECT count(*) AS wrong FROM ((TABLE answer EXCEPT ALL TABLE expected) UNION ALL (TABLE expected EXCEPT ALL TABLE answer)) x;
-- Fewer periods are the same table's beginning.
SELECT count(*) AS wrong FROM (
	(SELECT mode, kind, zone, (r).* FROM (SELECT mode, kind, zone, unnest(retention_table(2, mode, a)) AS r
		FROM made, unnest(ARRAY['', 'recurring', 'unbounded', 'recurring, unbounded']) AS mode GROUP BY 1, 2, 3) x
	EXCEPT ALL SELECT * FROM expected WHERE period <= 2)
	UNION ALL
	(SELECT * FROM expected WHERE period <= 2 EXCEPT ALL SELECT mode, kind, zone, (r).* FROM (SELECT mode, kind, zone, unnest(retention_table(2, mode, a)) AS r
		FROM made, unnest(ARRAY['', 'recurring', 'unbounded', 'recurring, unbounded']) AS mode GROUP BY 1, 2, 3) x)) y;
SELECT count(*) AS wrong FROM (
	SELECT (r).cohort, (r).size, (r).period, (r).customers FROM (SELECT unnest(retention_table(30, a)) AS r FROM rolling WHERE zone = 'Asia/Shanghai') x
	EXCEPT
	SELECT cohort, size, k, coalesce(customers, 0) FROM (SELECT cohort, count(DISTINCT customer) AS size FROM plain_rolling WHERE zone = 'Asia/Shanghai' GROUP BY 1) s
		CROSS JOIN generate_series(0, 30) AS k
		LEFT JOIN (SELECT cohort, number AS k, count(*) AS customers FROM plain_rolling WHERE zone = 'Asia/Shanghai' AND back GROUP BY 1, 2) h USING (cohort, k)) x;

-- Life cycle: by plain SQL, and the identities.
CREATE TEMP TABLE life AS SELECT kind, zone, (r).* FROM (SELECT kind, zone, unnest(life_cycle(a)) AS r FROM made GROUP BY 1, 2) x;
CREATE TEMP TABLE plain_life AS
WITH span AS (
	SELECT kind, zone, generate_series(min(number), max(number)) AS number FROM numbered GROUP BY 1, 2
)
SELECT s.kind, s.zone, s.number,
	count(*) FILTER (WHERE here) AS active, count(*) FILTER (WHERE here AND NOT before AND NOT ever) AS new, count(*) FILTER (WHERE here AND before) AS retained,
	count(*) FILTER (WHERE here AND ever AND NOT before) AS resurrected, count(*) FILTER (WHERE NOT here AND before) AS lost, count(*) FILTER (WHERE NOT here AND ever) AS dormant
FROM span s, LATERAL (
	SELECT customer, bool_or(n.number = s.number) AS here, bool_or(n.number = s.number - 1) AS before, bool_or(n.number < s.number) AS ever
	FROM numbered n WHERE n.kind = s.kind AND n.zone = s.zone GROUP BY customer) c
WHERE s.kind <> 'day' OR s.zone = 'America/St_Johns'
GROUP BY 1, 2, 3;
SELECT count(*) FILTER (WHERE (l.active, l.new, l.retained, l.resurrected, l.lost, l.dormant) IS DISTINCT FROM (p.active, p.new, p.retained, p.resurrected, p.lost, p.dormant)) AS wrong,
	count(*) > 200 AS enough
FROM plain_life p LEFT JOIN (SELECT *, period_number(split_part(kind, ':', 1), period, 'UTC', CASE kind WHEN 'week:7' THEN 7 WHEN 'week:3' THEN 3 ELSE 1 END) AS number FROM life) l USING (kind, zone, number);
SELECT bool_and(active = new + retained + resurrected) AS all_active,
	bool_and(dormant = was_dormant + was_active - retained - resurrected) AS all_dormant, bool_and(lost = was_active - retained) AS all_lost,
	bool_and(active + dormant = known) AS all_known
FROM (SELECT *, lag(active, 1, 0::bigint) OVER w AS was_active, lag(dormant, 1, 0::bigint) OVER w AS was_dormant, sum(new) OVER w AS known FROM life WINDOW w AS (PARTITION BY kind, zone ORDER BY period)) x;

-- Stickiness.
CREATE TEMP TABLE sticky AS SELECT longer, zone, (r).* FROM
	(SELECT longer, zone, unnest(stickiness(longer, a)) AS r FROM made, unnest(ARRAY['week', 'week:7', 'month', 'quarter']) AS longer WHERE kind = 'day' GROUP BY 1, 2) x;
CREATE TEMP TABLE plain_sticky AS
WITH days AS (
	SELECT longer, zone, customer, begins AS day,
		CASE longer WHEN 'week:7' THEN (date_trunc('week', begins + 1)::date - 1) ELSE date_trunc(longer, begins)::date END AS period
	FROM plain, unnest(ARRAY['week', 'week:7', 'month', 'quarter']) AS longer WHERE kind = 'day'
), each AS (
	SELECT longer, zone, period, customer, count(*) AS n FROM days GROUP BY 1, 2, 3, 4
), border AS (
	SELECT zone, min(day) AS first, max(day) AS last FROM days GROUP BY zone
)
SELECT longer, zone, period, least(last, CASE longer WHEN 'month' THEN (period + interval '1 month')::date WHEN 'quarter' THEN (period + interval '3 months')::date ELSE period + 7 END - 1)
		- greatest(first, period) + 1 AS days, count(*) AS customers, sum(n)::bigint AS active_days,
	(SELECT array_agg((SELECT count(*) FROM each f WHERE (f.longer, f.zone, f.period, f.n) = (e.longer, e.zone, e.period, i)) ORDER BY i) FROM generate_series(1, max(n)) i) AS histogram
FROM each e JOIN border USING (zone) GROUP BY longer, zone, period, first, last;
SELECT count(*) > 100 AS enough FROM plain_sticky;
SELECT count(*) AS wrong FROM ((SELECT longer, zone, period, days, customers, active_days, histogram FROM sticky EXCEPT TABLE plain_sticky)
	UNION ALL (TABLE plain_sticky EXCEPT SELECT longer, zone, period, days, customers, active_days, histogram FROM sticky)) x;
SELECT bool_and(average_daily = active_days::float8 / days AND abs(stickiness - average_daily / customers) < 1e-12 AND stickiness <= 1) FROM sticky;

-- Active users of days, weeks and months.
CREATE TEMP TABLE users AS SELECT start, zone, (r).* FROM
	(SELECT start, zone, unnest(active_users(start, a)) AS r FROM made, unnest(ARRAY[1, 4, 7]) AS start WHERE kind = 'day' GROUP BY 1, 2) x;
CREATE TEMP TABLE plain_users AS
SELECT start, b.zone, day::date,
	count(DISTINCT customer) FILTER (WHERE begins = day) AS daily, count(DISTINCT customer) FILTER (WHERE begins BETWEEN day - interval '6 days' AND day) AS weekly,
	count(DISTINCT customer) FILTER (WHERE begins BETWEEN day - interval '29 days' AND day) AS monthly,
	count(DISTINCT customer) FILTER (WHERE date_trunc('week', begins + make_interval(days => 8 - start)) = date_trunc('week', day + make_interval(days => 8 - start))) AS calendar_week,
	count(DISTINCT customer) FILTER (WHERE date_trunc('month', begins) = date_trunc('month', day)) AS calendar_month,
	count(DISTINCT customer) FILTER (WHERE begins = day AND begins = first) AS new
FROM (SELECT zone, min(begins) AS first_day, max(begins) AS last_day FROM plain WHERE kind = 'day' GROUP BY zone) b
CROSS JOIN LATERAL generate_series(first_day::timestamp, last_day, '1 day') AS day
CROSS JOIN unnest(ARRAY[1, 4, 7]) AS start
JOIN (SELECT *, min(begins) OVER (PARTITION BY zone, customer) AS first FROM plain WHERE kind = 'day') p ON p.zone = b.zone
WHERE b.zone = 'America/St_Johns' AND start <> 4
GROUP BY 1, 2, 3;
SELECT count(*) > 300 AS enough FROM plain_users;
SELECT count(*) AS wrong FROM ((SELECT * FROM users WHERE zone = 'America/St_Johns' AND start <> 4 EXCEPT TABLE plain_users) UNION ALL (TABLE plain_users EXCEPT TABLE users)) x;
SELECT active_users(a) = active_users(1, a) AS monday FROM made WHERE kind = 'day' AND zone = 'UTC';

-- Whole = parts, in any order, as text between servers, in parallel.
CREATE AGGREGATE pg_temp.retention_parts(activity) (SFUNC = retention_table_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.retention_whole(agg_state) (SFUNC = retention_table_combinefn, STYPE = agg_state, FINALFUNC = retention_table_finalfn);
CREATE AGGREGATE pg_temp.life_parts(activity) (SFUNC = life_cycle_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.life_whole(agg_state) (SFUNC = life_cycle_combinefn, STYPE = agg_state, FINALFUNC = life_cycle_finalfn);
CREATE AGGREGATE pg_temp.sticky_parts(text, activity) (SFUNC = stickiness_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.sticky_whole(agg_state) (SFUNC = stickiness_combinefn, STYPE = agg_state, FINALFUNC = stickiness_finalfn);
CREATE AGGREGATE pg_temp.users_parts(activity) (SFUNC = active_users_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.users_whole(agg_state) (SFUNC = active_users_combinefn, STYPE = agg_state, FINALFUNC = active_users_finalfn);
SELECT pg_temp.retention_whole(r::text::agg_state ORDER BY part DESC) = (SELECT retention_table(a) FROM made WHERE kind = 'day' AND zone = 'UTC') AS retention,
	pg_temp.life_whole(l::text::agg_state ORDER BY part) = (SELECT life_cycle(a) FROM made WHERE kind = 'day' AND zone = 'UTC') AS life_cycle,
	pg_temp.sticky_whole(s::text::agg_state ORDER BY part DESC) = (SELECT stickiness('week', a) FROM made WHERE kind = 'day' AND zone = 'UTC') AS stickiness,
	pg_temp.users_whole(u::text::agg_state ORDER BY part) = (SELECT active_users(a) FROM made WHERE kind = 'day' AND zone = 'UTC') AS active_users
FROM (SELECT customer % 7 AS part, pg_temp.retention_parts(a) AS r, pg_temp.life_parts(a) AS l, pg_temp.sticky_parts('week', a) AS s, pg_temp.users_parts(a) AS u
	FROM made WHERE kind = 'day' AND zone = 'UTC' GROUP BY 1 UNION ALL SELECT 9, NULL, NULL, NULL, NULL) x;
CREATE TABLE activity_parallel AS SELECT customer, ts, event FROM event;
CREATE TABLE activity_stored AS SELECT customer, a FROM made WHERE kind = 'day' AND zone = 'UTC';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT retention_table(a), life_cycle(a), stickiness('month', a), active_users(a) FROM activity_stored;
SELECT retention_table(a) = (SELECT retention_table(a) FROM made WHERE kind = 'day' AND zone = 'UTC') AS retention,
	active_users(a) = (SELECT active_users(a) FROM made WHERE kind = 'day' AND zone = 'UTC') AS active_users FROM activity_stored;
SELECT count(*) FILTER (WHERE p.a::text IS DISTINCT FROM made.a::text) AS wrong
FROM (SELECT customer, activity_agg('week', 'America/St_Johns', ts, event IN ('start', 'both'), event IN ('back', 'both')) AS a FROM activity_parallel GROUP BY customer) p
JOIN made USING (customer) WHERE kind = 'week' AND zone = 'America/St_Johns';
DROP TABLE activity_parallel, activity_stored;
RESET ALL;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- One customer of long ago does not make a wide state; nobody and nothing give no rows.
SELECT (r).* FROM (SELECT unnest(retention_table(1, a)) AS r FROM (VALUES (activity 'day@UTC{1970-01-01}'), ('day@UTC{2026-06-01,2026-06-02}'), ('day@UTC{}'), (NULL)) v (a)) x;
SELECT retention_table(a), life_cycle(a), stickiness('month', a), active_users(a) FROM (SELECT NULL::activity AS a) x;
SELECT retention_table(a), life_cycle(a), stickiness('month', a), active_users(a) FROM (SELECT activity 'day@UTC{}' AS a) x;
SELECT (r).* FROM (SELECT unnest(active_users(a)) AS r FROM (VALUES (activity 'day@UTC{1999-12-30,2000-01-02}'), ('day@UTC{2000-01-01}')) v (a)) x;

-- What is refused.
SELECT activity_agg('fortnight', ts) FROM visit;
SELECT activity_agg('hour', ts) FROM visit;
SELECT activity_agg(NULL, ts) FROM visit;
SELECT activity_agg('day', 'Mars/Olympus', ts) FROM visit;
SELECT activity_agg(CASE customer WHEN 1 THEN 'day' ELSE 'week' END, ts) FROM visit;
SELECT activity_agg('day', 'infinity') FROM visit;
SELECT retention_table(a) FROM (VALUES (activity 'day@UTC{2026-06-01}'), ('week@UTC{2026-06-01}')) v (a);
SELECT retention_table(a) FROM (VALUES (activity 'day@UTC{2026-06-01}'), ('day@Asia/Shanghai{2026-06-01}')) v (a);
SELECT retention_table(-1, 'day@UTC{2026-06-01}');
SELECT retention_table(1, 'never', 'day@UTC{2026-06-01}');
SELECT retention_table(NULL, 'day@UTC{2026-06-01}'::activity);
SELECT retention_table(p, '', 'day@UTC{2026-06-01}') FROM generate_series(1, 2) AS p;
SELECT retention_table(1, 'recurring', '24 hours@UTC:2026-06-01{0}');
SELECT retention_table(a) FROM (VALUES (activity 'day@UTC{-4713-11-24}'), ('day@UTC{294276-12-31}')) v (a);
SELECT life_cycle('24 hours@UTC:2026-06-01{0}');
SELECT stickiness('month', 'week@UTC{2026-06-01}');
SELECT stickiness('day', 'day@UTC{2026-06-01}');
SELECT active_users('month@UTC{2026-06-01}');
SELECT active_users(9, 'day@UTC{2026-06-01}');

-- States and values with a flipped bit are refused or give some answer, never a crash.
DO $$
DECLARE
	state bytea;
	refused int := 0;
BEGIN
	SELECT decode(pg_temp.retention_parts(a)::text, 'base64') INTO state FROM made WHERE kind = 'month' AND zone = 'UTC';
	FOR bit IN 0 .. 48 * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.retention_whole(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64')::agg_state)
			FROM generate_series(1, 2);
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR program_limit_exceeded OR invalid_parameter_value OR datatype_mismatch OR numeric_value_out_of_range THEN
			refused := refused + 1;
		END;
	END LOOP;
	IF refused < 80 THEN
		RAISE 'only % refused', refused;
	END IF;
END
$$;

-- Counts that no customers could have given are refused, alone or put together: the last bytes of a state are its places, a key and a count each.
CREATE AGGREGATE pg_temp.days_state(text, activity) (SFUNC = stickiness_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.days_whole(agg_state) (SFUNC = stickiness_combinefn, STYPE = agg_state, FINALFUNC = stickiness_finalfn);
CREATE FUNCTION pg_temp.counted(number bytea, times int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state bytea := decode(pg_temp.days_state('month', 'day@UTC{2026-06-01,2026-06-02}')::text, 'base64');
	at int := length(state);
BEGIN
	WHILE substr(state, at - 7, 8) <> '\x0100000000000000' LOOP
		at := at - 16;
	END LOOP;
	state := overlay(state PLACING number FROM at - 7);
	RETURN (SELECT pg_temp.days_whole(translate(encode(state, 'base64'), E'\n', '')::agg_state)::text FROM generate_series(1, times));
EXCEPTION WHEN data_corrupted THEN
	RETURN SQLERRM;
END
$$;
SELECT number, times, pg_temp.counted(number, times) FROM (VALUES (bytea '\x0300000000000000', 1), ('\x0300000000000000', 2), ('\x0000000000001000', 2), ('\x0100000000002000', 1),
	('\x0000000000001000', 3), ('\xffffffffffffff7f', 1), ('\xffffffffffffff7f', 2), ('\x0000000000000080', 1)) v(number, times);
