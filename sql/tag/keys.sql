-- Keys of every type, dictionaries, and ids far apart.  What the store holds is compared with plain SQL.
CREATE SCHEMA tag_keys;
SET search_path = tag_keys, crm, public;
SET client_min_messages = warning;

-- Members of a tag as keys, by the extension and by plain SQL.
CREATE FUNCTION same(population text, source text, key text, rule text, tag text DEFAULT 'odd') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	wrong bigint;
	whole bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT k FROM crm.member_keys(crm.tag(%1$L, population => %2$L)) k) s '
		'FULL JOIN (SELECT %3$s::text AS k FROM %4$s WHERE %3$s IS NOT NULL AND (%5$s)) p USING (k) WHERE s.k IS NULL OR p.k IS NULL',
		tag, population, key, source, rule) INTO wrong;
	EXECUTE format('SELECT abs((SELECT crm.cardinality(crm.tag(%1$L, population => %2$L))) - (SELECT count(*) FROM %4$s WHERE %3$s IS NOT NULL AND (%5$s)))',
		tag, population, key, source, rule) INTO whole;
	RETURN CASE WHEN wrong = 0 AND whole = 0 THEN 'same' ELSE format('%s members differ, count by %s', wrong, whole) END;
END
$$;

CREATE DOMAIN account AS bigint CHECK (VALUE <> 13);
CREATE DOMAIN code AS varchar(20);
CREATE TABLE kinds (
	n int,
	small smallint, whole int, large bigint, dom account,
	id uuid, word text, vari varchar(30), "固定 Char" char(12), coded code);
INSERT INTO kinds
SELECT n, n, n, n, n, md5(n::text)::uuid, 'w' || n, 'V ' || n, '客户' || n, 'c' || n
FROM generate_series(100, 3000) n;

DO $$
DECLARE
	c name;
BEGIN
	FOREACH c IN ARRAY ARRAY['small', 'whole', 'large', 'dom', 'id', 'word', 'vari', '固定 Char', 'coded']
	LOOP
		PERFORM crm.create_population('by ' || c, 'kinds', c);
		PERFORM crm.create_tag('odd', 'n % 2 = 1', population => 'by ' || c);
		PERFORM crm.refresh_tags('by ' || c);
	END LOOP;
END
$$;
SELECT c, same('by ' || c, 'kinds', quote_ident(c), 'n % 2 = 1'), d.key_form, d.chunk_bits
FROM unnest(ARRAY['small', 'whole', 'large', 'dom', 'id', 'word', 'vari', '固定 Char', 'coded']) c
JOIN crm.population_definition d ON d.name = 'by ' || c
ORDER BY c COLLATE "C";
-- A dictionary is dense and begins with 1.
SELECT d.name, count(*), min(id), max(id), count(DISTINCT key) FROM crm.population_key JOIN crm.population_definition d USING (population_id)
WHERE d.name LIKE 'by %' GROUP BY d.name ORDER BY d.name COLLATE "C";

-- There and back, from every type of argument.
SELECT customer_id(101, 'by whole'), customer_id('101', 'by whole'), customer_id(' 0101 ', 'by whole'), customer_key(101, 'by whole');
SELECT customer_key(customer_id(md5('101')::uuid, 'by id'), 'by id') = md5('101')::uuid::text AS uuid,
	customer_id(upper(md5('101')), 'by id') = customer_id(md5('101')::uuid, 'by id') AS any_spelling,
	customer_key(customer_id('w200', 'by word'), 'by word') AS text,
	customer_key(customer_id('客户200', 'by 固定 Char'), 'by 固定 Char') AS fixed;
-- Never met, NULL, and no key of the type.
SELECT customer_id('nobody', 'by word'), customer_id(NULL::text, 'by word'), customer_key(-1, 'by word'), customer_key(999999, 'by word'),
	customer_key(NULL, 'by word'), customer_id(-7, 'by whole');
\set VERBOSITY sqlstate
SELECT customer_id('abc', 'by whole');
\set VERBOSITY default
SELECT customer_id('99999999999999999999', 'by whole');
SELECT customer_id('xyz', 'by id');

-- Vanished keys keep their number, new ones get new ones, and whoever comes back is the same.
CREATE TABLE people (name text, v int);
INSERT INTO people SELECT 'p' || n, n FROM generate_series(1, 9) n;
SELECT create_population('people', 'people', 'name');
SELECT create_tag('odd', 'v % 2 = 1', population => 'people');
SELECT * FROM refresh_tags('people');
CREATE TEMP TABLE before AS SELECT key, id FROM crm.population_keys('people');
DELETE FROM people WHERE v = 5;
INSERT INTO people VALUES ('a new one', 21), ('', 23);
SELECT * FROM refresh_tags('people');
INSERT INTO people VALUES ('p5', 5);
SELECT * FROM refresh_tags('people');
SELECT count(*) FILTER (WHERE a.id IS DISTINCT FROM b.id) AS renumbered, count(*) FROM before b LEFT JOIN crm.population_keys('people') a USING (key);
SELECT id, key FROM crm.population_keys('people') WHERE id > 9 ORDER BY id;
SELECT same('people', 'people', 'name', 'v % 2 = 1');

