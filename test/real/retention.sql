-- Cohorts of a gift wholesaler by month (UCI Online Retail; the table of many tutorials) and daily users of Taobao, from
-- rows and from timelines; a simulated shop, whose incidents are too small for alerts on its three purchases a day.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/online_retail.csv.gz
\setenv CRM_COHORTS :shared/data/behavior/online_retail_cohorts.csv
\setenv CRM_TAOBAO :shared/data/behavior/taobao_behavior.csv
\setenv CRM_SHOP :shared/data/behavior/shop_events_simulated.csv.gz
\set absent `test -r "$CRM_FILE" -a -r "$CRM_COHORTS" -a -r "$CRM_TAOBAO" -a -r "$CRM_SHOP" && echo false || echo true`
\if :absent
	\echo 'ok - retention # skip no data/behavior'
	\quit
\endif

CREATE SCHEMA cohort;
CREATE TABLE cohort.line (
	invoice_no text, stock_code text, description text, quantity int, invoice_ts timestamp, unit_price numeric, customer_id bigint, country text
);
\copy cohort.line FROM PROGRAM 'zcat "$CRM_FILE"' (FORMAT csv, HEADER)
CREATE TABLE cohort.published (cohort_month text, month_index int, customers bigint);
\copy cohort.published FROM PROGRAM 'cat "$CRM_COHORTS"' (FORMAT csv, HEADER)

CREATE TABLE cohort.activity AS
SELECT customer_id, crm.activity_agg('month', invoice_ts AT TIME ZONE 'UTC') AS a
FROM cohort.line WHERE customer_id IS NOT NULL GROUP BY customer_id;
CREATE VIEW cohort.found AS
SELECT to_char(r.cohort, 'YYYY-MM') AS cohort_month, r.period AS month_index, r.customers
FROM (SELECT crm.retention_table(a) AS rows FROM cohort.activity) AS x, unnest(x.rows) AS r;
SELECT pg_temp.same(count(*), 91::bigint, 'published: 91 cells of the cohort table') FROM cohort.found;
SELECT pg_temp.same_rows('TABLE cohort.found', 'TABLE cohort.published', 'published: the cohort table, from rows');
SELECT pg_temp.same_rows(
	$$SELECT to_char(r.cohort, 'YYYY-MM'), r.period, r.customers FROM (SELECT crm.retention_table(crm.activity(t.timeline, 'month')) AS rows
		FROM crm.timelines('SELECT customer_id, invoice_ts AT TIME ZONE ''UTC'', ''invoice'' FROM cohort.line') AS t) AS x, unnest(x.rows) AS r$$,
	'TABLE cohort.published', 'published: the cohort table, from timelines');
SELECT pg_temp.same(array_agg(customers ORDER BY month_index), ARRAY[948, 362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260]::bigint[],
	'published: the first cohort') FROM cohort.found WHERE cohort_month = '2010-12';
SELECT pg_temp.same_rows(
	'SELECT l.period, l.active, l.new FROM (SELECT crm.life_cycle(a) AS rows FROM cohort.activity) AS x, unnest(x.rows) AS l',
	$$SELECT month, count(*), count(*) FILTER (WHERE month = first) FROM (SELECT DISTINCT customer_id, date_trunc('month', invoice_ts)::date AS month,
		min(date_trunc('month', invoice_ts)::date) OVER (PARTITION BY customer_id) AS first FROM cohort.line WHERE customer_id IS NOT NULL) AS m GROUP BY month$$,
	'active and new customers by month');

CREATE TABLE cohort.taobao (user_id bigint, item_id bigint, category_id bigint, behavior text, epoch bigint, ts timestamptz);
\copy cohort.taobao FROM PROGRAM 'cat "$CRM_TAOBAO"' (FORMAT csv, HEADER)
SELECT pg_temp.same(array_agg(u.daily ORDER BY u.day), ARRAY[30, 32, 27, 33, 33, 29, 33, 42, 41]::bigint[], 'published: daily users of Taobao, China time')
FROM (SELECT crm.active_users(a) AS rows FROM (SELECT crm.activity_agg('day', 'Asia/Shanghai', ts) AS a FROM cohort.taobao GROUP BY user_id) AS y) AS x, unnest(x.rows) AS u
WHERE u.day BETWEEN '2017-11-25' AND '2017-12-03';
SELECT pg_temp.same(array_agg(d.active ORDER BY d.day), ARRAY[30, 32, 27, 33, 33, 29, 33, 42, 41]::bigint[], 'the same through app_daily')
FROM crm.app_daily('SELECT user_id, ts, behavior FROM cohort.taobao', 'Asia/Shanghai') AS d WHERE d.day BETWEEN '2017-11-25' AND '2017-12-03';
SELECT pg_temp.same(sum(d.sessions)::bigint, (SELECT count(*) FROM (SELECT ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) AS gap FROM cohort.taobao) AS g
	WHERE gap IS NULL OR gap > '30 minutes'), 'sessions of Taobao with a gap of 30 minutes')
FROM crm.app_daily('SELECT user_id, ts, behavior FROM cohort.taobao', 'Asia/Shanghai') AS d;

CREATE TABLE cohort.shop (user_id text, session_id text, event text, ts timestamptz, platform text, acquisition_channel text, user_cohort text, user_lifecycle text);
\copy cohort.shop FROM PROGRAM 'zcat "$CRM_SHOP"' (FORMAT csv, HEADER)
SELECT pg_temp.same_rows(
	$$SELECT day, active FROM crm.app_daily('SELECT substr(user_id, 6)::bigint, ts, event FROM cohort.shop') WHERE active > 0$$,
	'SELECT ts::date, count(DISTINCT user_id) FROM cohort.shop GROUP BY 1', 'daily users of a simulated shop');
SELECT pg_temp.same(count(*), 0::bigint, 'no alert in a simulated shop') FROM crm.app_alerts('SELECT substr(user_id, 6)::bigint, ts, event FROM cohort.shop');
\ir lib/report.sql
