-- Rules that look at the whole population: percentile, rfm_in_population.
SET client_min_messages = warning;
CREATE SCHEMA position_test;
SET search_path = position_test, crm, public;
CREATE TABLE customers (id bigint PRIMARY KEY, age int, spent numeric(12, 2), balance float8, same int, last_at timestamptz, orders int);
INSERT INTO customers
SELECT i, NULLIF(i % 71, 3), (i::bigint * 7919 % 30011) / 7.0, CASE WHEN i % 4 > 0 THEN (i - 1000) * 1e296 END, 7, timestamptz '2026-01-01' - i * 37 % 5000 * interval '1 hour', i % 9
FROM generate_series(1, 20000) i;
ANALYZE customers;
SELECT create_population('position', 'customers', 'id');
SELECT create_tag('top decile', 'percentile(spent) >= 0.9', 'correlation');
SELECT create_tag('age band', $$band(percentile(age), '{0.25,0.5,0.75}', '{young,middle,older,oldest}')$$);
SELECT create_tag('in debt', 'percentile(balance) < 0.05');
SELECT create_tag('same', 'percentile(same) = 0');
SELECT create_tag('position', 'round(percentile(spent)::numeric, 3)');
SELECT create_tag('rfm', 'rfm_segment(rfm_in_population(rfm_summary(last_at, orders, spent)))');
SELECT create_tag('recency', '(rfm_in_population(rfm_summary(last_at, orders, spent), 10)).recency');
-- on a tag that is of the population itself, and below one that is not
SELECT create_tag('odd of the top', $$has_tag('top decile') AND id % 2 = 1$$);
SELECT create_tag('middle of the top', $$percentile(CASE WHEN has_tag('top decile') THEN tag_numeric('position') END) BETWEEN 0.4 AND 0.6$$);
SELECT tag, value, members FROM refresh_tags('position', as_of => '2026-02-01', columns => 'today') ORDER BY tag COLLATE "C", value COLLATE "C";
-- plain SQL says the same
CREATE TABLE expected AS
SELECT c.*, s.p AS spent_at, round(s.p::numeric, 3) AS position, a.p AS age_at, b.p AS balance_at,
	crm.rfm_segment(r.score5) AS segment, (r.score10).recency AS recency, m.p AS middle_at
FROM customers c
JOIN (SELECT id, percent_rank() OVER (ORDER BY spent) AS p FROM customers) s USING (id)
LEFT JOIN (SELECT id, percent_rank() OVER (ORDER BY age) AS p FROM customers WHERE age IS NOT NULL) a USING (id)
LEFT JOIN (SELECT id, percent_rank() OVER (ORDER BY balance) AS p FROM customers WHERE balance IS NOT NULL) b USING (id)
JOIN (SELECT id, rfm_score(rfm_summary(last_at, orders, spent), timestamptz '2026-02-01', 5) OVER () AS score5,
		rfm_score(rfm_summary(last_at, orders, spent), timestamptz '2026-02-01', 10) OVER () AS score10 FROM customers) r USING (id)
LEFT JOIN (SELECT id, percent_rank() OVER (ORDER BY p) AS p FROM (SELECT id, round(percent_rank() OVER (ORDER BY spent)::numeric, 3) AS p FROM customers) AS x WHERE p >= 0.9) m USING (id);
CREATE FUNCTION differing() RETURNS TABLE (tag text, customers bigint) LANGUAGE sql AS $$
	SELECT 'top decile', count(*) FROM expected WHERE (spent_at >= 0.9) <> (id <@ tag('top decile', population => 'position'))
	UNION ALL SELECT 'age band', count(*) FROM expected, (VALUES ('young', -1, 0.25), ('middle', 0.25, 0.5), ('older', 0.5, 0.75), ('oldest', 0.75, 2)) AS v (value, low, high)
		WHERE coalesce(age_at >= low AND age_at < high, false) <> (id <@ tag('age band', value, population => 'position'))
	UNION ALL SELECT 'in debt', count(*) FROM expected WHERE coalesce(balance_at < 0.05, false) <> (id <@ tag('in debt', population => 'position'))
	UNION ALL SELECT 'position', count(*) FROM expected WHERE abs(position - bsi_value(tag_number('position', population => 'position'), id)) > 0.001
	UNION ALL SELECT 'rfm', count(*) FROM expected WHERE NOT id <@ tag('rfm', segment, population => 'position')
	UNION ALL SELECT 'recency', count(*) FROM expected WHERE recency <> bsi_value(tag_number('recency', population => 'position'), id)
	UNION ALL SELECT 'odd of the top', count(*) FROM expected WHERE (spent_at >= 0.9 AND id % 2 = 1) <> (id <@ tag('odd of the top', population => 'position'))
