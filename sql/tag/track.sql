-- Tracked populations: whatever a statement does to the rows, tags are those of a refresh made now.
CREATE SCHEMA tag_track;
SET search_path = tag_track, crm, public;
SET client_min_messages = warning;

CREATE TABLE customers (id int PRIMARY KEY, age int, city text, spend numeric, branch text);
INSERT INTO customers SELECT n, n % 90, 'c' || n % 3, n * 1.5, 'b' || n % 4 FROM generate_series(-20, 20000) n WHERE n <> 0;
SELECT crm.create_population('tracked', 'customers', 'id', 'branch');
SELECT crm.create_tag('old', 'age > 50', population => 'tracked');
SELECT crm.create_tag('city', 'city', population => 'tracked');
SELECT crm.create_tag('spend', 'spend', population => 'tracked');

-- What the tags say against what the rows say; no row: no difference.
CREATE FUNCTION differences() RETURNS TABLE (what text, tags bigint, rows bigint) LANGUAGE sql STABLE AS $$
	SELECT what, tags, rows FROM (
		SELECT 'old' AS what, crm.cardinality(crm.tag('old')) AS tags, (SELECT count(*) FROM customers WHERE age > 50) AS rows
		UNION ALL SELECT 'old, member by member', crm.cardinality(crm.tag('old') # (SELECT crm.audience_agg(crm.customer_id(id)) FROM customers WHERE age > 50)), 0
		UNION ALL SELECT 'not old', crm.cardinality(crm.segment('!old')), (SELECT count(*) FROM customers WHERE (age > 50) IS NOT TRUE)
		UNION ALL SELECT 'any city', crm.cardinality(crm.tag('city')), (SELECT count(city) FROM customers)
		UNION ALL SELECT c, crm.cardinality(crm.tag('city', c)), (SELECT count(*) FROM customers WHERE city = c)
		FROM (SELECT DISTINCT city FROM customers WHERE city IS NOT NULL UNION SELECT 'nowhere') u (c)
		UNION ALL SELECT 'another city', crm.cardinality(crm.segment('city != c1')), (SELECT count(*) FROM customers WHERE city <> 'c1')
		UNION ALL SELECT 'spend', (crm.bsi_sum(crm.tag_number('spend')) * 100)::bigint, (SELECT (sum(spend) * 100)::bigint FROM customers)
		UNION ALL SELECT 'much', crm.cardinality(crm.segment('spend >= 100 & old')), (SELECT count(*) FROM customers WHERE spend >= 100 AND age > 50)
		UNION ALL SELECT 'keys', (SELECT count(*) FROM crm.member_keys(crm.segment('old | !old'))), (SELECT count(*) FROM customers)
		UNION ALL SELECT 'profile', (SELECT sum(base_members) FROM crm.segment_profile('old | !old') WHERE tag = 'city'), (SELECT count(city) FROM customers)
		UNION ALL SELECT 'one', (SELECT count(*) FROM customers c, crm.tags_of(c.id) WHERE c.id % 1000 = 7),
			(SELECT sum((age > 50)::int + (city IS NOT NULL)::int + (spend IS NOT NULL)::int) FROM customers WHERE id % 1000 = 7)
	) d WHERE coalesce(tags, 0) <> coalesce(rows, 0)
$$;

SELECT crm.tag('old');
SELECT crm.track_population('tracked');
SELECT crm.tag('old');
SELECT count(*) FROM crm.refresh_tags('tracked');
SELECT * FROM differences();
SELECT relation, t.key_column, customers, via FROM crm.tracked_relation t JOIN crm.population_definition USING (population_id) WHERE name = 'tracked';
SELECT tgname ~ '^crm_track_\d+_1_(insert|update|delete|truncate)$' AS named, count(*) FROM pg_trigger WHERE tgrelid = 'customers'::regclass AND NOT tgisinternal GROUP BY 1;

-- One row, many, by COPY, by ON CONFLICT, by MERGE
INSERT INTO customers VALUES (30001, 60, 'c1', 12.345, 'b1');
INSERT INTO customers SELECT n, n % 90, 'new' || n % 2, NULL, 'b9' FROM generate_series(30002, 30800) n;
COPY customers FROM stdin;
40001	77	c2	-5	b0
40002	\N	\N	\N	\N
40003	51	far	1e10	b77
\.
INSERT INTO customers VALUES (1, 51, 'c1', 0, 'b0'), (2, 52, 'c1', 0, 'b0'), (50001, 53, 'c1', 0, 'b0')
ON CONFLICT (id) DO UPDATE SET age = excluded.age, city = NULL;
MERGE INTO customers c USING (VALUES (3), (4), (60001)) s (id) ON c.id = s.id
WHEN MATCHED AND s.id = 3 THEN DELETE WHEN MATCHED THEN UPDATE SET age = 88 WHEN NOT MATCHED THEN INSERT VALUES (s.id, 89, 'merged', 1, 'b1');
SELECT * FROM differences();
UPDATE customers SET age = 100 - age, branch = 'b1' WHERE id BETWEEN 1000 AND 1500;
WITH moved AS (DELETE FROM customers WHERE id BETWEEN 3000 AND 3100 RETURNING *) INSERT INTO customers SELECT id + 100000, age, city, spend, branch FROM moved;
DELETE FROM customers WHERE id % 1000 = 8;
SELECT * FROM differences();
-- The key itself; negative ones, which are numbered
UPDATE customers SET id = id + 200000 WHERE id BETWEEN 100 AND 110;
UPDATE customers SET id = -id WHERE id BETWEEN 200 AND 210;
INSERT INTO customers SELECT -n, 55, 'south', n, 'b2' FROM generate_series(1000, 1010) n;
DELETE FROM customers WHERE id IN (-1000, -205);
SELECT * FROM differences();
SELECT tag, value FROM crm.tags_of(-1001);

-- Own writes count at once, and are gone with the transaction, or a part of it
BEGIN;
UPDATE customers SET age = 1 WHERE age > 50;
SELECT * FROM differences();
SAVEPOINT a;
UPDATE customers SET age = 99, city = 'savepoint' WHERE id < 500;
SELECT * FROM differences();
ROLLBACK TO a;
SELECT * FROM differences();
INSERT INTO customers VALUES (70001, 51, 'c1', 1, 'b1');
RELEASE a;
SELECT * FROM differences();
ROLLBACK;
SELECT * FROM differences();
DO $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		UPDATE customers SET age = 51 + i WHERE id = 5;
		IF NOT crm.tag('old') @> crm.customer_id(5) OR (SELECT count(*) FROM differences()) > 0 THEN RAISE 'not old'; END IF;
		UPDATE customers SET age = 49 WHERE id = 5;
		IF crm.tag('old') @> crm.customer_id(5) OR (SELECT count(*) FROM differences()) > 0 THEN RAISE 'old'; END IF;
	END LOOP;
END
$$;
-- In read-only transactions, and as another statement's snapshot sees it
BEGIN READ ONLY; SELECT * FROM differences(); COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM differences(); UPDATE customers SET age = 70 WHERE id = 6; SELECT * FROM differences(); ROLLBACK;
-- A cursor keeps what it saw
BEGIN;
DECLARE c CURSOR FOR SELECT crm.tag('old') @> crm.customer_id(id) FROM customers WHERE id = 7;
UPDATE customers SET age = 80 WHERE id = 7;
FETCH c;
SELECT crm.tag('old') @> 7::bigint;
ROLLBACK;

-- A rule that has been replaced counts from its refresh on
SELECT crm.replace_tag('old', 'age > 1000', population => 'tracked');
UPDATE customers SET age = 60 WHERE id = 9;
SELECT * FROM differences();
SELECT crm.replace_tag('old', 'age > 50', population => 'tracked');
-- A tag that has never been refreshed
SELECT crm.create_tag('never', 'age = 60', population => 'tracked');
SELECT crm.tag('never');
SELECT tag FROM crm.tags_of(9);
SELECT crm.drop_tag('never', 'tracked');
-- A rule that fails for somebody whose row has changed
BEGIN;
SELECT crm.create_tag('ratio', '100 / (age - 50) > 1', population => 'tracked');
DELETE FROM customers WHERE age = 50;
SELECT count(*) FROM crm.refresh_tags('tracked', '{ratio}');
UPDATE customers SET age = 50 WHERE id = 11;
\set SHOW_CONTEXT never
SELECT crm.tag('ratio');
\set SHOW_CONTEXT errors
ROLLBACK;

-- Everybody
BEGIN;
TRUNCATE customers;
SELECT * FROM differences();
INSERT INTO customers SELECT n, n % 90, 'c' || n % 5, n, 'b' || n % 4 FROM generate_series(1, 50) n;
SELECT * FROM differences();
ROLLBACK;
SELECT * FROM differences();

-- A column that is gone fails no write: everybody may have changed
BEGIN;
ALTER TABLE customers RENAME id TO number;
UPDATE customers SET age = 1 WHERE number = 5;
SELECT ids, keys FROM crm.change_log WHERE everybody;
ROLLBACK;

SELECT crm.untrack_population('tracked');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'customers'::regclass AND NOT tgisinternal;
SELECT count(*) FROM crm.change_log;
UPDATE customers SET age = 1;
SELECT count(*) FROM crm.change_log;
SELECT crm.track_population('tracked');
SELECT * FROM differences();
SELECT crm.drop_population('tracked');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'customers'::regclass AND NOT tgisinternal;
SELECT (SELECT count(*) FROM crm.change_log) + (SELECT count(*) FROM crm.tracked_relation) AS "left";

DROP SCHEMA tag_track CASCADE;
