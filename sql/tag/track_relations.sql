-- Tracking several relations: partitions, children, views over accounts, keys that lead to customers; and what cannot be tracked.
CREATE SCHEMA tag_relations;
SET search_path = tag_relations, crm, public;
SET client_min_messages = warning;

-- Partitions: written through the parent and directly, attached and detached
CREATE TABLE customers (id int, region text, age int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE north PARTITION OF customers FOR VALUES IN ('north');
CREATE TABLE south PARTITION OF customers FOR VALUES IN ('south') PARTITION BY RANGE (id);
CREATE TABLE south_low PARTITION OF south FOR VALUES FROM (0) TO (1000);
CREATE TABLE south_high PARTITION OF south FOR VALUES FROM (1000) TO (100000);
INSERT INTO customers SELECT n, (ARRAY['north', 'south'])[1 + n % 2], n % 90 FROM generate_series(1, 3000) n;
SELECT crm.create_population('parts', 'customers', 'id');
SELECT crm.create_tag('old', 'age > 50', population => 'parts');
SELECT crm.track_population('parts');
SELECT count(*) FROM crm.refresh_tags('parts');
SELECT tgrelid::regclass, count(*) FROM pg_trigger WHERE tgname LIKE 'crm_track%' AND tgrelid::regclass::text ~ 'north|south|customers' GROUP BY 1 ORDER BY 1;
CREATE FUNCTION parts() RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN crm.tag('old', population => 'parts') = coalesce((SELECT crm.audience_agg(id::bigint) FROM customers WHERE age > 50), '{}')
		THEN 'same' ELSE 'differs' END
$$;
INSERT INTO customers VALUES (5001, 'north', 60), (5002, 'south', 60);
SELECT parts();
INSERT INTO north VALUES (5003, 'north', 60);
INSERT INTO south VALUES (5004, 'south', 60);
INSERT INTO south_low VALUES (0, 'south', 60);
COPY south_high FROM stdin;
5005	south	60
\.
UPDATE south_low SET age = 77 WHERE id < 100;
-- from one partition into another
UPDATE customers SET region = 'south' WHERE id BETWEEN 200 AND 220 AND region = 'north';
UPDATE customers SET id = id + 20000, age = 80 WHERE id BETWEEN 300 AND 310;
DELETE FROM north WHERE id BETWEEN 400 AND 420;
SELECT parts();
SELECT count(*) FROM crm.fold_tags('parts');
SELECT parts();
-- A partition with rows comes: noticed at once, and from the fold on its triggers see it
CREATE TABLE west (LIKE customers);
INSERT INTO west SELECT n, 'west', n % 90 FROM generate_series(6000, 6500) n;
ALTER TABLE customers ATTACH PARTITION west FOR VALUES IN ('west');
SELECT parts();
SELECT members, entered FROM crm.fold_tags('parts');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'west'::regclass AND tgname LIKE 'crm_track%';
INSERT INTO west VALUES (6501, 'west', 55);
SELECT parts(), (SELECT count(*) FROM crm.change_log) AS log;
ALTER TABLE customers DETACH PARTITION south;
SELECT parts();
-- what is no part of the population any more is not logged
SELECT count(*) FROM crm.fold_tags('parts');
INSERT INTO south VALUES (7001, 'south', 60);
SELECT parts(), (SELECT count(*) FROM crm.change_log) AS log;
DROP TABLE west;
SELECT parts();
SELECT members, exited FROM crm.fold_tags('parts');
-- A trigger that was disabled is noticed by the fold, which refreshes
ALTER TABLE north DISABLE TRIGGER ALL;
UPDATE north SET age = 99;
ALTER TABLE north ENABLE TRIGGER ALL;
ALTER TABLE north DISABLE TRIGGER USER;
SELECT count(*) FROM crm.fold_tags('parts');
SELECT parts();
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'north'::regclass AND tgname LIKE 'crm_track%' AND tgenabled = 'O';
SELECT crm.drop_population('parts');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'crm_track%' AND tgrelid::regclass::text ~ 'north|customers';

-- Inheritance
CREATE TABLE people (id int PRIMARY KEY, age int);
CREATE TABLE members (since date) INHERITS (people);
INSERT INTO people SELECT n, n FROM generate_series(1, 100) n;
INSERT INTO members SELECT n, n, '2026-01-01' FROM generate_series(101, 200) n;
SELECT crm.create_population('heirs', 'people', 'id');
SELECT crm.create_tag('old', 'age > 50', population => 'heirs');
SELECT crm.track_population('heirs');
SELECT count(*) FROM crm.refresh_tags('heirs');
UPDATE members SET age = 1;
UPDATE people SET age = 99 WHERE id > 195;
SELECT crm.cardinality(crm.tag('old', population => 'heirs')), (SELECT count(*) FROM people WHERE age > 50);
SELECT crm.drop_population('heirs');

-- A view over several tables; accounts roll up to customers, bookings to accounts, and an account may change hands
CREATE TABLE clients (code uuid PRIMARY KEY, name text);
CREATE TABLE accounts (account int PRIMARY KEY, client uuid);
CREATE TABLE bookings (account int, amount numeric);
INSERT INTO clients SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'c' || n FROM generate_series(1, 100) n;
INSERT INTO accounts SELECT n, ('00000000-0000-0000-0000-' || lpad((1 + n % 100)::text, 12, '0'))::uuid FROM generate_series(1, 150) n;
INSERT INTO bookings SELECT 1 + n % 150, n % 70 FROM generate_series(1, 2000) n;
CREATE VIEW banking AS
SELECT c.code, c.name, (SELECT count(*) FROM accounts a WHERE a.client = c.code) AS accounts, coalesce(b.balance, 0) AS balance
FROM clients c LEFT JOIN (SELECT a.client, sum(amount) AS balance FROM accounts a JOIN bookings USING (account) GROUP BY a.client) b ON b.client = c.code;
SELECT crm.create_population('bank', 'banking', 'code');
SELECT crm.create_tag('rich', 'balance > 500', population => 'bank');
SELECT crm.create_tag('accounts', 'accounts', population => 'bank');
SELECT crm.track_population('bank');
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "code"}]');
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "code"}, {"relation": "bookings", "key": "account"}]');
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "code"}, {"relation": "accounts", "key": "client", "customers": false},
	{"relation": "bookings", "key": "account", "via": {"relation": "accounts", "key": "account", "customer": "client"}}]');
