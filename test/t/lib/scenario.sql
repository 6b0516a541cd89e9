-- A firm's use of everything that leaves rows in the catalogue, in a database that has
-- the extension in schema crm.  What it leaves must come back from a dump, after
-- pg_upgrade and after an update of the extension; test/t/lib/answers.sql asks.
-- The roles "firm_analyst" and "firm_reader" exist.
SET search_path = crm, public;
GRANT USAGE ON SCHEMA crm, public TO PUBLIC;
GRANT CREATE ON SCHEMA public TO firm_analyst;

-- Customers by number, in branches; orders; events of half a year.
CREATE TABLE public.customer (
	id int PRIMARY KEY, branch text, age int, city text, birthday date, spent numeric(12,2), opened date NOT NULL DEFAULT '2025-01-01');
INSERT INTO public.customer
	SELECT i, (ARRAY['north', 'south', NULL])[1 + i % 3], 18 + i % 70, (ARRAY['北京', 'Paris', 'O''Brien''s town'])[1 + i % 3],
		date '1960-01-01' + i * 7, (i * 37 % 1000)::numeric / 7 FROM generate_series(1, 1500) i;
CREATE TABLE public.event (customer int, at timestamptz, what text, amount float8, channel text);
CREATE INDEX event_customer ON public.event (customer);
INSERT INTO public.event
	SELECT i % 700, timestamptz '2025-06-01 00:00+00' + i * interval '31 minutes 7 s', (ARRAY['view', 'order', 'visit'])[1 + i % 3], i % 500, (ARRAY['app', 'web'])[1 + i % 2]
	FROM generate_series(1, 9000) i;
-- A dropped column leaves a gap in the columns' numbers, which a restored table has not.
ALTER TABLE public.customer ADD COLUMN gone int, ADD COLUMN level int DEFAULT 2;
ALTER TABLE public.customer DROP COLUMN gone;
CREATE FUNCTION public.grade(level int) RETURNS text IMMUTABLE LANGUAGE sql RETURN 'grade ' || level;
GRANT SELECT ON public.customer, public.event TO firm_analyst;

SELECT create_population('firm', 'public.customer', 'id', scope => 'branch', events => 'public.event', event_key => 'customer',
	event_time => 'at', event_name => 'what', event_value => 'amount', event_attributes => '{channel}');
SELECT grant_population('firm', 'firm_reader', scopes => '{north}'), grant_population('firm', 'firm_analyst', 'define'), grant_population('firm', 'firm_analyst');
SELECT count(*) FROM refresh_timelines('firm', period => 'month');
SELECT keep_history('firm', '1 year');
SELECT create_tag('young', 'age < 30'), create_tag('city', 'city'), create_tag('spent', 'spent'), create_tag('grade', 'public.grade(level)');
SELECT create_tag('orders', $$event_count(timeline, 'order[channel=app]') >= 3$$), create_tag('quiet', $$event_count(timeline, 'order', as_of - interval '5 years', as_of) = 0$$);
SELECT create_tag('newcomer', $$opened > as_of::date - 900$$, 'timeliness', expires => $$opened + 900$$), create_tag('adult', $$birthday <= as_of - interval '40 years'$$);
SELECT create_tag('best', 'percentile(spent) >= 0.9', 'correlation'), create_tag('young and best', $$has_tag('young') AND has_tag('best')$$);
SELECT create_tag('later', 'level > 7');
SELECT replace_tag('young', 'age < 31');
SELECT create_list_tag('invited', keys => '{1,2,3,500}', expires => '2099-01-01');
SELECT import_list('invited', keys => '{7,8}', mode => 'append');
SELECT register_tag_title('city', 'zh', '城市', 'where he lives', '{"北京": "首都"}');
SELECT expect_tag('young', 999), expect_tag('grade', 1, 'grade 3'), expect_coverage('young', 0.1, 0.2);
SELECT alter_tag('grade', confidence => 0.5), alter_tag('later', state => 'retired');
SELECT count(*) FROM refresh_tags('firm');
SELECT define_segment('kept', 'young & orders', frozen => true), define_segment('others', '!kept'), define_segment('youth', 'young');
SELECT follow_segment('youth');
CREATE TABLE public.moment AS SELECT clock_timestamp() AS at, tag('young')::text AS young;
UPDATE public.customer SET age = age + 20 WHERE id % 2 = 0;
SELECT count(*) FROM refresh_tags('firm');
SELECT count(*) FROM consume_segment_changes('youth', 'mailer', 10);

