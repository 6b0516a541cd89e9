-- Tenants in one table, kept apart by row-level security, with tags, segments, reports and models of the same names: what each
-- gets is what he would get if the others' rows were not there, whoever refreshes.
CREATE SCHEMA tenants;
SET search_path = tenants, crm, public;
SET client_min_messages = error;
SET timezone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_tenant_a;
CREATE ROLE regress_tenant_b;
GRANT USAGE ON SCHEMA tenants, crm TO PUBLIC;
CREATE TABLE customers (id int PRIMARY KEY, tenant name NOT NULL, name text, balance int, age int, recency_score int, frequency_score int, spent float8);
CREATE TABLE events (customer int, tenant name NOT NULL, at timestamptz, event text, amount float8, item text);
-- every name and item says whose it is
INSERT INTO customers SELECT n, 'regress_tenant_' || t, format('secret of %s, %s', t, n), CASE t WHEN 'a' THEN 1000 ELSE 2000 END + n, 20 + n % 40, 1 + n % 5, 1 + n % 3, n
FROM generate_series(1, 120) n, LATERAL (SELECT CASE WHEN n % 3 = 0 THEN 'b' ELSE 'a' END AS t) x;
INSERT INTO events SELECT id, tenant, timestamptz '2026-01-01' + k * interval '9 days' + id * interval '1 hour', (ARRAY['view', 'order'])[1 + k % 2], balance, format('%s item %s', right(tenant, 1), (id + k) % 4)
FROM customers, generate_series(1, 5 + id % 3) k;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON customers USING (tenant = current_user);
CREATE POLICY own ON events USING (tenant = current_user);
GRANT SELECT ON customers, events TO regress_tenant_a, regress_tenant_b;
-- the same statements for each
CREATE PROCEDURE set_up() LANGUAGE plpgsql SET search_path = crm, tenants AS $$
DECLARE
	p constant text := current_user;
BEGIN
	PERFORM create_population(p, 'tenants.customers', 'id', events => 'tenants.events', event_key => 'customer', event_time => 'at', event_name => 'event', event_value => 'amount', event_attributes => '{item}');
	PERFORM create_tag('rich', 'balance % 100 > 50', population => p), create_tag('name', 'name', population => p), create_tag('balance', 'balance', population => p),
		create_tag('buyer', $r$event_count(timeline, 'order') >= 3$r$, population => p), create_tag('elder', $r$percentile(age) > 0.5$r$, population => p);
END
$$;
CREATE PROCEDURE set_up_more() LANGUAGE plpgsql SET search_path = crm, tenants AS $$
DECLARE
	p constant text := current_user;
BEGIN
	PERFORM define_segment('good', 'rich & buyer', p), define_report('sizes', 'sizes', population => p), define_report('funnel', 'funnel', '{"steps": ["view", "order"]}', p),
		define_report('grid', 'rfm', '{"recency": "recency_score", "frequency": "frequency_score"}', p), define_report('portrait', 'portrait', '{"segment": "good"}', p);
	PERFORM train(p, 'logistic', 'SELECT balance, age, balance % 2 = 0 AS label FROM tenants.customers', 'label');
	PERFORM train(p || ' groups', 'k_means', 'SELECT age, spent FROM tenants.customers', options => '{"k": 2}');
END
$$;
SET ROLE regress_tenant_a; CALL set_up(); RESET ROLE;
SET ROLE regress_tenant_b; CALL set_up(); RESET ROLE;
-- a superuser refreshes, who sees all rows
SELECT p, (SELECT sum(customers) FROM refresh_timelines(p)) AS customers, (SELECT count(*) FROM refresh_tags(p)) AS tags FROM unnest('{regress_tenant_a,regress_tenant_b}'::text[]) p;
SET ROLE regress_tenant_a; CALL set_up_more(); RESET ROLE;
SET ROLE regress_tenant_b; CALL set_up_more(); RESET ROLE;
SELECT p, (SELECT count(*) - count(problem) FROM refresh_reports(p)) AS reports FROM unnest('{regress_tenant_a,regress_tenant_b}'::text[]) p;
SELECT p, retrain(p) ->> 'rows' AS rows FROM unnest('{regress_tenant_a,regress_tenant_b}'::text[]) p;

