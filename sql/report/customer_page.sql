-- One customer's page: what is on it, for whom.
SET search_path = crm, public;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
CREATE DOMAIN amount_of_money AS numeric(12, 2) CHECK (value >= 0);
CREATE DOMAIN amount_spent AS amount_of_money;
CREATE TABLE page_customer (id text PRIMARY KEY, name text, city text, spent amount_spent, born date, may_contact boolean, branch text, note text);
INSERT INTO page_customer
SELECT 'c' || i, CASE i WHEN 1 THEN '<script>alert(1)</script>' WHEN 2 THEN '李伟' ELSE 'Customer ' || i END, (ARRAY['Berlin', '上海', '<b>Paris</b>'])[i % 3 + 1], i * 10, date '1970-01-01' + i, i % 4 > 0,
	CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END, '"><img src=x onerror=alert(1)>'
FROM generate_series(1, 40) i;
CREATE TABLE page_event (customer text, at timestamptz, event text, amount numeric, channel text);
INSERT INTO page_event SELECT 'c' || (i % 40 + 1), timestamptz '2026-01-01 10:00Z' + i * interval '20 hours', (ARRAY['visit', 'order', '</td><script>'])[i % 3 + 1], CASE WHEN i % 3 = 1 THEN i END, 'app' FROM generate_series(1, 400) i;
SELECT create_population('page', 'page_customer', 'id', events => 'page_event', event_key => 'customer', event_time => 'at', event_name => 'event', event_value => 'amount', event_attributes => '{channel}');
SELECT create_tag('contactable', 'may_contact'), create_tag('city', 'city'), create_tag('churn_risk', $$CASE WHEN spent >= 300 THEN 'high' ELSE 'low' END$$, 'predictive'),
	create_tag('big', 'spent > 200', 'correlation'), create_tag('ordered', $$event_count(timeline, 'order') >= 3$$, 'personality');
SELECT register_tag_title('churn_risk', 'zh', '流失风险', value_titles => '{"high": "高"}');
SELECT events FROM refresh_timelines();
SELECT count(*) FROM refresh_tags(as_of => '2027-01-01', columns => 'today');

