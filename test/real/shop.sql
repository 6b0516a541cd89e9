-- Half a year of a simulated shop (the demonstration data of retentioneering-tools):
-- funnels of sessions and users, by platform, against another engine's counts
-- and plain SQL.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/shop_events_simulated.csv.gz
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - shop # skip no data/behavior/shop_events_simulated.csv.gz'
	\quit
\endif

CREATE SCHEMA shop;
CREATE TABLE shop.event (user_id text, session_id text, event text, ts timestamptz, platform text, channel text, cohort text, lifecycle text);
\copy shop.event FROM PROGRAM 'zcat "$CRM_FILE"' (FORMAT csv, HEADER)
SELECT pg_temp.same(count(*), 31106::bigint, 'events'), pg_temp.same(count(DISTINCT user_id), 600::bigint, 'users'),
	pg_temp.same(count(DISTINCT session_id), 3605::bigint, 'sessions') FROM shop.event;

CREATE TABLE shop.visit AS
SELECT session_id, min(platform) AS platform, crm.timeline_agg(ts, event) AS timeline FROM shop.event GROUP BY session_id;
CREATE TABLE shop.buyer AS
SELECT user_id, crm.timeline_agg(ts, event, NULL::float8, jsonb_build_object('platform', platform, 'session', session_id)) AS timeline FROM shop.event GROUP BY user_id;

CREATE FUNCTION pg_temp.levels(query text) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	result bigint[];
BEGIN
	EXECUTE format('SELECT array_agg(n ORDER BY level) FROM (SELECT level, count(*) AS n FROM (%s) AS f (level) GROUP BY level) AS x', query) INTO result;
	RETURN result;
END
$$;
SELECT pg_temp.same(pg_temp.levels($$SELECT crm.window_funnel(timeline, '1 hour', '{product_view,add_to_cart,cart,shipping_details,payment_details,purchase}') FROM shop.visit$$),
	'{737,1924,467,283,122,57,15}', 'six steps within an hour: sessions by level');
SELECT pg_temp.same(pg_temp.levels($$SELECT crm.window_funnel(timeline, '1 day', '{product_view,add_to_cart,cart,shipping_details,payment_details,purchase}') FROM shop.buyer$$),
	'{2,116,158,155,100,53,16}', 'six steps within a day: users by level');
SELECT pg_temp.same(pg_temp.levels($$SELECT crm.window_funnel('1 day', ts, event = 'product_view', event = 'add_to_cart', event = 'cart', event = 'shipping_details', event = 'payment_details',
	event = 'purchase') FROM shop.event GROUP BY user_id$$), '{2,116,158,155,100,53,16}', 'the same on rows');
SELECT pg_temp.same(pg_temp.levels(format($$SELECT crm.window_funnel(timeline, '1 hour', '{add_to_cart,payment_details,purchase}') FROM shop.visit WHERE platform = %L$$, platform)), expected,
	'three steps within an hour: sessions by level, ' || platform)
FROM (VALUES ('desktop', '{1233,358,194,105}'::bigint[]), ('mobile', '{891,268,92,44}'), ('tablet', '{268,92,31,29}')) AS p (platform, expected);

SELECT pg_temp.same_rows(
	$$SELECT user_id, crm.event_count(timeline, 'purchase'), crm.event_count(timeline, 'purchase[platform=mobile]'), crm.last_event(timeline, '*[platform=tablet]') FROM shop.buyer$$,
	$$SELECT user_id, count(*) FILTER (WHERE event = 'purchase'), count(*) FILTER (WHERE event = 'purchase' AND platform = 'mobile'), max(ts) FILTER (WHERE platform = 'tablet')
	  FROM shop.event GROUP BY user_id$$, 'counts and last events by attribute');
SELECT pg_temp.same(count(*) FILTER (WHERE crm.event_count(timeline, 'purchase') > 0), 328::bigint, 'buyers') FROM shop.buyer;

\ir lib/report.sql
