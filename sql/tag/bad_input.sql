-- What users' tables do to a refresh: each is an error that names the remedy, or a defined answer.
\set SHOW_CONTEXT never
CREATE SCHEMA bad_input;
SET search_path = bad_input, crm, public;

-- Empty tables: everything works, and counts nothing.
CREATE TABLE nobody (id bigint PRIMARY KEY, age int, city text);
SELECT crm.create_population('nobody', 'nobody', 'id') IS NOT NULL AS made;
SELECT crm.create_tag('adult', 'age >= 18', population => 'nobody') IS NOT NULL AS made;
SELECT crm.create_tag('city', 'city', population => 'nobody') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('nobody');
SELECT crm.tag('adult', population => 'nobody')::bigint[] AS tag, crm.segment('adult | !adult', 'nobody')::bigint[] AS segment;
SELECT crm.tag('city', 'Paris', 'nobody')::bigint[] AS never_seen;
SELECT * FROM crm.tags_of(1, 'nobody');
SELECT * FROM crm.preview_tag('age >= 18', 'nobody');
SELECT * FROM crm.preview_tag('city', 'nobody');

-- One row, then none again.
INSERT INTO nobody VALUES (7, 30, 'Paris');
SELECT * FROM crm.refresh_tags('nobody') ORDER BY tag;
DELETE FROM nobody;
SELECT * FROM crm.refresh_tags('nobody') ORDER BY tag;

-- A key that is NULL.
CREATE TABLE keyless (id bigint, age int);
INSERT INTO keyless VALUES (1, 20), (NULL, 30), (2, 40);
SELECT crm.create_population('keyless', 'keyless', 'id') IS NOT NULL AS made;
SELECT crm.create_tag('adult', 'age >= 18', population => 'keyless') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('keyless');

-- The same key twice: the error names one.  Next to each other, far apart, and in other scopes.
CREATE TABLE twice (id bigint, age int, branch text);
INSERT INTO twice VALUES (1, 20, 'a'), (42, 30, 'a'), (42, 31, 'a'), (50, 40, 'b');
SELECT crm.create_population('twice', 'twice', 'id', 'branch') IS NOT NULL AS made;
SELECT crm.create_tag('adult', 'age >= 18', population => 'twice') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('twice');
TRUNCATE twice;
INSERT INTO twice SELECT n, 20, 'a' FROM generate_series(1, 20000) AS n;
INSERT INTO twice VALUES (11, 20, 'a');
SELECT * FROM crm.refresh_tags('twice');
TRUNCATE twice;
INSERT INTO twice VALUES (1, 20, 'a'), (9, 20, 'a'), (9, 20, 'b');
SELECT * FROM crm.refresh_tags('twice');
-- Nothing of it remains, and a clean table works.
SELECT crm.tag('adult', population => 'twice')::bigint[];
DELETE FROM twice WHERE branch = 'b';
SELECT * FROM crm.refresh_tags('twice');

CREATE TABLE twice_text (id text, age int);
INSERT INTO twice_text VALUES ('张三', 20), ('李四', 20), ('张三', 30);
SELECT crm.create_population('twice_text', 'twice_text', 'id') IS NOT NULL AS made;
SELECT crm.create_tag('adult', 'age >= 18', population => 'twice_text') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('twice_text');