$$;
SELECT * FROM differing() ORDER BY tag COLLATE "C";
-- the executor alone; parallel workers; one tag by itself
SET crm_analytics.batch_rules = off;
SELECT sum(entered) AS entered, sum(exited) AS exited FROM refresh_tags('position', as_of => '2026-02-01', columns => 'today');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT sum(entered) AS entered, sum(exited) AS exited FROM refresh_tags('position', as_of => '2026-02-01', columns => 'today');
RESET crm_analytics.batch_rules;
SELECT sum(entered) AS entered, sum(exited) AS exited FROM refresh_tags('position', as_of => '2026-02-01', columns => 'today');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT * FROM refresh_tags('position', '{middle of the top,odd of the top}', '2026-02-01', 'today');
-- what is kept of it: one statistic for each call, its own and its bases'
SELECT name, statistic_no, s.kind, call, s.as_of AT TIME ZONE 'UTC' AS as_of, length(tag_statistic_value(s.tag_id, statistic_no)) > 0 AS known FROM crm.tag_statistic s JOIN crm.tag_definition USING (tag_id)
WHERE population_id = (SELECT population_id FROM crm.population_definition WHERE name = 'position') ORDER BY 1, 2;
SELECT tag, population_as_of AT TIME ZONE 'UTC' AS population_as_of FROM tag_catalog WHERE population = 'position' AND tag IN ('same', 'odd of the top') ORDER BY tag;
SELECT name FROM crm.tag_definition WHERE NOT EXISTS (SELECT FROM crm.tag_statistic s WHERE s.tag_id = tag_definition.tag_id) AND population_id = (SELECT population_id FROM crm.population_definition WHERE name = 'position');
-- others may know that, and not the values
CREATE ROLE regress_crm_position;
GRANT USAGE ON SCHEMA crm, position_test TO regress_crm_position;
GRANT SELECT ON customers TO regress_crm_position;
SET ROLE regress_crm_position;
SELECT count(*) AS statistics, count(tag_statistic_value(tag_id, statistic_no)) AS values FROM crm.tag_statistic JOIN crm.tag_definition USING (tag_id) JOIN crm.population_definition p USING (population_id) WHERE p.name = 'position';
SELECT value FROM crm.tag_statistic;
RESET ROLE;
REVOKE ALL ON customers FROM regress_crm_position;
REVOKE USAGE ON SCHEMA crm, position_test FROM regress_crm_position;
DROP ROLE regress_crm_position;
-- a preview looks now
SELECT value, members FROM preview_tag('percentile(age) > 0.5', 'position', 0);
SELECT value, members FROM preview_tag($$percentile(tag_numeric('position')) > 0.5 AND has_tag('top decile')$$, 'position', 0);
SELECT kind, name FROM tag_lineage('middle of the top', 'position');
SELECT part, detail, value FROM explain_tag(17, 'top decile', 'position') WHERE part NOT IN ('now', 'stored');

-- nobody; one; all alike; all NULL
CREATE TABLE few (name text PRIMARY KEY, n int);
SELECT create_population('position_few', 'few', 'name');
SELECT create_tag('upper', 'percentile(n) >= 0.5', population => 'position_few');
SELECT create_tag('lower', 'percentile(n) < 0.5', population => 'position_few');
SELECT create_tag('rfm', 'rfm_segment(rfm_in_population(rfm_summary(NULL, n, n::float8)))', population => 'position_few');
SELECT tag, value, members FROM refresh_tags('position_few');
INSERT INTO few VALUES ('a', NULL);
SELECT tag, value, members FROM refresh_tags('position_few') WHERE tag <> 'rfm';
UPDATE few SET n = 5;
SELECT tag, value, members FROM refresh_tags('position_few') WHERE tag <> 'rfm';
INSERT INTO few VALUES ('b', 5), ('c', 5);
SELECT tag, value, members FROM refresh_tags('position_few') WHERE tag <> 'rfm';
INSERT INTO few VALUES ('d', 6);
SELECT tag, value, members FROM refresh_tags('position_few') WHERE tag <> 'rfm';
SELECT member_keys(tag('upper', population => 'position_few'), 'position_few');

-- refused
SELECT percentile(5);
SELECT rfm_in_population(rfm_summary(now(), 1, 1::float8));
SELECT create_tag('x', 'percentile(id)', population => 'nosuch');
SELECT create_tag('x', 'percentile(last_at) > 0.5', population => 'position');
SELECT create_tag('infinite', $$percentile(CASE WHEN id = 5 THEN 'Infinity' ELSE 1::float8 END) > 0.5$$, population => 'position');
SELECT * FROM refresh_tags('position', '{infinite}');
SELECT drop_tag('infinite', 'position');
SELECT create_tag('bins', 'rfm_segment(rfm_in_population(rfm_summary(last_at, orders, spent), orders))', population => 'position');
SELECT create_tag('self', $$percentile(tag_numeric('self')) > 0.5$$, population => 'position');
SELECT drop_tag('middle of the top', 'position');
SELECT count(*) FROM crm.tag_statistic s LEFT JOIN crm.tag_definition USING (tag_id) WHERE name IS NULL;

SELECT drop_population('position'), drop_population('position_few');
DROP SCHEMA position_test CASCADE;
