-- Stored timelines: refresh_timelines, what is new and late, rights, erasing, dropping.
SET search_path = crm, public;
SET timezone = 'UTC';
CREATE SCHEMA stored;
CREATE TABLE stored.customers (id bigint PRIMARY KEY, name text);
CREATE TABLE stored.events (customer bigint, ts timestamptz, event text, value numeric, channel text, items int, came timestamptz DEFAULT now());
INSERT INTO stored.customers SELECT i, 'customer ' || i FROM generate_series(1, 300) i;
SELECT setseed(0.5);
INSERT INTO stored.events
	SELECT 1 + floor(300 * random()), timestamptz '2025-01-01 00:00+00' + random() * interval '400 days', (ARRAY['view', 'cart', 'order'])[1 + floor(3 * random())::int],
		CASE WHEN random() < 0.5 THEN round((random() * 100)::numeric, 2) END,
		CASE WHEN random() < 0.6 THEN 'channel ' || floor(4 * random()) END, CASE WHEN random() < 0.2 THEN floor(5 * random())::int END, '2026-02-05 00:00+00'
	FROM generate_series(1, 8000);
INSERT INTO stored.events VALUES (NULL, '2025-05-05', 'view'), (1, NULL, 'view'), (1, '2025-05-05', NULL);

-- What has to be stored, by an aggregate that shares no code with the partitioning.
CREATE VIEW stored.expected AS
	SELECT customer AS customer_id, timeline_agg(ts, event, value, jsonb_strip_nulls(jsonb_build_object('channel', channel, 'items', items))) AS timeline
	FROM stored.events WHERE customer IS NOT NULL AND ts IS NOT NULL AND event IS NOT NULL GROUP BY customer;
CREATE VIEW stored.difference AS
	SELECT count(*) AS customers, count(*) FILTER (WHERE s.timeline IS DISTINCT FROM e.timeline) AS different
	FROM crm.customer_timelines s FULL JOIN stored.expected e USING (customer_id);

SELECT create_population('no events', 'stored.customers', 'id');
SELECT * FROM refresh_timelines('no events');
SELECT drop_population('no events');
SELECT create_population('shop', 'stored.customers', 'id', events => 'stored.events', event_key => 'customer', event_time => 'ts',
	event_name => 'event', event_value => 'value', event_attributes => '{channel,items}');
SELECT * FROM customer_timelines;
SELECT timeline_of(1);
SELECT drop_timelines('shop', '2026-01-01');
SELECT * FROM refresh_timelines(period => 'week');
SELECT * FROM refresh_timelines(arrival => 'camee');
SELECT * FROM refresh_timelines(arrival => 'channel');
SELECT * FROM refresh_timelines(lateness => '-1 day');
SELECT * FROM refresh_timelines();
SELECT * FROM stored.difference;
SELECT count(*) AS customers, count(*) FILTER (WHERE archived) AS with_archive FROM customer_timeline;
SELECT period_start, count(*) FROM timeline_archive GROUP BY 1 ORDER BY 1;
SELECT timeline_of(17) = timeline AS same, event_count(timeline) FROM stored.expected WHERE customer_id = 17;

-- Nothing new: nothing is written.
SELECT population_name, events > 0 AS read, changed FROM refresh_timelines();
-- New events, of old and new customers, in the same period and in later ones.
INSERT INTO stored.events SELECT 1 + floor(350 * random()), timestamptz '2026-02-05 00:00+00' + random() * interval '100 days', 'order', 5, 'new', NULL
	FROM generate_series(1, 500);
SELECT events > 500 AS read, changed > 0 AS changed FROM refresh_timelines();
SELECT * FROM stored.difference;
-- Within lateness, rows that are late, changed or gone are put right; so are customers who have none left.
INSERT INTO stored.events (customer, ts, event) SELECT 1 + floor(400 * random()), (SELECT max(ts) FROM stored.events) - random() * interval '2 days', 'late' FROM generate_series(1, 50);
UPDATE stored.events SET value = 77 WHERE ts > (SELECT max(ts) FROM stored.events) - interval '1 day';
DELETE FROM stored.events WHERE ts > (SELECT max(ts) FROM stored.events) - interval '3 days' AND customer % 3 = 0;
SELECT changed > 0 AS changed FROM refresh_timelines();
SELECT * FROM stored.difference;
-- Whoever refreshes, wherever he is: what is read again is what was stored of that time.
SET timezone = 'Asia/Shanghai';
SELECT changed FROM refresh_timelines();
SET timezone = 'America/New_York';
SELECT changed FROM refresh_timelines();
SET timezone = 'UTC';
SELECT * FROM stored.difference;
-- Later still: not seen, until they are asked for by when they came ...
INSERT INTO stored.events SELECT 1 + floor(20 * random()), timestamptz '2025-02-02 00:00+00' + random() * interval '100 days', 'very late', 5, 'new', NULL
	FROM generate_series(1, 100);
