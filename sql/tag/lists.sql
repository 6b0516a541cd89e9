-- Imported lists.
SET client_min_messages = warning;
CREATE ROLE regress_crm_list;
CREATE SCHEMA list_test;
GRANT USAGE ON SCHEMA list_test, crm TO regress_crm_list;
SET search_path = list_test, crm, public;
CREATE TABLE customers (id bigint PRIMARY KEY, city text);
INSERT INTO customers SELECT i, 'c' || i % 3 FROM generate_series(-2, 100) i;
SELECT create_population('lists', 'customers', 'id');
SELECT create_tag('c1', 'city = ''c1''');

SELECT * FROM create_list_tag('vip', keys => '{1,2,3,2,003,-1,500,NULL}');
SELECT member_keys(tag('vip'));
SELECT * FROM import_list('vip', '{3,4}', mode => 'append');
SELECT * FROM import_list('vip', '{1,999}', mode => 'remove');
SELECT member_keys(tag('vip'));
SELECT * FROM import_list('vip', query => 'SELECT id FROM list_test.customers WHERE id BETWEEN 10 AND 12');
SELECT member_keys(tag('vip'));
-- until when: of all, of each; the latest of several counts, a new one takes the place of the old
SELECT * FROM import_list('vip', '{20,21}', mode => 'append', expires => now() + interval '1 day');
SELECT * FROM import_list('vip', query => 'SELECT id, CASE WHEN id = 22 THEN now() - interval ''1 minute'' WHEN id = 23 THEN now() + interval ''2 days'' END FROM list_test.customers WHERE id IN (20, 22, 23)', mode => 'append');
SELECT member_keys(tag('vip'));
SELECT CASE WHEN expires < 'infinity' THEN expires - now() > interval '0' END AS ahead, members FROM crm.tag_list_member ORDER BY expires;
SELECT tag, members, entered, exited FROM refresh_tags('lists', '{vip}', now() + interval '36 hours');
SELECT member_keys(tag('vip'));
SELECT tag, members, entered, exited FROM refresh_tags('lists');
-- a list is a tag
SELECT create_tag('vip of c1', $$has_tag('vip') AND has_tag('c1')$$);
SELECT create_tag('two days more', $$listed_until('vip') > as_of + interval '36 hours'$$);
SELECT tag, members FROM refresh_tags('lists');
SELECT cardinality(segment('vip & c1')), cardinality(segment('vip')), cardinality(segment('"vip of c1"'));
SELECT tag FROM tags_of(10) ORDER BY tag COLLATE "C";
SELECT part, regexp_replace(detail, ' on .* \(', ' (') AS detail, value FROM explain_tag(10, 'vip') WHERE part IN ('rule', 'list', 'condition', 'until');
SELECT part, detail, value FROM explain_tag(50, 'vip') WHERE part IN ('rule', 'condition');
SELECT * FROM tag_lineage('vip');
-- who is gone leaves, who comes back is on it again
DELETE FROM customers WHERE id = 12;
SELECT tag, members, exited FROM refresh_tags('lists', '{vip}');
INSERT INTO customers VALUES (12, 'c9');
SELECT tag, members, entered FROM refresh_tags('lists', '{vip}');
SELECT import_no, mode, imported_by, given, added, removed, unknown FROM crm.tag_list_import ORDER BY import_no;

-- what is refused
SELECT * FROM create_list_tag('vip', '{1}');
SELECT * FROM create_list_tag('c1', '{1}');
SELECT * FROM create_list_tag('x');
SELECT * FROM create_list_tag('x', '{1}', 'SELECT 1');
SELECT * FROM create_list_tag('x', '{one}');
SELECT * FROM create_list_tag('x', query => 'DELETE FROM list_test.customers RETURNING id');
SELECT * FROM create_list_tag('x', query => 'WITH d AS (DELETE FROM list_test.customers RETURNING id) SELECT id FROM d');
SELECT * FROM create_list_tag('x', query => 'SELECT 1; SELECT 2');
SELECT * FROM create_list_tag('x', query => 'SELECT 1, 2');
SELECT * FROM create_list_tag('x', query => 'SELECT 1, now(), 3');
SELECT * FROM create_list_tag('x', query => 'SELECT nosuch');
SELECT * FROM import_list('nosuch', '{1}');
SELECT * FROM import_list('vip', '{1}', mode => 'add');
SELECT * FROM import_list(NULL, '{1}');
SELECT listed_until('vip');
SELECT create_tag('x', $$listed_until('nosuch') > as_of$$);
SELECT list_expiry('{1}', '{2:1000000}', 1), list_expiry('{1}', '{2:1000001}', 2) AT TIME ZONE 'UTC', list_expiry('{1}', '{2:1000000}', 3), list_expiry(NULL, NULL, 3);
-- an empty list; an empty import
SELECT * FROM create_list_tag('nobody', '{}');
SELECT * FROM import_list('nobody', query => 'SELECT 1 WHERE false');

