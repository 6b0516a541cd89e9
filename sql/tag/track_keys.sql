-- Tracking with every type of key: readers, folds and refreshes agree.
CREATE SCHEMA tag_track_keys;
SET search_path = tag_track_keys, crm, public;
SET client_min_messages = warning;

CREATE DOMAIN code AS varchar(20) CHECK (value <> '');
-- The tags of tracked customers whose key is made by an expression over n, against the rows: as read, folded, refreshed.
CREATE FUNCTION try(type text, make text, OUT read text, OUT rows bigint, OUT folded text, OUT written bigint) LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS customers, events;
	EXECUTE format('CREATE TABLE customers (k %s PRIMARY KEY, a int)', type);
	EXECUTE format('CREATE TABLE events (k %s, at timestamptz, event text)', type);
	EXECUTE format('INSERT INTO customers SELECT %s, n FROM generate_series(1, 300) n', make);
	PERFORM crm.create_population('keys', 'customers', 'k', events => 'events', event_key => 'k', event_time => 'at', event_name => 'event');
	PERFORM crm.create_tag('above', 'a > 100', population => 'keys');
	PERFORM crm.create_tag('seen', 'crm.event_count(timeline, ''seen'') > 0', population => 'keys');
	PERFORM * FROM crm.refresh_timelines('keys');
	PERFORM crm.track_population('keys');
	PERFORM * FROM crm.refresh_tags('keys');
	EXECUTE format('INSERT INTO customers SELECT %s, n FROM generate_series(400, 450) n', make);
	EXECUTE format('INSERT INTO events SELECT %s, now(), ''seen'' FROM generate_series(5, 10) n', make);
	UPDATE customers SET a = 0 WHERE a BETWEEN 200 AND 210;
	DELETE FROM customers WHERE a BETWEEN 220 AND 230;
	rows := (SELECT count(*) FROM customers WHERE a > 100);
	read := crm.cardinality(crm.tag('above')) || ' ' || crm.cardinality(crm.tag('seen'));
	PERFORM * FROM crm.fold_tags('keys');
	folded := crm.cardinality(crm.tag('above')) || ' ' || crm.cardinality(crm.tag('seen'));
	PERFORM * FROM crm.refresh_tags('keys');
	written := (SELECT chunks_written FROM crm.refresh_history ORDER BY refresh_id DESC LIMIT 1);
	PERFORM crm.drop_population('keys');
END
$$;
SELECT type, t.* FROM (VALUES ('smallint', 'n'), ('int', 'n'), ('int', '-n'), ('bigint', 'n * 1000000007::bigint'), ('varchar(12)', '''k'' || n'),
	('char(8)', '''k'' || n'), ('code', '''k'' || n'), ('text', '''é"{},\ '' || n'), ('uuid', 'md5(n::text)::uuid')) u (type, make), try(type, make) t;

-- Sets of a future moment are nobody's now: readers evaluate, whatever was stored
CREATE TABLE contracts (id int PRIMARY KEY, ends timestamptz);
INSERT INTO contracts SELECT n, now() + n * interval '1 day' FROM generate_series(1, 100) n;
SELECT crm.create_population('contracts', 'contracts', 'id');
SELECT crm.create_tag('ended', 'ends < as_of', population => 'contracts');
SELECT crm.track_population('contracts');
SELECT members FROM crm.refresh_tags('contracts', as_of => now() + interval '1000 hours');
SELECT crm.cardinality(crm.tag('ended'));
SELECT members, exited FROM crm.fold_tags('contracts');
SELECT crm.cardinality(crm.tag('ended'));
SELECT crm.drop_population('contracts');

-- A write that leads to its customer by way of another relation's padded key
CREATE TABLE people (id int PRIMARY KEY);
CREATE TABLE holders (account char(8) PRIMARY KEY, holder int);
CREATE TABLE bookings (account char(8), amount int);
CREATE VIEW payers AS SELECT p.id, sum(b.amount) AS amount FROM people AS p LEFT JOIN holders AS h ON h.holder = p.id LEFT JOIN bookings AS b USING (account) GROUP BY p.id;
INSERT INTO people SELECT n FROM generate_series(1, 9) AS n;
INSERT INTO holders SELECT 'a' || n, n FROM generate_series(1, 9) AS n;
SELECT crm.create_population('payers', 'payers', 'id');
SELECT crm.create_tag('paid', 'amount > 0', population => 'payers');
SELECT crm.track_population('payers', '[{"relation": "people", "key": "id"}, {"relation": "holders", "key": "holder", "customers": false},
	{"relation": "bookings", "key": "account", "via": {"relation": "holders", "key": "account", "customer": "holder"}}]');
SELECT members FROM crm.refresh_tags('payers');
INSERT INTO bookings VALUES ('a7', 5), ('a2', 1);
SELECT array_agg(m) FROM crm.members(crm.tag('paid', population => 'payers')) AS m;
SELECT crm.drop_population('payers');
DROP SCHEMA tag_track_keys CASCADE;