SELECT relation_no, relation, key_column, customers, via, via_key, via_customer FROM crm.tracked_relation ORDER BY 1;
SELECT count(*) FROM crm.refresh_tags('bank');
CREATE FUNCTION bank() RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN (SELECT array_agg(k ORDER BY k) FROM crm.member_keys(crm.tag('rich', population => 'bank')) k)
			IS NOT DISTINCT FROM (SELECT array_agg(code::text ORDER BY code) FROM banking WHERE balance > 500)
		AND crm.bsi_sum(crm.tag_number('accounts', 'bank')) = (SELECT sum(accounts) FROM banking)
		THEN 'same' ELSE 'differs' END
$$;
INSERT INTO bookings VALUES (1, 10000), (2, -10000), (149, 400);
SELECT bank();
UPDATE accounts SET client = '00000000-0000-0000-0000-000000000099' WHERE account IN (1, 5);
SELECT bank();
INSERT INTO clients VALUES ('11111111-0000-0000-0000-000000000001', 'new');
INSERT INTO accounts VALUES (777, '11111111-0000-0000-0000-000000000001');
INSERT INTO bookings VALUES (777, 501);
SELECT bank();
UPDATE bookings SET account = 3 WHERE account = 777;
DELETE FROM accounts WHERE account = 10;
DELETE FROM clients WHERE name = 'c50';
SELECT bank();
SELECT count(*) FROM crm.fold_tags('bank');
SELECT bank();
SELECT count(*) FROM crm.refresh_tags('bank') WHERE entered > 0 OR exited > 0;
TRUNCATE bookings;
SELECT bank();
-- Tracked anew, with other relations
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "code"}, {"relation": "accounts", "key": "client"},
	{"relation": "bookings", "key": "account", "via": {"relation": "accounts", "key": "account", "customer": "client"}}]');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'crm_track%' AND tgrelid IN ('clients'::regclass, 'accounts'::regclass, 'bookings'::regclass);
