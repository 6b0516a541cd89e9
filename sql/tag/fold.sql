-- Folding: the stored sets become those that a refresh would have made, byte by byte.
CREATE SCHEMA tag_fold;
SET search_path = tag_fold, crm, public;
SET client_min_messages = warning;

CREATE TABLE customers (id bigint PRIMARY KEY, age int, city text, spend numeric, branch text);
INSERT INTO customers SELECT n, n % 90, 'c' || n % 3, n * 1.5, 'b' || n % 4 FROM generate_series(-20, 20000) n WHERE n <> 0;
SELECT crm.create_population('folded', 'customers', 'id', 'branch');
SELECT crm.create_tag('old', 'age > 50', population => 'folded');
SELECT crm.create_tag('city', 'city', population => 'folded');
SELECT crm.create_tag('spend', 'spend', population => 'folded');
SELECT * FROM crm.fold_tags('folded');
SELECT crm.track_population('folded');
-- Before the first refresh it is one
SELECT tag, value, members FROM crm.fold_tags('folded');
SELECT * FROM crm.fold_tags('folded', '2999-01-01 00:00-08');
SELECT * FROM crm.fold_tags('folded', 'infinity');

-- Nothing to do, and nothing written
SELECT tag, value, members, entered, exited FROM crm.fold_tags('folded') WHERE entered > 0 OR exited > 0;
SELECT count(*) FROM crm.refresh_history JOIN crm.population_definition USING (population_id) WHERE name = 'folded';

-- Who came and went; a move to another branch is neither
UPDATE customers SET age = 60 WHERE id BETWEEN 1 AND 10;
UPDATE customers SET city = 'new', branch = 'b9' WHERE id BETWEEN 5 AND 14;
UPDATE customers SET branch = 'b8' WHERE id = 60;
DELETE FROM customers WHERE id BETWEEN 90 AND 99;
INSERT INTO customers VALUES (100000, 51, 'c1', 7, NULL), (-500, 52, NULL, NULL, 'b1');
SELECT count(*) FROM crm.change_log;
BEGIN;
SELECT tag, value, members, entered, exited FROM crm.refresh_tags('folded');
ROLLBACK;
SELECT tag, value, members, entered, exited FROM crm.fold_tags('folded');
SELECT count(*) FROM crm.change_log;
SELECT tag, value, members, entered, exited FROM crm.refresh_tags('folded');
SELECT chunks_written FROM crm.refresh_history ORDER BY refresh_id DESC LIMIT 1;

-- More decimals than the stored numbers have
UPDATE customers SET spend = 3.125 WHERE id = 7;
SELECT tag, members, entered, exited FROM crm.fold_tags('folded') WHERE tag = 'spend';
SELECT crm.bsi_value(crm.tag_number('spend', 'folded'), 7);
SELECT count(*) FROM crm.refresh_tags('folded') WHERE entered > 0 OR exited > 0;
SELECT chunks_written FROM crm.refresh_history ORDER BY refresh_id DESC LIMIT 1;

-- A rule that fails names tag and customer, and the log stays
SELECT crm.create_tag('ratio', '100 / (age - 1000) < 0', population => 'folded');
SELECT count(*) FROM crm.refresh_tags('folded', '{ratio}');
UPDATE customers SET age = 1000 WHERE id = 12;
SELECT count(*) FROM crm.fold_tags('folded');
SELECT count(*) FROM crm.change_log;
UPDATE customers SET age = 10 WHERE id = 12;
SELECT count(*) FROM crm.fold_tags('folded');
SELECT count(*) FROM crm.change_log;
SELECT crm.drop_tag('ratio', 'folded');

-- Random changes, dense and sparse ids: folding and refreshing write the same
CREATE FUNCTION change() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	n int := 1 + floor(random() * 60);
BEGIN
	CASE floor(random() * 8)::int
		WHEN 0 THEN UPDATE customers SET age = age + 1 WHERE id IN (SELECT id FROM customers ORDER BY random() LIMIT n);
		WHEN 1 THEN UPDATE customers SET branch = 'b' || floor(random() * 12), city = 'c' || floor(random() * 5)
			WHERE id IN (SELECT id FROM customers ORDER BY random() LIMIT n);
		WHEN 2 THEN DELETE FROM customers WHERE id IN (SELECT id FROM customers ORDER BY random() LIMIT n);
		WHEN 3 THEN INSERT INTO customers SELECT (random() * 1e9)::bigint - 100000000, 60, 'new', random()::numeric(10, 2), 'b1'
			FROM generate_series(1, n) ON CONFLICT DO NOTHING;
		WHEN 4 THEN UPDATE customers SET spend = -spend WHERE id IN (SELECT id FROM customers ORDER BY random() LIMIT n);
		WHEN 5 THEN UPDATE customers SET id = id + 1
			WHERE id IN (SELECT id FROM customers a WHERE NOT EXISTS (SELECT FROM customers b WHERE b.id = a.id + 1) ORDER BY random() LIMIT n);
		WHEN 6 THEN UPDATE customers SET spend = spend * CASE WHEN random() < 0.1 THEN 1000.001 ELSE 2 END
			WHERE id IN (SELECT id FROM customers ORDER BY random() LIMIT 3);
		ELSE UPDATE customers SET branch = NULL, spend = NULL, city = NULL WHERE id IN (SELECT id FROM customers ORDER BY random() LIMIT n);
	END CASE;
