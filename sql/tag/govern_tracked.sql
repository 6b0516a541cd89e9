-- States, changed inputs and explanations of a tracked population.
SET client_min_messages = warning;
SET timezone = 'UTC';
\set VERBOSITY default
CREATE SCHEMA govern_tracked;
SET search_path = govern_tracked, crm, public;
CREATE TABLE customers (id int PRIMARY KEY, age int, amount numeric);
INSERT INTO customers SELECT n, n % 90, n FROM generate_series(1, 1000) n;
CREATE TABLE event (customer int, at timestamptz, what text, amount float8);
CREATE INDEX ON event (customer);
INSERT INTO event VALUES (150, '2026-01-01 10:00Z', 'order', 5);
SELECT create_population('people', 'customers', 'id', events => 'event', event_key => 'customer', event_time => 'at', event_name => 'what', event_value => 'amount');
SELECT create_tag('buyer', 'event_count(timeline, ''order'') >= 2'), create_tag('old', 'age > 50'), create_tag('rich', 'amount > 500');
SELECT count(*) FROM refresh_timelines('people');
SELECT count(*) FROM refresh_tags();
SELECT track_population('people');

-- An order arrives: the tag changes at once, and the explanation says why.
SELECT part, detail, value FROM explain_tag(150, 'buyer') WHERE part NOT IN ('now', 'stored', 'rule');
INSERT INTO event VALUES (150, '2026-02-01 10:00Z', 'order', 7);
SELECT tag FROM tags_of(150) ORDER BY tag;
SELECT part, detail, value FROM explain_tag(150, 'buyer') WHERE part NOT IN ('now', 'stored', 'rule');
BEGIN;
DELETE FROM event WHERE amount = 5;
SELECT value FROM explain_tag(150, 'buyer') WHERE part IN ('now', 'measure');
ROLLBACK;

-- A retired tag is not folded; taken into use again, it is exact again.
SELECT alter_tag('old', state => 'retired');
UPDATE customers SET age = 80 WHERE id = 7;
SELECT * FROM fold_tags();
SELECT alter_tag('old', state => 'approved');
SELECT cardinality(tag('old')), (SELECT count(*) FROM customers WHERE age > 50);
SELECT count(*) FROM fold_tags();
SELECT cardinality(tag('old')), (SELECT count(*) FROM customers WHERE age > 50);
-- A draft is folded, and not shown.
SELECT alter_tag('old', state => 'draft');
UPDATE customers SET age = 81 WHERE id = 8;
SELECT count(*) FROM tags_of(8);
SELECT cardinality(tag('old')), (SELECT count(*) FROM customers WHERE age > 50);

-- A column of another type: said until the whole set is evaluated anew.
ALTER TABLE customers ALTER amount TYPE int;
UPDATE customers SET amount = 1 WHERE id = 900;
SELECT cardinality(tag('rich')), (SELECT count(*) FROM customers WHERE amount > 500);
SELECT * FROM fold_tags();
SELECT tag, stale_cause FROM tag_catalog WHERE population = 'people' AND stale ORDER BY 1;
SELECT count(*) FROM refresh_tags();
SELECT tag, stale_cause FROM tag_catalog WHERE population = 'people' AND stale ORDER BY 1;

SELECT drop_population('people');
DROP SCHEMA govern_tracked CASCADE;