SELECT bank();

-- What is asked for wrongly
SELECT crm.track_population('bank', '{"relation": "clients"}');
SELECT crm.track_population('bank', '[1]');
SELECT crm.track_population('bank', '[{"relation": "clients", "colour": "red"}]');
SELECT crm.track_population('bank', '[{"relation": "clients"}]');
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "code", "via": {"relation": "accounts"}}]');
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "code", "via": 3}]');
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "code", "customers": "yes"}]');
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "cod"}]');
SELECT crm.track_population('bank', '[{"relation": "clients", "key": "name"}]');
SELECT crm.track_population('bank', '[{"relation": "nowhere", "key": "code"}]');
SELECT crm.track_population('bank', '[{"relation": "banking", "key": "code"}]');
SELECT crm.track_population('bank', '[{"relation": "pg_catalog.pg_class", "key": "oid"}]');
CREATE TEMP TABLE passing (code uuid);
SELECT crm.track_population('bank', '[{"relation": "pg_temp.passing", "key": "code"}]');
CREATE MATERIALIZED VIEW frozen AS SELECT * FROM clients;
SELECT crm.track_population('bank', '[{"relation": "frozen", "key": "code"}]');
CREATE FOREIGN DATA WRAPPER tag_relations_none;
CREATE SERVER tag_relations_none FOREIGN DATA WRAPPER tag_relations_none;
CREATE FOREIGN TABLE far (code uuid) SERVER tag_relations_none;
SELECT crm.track_population('bank', '[{"relation": "far", "key": "code"}]');
CREATE VIEW over_frozen AS SELECT * FROM frozen;
SELECT crm.create_population('over', 'over_frozen', 'code');
SELECT crm.track_population('over', '[{"relation": "clients", "key": "code"}]');
SELECT crm.drop_population('over');
SELECT crm.track_population('nobody');
-- It is as it was
SELECT bank();

-- The trigger elsewhere has no effect, and is no function to call
CREATE TABLE mine (client uuid);
CREATE TRIGGER sly AFTER INSERT ON mine REFERENCING NEW TABLE AS crm_new FOR EACH STATEMENT
EXECUTE FUNCTION crm.log_change('1', '1', 'client');
INSERT INTO mine SELECT code FROM clients;
SELECT count(*) FROM crm.change_log WHERE NOT everybody;
CREATE TRIGGER sly2 AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION crm.log_change('1', '1', 'client');
INSERT INTO mine VALUES (NULL);

-- Who may: the owner of the population, with the right to make triggers
CREATE ROLE regress_crm_tracker;
GRANT USAGE ON SCHEMA crm, tag_relations TO regress_crm_tracker;
GRANT SELECT ON clients, accounts, bookings, banking TO regress_crm_tracker;
SET ROLE regress_crm_tracker;
SELECT crm.track_population('bank');
SELECT crm.untrack_population('bank');
SELECT crm.create_population('theirs', 'tag_relations.clients', 'code');
\set SHOW_CONTEXT never
SELECT crm.track_population('theirs');
SELECT crm.drop_population('theirs');
RESET ROLE;
SELECT crm.drop_population('bank');
REVOKE USAGE ON SCHEMA crm FROM regress_crm_tracker;
DROP SERVER tag_relations_none CASCADE;
DROP FOREIGN DATA WRAPPER tag_relations_none;
DROP SCHEMA tag_relations CASCADE;
DROP ROLE regress_crm_tracker;