-- rights
SET ROLE regress_crm_list;
SELECT * FROM create_list_tag('x', '{1}', population => 'lists');
RESET ROLE;
SELECT grant_population('lists', 'regress_crm_list', 'define');
GRANT SELECT ON customers TO regress_crm_list;
SET ROLE regress_crm_list;
SELECT * FROM import_list('vip', '{1}', population => 'lists');
SELECT * FROM create_list_tag('theirs', '{7,8}', population => 'lists');
SELECT create_tag('x', $$listed_until('vip') > as_of$$, population => 'lists');
SELECT count(*) FROM crm.tag_list_member;
RESET ROLE;
SELECT tag, members FROM refresh_tags('lists', '{theirs}');

-- gone with the tag, and the name is free again
SELECT drop_tag('vip of c1'), drop_tag('vip');
SELECT * FROM refresh_tags('lists', '{two days more}');
SELECT drop_tag('two days more');
SELECT members FROM create_list_tag('vip', '{5}');

-- keys of text, whom no refresh has met before
CREATE TABLE people (name text PRIMARY KEY, branch text);
INSERT INTO people VALUES ('Li Wei', 'n'), ('王芳', 's'), ('Anna', 'n');
SELECT create_population('list_people', 'people', 'name', scope => 'branch');
SELECT * FROM create_list_tag('called', '{王芳,Anna,Nobody}', population => 'list_people', description => 'called last week', kind => 'timeliness');
SELECT member_keys(tag('called', population => 'list_people'), 'list_people');
INSERT INTO people VALUES ('new', 's');
SELECT * FROM import_list('called', '{new}', mode => 'append', population => 'list_people', expires => '2020-01-01');
SELECT * FROM import_list('called', '{new}', mode => 'append', population => 'list_people', expires => now() + interval '1 year');
SELECT member_keys(tag('called', population => 'list_people'), 'list_people');
SELECT part, value FROM explain_tag('new', 'called', 'list_people') WHERE part IN ('now', 'list');
SET crm_analytics.batch_rules = off;
SELECT tag, members, entered FROM refresh_tags('list_people');

-- keys with padding
CREATE TABLE padded (code char(8) PRIMARY KEY);
INSERT INTO padded SELECT 'k' || n FROM generate_series(1, 9) AS n;
SELECT create_population('padded', 'padded', 'code');
SELECT given, members, unknown, unknown_keys FROM create_list_tag('some', keys => '{k1,k2   ,k77}', population => 'padded');
SELECT given, members, unknown FROM import_list('some', query => $$SELECT code FROM padded WHERE code > 'k6'$$, mode => 'append', population => 'padded');
SELECT array_agg(key ORDER BY key) FROM member_keys(tag('some', population => 'padded'), 'padded') AS key;
SELECT drop_population('padded');

SELECT drop_population('lists'), drop_population('list_people');
SELECT count(*) FROM crm.tag_list WHERE name IN ('vip', 'called', 'theirs', 'nobody');
DROP SCHEMA list_test CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_list;
DROP ROLE regress_crm_list;

-- what another server evaluates that does not know the dictionary
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT n, crm.passing_list_expiry('{-5,1,4611686018427387904}', '{9223372036854775807,0,1700000000123456}', n) FROM unnest(ARRAY[-5, 0, 1, 4611686018427387904, 9]) AS n;
SELECT crm.passing_list_expiry('{}', '{}', 1) IS NULL AS of_nobody, crm.passing_list_expiry(NULL, '{}', 1) IS NULL AS of_no_list, crm.passing_list_expiry('{1}', '{5}', NULL) IS NULL AS nobody;
SELECT crm.passing_list_expiry('{1}', '{}', 1);
SELECT crm.passing_list_expiry('{1,2}', '{1,NULL}', 1);
SELECT crm.passing_list_expiry('{1}', '{-9223372036854775808}', 1);
