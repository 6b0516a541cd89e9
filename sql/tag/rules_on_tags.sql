-- Rules that rest on other tags: has_tag, tag_value, tag_numeric.
SET client_min_messages = warning;
CREATE ROLE regress_crm_rests;
CREATE SCHEMA rests_test;
GRANT USAGE ON SCHEMA rests_test, crm TO regress_crm_rests;
SET search_path = rests_test, crm, public;
CREATE TABLE customers (id bigint PRIMARY KEY, age int, city text, spent numeric, joined date);
INSERT INTO customers
SELECT i, NULLIF(i % 91, 0), (ARRAY['Berlin', 'Paris', '上海', NULL])[i % 4 + 1], CASE WHEN i % 7 > 0 THEN i * 37 % 5000 / 10.0 END, date '2020-01-01' + i % 2000
FROM generate_series(1, 5000) i;
ANALYZE customers;
SELECT create_population('rests', 'customers', 'id');
-- bases of each type, in batches and not
SELECT create_tag('adult', 'age >= 18');
SELECT create_tag('even', 'id % 2 = 0');
SELECT create_tag('city', 'city');
SELECT create_tag('initial', 'left(city, 1)');
SELECT create_tag('spend', 'round(spent, 1)');
SELECT create_tag('new', 'joined > as_of::date - 365', 'timeliness');
-- and what rests on them, on several levels, one of them twice
SELECT create_tag('adult berliner', $$has_tag('adult') AND tag_value('city') = 'Berlin'$$);
SELECT create_tag('even adult', $$has_tag('even') AND has_tag('adult')$$);
SELECT create_tag('class', $$CASE WHEN has_tag('even adult') AND has_tag('city', 'Paris') THEN 'A' WHEN tag_numeric('spend') >= 250 THEN 'B' WHEN has_tag('spend') THEN tag_value('initial') END$$, 'correlation');
SELECT create_tag('points', $$tag_numeric('spend') * 2 + CASE WHEN has_tag('new') THEN 100 ELSE 0 END$$);
SELECT create_tag('top', $$has_tag('class', 'A') OR (tag_value('class') = 'B' AND tag_numeric('points') > 900) OR NOT has_tag('class')$$, 'predictive');
CREATE TABLE expected AS
SELECT *, (cls IS NOT DISTINCT FROM 'A') OR (cls IS NOT DISTINCT FROM 'B' AND points > 900) OR cls IS NULL AS top
FROM (SELECT id, coalesce(age >= 18 AND city = 'Berlin', false) AS adult_berliner, coalesce(id % 2 = 0 AND age >= 18, false) AS even_adult,
		CASE WHEN id % 2 = 0 AND age >= 18 AND city = 'Paris' THEN 'A' WHEN round(spent, 1) >= 250 THEN 'B' WHEN spent IS NOT NULL THEN left(city, 1) END AS cls,
		round(spent, 1) * 2 + CASE WHEN joined > date '2024-06-01' - 365 THEN 100 ELSE 0 END AS points
	  FROM customers) AS e;
CREATE FUNCTION differing() RETURNS TABLE (tag text, customers bigint) LANGUAGE sql AS $$
	SELECT 'adult berliner', count(*) FROM expected WHERE adult_berliner <> (id <@ tag('adult berliner', population => 'rests'))
	UNION ALL SELECT 'even adult', count(*) FROM expected WHERE even_adult <> (id <@ tag('even adult', population => 'rests'))
	UNION ALL SELECT 'class', count(*) FROM expected, unnest('{A,B,P,上}'::text[]) AS v (value)
		WHERE (cls IS NOT DISTINCT FROM value) <> (id <@ tag('class', value, population => 'rests'))
	UNION ALL SELECT 'points', count(*) FROM expected WHERE points IS DISTINCT FROM bsi_value(tag_number('points', population => 'rests'), id)
	UNION ALL SELECT 'top', count(*) FROM expected WHERE top <> (id <@ tag('top', population => 'rests'))
$$;
SELECT tag, value, members FROM refresh_tags('rests', as_of => '2024-06-01', columns => 'today') ORDER BY tag COLLATE "C", value COLLATE "C";
SELECT * FROM differing();
-- through the executor, and in parallel: nothing enters, nothing leaves
SET crm_analytics.batch_rules = off;
SELECT sum(entered) AS entered, sum(exited) AS exited FROM refresh_tags('rests', as_of => '2024-06-01', columns => 'today');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT sum(entered) AS entered, sum(exited) AS exited FROM refresh_tags('rests', as_of => '2024-06-01', columns => 'today');
RESET crm_analytics.batch_rules;
SELECT sum(entered) AS entered, sum(exited) AS exited FROM refresh_tags('rests', as_of => '2024-06-01', columns => 'today');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT sum(customers) AS differing FROM differing();

