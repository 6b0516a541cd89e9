-- Segments with a name, dynamic and frozen, against plain SQL; who may do what with them.
SET client_min_messages = warning;
CREATE ROLE regress_crm_owner;
CREATE ROLE regress_crm_definer;
CREATE ROLE regress_crm_north;
CREATE ROLE regress_crm_stranger;
CREATE SCHEMA segment_define_test;
GRANT USAGE ON SCHEMA segment_define_test, crm TO PUBLIC;
GRANT CREATE ON SCHEMA segment_define_test TO regress_crm_owner;
SET search_path = segment_define_test, crm, public;
SET ROLE regress_crm_owner;

CREATE TABLE customers (id bigint PRIMARY KEY, branch text, city text, vip boolean, recent boolean);
INSERT INTO customers
SELECT i, (ARRAY['north', 'south', NULL])[i % 3 + 1], (ARRAY['Berlin', '上海'])[i % 2 + 1], i % 10 = 0, i % 7 < 3
FROM generate_series(1, 3000) i;
SELECT create_population('named', 'customers', 'id', scope => 'branch');
SELECT create_tag('vip', 'vip');
SELECT create_tag('recent', 'recent');
SELECT create_tag('city', 'city');

-- Before the first refresh: a dynamic one may be defined, a frozen one has nothing to keep.
SELECT define_segment('good', 'vip & recent', description => 'worth a call');
SELECT define_segment('kept', 'good', frozen => true);
SELECT segment('good');
SELECT count(*) FROM refresh_tags();
SELECT define_segment('kept', 'good | city = "上海"', frozen => true);
SELECT define_segment('优质 客户', '"kept" - recent');

-- In expressions and in tag(), alone and within one another.
SELECT segment('good') = (SELECT audience_agg(id) FROM customers WHERE vip AND recent) AS alone,
	tag('good') = segment('good') AS as_tag,
	segment('!good') = (SELECT audience_agg(id) FROM customers WHERE NOT (vip AND recent)) AS without,
	segment('"优质 客户" & !vip | good & good') = (SELECT audience_agg(id) FROM customers
		WHERE ((vip AND recent OR city = '上海') AND NOT recent) AND NOT vip OR vip AND recent) AS nested,
	tag('优质 客户') = (SELECT audience_agg(id) FROM customers WHERE (vip AND recent OR city = '上海') AND NOT recent) AS frozen_within;
SELECT count(*) FROM customers WHERE id <@ tag('good') AND id <@ segment('recent & good');
SELECT population, segment, frozen, owner, expression, description, members, round(share::numeric, 4) AS share, refreshed_at IS NOT NULL AS kept, problem
FROM segment_catalog ORDER BY segment COLLATE "C";
SELECT * FROM segment_profile('good', 'good | city = Berlin') WHERE tag = 'city' AND value = 'Berlin' AND segment_members <> (SELECT count(*) FROM customers WHERE vip AND recent AND city = 'Berlin');
SELECT a, b, "both" = (SELECT count(*) FROM customers WHERE vip AND recent) AS all_good FROM segment_overlap(ARRAY['good', 'kept']) WHERE a < b;

-- A dynamic one follows the tags, a frozen one stays until it is refreshed.
UPDATE customers SET vip = NOT vip, city = CASE WHEN id % 5 = 0 THEN '上海' ELSE city END WHERE id <= 1000;
CREATE TABLE before AS SELECT segment('kept') AS kept, segment('good') AS good;
SELECT count(*) FROM refresh_tags();
SELECT segment('good') = (SELECT audience_agg(id) FROM customers WHERE vip AND recent) AS follows, segment('good') <> good AS changed,
	segment('kept') = kept AS stays FROM before;
WITH now AS (SELECT audience_agg(id) AS a FROM customers WHERE vip AND recent OR city = '上海')
SELECT members = cardinality(a) AS members, entered = cardinality(a - kept) AS entered, exited = cardinality(kept - a) AS exited, entered > 0 AND exited > 0 AS some
FROM refresh_segment('kept'), now, before;
SELECT segment('kept') = (SELECT audience_agg(id) FROM customers WHERE vip AND recent OR city = '上海') AS refreshed;
SELECT * FROM refresh_segment('kept');
SELECT refresh_segment('good');
-- Customers who are gone stay in what is frozen, as far as all scopes are read.
BEGIN;
DELETE FROM customers WHERE id <= 100;
SELECT count(*) FROM refresh_tags();
SELECT segment('kept') @> (SELECT min(m) FROM members(segment('kept')) m) AND (SELECT min(m) FROM members(segment('kept')) m) <= 100 AS gone_stay,
	(SELECT min(m) FROM members(segment('good')) m) > 100 AS dynamic_without;
ROLLBACK;

