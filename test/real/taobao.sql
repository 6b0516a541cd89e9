-- 43 users of Taobao, nine days in 2017 (Alibaba, Tianchi data set 649): funnels,
-- sessions, buys and days, against the counts of another engine and plain SQL.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/taobao_behavior.csv
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - taobao # skip no data/behavior/taobao_behavior.csv'
	\quit
\endif

CREATE SCHEMA taobao;
CREATE TABLE taobao.event (user_id bigint, item_id bigint, category_id bigint, behavior text, epoch bigint, ts timestamptz);
\copy taobao.event FROM PROGRAM 'cat "$CRM_FILE"' (FORMAT csv, HEADER)
SELECT pg_temp.same(count(*), 4321::bigint, 'rows') FROM taobao.event;

-- The item is an attribute: item and behaviour in one timeline.
CREATE TABLE taobao.history AS
SELECT user_id, crm.timeline_agg(ts, behavior, NULL::float8, jsonb_build_object('item', item_id)) AS timeline FROM taobao.event GROUP BY user_id;

SELECT pg_temp.same(array_agg(n ORDER BY level), '{16,16,11}'::bigint[], 'funnel pv, cart, buy within a day: users by level')
FROM (SELECT level, count(*) AS n FROM (SELECT crm.window_funnel('86400 s', ts, behavior = 'pv', behavior = 'cart', behavior = 'buy') AS level FROM taobao.event GROUP BY user_id) AS f GROUP BY level) AS x;
SELECT pg_temp.same_rows(
	$$SELECT user_id, crm.window_funnel('86400 s', ts, behavior = 'pv', behavior = 'cart', behavior = 'buy') FROM taobao.event GROUP BY user_id$$,
	$$SELECT user_id, crm.window_funnel(timeline, '86400 s', '{pv,cart,buy}') FROM taobao.history$$, 'the same on timelines');
SELECT pg_temp.same(array_agg(n ORDER BY level), '{208,3080,41}'::bigint[], 'pv then buy of one item within a day: users and items by level')
FROM (SELECT level, count(*) AS n FROM (SELECT crm.window_funnel('86400 s', ts, behavior = 'pv', behavior = 'buy') AS level FROM taobao.event GROUP BY user_id, item_id) AS f GROUP BY level) AS x;
SELECT pg_temp.same_rows(
	$$SELECT user_id, item_id, crm.window_funnel('86400 s', ts, behavior = 'pv', behavior = 'buy') FROM taobao.event GROUP BY user_id, item_id$$,
	$$SELECT user_id, item_id, crm.window_funnel(timeline, '86400 s', ARRAY[format('pv[item=%s]', item_id), format('buy[item=%s]', item_id)])
	  FROM taobao.history JOIN (SELECT DISTINCT user_id, item_id FROM taobao.event) AS i USING (user_id)$$, 'the same by the attribute');

SELECT pg_temp.same(array_agg(ROW(buys, n)::text ORDER BY buys), ARRAY['(0,20)', '(1,7)', '(2,5)', '(3,3)', '(4,3)', '(5,1)', '(7,2)', '(8,1)', '(12,1)'], 'users by number of buys')
FROM (SELECT crm.event_count(timeline, 'buy') AS buys, count(*) AS n FROM taobao.history GROUP BY 1) AS x;

-- The figures that come with the data say 765: 722 gaps and 43 users.  Gaps within users are 679 (sort the file by user and
-- time and count); 722 counts each user's first event as one more, as an engine does whose lag() starts at 0.  It is the number of sessions.
SELECT pg_temp.same(count(*), 679::bigint, 'gaps of more than 30 minutes within users, plain SQL')
FROM (SELECT ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) AS gap FROM taobao.event) AS x WHERE gap > interval '30 minutes';
SELECT pg_temp.same(sum(n), 679 + 43::numeric, 'sessions with a gap of 30 minutes, by the window function')
FROM (SELECT max(session) AS n FROM (SELECT user_id, crm.sessionize('30 minutes', ts) OVER (PARTITION BY user_id ORDER BY ts) AS session FROM taobao.event) AS s GROUP BY user_id) AS x;
SELECT pg_temp.same(count(*), 679 + 43::bigint, 'sessions with a gap of 30 minutes, on timelines') FROM taobao.history, crm.sessions(timeline, '30 minutes');
SELECT pg_temp.same_rows(
	$$SELECT user_id, session, started, ended, events FROM taobao.history, crm.sessions(timeline, '30 minutes')$$,
	$$SELECT user_id, s, min(ts), max(ts), count(*)
	  FROM (SELECT *, 1 + count(*) FILTER (WHERE later) OVER (PARTITION BY user_id ORDER BY ts) AS s
			FROM (SELECT *, ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) > interval '30 minutes' AS later FROM taobao.event) AS x) AS y
	  GROUP BY user_id, s$$, 'every session, against plain SQL');

-- Days are China's.
SELECT pg_temp.same_rows(
	$$SELECT user_id, crm.active_days(timeline, NULL, '2017-11-25 00:00+08', '2017-12-04 00:00+08', 'Asia/Shanghai') FROM taobao.history$$,
	$$SELECT user_id, count(DISTINCT (ts AT TIME ZONE 'Asia/Shanghai')::date) FILTER (WHERE ts >= '2017-11-25 00:00+08' AND ts < '2017-12-04 00:00+08') FROM taobao.event GROUP BY user_id$$,
	'active days of every user');
SELECT pg_temp.same(array_agg(concat_ws('/', users, views, buys) ORDER BY day),
	'{30/365/7,32/412/6,27/337/13,33/446/10,33/420/8,29/440/4,33/484/7,42/467/10,41/554/12}'::text[], 'users, views and buys by day')
FROM (SELECT day, count(*) FILTER (WHERE crm.event_count(timeline, NULL, since, until) > 0) AS users,
		   sum(crm.event_count(timeline, 'pv', since, until)) AS views, sum(crm.event_count(timeline, 'buy', since, until)) AS buys
	  FROM taobao.history, generate_series(0, 8) AS day,
		   LATERAL (SELECT '2017-11-25 00:00+08'::timestamptz + day * interval '1 day' AS since) AS a,
		   LATERAL (SELECT since + interval '1 day' AS until) AS b
	  GROUP BY day) AS x;

-- Put into the cart or kept as a favourite, and not bought within two days.
SELECT pg_temp.same_rows(
	$$SELECT (u).term, (u).demands, (u).unmet, (u).customers, (u).unmet_customers FROM (SELECT unnest(crm.unmet_demand('2 days', NULL, '{"cart": "item", "fav": "item"}', '{"buy": "item"}', timeline)) AS u FROM taobao.history) AS x$$,
	$$SELECT item_id::text, sum(demands)::bigint, sum(unmet)::bigint, count(*), count(*) FILTER (WHERE unmet = demands)
	  FROM (SELECT user_id, item_id, count(*) AS demands, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM taobao.event AS b WHERE b.behavior = 'buy' AND b.user_id = w.user_id AND b.item_id = w.item_id
			AND b.ts BETWEEN w.ts AND w.ts + interval '2 days')) AS unmet FROM taobao.event AS w WHERE behavior IN ('cart', 'fav') GROUP BY 1, 2) AS c GROUP BY 1$$, 'demands that no buy of the item followed: as in plain SQL');
\ir lib/report.sql
