-- The way of 13,087 loan applications through a Dutch bank (BPI Challenge 2012;
-- van Dongen, doi 10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f): the funnel
-- by step, variants, direct successions and durations, from raw rows and from
-- timelines, against the published figures and plain SQL.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/bank_loan_events.csv.gz
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - bank loan # skip no data/behavior/bank_loan_events.csv.gz'
	\quit
\endif

CREATE SCHEMA loan;
CREATE TABLE loan.event (case_id int, seq int, ts timestamptz, event text, lifecycle text, resource text);
\copy loan.event FROM PROGRAM 'zcat "$CRM_FILE"' (FORMAT csv, HEADER)
ANALYZE loan.event;
SELECT pg_temp.same(count(*), 262200::bigint, 'published: 262,200 events') FROM loan.event;

CREATE TABLE loan.history AS
SELECT case_id, crm.timeline_agg(ts, event, NULL::float8, jsonb_build_object('lifecycle', lifecycle)) AS timeline FROM loan.event GROUP BY case_id;
SELECT pg_temp.same(count(*), 13087::bigint, 'published: 13,087 applications') FROM loan.history;
SELECT pg_temp.same(sum(crm.event_count(timeline)), 262200::numeric, 'every event is in its timeline') FROM loan.history;
SELECT pg_temp.same_rows(
	$$SELECT case_id, e.ts, e.event, e.attributes ->> 'lifecycle' FROM loan.history, crm.events(timeline) AS e$$,
	'SELECT case_id, ts, event, lifecycle FROM loan.event', 'the timelines give every row back');

-- Applications with an event.
SELECT pg_temp.same(count(*) FILTER (WHERE crm.event_count(timeline, event) > 0), expected, 'published: applications with ' || event)
FROM loan.history, (VALUES ('A_SUBMITTED', 13087::bigint), ('A_PREACCEPTED', 7367), ('A_ACCEPTED', 5113), ('A_FINALIZED', 5015), ('A_APPROVED', 2246),
	('A_DECLINED', 7635), ('A_CANCELLED', 2807), ('O_SENT', 5015), ('O_SENT_BACK', 3254), ('O_ACCEPTED', 2243)) AS p (event, expected)
GROUP BY event, expected ORDER BY event;

-- The funnel, in five widths, by the raw aggregate, on timelines and in window functions.
CREATE TABLE loan.width AS
SELECT * FROM (VALUES ('1 hour'::interval, ARRAY[6948, 4602, 59, 1460, 18]), ('1 day', ARRAY[5832, 3204, 82, 3941, 28]), ('7 days', ARRAY[5721, 2343, 91, 4806, 126]),
	('30 days', ARRAY[5720, 2254, 98, 2957, 2058]), ('10000 days', ARRAY[5720, 2254, 98, 2769, 2246])) AS w (width, expected);
CREATE FUNCTION loan.plain_funnel(width interval) RETURNS TABLE (case_id int, level int) LANGUAGE sql AS $$
	WITH a AS (SELECT *, max(ts) FILTER (WHERE event = 'A_SUBMITTED') OVER w AS t1 FROM loan.event WINDOW w AS (PARTITION BY case_id ORDER BY ts)),
	b AS (SELECT *, max(t1) FILTER (WHERE event = 'A_PREACCEPTED' AND ts - t1 <= width) OVER w AS t2 FROM a WINDOW w AS (PARTITION BY case_id ORDER BY ts)),
	c AS (SELECT *, max(t2) FILTER (WHERE event = 'A_ACCEPTED' AND ts - t2 <= width) OVER w AS t3 FROM b WINDOW w AS (PARTITION BY case_id ORDER BY ts)),
	d AS (SELECT *, max(t3) FILTER (WHERE event = 'A_FINALIZED' AND ts - t3 <= width) OVER w AS t4 FROM c WINDOW w AS (PARTITION BY case_id ORDER BY ts))
	SELECT case_id, max(CASE WHEN event = 'A_APPROVED' AND ts - t4 <= width THEN 5 WHEN event = 'A_FINALIZED' AND ts - t3 <= width THEN 4
						WHEN event = 'A_ACCEPTED' AND ts - t2 <= width THEN 3 WHEN event = 'A_PREACCEPTED' AND ts - t1 <= width THEN 2
						WHEN event = 'A_SUBMITTED' THEN 1 ELSE 0 END)
	FROM d GROUP BY case_id
$$;
CREATE TABLE loan.raw AS
SELECT width, case_id, crm.window_funnel(width, ts, event = 'A_SUBMITTED', event = 'A_PREACCEPTED', event = 'A_ACCEPTED', event = 'A_FINALIZED', event = 'A_APPROVED') AS level
FROM loan.event, loan.width GROUP BY width, case_id;
SELECT pg_temp.same(found, expected, format('published: the funnel within %s', width))
FROM loan.width JOIN (SELECT width, array_agg(n ORDER BY level) AS found FROM (SELECT width, level, count(*)::int AS n FROM loan.raw GROUP BY 1, 2) AS x GROUP BY width) AS f USING (width)
ORDER BY width;
SELECT pg_temp.same_rows('SELECT * FROM loan.raw',
	$$SELECT width, case_id, crm.window_funnel(timeline, width, '{A_SUBMITTED,A_PREACCEPTED,A_ACCEPTED,A_FINALIZED,A_APPROVED}') FROM loan.history, loan.width$$,
	'the funnel on timelines is that on rows');
SELECT pg_temp.same_rows($$SELECT case_id, level FROM loan.raw WHERE width = '7 days'$$, $$SELECT * FROM loan.plain_funnel('7 days')$$, 'the funnel within 7 days in window functions');

-- From submission to approval.
SELECT pg_temp.same(round(percentile_cont(0.5) WITHIN GROUP (ORDER BY days)::numeric, 5), 14.43664, 'published: median days from A_SUBMITTED to A_APPROVED')
FROM (SELECT extract(epoch FROM crm.first_event(timeline, 'A_APPROVED') - crm.first_event(timeline, 'A_SUBMITTED')) / 86400 AS days
	  FROM loan.history WHERE crm.event_count(timeline, 'A_APPROVED') > 0) AS x;
SELECT pg_temp.same(round(avg(days)::numeric, 5), 8.62384, 'published: mean days from first to last event'),
	pg_temp.same(round(max(days)::numeric, 5), 137.22148, 'published: most days from first to last event')
FROM (SELECT extract(epoch FROM crm.last_event(timeline) - crm.first_event(timeline)) / 86400 AS days FROM loan.history) AS x;

-- Direct successions need the order of the log: several events share an instant.
SELECT pg_temp.same(found, expected, format('published: %s to %s', source, target))
FROM (SELECT e.source, e.target, count(*) AS found
	  FROM (SELECT crm.timeline_agg('2012-01-01 00:00:00+00'::timestamptz + seq * interval '1 second', event) AS t FROM loan.event GROUP BY case_id) AS x,
		   crm.path_edges(t, depth => 100000) AS e GROUP BY 1, 2) AS f
JOIN (VALUES ('W_Completeren aanvraag', 'W_Completeren aanvraag', 38004::bigint), ('W_Nabellen offertes', 'W_Nabellen offertes', 36084), ('A_SUBMITTED', 'A_PARTLYSUBMITTED', 13087),
	('A_PREACCEPTED', 'W_Completeren aanvraag', 7367), ('O_CREATED', 'O_SENT', 7030), ('O_SENT', 'W_Nabellen offertes', 6633), ('W_Completeren aanvraag', 'A_ACCEPTED', 5113)) AS p (source, target, expected)
USING (source, target) ORDER BY source, target;

\ir lib/report.sql
