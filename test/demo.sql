-- The checks of demo.sh, over the bank and the tags that demo/demo.sql left.
\ir real/lib/tally.sql
SET timezone = 'Asia/Shanghai';

SELECT pg_temp.same(found, expected, 'planted: ' || truth) FROM bank.truth_found ORDER BY no;
SELECT pg_temp.same(count(*), (SELECT count(*) FROM bank.truth), 'every truth is asked') FROM bank.truth_found;

-- The rules as plain SQL, with as_of as a column.
CREATE TEMP TABLE plain (tag text, value text, customer_id bigint);
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT d.name, d.value_type, v.rule FROM crm.tag_definition AS d JOIN crm.tag_version AS v USING (tag_id, version)
		WHERE v.rule !~ '\mtimeline\M' AND d.value_type <> 'numeric' AND d.population_id = (SELECT population_id FROM crm.population_definition WHERE name = 'bank') LOOP
		EXECUTE format(CASE t.value_type
			WHEN 'boolean' THEN 'INSERT INTO plain SELECT %L, NULL, customer_id FROM (SELECT *, closing AS as_of FROM bank.customer_360, bank.calendar) AS c WHERE %s'
			ELSE 'INSERT INTO plain SELECT %L, value, customer_id FROM (SELECT customer_id, (%s)::text AS value FROM (SELECT *, closing AS as_of FROM bank.customer_360, bank.calendar) AS c) AS v WHERE value IS NOT NULL'
			END, t.name, t.rule);
	END LOOP;
END
$$;
-- Rules over the timeline, asked of the rows.
INSERT INTO plain
SELECT 'app_transfers', NULL, customer_id FROM bank.event, bank.calendar
WHERE event = 'transfer' AND channel = 'app' AND occurred_at BETWEEN closing - interval '30 days' AND closing
GROUP BY customer_id HAVING count(*) >= 2
UNION ALL
SELECT 'loan_unsigned', NULL, customer_id FROM bank.loan
GROUP BY customer_id HAVING bool_or(step = 'loan application') AND NOT bool_or(step = 'loan signed');
CREATE TEMP TABLE recent AS
SELECT customer_id, closing - max(occurred_at) AS ago,
	   count(*) FILTER (WHERE event = 'login' AND occurred_at >= closing - interval '7 days') AS logins_7,
	   count(*) FILTER (WHERE event = 'complaint' AND occurred_at >= closing - interval '30 days') AS complaints_30,
	   count(*) FILTER (WHERE event = 'check balance') AS looks, count(*) FILTER (WHERE event = 'pay bill') AS bills,
	   count(*) FILTER (WHERE event = 'view funds' AND occurred_at >= closing - interval '7 days') AS funds_7,
	   count(*) FILTER (WHERE channel = 'branch') AS at_branch, count(*) FILTER (WHERE channel = 'branch' AND occurred_at >= closing - interval '30 days') AS at_branch_30,
	   count(*) FILTER (WHERE channel = 'app') AS in_app, count(*) FILTER (WHERE event = 'order' AND occurred_at >= closing - interval '60 days') AS orders_60,
	   count(*) FILTER (WHERE event = 'order') AS orders, count(*) FILTER (WHERE event = 'order' AND amount >= 5000) AS large_orders
FROM bank.journey, bank.calendar WHERE occurred_at >= closing - interval '365 days' GROUP BY customer_id, closing;
INSERT INTO plain
SELECT tag, NULL, customer_id FROM recent, LATERAL (VALUES
	('silent', ago > interval '90 days' AND ago <= interval '180 days'), ('logged_in_lately', logins_7 > 0), ('complained_lately', complaints_30 > 0),
	('balance_watcher', looks >= 6), ('bill_payer', bills >= 3), ('viewed_funds', funds_7 > 0), ('visited_branch', at_branch_30 > 0),
	('online_only', in_app > 0 AND at_branch = 0), ('branch_only', at_branch > 0 AND in_app = 0), ('valued_slipping', orders_60 = 0 AND orders >= 6), ('big_spender', large_orders > 0)
) AS t (tag, has) WHERE has;
ANALYZE plain;
SELECT pg_temp.note(count(DISTINCT tag) >= 60 AND count(DISTINCT kind) = 5, 'tags of five kinds') FROM plain JOIN crm.tag_catalog AS c USING (tag) WHERE c.population = 'bank';
SELECT pg_temp.same_rows(format('SELECT value, members FROM crm.segment_size WHERE population = ''bank'' AND tag = %L AND members > 0', tag),
						 format('SELECT value, count(*) FROM plain WHERE tag = %L GROUP BY value', tag), 'members of tag ' || tag)
