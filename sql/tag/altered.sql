-- The source changes between the creation of tags and their refresh; and what
-- the owner of the catalogue may write into it, which is an error at worst.
CREATE SCHEMA tag_altered;
SET search_path = tag_altered, crm, public;
SET client_min_messages = warning;
CREATE TABLE customers (id int PRIMARY KEY, age int, city text, member boolean, junk int);
INSERT INTO customers SELECT n, n % 90, 'c' || n % 3, n % 2 = 0 FROM generate_series(1, 1000) n;
SELECT crm.create_population('altered', 'customers', 'id');
SELECT crm.create_tag('young', 'age < 30', population => 'altered');
SELECT crm.create_tag('city', 'city', population => 'altered');
SELECT crm.create_tag('member', 'member', population => 'altered');
SELECT * FROM crm.refresh_tags('altered') ORDER BY 1, 2;

-- Columns that rules need: the error names the tag and the remedy, the sets stay
BEGIN; ALTER TABLE customers DROP COLUMN age; SELECT * FROM crm.refresh_tags('altered'); ROLLBACK;
BEGIN; ALTER TABLE customers RENAME age TO years; SELECT * FROM crm.refresh_tags('altered'); ROLLBACK;
BEGIN; ALTER TABLE customers ALTER age TYPE text; SELECT * FROM crm.refresh_tags('altered'); ROLLBACK;
BEGIN; ALTER TABLE customers ALTER city TYPE int USING 1; SELECT * FROM crm.refresh_tags('altered'); ROLLBACK;
BEGIN; ALTER TABLE customers ALTER city TYPE boolean USING true; SELECT * FROM crm.refresh_tags('altered'); ROLLBACK;
BEGIN; ALTER TABLE customers ALTER member TYPE text; SELECT * FROM crm.refresh_tags('altered'); ROLLBACK;
-- A type that means the same, other columns, the relation's name
BEGIN;
ALTER TABLE customers ALTER age TYPE numeric, ALTER city TYPE varchar(10), ALTER id TYPE bigint, DROP COLUMN junk, ADD COLUMN other int;
ALTER TABLE customers RENAME TO clients;
SELECT * FROM crm.refresh_tags('altered') ORDER BY 1, 2;
SELECT tag FROM crm.tags_of(30, 'altered');
ROLLBACK;
-- The key
BEGIN; ALTER TABLE customers ALTER id TYPE text; SELECT * FROM crm.refresh_tags('altered'); ROLLBACK;
BEGIN; ALTER TABLE customers ALTER id TYPE text; SELECT * FROM crm.tags_of(30, 'altered'); ROLLBACK;
BEGIN; ALTER TABLE customers DROP COLUMN id; SELECT * FROM crm.refresh_tags('altered'); ROLLBACK;
SELECT crm.cardinality(crm.tag('young', population => 'altered'));

-- Rights that are missing are the owner's, whoever refreshes
CREATE ROLE regress_crm_altered;
GRANT USAGE ON SCHEMA tag_altered, crm TO regress_crm_altered;
GRANT SELECT ON customers TO regress_crm_altered;
SELECT crm.grant_population('altered', 'regress_crm_altered', 'define');
SET ROLE regress_crm_altered;
SELECT crm.create_tag('theirs', 'age > 60', population => 'altered');
RESET ROLE;
REVOKE SELECT ON customers FROM regress_crm_altered;
SELECT * FROM crm.refresh_tags('altered');
SELECT crm.drop_tag('theirs', 'altered');
SELECT crm.revoke_population('altered', 'regress_crm_altered', 'define');
REVOKE USAGE ON SCHEMA tag_altered, crm FROM regress_crm_altered;
DROP ROLE regress_crm_altered;

-- A catalogue that its owner has altered: errors, whatever it holds
\set VERBOSITY terse
BEGIN; ALTER TABLE crm.tag_set ALTER members DROP NOT NULL; SELECT crm.tag('young', population => 'altered'); ROLLBACK;
BEGIN; DROP INDEX crm.tag_set_by_tag; CREATE INDEX tag_set_by_tag ON crm.tag_set USING hash (tag_id);
SELECT crm.tag('young', population => 'altered'); ROLLBACK;
BEGIN; ALTER TABLE crm.tag_set RENAME TO moved; CREATE VIEW crm.tag_set AS SELECT * FROM crm.moved;
SELECT crm.tag('young', population => 'altered'); ROLLBACK;
CREATE VIEW numbers AS SELECT d.tag_id, d.population_id FROM crm.tag_definition d
JOIN crm.population_definition p USING (population_id) WHERE p.name = 'altered' AND d.name IN ('young', 'city');
BEGIN; UPDATE crm.tag_set s SET value_no = -7 FROM numbers n WHERE s.tag_id = n.tag_id AND s.value_no < 2;
DO $$ BEGIN PERFORM crm.refresh_tags('altered'); EXCEPTION WHEN data_corrupted THEN RAISE WARNING '%', SQLERRM; END $$; ROLLBACK;
BEGIN; UPDATE crm.population_scope s SET scope_no = -7 FROM numbers n WHERE s.population_id = n.population_id;
SELECT crm.refresh_tags('altered'); ROLLBACK;
BEGIN; ALTER TABLE crm.tag_value DROP CONSTRAINT tag_value_value_no_check;
UPDATE crm.tag_value v SET value_no = 2147483647 FROM numbers n WHERE v.tag_id = n.tag_id AND v.value = 'c1';
SELECT crm.refresh_tags('altered'); ROLLBACK;
BEGIN; ALTER TABLE crm.population_definition ALTER key_form DROP NOT NULL;
UPDATE crm.population_definition SET key_form = NULL WHERE name = 'altered';
SELECT crm.tag('young', population => 'altered'); ROLLBACK;
UPDATE crm.population_definition SET chunk_bits = 2 WHERE name = 'altered';
BEGIN; ALTER TABLE crm.population_definition DROP CONSTRAINT population_definition_chunk_bits_check;
UPDATE crm.population_definition SET chunk_bits = 5000 WHERE name = 'altered';
SELECT crm.tag('young', population => 'altered'); ROLLBACK;
\set VERBOSITY default
SELECT crm.drop_population('altered');
DROP SCHEMA tag_altered CASCADE;