-- What a tenant reads, each beside what plain SQL over his rows gives him.
CREATE FUNCTION told() RETURNS TABLE (what text, answer text, expected text) LANGUAGE plpgsql STABLE SET search_path = crm, tenants AS $$
DECLARE
	me constant text := current_user;
	other constant int := (SELECT min(n) FROM generate_series(1, 120) n WHERE NOT EXISTS (SELECT FROM customers WHERE id = n));
	own constant int := (SELECT min(id) FROM customers WHERE balance % 100 > 50);
BEGIN
	RETURN QUERY
	SELECT 'tag', split_part(tag('rich', population => me)::text, ':', 2), (SELECT audience_agg(id) FROM customers c WHERE c.balance % 100 > 50)::text
	UNION ALL SELECT 'tag of events', split_part(tag('buyer', population => me)::text, ':', 2), (SELECT audience_agg(x.customer) FROM (SELECT e.customer FROM events e WHERE e.event = 'order' GROUP BY 1 HAVING count(*) >= 3) x)::text
	UNION ALL SELECT 'tag of the whole', split_part(tag('elder', population => me)::text, ':', 2), (SELECT audience_agg(x.id) FROM (SELECT id, percent_rank() OVER (ORDER BY age) AS r FROM customers) x WHERE x.r > 0.5)::text
	UNION ALL SELECT 'evaluated', split_part(evaluate_tag('rich', population => me, columns => 'today')::text, ':', 2), (SELECT audience_agg(id) FROM customers c WHERE c.balance % 100 > 50)::text
	UNION ALL SELECT 'numbers', bsi_sum(tag_number('balance', me))::text, (SELECT sum(balance) FROM customers)::text
	UNION ALL SELECT 'values', sum(members)::text, (SELECT count(*) FROM customers)::text FROM segment_size t WHERE t.tag = 'name'
	UNION ALL SELECT 'values of others', count(*)::text, '0' FROM tag_value v WHERE v.value NOT LIKE 'secret of ' || right(me, 1) || '%'
	UNION ALL SELECT 'segment', segment('good', me)::text, segment('rich & buyer', me)::text
	UNION ALL SELECT 'nobody else', split_part(segment('!rich', me)::text, ':', 2), (SELECT audience_agg(id) FROM customers c WHERE NOT c.balance % 100 > 50)::text
	UNION ALL SELECT 'tags of his', count(*)::text, (SELECT 3 + count(*) FILTER (WHERE x.id = own AND x.r > 0.5) + count(*) FILTER (WHERE x.id = own AND x.orders >= 3) FROM (SELECT id, percent_rank() OVER (ORDER BY age) AS r,
		(SELECT count(*) FROM events e WHERE e.customer = id AND e.event = 'order') AS orders FROM customers) x)::text FROM tags_of(own, me)
	UNION ALL SELECT 'tags of another', count(*)::text, '0' FROM tags_of(other, me)
	UNION ALL SELECT 'profiles', (profile(own, me) -> 'customer' ->> 'balance'), (SELECT balance::text FROM customers WHERE id = own)
	UNION ALL SELECT 'profile of another', profile(other, me)::text, NULL
	UNION ALL SELECT 'page of another', customer_page(other, me), NULL
	UNION ALL SELECT 'timeline', event_count(timeline_of(own, me))::text, (SELECT count(*) FROM events WHERE customer = own)::text
	UNION ALL SELECT 'timeline of another', event_count(timeline_of(other, me))::text, NULL
	UNION ALL SELECT 'timelines', sum(event_count(timeline))::text, (SELECT count(*) FROM events)::text FROM customer_timelines
	UNION ALL SELECT 'stored timelines', count(DISTINCT customer_id)::text, (SELECT count(DISTINCT customer) FROM events)::text FROM customer_timeline
	UNION ALL SELECT 'timelines of a query', count(*)::text, (SELECT count(DISTINCT customer) FROM events)::text FROM timelines('SELECT customer, at, event FROM tenants.events')
	UNION ALL SELECT 'views', count(DISTINCT population)::text, '1' FROM customer_tag_long
	UNION ALL SELECT 'size', string_agg(customers::text, ','), (SELECT count(*) FROM customers)::text FROM population_size
	UNION ALL SELECT 'like them', count(*)::text, (SELECT count(*) FROM customers c WHERE NOT c.balance % 100 > 50)::text FROM lookalike_customers(tag('rich', population => me), 1000, me)
	UNION ALL SELECT 'training rows', count(*)::text, (SELECT count(*) FROM customers)::text FROM training_rows(me, '2026-02-01', '10 days', '{"orders": "event_count(timeline, ''order'')"}', 'order', columns => 'today')
	UNION ALL SELECT 'model', bool_and(rows BETWEEN 1 AND (SELECT count(*) FROM customers))::text, 'true' FROM model_version v WHERE v.name = me
	UNION ALL SELECT 'models', count(*)::text, '2' FROM model_catalog
	UNION ALL SELECT 'predict', (predict(me, c) BETWEEN 0 AND 1)::text, 'true' FROM customers c WHERE id = own
	UNION ALL SELECT 'groups', sum(p.size)::text, (SELECT count(*) FROM customers)::text FROM personas(me || ' groups') p
	UNION ALL SELECT 'recommended', bool_and(r.item LIKE right(me, 1) || ' item%')::text, 'true' FROM (SELECT recommend_fit(customer::bigint, item) AS m FROM events) f, recommend(f.m, '{}', 100) r
	UNION ALL SELECT 'reports', string_agg(DISTINCT population, ','), me FROM bi_reports WHERE as_of IS NOT NULL
	UNION ALL SELECT 'sizes', string_agg(customers::text, ','), cardinality(segment('good', me))::text FROM bi_customers WHERE kind = 'segment'
	UNION ALL SELECT 'funnel', string_agg(customers::text, ',' ORDER BY step), (SELECT count(DISTINCT customer) || ',' || count(DISTINCT customer) FILTER (WHERE event = 'order') FROM events) FROM bi_funnel
	UNION ALL SELECT 'grid', string_agg(DISTINCT g.population, ',') || count(*) FILTER (WHERE g.customers <> c.n), me || '0' FROM bi_rfm_grid g LEFT JOIN (SELECT recency_score, frequency_score, count(*) AS n FROM customers GROUP BY 1, 2) c
		ON c.recency_score = g.recency AND c.frequency_score = g.frequency
	UNION ALL SELECT 'portrait', string_agg(DISTINCT p.population, ','), me FROM bi_segment_portrait p
	UNION ALL SELECT 'report', (report(me) LIKE '%secret of ' || CASE right(me, 1) WHEN 'a' THEN 'b' ELSE 'a' END || '%')::text, 'false'
	UNION ALL SELECT 'page', (customer_page(own, me) LIKE '%secret of ' || right(me, 1) || ', ' || own || '%')::text, 'true';