FROM (SELECT DISTINCT tag FROM plain) AS t ORDER BY tag;
SELECT pg_temp.same_rows(format('SELECT crm.members(crm.tag(%L, %L, ''bank''))', tag, value),
						 format('SELECT customer_id FROM plain WHERE tag = %L AND value IS NOT DISTINCT FROM %L', tag, value),
						 format('customers of tag %s%s', tag, ': ' || value))
FROM (SELECT DISTINCT tag, value FROM plain) AS t
WHERE tag IN ('leaving', 'churn_risk', 'payday', '夜猫子', 'age_band', 'birthday_month', 'near_limit');

-- RFM against borders and scores in plain SQL.
CREATE TEMP TABLE plain_score AS
WITH measured AS (
	SELECT customer_id, floor(extract(epoch FROM closing - max(ordered_at)) / 86400)::int AS r, count(*) AS f, sum(amount::float8) AS m
	FROM bank.orders, bank.calendar GROUP BY customer_id, closing
), border AS (
	SELECT percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY r) AS r,
		   percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY f) AS f,
		   percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY m) AS m
	FROM measured
)
SELECT customer_id,
	   5 - (SELECT count(*) FROM unnest(border.r) AS b WHERE b < measured.r)::int AS r,
	   1 + (SELECT count(*) FROM unnest(border.f) AS b WHERE b < measured.f)::int AS f,
	   1 + (SELECT count(*) FROM unnest(border.m) AS b WHERE b < measured.m)::int AS m
FROM measured, border;
SELECT pg_temp.same_rows('SELECT customer_id, (score).recency, (score).frequency, (score).monetary FROM bank.rfm',
						 'SELECT customer_id, r, f, m FROM plain_score', 'RFM scores');

-- Behaviour against plain SQL.
SELECT pg_temp.same((SELECT sum(crm.event_count(timeline)) FROM bank.history), (SELECT count(*) FROM bank.journey)::numeric, 'events in timelines');
SELECT pg_temp.same_rows('SELECT customer_id, e.ts, e.event, e.value, e.attributes ->> ''channel'', e.attributes ->> ''product'' FROM bank.history, crm.events(timeline) AS e WHERE customer_id % 50 = 5',
						 'SELECT customer_id, occurred_at, event, amount::float8, channel, product FROM bank.journey WHERE customer_id % 50 = 5', 'rows of timelines');
CREATE TEMP TABLE plain_loan AS
SELECT customer_id, min(occurred_at) FILTER (WHERE step = 'loan calculator') AS began, min(occurred_at) FILTER (WHERE step = 'loan application') AS applied,
	   min(occurred_at) FILTER (WHERE step = 'loan signed') AS signed, min(occurred_at) FILTER (WHERE step = 'loan paid out') AS paid
FROM bank.loan GROUP BY customer_id;
SELECT pg_temp.same_rows('SELECT n, customers FROM bank.loan_funnel',
						 'SELECT n, count(*) FILTER (WHERE CASE n WHEN 1 THEN began IS NOT NULL WHEN 2 THEN applied <= began + interval ''336 hours''
							 WHEN 3 THEN signed <= began + interval ''336 hours'' ELSE paid <= began + interval ''336 hours'' END)
						  FROM plain_loan, generate_series(1, 4) AS n GROUP BY n', 'funnel of loans');
