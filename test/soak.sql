-- A shop at work, for test/soak.sh: customers and events that writers change, a tracked population over them, tags of each kind of rule.
\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE TABLE public.customer (id bigint PRIMARY KEY, amount int NOT NULL, city text NOT NULL, joined date NOT NULL);
INSERT INTO public.customer SELECT n, n * 37 % 100, 'city ' || n % 7, date '2020-01-01' + n::int % 2000 FROM generate_series(1, :customers) n;
CREATE TABLE public.event (customer bigint NOT NULL, at timestamptz NOT NULL, what text NOT NULL, amount float8, channel text);
INSERT INTO public.event SELECT 1 + n * 7919 % :customers, timestamptz '2025-01-01' + n * interval '37 s', (ARRAY['view', 'cart', 'order'])[1 + n % 3], n % 50, 'c' || n % 4
	FROM generate_series(1, :customers * 10) n;
CREATE INDEX ON public.event (customer);

SELECT create_population('shop', 'public.customer', 'id', events => 'public.event', event_key => 'customer', event_time => 'at', event_name => 'what',
	event_value => 'amount', event_attributes => '{channel}');
SELECT create_tag('rich', 'amount > 50', population => 'shop'), create_tag('city', 'city', population => 'shop'), create_tag('amount', 'amount', population => 'shop'),
	create_tag('buyer', $$event_count(timeline, 'order') >= 4$$, population => 'shop'), create_tag('surfer', $$event_count(timeline, 'view[channel=c1]') >= 1$$, population => 'shop'),
	create_tag('rich buyer', $$has_tag('rich') AND has_tag('buyer')$$, population => 'shop');
SELECT count(*) FROM refresh_timelines('shop');
SELECT count(*) FROM refresh_tags('shop');
SELECT track_population('shop', '[{"relation": "public.customer", "key": "id", "customers": true}, {"relation": "public.event", "key": "customer", "customers": false}]');
SELECT count(*) FROM refresh_tags('shop');
SELECT define_segment('best', 'rich & buyer | city = "city 3"', 'shop'), follow_segment('best', population => 'shop');
SELECT define_report('way', 'funnel', '{"steps": ["view", "order"], "within": "30 days"}', 'shop');
SELECT train('buyer', 'logistic', 'SELECT amount, city, joined, amount > 50 AND id % 3 = 0 AS yes FROM public.customer WHERE id <= 2000', 'yes') IS NOT NULL;

CREATE TABLE public.memory (name text, pid int, at timestamptz DEFAULT clock_timestamp(), used bigint, resident bigint);

-- What is wrong: the sets as they are read, beside the same by plain SQL.
CREATE FUNCTION public.differences() RETURNS SETOF text LANGUAGE sql STABLE AS $$
	WITH counts AS (
		SELECT c.*, count(*) FILTER (WHERE e.what = 'order') AS orders, count(*) FILTER (WHERE e.what = 'view' AND e.channel = 'c1') AS views
		FROM public.customer c LEFT JOIN public.event e ON e.customer = c.id GROUP BY c.id
	), plain (name, members) AS (
		SELECT 'rich', audience_agg(id) FILTER (WHERE amount > 50) FROM counts
		UNION ALL SELECT 'buyer', audience_agg(id) FILTER (WHERE orders >= 4) FROM counts
		UNION ALL SELECT 'surfer', audience_agg(id) FILTER (WHERE views >= 1) FROM counts
		UNION ALL SELECT 'rich buyer', audience_agg(id) FILTER (WHERE amount > 50 AND orders >= 4) FROM counts
		UNION ALL SELECT 'city = "' || city || '"', audience_agg(id) FROM counts GROUP BY city
		UNION ALL SELECT 'amount >= 90', audience_agg(id) FILTER (WHERE amount >= 90) FROM counts
		UNION ALL SELECT '@best', audience_agg(id) FILTER (WHERE amount > 50 AND orders >= 4 OR city = 'city 3') FROM counts
	)
	SELECT format('%s: %s instead of %s members, %s others', p.name, cardinality(s.members), cardinality(p.members), xor_cardinality(s.members, p.members))
	FROM plain p, LATERAL (SELECT segment(CASE WHEN p.name ~ '^(city =|amount >)' THEN p.name WHEN p.name = '@best' THEN 'best' ELSE '"' || p.name || '"' END, 'shop') AS members) s
	WHERE coalesce(s.members, '{}') <> coalesce(p.members, '{}')
$$;
-- And the timelines, which a refresh has brought up to date.
CREATE FUNCTION public.timeline_differences() RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT format('customer %s: %s instead of %s events', coalesce(s.id, p.id), event_count(s.t), event_count(p.t))
	FROM (SELECT customer_id AS id, timeline AS t FROM customer_timelines WHERE population = 'shop') s
		FULL JOIN (SELECT e.customer AS id, timeline_agg(at, what, amount, jsonb_build_object('channel', channel)) AS t FROM public.event e
			GROUP BY e.customer) p USING (id)
	WHERE s.t IS DISTINCT FROM p.t LIMIT 20
$$;
