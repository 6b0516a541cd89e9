-- A day of msnbc.com, 989,818 visitors and 17 kinds of page (Cadez, Heckerman,
-- Meek, Smyth, White 2000; UCI): timelines straight from a query, page counts,
-- first pages, transitions and a funnel, against another engine's counts and
-- plain SQL.  Places in a sequence stand for seconds.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/msnbc_sequences.csv.gz
\setenv CRM_PAGES :shared/data/behavior/msnbc_pages.csv
\set absent `test -r "$CRM_FILE" -a -r "$CRM_PAGES" && echo false || echo true`
\if :absent
	\echo 'ok - msnbc # skip no data/behavior/msnbc_sequences.csv.gz'
	\quit
\endif

CREATE SCHEMA msnbc;
CREATE TABLE msnbc.page (code int, page text);
CREATE UNLOGGED TABLE msnbc.visitor (user_id bigint, pages text);
\copy msnbc.page FROM PROGRAM 'cat "$CRM_PAGES"' (FORMAT csv, HEADER)
\copy msnbc.visitor FROM PROGRAM 'zcat "$CRM_FILE"' (FORMAT csv, HEADER)
CREATE UNLOGGED TABLE msnbc.view AS
SELECT user_id, n, page
FROM msnbc.visitor, string_to_table(pages, ' ') WITH ORDINALITY AS p (c, n), LATERAL (SELECT (SELECT array_agg(page ORDER BY code) FROM msnbc.page)) AS names (name), LATERAL (SELECT name[c::int] AS page) AS q;
ANALYZE msnbc.view;

CREATE UNLOGGED TABLE msnbc.history AS
SELECT * FROM crm.timelines($$SELECT user_id, timestamptz '1999-09-28 00:00:00+00' + n * interval '1 second', page FROM msnbc.view$$);
SELECT pg_temp.same(count(*), 989818::bigint, 'published: visitors'), pg_temp.same(sum(crm.event_count(timeline)), 4698794::numeric, 'page views') FROM msnbc.history;

SELECT pg_temp.same_rows(
	$$SELECT page, sum(crm.event_count(timeline, page)), count(*) FILTER (WHERE crm.event_count(timeline, page) > 0) FROM msnbc.history, msnbc.page GROUP BY page$$,
	$$SELECT page, count(*)::numeric, count(DISTINCT user_id) FROM msnbc.view GROUP BY page$$, 'views and visitors of each kind of page');
SELECT pg_temp.same(sum(crm.event_count(timeline, 'frontpage')), 940469::numeric, 'views of the front page'),
	pg_temp.same(count(*) FILTER (WHERE crm.event_count(timeline, 'frontpage') > 0), 313181::bigint, 'visitors of the front page'),
	pg_temp.same(count(*) FILTER (WHERE crm.event_count(timeline) = 1), 365435::bigint, 'visitors of one page'),
	pg_temp.same(max(crm.event_count(timeline)), 14795::bigint, 'the longest sequence')
FROM msnbc.history;

CREATE UNLOGGED TABLE msnbc.edge AS
SELECT source, target, count(*) AS n FROM msnbc.history, crm.path_edges(timeline, depth => 20000) GROUP BY 1, 2;
SELECT pg_temp.same(n, expected, format('transitions from %s to %s', source, target))
FROM msnbc.edge JOIN (VALUES ('frontpage', 'news', 73820::bigint), ('news', 'frontpage', 45476), ('frontpage', 'business', 41211), ('on-air', 'misc', 36783),
	('frontpage', 'sports', 35992), ('misc', 'local', 33018), ('frontpage', 'on-air', 30579)) AS p (source, target, expected) USING (source, target);

-- No width: the first of each, after the one before.
SELECT pg_temp.same(array_agg(n ORDER BY level), '{676637,241581,59835,11765}'::bigint[], 'funnel frontpage, news, local: visitors by level')
FROM (SELECT crm.window_funnel(timeline, '2 days', '{frontpage,news,local}') AS level, count(*) AS n FROM msnbc.history GROUP BY 1) AS x;
SELECT pg_temp.same_rows(
	$$SELECT level, count(*) FROM (SELECT user_id, crm.window_funnel('2 days', timestamptz '1999-09-28 00:00:00+00' + n * interval '1 second', page = 'frontpage', page = 'news', page = 'local') AS level
	  FROM msnbc.view GROUP BY user_id) AS f GROUP BY level$$,
	$$WITH a AS (SELECT user_id, min(n) AS n FROM msnbc.view WHERE page = 'frontpage' GROUP BY 1),
	  b AS (SELECT user_id, min(v.n) AS n FROM msnbc.view AS v JOIN a USING (user_id) WHERE page = 'news' AND v.n > a.n GROUP BY 1),
	  c AS (SELECT user_id, min(v.n) AS n FROM msnbc.view AS v JOIN b USING (user_id) WHERE page = 'local' AND v.n > b.n GROUP BY 1)
	  SELECT CASE WHEN c.n IS NOT NULL THEN 3 WHEN b.n IS NOT NULL THEN 2 WHEN a.n IS NOT NULL THEN 1 ELSE 0 END, count(*)
	  FROM msnbc.visitor LEFT JOIN a USING (user_id) LEFT JOIN b USING (user_id) LEFT JOIN c USING (user_id) GROUP BY 1$$,
	'the same on rows and in plain SQL');

\ir lib/report.sql