SELECT pg_temp.same_rows('SELECT customer_id, started, ended, events FROM bank.session',
						 'SELECT customer_id, min(occurred_at), max(occurred_at), count(*)
						  FROM (SELECT *, count(*) FILTER (WHERE fresh) OVER (PARTITION BY customer_id ORDER BY occurred_at) AS session
								FROM (SELECT *, occurred_at - lag(occurred_at) OVER (PARTITION BY customer_id ORDER BY occurred_at) > interval ''30 minutes'' AS fresh
									  FROM bank.journey WHERE channel = ''app'') AS e) AS s
						  GROUP BY customer_id, session', 'sessions');
CREATE TEMP TABLE plain_week AS
SELECT DISTINCT customer_id, date_trunc('week', occurred_at)::date AS week FROM bank.journey;
CREATE TEMP TABLE plain_cohort AS
SELECT customer_id, min(week) AS cohort FROM plain_week GROUP BY customer_id;
ANALYZE plain_week, plain_cohort;
SELECT pg_temp.same_rows('SELECT cohort, period, size, customers FROM bank.retention',
						 'SELECT cohort, period, count(DISTINCT c.customer_id), count(w.customer_id)
						  FROM plain_cohort AS c CROSS JOIN generate_series(0, 5) AS period
						  LEFT JOIN plain_week AS w ON w.customer_id = c.customer_id AND w.week = cohort + 7 * period
						  WHERE cohort + 7 * period <= (SELECT max(week) FROM plain_week) GROUP BY cohort, period', 'weekly retention');
CREATE TEMP TABLE plain_purchase AS
SELECT customer_id, ordered_at, amount, row_number() OVER () AS no, lag(ordered_at, 1, '-infinity') OVER (PARTITION BY customer_id ORDER BY ordered_at) AS before
FROM bank.orders WHERE product = 'fund';
ANALYZE plain_purchase;
SELECT pg_temp.same_rows('SELECT channel, round(conversions::numeric, 6), round(value::numeric, 4) FROM bank.fund_credit',
						 'SELECT channel, round(sum(1.0 / touches), 6), round(sum(amount / touches), 4)
						  FROM (SELECT ''view funds[channel='' || e.channel || '']'' AS channel, p.amount, count(*) OVER (PARTITION BY p.no) AS touches
								FROM plain_purchase AS p LEFT JOIN bank.event AS e ON e.customer_id = p.customer_id AND e.event = ''view funds''
									AND e.occurred_at > p.before AND e.occurred_at BETWEEN p.ordered_at - interval ''720 hours'' AND p.ordered_at) AS t
						  GROUP BY channel', 'linear attribution of funds');
SELECT pg_temp.same_rows('SELECT started, ended, bad_days, round(measured::numeric, 9) FROM bank.alert WHERE metric = ''crash_customer_share''',
						 'SELECT min(day), max(day), count(*)::int, round(avg(share), 9)
						  FROM (SELECT occurred_at::date AS day, count(DISTINCT customer_id) FILTER (WHERE event = ''crash'')::numeric / count(DISTINCT customer_id) AS share
								FROM bank.event WHERE channel = ''app'' GROUP BY 1) AS d WHERE share > 0.5', 'the outage');
SELECT pg_temp.same(count(*), 0::bigint, 'no other alert') FROM bank.alert WHERE metric NOT LIKE 'crash%';

-- The bank's pages: each part is there, and says what plain SQL says.
CREATE TEMP TABLE page AS
SELECT lang, crm.report('bank', lang, '{"funnel": {"steps": ["loan calculator", "loan application", "loan signed", "loan paid out"], "within": "14 days"}}') AS html FROM (VALUES ('en'), ('zh')) AS l (lang);
SELECT pg_temp.note(html LIKE '<!DOCTYPE html>%</html>' AND html NOT LIKE '%class="note warn"%', 'the report in ' || lang || ' is whole') FROM page;
SELECT pg_temp.same(array_agg(DISTINCT id[1]) @> ARRAY['overview', 'segments', 'behaviour', 'scores', 'coverage', 'freshness', 'funnel-title', 'retention-title', 'gain-1-title', 'segment-1-title'], true, 'sections and charts of the report in ' || lang)
FROM page, regexp_matches(html, ' id="([a-z0-9-]+)"', 'g') AS id GROUP BY lang;
SELECT pg_temp.note(html LIKE '%<td>loan paid out</td><td class="n">' || to_char((SELECT count(*) FILTER (WHERE paid <= began + interval '336 hours') FROM plain_loan), 'FM999,999') || '</td>%', 'its funnel') FROM page WHERE lang = 'en';
SELECT pg_temp.note(html LIKE '%<td>win back</td><td class="n">' || to_char((SELECT count(*) FROM bank.customer_360, bank.calendar
	WHERE may_contact AND total_assets <= 0.2 * assets_90_days_ago AND last_active_at < closing - interval '90 days'), 'FM999,999') || '</td>%', 'its segments') FROM page WHERE lang = 'en';
SELECT pg_temp.note(c.html LIKE '<!DOCTYPE html>%<th scope="row">money leaves</th><td class="n">%</html>', 'a customer''s page in ' || lang)
FROM page, LATERAL (SELECT crm.customer_page(min(m), 'bank', lang) AS html FROM crm.members(crm.tag('win back', population => 'bank')) AS m) AS c;

-- Every tag of both taxonomies evaluates over the bank: with all inputs mapped, to whatever is of their kind where a bank has nothing of the sort.
SELECT crm.create_population(name, 'bank.customer_360', 'customer_id', events => 'bank.journey', event_key => 'customer_id', event_time => 'occurred_at', event_name => 'event',
	event_value => 'amount', event_attributes => '{channel,product}') FROM unnest('{all of a bank,all of a shop}'::text[]) AS name;
CREATE TEMP TABLE mapped AS
SELECT 'bank' AS business, 'all of a bank' AS population, jsonb '{"birth_date": "birth_date", "gender": "gender", "city": "city", "occupation": "occupation", "branch": "branch",
	"opened_on": "opened_on", "contactable": "may_contact", "vip": "on_private_list", "risk_level": "occupation", "income": "salary", "payday": "payday", "assets": "total_assets",
	"assets_before": "assets_90_days_ago", "deposit": "deposit", "deposit_matures_on": "deposit_matures_on", "fund": "fund", "insurance": "fund / 2", "mortgage": "mortgage", "card_debt": "card_debt",
	"credit_limit": "credit_limit", "products": "products", "login": "login", "balance_check": "check balance", "transfer": "transfer", "bill_payment": "pay bill", "purchase": "order",
	"fund_view": "view funds", "loan_view": "view loans", "loan_application": "loan application", "loan_signed": "loan signed", "complaint": "complaint", "branch_visit": "*[channel=branch]",
	"online_visit": "*[channel=app]", "channel": "channel", "product": "product"}' AS mapping
UNION ALL SELECT 'retail', 'all of a shop', '{"birth_date": "birth_date", "gender": "gender", "city": "city", "member_since": "opened_on", "member_level": "occupation", "store": "branch", "contactable": "may_contact",
	"email": "name_en", "phone": "name", "points": "events_year * 100", "points_expire_on": "deposit_matures_on", "order": "order", "view": "view funds", "cart": "loan calculator", "wish": "view loans",
	"search": "check balance", "return": "crash", "review": "pay bill", "complaint": "complaint", "coupon_order": "order[product=travel]", "online_order": "order[product=electronics]",
	"store_order": "order[product=groceries]", "category": "product", "channel": "channel", "payment": "product"}';
SELECT pg_temp.same(count(*) FILTER (WHERE status = 'created'), (SELECT count(*) FROM crm.taxonomy(business)), 'all tags of taxonomy ' || business)
FROM mapped, crm.install_taxonomy(business, mapping, population) GROUP BY business;
SELECT pg_temp.note(events > 0, 'timelines of ' || population) FROM mapped, crm.refresh_timelines(population);
SELECT pg_temp.note(count(*) > 0, 'refresh of ' || population) FROM mapped, bank.calendar, crm.refresh_tags(population, as_of => closing, columns => 'today') GROUP BY population;
SELECT pg_temp.same(count(*), (SELECT count(*) FROM crm.taxonomy(business)), 'evaluated tags of taxonomy ' || business)
FROM mapped JOIN crm.tag_catalog USING (population) WHERE NOT stale AND refreshed_at IS NOT NULL GROUP BY business;
SELECT pg_temp.same(count(*), 2::bigint, 'both taxonomies') FROM mapped;

-- The same bank every time: what does not go through the C library's mathematics.
SELECT pg_temp.same(md5(string_agg(concat_ws('|', customer_id, name, name_en, gender, branch_no), ',' ORDER BY customer_id)),
					'bc19122bd62f1a5a8d726aa03c4da122', 'the same customers every time')
FROM bank.customer WHERE (SELECT count(*) FROM bank.customer) = 10000
HAVING count(*) > 0;
SELECT pg_temp.same(count(*), 20 * (SELECT count(*) FROM bank.customer), 'twenty events a customer') FROM bank.event;
SELECT pg_temp.same(count(*), 0::bigint, 'nothing happened before an account was opened')
FROM bank.journey JOIN bank.customer USING (customer_id) WHERE occurred_at < opened_on;

\ir real/lib/report.sql