SELECT changed FROM refresh_timelines();
SELECT different > 0 AS missing FROM stored.difference;
SELECT changed > 0 AS changed FROM refresh_timelines(arrival => 'came', lateness => '1 day');
SELECT * FROM stored.difference;
SELECT changed FROM refresh_timelines();
-- ... or with all of them; a rebuild writes only what differs, and is the same as building.
DELETE FROM stored.events WHERE customer < 30 OR (customer < 60 AND ts > '2026-01-01') OR ts < '2025-03-03';
SELECT changed > 0 AS changed FROM refresh_timelines(rebuild => true);
SELECT * FROM stored.difference;
SELECT changed FROM refresh_timelines(rebuild => true);
CREATE TABLE stored.before AS SELECT customer_id, last_at, archived, events::text FROM customer_timeline UNION ALL SELECT customer_id, period_start, NULL, events::text FROM timeline_archive;
SELECT drop_population('shop');
SELECT count(*) FROM customer_timeline;
SELECT count(*) FROM timeline_archive;
SELECT count(*) FROM timeline_store;
SELECT create_population('shop', 'stored.customers', 'id', events => 'stored.events', event_key => 'customer', event_time => 'ts',
	event_name => 'event', event_value => 'value', event_attributes => '{channel,items}');
SELECT changed = (SELECT count(*) FROM stored.before) AS all FROM refresh_timelines('shop', arrival => 'came');
SELECT count(*) AS different FROM (
	SELECT customer_id, last_at, archived, events::text FROM customer_timeline UNION ALL SELECT customer_id, period_start, NULL, events::text FROM timeline_archive) a
	FULL JOIN stored.before b ON a.customer_id = b.customer_id AND a.last_at = b.last_at AND a.events = b.events
	WHERE a.customer_id IS NULL OR b.customer_id IS NULL OR a.archived IS DISTINCT FROM b.archived;
-- Another period: everything is cut anew.
SELECT since IS NULL AS whole FROM refresh_timelines('shop', period => 'month');
SELECT * FROM stored.difference;
SELECT period, lateness, arrival, zone, watermark = (SELECT max(ts) FROM stored.events) AS newest FROM timeline_store;
-- A rollback leaves what was there.
BEGIN;
INSERT INTO stored.events (customer, ts, event) VALUES (33, '2026-07-01', 'undone');
SELECT changed FROM refresh_timelines('shop');
ROLLBACK;
SELECT * FROM stored.difference;

-- Rights: the columns of the events without row-level security, or a grant.
CREATE ROLE stored_reader;
GRANT USAGE ON SCHEMA stored, crm TO stored_reader;
GRANT SELECT ON stored.customers TO stored_reader;
SET ROLE stored_reader;
SELECT count(*) FROM customer_timelines;
SELECT count(*) FROM customer_timeline;
SELECT timeline_of(33);
SELECT whole_timeline(population_id, 33, '[]') FROM population_definition;
SELECT * FROM refresh_timelines();
SELECT erase_events('shop', 33);
SELECT drop_timelines('shop', '2026-01-01');
RESET ROLE;
GRANT SELECT (customer, ts, event, value, channel, items) ON stored.events TO stored_reader;
GRANT SELECT ON stored.expected TO stored_reader;
SET ROLE stored_reader;
SELECT count(*) > 100 AS readable, count(*) FILTER (WHERE s.timeline = e.timeline) = count(*) AS same FROM customer_timelines s JOIN stored.expected e USING (customer_id);
RESET ROLE;
ALTER TABLE stored.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY a_few ON stored.events USING (customer < 100);
SET ROLE stored_reader;
SELECT count(*) FROM customer_timelines;
SELECT timeline_of(33) IS NULL;
RESET ROLE;
SELECT grant_population('shop', 'stored_reader');
SET ROLE stored_reader;
SELECT count(*) > 100 AS readable FROM customer_timelines;
SELECT timeline_of(33) IS NOT NULL AS readable, timeline_of('33') = timeline_of(33) AS same, timeline_of(100000000) IS NULL AS unknown;
-- Asked once for the query.  (How a plan names what is asked once differs between versions.)
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query
	LOOP
		RETURN NEXT replace(replace(line, ' (returns $0)', ''), '(InitPlan 1).col1', '$0');
	END LOOP;
