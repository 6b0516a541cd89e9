-- Who reads what: grants, scopes, row-level security and column privileges in every reader.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA rights_test;
SET search_path = rights_test, crm, public;
CREATE ROLE regress_crm_owner;
CREATE ROLE regress_crm_north;
CREATE ROLE regress_crm_clerk;
CREATE ROLE regress_crm_nobody;
GRANT USAGE ON SCHEMA rights_test, crm TO PUBLIC;
GRANT CREATE ON SCHEMA rights_test TO regress_crm_owner;

SET ROLE regress_crm_owner;
CREATE TABLE customers (id int PRIMARY KEY, branch text, name text, balance int, secret text);
INSERT INTO customers
SELECT i, (ARRAY['north', 'south', NULL])[i % 3 + 1], 'C' || i, i * 10, 'secret' || i FROM generate_series(1, 300) i;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_branch ON customers USING (branch = 'north' AND current_user = 'regress_crm_north' OR id <= 10 AND current_user = 'regress_crm_clerk');
SELECT create_population('bank', 'customers', 'id', scope => 'branch');
SELECT create_tag('rich', 'balance > 1500');
SELECT create_tag('branch', 'branch');
SELECT count(*) FROM refresh_tags('bank');
-- North reads whole sets of its scope; the clerk sees ten rows and no secrets; nobody has no right at all.
SELECT grant_population('bank', 'regress_crm_north', scopes => '{north}');
GRANT SELECT ON customers TO regress_crm_north;
GRANT SELECT (id, branch, name) ON customers TO regress_crm_clerk;

-- The owner.
SELECT cardinality(tag('rich')) AS rich, cardinality(segment('!rich')) AS others, cardinality(tag('branch', 'south')) AS south;
SELECT members FROM tag_catalog WHERE population = 'bank' ORDER BY tag COLLATE "C";
SELECT customers FROM refresh_history JOIN population_definition USING (population_id) WHERE name = 'bank';

SET ROLE regress_crm_north;
SELECT cardinality(tag('rich')) AS rich, cardinality(segment('!rich')) AS others, cardinality(tag('branch', 'south')) AS south,
	tag('rich') = (SELECT audience_agg(id) FROM customers WHERE balance > 1500) AS as_seen_by_himself;
SELECT customers FROM population_size WHERE population = 'bank';
SELECT tag, value, members, round(share::numeric, 4) AS share FROM segment_size WHERE population = 'bank' ORDER BY tag COLLATE "C", value COLLATE "C";
SELECT tag, members FROM tag_catalog WHERE population = 'bank' ORDER BY tag COLLATE "C";
SELECT measure, bucket, customers FROM tag_coverage WHERE population = 'bank' AND tag IS NULL ORDER BY bucket;
SELECT count(*), count(DISTINCT customer) FROM customer_tag_long WHERE population = 'bank';
SELECT scope FROM population_scope s JOIN population_definition p USING (population_id) WHERE p.name = 'bank' ORDER BY 1;
-- What was refreshed is counted over all scopes; when, he learns from what he may read.
SELECT count(*) FROM refresh_history;
SELECT count(*) = count(refreshed_at) AS known FROM tag_coverage WHERE population = 'bank';
-- Keys of other scopes stay unknown, whatever ids an audience holds.
SELECT count(*), bool_and(id % 3 = 0) FROM member_rows('{0..1000}', 'bank');
SELECT count(*) FROM member_keys('{0..1000}', 'bank');
-- One customer: by his own view of the row.  300 is of the north, 301 does not exist, 1 is of the south.
SELECT tag, value FROM tags_of(300);
SELECT tag, value FROM tags_of(1);
SELECT profile(300) -> 'customer' ->> 'name' AS name, profile(1) AS other_branch;
SELECT members FROM preview_tag('balance > 1500');
SELECT refresh_tags('bank');
SELECT create_tag('mine', 'balance > 1');

