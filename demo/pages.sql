-- Part of demo.sql: what the pages that run.sh writes in the end are made from.
\set ECHO queries
SELECT crm.define_segment('win back', 'leaving & contactable', 'bank', description => 'whom to call before the money is gone (挽留名单)'),
	crm.define_segment('fund talk', '(likely_investor | looks_without_fund) & contactable', 'bank', description => 'look at funds and have none (理财意向名单)') \g /dev/null
SELECT segment, members, round(share::numeric, 4) AS share FROM crm.segment_catalog WHERE population = 'bank' ORDER BY members DESC;
\set ECHO none
\echo '-- A model over the columns as they are; the customers'' pages find it by itself.'
\set ECHO queries
SELECT round((crm.train('money leaves', 'logistic', 'SELECT branch, occupation, products, salary, opened_on, orders_year, total_assets <= 0.2 * assets_90_days_ago AS left_us
	FROM bank.customer_360', 'left_us') #>> '{metrics,auc}')::numeric, 2) AS auc;
\set ECHO none
\echo '-- What do those buy who buy the same?'
\set ECHO queries
SELECT crm.store_model('what next', (SELECT crm.recommend_fit(customer_id, product) FROM bank.orders)) AS version;
\set ECHO none
SELECT min(m) AS call FROM crm.members(crm.tag('win back', population => 'bank')) AS m \gset
SELECT min(m) AS silent FROM crm.members(crm.segment('leaving - contactable', 'bank')) AS m \gset
\echo '-- What to do next with two of the customers who are leaving, and which tag asks for it; the second one has not agreed to be called.'
\set ECHO queries
SELECT customer, action, title AS because
FROM unnest(ARRAY[:call, :silent]::bigint[]) AS customer, crm.next_actions('bank', crm.profile(customer, 'bank') -> 'tags', 'en');
SELECT customer, action, title AS because
FROM unnest(ARRAY[:call, :silent]::bigint[]) AS customer, crm.next_actions('bank', crm.profile(customer, 'bank', language => 'zh') -> 'tags', 'zh');
\set ECHO none
