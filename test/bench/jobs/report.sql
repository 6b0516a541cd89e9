--@ job report_stored: report of {customers} customers, 100 tags and {events} events, from stored sets and timelines
--@ setup
SELECT crm.drop_population('reported') WHERE EXISTS (SELECT FROM crm.population_definition WHERE name = 'reported');
SELECT crm.create_population('reported', 'bench_customer', 'id', events => 'bench_event', event_key => 'customer_id', event_time => 'ts', event_name => 'event', event_value => 'value');
SELECT count(crm.create_tag(tag, condition, (ARRAY['base', 'timeliness', 'correlation', 'predictive', 'personality'])[1 + no % 5], 'reported')) FROM bench_rule WHERE no <= 96;
SELECT crm.create_tag('city', 'city', 'base', 'reported'), crm.create_tag('gender', 'gender', 'base', 'reported'), crm.create_tag('risk', $$CASE WHEN score < 0.1 THEN 'high' WHEN score < 0.4 THEN 'medium' ELSE 'low' END$$, 'predictive', 'reported'),
	crm.create_tag('spent', 'spent', 'predictive', 'reported');
SELECT count(*) FROM crm.refresh_timelines('reported');
SELECT count(*) FROM crm.refresh_tags('reported');
SELECT crm.define_segment('worth a call', '(tag_1 & tag_2 | tag_13) - tag_34', 'reported'), crm.define_segment('at risk', 'risk = high & spent >= 100', 'reported');
SELECT crm.train('bench likes', 'logistic', 'SELECT age, gender, orders, spent, opt_in FROM bench_customer WHERE id <= 50000', 'opt_in') ->> 'version';
VACUUM ANALYZE crm.tag_set;
VACUUM ANALYZE crm.customer_timeline;
--@ ours
SELECT length(crm.report('reported', options => '{"funnel": {"steps": ["view", "add_to_cart", "checkout", "purchase"], "within": "7 days"}}'));
--@ limit 10000 ms

--@ job customer_page: page of one customer of {customers}, 100 tags, a model
--@ ours, calls 100
SELECT format('SELECT length(crm.customer_page(%s::bigint, ''reported''))', 1 + k * 7919 % ({customers} / 10)) FROM generate_series(1, 100) AS k \gexec
--@ limit 50 ms

--@ job charts: trends of a thousandth of {customers} days, the greatest of as many bars, and paths of as many edges
--@ ours, calls 3
SELECT length(crm.chart_trend(array_agg(DATE '1990-01-01' + n), array_agg((n * 7919 % 1000)::float8))::text) FROM generate_series(1, {customers} / 1000) AS n;
SELECT length(crm.chart_bar(array_agg('shop ' || n), array_agg((n * 7919 % 1000)::float8), top => 20)::text) FROM generate_series(1, {customers} / 1000) AS n;
SELECT length(crm.chart_paths(array_agg(1 + n % 4), array_agg('page ' || n % 97), array_agg('page ' || n * 7 % 89), array_agg((n * 7919 % 1000)::bigint))::text) FROM generate_series(1, {customers} / 1000) AS n;
