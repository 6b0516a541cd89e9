-- What crm_analytics does, over the bank of data.sql: every statement is shown
-- with its answer.  demo/run.sh runs it after data.sql.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset null ''
\pset pager off
SET timezone = 'Asia/Shanghai';

\echo
\echo '== 1. The bank: ordinary tables, and one view with one row per customer'
\echo
SELECT (SELECT count(*) FROM bank.customer) AS customers, (SELECT count(*) FROM bank.account) AS accounts,
	   (SELECT count(*) FROM bank.event) AS events, (SELECT count(*) FROM bank.orders) AS orders,
	   (SELECT count(*) FROM bank.salary) AS salaries;

\echo '== 2. Tags (标签): a rule is an SQL expression over that view'
\echo
\echo '   crm.create_population(''bank'', ''bank.customer_360'', key => ''customer_id'')'
\echo '   crm.create_tag(''dormant'', ''last_active_at < as_of - interval ''''180 days'''''', ''timeliness'')   ... and so on: demo/tags.sql'
\ir tags.sql
\echo
\echo '   A rule may ask what the customer did, too: the events of each become one sorted value, his timeline (时间线).'
\echo
\set ECHO queries
SELECT events, customers FROM crm.refresh_timelines('bank', period => 'year');
\set ECHO none
\echo '   One scan evaluates all of them and stores who has which.  Some of the result:'
\echo
\set ECHO queries
CREATE TEMP TABLE refreshed AS
SELECT * FROM crm.refresh_tags('bank', as_of => (SELECT closing FROM bank.calendar), columns => 'today');
\set ECHO none
SELECT kind, d.name AS tag, string_agg(coalesce(value || ': ', '') || members, ',  ' ORDER BY members DESC) AS customers
FROM refreshed AS r JOIN crm.tag_definition AS d ON d.name = r.tag
WHERE d.name NOT IN ('branch', 'occupation', 'favourite')
GROUP BY kind, d.name
ORDER BY array_position(ARRAY['base', 'timeliness', 'correlation', 'predictive', 'personality'], kind), min(d.tag_id);

\echo '== 3. Questions of the business, asked in words of the business'
\echo
\echo '-- Rich and not seen for half a year: whom do we call first?'
\set ECHO queries
SELECT crm.cardinality(crm.segment('dormant & wealth = "private"')) AS customers;
SELECT c.name, c.name_en, c.branch, c.total_assets, c.last_active_at::date AS last_seen
FROM bank.customer_360 AS c
WHERE c.customer_id <@ crm.segment('dormant & wealth = "private" & contactable')
ORDER BY c.total_assets DESC LIMIT 5;
\set ECHO none
\echo '-- A campaign for funds: large deposits without a fund, or interest shown; not those who complained.'
\set ECHO queries
SELECT crm.cardinality(crm.segment('(存款不理财 | likely_investor) & contactable - complainer')) AS customers;
\set ECHO none
\echo '-- Where do customers leave?'
\set ECHO queries
SELECT branch, count(*) AS customers, count(*) FILTER (WHERE leaving) AS leaving,
	   round(100.0 * count(*) FILTER (WHERE leaving) / count(*), 1) AS percent
FROM (SELECT branch, customer_id <@ crm.tag('leaving') AS leaving FROM bank.customer_360) AS c
GROUP BY branch ORDER BY percent DESC LIMIT 3;
\set ECHO none

\echo '== 4. Audiences (人群) are values: keep them, combine them, compare them'
\echo
\set ECHO queries
CREATE TABLE bank.campaign AS
SELECT 'win back' AS campaign, crm.segment('leaving | churn_risk = "high"') AS audience
UNION ALL SELECT 'card for salary', crm.segment('salary_without_card & active')
UNION ALL SELECT 'late app offer', crm.segment('夜猫子 & channel = "online"');
SELECT a.campaign, crm.cardinality(a.audience) AS customers, b.campaign AS other,
	   crm.and_cardinality(a.audience, b.audience) AS in_both, crm.or_cardinality(a.audience, b.audience) AS in_either,
	   round(crm.jaccard(a.audience, b.audience)::numeric, 4) AS jaccard
FROM bank.campaign AS a JOIN bank.campaign AS b ON a.campaign < b.campaign;
\set ECHO none

\echo '== 5. How good are our tags? (标签细化程度和覆盖范围)'
\echo
\set ECHO queries
SELECT bucket AS tags_per_customer, customers, round(100 * value) AS percent FROM crm.tag_coverage WHERE measure = 'tags per customer';
SELECT tag, round(100 * max(value) FILTER (WHERE measure = 'coverage')::numeric, 1) AS percent_covered,
	   max(value) FILTER (WHERE measure = 'values') AS "values",
	   round(max(value) FILTER (WHERE measure = 'effective values')::numeric, 1) AS effective_values
FROM crm.tag_coverage WHERE tag IS NOT NULL
GROUP BY tag ORDER BY effective_values DESC, percent_covered DESC LIMIT 12;
\set ECHO none

\echo '== 6. Recency, frequency, money (RFM): segments from the orders'
\echo
\set ECHO queries
CREATE TABLE bank.rfm AS
SELECT customer_id, summary, crm.rfm_score(summary, closing, 5) OVER () AS score
FROM (SELECT customer_id, crm.rfm_agg(ordered_at, amount::float8) AS summary FROM bank.orders GROUP BY customer_id) AS s,
	 bank.calendar;
SELECT crm.rfm_segment(score) AS segment, count(*) AS customers,
	   round(100 * sum((summary).monetary) / sum(sum((summary).monetary)) OVER ()) AS percent_of_revenue,
	   round(avg((summary).frequency), 1) AS orders_each, round(avg((summary).monetary)::numeric) AS spent_each
FROM bank.rfm GROUP BY segment ORDER BY sum((summary).monetary) DESC;
\set ECHO none

\echo '== 7. Portraits (用户画像) of three customers, for the next call'
\echo
\pset format unaligned
\pset tuples_only on
\set ECHO queries
SELECT format(E'\n%s:\n%s', upper(who), crm.profile(id) ->> 'sentence')
FROM (VALUES ('rich and silent', 101), ('leaving', 7), ('private banking', 511)) AS customer (who, id);
\set ECHO none
\echo
\set ECHO queries
SELECT crm.profile(7, language => 'zh') ->> 'sentence';
\set ECHO none
\pset tuples_only off
\pset format wrapped
\pset columns 120
\echo
\set ECHO queries
SELECT who, kind, string_agg(concat_ws(' = ', tag, value), ', ') AS tags
FROM (VALUES (1, 'rich, silent', 101), (2, 'leaving', 7), (3, 'private banking', 511)) AS customer (n, who, id), crm.tags_of(id)
GROUP BY n, who, kind ORDER BY n, array_position(ARRAY['base', 'timeliness', 'correlation', 'predictive', 'personality'], kind);
\set ECHO none
\pset format aligned
\echo '   crm.profile is jsonb: the customer''s own columns, his tags with their meaning and rarity, and that sentence.'
\echo

\echo '== 8. Behaviour (行为分析): what customers do, in which order, and whether they come back'
\echo
\echo '-- The whole year of every customer, put together once for the questions below.'
\set ECHO queries
CREATE TABLE bank.history AS SELECT customer_id, timeline FROM crm.customer_timelines WHERE population = 'bank';
SELECT count(*) AS customers, sum(crm.event_count(timeline)) AS events, pg_size_pretty(sum(pg_column_size(timeline))) AS size FROM bank.history;
\set ECHO none
\echo '-- Loans begin in the app and end at the counter: how far do customers get within two weeks (漏斗)?'
\set ECHO queries
CREATE TABLE bank.loan_funnel AS
SELECT step, n, count(*) FILTER (WHERE level >= n) AS customers
FROM (SELECT crm.window_funnel(timeline, '14 days', ARRAY['loan calculator', 'loan application', 'loan signed', 'loan paid out']) AS level
	  FROM bank.history) AS f,
	 unnest(ARRAY['loan calculator', 'loan application', 'loan signed', 'loan paid out']) WITH ORDINALITY AS s (step, n)
GROUP BY step, n;
SELECT step, customers, round(100.0 * customers / first_value(customers) OVER (ORDER BY n)) AS percent FROM bank.loan_funnel ORDER BY n;
\set ECHO none
\echo '-- Who applied and did not sign is a tag, with a rule over the timeline.  Call whom we may:'
\set ECHO queries
SELECT crm.cardinality(crm.tag('loan_unsigned')) AS unsigned, crm.cardinality(crm.segment('loan_unsigned & contactable')) AS call_them,
	   crm.cardinality(crm.tag('app_transfers')) AS transferring_in_the_app;
\set ECHO none
\echo '-- Sessions (会话): how long is a visit to the app?  A new one begins after half an hour without an event.'
\set ECHO queries
CREATE TABLE bank.session AS
SELECT customer_id, s.started, s.ended, s.events
FROM bank.history, crm.sessions(crm.timeline_only(timeline, '*[channel=app]'), '30 minutes') AS s;
SELECT least(events, 3) || CASE WHEN events > 2 THEN ' or more' ELSE '' END AS events, count(*) AS sessions,
	   date_trunc('second', avg(ended - started)) AS mean_length
FROM bank.session GROUP BY 1 ORDER BY 1;
\set ECHO none
\echo '-- Retention (留存): of those first seen in a week, the percentage seen again so many weeks later.'
\set ECHO queries
CREATE TABLE bank.retention AS
SELECT r.cohort, r.size, r.period, r.customers, r.share
FROM (SELECT crm.retention_table(5, crm.activity(timeline, 'week', 'Asia/Shanghai')) AS rows FROM bank.history) AS t, unnest(t.rows) AS r;
SELECT cohort AS week_of, size AS customers, string_agg(round(100 * share) || ' %', ', ' ORDER BY period) AS seen_again_1_to_5_weeks_later
FROM bank.retention WHERE cohort BETWEEN '2026-08-03' AND '2026-08-31' AND period > 0 GROUP BY cohort, size ORDER BY cohort;
\set ECHO none
\echo '-- Attribution (归因): where did those who bought a fund look at funds in the month before?'
\set ECHO queries
CREATE TABLE bank.fund_credit AS
SELECT c.channel, c.conversions, c.value
FROM (SELECT crm.attribution('linear', path, conversions, non_conversions, value) AS credits
	  FROM bank.history, crm.touch_paths(timeline,
		   ARRAY['view funds[channel=app]', 'view funds[channel=web]', 'view funds[channel=branch]', 'view funds[channel=phone]'],
		   'order[product=fund]', '30 days')) AS a, unnest(a.credits) AS c;
SELECT coalesce(channel, '(had not looked)') AS channel, round(conversions::numeric, 1) AS purchases, round(value::numeric) AS value
FROM bank.fund_credit ORDER BY conversions DESC;
\set ECHO none

\echo '== 9. The app (移动运营监控): one query of events in, a row a day out, and an alert for what is unusual'
\echo
\set ECHO queries
SELECT day, active, weekly, new, sessions, crash_sessions, round(100 * crash_session_share::numeric, 1) AS percent
FROM crm.app_daily('SELECT customer_id, occurred_at, event FROM bank.event WHERE channel = ''app''', 'Asia/Shanghai')
WHERE day BETWEEN '2026-09-19' AND '2026-09-24';
CREATE TABLE bank.alert AS
SELECT * FROM crm.app_alerts('SELECT customer_id, occurred_at, event FROM bank.event WHERE channel = ''app''', 'Asia/Shanghai');
SELECT metric, started, ended, bad_days, round(expected::numeric, 3) AS expected, round(measured::numeric, 3) AS measured FROM bank.alert;
\set ECHO none