-- A population whose view is dropped, or has lost its key or a rule's column.
CREATE TABLE base (id bigint PRIMARY KEY, age int, city text);
INSERT INTO base VALUES (1, 20, 'Roma'), (2, 10, NULL);
CREATE VIEW vanishing AS SELECT * FROM base;
SELECT crm.create_population('vanishing', 'vanishing', 'id') IS NOT NULL AS made;
SELECT crm.create_tag('adult', 'age >= 18', population => 'vanishing') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('vanishing');
DROP VIEW vanishing;
SELECT * FROM crm.refresh_tags('vanishing');
SELECT * FROM crm.preview_tag('age >= 18', 'vanishing');
SELECT crm.create_tag('child', 'age < 18', population => 'vanishing');
-- What was stored is still readable.
SELECT crm.tag('adult', population => 'vanishing')::bigint[];
-- Made again, it goes on with its tags: without a rule's column, without the key, and as it was.
CREATE VIEW vanishing AS SELECT id, city FROM base;
\set SHOW_CONTEXT errors
SELECT * FROM crm.refresh_tags('vanishing');
\set SHOW_CONTEXT never
DROP VIEW vanishing;
CREATE VIEW vanishing AS SELECT id AS number, age FROM base;
SELECT * FROM crm.refresh_tags('vanishing');
DROP VIEW vanishing;
CREATE VIEW vanishing AS SELECT * FROM base;
SELECT tag, value, kind, since IS NULL AS unknown, until FROM crm.tags_of(1, 'vanishing');
INSERT INTO base VALUES (3, 30, 'Roma');
SELECT * FROM crm.refresh_tags('vanishing');
SELECT source FROM crm.population_definition WHERE name = 'vanishing';
-- But not with something of the same name that belongs to somebody else, or is no relation of rows.
DROP VIEW vanishing;
CREATE ROLE bad_input_stranger;
CREATE VIEW vanishing AS SELECT 1 AS id, 99 AS age;
GRANT CREATE ON SCHEMA bad_input TO bad_input_stranger;
ALTER VIEW vanishing OWNER TO bad_input_stranger;
SELECT * FROM crm.refresh_tags('vanishing');
DROP VIEW vanishing;
CREATE SEQUENCE vanishing;
SELECT * FROM crm.refresh_tags('vanishing');
DROP SEQUENCE vanishing;
DELETE FROM base WHERE id = 3;
CREATE VIEW vanishing AS SELECT * FROM base;

-- A rule that fails on one row names the tag and the key; nothing of the refresh remains.
SELECT crm.create_tag('ratio', '100 / (age - 10) > 5', population => 'vanishing') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('vanishing');
SELECT crm.create_tag('cast', 'city::int > 5', population => 'vanishing') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('vanishing', ARRAY['cast']);
SELECT crm.drop_tag('ratio', 'vanishing'), crm.drop_tag('cast', 'vanishing');
SELECT * FROM crm.refresh_tags('vanishing');

-- Dates out of range.
CREATE TABLE dated (id bigint PRIMARY KEY, born date, seen timestamptz);
INSERT INTO dated VALUES (1, '5874897-12-31', '294276-12-31 00:00:00+00'), (2, '4713-01-01 BC', '4713-01-01 00:00:00+00 BC'),
	(3, 'infinity', 'infinity'), (4, '-infinity', '-infinity'), (5, NULL, NULL), (6, '2000-02-29', '2000-02-29 00:00:00+00');
SELECT crm.create_population('dated', 'dated', 'id') IS NOT NULL AS made;
SELECT crm.create_tag('born_lately', 'born >= DATE ''2000-01-01''', population => 'dated') IS NOT NULL AS made;
SELECT crm.create_tag('seen_before', 'seen < as_of', population => 'dated') IS NOT NULL AS made;
SELECT crm.create_tag('no_date', 'born IS NULL', population => 'dated') IS NOT NULL AS made;
SELECT crm.create_tag('endless', 'NOT isfinite(seen)', population => 'dated') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('dated') ORDER BY tag;
SELECT tag, crm.tag(tag, population => 'dated')::bigint[] AS customers FROM crm.tag_catalog WHERE population = 'dated' ORDER BY tag;
SELECT crm.create_tag('next_day', 'born + 1 > DATE ''2000-01-01''', population => 'dated') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('dated', ARRAY['next_day']);
SELECT crm.create_tag('impossible', 'born > DATE ''2023-02-29''', population => 'dated');
SELECT * FROM crm.refresh_tags('dated', ARRAY['born_lately'], as_of => 'infinity');
SELECT * FROM crm.refresh_tags('dated', ARRAY['born_lately'], as_of => NULL);

-- A thousand tags at once, every one right.
CREATE TABLE many (id bigint PRIMARY KEY, n int);
INSERT INTO many SELECT n, n % 1000 FROM generate_series(0, 4999) AS n;
SELECT crm.create_population('many', 'many', 'id') IS NOT NULL AS made;
SELECT count(crm.create_tag('t' || k, CASE WHEN k % 2 = 0 THEN 'n < ' || k ELSE 'abs(n) < ' || k END, population => 'many'))
FROM generate_series(1, 1000) AS k;
SELECT count(*), count(*) FILTER (WHERE members = 5 * substr(tag, 2)::int) AS right, sum(entered) AS entered, sum(exited) AS exited
FROM crm.refresh_tags('many');
SELECT count(*), count(DISTINCT tag) FROM crm.tags_of(1500, 'many');
SELECT crm.cardinality(crm.segment(string_agg('t' || k, ' & '), 'many')) FROM generate_series(101, 1000) AS k;