-- Tags of another owner.
SET ROLE firm_analyst;
SELECT create_tag('of the analyst', 'age > 60', population => 'firm');
RESET ROLE;
SELECT count(*) FROM refresh_tags('firm');

-- From here on tracked: what stands in the log belongs to the state, too.
SELECT track_population('firm', '[{"relation": "public.customer", "key": "id", "customers": true}, {"relation": "public.event", "key": "customer", "customers": false}]');
SELECT count(*) FROM refresh_tags('firm');
UPDATE public.customer SET age = 3 WHERE id IN (999, 1000);
INSERT INTO public.event VALUES (5, '2025-12-20 00:00+00', 'order', 10, 'app'), (5, '2025-12-21 00:00+00', 'order', 10, 'app');

-- Customers by uuid: a dictionary of keys; rows valid for a time.
CREATE TABLE public.member (id uuid, plan text, valid_from timestamptz, valid_to timestamptz);
INSERT INTO public.member SELECT md5(i::text)::uuid, (ARRAY['free', 'paid'])[1 + i % 2], '2025-01-01 00:00+00', NULL FROM generate_series(1, 200) i;
SELECT create_population('members', 'public.member', 'id', valid_from => 'valid_from', valid_to => 'valid_to');
SELECT create_tag('paid', $$plan = 'paid'$$, population => 'members'), alter_population('members', approval => true, description => 'by uuid');
SELECT count(*) FROM refresh_tags('members');
SELECT create_tag('waits', $$plan = 'free'$$, population => 'members');

-- Models, one granted; a taxonomy of the firm's own; its own map of segments.
SELECT train('spender', 'logistic', 'SELECT age, level, city, spent > 70 AS yes FROM public.customer', 'yes') IS NOT NULL;
SELECT train('spender', 'boosted_trees', 'SELECT age, level, city, spent > 70 AS yes FROM public.customer', 'yes', '{"trees": 5}') IS NOT NULL;
SELECT grant_model('spender', 'firm_reader');
SELECT store_model('line', (SELECT linear_fit(spent::float8, ARRAY[age::float8]) FROM public.customer));
INSERT INTO taxonomy_input (business, input, class, title) VALUES ('gym', 'visits', 'number', 'Visits');
INSERT INTO taxonomy_tag (business, tag, kind, title, title_zh, rule) VALUES ('gym', 'keen', 'personality', 'Keen', '热衷', '{visits} >= 3');
INSERT INTO rfm_segment_rule (map, priority, segment, recency) VALUES ('ours', 1, '好', '[4,5]'), ('ours', 2, 'rest', '(,)');
INSERT INTO next_action_rule (tag, value, priority, action) VALUES ('young', NULL, 5, 'call in the evening');
INSERT INTO report_library (name, version, source) VALUES ('echarts', '0', '/* a library */');

-- Reports for BI tools, counted.
SELECT define_report('way', 'funnel', '{"steps": ["view", "order"], "within": "30 days"}', 'firm'), define_report('sizes', 'sizes', '{"keep": "1 year"}', 'firm', 'by day');
SELECT count(*) FROM refresh_reports('firm') WHERE problem IS NULL;

-- Values of each type in tables of the firm's.
CREATE TABLE public.kept AS
	SELECT customer, timeline_agg(at, what, amount) AS timeline, activity_agg('week', 'Asia/Shanghai', at) AS activity,
		funnel_agg('7 days', at, what = 'view', what = 'order') AS funnel, bsi_agg(customer, amount::numeric) AS number, audience_agg(customer) AS who
	FROM public.event GROUP BY customer;