\echo '== 10. A starter taxonomy (标签体系): the tags that a bank usually wants, over a mapping of columns and events'
\echo
\set ECHO queries
SELECT status, count(*) AS tags
FROM crm.install_taxonomy('bank', '{"birth_date": "birth_date", "gender": "gender", "city": "city", "occupation": "occupation", "branch": "branch",
	"opened_on": "opened_on", "contactable": "may_contact", "vip": "on_private_list", "income": "salary", "payday": "payday",
	"assets": "total_assets", "assets_before": "assets_90_days_ago", "deposit": "deposit", "deposit_matures_on": "deposit_matures_on",
	"fund": "fund", "mortgage": "mortgage", "card_debt": "card_debt", "credit_limit": "credit_limit", "products": "products",
	"login": "login", "balance_check": "check balance", "transfer": "transfer", "bill_payment": "pay bill", "purchase": "order",
	"fund_view": "view funds", "loan_view": "view loans", "loan_application": "loan application", "loan_signed": "loan signed",
	"complaint": "complaint", "branch_visit": "*[channel=branch]", "online_visit": "*[channel=app]", "channel": "channel", "product": "product"}')
GROUP BY status ORDER BY status;
\set ECHO none
\echo '-- All of them in one scan, the questions to the timeline included.  Tags that were there under a name stay as they are; what is not mapped is skipped.'
\set ECHO queries
CREATE TEMP TABLE installed AS
SELECT r.*, d.kind FROM crm.refresh_tags('bank', as_of => (SELECT closing FROM bank.calendar), columns => 'today') AS r
JOIN crm.tag_definition AS d ON d.name = r.tag;
SELECT kind, count(DISTINCT tag) AS tags, count(*) AS "values", max(members) AS most_customers FROM installed
GROUP BY kind ORDER BY array_position(ARRAY['base', 'timeliness', 'correlation', 'predictive', 'personality'], kind);
\set ECHO none
\echo '-- What would be needed for the rest?'
\set ECHO queries
SELECT tag, detail FROM crm.install_taxonomy('bank', '{}') WHERE tag IN ('has_insurance', 'risk_level');
\set ECHO none
\echo '-- Tags and values have titles, and the portrait speaks the language of its reader:'
\pset format unaligned
\pset tuples_only on
\set ECHO queries
SELECT crm.profile(7, language => 'zh') ->> 'sentence';
SELECT crm.profile(7) ->> 'sentence';
\set ECHO none
\pset tuples_only off
\pset format aligned
\echo

\echo '== 11. Exact at every moment (实时): an order arrives, the tags change at once, and the explanation says why'
\echo
\ir live.sql

\echo '== 12. Before the call (客户页面), and on one page (报告): crm.customer_page and crm.report'
\echo
\ir pages.sql

\echo '== 13. Is it right?  What was planted in the data, and what was found'
\echo
\ir truths.sql
\ir check.sql
SELECT no, truth, expected, found, CASE WHEN found = expected THEN 'yes' ELSE 'NO' END AS right FROM bank.truth_found ORDER BY no;