END
$$;
SET ROLE regress_tenant_a;
SELECT what, answer, expected FROM told() WHERE answer IS DISTINCT FROM expected;
SET ROLE regress_tenant_b;
SELECT what, answer, expected FROM told() WHERE answer IS DISTINCT FROM expected;
SELECT count(*) > 30 AS asked FROM told();
-- The other's, by name: that there is such a population tells whoever may SELECT from its source; sets, sizes, rows and models are not told.
RESET ROLE;
CREATE TABLE asked AS SELECT * FROM (VALUES ('SELECT tag(''rich'', population => %L)::text'), ('SELECT segment(''good'', %L)::text'), ('SELECT count(*)::text FROM tag_counts(%L)'), ('SELECT evaluate_tag(''rich'', population => %L)::text'),
	('SELECT count(*)::text FROM member_rows(''{1,2,3,6}'', %L)'), ('SELECT count(*)::text FROM tags_of(1, %L)'), ('SELECT count(*)::text FROM tags_of(3, %L)'), ('SELECT profile(1, %L)::text'), ('SELECT timeline_of(1, %L)::text'),
	('SELECT count(*)::text FROM refresh_tags(%L)'), ('SELECT count(*)::text FROM refresh_reports(%L)'), ('SELECT create_tag(''x'', ''true'', population => %L)::text'), ('SELECT grant_population(%L, ''regress_tenant_b'')::text'),
	('SELECT predict(%L, ''{"balance": 1, "age": 2}''::jsonb)::text'), ('SELECT retrain(%L)::text'), ('SELECT drop_model(%L)::text'), ('SELECT count(*)::text FROM personas(%L || '' groups'')'),
	('SELECT count(*)::text FROM lookalike_customers(''{3}'', 5, %L)'), ('SELECT sum(members)::text FROM preview_tag(''balance > 0'', %L)'), ('SELECT count(*)::text FROM segment_profile(''rich'', population => %L)'), ('SELECT count(*)::text FROM check_tags(%L) WHERE detail LIKE ''%%secret of a%%'''),
	('SELECT count(*)::text FROM bi_customers WHERE population = %L'), ('SELECT count(*)::text FROM customer_timelines WHERE population = %L'), ('SELECT count(*)::text FROM population_keys(%L)'), ('SELECT customer_page(1, %L)'),
	('SELECT (report(%L) LIKE ''%%secret of a%%'')::text')) v (statement);
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE statement INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
GRANT SELECT ON asked TO PUBLIC;
SET ROLE regress_tenant_b;
SELECT format(statement, 'a'), attempt(format(statement, 'regress_tenant_a')) AS answer FROM asked;
RESET ROLE;

