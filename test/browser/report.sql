-- A report and two customers' pages over a small shop whose data is out to be more than text, in both languages.
SET timezone = 'UTC';
\set hostile '</script><script>alert(1)</script><img src=x onerror=alert(1)>"''&<!--'
CREATE SCHEMA pages;
CREATE TABLE pages.customer (id int PRIMARY KEY, name text, city text, stage text, spent numeric, born date, may_contact boolean, note text);
INSERT INTO pages.customer
SELECT i, CASE i WHEN 1 THEN :'hostile' WHEN 2 THEN '李伟' ELSE 'Customer ' || i END, (ARRAY['Berlin', '上海', :'hostile', 'Paris', '成都'])[i * i % 7 % 5 + 1],
	(ARRAY['new', 'regular', 'leaving'])[i % 10 / 4 + 1], i * 7919 % 1000, date '1960-01-01' + i * 9, i % 9 > 0, :'hostile'
FROM generate_series(1, 2000) i;
CREATE TABLE pages.event (customer int, at timestamptz, event text, amount numeric, channel text);
INSERT INTO pages.event
SELECT c, timestamptz '2026-02-01 08:00Z' + (c % 90 + (i * i * 7 + c) % (1 + c % 120)) * interval '1 day' + i * interval '20 minutes',
	CASE WHEN i % 9 = 8 THEN :'hostile' ELSE (ARRAY['visit', 'search', 'cart', 'order', 'help'])[(i * 3 + c) % 5 + 1] END, CASE WHEN (i * 3 + c) % 5 = 3 THEN c % 90 + i END, (ARRAY['app', 'web', :'hostile'])[c % 3 + 1]
FROM generate_series(1, 2000) c, generate_series(0, 11) i;
SELECT crm.create_population('shop', 'pages.customer', 'id', description => :'hostile', events => 'pages.event', event_key => 'customer', event_time => 'at', event_name => 'event', event_value => 'amount', event_attributes => '{channel}') \g /dev/null
SELECT crm.create_tag('city', 'city'), crm.create_tag('contactable', 'may_contact'), crm.create_tag('stage', 'stage', 'correlation'), crm.create_tag('spent', 'spent', 'predictive'),
	crm.create_tag('churn_risk', 'CASE WHEN spent < 100 THEN ''high'' WHEN spent < 400 THEN ''medium'' ELSE ''low'' END', 'predictive'),
	crm.create_tag('likely_coupon', 'spent BETWEEN 300 AND 500', 'predictive'), crm.create_tag('alone', 'id = 77', 'timeliness'),
	crm.create_tag('silent', $$crm.last_event(timeline) < as_of - interval '90 days'$$, 'timeliness'), crm.create_tag(:'hostile', 'spent > 900', 'timeliness'),
	crm.create_tag('birthday_month', 'extract(month FROM born) = extract(month FROM as_of)', 'timeliness'), crm.create_tag('night', $$crm.event_count(timeline, 'order') > 2$$, 'personality') \g /dev/null
SELECT crm.register_tag_title('churn_risk', 'zh', '流失风险', value_titles => '{"high": "高", "medium": "中", "low": "低"}'), crm.register_tag_title('stage', 'en', 'Stage of the customer <b>'),
	crm.register_tag_title('stage', 'zh', '客户阶段', value_titles => '{"new": "新客户", "regular": "常客", "leaving": "流失中"}') \g /dev/null
SELECT crm.refresh_timelines('shop') \g /dev/null
SELECT crm.refresh_tags('shop', as_of => '2026-09-01', columns => 'today') \g /dev/null
SELECT crm.define_segment('going', 'churn_risk = high | silent', 'shop', description => :'hostile'), crm.define_segment(:'hostile' || ' too', 'city = Berlin', 'shop') \g /dev/null
SELECT crm.train('leaves', 'logistic', 'SELECT stage, spent, born, stage = ''leaving'' OR spent < 150 AS label FROM pages.customer', 'label') \g /dev/null
SELECT crm.define_report('rfm', 'rfm', '{"event": "order", "bins": 5}', 'shop'), crm.define_report(:'hostile', 'funnel', '{"steps": ["visit", "cart", "order"], "within": "7 days"}', 'shop'),
	crm.define_report('back', 'retention', '{"periods": 3}', 'shop'), crm.define_report('cycle', 'life_cycle', '{}', 'shop'), crm.define_report('app', 'app', '{}', 'shop'),
	crm.define_report('channels', 'channels', '{"channels": ["visit[channel=app]", "visit[channel=web]"], "conversion": "order"}', 'shop') \g /dev/null
SELECT count(*) FROM crm.refresh_reports('shop', as_of => '2026-09-01') WHERE problem IS NULL \g /dev/null
\set options '{"funnel": {"steps": ["visit", "cart", "order"], "within": "14 days"}, "zone": "Asia/Shanghai"}'
\o :pages/report-en.html
SELECT crm.report('shop', options => :'options');
\o :pages/report-zh.html
SELECT crm.report('shop', 'zh', :'options');
\o :pages/customer-en.html
SELECT crm.customer_page(1, 'shop');
\o :pages/customer-zh.html
SELECT crm.customer_page(2, 'shop', 'zh');
BEGIN;
DELETE FROM crm.report_library;
\o :pages/report-tables.html
SELECT crm.report('shop', options => :'options');
ROLLBACK;
\o
