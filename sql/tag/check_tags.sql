-- Are the tags in order?  What depends on what, and what does it cost?
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE ROLE regress_crm_checker;
CREATE ROLE regress_crm_owner;
CREATE SCHEMA check_test;
GRANT USAGE ON SCHEMA check_test, crm TO regress_crm_checker, regress_crm_owner;
SET search_path = check_test, crm, public;
CREATE TABLE customers (id int PRIMARY KEY, age int, city text, amount numeric(10, 2));
INSERT INTO customers SELECT n, n % 90, 'c' || n % 3, n FROM generate_series(1, 300) n;
CREATE FUNCTION region(city text) RETURNS text IMMUTABLE LANGUAGE sql RETURN upper(city);
SELECT create_population('people', 'customers', 'id');
SELECT create_tag('young', 'age < 30');
SELECT create_tag('region', 'region(city)');
SELECT create_tag('amount', 'amount');
SELECT create_tag('nobody', 'age > 1000');
SELECT create_tag('gone', 'age = 5', valid_for => '1 microsecond');
SELECT tag, test, detail FROM check_tags() WHERE NOT ok AND detail NOT LIKE 'valid until%';
SELECT count(*) FROM refresh_tags();

-- A tag's own tests.
SELECT expect_tag('young', 1), expect_tag('young', '40', has => false), expect_tag('young', 7777), expect_tag('young', 40);
SELECT expect_tag('region', 3, 'C0'), expect_tag('region', 3, 'C1'), expect_tag('region', 3, 'C1', false), expect_tag('region', 3), expect_tag('region', 3, 'never seen');
SELECT expect_tag('amount', 3, '3'), expect_tag('amount', 3, '3.00'), expect_tag('amount', 3, '4');
SELECT expect_coverage('young', 0.3, 0.5), expect_coverage('young', 0.9, 1), expect_coverage('region', 0.3, 0.4, 'C1'), expect_coverage('nobody', 0, 0);
SELECT tag, test, ok, regexp_replace(detail, 'until .*', 'until T') FROM check_tags();
SELECT tag, test FROM check_tags('people') WHERE NOT ok;
SELECT drop_tag_test('young', 3), drop_tag_test('young', 4);
SELECT test, ok FROM check_tags() WHERE tag = 'young' AND test LIKE 'test%';
SELECT d.name, test_no, t.kind, customer, value, has, low, high, created_by = current_user AS mine FROM tag_test t JOIN tag_definition d USING (tag_id) ORDER BY 1, 2;
SELECT expect_tag('young', 1, 'x');
SELECT expect_tag('amount', 1, 'x');
SELECT expect_tag('young', 'x');
SELECT expect_tag('yung', 1);
SELECT expect_tag('young', NULL::int);
SELECT expect_coverage('young', 0.5, 0.3);
SELECT expect_coverage('young', 0.5, 30);
SELECT expect_coverage('young', NULL, 1);
SELECT drop_tag_test('young', 99);
SELECT check_tags('nowhere');
-- NULL for a population: the only one; retired tags are left alone.
SELECT alter_tag('nobody', state => 'retired');
SELECT count(*) FROM check_tags(NULL) WHERE tag = 'nobody';
SELECT alter_tag('nobody', state => 'approved');