-- The clerk sees rows, not sets.
SET ROLE regress_crm_clerk;
SELECT tag('rich');
SELECT segment('rich | branch');
SELECT * FROM tag_counts('bank');
SELECT * FROM member_rows('{1}', 'bank');
SELECT tag, members FROM tag_catalog WHERE population = 'bank' ORDER BY tag COLLATE "C";
SELECT count(*) FROM segment_size;
SELECT count(*) FROM tag_coverage;
SELECT count(*) FROM customer_tag_long;
SELECT count(*) FROM population_scope;
SELECT tag, value FROM tags_of(1);
SELECT tag, value FROM tags_of(300);
-- Only his columns, and no shares of the whole.
SELECT regexp_replace(profile(1)::text, '\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d[.0-9]*\+00:00)?', '<time>', 'g') AS profile;
SELECT * FROM preview_tag('balance > 1500');
SELECT members FROM preview_tag('id > 5');
SELECT * FROM tag_set;
SELECT * FROM population_key;
INSERT INTO tag_definition (population_id, name, kind, value_type, owner) VALUES (1, 'x', 'base', 'boolean', 0);
DELETE FROM tag_definition;

-- Tags tell of any column: with all of them, the clerk learns the tags of his ten customers, and still no sets.
RESET ROLE;
GRANT SELECT ON customers TO regress_crm_clerk;
SET ROLE regress_crm_clerk;
SELECT tag, value FROM tags_of(1);
SELECT tag, value FROM tags_of(300);
SELECT tag('rich');
SELECT profile(1) -> 'tags' -> 'base' -> 0 ->> 'tag' AS tag, profile(1) -> 'tags' -> 'base' -> 0 ->> 'share' AS share;
-- What was met in rows that he may not see stays unknown: values, totals, and which keys there are.
SELECT count(*) FROM tag_value;
SELECT count(*) FROM refresh_history;
RESET ROLE;
SET ROLE regress_crm_owner;
CREATE VIEW by_name WITH (security_invoker = true) AS SELECT * FROM customers;
GRANT SELECT ON by_name TO regress_crm_clerk;
SELECT create_population('by name', 'by_name', 'name');
SELECT count(*) FROM refresh_tags('by name');
SELECT customer_id('C1', 'by name') > 0 AS one, customer_id('C300', 'by name') > 0 AS other, customer_id('C301', 'by name') AS none;
SET ROLE regress_crm_clerk;
SELECT customer_id('C1', 'by name') > 0 AS his, customer_id('C300', 'by name') AS hidden, customer_id('C301', 'by name') AS none;
SET ROLE regress_crm_owner;
SELECT drop_population('by name');

-- Nobody does not even learn that it is there.
SET ROLE regress_crm_nobody;
SELECT count(*) FROM tag_catalog;
SELECT count(*) FROM tag_definition;
SELECT count(*) FROM population_definition;
SELECT count(*) FROM tag_version;
SELECT count(*) FROM tag_value;
SELECT count(*) FROM tag_size;
SELECT count(*) FROM population_grant;
SELECT count(*) FROM refresh_history;
SELECT tag('rich');
SELECT tag('rich', population => 'bank');
SELECT * FROM tags_of(1, 'bank');
SELECT profile(1, 'bank');
SELECT * FROM preview_tag('true', 'bank');

-- A grant is seen at once, and taken back at once, also by a statement that is prepared.
PREPARE rich AS SELECT cardinality(tag('rich', population => 'bank'));
EXECUTE rich;
RESET ROLE;
SELECT grant_population('bank', 'regress_crm_nobody');
SET ROLE regress_crm_nobody;
EXECUTE rich;
SELECT tag, members FROM tag_catalog ORDER BY tag COLLATE "C";
SELECT tag FROM tags_of(1, 'bank');
RESET ROLE;
SELECT revoke_population('bank', 'regress_crm_nobody');
SET ROLE regress_crm_nobody;
EXECUTE rich;
RESET ROLE;

-- The role that counts is the one of the moment, in one query with two of them too.
CREATE FUNCTION as_north() RETURNS bigint LANGUAGE sql SECURITY DEFINER STABLE AS $$ SELECT crm.cardinality(crm.tag('rich', population => 'bank')) $$;
ALTER FUNCTION as_north() OWNER TO regress_crm_north;
SET ROLE regress_crm_owner;
SELECT as_north() AS of_north, cardinality(tag('rich', population => 'bank')) AS of_owner;
RESET ROLE;

SELECT drop_population('bank');
DROP SCHEMA rights_test CASCADE;
REVOKE USAGE ON SCHEMA crm FROM PUBLIC;
DROP ROLE regress_crm_owner, regress_crm_north, regress_crm_clerk, regress_crm_nobody;