-- a refresh of one evaluates what it rests on freshly; a new rule of the base shows at the next refresh
UPDATE customers SET city = 'Berlin' WHERE id = 22;
SELECT * FROM refresh_tags('rests', '{adult berliner}', '2024-06-01', 'today');
SELECT replace_tag('adult', 'age >= 21');
SELECT id <@ tag('even adult', population => 'rests') AS before FROM customers WHERE id = 20;
SELECT * FROM refresh_tags('rests', '{even adult}', '2024-06-01', 'today');
SELECT id <@ tag('even adult', population => 'rests') AS after FROM customers WHERE id = 20;

-- preview, lineage, explanation
SELECT value, members FROM preview_tag($$has_tag('even adult') AND NOT has_tag('class', 'A')$$, 'rests', 0);
SELECT value, members FROM preview_tag($$tag_value('initial') || coalesce(tag_numeric('points') > 500, false)$$, 'rests', 0);
SELECT * FROM tag_lineage('top', 'rests');
SELECT t.name, b.name AS base FROM crm.tag_base x JOIN crm.tag_definition t USING (tag_id) JOIN crm.tag_definition b ON b.tag_id = x.base_tag_id
WHERE t.population_id = (SELECT population_id FROM crm.population_definition WHERE name = 'rests') ORDER BY 1, 2;
SELECT part, detail, value FROM explain_tag(34, 'class', 'rests') WHERE part NOT IN ('now', 'stored');

-- what is refused
SELECT create_tag('x', $$has_tag('adlut')$$, population => 'rests');
SELECT create_tag('x', $$has_tag(city)$$, population => 'rests');
SELECT create_tag('x', $$has_tag(NULL)$$, population => 'rests');
SELECT create_tag('x', $$has_tag('adult', 'yes')$$, population => 'rests');
SELECT create_tag('x', $$has_tag('spend', '5')$$, population => 'rests');
SELECT create_tag('x', $$tag_value('adult') = 'x'$$, population => 'rests');
SELECT create_tag('x', $$tag_value('spend') = '5'$$, population => 'rests');
SELECT create_tag('x', $$tag_numeric('city') > 5$$, population => 'rests');
SELECT create_tag('x', $$tag_numeric('adult') > 5$$, population => 'rests');
SELECT create_tag('x', $$has_tag('x')$$, population => 'rests');
SELECT replace_tag('adult', $$has_tag('adult') OR age > 5$$, population => 'rests');
SELECT replace_tag('adult', $$tag_value('class') = 'A'$$, population => 'rests');
SELECT drop_tag('adult', 'rests');
SELECT has_tag('adult');
SELECT has_tag('city', 'Paris');
SELECT tag_value('city');
SELECT tag_numeric('spend');
-- ... a rule that grows beyond bounds
SELECT create_tag('grow0', $$CASE WHEN has_tag('even') THEN 'a' ELSE 'b' END$$, population => 'rests');
DO $$
BEGIN
	FOR i IN 1 .. 8 LOOP
		PERFORM create_tag('grow' || i, format('CASE WHEN tag_value(%1$L) IN (''a'', ''c'') OR tag_value(%1$L) > ''x'' OR tag_value(%1$L) < ''A'' OR tag_value(%1$L) || tag_value(%1$L) = ''ab'' THEN ''a'' ELSE ''b'' END', 'grow' || i - 1), population => 'rests');
	END LOOP;
END $$;

-- an error of the base is one of what rests on it
SELECT create_tag('ratio', '100 / (id - 77) > 1', population => 'rests');
SELECT create_tag('on ratio', $$has_tag('ratio')$$, population => 'rests');
SELECT * FROM refresh_tags('rests', '{on ratio}');
SELECT drop_tag('on ratio', 'rests'), drop_tag('ratio', 'rests');