END $$;
SELECT pg_temp.plan_of('SELECT count(*) FROM customer_timeline');
DROP FUNCTION pg_temp.plan_of(text);
RESET ROLE;
-- Refreshed with the rights of the owner, who is not restricted by his own row-level security.
SELECT changed FROM refresh_timelines('shop');
ALTER TABLE stored.events DISABLE ROW LEVEL SECURITY;

-- Erasing one customer, and periods.
SELECT erase_events('shop', 'nobody');
SELECT erase_events('shop', 33), erase_events('shop', 33) AS again, erase_events('shop', '34');
SELECT timeline_of(33) IS NULL AS erased, timeline_of(35) IS NULL AS other;
SELECT drop_timelines('shop', '2025-08-20');
SELECT min(period_start) FROM timeline_archive;
SELECT count(*) FILTER (WHERE s.timeline IS DISTINCT FROM timeline_slice(e.timeline, '2025-08-01') AND s.customer_id NOT IN (33, 34)) AS different
	FROM customer_timelines s JOIN stored.expected e USING (customer_id);
-- They stay out.
SELECT changed > 0 AS erased_are_back FROM refresh_timelines('shop', rebuild => true);
SELECT min(period_start) FROM timeline_archive;

-- Keys that are not their own ids: text, uuid, negative numbers.
CREATE TABLE stored.people (key text PRIMARY KEY);
INSERT INTO stored.people SELECT 'p' || i FROM generate_series(1, 50) i;
CREATE TABLE stored.visits (key text, ts timestamp, page text);
INSERT INTO stored.visits SELECT 'p' || (1 + i % 60), timestamp '2026-01-01' + i * interval '1 hour', 'page ' || i % 3 FROM generate_series(1, 500) i;
SELECT create_population('people', 'stored.people', 'key', events => 'stored.visits', event_key => 'key', event_time => 'ts', event_name => 'page');
SELECT events, customers, changed FROM refresh_timelines('people');
SELECT count(*) AS customers, count(*) FILTER (WHERE timeline_of(v.key, 'people') = v.timeline) AS same
	FROM (SELECT key, timeline_agg(ts::timestamptz, page) AS timeline FROM stored.visits GROUP BY 1) v;
INSERT INTO stored.visits VALUES ('new', '2026-01-22', 'page 1'), ('p1', '2026-01-22', 'page 2');
SELECT customers, changed FROM refresh_timelines('people');
SELECT timeline_of('new', 'people');
SELECT count(*) FROM population_key k JOIN population_definition p USING (population_id) WHERE p.name = 'people';
CREATE TABLE stored.numbers (id int, ts date, event text);
INSERT INTO stored.numbers VALUES (1, '2026-01-01', 'a'), (-1, '2026-01-01', 'b'), (-2, '2026-01-02', 'c');
SELECT create_population('numbers', 'stored.customers', 'id', events => 'stored.numbers', event_key => 'id', event_time => 'ts', event_name => 'event');
SELECT events, customers, changed FROM refresh_timelines('numbers');
SELECT timeline_of(-1, 'numbers'), timeline_of(1, 'numbers'), timeline_of(-3, 'numbers');
INSERT INTO stored.numbers VALUES (-3, '2026-01-03', 'd'), (1, '2026-01-03', 'e');
SELECT events, customers, changed FROM refresh_timelines('numbers');
SELECT timeline_of(-3, 'numbers'), timeline_of(1, 'numbers');
-- Two populations side by side.
SELECT population, count(*) FROM customer_timelines GROUP BY 1 ORDER BY 1;

SET client_min_messages = warning;
SELECT drop_population('shop'), drop_population('people'), drop_population('numbers');
SELECT (SELECT count(*) FROM customer_timeline) + (SELECT count(*) FROM timeline_archive) + (SELECT count(*) FROM timeline_store) AS left;
DROP SCHEMA stored CASCADE;
REVOKE ALL ON SCHEMA crm FROM stored_reader;
DROP ROLE stored_reader;