-- What goes wrong later; the warnings that reading such sets gives come in the plan's order.
SET client_min_messages = error;
ALTER TABLE customers RENAME age TO years;
CREATE OR REPLACE FUNCTION region(city text) RETURNS text IMMUTABLE LANGUAGE sql RETURN lower(city);
SELECT tag, test, detail FROM check_tags() WHERE NOT ok AND detail NOT LIKE 'valid until%';
ALTER TABLE customers RENAME years TO age;
SELECT replace_tag('amount', 'amount * 2');
SELECT * FROM check_tags() WHERE tag = 'amount' AND NOT ok;
ALTER TABLE customers ALTER amount TYPE text;
SELECT * FROM check_tags() WHERE tag = 'amount' AND NOT ok;
ALTER TABLE customers ALTER amount TYPE numeric(10, 2) USING amount::numeric;
GRANT SELECT ON customers TO regress_crm_owner;
SELECT grant_population('people', 'regress_crm_owner', 'define');
SET ROLE regress_crm_owner;
SELECT create_tag('theirs', 'city = ''c1''');
RESET ROLE;
REVOKE SELECT ON customers FROM regress_crm_owner;
SELECT * FROM check_tags() WHERE tag = 'theirs' AND NOT ok;
SET ROLE regress_crm_owner;
SELECT expect_tag('young', 1);
SELECT expect_tag('theirs', 1, population => 'people');
SELECT drop_tag_test('young', 1, 'people');
RESET ROLE;
-- Who may ask.
SET ROLE regress_crm_checker;
SELECT * FROM check_tags('people');
SELECT count(*) FROM tag_test;
SELECT * FROM tag_cost_report('people');
RESET ROLE;
SELECT grant_population('people', 'regress_crm_checker');
GRANT SELECT (id) ON customers TO regress_crm_checker;
SET ROLE regress_crm_checker;
SELECT tag, test FROM check_tags('people') WHERE NOT ok;
SELECT count(*) FROM tag_test;
RESET ROLE;
SELECT drop_tag('theirs');

SET client_min_messages = warning;
-- What depends on something, directly or by way of other tags.
SELECT create_tag('rich', 'amount > 100');
SELECT create_tag('rich and young', 'has_tag(''rich'') AND age < 30');
SELECT create_tag('target', 'has_tag(''rich and young'') AND city = ''c1''');
SELECT * FROM tag_dependents('amount');
SELECT * FROM tag_dependents('amount', 'column', 'people');
SELECT * FROM tag_dependents('region');
SELECT * FROM tag_dependents('check_test.region');
SELECT * FROM tag_dependents('rich', 'tag');
SELECT * FROM tag_dependents('a_e');
SELECT kind, name FROM tag_lineage('rich and young');
SELECT alter_tag('rich', state => 'retired');
SELECT tag, test, ok, detail FROM check_tags() WHERE test = 'bases';
SELECT alter_tag('rich', state => 'approved');
CREATE VIEW below AS SELECT id, amount AS sum FROM customers;
SELECT create_population('viewed', 'below', 'id');
SELECT create_tag('much', 'sum > 5', population => 'viewed');
SELECT * FROM tag_dependents('customers.amount');
SELECT * FROM tag_dependents('amount') WHERE population = 'viewed';
SELECT * FROM tag_dependents('below');
SET ROLE regress_crm_owner;
SELECT count(*) FROM tag_dependents('customers.amount');
RESET ROLE;

-- Cost.  One rule counts its calls, and naps: for longer than whatever the machine does besides.
SELECT * FROM tag_cost_report('viewed');
SELECT count(*) FROM refresh_tags('people');
CREATE SEQUENCE calls;
SET check_test.nap = 0;
CREATE FUNCTION slow(a int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM nextval('check_test.calls'), pg_sleep(current_setting('check_test.nap')::float8); RETURN a > 5; END $$;
SELECT create_tag('slow', 'slow(age)', population => 'people');
SELECT count(*) FROM refresh_tags('people', '{slow}');
SELECT setval('calls', 1, false);
SELECT tag, microseconds >= 0 AS measured, batched, set_bytes > 0 AS stored, history_bytes >= 0 AS kept FROM tag_cost_report('people', 100);
-- three runs over so many customers
SELECT last_value FROM calls;
SET check_test.nap = 0.05;
SELECT tag, microseconds > 10000 AS napped FROM tag_cost_report('people', 10) ORDER BY share DESC LIMIT 1;
SELECT round(sum(share)::numeric, 6) FROM tag_cost_report('people', 10);
RESET check_test.nap;
SELECT * FROM tag_cost_report('people', 0);
SELECT * FROM tag_cost_report('people', NULL);

SELECT drop_population('people'), drop_population('viewed');
SELECT count(*) FROM tag_test;
DROP SCHEMA check_test CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_checker, regress_crm_owner;
DROP ROLE regress_crm_checker, regress_crm_owner;