-- rules run as one owner
SELECT grant_population('rests', 'regress_crm_rests', 'define');
GRANT SELECT ON customers TO regress_crm_rests;
SET ROLE regress_crm_rests;
SELECT create_tag('theirs', $$has_tag('adult')$$, population => 'rests');
SELECT create_tag('own', 'age > 30', population => 'rests');
SELECT create_tag('on own', $$has_tag('own')$$, population => 'rests');
SELECT value, members FROM preview_tag($$has_tag('own')$$, 'rests', 0);
SELECT value, members FROM preview_tag($$has_tag('adult')$$, 'rests', 0);
RESET ROLE;
SELECT tag, members FROM refresh_tags('rests', '{on own}');
-- ... also when a superuser previews
CREATE FUNCTION who() RETURNS text STABLE LANGUAGE sql RETURN current_user;
CREATE TABLE empty (id uuid PRIMARY KEY, a int);
ALTER TABLE empty OWNER TO regress_crm_rests;
GRANT CREATE ON SCHEMA rests_test TO regress_crm_rests;
SET ROLE regress_crm_rests;
SELECT create_population('rests_empty', 'empty', 'id');
SELECT create_tag('who', 'rests_test.who() = ''regress_crm_rests''', population => 'rests_empty');
RESET ROLE;
SELECT value, members FROM preview_tag($$has_tag('who')$$, 'rests_empty', 0);
INSERT INTO empty VALUES ('00000000-0000-0000-0000-000000000001', 1), ('00000000-0000-0000-0000-000000000002', 2);
SELECT value, members FROM preview_tag($$has_tag('who')$$, 'rests_empty', 0);
SELECT create_tag('on who', $$has_tag('who') AND a > 1$$, population => 'rests_empty');
SELECT tag, members FROM refresh_tags('rests_empty');
-- the executor, with keys from the dictionary
SET crm_analytics.batch_rules = off;
SELECT tag, members, entered FROM refresh_tags('rests_empty');
RESET crm_analytics.batch_rules;

-- the owner of what rests on others, or on which others rest, stays
GRANT regress_crm_rests TO CURRENT_USER;
SELECT alter_tag('on who', population => 'rests_empty', owner => current_user);
SELECT alter_tag('who', population => 'rests_empty', owner => current_user);

-- between refreshes: changed customers are judged by the rules, and the place among all, of the last refresh of the tag
CREATE TABLE living (id bigint PRIMARY KEY, age int, spent int);
INSERT INTO living SELECT i, i, i * 10 FROM generate_series(1, 100) i;
SELECT create_population('rests_living', 'living', 'id');
SELECT track_population('rests_living') IS NOT NULL AS tracked;
SELECT create_tag('grown', 'age >= 18', population => 'rests_living');
SELECT create_tag('rich', 'percentile(spent) >= 0.9', population => 'rests_living');
SELECT create_tag('grown rich', $$has_tag('grown') AND has_tag('rich')$$, population => 'rests_living');
SELECT create_tag('on it', $$NOT has_tag('grown rich')$$, population => 'rests_living');
SELECT given FROM create_list_tag('known', '{1,2,3}', population => 'rests_living');
SELECT tag, members FROM refresh_tags('rests_living');
SELECT replace_tag('grown', 'age >= 50', population => 'rests_living');
UPDATE living SET spent = 2000, age = 20 WHERE id IN (1, 5);
UPDATE living SET age = 17 WHERE id = 100;
INSERT INTO living VALUES (300, 40, 905), (301, 40, 899);
SELECT tag('grown rich', population => 'rests_living')::bigint[] AS by_the_earlier_rule, cardinality(tag('on it', population => 'rests_living')) AS others;
SELECT tag FROM tags_of(1, 'rests_living') ORDER BY tag COLLATE "C";
SELECT drop_tag('grown', 'rests_living');
SELECT tag, members FROM refresh_tags('rests_living', '{grown rich}');
SELECT tag('grown rich', population => 'rests_living')::bigint[] AS by_the_new_rule, cardinality(tag('on it', population => 'rests_living')) AS others_still;
UPDATE living SET age = 60 WHERE id = 1;
SELECT tag('grown rich', population => 'rests_living')::bigint[] AS by_the_new_rule;
SELECT tag, members FROM refresh_tags('rests_living');
SELECT t.name, b.name AS base, direct, x.refreshed_version FROM crm.tag_base x JOIN crm.tag_definition t USING (tag_id) JOIN crm.tag_definition b ON b.tag_id = x.base_tag_id
WHERE t.population_id = (SELECT population_id FROM crm.population_definition WHERE name = 'rests_living') ORDER BY 1, 2;
SELECT drop_population('rests_living');
SELECT drop_population('rests'), drop_population('rests_empty');
DROP SCHEMA rests_test CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_rests;
DROP ROLE regress_crm_rests;
