-- crm.timelines(query): the timelines of a query's customers.
SET search_path = crm, public;
SET timezone = 'UTC';
CREATE SCHEMA timelines_test;
SET search_path = timelines_test, crm, public;
CREATE TYPE step AS ENUM ('seen', 'bought');
CREATE TABLE few (customer int, ts timestamptz, event text, value numeric, attributes jsonb, at timestamp, day date, step step, name name, padded char(8), small smallint, ratio real);
INSERT INTO few VALUES
	(1, '2026-06-01 10:00:00+00', 'view', NULL, NULL, '2026-06-01 10:00', '2026-06-01', 'seen', 'a', 'x', 1, 0.5),
	(2, '2026-06-01 11:00:00+00', 'view', 3.25, '{"channel": "app", "items": 2}', '2026-06-01 11:00', '2026-06-02', 'bought', 'b', 'y', 2, NULL),
	(1, '2026-06-01 09:00:00+00', 'order', 19.90, '{}', '2026-06-01 09:00', '2026-06-01', 'seen', 'c', 'z', 1, 2),
	(NULL, '2026-06-01 09:00:00+00', 'order', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(3, NULL, 'order', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(3, '2026-06-01 09:00:00+00', NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(-7, '2026-06-01 09:00:00+00', '浏览', 0, '{"渠道": "门店", "vip": true, "none": null}', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM timelines('SELECT customer, ts, event FROM few') ORDER BY 1;
SELECT * FROM timelines('SELECT customer, ts, event, value FROM few') ORDER BY 1;
SELECT * FROM timelines('SELECT customer, ts, event, value, attributes FROM few;') ORDER BY 1;
SELECT * FROM timelines('SELECT customer::bigint, at, step, ratio FROM few') ORDER BY 1;
SELECT * FROM timelines('SELECT small, day, name, customer FROM few') ORDER BY 1;
SELECT * FROM timelines('SELECT small, day, padded, small FROM few') ORDER BY 1;
-- Times without zone are of the session's.
SET timezone = 'Asia/Shanghai';
SELECT timeline FROM timelines('SELECT customer, at, event FROM few WHERE customer = 2');
SET timezone = 'UTC';
-- No rows, VALUES, a WITH, several calls in one statement.
SELECT * FROM timelines('SELECT customer, ts, event FROM few WHERE false');
SELECT * FROM timelines($$VALUES (5, timestamptz '2026-01-01 00:00+00', 'a'), (5, '2026-01-01 00:00+00', 'a')$$);
CREATE VIEW few_view AS SELECT customer, ts, event FROM few ORDER BY ts DESC;
SELECT a.customer, a.timeline = b.timeline AS same FROM timelines('WITH f AS (SELECT * FROM few) SELECT customer, ts, event FROM f') a
	JOIN timelines('TABLE few_view') b USING (customer) ORDER BY 1;

-- Exactly one SELECT that changes nothing; errors keep their place.
SELECT * FROM timelines(NULL);
SELECT * FROM timelines('');
SELECT * FROM timelines('SELECT customer, ts, event FROM few; SELECT 1');
SELECT * FROM timelines('DROP TABLE few');
SELECT * FROM timelines('INSERT INTO few VALUES (1) RETURNING customer, ts, event');
SELECT * FROM timelines('WITH d AS (DELETE FROM few RETURNING *) SELECT customer, ts, event FROM d');
SELECT * FROM timelines('SELECT customer, ts, event FROM few FOR UPDATE');
SELECT * FROM timelines('SELECT customer, ts, event INTO copy FROM few');
SELECT * FROM timelines('EXPLAIN SELECT 1');
SELECT * FROM timelines('SELECT customer, ts, evnt FROM few');
SELECT * FROM timelines('SELECT customer, ts event FORM few');
SELECT * FROM timelines('SELECT customer, ts, event, value FROM (SELECT *, 1 / (customer - 1) AS bad FROM few) x WHERE bad > 0');
SELECT count(*) FROM few;
-- Columns.
SELECT * FROM timelines('SELECT customer, ts FROM few');
SELECT * FROM timelines('SELECT customer, ts, event, value, attributes, 1 FROM few');
SELECT * FROM timelines('SELECT name, ts, event FROM few');
SELECT * FROM timelines('SELECT value, ts, event FROM few');
SELECT * FROM timelines('SELECT customer, event, ts FROM few');
SELECT * FROM timelines('SELECT customer, ts, value AS what FROM few');
SELECT * FROM timelines('SELECT customer, ts, event, event FROM few');
SELECT * FROM timelines('SELECT customer, ts, event, value, event FROM few');
SELECT * FROM timelines($$SELECT customer, ts, event, 'NaN'::float8 FROM few$$);
SELECT * FROM timelines($$SELECT customer, ts, event, 'Infinity'::numeric FROM few$$);
SELECT * FROM timelines($$SELECT customer, 'infinity'::timestamptz, event FROM few$$);
SELECT * FROM timelines($$SELECT customer, ts, event, value, '{"a": {"b": 1}}'::jsonb FROM few$$);
SELECT * FROM timelines($$SELECT customer, ts, event, value, '[]'::jsonb FROM few$$);
SELECT * FROM timelines($$SELECT customer, ts, repeat('n', 1024) FROM few$$);

-- Rights are the caller's, row-level security included.
CREATE ROLE timelines_reader;
GRANT USAGE ON SCHEMA timelines_test, crm TO timelines_reader;
SET ROLE timelines_reader;
SELECT * FROM timelines('SELECT customer, ts, event FROM few');
RESET ROLE;
GRANT SELECT (customer, ts, event) ON few TO timelines_reader;
ALTER TABLE few ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON few USING (customer = 2);
SET ROLE timelines_reader;
SELECT * FROM timelines('SELECT customer, ts, event FROM few');
SELECT * FROM timelines('SELECT customer, ts, event, value FROM few');
RESET ROLE;
ALTER TABLE few DISABLE ROW LEVEL SECURITY;

-- The same as timeline_agg, in memory and by way of temporary files, whatever the order of rows.
SELECT setseed(0.42);
CREATE TABLE many AS
	SELECT (3000 * power(random(), 3))::bigint * 1000003 - 5000 AS customer,
		timestamptz '2026-01-01 00:00+00' + (i + 1000 * random()) * interval '1 minute' AS ts,
		(ARRAY['view', 'view', 'search', 'add_to_cart', 'purchase', 'a name of more than twenty-four bytes'])[1 + floor(6 * random())::int] AS event,
		CASE WHEN random() < 0.7 THEN round((random() * 200)::numeric, 2)::float8 END AS value,
		CASE WHEN random() < 0.3 THEN jsonb_build_object('channel', 'c' || floor(5 * random()), 'n', floor(3 * random())) END AS attributes
	FROM generate_series(1, 60000) i;
CREATE TABLE expected AS SELECT customer, timeline_agg(ts, event, value, attributes) AS timeline FROM many GROUP BY customer;
SELECT count(*) AS customers, count(*) FILTER (WHERE t.timeline = e.timeline) AS same, sum(event_count(t.timeline)) AS events
	FROM timelines('SELECT * FROM many') t FULL JOIN expected e USING (customer);
SET work_mem = '64kB';
SELECT count(*) AS customers, count(*) FILTER (WHERE t.timeline = e.timeline) AS same, sum(event_count(t.timeline)) AS events
	FROM timelines('SELECT * FROM many ORDER BY md5(ts::text)') t FULL JOIN expected e USING (customer);
-- Names and attributes that never repeat do not fit the dictionaries: they travel with their rows.
CREATE TABLE unlike AS
	SELECT customer, ts, CASE WHEN i % 5 = 0 THEN 'page ' || i ELSE event END AS event, value,
		CASE WHEN i % 3 = 0 THEN jsonb_build_object('order', 'number ' || i, 'of', i % 7) ELSE attributes END AS attributes
	FROM (SELECT *, row_number() OVER (ORDER BY ts) AS i FROM many) m;
CREATE TABLE unlike_expected AS SELECT customer, timeline_agg(ts, event, value, attributes) AS timeline FROM unlike GROUP BY customer;
SELECT count(*) AS customers, count(*) FILTER (WHERE t.timeline = e.timeline) AS same, sum(event_count(t.timeline)) AS events
	FROM timelines('SELECT * FROM unlike') t FULL JOIN unlike_expected e USING (customer);
-- One customer with most of the events.
SELECT count(*) AS customers, max(event_count(timeline)) AS most
	FROM timelines($$SELECT CASE WHEN customer % 2 = 0 THEN 1 ELSE customer END, ts, event, value, attributes FROM many$$);
SELECT count(*) AS customers, sum(event_count(timeline)) AS events
	FROM timelines($$SELECT 1, ts, event, value, attributes FROM many$$);
RESET work_mem;
-- It can be cancelled.
SET statement_timeout = '100ms';
SELECT count(*) FROM timelines($$SELECT i % 1000, now() + i * interval '1 second', 'x' FROM generate_series(1, 1000000000) i$$);
RESET statement_timeout;

SET client_min_messages = warning;
DROP SCHEMA timelines_test CASCADE;
REVOKE ALL ON SCHEMA crm FROM timelines_reader;
DROP ROLE timelines_reader;