END
$$;
CREATE FUNCTION compare(rounds int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	old crm.audience;
	other crm.audience;
	numbers text;
BEGIN
	FOR i IN 1 .. rounds LOOP
		PERFORM change() FROM generate_series(1, 3);
		old := crm.tag('old');
		other := crm.segment('city != c1 & spend > 100');
		numbers := crm.tag_number('spend')::text;
		PERFORM * FROM crm.fold_tags('folded');
		IF (SELECT count(*) FROM crm.change_log) > 0 THEN RETURN NEXT format('round %s: rows in the log', i); END IF;
		IF old <> crm.tag('old') OR other <> crm.segment('city != c1 & spend > 100') OR numbers <> crm.tag_number('spend')::text THEN
			RETURN NEXT format('round %s: the reader before the fold and the one after it differ', i);
		END IF;
		PERFORM * FROM crm.refresh_tags('folded') WHERE entered > 0 OR exited > 0;
		IF FOUND THEN RETURN NEXT format('round %s: fold and refresh differ', i); END IF;
		IF (SELECT chunks_written FROM crm.refresh_history ORDER BY refresh_id DESC LIMIT 1) > 0 THEN
			RETURN NEXT format('round %s: the refresh wrote', i);
		END IF;
		IF EXISTS (SELECT FROM crm.tag_size WHERE members <= 0) THEN RETURN NEXT format('round %s: sizes', i); END IF;
	END LOOP;
END
$$;
SELECT setseed(0.3);
SELECT * FROM compare(6);
UPDATE customers SET id = id * 1000003;
SELECT count(crm.drop_population('folded'));
SELECT crm.create_population('folded', 'customers', 'id', 'branch');
SELECT crm.create_tag('old', 'age > 50', population => 'folded');
SELECT crm.create_tag('city', 'city', population => 'folded');
SELECT crm.create_tag('spend', 'spend', population => 'folded');
SELECT count(*) > 0 FROM crm.refresh_tags('folded');
SELECT chunk_bits > 13 AS wide FROM crm.population_definition WHERE name = 'folded';
SELECT crm.track_population('folded');
SELECT * FROM compare(4);

-- A reader folds a long log, but not within a transaction block, nor without the right to define tags
SET crm_analytics.fold_after = 2;
UPDATE customers SET age = 61 WHERE id = (SELECT min(id) FROM customers);
UPDATE customers SET age = 62 WHERE id = (SELECT min(id) FROM customers);
UPDATE customers SET age = 63 WHERE id = (SELECT min(id) FROM customers);
BEGIN;
SELECT crm.tag('old') @> crm.customer_id(min(id)) FROM customers;
COMMIT;
SELECT count(*) FROM crm.change_log;
CREATE ROLE regress_crm_folder;
GRANT USAGE ON SCHEMA crm, tag_fold TO regress_crm_folder;
GRANT SELECT, INSERT, UPDATE ON customers TO regress_crm_folder;
SELECT crm.grant_population('folded', 'regress_crm_folder');
SET ROLE regress_crm_folder;
-- He writes without any right on the log, which he cannot see
UPDATE customers SET age = 40 WHERE id = (SELECT min(id) FROM customers);
SELECT crm.tag('old') @> crm.customer_id(min(id)) FROM customers;
SELECT count(*) FROM crm.change_log;
SELECT count(*) FROM crm.fold_tags('folded');
RESET ROLE;
SELECT count(*) FROM crm.change_log;
SET crm_analytics.fold_after = 0;
SELECT crm.tag('old') @> crm.customer_id(min(id)) FROM customers;
SELECT count(*) FROM crm.change_log;
SET crm_analytics.fold_after = 2;
SELECT crm.tag('old') @> crm.customer_id(min(id)) FROM customers;
SELECT count(*) FROM crm.change_log;
RESET crm_analytics.fold_after;
SELECT * FROM compare(1);

SELECT crm.drop_population('folded');
REVOKE USAGE ON SCHEMA crm FROM regress_crm_folder;
DROP SCHEMA tag_fold CASCADE;
DROP ROLE regress_crm_folder;