-- Names: taken by a segment, by a tag, the other way round; replacing.
SELECT define_segment('good', 'vip');
SELECT define_segment('vip', 'recent');
SELECT create_tag('good', 'vip');
SELECT define_segment('good', 'recent - vip', replace => true);
SELECT segment('good') = (SELECT audience_agg(id) FROM customers WHERE recent AND NOT vip) AS replaced,
	(SELECT description FROM segment_catalog WHERE segment = 'good') AS description;
SELECT define_segment('kept', 'good', replace => true);
SELECT segment('kept') = segment('good') AS frozen_no_more, (SELECT frozen FROM segment_catalog WHERE segment = 'kept') AS frozen;
SELECT count(*) AS left_behind FROM crm.segment_definition WHERE NOT frozen AND refreshed_at IS NOT NULL;

-- Loops, however long, and through frozen ones too.
SELECT define_segment('good', 'vip | good', replace => true);
SELECT define_segment('good', '"优质 客户"', replace => true);
SELECT define_segment('new', 'vip & new');
SELECT define_segment('new', 'kept', frozen => true);
SELECT define_segment('good', 'new', replace => true);
SELECT segment('good') = (SELECT audience_agg(id) FROM customers WHERE recent AND NOT vip) AS as_before;

-- A diamond of twenty floors has a million paths: each segment is evaluated once.
SET statement_timeout = '20s';
SELECT count(*) FROM (SELECT define_segment('floor' || i, CASE i WHEN 0 THEN 'vip' ELSE format('floor%s & floor%s', i - 1, i - 1) END) FROM generate_series(0, 20) i) f;
SELECT segment('floor20') = segment('vip') AS diamond;
RESET statement_timeout;
SELECT count(*) FROM (SELECT drop_segment('floor' || i) FROM generate_series(0, 20) i) f;

-- What is wrong is said when a segment is defined, with its place.
SELECT define_segment('bad', 'vip &');
SELECT define_segment('bad', 'vip & godo');
SELECT define_segment('bad', 'vip = yes');
SELECT define_segment('bad', 'vip & good = yes');
SELECT define_segment('bad', 'city >= 3');
SELECT define_segment('', 'vip');
SELECT define_segment(repeat('x', 201), 'vip');
SELECT define_segment(NULL, 'vip');
SELECT define_segment('bad', NULL);
SELECT drop_segment('goood');
SELECT drop_segment('unknown');
SELECT refresh_segment('vip');
SELECT tag('good', 'yes');
SELECT segment('goood');

-- A tag that goes: the catalogue tells, the other segments are still shown, and asking shows the way.
BEGIN;
SELECT drop_tag('recent');
SELECT segment, members IS NULL AS unknown, problem FROM segment_catalog ORDER BY segment COLLATE "C";
SELECT segment('vip | kept');
ROLLBACK;

-- Rights: as for tags.
SET ROLE regress_crm_owner;
SELECT grant_population('named', 'regress_crm_north', scopes => ARRAY['north']);
SELECT grant_population('named', 'regress_crm_definer', 'define');
SELECT define_segment('both', 'vip | recent', frozen => true);
SET ROLE regress_crm_north;
SELECT define_segment('mine', 'vip');
SELECT drop_segment('good');
SELECT refresh_segment('both');
SELECT segment('both') = segment('vip | recent') AS own_scope, cardinality(segment('both')) AS members;
SELECT segment, members FROM segment_catalog ORDER BY segment COLLATE "C";
SELECT members FROM segment_members;
SET ROLE regress_crm_definer;
SELECT define_segment('mine', 'vip');
SELECT define_segment('mine too', 'vip', frozen => true);
SELECT define_segment('good', 'vip', replace => true);
SELECT segment, owner, members FROM segment_catalog WHERE owner <> 'regress_crm_owner';
SET ROLE regress_crm_stranger;
SELECT count(*) AS seen FROM segment_catalog;
SELECT segment('good', 'named');
SELECT define_segment('mine', 'vip', 'named');
SELECT drop_segment('mine', 'named');
RESET ROLE;
SELECT cardinality(segment('both')) AS members, (SELECT count(*) FROM customers WHERE branch = 'north' AND (vip OR recent)) AS north;

-- A damaged member set is told, not believed.
BEGIN;
UPDATE segment_members SET members = '\x0102';
SELECT segment('both');
ROLLBACK;
BEGIN;
DELETE FROM segment_members;
SELECT segment('both');
ROLLBACK;

-- Dropped with the population.
SELECT drop_segment('mine');
SELECT drop_population('named');
SELECT count(*) AS segments FROM segment_definition UNION ALL SELECT count(*) FROM segment_members;
DROP SCHEMA segment_define_test CASCADE;
DROP ROLE regress_crm_owner, regress_crm_definer, regress_crm_north, regress_crm_stranger;
