-- What a tag is made from, found in its parsed rule.
SET client_min_messages = warning;
CREATE ROLE regress_crm_lineage;
CREATE SCHEMA lineage_test;
GRANT USAGE ON SCHEMA lineage_test, crm TO PUBLIC;
SET search_path = lineage_test, crm, public;
CREATE TABLE customers (id bigint PRIMARY KEY, city text, gone int, "Total €" numeric, birthday date);
ALTER TABLE customers DROP COLUMN gone;
INSERT INTO customers VALUES (1, 'Berlin', 5, '1990-01-02');
CREATE FUNCTION region(city text) RETURNS text IMMUTABLE LANGUAGE sql RETURN upper(city);
CREATE FUNCTION weight(c customers) RETURNS int IMMUTABLE LANGUAGE sql RETURN 1;
CREATE FUNCTION near(a text, b text) RETURNS boolean IMMUTABLE LANGUAGE sql RETURN left(a, 1) = left(b, 1);
CREATE OPERATOR ~~~ (FUNCTION = near, LEFTARG = text, RIGHTARG = text);
SELECT create_population('lineage', 'customers', 'id');
SELECT create_tag('spender', '"Total €" > 3 OR "Total €" IS NULL AND city <> ''Berlin''');
SELECT create_tag('region', 'region(city)');
SELECT create_tag('grown up', 'birthday < as_of - interval ''18 years''');
SELECT create_tag('whole row', 'weight(customer) = 1');
SELECT create_tag('like B', 'city ~~~ ''B''');
SELECT create_tag('all', 'true');
SELECT t.tag, l.* FROM tag_catalog t, tag_lineage(t.tag, t.population) l WHERE population = 'lineage'
ORDER BY t.tag COLLATE "C", l.kind COLLATE "C", l.name COLLATE "C";
SELECT * FROM tag_lineage('all');
SELECT * FROM tag_lineage(NULL);
SELECT * FROM tag_lineage('spendr');
-- A model that stands in the rule.
DO $$ BEGIN
	PERFORM create_tag('scored', format('predict(%L::model, ARRAY["Total €"::float8]) > 0.5', (SELECT logistic_fit(n > 50, ARRAY[n + n % 7]::float8[]) FROM generate_series(1, 100) n)));
END $$;
SELECT kind, regexp_replace(name, '\(.*', '') FROM tag_lineage('scored');
SELECT drop_tag('scored');
-- What depends on a column, before it is dropped.
SELECT t.tag FROM tag_catalog t, tag_lineage(t.tag, t.population) l WHERE population = 'lineage' AND (l.kind, l.name) = ('column', 'city') ORDER BY 1;
ALTER TABLE customers DROP COLUMN birthday;
SELECT * FROM tag_lineage('grown up');
SET ROLE regress_crm_lineage;
SELECT * FROM tag_lineage('spender', 'lineage');
RESET ROLE;
SELECT drop_population('lineage');
DROP SCHEMA lineage_test CASCADE;
DROP ROLE regress_crm_lineage;