-- Long keys: all of them, or an error that says so; none is lost.
CREATE TABLE long_keys (k text, n int);
INSERT INTO long_keys SELECT string_agg(md5(i::text || n), ''), n FROM generate_series(1, 60) n, generate_series(1, 46) i GROUP BY n;
UPDATE long_keys SET k = left(k, 1440 + n);
SELECT create_population('long', 'long_keys', 'k');
SELECT create_tag('odd', 'n % 2 = 1', population => 'long');
SELECT * FROM refresh_tags('long');
SELECT same('long', 'long_keys', 'k', 'n % 2 = 1');
SELECT count(*) FROM long_keys WHERE customer_id(k, 'long') IS NULL;
INSERT INTO long_keys VALUES (repeat('客', 501), 61);
SELECT * FROM refresh_tags('long');
UPDATE long_keys SET k = repeat('客', 500) WHERE n = 61;
SELECT * FROM refresh_tags('long');
SELECT same('long', 'long_keys', 'k', 'n % 2 = 1');

-- Integers: negative ones, zero, and the ends of the range.
CREATE TABLE far (id bigint, v int);
INSERT INTO far SELECT n, abs(n) FROM generate_series(-50, 50) n;
SELECT create_population('far', 'far', 'id');
SELECT create_tag('odd', 'v % 2 = 1', population => 'far');
SELECT * FROM refresh_tags('far');
SELECT same('far', 'far', 'id', 'v % 2 = 1');
INSERT INTO far VALUES (-9223372036854775808, 1), (9223372036854775000, 1), (9223372036854775001, 2), (4611686018427387904, 3);
SELECT * FROM refresh_tags('far');
SELECT same('far', 'far', 'id', 'v % 2 = 1');
SELECT id, customer_id(id, 'far'), customer_key(customer_id(id, 'far'), 'far') FROM far WHERE id < -49 OR abs(id) < 2 OR id > 50 ORDER BY id;
-- An integer key that is a number of the dictionary already: found, not mixed up.
INSERT INTO far VALUES (9223372036854775807, 1);
SELECT * FROM refresh_tags('far');
DELETE FROM far WHERE id = 9223372036854775807;
-- Only negative keys from the first day on, then a text tag over them.
CREATE VIEW below AS SELECT id, v FROM far WHERE id < 0;
SELECT create_population('below', 'below', 'id');
SELECT create_tag('odd', 'v % 2 = 1', population => 'below');
SELECT create_tag('last digit', '(v % 10)::text', population => 'below');
SELECT * FROM refresh_tags('below') WHERE tag = 'odd' OR value IN ('0', '9');
SELECT same('below', 'below', 'id', 'v % 2 = 1');

-- Snowflake ids: wide chunks, the same answers, few rows in the store.
CREATE TABLE snow (id bigint, v int);
INSERT INTO snow SELECT (1700000000000 + n * 977) << 22 | (n * 7919 % 4096), n FROM generate_series(1, 30000) n;
SELECT create_population('snow', 'snow', 'id');
SELECT create_tag('odd', 'v % 2 = 1', population => 'snow');
SELECT create_tag('third', $$CASE v % 3 WHEN 0 THEN 'none' WHEN 1 THEN 'one' END$$, population => 'snow');
SELECT * FROM refresh_tags('snow');
SELECT chunk_bits > 13 AS wide, (SELECT count(*) < 200 FROM crm.tag_set s WHERE s.population_id = d.population_id) AS few_rows
FROM crm.population_definition d WHERE name = 'snow';
SELECT same('snow', 'snow', 'id', 'v % 2 = 1');
DELETE FROM snow WHERE v % 1000 = 1;
UPDATE snow SET v = v + 1 WHERE v % 1000 = 2;
INSERT INTO snow VALUES (5, 1), (9223372036854775807, 1), (0, 1), (1, 2);
SELECT * FROM refresh_tags('snow');
SELECT same('snow', 'snow', 'id', 'v % 2 = 1');

-- NULL keys are no customers, and are told of; a key that stands twice is an error that names the smallest.
CREATE TABLE bad (id int, word text, v int);
INSERT INTO bad VALUES (1, 'a', 1), (NULL, NULL, 1), (2, 'b', 1), (NULL, NULL, 2), (3, 'c', 2);
SELECT create_population('bad ids', 'bad', 'id');
SELECT create_population('bad words', 'bad', 'word');
SELECT create_tag('one', 'v = 1', population => 'bad ids');
SELECT create_tag('one', 'v = 1', population => 'bad words');
SET client_min_messages = notice;
SELECT * FROM refresh_tags('bad ids');
SELECT * FROM refresh_tags('bad words');
INSERT INTO bad VALUES (4, 'd', 1), (3, 'c', 1), (2, 'b', 2), (3, 'c', 2);
SELECT * FROM refresh_tags('bad ids');
SELECT * FROM refresh_tags('bad words');
SELECT count(*) FROM crm.tag('one', population => 'bad ids') a, crm.members(a);

SET client_min_messages = warning;
DROP SCHEMA tag_keys CASCADE;
-- The sources are gone: what can still be done, can be done.
SELECT * FROM crm.refresh_tags('far');
SELECT count(crm.drop_population(name)) FROM (SELECT name FROM crm.population_definition WHERE source_name LIKE 'tag\_keys.%' ORDER BY name COLLATE "C") p;
SELECT count(*) FROM crm.population_key JOIN crm.population_definition USING (population_id) WHERE source_name LIKE 'tag\_keys.%';