-- A customer who goes over takes his rows along.
UPDATE customers SET tenant = 'regress_tenant_b', name = 'secret of b, 1' WHERE id = 1;
UPDATE events SET tenant = 'regress_tenant_b', item = replace(item, 'a', 'b') WHERE customer = 1;
SET ROLE regress_tenant_a;
-- at once, where his row is asked for; what is stored, with the next refresh
SELECT count(*) AS tags, profile(1, 'regress_tenant_a') AS profile, event_count(timeline_of(1, 'regress_tenant_a')) > 0 AS stored_timeline FROM tags_of(1, 'regress_tenant_a');
RESET ROLE;
SELECT p, (SELECT sum(customers) FROM refresh_timelines(p, rebuild => true)) AS customers, (SELECT count(*) FROM refresh_tags(p)) AS tags, (SELECT count(problem) FROM refresh_reports(p)) AS problems, retrain(p) ->> 'rows' AS rows
FROM unnest('{regress_tenant_a,regress_tenant_b}'::text[]) p;
SET ROLE regress_tenant_a;
SELECT what, answer, expected FROM told() WHERE answer IS DISTINCT FROM expected;
SET ROLE regress_tenant_b;
SELECT what, answer, expected FROM told() WHERE answer IS DISTINCT FROM expected;
RESET ROLE;

SELECT drop_report(report, population) FROM bi_reports WHERE population LIKE 'regress\_tenant%' \g /dev/null
SELECT drop_population(p), drop_model(p), drop_model(p || ' groups') FROM unnest('{regress_tenant_a,regress_tenant_b}'::text[]) p \g /dev/null
DROP SCHEMA tenants CASCADE;
REVOKE USAGE ON SCHEMA crm FROM PUBLIC;
DROP ROLE regress_tenant_a, regress_tenant_b;