-- Its parts, without tags of HTML.
CREATE FUNCTION plain(html text) RETURNS text LANGUAGE sql RETURN
	regexp_replace(replace(regexp_replace(regexp_replace(html, '<(/tr|/li|/h.|/p|/caption)>', chr(10), 'g'), '<[^>]+>', ' ', 'g'), '&#39;', ''''), '\d{4}-\d\d-\d\d \d\d:\d\d', '(time)', 'g');
SELECT priority, action, tag, value, title, stops FROM next_actions('page', profile('c31') -> 'tags', 'en');
SELECT priority, action, tag, value, title, stops FROM next_actions('page', profile('c31') -> 'tags', 'zh');
SELECT priority, action, tag, value, title, stops FROM next_actions('page', profile('c32') -> 'tags', 'en');
SELECT count(*) AS nothing FROM next_actions('page', profile('c1') -> 'tags', 'en');
SELECT plain(customer_reasons('c31', 'page', profile('c31') -> 'tags', 'en', 'UTC', 3));
SELECT plain(customer_reasons('c31', 'page', profile('c31') -> 'tags', 'zh', 'UTC', 3));
SELECT plain(customer_timeline_part('c3', 'page', 'en', 'Asia/Shanghai', 4));
SELECT plain(customer_timeline_part('nobody', 'page', 'en', 'UTC', 4));
SELECT plain(customer_scores('page', profile('c3') -> 'customer', NULL, 'en'));

-- What the clock brings within a month, of tags that ask for something.
BEGIN;
SELECT create_tag('silent', $$born < as_of - interval '10 years'$$, 'timeliness'), create_tag('seen', $$born < as_of - interval '10 years'$$, 'timeliness');
SELECT register_tag_title('silent', 'zh', '沉默');
UPDATE page_customer SET born = (now() - interval '10 years' + interval '12 days')::date WHERE id = 'c5';
UPDATE page_customer SET born = (now() - interval '10 years' + interval '120 days')::date WHERE id = 'c6';
SELECT id, plain(customer_soon(id, 'page', '{}', 'zh', 'UTC')) AS soon FROM page_customer WHERE id IN ('c5', 'c6', 'c7') ORDER BY id;
SELECT plain(customer_soon('c5', 'page', '{"timeliness": [{"tag": "silent"}]}', 'en', 'UTC')) AS soon;
ROLLBACK;

-- Own rules stand in for shipped ones, or take them away.
INSERT INTO next_action_rule (tag, value, action, action_zh, priority) VALUES ('churn_risk', 'high', 'Send flowers & chocolate', '送花', 5), ('big', NULL, 'Say thank you', NULL, 6);
SELECT priority, action, title FROM next_actions('page', profile('c31') -> 'tags', 'en');
SELECT priority, action, title FROM next_actions('page', profile('c31') -> 'tags', 'zh');
UPDATE next_action_rule SET action = NULL WHERE tag = 'churn_risk';
SELECT priority, action, title FROM next_actions('page', profile('c31') -> 'tags', 'en');
INSERT INTO next_action_rule (tag, value) VALUES ('big', NULL);
INSERT INTO next_action_rule (tag, value, absent) VALUES ('big', 'x', true);
DELETE FROM next_action_rule;

-- The whole.
SELECT p LIKE '<!DOCTYPE html>%</html>' AS whole, length(p) < 40000 AS small, p LIKE '%<script%' AS has_script, p LIKE '%<img%' AS has_image, p LIKE '%&lt;script&gt;alert(1)&lt;/script&gt;%' AS shown_as_text,
	substring(p FROM '<title>([^\n]*)</title>') AS title
FROM customer_page('c1') AS p;
SELECT regexp_matches(p, '<h[1-4][^>]*>([^<]*)</h[1-4]>', 'g') AS heading FROM customer_page('c2', 'page', 'zh', '{"reasons": 1, "events": 2}') AS p;
SELECT plain(substring(p FROM '<section id="next".*?</section>')) FROM customer_page('c31', lang => 'zh') AS p;
SELECT customer_page('c99') IS NULL AS nobody, customer_page(NULL::text) IS NULL AS no_key, customer_page(31) IS NULL AS no_such_number;
SELECT customer_page('c1', lang => 'fr');
SELECT customer_page('c1', 'nowhere');
SELECT customer_page('c1', options => '{"reason": 1}');
SELECT customer_page('c1', options => '[]');

-- Scores: a model finds its columns; one that needs others is left out, unless it is named.
SELECT train('spends', 'linear', 'SELECT city, born, spent FROM page_customer', 'spent') ->> 'version' AS version;
SELECT train('elsewhere', 'linear', 'SELECT 1.5 * spent AS other, spent FROM page_customer', 'spent') ->> 'version' AS version;
SELECT regexp_replace(plain(customer_scores('page', profile('c3') -> 'customer', NULL, 'en')), '-?[0-9.]*[0-9]', 'n', 'g') AS scores;
SELECT plain(customer_scores('page', profile('c3') -> 'customer', '{elsewhere,nothing}', 'en'));
SELECT abs(replace((regexp_match(customer_scores('page', profile(id) -> 'customer', '{spends}', 'en'), '<td class="n">([^<]*)</td>'))[1], ',', '')::float8 - predict('spends', c)) < 0.001 AS same_score
FROM page_customer c WHERE id IN ('c3', 'c40');

-- What may be wanted next, and what argues for it; not for whom nobody may call.
SELECT store_model('what next', (SELECT recommend_fit(i, item) FROM generate_series(1, 60) i, unnest(ARRAY['order', CASE WHEN i % 3 > 0 THEN '<b>cake</b>' END, CASE WHEN i % 4 = 0 THEN 'visit' END]) item));
SELECT plain(customer_recommendations('c3', 'page', '{"model": "what next", "event": "order"}', 'en'));
SELECT plain(customer_recommendations('nobody', 'page', '{"model": "what next", "items": 1}', 'zh'));
SELECT plain(customer_recommendations('c3', 'page', '{"model": "none"}', 'en'));
SELECT id, customer_page(id, options => '{"recommend": {"model": "what next", "event": "order"}}') LIKE '%&lt;b&gt;cake&lt;/b&gt;%' AS offered FROM page_customer WHERE id IN ('c3', 'c4') ORDER BY id;
SELECT customer_page('c3', options => '{"recommend": {"event": "order"}}');
SELECT drop_model('what next');

-- Others see what they may see: rows by row-level security, columns by their grants, models by theirs.
CREATE ROLE regress_page_agent;
GRANT USAGE ON SCHEMA crm TO regress_page_agent;
GRANT SELECT (id, name, city, branch) ON page_customer TO regress_page_agent;
ALTER TABLE page_customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY south_only ON page_customer FOR SELECT TO regress_page_agent USING (branch = 'south');
SELECT grant_population('page', 'regress_page_agent');
SET ROLE regress_page_agent;
SELECT customer_page('c2') IS NULL AS other_branch, customer_page('c1') IS NOT NULL AS own_branch, customer_page('c1') LIKE '%onerror%' AS unreadable_column_shown;
SELECT customer_page('c31') LIKE '%decided%' AS x, plain(substring(p FROM '<section id="known".*?</section>')) AS known, plain(substring(p FROM '<section id="scores".*?</section>')) AS scores FROM customer_page('c31', options => '{"models": ["spends"]}') AS p;
SELECT plain(customer_reasons('c31', 'page', '{"predictive": [{"tag": "churn_risk", "value": "high", "share": 0.1}]}', 'en', 'UTC', 1));
INSERT INTO next_action_rule (tag, action) VALUES ('big', 'anything');
RESET ROLE;
SELECT grant_model('spends', 'regress_page_agent');
GRANT SELECT ON page_customer TO regress_page_agent;
SET ROLE regress_page_agent;
SELECT customer_page('c31', options => '{"models": ["spends"]}') LIKE '%<th scope="row">spends</th><td class="n">%</td>%' AS scored, customer_page('c31') LIKE '%"row">spends%' AS found_by_itself;
RESET ROLE;

-- No check of a domain runs, of elements neither: its owner's function would run with the reader's rights.
CREATE FUNCTION checks(value int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RETURN current_setting('page.checks') = 'on'; END$$;
CREATE DOMAIN checked AS int CHECK (checks(value));
CREATE TYPE with_checked AS (part checked);
SET page.checks = 'on';
ALTER TABLE page_customer ADD parts checked[], ADD whole with_checked;
UPDATE page_customer SET parts = '{1, 2}', whole = '(1)' WHERE id = 'c31';
SET page.checks = 'off';
SELECT customer_page('c31', options => '{"models": ["spends"]}') LIKE '%<th scope="row">spends</th><td class="n">%</td>%' AS scored;

SELECT drop_population('page'), drop_model('spends'), drop_model('elsewhere');
DROP TABLE page_customer, page_event;
DROP DOMAIN amount_spent, amount_of_money;
DROP TYPE with_checked;
DROP DOMAIN checked;
DROP FUNCTION checks;
DROP FUNCTION plain;
REVOKE USAGE ON SCHEMA crm FROM regress_page_agent;
DROP ROLE regress_page_agent;