-- A text rule of ten thousand values: a cap that says so, and a setting that raises it.
CREATE TABLE talkative (id bigint PRIMARY KEY, word text);
INSERT INTO talkative SELECT n, 'word ' || n FROM generate_series(1, 10000) AS n;
SELECT crm.create_population('talkative', 'talkative', 'id') IS NOT NULL AS made;
SELECT crm.create_tag('word', 'word', population => 'talkative') IS NOT NULL AS made;
SELECT * FROM crm.refresh_tags('talkative');
SET crm_analytics.max_tag_values = 10000;
SELECT count(*), sum(members), min(members), max(members) FROM crm.refresh_tags('talkative');
SELECT crm.tag('word', 'word 9999', 'talkative')::bigint[];
SET crm_analytics.max_tag_values = 9999;
SELECT count(*) FROM crm.refresh_tags('talkative');
RESET crm_analytics.max_tag_values;

-- Values that are empty, blank, very long, or hold quotes.
CREATE TABLE odd (id bigint PRIMARY KEY, v text);
INSERT INTO odd VALUES (1, ''), (2, ' '), (3, 'a"b'), (4, E'two\nlines'), (5, NULL), (6, '中文 值'), (7, 'é'), (8, E'e\u0301');
SELECT crm.create_population('odd', 'odd', 'id') IS NOT NULL AS made;
SELECT crm.create_tag('v', 'v', population => 'odd') IS NOT NULL AS made;
SELECT value, members FROM crm.refresh_tags('odd') ORDER BY value COLLATE "C";
SELECT value, crm.tag('v', value, 'odd')::bigint[] FROM odd JOIN crm.segment_size ON value = v WHERE population = 'odd' ORDER BY value COLLATE "C";
SELECT crm.segment('v = "a""b" | v = "中文 值"', 'odd')::bigint[];

-- Keys at the ends of their range, and below it.
CREATE TABLE extreme (id bigint PRIMARY KEY);
INSERT INTO extreme VALUES (0), (9223372036854775807), (4294967296);
SELECT crm.create_population('extreme', 'extreme', 'id') IS NOT NULL AS made;
SELECT crm.create_tag('all', 'true', population => 'extreme') IS NOT NULL AS made;
SELECT tag, members FROM crm.refresh_tags('extreme');
SELECT k FROM crm.member_keys(crm.tag('all', population => 'extreme'), 'extreme') AS k ORDER BY k COLLATE "C";
DELETE FROM extreme WHERE id > 9000000000000000000;
INSERT INTO extreme VALUES (-1), (-9223372036854775808);
SELECT tag, members, entered, exited FROM crm.refresh_tags('extreme');
SELECT k FROM crm.member_keys(crm.tag('all', population => 'extreme'), 'extreme') AS k ORDER BY k COLLATE "C";
SELECT crm.customer_key(crm.customer_id(-1::bigint, 'extreme'), 'extreme');
-- Negative keys are numbered from the top: a key that stands there meets them, and that is an error.
INSERT INTO extreme VALUES (9223372036854775807);
SELECT tag, members, entered, exited FROM crm.refresh_tags('extreme');

-- Names that are no names.
SELECT crm.create_population('', 'base', 'id');
SELECT crm.create_population('x', 'base', 'no_such_column');
SELECT crm.create_population('x', 'base', 'id', 'no_such_column');
SELECT crm.create_population(NULL, 'base', 'id');
SELECT crm.create_population('nobody', 'base', 'id');
SELECT crm.create_tag('', 'true', population => 'nobody');
SELECT crm.create_tag('adult', 'true', population => 'nobody');
SELECT crm.create_tag('x', 'true', 'no such kind', 'nobody');
SELECT crm.create_tag('x', 'true', population => 'nobodi');
SELECT crm.create_tag('x', '', population => 'nobody');
SELECT crm.create_tag('x', NULL, population => 'nobody');
SELECT * FROM crm.refresh_tags('nobodi');
SELECT * FROM crm.refresh_tags('nobody', ARRAY['adlut']);
SELECT * FROM crm.refresh_tags('nobody', ARRAY[NULL]);
SELECT crm.tag('adlut', population => 'nobody');

SELECT crm.drop_population(name) FROM unnest(ARRAY['nobody', 'keyless', 'twice', 'twice_text', 'vanishing', 'dated', 'many', 'talkative', 'odd', 'extreme']) AS name;
SET client_min_messages = warning;
DROP SCHEMA bad_input CASCADE;
DROP ROLE bad_input_stranger;
